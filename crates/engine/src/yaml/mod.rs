//! YAML with places: documents as trees whose every node knows its line and column.
//!
//! In: text. Out: one tree for each document that can be read, and a diagnostic for each that cannot; a broken document never
//! hides the others, since the text is cut at its `---` lines first. Scalars stay text: whoever reads the tree asks for a type,
//! so an unquoted date stays what its author wrote.
//! Bound: [`TEXT_BYTES_MAX`], [`DEPTH_MAX`] and [`NODES_MAX`], aliases counted where they are used. When one is met, the
//! document is refused with a diagnostic that names it.

mod block;
mod build;
mod flow;
pub(crate) mod form;
mod scalar;

use std::borrow::Cow;

use model::Diagnostic;

pub use build::parse;

/// Bytes of one text.
pub const TEXT_BYTES_MAX: usize = 16 << 20;
/// Levels of lists and maps in one document.
pub const DEPTH_MAX: usize = 64;
/// Nodes of one document, those that aliases repeat included.
pub const NODES_MAX: usize = 500_000;

/// One document of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Document<'a> {
    /// The line at which it starts, from 1.
    pub line: usize,
    /// Its tree.
    pub root: Node<'a>,
}

/// A node of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Node<'a> {
    /// Its line, from 1.
    pub line: usize,
    /// Its column, from 1.
    pub column: usize,
    /// What it is.
    pub kind: Kind<'a>,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: the only style in which a scalar can be anything but text.
    Plain,
    /// In quotes of either kind.
    Quoted,
    /// As a block behind `|`.
    Literal,
    /// As a block behind `>`.
    Folded,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind<'a> {
    /// One value.
    Scalar(Cow<'a, str>, Style),
    /// A list.
    List(Vec<Node<'a>>),
    /// A map, in the order of the text; keys are scalars and stand once each.
    Map(Vec<Entry<'a>>),
}

/// One entry of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<'a> {
    /// The key's text.
    pub key: Cow<'a, str>,
    /// The key's line.
    pub line: usize,
    /// The key's column.
    pub column: usize,
    /// The value.
    pub value: Node<'a>,
}

/// A scalar with the type that YAML 1.2 (core schema) gives it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Typed<'n> {
    /// `null`, `~` or nothing, unquoted.
    Null,
    /// `true` or `false`, unquoted.
    Bool(bool),
    /// A number as written, unquoted.
    Number(&'n str),
    /// Anything else.
    Text(&'n str),
}

impl<'a> Node<'a> {
    /// The text of a scalar, whatever its type.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// Is it text as it stands, behind `|`?
    pub fn is_literal(&self) -> bool {
        matches!(self.kind, Kind::Scalar(_, Style::Literal))
    }

    /// The scalar with its type; `None` for lists and maps.
    pub fn typed(&self) -> Option<Typed<'_>> {
        match &self.kind {
            Kind::Scalar(text, Style::Plain) => Some(type_of(text)),
            Kind::Scalar(text, _) => Some(Typed::Text(text)),
            _ => None,
        }
    }

    /// Is the node `null`, or nothing at all?
    pub fn is_null(&self) -> bool {
        self.typed() == Some(Typed::Null)
    }

    /// The elements of a list.
    pub fn as_list(&self) -> Option<&[Node<'a>]> {
        match &self.kind {
            Kind::List(nodes) => Some(nodes),
            _ => None,
        }
    }

    /// The entries of a map.
    pub fn as_map(&self) -> Option<&[Entry<'a>]> {
        match &self.kind {
            Kind::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value under `key` of a map.
    pub fn get(&self, key: &str) -> Option<&Node<'a>> {
        self.as_map()?.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// `text`, `list`, `map`, … as a person calls it.
    pub fn noun(&self) -> &'static str {
        match (&self.kind, self.typed()) {
            (Kind::List(_), _) => "a list",
            (Kind::Map(_), _) => "a map",
            (_, Some(Typed::Null)) => "empty",
            (_, Some(Typed::Bool(_))) => "true or false",
            (_, Some(Typed::Number(_))) => "a number",
            _ => "text",
        }
    }

    /// The node as JSON, numbers as exact as JSON holds them.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.kind {
            Kind::List(nodes) => Value::Array(nodes.iter().map(Node::to_json).collect()),
            Kind::Map(entries) => {
                Value::Object(entries.iter().map(|entry| (entry.key.to_string(), entry.value.to_json())).collect())
            }
            Kind::Scalar(text, _) => match self.typed() {
                Some(Typed::Null) => Value::Null,
                Some(Typed::Bool(is_set)) => Value::Bool(is_set),
                Some(Typed::Number(lexeme)) => number_to_json(lexeme),
                _ => Value::String(text.to_string()),
            },
        }
    }

    /// An error at this node.
    pub fn error(&self, code: &str, message: impl Into<String>, remedy: impl Into<String>) -> Diagnostic {
        Diagnostic::error(self.line, self.column, code, message, remedy)
    }

    /// A warning at this node.
    pub fn warning(&self, code: &str, message: impl Into<String>, remedy: impl Into<String>) -> Diagnostic {
        Diagnostic::warning(self.line, self.column, code, message, remedy)
    }
}

impl Entry<'_> {
    /// An error at this entry's key.
    pub fn error(&self, code: &str, message: impl Into<String>, remedy: impl Into<String>) -> Diagnostic {
        Diagnostic::error(self.line, self.column, code, message, remedy)
    }

    /// A warning at this entry's key.
    pub fn warning(&self, code: &str, message: impl Into<String>, remedy: impl Into<String>) -> Diagnostic {
        Diagnostic::warning(self.line, self.column, code, message, remedy)
    }
}

/// The type of an unquoted scalar: YAML 1.2 core schema, without `.inf` and `.nan`, which stay text.
///
/// YAML 1.1 readers also take `yes`, `no`, `on`, `off`, `1_000` and `22:22` for something else than text; nobody who writes
/// these in a rule means that, so here they are text.
pub fn type_of(text: &str) -> Typed<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Typed::Null,
        "true" | "True" | "TRUE" => Typed::Bool(true),
        "false" | "False" | "FALSE" => Typed::Bool(false),
        _ if is_number(text) => Typed::Number(text),
        _ => Typed::Text(text),
    }
}

fn is_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    if let Some(digits) = text.strip_prefix("0x") {
        return !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return !digits.is_empty() && digits.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    }
    let unsigned = if matches!(bytes.first(), Some(b'-' | b'+')) { &bytes[1..] } else { bytes };
    let (mantissa, exponent) = match unsigned.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = mantissa.iter().filter(|byte| byte.is_ascii_digit()).count();
    let points = mantissa.iter().filter(|byte| **byte == b'.').count();
    let is_mantissa = digits > 0 && points <= 1 && digits + points == mantissa.len();
    is_mantissa
        && exponent.is_none_or(|exponent| {
            let digits = if matches!(exponent.first(), Some(b'-' | b'+')) { &exponent[1..] } else { exponent };
            !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
        })
}

fn number_to_json(lexeme: &str) -> serde_json::Value {
    let integer = match (lexeme.strip_prefix("0x"), lexeme.strip_prefix("0o")) {
        (Some(digits), _) => i64::from_str_radix(digits, 16).ok(),
        (_, Some(digits)) => i64::from_str_radix(digits, 8).ok(),
        _ => lexeme.parse().ok(),
    };
    if let Some(integer) = integer {
        return integer.into();
    }
    if let Ok(integer) = lexeme.parse::<u64>() {
        return integer.into();
    }
    let float = lexeme.parse::<f64>().ok().and_then(serde_json::Number::from_f64);
    float.map_or_else(|| serde_json::Value::String(lexeme.to_owned()), serde_json::Value::Number)
}

#[cfg(test)]
mod tests;
