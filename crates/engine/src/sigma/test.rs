//! Tests of one field: every atom that a rule joins by OR on one field, as one compiled test.

use ipnet::IpNet;
use std::cmp::Ordering;
use std::net::IpAddr;

use super::atom::Atom;
use super::fold::fold;
use super::folds::{Buffers, Pair};
use super::lists;
use super::modifier::Modifier;
use super::number::Number;
use super::regex::{self, BadRegex, Engine};
use super::text::{Subject, TextTest};
use super::time;
use super::witness::Sign;
use crate::field::Field;
use crate::record::{Record, Scalar};

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
            Other::Regex(regex) if regex.looks_around() => 2000,
            Other::Regex(_) => 200,
            _ => 20,
        });
        others.fold(text, u32::saturating_add)
    }

    /// Of these signs, a value has at least one if the test holds for it; `None` where the test can hold without any value.
    pub(super) fn signs(&self) -> Option<Vec<Sign>> {
        if self.null || self.exists == Some(false) {
            return None;
        }
        let mut signs: Vec<Sign> = [&self.text, &self.cased].into_iter().flatten().flat_map(|t| t.signs()).collect();
        for (number, lexeme) in &self.numbers {
            signs.push(Sign::Number(number.key()));
            signs.push(Sign::Exact(lexeme.to_ascii_lowercase().into_boxed_str()));
        }
        signs.extend(self.others.iter().flat_map(Other::signs));
        if self.exists == Some(true) {
            signs.push(Sign::Present);
        }
        Some(signs)
    }

    /// Does the test hold for `field` of `record`?
    pub(super) fn holds(&self, field: Field, record: &Record<'_>, buffers: &mut Buffers) -> bool {
        if self.null && record.values(field).all(|value| value == Scalar::Null) {
            return true;
        }
        if self.exists.is_some_and(|is_present| is_present == record.is_present(field)) {
            return true;
        }
        if let [Other::Field { field: other, affix, cased }] = &self.others[..]
            && self.text.is_none()
            && self.cased.is_none()
            && self.numbers.is_empty()
            && let Some(is_held) = lists::relate([field, *other], *affix, *cased, record)
        {
            return is_held;
        }
        let Buffers { folds, pair } = buffers;
        if self.text.is_none() {
            return record.values(field).any(|value| self.holds_folded(value, "", record, pair));
        }
        let places = folds.of(field, record);
        record.values(field).zip(places).any(|(value, at)| self.holds_folded(value, folds.text(at), record, pair))
    }

    /// Does the test hold for one value?
    pub(super) fn holds_value(&self, value: Scalar<'_>, record: &Record<'_>, buffers: &mut Buffers) -> bool {
        let folded = fold(value.text());
        self.holds_folded(value, &folded, record, &mut buffers.pair)
    }

    fn holds_folded(&self, value: Scalar<'_>, folded: &str, record: &Record<'_>, pair: &mut Pair) -> bool {
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
        let subject = Subject { raw: text, folded };
        if lists::is_empty_list(value) {
            let others = self.others.iter().filter(|other| !matches!(other, Other::Field { .. }));
            return self.holds_literal(subject) || others.into_iter().any(|other| other.holds(text, record, pair));
        }
        self.holds_text(subject, record, pair)
    }

    fn is_number(&self, lexeme: &str) -> bool {
        let Some(number) = Number::parse(lexeme) else { return false };
        self.numbers.iter().any(|(expected, _)| expected.compare(number) == Ordering::Equal)
    }

    /// Does the test hold for a text: a value of a field, or any value of an event?
    pub(super) fn holds_text(&self, subject: Subject<'_>, record: &Record<'_>, pair: &mut Pair) -> bool {
        self.holds_literal(subject) || self.others.iter().any(|other| other.holds(subject.raw, record, pair))
    }

    fn holds_literal(&self, subject: Subject<'_>) -> bool {
        [&self.text, &self.cased].into_iter().flatten().any(|test| test.holds(subject))
    }

    /// Does the test hold for any leaf of the event: a string or a number, wherever it stands?
    pub(super) fn holds_anywhere(&self, record: &Record<'_>, buffers: &mut Buffers) -> bool {
        let Buffers { folds, pair } = buffers;
        if self.cased.is_none() && self.others.is_empty() {
            return self.text.as_ref().is_some_and(|test| test.holds_any(folds.leaves(record)));
        }
        let mut held = false;
        record.for_each_leaf(&mut |leaf| held = held || self.holds_leaf(leaf, record, pair));
        held
    }

    /// Does the test hold for a leaf of the event?
    pub(super) fn holds_leaf(&self, leaf: &str, record: &Record<'_>, pair: &mut Pair) -> bool {
        self.holds_text(Subject { raw: leaf, folded: &fold(leaf) }, record, pair)
    }
}

impl Other {
    fn signs(&self) -> Vec<Sign> {
        match self {
            Other::Regex(regex) => regex.signs(),
            _ => vec![Sign::Present],
        }
    }

    fn holds(&self, text: &str, record: &Record<'_>, pair: &mut Pair) -> bool {
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
                other if lists::is_empty_list(other) => false,
                other => relates(text, other.text(), *affix, *cased, pair),
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
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_start_matches('[').trim_end_matches(']');
    let text = text.split_once('%').map_or(text, |(address, _)| address);
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// Is `text` the `other` text, or has it at the end or inside that `affix` says?
fn relates(text: &str, other: &str, affix: Option<Modifier>, cased: bool, pair: &mut Pair) -> bool {
    if cased {
        return fits(text, other, affix);
    }
    let (text, other) = pair.fold(text, other);
    fits(text, other, affix)
}

fn fits(text: &str, other: &str, affix: Option<Modifier>) -> bool {
    match affix {
        None => text == other,
        Some(Modifier::StartsWith) => text.starts_with(other),
        Some(Modifier::EndsWith) => text.ends_with(other),
        Some(_) => memchr::memmem::find(text.as_bytes(), other.as_bytes()).is_some(),
    }
}
