//! The functions that converted rules ask, as a host lends them to its database.
//!
//! In: `raw`, a record of the lake: a JSON object, or a line of the Amazon S3 server access log; paths and texts of the rule. Out: lists of
//! text, and truth, never NULL. They are the engine's own reading and comparing; for DuckDB `duckdb.sql` says the same in plain SQL.
//!
//! | call | gives |
//! |---|---|
//! | `wk_values(raw, path)` | [`Path::values`] |
//! | `wk_elements(raw, path)` | [`Path::elements`] |
//! | `wk_numbers(raw, path)` | [`Path::numbers`] |
//! | `wk_has(raw, path)`, `wk_is_null(raw, path)` | [`Path::has`], [`Path::is_null`] |
//! | `wk_leaves(raw)` | [`leaves`] |
//! | `wk_folded(texts)` | [`folded`] |
//! | `wk_is`, `wk_starts_with`, `wk_ends_with`, `wk_contains` `(texts, others)` | [`is`], [`starts_with`], [`ends_with`], [`contains`] |
//! | `wk_matches(texts, expression)` | [`Expression::matches`] |
//! | `wk_compare(texts, relation, other)` | [`compare`] |
//! | `wk_time_parts(texts, part)` | [`time_parts`] |
//! | `wk_in_network(texts, networks)` | [`in_network`] |

use std::cmp::Ordering;

use ipnet::IpNet;

use crate::extract;
use crate::field::{Field, Fields, FieldsBuilder};
use crate::limits::Limits;
use crate::record::{Record, Scalar, Scratch};
use crate::sigma::fold::fold;
use crate::sigma::modifier::Modifier;
use crate::sigma::number::Number;
use crate::sigma::regex::{self, Engine, Flags};
use crate::sigma::sql::line;
use crate::sigma::{lists, test, time};

/// A path, ready to be read from records.
#[derive(Debug)]
pub struct Path {
    fields: Fields,
    field: Field,
    lines: line::Reader,
    scratch: Scratch,
}

impl Path {
    /// The path, as rules write it.
    pub fn new(path: &str) -> Path {
        let mut fields = FieldsBuilder::new();
        let field = fields.intern(path);
        let fields = fields.build();
        let (lines, scratch) = (line::Reader::new(&fields), Scratch::new(&fields));
        Path { fields, field, lines, scratch }
    }

    /// What the values under the path say, `null` left out: texts, numbers as written, `true`, `false`, objects as written.
    pub fn values(&mut self, raw: &str) -> Vec<String> {
        self.read(raw, |values| {
            values.filter(|value| *value != Scalar::Null).map(|value| value.text().to_owned()).collect()
        })
    }

    /// [`Path::values`] without empty lists, which have no element to be compared with another field.
    pub fn elements(&mut self, raw: &str) -> Vec<String> {
        self.read(raw, |values| {
            let elements = values.filter(|value| *value != Scalar::Null && !lists::is_empty_list(*value));
            elements.map(|value| value.text().to_owned()).collect()
        })
    }

    /// The numbers under the path, as written.
    pub fn numbers(&mut self, raw: &str) -> Vec<String> {
        let number =
            |value: Scalar<'_>| if let Scalar::Number(lexeme) = value { Some(lexeme.to_owned()) } else { None };
        self.read(raw, |values| values.filter_map(number).collect())
    }

    /// Is anything under the path, be it `null` or an empty list?
    pub fn has(&mut self, raw: &str) -> bool {
        self.read(raw, |values| values.count() > 0)
    }

    /// Is nothing under the path, or a `null`?
    pub fn is_null(&mut self, raw: &str) -> bool {
        self.read(raw, |values| {
            let values: Vec<Scalar<'_>> = values.collect();
            values.is_empty() || values.contains(&Scalar::Null)
        })
    }

    fn read<T>(&mut self, raw: &str, take: impl FnOnce(&mut dyn Iterator<Item = Scalar<'_>>) -> T) -> T {
        let Path { fields, field, lines, scratch } = self;
        let record: Option<Record<'_>> = if raw.starts_with('{') {
            extract::extract(fields, raw, scratch, &wide()).ok()
        } else if lines.read(raw, fields, scratch) {
            Some(scratch.record(raw, true))
        } else {
            None
        };
        take(&mut record.iter().flat_map(|record| record.values(*field)))
    }
}

/// What is in the lake has passed the line's limits.
fn wide() -> Limits {
    Limits { record_bytes: usize::MAX, depth: usize::MAX, ..Limits::default() }
}

/// Every string and number of the record, keys left out; a line is one string.
pub fn leaves(raw: &str) -> Vec<String> {
    if !raw.starts_with('{') {
        return vec![raw.to_owned()];
    }
    let mut leaves = Vec::new();
    extract::for_each_leaf(raw, &mut |leaf| leaves.push(leaf.to_owned()));
    leaves
}

/// The texts with every letter in one case: Unicode simple case folding.
pub fn folded(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| fold(text)).collect()
}

/// Is one of the texts one of the others?
pub fn is(texts: &[String], others: &[String]) -> bool {
    texts.iter().any(|text| others.contains(text))
}

/// Does one of the texts start with one of the others?
pub fn starts_with(texts: &[String], others: &[String]) -> bool {
    texts.iter().any(|text| others.iter().any(|other| text.starts_with(other.as_str())))
}

/// Does one of the texts end with one of the others?
pub fn ends_with(texts: &[String], others: &[String]) -> bool {
    texts.iter().any(|text| others.iter().any(|other| text.ends_with(other.as_str())))
}

/// Does one of the texts hold one of the others?
pub fn contains(texts: &[String], others: &[String]) -> bool {
    texts.iter().any(|text| others.iter().any(|other| text.contains(other.as_str())))
}

/// A regular expression, read as rules are.
#[derive(Debug)]
pub struct Expression(Engine);

impl Expression {
    /// Compiles the expression; `None` where it is none.
    pub fn new(expression: &str) -> Option<Expression> {
        regex::compile(expression, Flags::default()).ok().map(Expression)
    }

    /// Does one of the texts hold the expression?
    pub fn matches(&self, texts: &[String]) -> bool {
        texts.iter().any(|text| self.0.is_match(text))
    }
}

/// Is one of the texts a number that stands so to `other`: `<`, `<=`, `>`, `>=` or `=`?
pub fn compare(texts: &[String], relation: &str, other: &str) -> bool {
    let Some(other) = Number::parse(other) else { return false };
    let stands = |order: Ordering| match relation {
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        _ => order.is_eq(),
    };
    texts.iter().filter_map(|text| Number::parse(text.trim())).any(|number| stands(number.compare(other)))
}

/// The part (`minute`, `hour`, `day`, `week`, `month`, `year`) of each text that is a time, as a number.
pub fn time_parts(texts: &[String], part: &str) -> Vec<String> {
    let Some(part) = Modifier::parse(part) else { return Vec::new() };
    texts.iter().filter_map(|text| time::part(text, part)).map(|number| number.to_string()).collect()
}

/// Is one of the texts an address in one of the networks?
pub fn in_network(texts: &[String], networks: &[String]) -> bool {
    let networks: Vec<IpNet> = networks.iter().filter_map(|network| network.parse().ok()).collect();
    let addresses = texts.iter().filter_map(|text| test::address(text));
    addresses.into_iter().any(|address| networks.iter().any(|network| network.contains(&address)))
}
