//! Tests of one field: every atom that a rule joins by OR on one field, as one compiled test.

use ipnet::IpNet;
use std::cmp::Ordering;
use std::net::IpAddr;

use super::atom::Atom;
use super::fold::fold_into;
use super::modifier::Modifier;
use super::number::Number;
use super::regex::{self, BadRegex, Engine};
use super::text::{Subject, TextTest, find};
use super::time;
use crate::field::Field;
use crate::record::{Record, Scalar};

/// Memory for folded text, reused from event to event.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers {
    pub(super) folded: String,
    pub(super) other: String,
    pub(super) lower: String,
}

/// Atoms of which any suffices.
#[derive(Debug, Default)]
pub(super) struct Test {
    null: bool,
    exists: Option<bool>,
    text: Option<Box<TextTest>>,
    cased: Option<Box<TextTest>>,
    numbers: Vec<(Number, Box<str>)>,
    others: Vec<Other>,
}

#[derive(Debug)]
enum Other {
    Regex(Engine),
    Network(IpNet),
    Compare(Modifier, Number),
    TimePart(Modifier, Option<Modifier>, Number),
    Field { field: Field, affix: Option<Modifier>, cased: bool },
}

impl Test {
    /// Compiles atoms; `intern` gives the field of a path that `fieldref` names.
    pub(super) fn new(atoms: &[Atom], intern: &mut dyn FnMut(&str) -> Field) -> Result<Test, BadRegex> {
        let texts = |wanted: bool| {
            let patterns = atoms.iter().filter_map(move |atom| match atom {
                Atom::Text { pattern, cased } if *cased == wanted => Some(pattern),
                _ => None,
            });
            Some(TextTest::new(patterns, wanted)).filter(|test| !test.is_empty()).map(Box::new)
        };
        let mut test = Test { text: texts(false), cased: texts(true), ..Test::default() };
        let number = |lexeme: &str| Number::parse(lexeme).unwrap_or(Number::Float(f64::NAN));
        for atom in atoms {
            match atom {
                Atom::Text { .. } => {}
                Atom::Null => test.null = true,
                // Both answers at once would always hold, as the author wrote it.
                Atom::Exists(is_present) => test.exists = Some(*is_present),
                Atom::Number(lexeme) => test.numbers.push((number(lexeme), lexeme.as_str().into())),
                Atom::Network(network) => test.others.push(Other::Network(*network)),
                Atom::Compare { order, bound } => test.others.push(Other::Compare(*order, number(bound))),
                Atom::TimePart { part, order, bound } => {
                    test.others.push(Other::TimePart(*part, *order, number(bound)))
                }
                Atom::Regex { pattern, flags } => test.others.push(Other::Regex(regex::compile(pattern, *flags)?)),
                Atom::Field { path, affix, cased } => {
                    test.others.push(Other::Field { field: intern(path), affix: *affix, cased: *cased });
                }
            }
        }
        Ok(test)
    }

    /// A rough cost, to try the cheap tests first.
    pub(super) fn cost(&self) -> u32 {
        let text = self.text.iter().chain(&self.cased).map(|test| test.cost()).fold(0, u32::saturating_add);
        let others = self.others.iter().map(|other| match other {
            Other::Regex(Engine::Linear(_)) => 200,
            Other::Regex(Engine::Backtracking(_)) => 2000,
            _ => 20,
        });
        others.fold(text, u32::saturating_add)
    }

    /// The folded values of which the field must have one, where the test asks for nothing else.
    pub(super) fn exact_values(&self) -> Option<Vec<Box<str>>> {
        let asks_more = self.null || self.exists.is_some() || !self.numbers.is_empty() || !self.others.is_empty();
        let texts = [&self.text, &self.cased];
        let mut values = Vec::new();
        for text in texts.into_iter().flatten() {
            values.extend(text.exact_values()?);
        }
        values.sort_unstable();
        values.dedup();
        (!asks_more).then_some(values)
    }

    /// Does the test hold for `field` of `record`?
    pub(super) fn holds(&self, field: Field, record: &Record<'_>, buffers: &mut Buffers) -> bool {
        if self.null && record.values(field).all(|value| value == Scalar::Null) {
            return true;
        }
        if self.exists.is_some_and(|is_present| is_present == record.is_present(field)) {
            return true;
        }
        record.values(field).any(|value| self.holds_value(value, record, buffers))
    }

    /// Does the test hold for one value?
    pub(super) fn holds_value(&self, value: Scalar<'_>, record: &Record<'_>, buffers: &mut Buffers) -> bool {
        let text = match value {
            Scalar::Null => return self.null,
            Scalar::Number(lexeme) => {
                if !self.numbers.is_empty() && self.is_number(lexeme) {
                    return true;
                }
                lexeme
            }
            other => {
                let text = other.text();
                if self.numbers.iter().any(|(_, lexeme)| lexeme.eq_ignore_ascii_case(text)) {
                    return true;
                }
                text
            }
        };
        self.holds_text(text, record, buffers)
    }

    fn is_number(&self, lexeme: &str) -> bool {
        let Some(number) = Number::parse(lexeme) else { return false };
        self.numbers.iter().any(|(expected, _)| expected.compare(number) == Ordering::Equal)
    }

    /// Does the test hold for a text: a value of a field, or any value of an event?
    pub(super) fn holds_text(&self, text: &str, record: &Record<'_>, buffers: &mut Buffers) -> bool {
        let is_plain = self.text.is_none() || text.is_ascii();
        if !is_plain {
            fold_into(text, &mut buffers.folded);
        }
        let subject = Subject { raw: text, folded: if is_plain { text } else { &buffers.folded } };
        let tests = [&self.text, &self.cased];
        tests.into_iter().flatten().any(|test| test.holds(subject, &mut buffers.lower))
            || self.others.iter().any(|other| other.holds(text, record, buffers))
    }
}

impl Other {
    fn holds(&self, text: &str, record: &Record<'_>, buffers: &mut Buffers) -> bool {
        match self {
            Other::Regex(regex) => regex.is_match(text),
            Other::Network(network) => address(text).is_some_and(|address| network.contains(&address)),
            Other::Compare(order, bound) => {
                Number::parse(text.trim()).is_some_and(|number| stands(number.compare(*bound), *order))
            }
            Other::TimePart(part, order, bound) => time::part(text, *part).is_some_and(|part| {
                let compared = Number::Int(part.into()).compare(*bound);
                order.map_or(compared == Ordering::Equal, |order| stands(compared, order))
            }),
            Other::Field { field, affix, cased } => record.values(*field).any(|other| match other {
                Scalar::Null => false,
                other => relates(text, other.text(), *affix, *cased, buffers),
            }),
        }
    }
}

fn stands(compared: Ordering, order: Modifier) -> bool {
    match order {
        Modifier::Lt => compared.is_lt(),
        Modifier::Lte => compared.is_le(),
        Modifier::Gt => compared.is_gt(),
        _ => compared.is_ge(),
    }
}

/// An address, as logs write it: alone, in brackets, or with a zone; an IPv4 address within IPv6 counts as IPv4.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_start_matches('[').trim_end_matches(']');
    let text = text.split_once('%').map_or(text, |(address, _)| address);
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// Is `text` the `other` text, or has it at the end or inside that `affix` says?
fn relates(text: &str, other: &str, affix: Option<Modifier>, cased: bool, buffers: &mut Buffers) -> bool {
    if cased {
        return match affix {
            None => text == other,
            Some(Modifier::StartsWith) => text.starts_with(other),
            Some(Modifier::EndsWith) => text.ends_with(other),
            Some(_) => memchr::memmem::find(text.as_bytes(), other.as_bytes()).is_some(),
        };
    }
    fold_into(text, &mut buffers.folded);
    fold_into(other, &mut buffers.other);
    let (text, other) = (buffers.folded.as_str(), buffers.other.as_str());
    match affix {
        None => text == other,
        Some(Modifier::StartsWith) => text.starts_with(other),
        Some(Modifier::EndsWith) => text.ends_with(other),
        Some(_) => find(text.as_bytes(), other.as_bytes(), true).is_some(),
    }
}
