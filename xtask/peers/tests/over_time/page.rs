//! The page that explains each class, with how often it is met.

use std::collections::BTreeMap;

pub const PAGE: &str = include_str!("../../../../docs/reference/correlation-divergences.md");

/// The column of groups of made streams, and that of conformance cases, counted from the end of a row.
pub const MADE: usize = 1;
pub const CASES: usize = 0;

/// Asserts that the column has these counts and no other; `-` stands for none.
pub fn same(column: usize, found: &BTreeMap<&str, usize>) {
    let rows = PAGE.lines().filter(|line| line.starts_with("| ")).map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        (cells[0], cells[cells.len() - 1 - column])
    });
    let said: BTreeMap<&str, usize> = rows.filter_map(|(class, count)| Some((class, count.parse().ok()?))).collect();
    assert_eq!(*found, said, "left is what was found, right what the page says");
}
