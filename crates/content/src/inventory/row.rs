//! One thing as written: names with values and their places, whether of a YAML map or of a line of CSV.

use std::collections::BTreeMap;

use engine::context::Kept;
use engine::yaml::Node;
use model::{Diagnostic, Time};

use crate::config::parse_duration;
use crate::nearest::nearest;
use crate::yaml::{Map, texts};

/// How long a review is good for where nothing is said: half a year.
const REVIEW_EVERY_MS: i64 = 182 * DAY_MS;
pub(super) const DAY_MS: i64 = 86_400_000;

/// The values under one name.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) values: Vec<String>,
}

/// A thing as written.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) cells: BTreeMap<String, Cell>,
    /// Names that were asked for.
    asked: Vec<&'static str>,
}

/// What a file says of all its things.
#[derive(Clone, Debug, Default)]
pub(super) struct Defaults {
    owner: Option<String>,
    reviewed: Option<Time>,
    review_every: Option<Option<i64>>,
}

/// An error at a place.
pub(super) fn error(at: (usize, usize), code: &str, message: String, remedy: impl Into<String>) -> Diagnostic {
    Diagnostic::error(at.0, at.1, code, message, remedy)
}

impl Row {
    /// A row of these cells.
    pub(super) fn new(line: usize, column: usize, cells: BTreeMap<String, Cell>) -> Row {
        Row { line, column, cells, asked: Vec::new() }
    }

    /// The map as a row; attributes are `attributes.name`.
    pub(super) fn of(node: &Node<'_>, wrong: &mut Vec<Diagnostic>) -> Option<Row> {
        let map = Map::of(node, "an entry", wrong)?;
        let mut row = Row::new(node.line, node.column, BTreeMap::new());
        for (name, node) in map.entries() {
            if let Some(inner) = node.as_map() {
                for entry in inner {
                    row.put(format!("{name}.{}", entry.key), &entry.value, wrong);
                }
            } else {
                row.put(name.to_owned(), node, wrong);
            }
        }
        Some(row)
    }

    fn put(&mut self, name: String, node: &Node<'_>, wrong: &mut Vec<Diagnostic>) {
        let is_plain = node.as_list().is_none_or(|nodes| nodes.iter().all(|node| node.as_str().is_some()));
        if node.as_map().is_some() || !is_plain {
            let message = format!("`{name}` holds more than text");
            wrong.push(node.error("wrong-type", message, "write text, or a list of texts"));
        } else if node.is_null() && name == "owner" {
            wrong.push(node.error("empty-owner", "`owner` is empty".to_owned(), "write who keeps it true"));
        } else if !node.is_null() {
            self.cells.insert(name, Cell { line: node.line, column: node.column, values: texts(node) });
        }
    }

    fn cell(&mut self, name: &'static str) -> Option<&Cell> {
        self.asked.push(name);
        self.cells.get(name).filter(|cell| !cell.values.is_empty())
    }

    /// The values under `name`.
    pub(super) fn list(&mut self, name: &'static str) -> Vec<String> {
        self.cell(name).map(|cell| cell.values.clone()).unwrap_or_default()
    }

    /// The one value under `name`.
    pub(super) fn text(&mut self, name: &'static str, wrong: &mut Vec<Diagnostic>) -> Option<String> {
        let cell = self.cell(name)?;
        if let [one] = &cell.values[..] {
            return Some(one.clone());
        }
        let message = format!("`{name}` has {} values", cell.values.len());
        wrong.push(error((cell.line, cell.column), "wrong-type", message, "write one"));
        None
    }

    /// The one value under `name`; reports its absence.
    pub(super) fn required(&mut self, name: &'static str, wrong: &mut Vec<Diagnostic>) -> Option<String> {
        let text = self.text(name, wrong).filter(|text| !text.trim().is_empty());
        if text.is_none() && self.cells.get(name).is_none_or(|cell| cell.values.len() < 2) {
            wrong.push(error(
                (self.line, self.column),
                "missing-key",
                format!("`{name}` is missing"),
                format!("add `{name}:`"),
            ));
        }
        text
    }

    /// The time under `name`; of a date alone its start, or its end.
    pub(super) fn time(&mut self, name: &'static str, is_end: bool, wrong: &mut Vec<Diagnostic>) -> Option<Time> {
        let text = self.text(name, wrong)?;
        let time = read_time(&text, is_end);
        if time.is_none() {
            wrong.push(bad_time(self.place(name), name, &text));
        }
        time
    }

    /// Where the value under `name` stands; else the row's place.
    pub(super) fn place(&self, name: &str) -> (usize, usize) {
        self.cells.get(name).map_or((self.line, self.column), |cell| (cell.line, cell.column))
    }

    /// What is written below `attributes`.
    pub(super) fn attributes(&self) -> BTreeMap<String, String> {
        let own = self.cells.iter().filter_map(|(name, cell)| Some((name.strip_prefix("attributes.")?, cell)));
        own.map(|(name, cell)| (name.to_owned(), cell.values.join(", "))).collect()
    }

    /// Owner and age, and what the file says where the row does not.
    pub(super) fn kept(&mut self, defaults: &Defaults, wrong: &mut Vec<Diagnostic>) -> Kept {
        let own = Defaults::read(self, wrong);
        Kept {
            file: String::new(),
            line: self.line,
            owner: own.owner.or_else(|| defaults.owner.clone()),
            reviewed: own.reviewed.or(defaults.reviewed),
            review_every_ms: own.review_every.or(defaults.review_every).unwrap_or(Some(REVIEW_EVERY_MS)),
        }
    }

    /// Reports names that nothing asked for.
    pub(super) fn refuse_unknown(&self, wrong: &mut Vec<Diagnostic>) {
        for (name, cell) in &self.cells {
            if name.starts_with("attributes.") || self.asked.contains(&name.as_str()) {
                continue;
            }
            let remedy = match nearest(name, self.asked.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known keys: {}, attributes", self.asked.join(", ")),
            };
            wrong.push(error((cell.line, cell.column), "unknown-key", format!("unknown key `{name}`"), remedy));
        }
    }
}

impl Defaults {
    /// The file's `defaults:`.
    pub(super) fn parse(file: &Map<'_>, wrong: &mut Vec<Diagnostic>) -> Defaults {
        let Some(mut row) = file.get("defaults").and_then(|node| Row::of(node, wrong)) else {
            return Defaults::default();
        };
        let defaults = Defaults::read(&mut row, wrong);
        row.refuse_unknown(wrong);
        defaults
    }

    fn read(row: &mut Row, wrong: &mut Vec<Diagnostic>) -> Defaults {
        let owner = row.text("owner", wrong).filter(|owner| !owner.trim().is_empty());
        let reviewed = row.time("reviewed", false, wrong);
        let every = row.text("review_every", wrong);
        let review_every = every.and_then(|text| {
            let every = read_every(&text);
            if every.is_none() {
                let message = format!("`review_every` is `{text}`");
                let remedy = "write days or weeks, such as `90d`, or `never`";
                wrong.push(error(row.place("review_every"), "bad-value", message, remedy));
            }
            every
        });
        Defaults { owner, reviewed, review_every }
    }
}

/// A date (`2026-10-01`, UTC) or an RFC 3339 time.
pub(super) fn read_time(text: &str, is_end: bool) -> Option<Time> {
    let text = text.trim();
    if let Ok(time) = Time::parse(text) {
        return Some(time);
    }
    let start = Time::parse(&format!("{text}T00:00:00Z")).ok()?;
    Some(if is_end { start.plus_millis(DAY_MS) } else { start })
}

pub(super) fn bad_time(at: (usize, usize), name: &str, text: &str) -> Diagnostic {
    let remedy = "write a date such as `2026-10-01`, or a time such as `2026-10-01T09:00:00Z`";
    error(at, "bad-value", format!("`{name}` is `{text}`"), remedy)
}

/// `never` is `Some(None)`.
fn read_every(text: &str) -> Option<Option<i64>> {
    if text == "never" {
        return Some(None);
    }
    let days =
        |digits: &str, days: i64| digits.parse::<i64>().ok().filter(|n| (1..=36_500).contains(n)).map(|n| n * days);
    let millis = match (text.strip_suffix('d'), text.strip_suffix('w')) {
        (Some(digits), _) => days(digits, 1).map(|days| days * DAY_MS),
        (_, Some(digits)) => days(digits, 7).map(|days| days * DAY_MS),
        _ => parse_duration(text).and_then(|every| i64::try_from(every.as_millis()).ok()).filter(|ms| *ms > 0),
    };
    millis.map(Some)
}
