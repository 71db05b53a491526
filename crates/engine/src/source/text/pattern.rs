//! Regular expressions with named groups, in linear time.

use model::Reject;
use regex::bytes::Regex;

use super::expression;
use super::out::{Out, Piece};
use crate::field::{Field, Fields};

#[derive(Debug)]
pub(super) struct Patterns(Vec<(Regex, Vec<(usize, Field)>)>);

impl Patterns {
    pub fn new(patterns: &[String], fields: &Fields) -> Patterns {
        let compiled = patterns.iter().filter_map(|pattern| expression::compile(pattern).ok());
        let named = |regex: &Regex| {
            let groups = regex.capture_names().enumerate();
            groups.filter_map(|(at, name)| Some((at, fields.get(name?)?))).collect()
        };
        Patterns(compiled.map(|regex| (named(&regex), regex)).map(|(groups, regex)| (regex, groups)).collect())
    }

    /// Does one of them match?
    pub fn is_match(&self, text: &str) -> bool {
        self.0.iter().any(|(regex, _)| regex.is_match(text.as_bytes()))
    }

    /// Reads the groups of the first expression that matches.
    pub fn read(&self, text: &str, out: &mut Out<'_>) -> Result<(), Reject> {
        for (regex, groups) in &self.0 {
            let mut places = regex.capture_locations();
            if regex.captures_read(&mut places, text.as_bytes()).is_none() {
                continue;
            }
            for (at, field) in groups {
                if let Some((start, end)) = places.get(*at) {
                    // A group could end within a character, if its author asked for single bytes.
                    text.get(start..end).ok_or(Reject::BadLine)?;
                    out.put(*field, &Piece::plain(text, start, end));
                }
            }
            return Ok(());
        }
        Err(Reject::BadLine)
    }
}
