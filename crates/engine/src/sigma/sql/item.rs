//! Items: the atoms of one field, or of the whole record, as calls.

use super::expression;
use super::write::Part;
use super::{Dialect, Problem, list, text};
use crate::sigma::atom::Atom;
use crate::sigma::fold::fold;
use crate::sigma::modifier::Modifier;
use crate::sigma::pattern::{Pattern, Piece};
use crate::sigma::regex::Flags;

/// The translation of one item.
pub(super) struct Translation<'a> {
    dialect: Dialect,
    field: Option<&'a str>,
    /// What could not be translated.
    pub(super) problems: Vec<Problem>,
}

/// Texts that are compared in the same way.
#[derive(Default)]
struct Texts {
    exact: Vec<String>,
    starts: Vec<String>,
    ends: Vec<String>,
    inner: Vec<String>,
    globs: Vec<String>,
}

impl<'a> Translation<'a> {
    pub(super) fn new(dialect: Dialect, field: Option<&'a str>) -> Translation<'a> {
        Translation { dialect, field, problems: Vec::new() }
    }

    /// One of the atoms holds.
    pub(super) fn any(&mut self, mut atoms: Vec<Atom>) -> Part {
        atoms.sort_unstable();
        atoms.dedup();
        let mut parts = Vec::new();
        for is_cased in [false, true] {
            let patterns = atoms.iter().filter_map(|atom| match atom {
                Atom::Text { pattern, cased } if *cased == is_cased => Some(pattern),
                _ => None,
            });
            self.texts(patterns, is_cased, &mut parts);
        }
        let each = |wanted: fn(&Atom) -> Option<String>| atoms.iter().filter_map(wanted).collect::<Vec<String>>();
        self.numbers(
            &each(|atom| if let Atom::Number(lexeme) = atom { Some(lexeme.clone()) } else { None }),
            &mut parts,
        );
        let networks = each(|atom| if let Atom::Network(network) = atom { Some(network.to_string()) } else { None });
        self.push("wk_in_network", &self.values(), &networks, &mut parts);
        for atom in &atoms {
            let part = self.alone(atom);
            parts.extend(part);
        }
        Part::any(parts)
    }

    fn path(&self) -> String {
        text(&plain(self.field.unwrap_or_default()), self.dialect)
    }

    fn values(&self) -> String {
        match self.field {
            Some(_) => format!("wk_values(raw, {})", self.path()),
            None => "wk_leaves(raw)".to_owned(),
        }
    }

    fn push(&self, function: &str, values: &str, others: &[String], parts: &mut Vec<Part>) {
        if !others.is_empty() {
            let others = list(others.iter().map(String::as_str), self.dialect);
            parts.push(Part::call(format!("{function}({values}, {others})")));
        }
    }

    fn texts<'p>(&self, patterns: impl Iterator<Item = &'p Pattern>, is_cased: bool, parts: &mut Vec<Part>) {
        let mut texts = Texts::default();
        for pattern in patterns {
            texts.add(if is_cased { pattern.clone() } else { pattern.clone().map(fold) });
        }
        let values = if is_cased { self.values() } else { format!("wk_folded({})", self.values()) };
        self.push("wk_is", &values, &texts.exact, parts);
        self.push("wk_starts_with", &values, &texts.starts, parts);
        self.push("wk_ends_with", &values, &texts.ends, parts);
        self.push("wk_contains", &values, &texts.inner, parts);
        for glob in &texts.globs {
            parts.push(Part::call(format!("wk_matches({values}, {})", text(glob, self.dialect))));
        }
    }

    /// An unquoted number fits a number of its value, and text that reads as the rule does.
    fn numbers(&self, lexemes: &[String], parts: &mut Vec<Part>) {
        let numbers = format!("wk_numbers(raw, {})", self.path());
        for lexeme in lexemes {
            parts.push(Part::call(format!("wk_compare({numbers}, '=', {})", text(lexeme, self.dialect))));
        }
        let folded: Vec<String> = lexemes.iter().map(|lexeme| fold(lexeme)).collect();
        self.push("wk_is", &format!("wk_folded({})", self.values()), &folded, parts);
    }

    /// An atom that is a call of its own.
    fn alone(&mut self, atom: &Atom) -> Option<Part> {
        let sql = match atom {
            Atom::Text { .. } | Atom::Number(_) | Atom::Network(_) => return None,
            Atom::Null => format!("wk_is_null(raw, {})", self.path()),
            Atom::Exists(is_present) => {
                let has = Part::call(format!("wk_has(raw, {})", self.path()));
                return Some(if *is_present { has } else { Part::Not(Box::new(has)) });
            }
            Atom::Compare { order, bound } => self.compare(&self.values(), Some(*order), bound),
            Atom::TimePart { part, order, bound } => {
                let parts = format!("wk_time_parts({}, '{part}')", self.values());
                self.compare(&parts, *order, bound)
            }
            Atom::Regex { pattern, flags } => self.expression(pattern, *flags)?,
            Atom::Field { path, affix, cased } => self.other_field(path, *affix, *cased),
        };
        Some(Part::call(sql))
    }

    fn compare(&self, values: &str, order: Option<Modifier>, bound: &str) -> String {
        let relation = match order {
            None => "=",
            Some(Modifier::Lt) => "<",
            Some(Modifier::Lte) => "<=",
            Some(Modifier::Gt) => ">",
            Some(_) => ">=",
        };
        format!("wk_compare({values}, '{relation}', {})", text(bound, self.dialect))
    }

    fn expression(&mut self, pattern: &str, flags: Flags) -> Option<String> {
        let written = match self.dialect {
            Dialect::DuckDb => expression::re2(pattern, flags),
            Dialect::DataFusion | Dialect::Sqlite => expression::flagged(pattern, flags),
        };
        match written {
            Ok(written) => Some(format!("wk_matches({}, {})", self.values(), text(&written, self.dialect))),
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    fn other_field(&self, path: &str, affix: Option<Modifier>, is_cased: bool) -> String {
        let function = match affix {
            None => "wk_is",
            Some(Modifier::StartsWith) => "wk_starts_with",
            Some(Modifier::EndsWith) => "wk_ends_with",
            Some(_) => "wk_contains",
        };
        let [one, other] = [self.path(), text(&plain(path), self.dialect)].map(|path| {
            let elements = format!("wk_elements(raw, {path})");
            if is_cased { elements } else { format!("wk_folded({elements})") }
        });
        format!("{function}({one}, {other})")
    }
}

/// The path as events are read by it: marks of arrays say nothing.
pub(super) fn plain(path: &str) -> String {
    let mut fields = crate::field::FieldsBuilder::new();
    let field = fields.intern(path);
    fields.build().name(field).to_owned()
}

impl Texts {
    fn add(&mut self, pattern: Pattern) {
        match pattern.pieces() {
            [] => self.exact.push(String::new()),
            [Piece::Literal(only)] => self.exact.push(only.clone()),
            // Any text holds the empty one.
            [Piece::Many] => self.inner.push(String::new()),
            [Piece::Literal(start), Piece::Many] => self.starts.push(start.clone()),
            [Piece::Many, Piece::Literal(end)] => self.ends.push(end.clone()),
            [Piece::Many, Piece::Literal(inner), Piece::Many] => self.inner.push(inner.clone()),
            pieces => self.globs.push(expression::glob(pieces)),
        }
    }
}
