//! Patterns of file names.

use std::fmt;

use glob::{MatchOptions, Pattern};

use super::reader::{Reader, Section};

/// A pattern of file names: `*` and `?` stand for anything but `/`, `[a-z]` for one letter, `**/` for folders. Without a `/` it is held against a
/// file's name, else against its path below the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(Pattern);

impl Glob {
    /// Reads a pattern. Errors: why it is none, as text.
    pub fn parse(text: &str) -> Result<Glob, String> {
        if text.is_empty() || text.starts_with('/') {
            return Err("it has to name files below the folder".to_owned());
        }
        Pattern::new(text).map(Glob).map_err(|error| error.msg.to_owned())
    }

    /// Does the file at `path` below the folder fit?
    pub fn fits(&self, path: &str) -> bool {
        let options = MatchOptions { require_literal_separator: true, ..MatchOptions::new() };
        let name = path.rsplit('/').next().unwrap_or(path);
        self.0.matches_with(if self.0.as_str().contains('/') { path } else { name }, options)
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_str().fmt(f)
    }
}

pub(super) fn read_globs<'d>(reader: &mut Reader<'d>, s: &mut Section<'d>, key: &'static str) -> Vec<Glob> {
    let mut globs = Vec::new();
    for (text, offset) in reader.list(s, key).unwrap_or_default() {
        match Glob::parse(&text) {
            Ok(glob) => globs.push(glob),
            Err(why) => {
                let remedy = "write a pattern such as `*.json`, or `audit/*.log`";
                reader.error(offset, "bad-value", format!("`{text}` is no pattern of files: {why}"), remedy);
            }
        }
    }
    globs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_held_against_the_name_or_with_a_slash_against_the_path() {
        let fits = |glob: &str, path: &str| Glob::parse(glob).unwrap().fits(path);
        assert!(fits("*.json", "a.json") && fits("*.json", "deep/er/a.json"));
        assert!(!fits("*.json", "a.json.1") && fits("*.json*", "a.json.1"));
        assert!(
            fits("audit/*.log", "audit/a.log")
                && !fits("audit/*.log", "audit/x/a.log")
                && !fits("audit/*.log", "a.log")
        );
        assert!(fits("**/audit/[ab]?.log", "x/y/audit/b7.log"));
        for wrong in ["", "/var/log/*.json", "[a", "a***"] {
            assert!(Glob::parse(wrong).is_err(), "{wrong}");
        }
    }
}
