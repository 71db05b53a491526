//! Modifiers: what a rule does to its values before they are compared (Sigma 2.1, modifiers appendix).

use std::fmt;

use serde::{Serialize, Serializer};

/// One modifier of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Modifier {
    /// Every value of the list must match.
    All,
    /// The value stands anywhere in the field.
    Contains,
    /// The field begins with the value.
    StartsWith,
    /// The field ends with the value.
    EndsWith,
    /// The field is there, whatever it holds.
    Exists,
    /// Case matters.
    Cased,
    /// The field is different from the values.
    Neq,
    /// Each dash in front of a word stands for every kind of dash, and for `/`.
    Windash,
    /// The value is a regular expression.
    Re,
    /// The regular expression ignores case.
    IgnoreCase,
    /// `^` and `$` match at lines.
    MultiLine,
    /// `.` matches a line feed as well.
    DotAll,
    /// The value, encoded.
    Base64,
    /// The value, encoded at each of the three possible places.
    Base64Offset,
    /// The value as UTF-16, little end first (`wide` means the same).
    Utf16Le,
    /// The value as UTF-16, big end first.
    Utf16Be,
    /// The value as UTF-16, little end first, behind a byte order mark.
    Utf16,
    /// The field is a lower number.
    Lt,
    /// The field is a lower number, or the same.
    Lte,
    /// The field is a higher number.
    Gt,
    /// The field is a higher number, or the same.
    Gte,
    /// The minute of a time.
    Minute,
    /// The hour of a time.
    Hour,
    /// The day of the month of a time.
    Day,
    /// The ISO week of a time.
    Week,
    /// The month of a time.
    Month,
    /// The year of a time.
    Year,
    /// The value is a network.
    Cidr,
    /// `%name%` stands for a list of the inventory.
    Expand,
    /// The value names another field.
    FieldRef,
}

/// Every spelling; the first spelling of a modifier is its own.
const SPELLINGS: [(&str, Modifier); 34] = [
    ("all", Modifier::All),
    ("contains", Modifier::Contains),
    ("startswith", Modifier::StartsWith),
    ("endswith", Modifier::EndsWith),
    ("exists", Modifier::Exists),
    ("cased", Modifier::Cased),
    ("neq", Modifier::Neq),
    ("windash", Modifier::Windash),
    ("re", Modifier::Re),
    ("i", Modifier::IgnoreCase),
    ("ignorecase", Modifier::IgnoreCase),
    ("m", Modifier::MultiLine),
    ("multiline", Modifier::MultiLine),
    ("s", Modifier::DotAll),
    ("dotall", Modifier::DotAll),
    ("base64", Modifier::Base64),
    ("base64offset", Modifier::Base64Offset),
    ("utf16le", Modifier::Utf16Le),
    ("wide", Modifier::Utf16Le),
    ("utf16be", Modifier::Utf16Be),
    ("utf16", Modifier::Utf16),
    ("lt", Modifier::Lt),
    ("lte", Modifier::Lte),
    ("gt", Modifier::Gt),
    ("gte", Modifier::Gte),
    ("minute", Modifier::Minute),
    ("hour", Modifier::Hour),
    ("day", Modifier::Day),
    ("week", Modifier::Week),
    ("month", Modifier::Month),
    ("year", Modifier::Year),
    ("cidr", Modifier::Cidr),
    ("expand", Modifier::Expand),
    ("fieldref", Modifier::FieldRef),
];

impl Modifier {
    /// Reads a modifier, in any of its spellings.
    pub fn parse(word: &str) -> Option<Modifier> {
        SPELLINGS.iter().find(|(spelling, _)| *spelling == word).map(|(_, modifier)| *modifier)
    }

    /// The modifier's word.
    pub fn as_str(self) -> &'static str {
        SPELLINGS.iter().find(|(_, modifier)| *modifier == self).map_or("", |(spelling, _)| spelling)
    }

    /// Every spelling of every modifier.
    pub fn spellings() -> impl Iterator<Item = &'static str> {
        SPELLINGS.iter().map(|(spelling, _)| *spelling)
    }

    fn is_affix(self) -> bool {
        matches!(self, Modifier::Contains | Modifier::StartsWith | Modifier::EndsWith)
    }

    fn is_flag(self) -> bool {
        matches!(self, Modifier::IgnoreCase | Modifier::MultiLine | Modifier::DotAll)
    }

    fn is_encoding(self) -> bool {
        self.is_base64() || self.is_utf16() || self == Modifier::Windash
    }

    fn is_base64(self) -> bool {
        matches!(self, Modifier::Base64 | Modifier::Base64Offset)
    }

    fn is_utf16(self) -> bool {
        matches!(self, Modifier::Utf16Le | Modifier::Utf16Be | Modifier::Utf16)
    }

    fn is_comparison(self) -> bool {
        matches!(self, Modifier::Lt | Modifier::Lte | Modifier::Gt | Modifier::Gte)
    }

    fn is_time_part(self) -> bool {
        use Modifier::*;
        matches!(self, Minute | Hour | Day | Week | Month | Year)
    }

    /// Does the modifier say what kind of thing the value is? Values have one kind.
    fn is_kind(self) -> bool {
        matches!(self, Modifier::Re | Modifier::Cidr | Modifier::Exists | Modifier::FieldRef)
            || self.is_comparison()
            || self.is_time_part()
    }
}

impl fmt::Display for Modifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The modifiers of one item, in the author's order; only legal chains exist.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Modifiers(Vec<Modifier>);

/// Why a chain of modifiers means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IllegalChain {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub remedy: String,
}

fn illegal<T>(message: String, remedy: &str) -> Result<T, IllegalChain> {
    Err(IllegalChain { message, remedy: remedy.to_owned() })
}

impl Modifiers {
    /// Takes a chain if it means something.
    pub fn new(chain: Vec<Modifier>) -> Result<Modifiers, IllegalChain> {
        let modifiers = Modifiers(chain);
        modifiers.check_repeats()?;
        modifiers.check_kinds()?;
        modifiers.check_flags()?;
        modifiers.check_encodings()?;
        Ok(modifiers)
    }

    /// The chain without `modifier`.
    pub(super) fn without(&self, modifier: Modifier) -> Modifiers {
        Modifiers(self.0.iter().copied().filter(|theirs| *theirs != modifier).collect())
    }

    /// Is `modifier` in the chain?
    pub fn has(&self, modifier: Modifier) -> bool {
        self.0.contains(&modifier)
    }

    /// Is the value the name of a field?
    pub fn is_field_reference(&self) -> bool {
        self.has(Modifier::FieldRef)
    }

    /// The chain, in order.
    pub fn iter(&self) -> impl Iterator<Item = Modifier> + '_ {
        self.0.iter().copied()
    }

    /// Is the chain empty?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn first(&self, wanted: fn(Modifier) -> bool) -> Option<Modifier> {
        self.iter().find(|modifier| wanted(*modifier))
    }

    fn check_repeats(&self) -> Result<(), IllegalChain> {
        for (at, modifier) in self.0.iter().enumerate() {
            if self.0[..at].contains(modifier) {
                return illegal(format!("modifier `{modifier}` stands twice"), "keep one of them");
            }
        }
        let affixes: Vec<Modifier> = self.iter().filter(|modifier| modifier.is_affix()).collect();
        if let [first, second, ..] = affixes[..] {
            return illegal(
                format!("`{first}` and `{second}` contradict each other"),
                "keep one of `contains`, `startswith` and `endswith`",
            );
        }
        Ok(())
    }

    fn check_kinds(&self) -> Result<(), IllegalChain> {
        use Modifier::*;
        let kinds: Vec<Modifier> = self.iter().filter(|modifier| modifier.is_kind()).collect();
        let Some(&kind) = kinds.first() else { return Ok(()) };
        if let Some(&other) = kinds.get(1) {
            let is_part_compared = kinds.len() == 2 && kind.is_time_part() && other.is_comparison();
            if !is_part_compared {
                return illegal(
                    format!("`{kind}` and `{other}` give the value two types"),
                    "keep one; a time part may be followed by one of `lt`, `lte`, `gt` and `gte`",
                );
            }
        }
        for other in self.iter().filter(|other| !other.is_kind()) {
            let fits = match kind {
                Exists => false,
                Re => matches!(other, All | Neq | Expand) || other.is_affix() || other.is_flag(),
                FieldRef => matches!(other, All | Neq | Cased) || other.is_affix(),
                Cidr => matches!(other, All | Neq | Expand),
                _ => matches!(other, All | Neq),
            };
            if !fits {
                return illegal(format!("`{other}` cannot be combined with `{kind}`"), remedy_for(kind, other));
            }
        }
        Ok(())
    }

    fn check_flags(&self) -> Result<(), IllegalChain> {
        let regex = self.0.iter().position(|modifier| *modifier == Modifier::Re);
        for (at, modifier) in self.0.iter().enumerate().filter(|(_, modifier)| modifier.is_flag()) {
            if regex.is_none_or(|regex| at < regex) {
                return illegal(
                    format!("`{modifier}` is a flag of `re`, which does not stand before it"),
                    "write `re` first",
                );
            }
        }
        Ok(())
    }

    fn check_encodings(&self) -> Result<(), IllegalChain> {
        let Some(last) = self.0.iter().rposition(|modifier| modifier.is_encoding()) else { return Ok(()) };
        if let Some(affix) = self.0[..last].iter().find(|modifier| modifier.is_affix())
            && self.0[last] != Modifier::Windash
        {
            return illegal(
                format!("`{affix}` stands before `{}`, so its wildcards would be encoded", self.0[last]),
                "write `contains`, `startswith` or `endswith` last",
            );
        }
        if let Some(wide) = self.first(Modifier::is_utf16)
            && self.first(Modifier::is_base64).is_none()
        {
            return illegal(
                format!("`{wide}` without `base64` or `base64offset` compares text with bytes"),
                "add `base64offset` and `contains` after it",
            );
        }
        Ok(())
    }
}

fn remedy_for(kind: Modifier, other: Modifier) -> &'static str {
    match (kind, other) {
        (Modifier::Re, Modifier::Cased) => "drop `cased`: regular expressions mind case unless `i` follows `re`",
        (Modifier::Exists, _) => "write `field|exists: true` or `field|exists: false` alone",
        (_, modifier) if modifier.is_encoding() => "encodings apply to plain text only; drop one of the two",
        _ => "drop one of the two",
    }
}

impl fmt::Display for Modifiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, modifier) in self.iter().enumerate() {
            write!(f, "{}{modifier}", if at == 0 { "" } else { "|" })?;
        }
        Ok(())
    }
}

impl Serialize for Modifiers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Modifier::as_str))
    }
}
