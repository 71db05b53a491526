//! Tables for a terminal.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;
use std::io::Write;

use crate::context::{Context, stdout, write_json, write_ndjson};
use crate::globals::Format;
use crate::status::Failure;

/// Columns of a terminal below which tables keep to [`WIDTH_OTHERWISE`].
const WIDTH_MIN: u16 = 40;
const WIDTH_OTHERWISE: u16 = 120;

/// Prints a list: as a table, a JSON array or NDJSON. Elsewhere than on a terminal the default is NDJSON.
pub fn print_list<T: Serialize>(
    context: &Context,
    items: &[T],
    headers: &[&str],
    row: impl Fn(&T) -> Vec<Cell>,
    empty: &str,
) -> Result<(), Failure> {
    match context.format_or(Format::Ndjson) {
        Format::Json => write_json(&items),
        Format::Ndjson => write_ndjson(items),
        Format::Ocsf | Format::Yaml => {
            Err(Failure::author("that format is for other verbs; use table, json or ndjson here"))
        }
        Format::Table if items.is_empty() => {
            let mut out = stdout();
            writeln!(out, "{empty}")?;
            Ok(out.flush()?)
        }
        Format::Table => {
            let mut table = new_table(context, headers);
            for item in items {
                table.add_row(row(item));
            }
            print_table(&table)
        }
    }
}

/// A table with these headers.
pub fn new_table(context: &Context, headers: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(headers.iter().map(|header| Cell::new(header.to_uppercase())));
    // A terminal that does not say how wide it is, or that no table fits into.
    if table.width().is_some_and(|width| width < WIDTH_MIN) {
        table.set_width(WIDTH_OTHERWISE);
    }
    if context.paint.is_on() {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table
}

/// Writes a table to standard output.
pub fn print_table(table: &Table) -> Result<(), Failure> {
    let mut out = stdout();
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(out.flush()?)
}

/// A number, aligned as such.
pub fn number(value: u64) -> Cell {
    Cell::new(group(value)).set_alignment(CellAlignment::Right)
}

/// A number with its thousands apart: `12 345`.
pub fn group(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// A count with its noun: `1 file`, `12 files`.
pub fn counted(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", group(n), if n == 1 { "" } else { "s" })
}
