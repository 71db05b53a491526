//! Sigma strings: text with the wildcards `*` and `?`, and the backslash that takes their meaning away.

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Piece {
    /// Text that stands for itself.
    Literal(String),
    /// `?`: one character.
    One,
    /// `*`: any number of characters.
    Many,
}

/// A Sigma string. Literals are never empty and never stand side by side; neither does `*`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Pattern {
    pieces: Vec<Piece>,
}

impl Pattern {
    /// Reads a Sigma string (Sigma 2.1, "Escaping"): `\*`, `\?` and `\\` are plain; any other backslash is itself.
    pub(super) fn parse(text: &str) -> Pattern {
        let mut pattern = Pattern::default();
        let mut rest = text;
        while let Some(at) = memchr::memchr3(b'\\', b'*', b'?', rest.as_bytes()) {
            pattern.push_text(&rest[..at]);
            let mut used = 1;
            match &rest.as_bytes()[at..] {
                [b'*', ..] => pattern.push(Piece::Many),
                [b'?', ..] => pattern.push(Piece::One),
                [_, escaped @ (b'*' | b'?' | b'\\'), ..] => {
                    pattern.push_char(char::from(*escaped));
                    used = 2;
                }
                _ => pattern.push_char('\\'),
            }
            rest = &rest[at + used..];
        }
        pattern.push_text(rest);
        pattern
    }

    /// The pattern that stands for `text` itself.
    pub(super) fn literal(text: impl Into<String>) -> Pattern {
        let text = text.into();
        if text.is_empty() { Pattern::default() } else { Pattern { pieces: vec![Piece::Literal(text)] } }
    }

    fn push_char(&mut self, c: char) {
        match self.pieces.last_mut() {
            Some(Piece::Literal(text)) => text.push(c),
            _ => self.pieces.push(Piece::Literal(c.to_string())),
        }
    }

    fn push_text(&mut self, text: &str) {
        match self.pieces.last_mut() {
            _ if text.is_empty() => {}
            Some(Piece::Literal(before)) => before.push_str(text),
            _ => self.pieces.push(Piece::Literal(text.to_owned())),
        }
    }

    fn push(&mut self, piece: Piece) {
        if piece != Piece::Many || self.pieces.last() != Some(&Piece::Many) {
            self.pieces.push(piece);
        }
    }

    /// The pieces, in order.
    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The text, where there are no wildcards.
    pub(super) fn plain(&self) -> Option<&str> {
        match &self.pieces[..] {
            [] => Some(""),
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The same pattern with `*` in front.
    pub(super) fn open_start(mut self) -> Pattern {
        if self.pieces.first() != Some(&Piece::Many) {
            self.pieces.insert(0, Piece::Many);
        }
        self
    }

    /// The same pattern with `*` behind.
    pub(super) fn open_end(mut self) -> Pattern {
        self.push(Piece::Many);
        self
    }

    /// The same pattern, its literals changed by `change`.
    pub(super) fn map(self, change: impl Fn(&str) -> String) -> Pattern {
        let pieces = self.pieces.into_iter().map(|piece| match piece {
            Piece::Literal(text) => Piece::Literal(change(&text)),
            other => other,
        });
        Pattern { pieces: pieces.collect() }
    }

    /// Every pattern in which each dash in front of a word is one of the dashes of the specification, or `/`.
    ///
    /// Errors: `None` where more than `dashes_max` dashes would vary.
    /// Source: Sigma 2.1, modifiers appendix, `windash`; which dashes vary (`\B[-/–—―]\b`) is pySigma's reading.
    pub(super) fn windash(&self, dashes_max: usize) -> Option<Vec<Pattern>> {
        const DASHES: [char; 5] = ['-', '/', '–', '—', '―'];
        let mut texts = vec![Pattern::default()];
        let mut varied = 0;
        for piece in &self.pieces {
            let Piece::Literal(text) = piece else {
                texts.iter_mut().for_each(|pattern| pattern.push(piece.clone()));
                continue;
            };
            let mut before = None;
            let mut chars = text.chars().peekable();
            while let Some(c) = chars.next() {
                let is_switch = DASHES.contains(&c)
                    && before.is_none_or(|before| !is_word(before))
                    && chars.peek().is_some_and(|after| is_word(*after));
                if is_switch {
                    varied += 1;
                    if varied > dashes_max {
                        return None;
                    }
                    texts = texts.iter().flat_map(|text| DASHES.map(|dash| text.clone().with(dash))).collect();
                } else {
                    texts.iter_mut().for_each(|text| text.push_char(c));
                }
                before = Some(c);
            }
        }
        Some(texts)
    }

    fn with(mut self, c: char) -> Pattern {
        self.push_char(c);
        self
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> String {
        let parsed = Pattern::parse(text);
        parsed
            .pieces()
            .iter()
            .map(|piece| match piece {
                Piece::Literal(text) => format!("({text})"),
                Piece::One => "?".to_owned(),
                Piece::Many => "*".to_owned(),
            })
            .collect()
    }

    #[test]
    fn escapes_are_read_as_the_specification_says() {
        assert_eq!(show(r"C:\Windows\cmd.exe"), r"(C:\Windows\cmd.exe)");
        assert_eq!(show(r"C:\\Windows"), r"(C:\Windows)");
        assert_eq!(show(r"\*"), "(*)");
        assert_eq!(show(r"a\?b"), "(a?b)");
        assert_eq!(show(r"\\*"), r"(\)*");
        assert_eq!(show(r"\\\*"), r"(\*)");
        assert_eq!(show(r"\\\"), r"(\\)");
        assert_eq!(show(r"\\\\"), r"(\\)");
        assert_eq!(show(r"a\"), r"(a\)");
        assert_eq!(show("a**b?"), "(a)*(b)?");
    }

    #[test]
    fn a_dash_in_front_of_a_word_varies() {
        let count = |text| Pattern::parse(text).windash(4).map(|patterns| patterns.len());
        assert_eq!(count(" -enc "), Some(5));
        assert_eq!(count("-a /b"), Some(25));
        assert_eq!(count("a-b"), Some(1));
        assert_eq!(count("--flag"), Some(5));
        assert_eq!(count("-a -b -c -d -e"), None);
        let texts = Pattern::parse(" -e").windash(1).expect("one dash");
        let plain: Vec<&str> = texts.iter().filter_map(Pattern::plain).collect();
        assert_eq!(plain, [" -e", " /e", " –e", " —e", " ―e"]);
    }
}
