//! A source's own program, which makes a record that a mapping can read of one that it cannot.

use std::fmt::Debug;

use model::Reject;

/// The text of a program, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemapText {
    /// The program.
    pub text: String,
    /// The line of `source.yml` on which it begins, from 1.
    pub line: usize,
}

/// A compiled program.
///
/// Shape: the text of one JSON object in, that of another out. A line of text comes as `{"message": …}`. The same record always gives the same
/// one: no clock, no chance, nothing but the record.
pub trait Remap: Send + Sync + Debug {
    /// The record, made anew; at most `bytes_max` bytes. Errors: why it was given up.
    fn remap(&self, record: &str, bytes_max: usize) -> Result<String, Reject>;
}
