//! What a database needs before the queries: for DuckDB, the functions as macros.

use super::Dialect;
use super::line::NAMES;
use super::literal::{list, text};
use crate::sigma::fold::fold_char;

const MACROS: &str = include_str!("duckdb.sql");

/// The statements that a session runs once before converted queries; `None` where the host registers the functions.
pub fn setup(dialect: Dialect) -> Option<String> {
    if dialect != Dialect::DuckDb {
        return None;
    }
    let (from, to): (String, String) = (0..=u32::from(char::MAX))
        .filter_map(char::from_u32)
        .filter_map(|c| Some((c, fold_char(c))).filter(|(c, folded)| c != folded))
        .unzip();
    let spaces: String = (0..0x1_0000).filter_map(char::from_u32).filter(|c| c.is_whitespace()).collect();
    let named = NAMES.iter().zip(1..).flat_map(|(names, place): (_, u32)| names.iter().map(move |name| (*name, place)));
    let (names, places): (Vec<&str>, Vec<String>) = named.map(|(name, place)| (name, place.to_string())).unzip();
    let macros = MACROS
        .replace("{FOLD_FROM}", &text(&from, dialect))
        .replace("{FOLD_TO}", &text(&to, dialect))
        .replace("{SPACES}", &text(&spaces, dialect))
        .replace("{LINE_NAMES}", &list(names, dialect))
        .replace("{LINE_PLACES}", &format!("[{}]", places.join(", ")));
    Some(macros)
}
