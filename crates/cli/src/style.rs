//! Colours for a terminal. Every colour stands beside a word that says the same.

use std::fmt::Display;
use std::io::IsTerminal;

use comfy_table::Color;
use model::Level;

/// Paints text, or leaves it as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint {
    on: bool,
}

impl Paint {
    /// Paints on a terminal, unless a flag, `NO_COLOR` or a dumb terminal says no.
    pub fn for_stream(stream: &impl IsTerminal, no_color: bool) -> Paint {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Paint { on: stream.is_terminal() && !no_color && !refused && !dumb }
    }

    /// Does it paint?
    pub fn is_on(self) -> bool {
        self.on
    }

    fn code(self, code: &str, text: impl Display) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }

    /// Strong.
    pub fn bold(self, text: impl Display) -> String {
        self.code("1", text)
    }

    /// In the background.
    pub fn dim(self, text: impl Display) -> String {
        self.code("2", text)
    }

    /// Good.
    pub fn good(self, text: impl Display) -> String {
        self.code("32", text)
    }

    /// Bad.
    pub fn bad(self, text: impl Display) -> String {
        self.code("31", text)
    }

    /// Worth a look.
    pub fn warn(self, text: impl Display) -> String {
        self.code("33", text)
    }

    /// A level's word, `width` wide.
    pub fn level(self, level: Level, width: usize) -> String {
        let word = format!("{:<width$}", level.as_str());
        match level {
            Level::Critical => self.code("1;37;41", word),
            Level::High => self.code("1;31", word),
            Level::Medium => self.code("33", word),
            Level::Low => self.code("36", word),
            Level::Informational => self.code("2", word),
        }
    }
}

/// A level's colour in a table.
pub fn level_color(level: Level) -> Color {
    match level {
        Level::Critical | Level::High => Color::Red,
        Level::Medium => Color::Yellow,
        Level::Low => Color::Cyan,
        Level::Informational => Color::Grey,
    }
}
