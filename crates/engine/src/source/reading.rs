//! Readings: how a column or entity is read from a record.
//!
//! In: what `source.yml` says. Out: values, as text. A [`Reading`] is as written; a `Reader` is the same with its fields numbered.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use regex::Regex;

use crate::field::{Field, FieldsBuilder};
use crate::record::{Record, Scalar};

/// How one value is read from a record.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The record's paths; the first that has a value counts.
    pub paths: Vec<String>,
    /// In place of paths: text with `{path}` in it; nothing is read unless every path has a value.
    pub template: Option<String>,
    /// What is read: this text, where every condition holds and the paths, if there are some, have a value that matches.
    pub value: Option<String>,
    /// Conditions: each path has one of these values.
    pub when: BTreeMap<String, Vec<String>>,
    /// Conditions: each path is there.
    pub present: Vec<String>,
    /// Conditions: no path is there.
    pub absent: Vec<String>,
    /// The value must match; its first group, if there is one, is what is read.
    pub matches: Option<Regex>,
    /// What is read in place of the first group, with `$1`, `$2` for the groups.
    pub write: Option<String>,
    /// Values that are read as another.
    pub map: BTreeMap<String, String>,
    /// Percent-encoding is undone.
    pub url_decode: bool,
}

impl PartialEq for Reading {
    fn eq(&self, other: &Reading) -> bool {
        let pattern = |reading: &Reading| reading.matches.as_ref().map(|regex| regex.as_str().to_owned());
        (&self.paths, &self.template, &self.value, &self.when)
            == (&other.paths, &other.template, &other.value, &other.when)
            && (&self.present, &self.absent, &self.map) == (&other.present, &other.absent, &other.map)
            && (self.url_decode, &self.write) == (other.url_decode, &other.write)
            && pattern(self) == pattern(other)
    }
}

impl Reading {
    /// A reading of one path.
    pub fn of(path: impl Into<String>) -> Reading {
        Reading { paths: vec![path.into()], ..Reading::default() }
    }

    /// Every path of the record that it looks at.
    pub fn looks_at(&self) -> Vec<String> {
        let mut paths = self.paths.clone();
        paths.extend(self.template.iter().flat_map(|text| holes(text).map(str::to_owned)));
        paths.extend(self.when.keys().chain(&self.present).chain(&self.absent).cloned());
        paths
    }

    pub(crate) fn compile(&self, fields: &mut FieldsBuilder) -> Reader {
        let mut all = |paths: &[String]| paths.iter().map(|path| fields.intern(path)).collect();
        let (paths, present, absent) = (all(&self.paths), all(&self.present), all(&self.absent));
        Reader {
            paths,
            present,
            absent,
            when: self.when.iter().map(|(path, values)| (fields.intern(path), values.clone())).collect(),
            template: self.template.as_ref().map(|text| Template::compile(text, fields)),
            value: self.value.clone(),
            matches: self.matches.clone(),
            write: self.write.clone(),
            map: self.map.clone(),
            url_decode: self.url_decode,
        }
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.value, &self.template) {
            (Some(value), _) if self.paths.is_empty() => write!(f, "\"{value}\"")?,
            (Some(value), _) => write!(f, "\"{value}\" for {}", self.paths.join(" or "))?,
            (None, Some(template)) => write!(f, "\"{template}\"")?,
            (None, None) => f.write_str(&self.paths.join(" or "))?,
        }
        let mut conditions: Vec<String> = Vec::new();
        conditions.extend(self.when.iter().map(|(path, values)| format!("{path} is {}", values.join(" or "))));
        conditions.extend(self.present.iter().map(|path| format!("{path} is there")));
        conditions.extend(self.absent.iter().map(|path| format!("{path} is not there")));
        conditions.extend(self.matches.iter().map(|regex| format!("it matches {}", regex.as_str())));
        if conditions.is_empty() { Ok(()) } else { write!(f, " where {}", conditions.join(" and ")) }
    }
}

/// A reading with its fields numbered.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    paths: Vec<Field>,
    template: Option<Template>,
    value: Option<String>,
    when: Vec<(Field, Vec<String>)>,
    present: Vec<Field>,
    absent: Vec<Field>,
    matches: Option<Regex>,
    write: Option<String>,
    map: BTreeMap<String, String>,
    url_decode: bool,
}

impl Reader {
    /// Calls `f` with every value; empty ones and the mark `-` are none.
    pub(crate) fn each(&self, record: &Record<'_>, f: &mut dyn FnMut(String)) {
        if !self.holds(record) {
            return;
        }
        let mut take = |text: Cow<'_, str>| {
            let Some(text) = self.shape(text).filter(|text| !is_blank(text)) else { return };
            f(self.value.clone().unwrap_or(text));
        };
        if let Some(template) = &self.template {
            return template.fill(record).into_iter().for_each(|text| take(Cow::Owned(text)));
        }
        if let (Some(value), true) = (&self.value, self.paths.is_empty()) {
            return take(Cow::Borrowed(value));
        }
        if let Some(path) = self.paths.iter().find(|path| Reader::has_value(**path, record)) {
            record.values(*path).filter_map(|value| value.scalar_text()).for_each(|text| take(Cow::Borrowed(text)));
        }
    }

    /// Writes what its values follow from: two records with the same mark have the same values. False, and nothing written, where it has none.
    #[inline]
    pub(crate) fn mark(&self, record: &Record<'_>, out: &mut Vec<u8>) -> bool {
        // What is read is missing far more often than a condition fails, and is cheaper to see.
        let path = match &self.template {
            Some(template) if !template.fields().all(|field| Reader::has_value(field, record)) => return false,
            Some(_) => None,
            None => match self.paths.iter().find(|path| Reader::has_value(**path, record)) {
                None if !(self.paths.is_empty() && self.value.is_some()) => return false,
                path => path,
            },
        };
        if !self.holds(record) {
            return false;
        }
        let mut put = |text: &str| {
            out.push(b'|');
            out.extend_from_slice(&(text.len() as u32).to_le_bytes());
            out.extend_from_slice(text.as_bytes());
        };
        if let Some(template) = &self.template {
            template.fields().for_each(|field| put(record.first_str(field).unwrap_or_default()));
        } else if let Some(path) = path {
            record.values(*path).filter_map(|value| value.scalar_text()).for_each(put);
        }
        true
    }

    fn has_value(path: Field, record: &Record<'_>) -> bool {
        record.first_str(path).is_some_and(|text| !is_blank(text))
    }

    /// The first value.
    pub(crate) fn first(&self, record: &Record<'_>) -> Option<String> {
        let mut found = None;
        self.each(record, &mut |value| {
            found.get_or_insert(value);
        });
        found
    }

    /// Do its conditions hold?
    pub(crate) fn holds(&self, record: &Record<'_>) -> bool {
        let is_one_of = |(path, values): &(Field, Vec<String>)| {
            record.values(*path).filter_map(|value| value.scalar_text()).any(|text| values.iter().any(|v| v == text))
        };
        let is_there =
            |path: &Field| record.values(*path).any(|value| value != Scalar::Null && !is_blank(value.text()));
        self.when.iter().all(is_one_of) && self.present.iter().all(is_there) && !self.absent.iter().any(is_there)
    }

    fn shape(&self, text: Cow<'_, str>) -> Option<String> {
        let text = if self.url_decode { Cow::Owned(url_decode(&url_decode(&text))) } else { text };
        let text = match &self.matches {
            None => text.into_owned(),
            Some(regex) => {
                let groups = regex.captures(&text)?;
                match &self.write {
                    Some(write) => {
                        let mut written = String::new();
                        groups.expand(write, &mut written);
                        written
                    }
                    None => groups.get(1).or_else(|| groups.get(0))?.as_str().to_owned(),
                }
            }
        };
        Some(self.map.get(&text).cloned().unwrap_or(text))
    }
}

fn is_blank(text: &str) -> bool {
    text.is_empty() || text == "-"
}

/// Undoes percent-encoding; what is not valid stays as it is.
fn url_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = |at: usize| after.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        match (byte, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = &after[2..];
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// The names between braces.
pub(crate) fn holes(template: &str) -> impl Iterator<Item = &str> {
    template.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name.trim()))
}

/// Text with fields in it.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    /// Text, and the field that follows it.
    parts: Vec<(String, Option<Field>)>,
}

impl Template {
    pub(crate) fn compile(text: &str, fields: &mut FieldsBuilder) -> Template {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            parts.push((before.to_owned(), Some(fields.intern(name))));
            rest = after;
        }
        parts.push((rest.to_owned(), None));
        Template { parts }
    }

    /// Its fields, in order.
    fn fields(&self) -> impl Iterator<Item = Field> {
        self.parts.iter().filter_map(|(_, field)| *field)
    }

    /// The text with every field's first value; `None` if one has none.
    pub(crate) fn fill(&self, record: &Record<'_>) -> Option<String> {
        let mut text = String::new();
        for (before, field) in &self.parts {
            text.push_str(before);
            if let Some(field) = field {
                text.push_str(record.first_str(*field).filter(|value| !is_blank(value))?);
            }
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::extract;
    use crate::field::FieldsBuilder;
    use crate::limits::Limits;
    use crate::record::Scratch;

    fn read(reading: &Reading, record: &str) -> Vec<String> {
        let mut builder = FieldsBuilder::new();
        let reader = reading.compile(&mut builder);
        let fields = builder.build();
        let mut scratch = Scratch::new(&fields);
        let record = extract(&fields, record, &mut scratch, &Limits::default()).unwrap();
        let mut values = Vec::new();
        reader.each(&record, &mut |value| values.push(value));
        values
    }

    #[test]
    fn the_first_path_with_a_value_counts() {
        let reading = Reading { paths: vec!["a".into(), "b.c".into(), "d".into()], ..Reading::default() };
        assert_eq!(read(&reading, r#"{"a":"-","b":[{"c":1},{"c":"x"}],"d":2}"#), ["1", "x"]);
        assert!(read(&reading, r#"{"a":null,"b":{}}"#).is_empty());
    }

    #[test]
    fn conditions_patterns_and_maps_shape_a_value() {
        let reading = Reading {
            when: [("t".to_owned(), vec!["Role".to_owned()])].into(),
            absent: vec!["e".into()],
            matches: Some(Regex::new("^arn:[^/]+/(.+)$").unwrap()),
            map: [("y".to_owned(), "why".to_owned())].into(),
            ..Reading::of("a")
        };
        assert_eq!(read(&reading, r#"{"t":"Role","a":"arn:x/y"}"#), ["why"]);
        assert!(read(&reading, r#"{"t":"User","a":"arn:x/y"}"#).is_empty());
        assert!(read(&reading, r#"{"t":"Role","a":"arn:x/y","e":1}"#).is_empty());
        assert!(read(&reading, r#"{"t":"Role","a":"other"}"#).is_empty());
    }

    #[test]
    fn a_template_needs_all_its_values() {
        let reading = Reading { template: Some("{b}/{k}".into()), url_decode: true, ..Reading::default() };
        assert_eq!(read(&reading, r#"{"b":"lab","k":"a%2520b%"}"#), ["lab/a b%"]);
        assert!(read(&reading, r#"{"b":"lab"}"#).is_empty());
    }
}
