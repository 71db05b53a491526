use std::fmt;

use serde::{Deserialize, Serialize};

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file works; something in it deserves a look.
    Warning,
    /// The file, or the rule in it, cannot be used.
    Error,
}

/// One mistake of an author, with its place and its remedy.
///
/// Shape: all mistakes of all files are collected and shown at once; one never hides another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Diagnostic {
    /// The file, as the author would name it; empty while a text has no file yet.
    pub file: String,
    /// Line, from 1; 0 where the mistake is of the whole file.
    pub line: usize,
    /// Column, from 1; 0 where the mistake is of the whole line.
    pub column: usize,
    /// How bad it is.
    pub severity: Severity,
    /// A stable kebab-case name of the mistake, such as `unknown-modifier`.
    pub code: String,
    /// What is wrong: lower case, names the thing and the value, no full stop.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl Diagnostic {
    /// An error at a place of a text.
    pub fn error(
        line: usize,
        column: usize,
        code: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic {
            file: String::new(),
            line,
            column,
            severity: Severity::Error,
            code: code.to_owned(),
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    /// A warning at a place of a text.
    pub fn warning(
        line: usize,
        column: usize,
        code: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(line, column, code, message, remedy) }
    }

    /// The same diagnostic, placed in `file`.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Diagnostic {
        self.file = file.into();
        self
    }

    /// Does this make its file unusable?
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.is_error() { "error" } else { "warning" };
        write!(f, "{}:{}:{}: {word}[{}]: {}", self.file, self.line, self.column, self.code, self.message)?;
        if !self.remedy.is_empty() {
            write!(f, "\n  remedy: {}", self.remedy)?;
        }
        Ok(())
    }
}
