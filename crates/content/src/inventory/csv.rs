//! Things from CSV: a YAML file beside it says which column is what.
//!
//! Bound: the size of a content file; the first line names the columns.

use std::collections::BTreeMap;

use engine::context::Things;
use engine::yaml::Node;
use model::Diagnostic;

use super::row::{Cell, Defaults, Row, error};
use super::thing;
use crate::nearest::nearest;

/// A CSV file and the meaning of its columns.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// The file's name, beside the YAML file.
    pub(crate) file: String,
    /// The line of the YAML file.
    pub(crate) line: usize,
    into: String,
    /// Key of a thing to the column that holds it.
    columns: BTreeMap<String, Cell>,
    /// Keys that are the same for all rows.
    fixed: BTreeMap<String, Cell>,
    separator: u8,
    several: Option<char>,
    defaults: Defaults,
}

/// Reads `csv:`, one map or a list of them.
pub(super) fn parse(node: &Node<'_>, defaults: &Defaults, wrong: &mut Vec<Diagnostic>) -> Vec<Table> {
    let nodes: Vec<&Node<'_>> = node.as_list().map_or_else(|| vec![node], |nodes| nodes.iter().collect());
    nodes.into_iter().filter_map(|node| one(Row::of(node, wrong)?, defaults, wrong)).collect()
}

fn one(mut row: Row, defaults: &Defaults, wrong: &mut Vec<Diagnostic>) -> Option<Table> {
    let file = row.required("file", wrong);
    let into = row.required("into", wrong).filter(|into| {
        let is_known = ["assets", "changes", "on_call"].contains(&into.as_str());
        if !is_known {
            let remedy = "write `assets`, `changes` or `on_call`";
            wrong.push(error(row.place("into"), "bad-value", format!("`into` is `{into}`"), remedy));
        }
        is_known
    });
    let mut character = |name: &'static str| {
        let text = row.text(name, wrong)?;
        let mut characters = text.chars();
        let only = characters.next().filter(|c| characters.next().is_none() && c.is_ascii());
        if only.is_none() {
            let message = format!("`{name}` is `{text}`");
            wrong.push(error(row.place(name), "bad-value", message, "write one ASCII character, such as `';'`"));
        }
        only
    };
    let (separator, several) = (character("separator").unwrap_or(','), character("several"));
    let below = |prefix: &str| -> BTreeMap<String, Cell> {
        let own =
            row.cells.iter().filter_map(|(name, cell)| Some((name.strip_prefix(prefix)?.to_owned(), cell.clone())));
        own.collect()
    };
    let (columns, fixed) = (below("columns."), below("fixed."));
    if columns.is_empty() {
        let remedy = "add `columns: {id: <name of a column>, …}`";
        wrong.push(error((row.line, row.column), "missing-key", "`columns` is missing".into(), remedy));
    }
    let line = row.line;
    row.cells.retain(|name, _| !name.starts_with("columns.") && !name.starts_with("fixed."));
    row.refuse_unknown(wrong);
    let separator = u8::try_from(separator).unwrap_or(b',');
    Some(Table { file: file?, line, into: into?, columns, fixed, separator, several, defaults: defaults.clone() })
}

impl Table {
    /// Reads the CSV. Mistakes of its rows are told in its file, those about its columns in the YAML file called `map`.
    pub(crate) fn read(&self, text: &str, file: &str, map: &str) -> (Things, Vec<Diagnostic>) {
        let mut things = Things::default();
        let mut reader =
            csv::ReaderBuilder::new().delimiter(self.separator).trim(csv::Trim::All).from_reader(text.as_bytes());
        let columns = match reader.headers() {
            Ok(headers) => self.places(headers, file),
            Err(error) => Err(vec![broken(&error, 1).in_file(file)]),
        };
        let columns = match columns {
            Ok(columns) => columns,
            Err(wrong) => {
                let place = |one: Diagnostic| if one.file.is_empty() { one.in_file(map) } else { one };
                return (things, wrong.into_iter().map(place).collect());
            }
        };
        let mut wrong = Vec::new();
        for record in reader.records() {
            match record {
                Ok(record) => {
                    thing::take(&self.into, self.row(&record, &columns), &self.defaults, &mut things, &mut wrong)
                }
                Err(error) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    wrong.push(broken(&error, usize::try_from(line).unwrap_or(0)));
                }
            }
        }
        (things, wrong.into_iter().map(|one| one.in_file(file)).collect())
    }

    /// Which column each key is in.
    fn places(&self, headers: &csv::StringRecord, file: &str) -> Result<Vec<(&str, usize)>, Vec<Diagnostic>> {
        let mut wrong = Vec::new();
        let mut places = Vec::new();
        for (key, cell) in &self.columns {
            let wanted = cell.values.first().map_or("", String::as_str);
            match headers.iter().position(|header| header == wanted) {
                Some(at) => places.push((key.as_str(), at)),
                None => {
                    let remedy = match nearest(wanted, headers.iter()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("it has: {}", headers.iter().collect::<Vec<_>>().join(", ")),
                    };
                    let message = format!("`{file}` has no column `{wanted}`");
                    wrong.push(error((cell.line, cell.column), "unknown-column", message, remedy));
                }
            }
        }
        if wrong.is_empty() { Ok(places) } else { Err(wrong) }
    }

    fn row(&self, record: &csv::StringRecord, columns: &[(&str, usize)]) -> Row {
        let line = record.position().map_or(0, |at| usize::try_from(at.line()).unwrap_or(0));
        let mut cells: BTreeMap<String, Cell> = self
            .fixed
            .iter()
            .map(|(key, cell)| (key.clone(), Cell { line, column: 0, values: cell.values.clone() }))
            .collect();
        for (key, at) in columns {
            let text = record.get(*at).unwrap_or_default();
            let values: Vec<String> = match self.several {
                Some(several) => {
                    text.split(several).map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect()
                }
                None => Some(text.to_owned()).into_iter().filter(|text| !text.is_empty()).collect(),
            };
            if !values.is_empty() {
                cells.insert((*key).to_owned(), Cell { line, column: 0, values });
            }
        }
        Row::new(line, 0, cells)
    }
}

fn broken(error: &csv::Error, line: usize) -> Diagnostic {
    Diagnostic::error(
        line,
        0,
        "bad-csv",
        format!("the line cannot be read: {error}"),
        "give every line as many columns as the first",
    )
}
