//! Numbers, shares and conditions of stateful types.

use super::super::super::correlation::{Bound, Comparison};
use super::super::super::stateful::{Expectation, Measured};
use super::super::correlation::fields;
use super::super::meta;
use super::super::reader::Reader;
use super::Body;
use crate::yaml::Entry;

/// Comparisons that ask for much.
pub(super) const LOWER: &[Comparison] = &[Comparison::Gt, Comparison::Gte];
/// Comparisons that ask for little.
pub(super) const UPPER: &[Comparison] = &[Comparison::Lt];
/// All of them.
pub(super) const ANY: &[Comparison] =
    &[Comparison::Gt, Comparison::Gte, Comparison::Lt, Comparison::Lte, Comparison::Eq, Comparison::Neq];

/// What the bounds of a condition are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unit {
    /// Numbers.
    Number,
    /// Shares, from 0 to 1 or in percent.
    Share,
    /// Numbers, or percent.
    Ratio,
}

/// What a condition of a type may and must say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// Does it name fields? `None`: it may.
    pub(super) field: Option<bool>,
    /// The comparisons that it may make; where there are any, it makes one at least.
    pub(super) comparisons: &'static [Comparison],
    /// What its bounds are.
    pub(super) unit: Unit,
    /// What to write.
    pub(super) remedy: &'static str,
}

/// A condition of a stateful type.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) fields: Vec<String>,
    pub(super) bounds: Vec<Bound>,
}

/// Reads `condition`.
pub(super) fn condition(reader: &mut Reader, body: &Body<'_, '_>, wanted: Wanted) -> Read {
    let mut read = Read::default();
    let Some(entry) = body.get("condition") else {
        if wanted.field == Some(true) || !wanted.comparisons.is_empty() {
            body.missing(reader, "condition", wanted.remedy);
        }
        return read;
    };
    let words = || Comparison::WORDS.iter().filter(|(_, it)| wanted.comparisons.contains(it));
    let mut known: Vec<&str> = words().map(|(word, _)| *word).collect();
    if wanted.field != Some(false) {
        known.push("field");
    }
    for part in reader.map(entry) {
        let comparison = words().find(|(word, _)| *word == part.key).map(|(_, it)| *it);
        match comparison {
            Some(comparison) => {
                let value = match wanted.unit {
                    Unit::Number => reader.number(part),
                    Unit::Share => share(reader, part),
                    Unit::Ratio => number_or_percent(reader, part),
                };
                read.bounds.extend(value.map(|value| Bound { comparison, value }));
            }
            None if part.key == "field" && wanted.field != Some(false) => read.fields = fields(reader, part),
            None => reader.unknown_key(part, &format!("the condition of a `{}`", body.kind.as_str()), &known),
        }
    }
    let has = |key: &str| entry.value.get(key).is_some();
    if wanted.field == Some(true) && read.fields.is_empty() {
        let message = format!("a `{}` has no `field` to read", body.kind.as_str());
        reader.note(entry.error("missing-field", message, wanted.remedy));
    }
    if !wanted.comparisons.is_empty() && !words().any(|(word, _)| has(word)) && entry.value.as_map().is_some() {
        reader.note(entry.error("missing-bound", "the condition compares with nothing", wanted.remedy));
    }
    read
}

/// A whole number from `least` to `most`.
pub(super) fn count(reader: &mut Reader, entry: &Entry<'_>, least: u64, most: u64) -> Option<u64> {
    let number = reader.number(entry)?;
    if number.fract() == 0.0 && number >= least as f64 && number <= most as f64 {
        return Some(number as u64);
    }
    let message = format!("`{}` is {number}", entry.key);
    reader.note(entry.value.error("bad-count", message, format!("write a whole number from {least} to {most}")));
    None
}

/// A number above 0.
pub(super) fn positive(reader: &mut Reader, entry: &Entry<'_>) -> Option<f64> {
    let number = reader.number(entry)?;
    if number > 0.0 {
        return Some(number);
    }
    let message = format!("`{}` is {number}", entry.key);
    reader.note(entry.value.error("out-of-range", message, "write a number above 0"));
    None
}

/// A share, as a number from 0 to 1 or in percent: `0.05` or `5%`.
pub(super) fn share(reader: &mut Reader, entry: &Entry<'_>) -> Option<f64> {
    let text = entry.value.as_str().unwrap_or_default().trim();
    let number = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().ok().map(|percent| percent / 100.0),
        None => text.parse::<f64>().ok(),
    };
    if let Some(number) = number.filter(|number| (0.0..=1.0).contains(number)) {
        return Some(number);
    }
    let shown = if text.is_empty() { entry.value.noun() } else { text };
    let message = format!("`{}` is `{shown}`, which is no share", entry.key);
    reader.note(entry.value.error("bad-share", message, "write a number from 0 to 1, or percent: `0.05` or `5%`"));
    None
}

/// A number, or percent: `1.5` or `150%`.
pub(in super::super) fn number_or_percent(reader: &mut Reader, entry: &Entry<'_>) -> Option<f64> {
    let percent = entry.value.as_str().and_then(|text| text.trim().strip_suffix('%'));
    match percent.and_then(|percent| percent.trim().parse::<f64>().ok()).filter(|percent| percent.is_finite()) {
        Some(percent) => Some(percent / 100.0),
        None => reader.number(entry),
    }
}

/// One of several words.
pub(super) fn word<T: Copy + Default, const N: usize>(
    reader: &mut Reader,
    entry: Option<&Entry<'_>>,
    words: [(&'static str, T); N],
) -> T {
    let Some(entry) = entry else { return T::default() };
    let text = reader.text(entry).unwrap_or_default();
    if let Some((_, it)) = words.iter().find(|(word, _)| *word == text) {
        return *it;
    }
    meta::note_word(reader, entry, "bad-word", &text, &format!("`{}`", entry.key), &words.map(|(word, _)| word));
    T::default()
}

/// `measure` and the field that it reads.
pub(super) fn measured(reader: &mut Reader, body: &Body<'_, '_>, fields: Vec<String>) -> Measured {
    #[derive(Clone, Copy, Default)]
    enum Word {
        #[default]
        Count,
        Sum,
        Distinct,
    }
    let words = [("count", Word::Count), ("sum", Word::Sum), ("distinct", Word::Distinct)];
    let entry = body.get("measure");
    let place = entry.or_else(|| body.get("condition")).unwrap_or(body.entry);
    match word(reader, entry, words) {
        Word::Count => {
            if !fields.is_empty() {
                let remedy = "add `measure: sum` or `measure: distinct`, or remove `field`";
                reader.note(place.error("unused-field", "events are counted, and no field is read", remedy));
            }
            Measured::Count
        }
        Word::Sum if fields.len() == 1 => Measured::Sum(fields[0].clone()),
        Word::Distinct if !fields.is_empty() => Measured::Distinct(fields),
        Word::Sum if fields.len() > 1 => {
            reader.note(place.error("too-many-fields", "a sum reads one field", "name one field"));
            Measured::Count
        }
        Word::Sum | Word::Distinct => {
            reader.note(place.error(
                "missing-field",
                "the measure has no `field` to read",
                "add `condition: {field: …}`",
            ));
            Measured::Count
        }
    }
}

/// What is to be expected, from keys of `baseline`: `k`, or `factor` with or without `quantile`.
pub(super) fn expectation(reader: &mut Reader, body: &Body<'_, '_>) -> Option<Expectation> {
    let remedy = "add `baseline: {k: 4}` or `baseline: {quantile: 0.99, factor: 3}`";
    let Some(entry) = body.get("baseline") else {
        body.missing(reader, "baseline", remedy);
        return None;
    };
    let parts = reader.map(entry);
    let get = |key: &str| parts.iter().find(|part| part.key == key);
    match (get("k"), get("factor"), get("quantile")) {
        (Some(k), None, None) => Some(Expectation::Mad { k: positive(reader, k)? }),
        (None, Some(factor), quantile) => {
            let quantile = quantile.map_or(Some(0.5), |part| share(reader, part));
            Some(Expectation::Quantile { factor: positive(reader, factor)?, quantile: quantile? })
        }
        (Some(k), _, _) => {
            let message = "`k` deviations and `factor` times a quantile are two ways to say what is expected";
            reader.note(k.error("two-baselines", message, "leave one of them out"));
            None
        }
        (None, None, _) => {
            if entry.value.as_map().is_some() {
                reader.note(entry.error("empty-baseline", "`baseline` says neither `k` nor `factor`", remedy));
            }
            None
        }
    }
}
