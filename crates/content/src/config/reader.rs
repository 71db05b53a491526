//! Reads a TOML document key by key: what nobody asked for is unknown, and every value knows where it came from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use model::Diagnostic;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Origin, Overrides, Secret};
use crate::nearest::nearest;

/// What a value looks like in the file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Number,
    Switch,
}

impl Shape {
    fn describe(self) -> &'static str {
        match self {
            Shape::Text => "a string",
            Shape::Number => "a whole number",
            Shape::Switch => "true or false",
        }
    }
}

/// One table of the document, and the keys that were asked of it.
pub(super) struct Section<'d> {
    path: String,
    table: Option<&'d DeTable<'d>>,
    known: Vec<&'static str>,
    /// Where the table begins, for mistakes of the whole table.
    offset: usize,
}

/// The document with everything found in it so far.
pub(super) struct Reader<'d> {
    text: &'d str,
    base: PathBuf,
    overrides: &'d Overrides,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) origins: BTreeMap<String, Origin>,
}

impl<'d> Reader<'d> {
    pub(super) fn new(text: &'d str, base: &Path, overrides: &'d Overrides) -> Reader<'d> {
        Reader { text, base: base.to_owned(), overrides, diagnostics: Vec::new(), origins: BTreeMap::new() }
    }

    pub(super) fn error(&mut self, offset: usize, code: &str, message: impl Into<String>, remedy: impl Into<String>) {
        let (line, column) = self.place(offset);
        self.diagnostics.push(Diagnostic::error(line, column, code, message, remedy));
    }

    /// Line and column, from 1, of a byte offset.
    fn place(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    pub(super) fn root(&self, table: &'d DeTable<'d>) -> Section<'d> {
        Section { path: String::new(), table: Some(table), known: Vec::new(), offset: 0 }
    }

    /// The table under `key`; an empty one when the file has none.
    pub(super) fn section(&mut self, parent: &mut Section<'d>, key: &'static str) -> Section<'d> {
        let path = parent.path_of(key);
        let (table, offset) = match parent.find(key) {
            None => (None, 0),
            Some(value) => match value.get_ref().as_table() {
                Some(table) => (Some(table), value.span().start),
                None => {
                    self.wrong_shape(&path, value, "a table");
                    (None, value.span().start)
                }
            },
        };
        Section { path, table, known: Vec::new(), offset }
    }

    /// The tables of an array of tables; `None` when the file has no such key.
    pub(super) fn sections(&mut self, parent: &mut Section<'d>, key: &'static str) -> Option<Vec<Section<'d>>> {
        let path = parent.path_of(key);
        let Some(value) = parent.find(key) else {
            self.origins.insert(path, Origin::Default);
            return None;
        };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_shape(&path, value, &format!("an array of tables: `[[{key}]]`"));
            return Some(Vec::new());
        };
        let mut sections = Vec::new();
        for (i, item) in array.iter().enumerate() {
            let (path, offset) = (format!("{path}[{i}]"), item.span().start);
            match item.get_ref().as_table() {
                Some(table) => sections.push(Section { path, table: Some(table), known: Vec::new(), offset }),
                None => self.wrong_shape(&path, item, &format!("a table: `[[{key}]]`")),
            }
        }
        Some(sections)
    }

    fn wrong_shape(&mut self, path: &str, value: &Spanned<DeValue<'_>>, expected: &str) {
        let message = format!("`{path}` is {}", article(value.get_ref().type_str()));
        self.error(value.span().start, "wrong-type", message, format!("write {expected}"));
    }

    /// A value as text with its origin: flag, then environment, then file. `None` when nobody set it.
    fn lookup(
        &mut self,
        section: &mut Section<'d>,
        key: &'static str,
        shape: Shape,
    ) -> Option<(String, Origin, usize)> {
        let path = section.path_of(key);
        let in_file = section.find(key);
        if let Some((text, origin)) = self.overrides.get(&path) {
            return Some((text, origin, 0));
        }
        let value = in_file?;
        let offset = value.span().start;
        let (found, text) = match value.get_ref() {
            DeValue::String(text) => (Shape::Text, text.to_string()),
            DeValue::Integer(number) => (Shape::Number, decimal(number.as_str(), number.radix())),
            DeValue::Boolean(switch) => (Shape::Switch, switch.to_string()),
            _ => {
                self.wrong_shape(&path, value, shape.describe());
                return None;
            }
        };
        if found != shape {
            self.wrong_shape(&path, value, shape.describe());
            return None;
        }
        Some((text, Origin::File { line: self.place(offset).0 }, offset))
    }

    /// A value that may be absent. `parse` says what it expects when it refuses.
    pub(super) fn optional<T>(
        &mut self,
        section: &mut Section<'d>,
        key: &'static str,
        shape: Shape,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let path = section.path_of(key);
        let Some((text, origin, offset)) = self.lookup(section, key, shape) else {
            self.origins.entry(path).or_insert(Origin::Default);
            return None;
        };
        match parse(&text) {
            Ok(value) => {
                self.origins.insert(path, origin);
                Some(value)
            }
            Err(expected) => {
                let place = match &origin {
                    Origin::File { .. } | Origin::Default => String::new(),
                    from => format!(" (from {from})"),
                };
                self.error(offset, "bad-value", format!("`{path}` is `{text}`{place}"), format!("write {expected}"));
                None
            }
        }
    }

    /// A value with a default.
    pub(super) fn value<T>(
        &mut self,
        section: &mut Section<'d>,
        key: &'static str,
        shape: Shape,
        default: T,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> T {
        self.optional(section, key, shape, parse).unwrap_or(default)
    }

    /// A value that must be there. The mistake is reported and `None` returned when it is not.
    pub(super) fn required<T>(
        &mut self,
        section: &mut Section<'d>,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.demand(section, key);
        self.optional(section, key, Shape::Text, parse)
    }

    /// Reports a key that is not there.
    fn demand(&mut self, section: &mut Section<'d>, key: &'static str) {
        if section.find(key).is_none() {
            let (path, offset) = (section.path.clone(), section.offset);
            self.error(offset, "missing-key", format!("`{path}` has no `{key}`"), format!("add `{key} = …`"));
        }
    }

    /// A path; one from the file is relative to the file's own folder.
    pub(super) fn path(&mut self, section: &mut Section<'d>, key: &'static str) -> Option<PathBuf> {
        let path = section.path_of(key);
        let value = self.optional(section, key, Shape::Text, not_empty)?;
        Some(match self.origins.get(&path) {
            Some(Origin::File { .. }) => self.base.join(value),
            _ => PathBuf::from(value),
        })
    }

    /// A path that must be there.
    pub(super) fn required_path(&mut self, section: &mut Section<'d>, key: &'static str) -> Option<PathBuf> {
        self.demand(section, key);
        self.path(section, key)
    }

    /// A list of strings, each with its place; an override is separated by commas.
    pub(super) fn list(&mut self, section: &mut Section<'d>, key: &'static str) -> Option<Vec<(String, usize)>> {
        let path = section.path_of(key);
        let in_file = section.find(key);
        if let Some((text, origin)) = self.overrides.get(&path) {
            self.origins.insert(path, origin);
            return Some(
                text.split(',').map(|part| (part.trim().to_owned(), 0)).filter(|(part, _)| !part.is_empty()).collect(),
            );
        }
        let Some(value) = in_file else {
            self.origins.insert(path, Origin::Default);
            return None;
        };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_shape(&path, value, "an array of strings");
            return None;
        };
        let line = self.place(value.span().start).0;
        let mut items = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_str() {
                Some(text) => items.push((text.to_owned(), item.span().start)),
                None => self.wrong_shape(&path, item, "a string"),
            }
        }
        self.origins.insert(path, Origin::File { line });
        Some(items)
    }

    /// A table of texts: name, text and place of each.
    pub(super) fn pairs(
        &mut self,
        section: &mut Section<'d>,
        key: &'static str,
    ) -> Option<Vec<(String, String, usize)>> {
        let path = section.path_of(key);
        let Some(value) = section.find(key) else {
            self.origins.insert(path, Origin::Default);
            return None;
        };
        let Some(table) = value.get_ref().as_table() else {
            self.wrong_shape(&path, value, "a table of texts: `{ name = \"text\" }`");
            return None;
        };
        let line = self.place(value.span().start).0;
        let mut pairs = Vec::new();
        for (name, value) in table.iter() {
            match value.get_ref().as_str() {
                Some(text) => pairs.push((name.get_ref().to_string(), text.to_owned(), value.span().start)),
                None => self.wrong_shape(&format!("{path}.{}", name.get_ref()), value, "a string"),
            }
        }
        self.origins.insert(path, Origin::File { line });
        Some(pairs)
    }

    /// A list of paths, relative to the file's own folder when they come from it.
    pub(super) fn paths(&mut self, section: &mut Section<'d>, key: &'static str) -> Option<Vec<PathBuf>> {
        let path = section.path_of(key);
        let items = self.list(section, key)?;
        let from_file = matches!(self.origins.get(&path), Some(Origin::File { .. }));
        let place = |text: String| if from_file { self.base.join(text) } else { PathBuf::from(text) };
        Some(items.into_iter().map(|(text, _)| place(text)).collect())
    }

    /// A secret by reference; a secret in clear is a mistake.
    pub(super) fn secret(&mut self, section: &mut Section<'d>, key: &'static str) -> Option<Secret> {
        let path = section.path_of(key);
        let Some(value) = section.find(key) else {
            self.origins.insert(path, Origin::Default);
            return None;
        };
        let offset = value.span().start;
        let line = self.place(offset).0;
        let remedy = "write `{ file = \"/path/of/the/secret\" }` or `{ env = \"NAME\" }`";
        let Some(table) = value.get_ref().as_table() else {
            self.error(offset, "secret-in-clear", format!("`{path}` holds a secret itself"), remedy);
            return None;
        };
        let mut inner = Section { path: path.clone(), table: Some(table), known: Vec::new(), offset };
        let file = self.path(&mut inner, "file");
        let env = self.optional(&mut inner, "env", Shape::Text, not_empty);
        self.finish(inner);
        self.origins.retain(|known, _| !known.starts_with(&format!("{path}.")));
        self.origins.insert(path.clone(), Origin::File { line });
        match (file, env) {
            (Some(file), None) => Some(Secret::File(file)),
            (None, Some(env)) => Some(Secret::Env(env)),
            _ => {
                self.error(offset, "bad-value", format!("`{path}` names not exactly one place"), remedy);
                None
            }
        }
    }

    /// A secret that must be there.
    pub(super) fn required_secret(&mut self, section: &mut Section<'d>, key: &'static str) -> Option<Secret> {
        self.demand(section, key);
        self.secret(section, key)
    }

    /// Reports the keys of the section that nobody asked for.
    pub(super) fn finish(&mut self, section: Section<'d>) {
        let Some(table) = section.table else { return };
        for (key, _) in table.iter() {
            let name: &str = key.get_ref();
            if section.known.contains(&name) {
                continue;
            }
            let place = if section.path.is_empty() { String::new() } else { format!(" in `{}`", section.path) };
            let remedy = match nearest(name, section.known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known keys: {}", section.known.join(", ")),
            };
            self.error(key.span().start, "unknown-key", format!("unknown key `{name}`{place}"), remedy);
        }
    }
}

impl<'d> Section<'d> {
    /// Where the section begins in the text.
    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    /// The section's dotted path.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn find(&mut self, key: &'static str) -> Option<&'d Spanned<DeValue<'d>>> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.table?.get(key)
    }
}

/// Any text but an empty one.
pub(super) fn not_empty(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("a text that is not empty".to_owned()) } else { Ok(text.to_owned()) }
}

fn article(kind: &str) -> String {
    let an = kind.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {kind}", if an { "an" } else { "a" })
}

fn decimal(digits: &str, radix: u32) -> String {
    i128::from_str_radix(digits, radix).map_or_else(|_| digits.to_owned(), |number| number.to_string())
}
