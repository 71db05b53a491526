//! Atoms: what a value of a rule comes to once its modifiers are applied. Equal atoms mean the same test.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ipnet::IpNet;
use model::Time;

use super::bounds::{DASHES_MAX, VALUE_BYTES_MAX, VALUES_MAX};
use super::detection::{Item, Value};
use super::inventory::Inventory;
use super::modifier::{Modifier, Modifiers};
use super::number::Number;
use super::pattern::Pattern;
use super::regex::{self, Flags};

/// One test of one field, or of the whole event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Atom {
    /// Absent, or null.
    Null,
    /// Present at all, or absent.
    Exists(bool),
    /// The number, as written.
    Number(String),
    /// The text is the pattern.
    Text { pattern: Pattern, cased: bool },
    /// The address is in the network.
    Network(IpNet),
    /// The number stands so to the bound, as written.
    Compare { order: Modifier, bound: String },
    /// The part of the time stands so (`None`: is) to the bound, as written.
    TimePart { part: Modifier, order: Option<Modifier>, bound: String },
    /// The text holds the expression.
    Regex { pattern: String, flags: Flags },
    /// The text is, or has at an end or inside, a value of the other field.
    Field { path: String, affix: Option<Modifier>, cased: bool },
}

/// Why a value cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) remedy: String,
    /// Characters into the value's text, where that is known.
    pub(super) at: Option<usize>,
}

fn problem<T>(code: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Result<T, Problem> {
    Err(Problem { code, message: message.into(), remedy: remedy.into(), at: None })
}

/// The tests of an item's values: one list for each value; any test of a list suffices for its value.
pub(super) fn of_item(item: &Item, inventory: &Inventory) -> Result<Vec<Vec<Atom>>, Problem> {
    item.values.iter().map(|value| of_value(&item.modifiers, item.field.is_some(), value, Some(inventory))).collect()
}

/// The tests of one value. Without an inventory, placeholders are left out, and regular expressions are only checked.
pub(super) fn of_value(
    modifiers: &Modifiers,
    has_field: bool,
    value: &Value,
    inventory: Option<&Inventory>,
) -> Result<Vec<Atom>, Problem> {
    if !modifiers.has(Modifier::Expand) {
        return of_plain(modifiers, has_field, value, inventory.is_none());
    }
    let Value::Text(text) = value else {
        return of_plain(modifiers, has_field, value, inventory.is_none());
    };
    let texts = match inventory {
        Some(inventory) => expand(text, inventory)?,
        None if placeholders(text).is_empty() => vec![text.clone()],
        None => return Ok(Vec::new()),
    };
    let mut atoms = Vec::with_capacity(texts.len());
    for text in texts {
        atoms.extend(of_plain(modifiers, has_field, &Value::Text(text), inventory.is_none())?);
        if atoms.len() > VALUES_MAX {
            return problem(
                "too-many-values",
                format!("the value stands for more than {VALUES_MAX}"),
                "shorten the lists",
            );
        }
    }
    Ok(atoms)
}

fn of_plain(modifiers: &Modifiers, has_field: bool, value: &Value, is_check: bool) -> Result<Vec<Atom>, Problem> {
    if let Value::Text(text) = value
        && text.len() > VALUE_BYTES_MAX
    {
        let message = format!("the value has {} bytes, more than {VALUE_BYTES_MAX}", text.len());
        return problem("value-too-long", message, "shorten the value");
    }
    for modifier in modifiers.iter() {
        return match modifier {
            Modifier::Exists => exists(value, has_field),
            Modifier::Re => expression(modifiers, value, is_check),
            Modifier::Cidr => network(value),
            Modifier::FieldRef => field_reference(modifiers, value, has_field),
            Modifier::Lt | Modifier::Lte | Modifier::Gt | Modifier::Gte => {
                Ok(vec![Atom::Compare { order: modifier, bound: number(value, modifier)? }])
            }
            Modifier::Minute | Modifier::Hour | Modifier::Day | Modifier::Week | Modifier::Month | Modifier::Year => {
                let is_order = |m: &Modifier| matches!(m, Modifier::Lt | Modifier::Lte | Modifier::Gt | Modifier::Gte);
                let order = modifiers.iter().find(is_order);
                Ok(vec![Atom::TimePart { part: modifier, order, bound: number(value, modifier)? }])
            }
            _ => continue,
        };
    }
    text_or_number(modifiers, has_field, value)
}

fn exists(value: &Value, has_field: bool) -> Result<Vec<Atom>, Problem> {
    if !has_field {
        return problem(
            "exists-without-field",
            "`exists` asks about a field, and none is named",
            "write `field|exists: true`",
        );
    }
    match value {
        Value::Bool(is_present) => Ok(vec![Atom::Exists(*is_present)]),
        other => {
            let message = format!("`exists` takes true or false, not {}", other.display());
            problem("bad-value-type", message, "write `true` or `false` without quotes")
        }
    }
}

fn number(value: &Value, modifier: Modifier) -> Result<String, Problem> {
    let lexeme = match value {
        Value::Number(lexeme) => Some(lexeme),
        Value::Text(text) if Number::parse(text).is_some() => Some(text),
        _ => None,
    };
    match lexeme {
        Some(lexeme) => Ok(lexeme.clone()),
        None => {
            let message = format!("`{modifier}` takes a number, not {}", value.display());
            problem("bad-value-type", message, "write a number")
        }
    }
}

fn network(value: &Value) -> Result<Vec<Atom>, Problem> {
    let text = value.as_text().unwrap_or_default();
    match text.parse::<IpNet>() {
        Ok(network) => Ok(vec![Atom::Network(network.trunc())]),
        Err(_) => match text.parse::<std::net::IpAddr>() {
            Ok(address) => Ok(vec![Atom::Network(IpNet::from(address))]),
            Err(_) => {
                let message = format!("{} is not a network", value.display());
                problem(
                    "bad-cidr",
                    message,
                    "write an address and a prefix length, such as `10.0.0.0/8` or `2001:db8::/32`",
                )
            }
        },
    }
}

fn field_reference(modifiers: &Modifiers, value: &Value, has_field: bool) -> Result<Vec<Atom>, Problem> {
    if !has_field {
        return problem(
            "fieldref-without-field",
            "`fieldref` compares two fields, and only one is named",
            "name a field before `|`",
        );
    }
    let path = value.as_text().filter(|text| !text.trim().is_empty());
    let plain = path.map(Pattern::parse);
    match plain.as_ref().and_then(Pattern::plain) {
        Some(path) => Ok(vec![Atom::Field {
            path: path.to_owned(),
            affix: affix(modifiers),
            cased: modifiers.has(Modifier::Cased),
        }]),
        None => problem(
            "bad-value-type",
            format!("`fieldref` takes the name of a field, not {}", value.display()),
            "write a field name without wildcards",
        ),
    }
}

fn affix(modifiers: &Modifiers) -> Option<Modifier> {
    modifiers.iter().find(|m| matches!(m, Modifier::Contains | Modifier::StartsWith | Modifier::EndsWith))
}

fn expression(modifiers: &Modifiers, value: &Value, is_check: bool) -> Result<Vec<Atom>, Problem> {
    let pattern = match value {
        Value::Text(text) | Value::Number(text) => text.clone(),
        other => {
            let message = format!("`re` takes a regular expression, not {}", other.display());
            return problem("bad-value-type", message, "quote the expression");
        }
    };
    let flags = Flags {
        ignore_case: modifiers.has(Modifier::IgnoreCase),
        multi_line: modifiers.has(Modifier::MultiLine),
        dot_all: modifiers.has(Modifier::DotAll),
    };
    if is_check && let Err(bad) = regex::check(&pattern, flags) {
        let place = bad.at.map(|at| format!(" at character {}", at + 1)).unwrap_or_default();
        return Err(Problem {
            code: "bad-regex",
            message: format!("the regular expression `{pattern}` cannot be read{place}: {}", bad.message),
            remedy: "correct the expression; backslashes need no doubling in single quotes".to_owned(),
            at: bad.at,
        });
    }
    let pattern = match affix(modifiers) {
        Some(Modifier::StartsWith) => format!(r"\A(?:{pattern})"),
        Some(Modifier::EndsWith) => format!(r"(?:{pattern})\z"),
        _ => pattern,
    };
    Ok(vec![Atom::Regex { pattern, flags }])
}

/// A value on its way through the encodings.
enum Step {
    Text(Pattern),
    Bytes(Vec<u8>),
}

fn text_or_number(modifiers: &Modifiers, has_field: bool, value: &Value) -> Result<Vec<Atom>, Problem> {
    let is_bare = !modifiers
        .iter()
        .any(|modifier| !matches!(modifier, Modifier::All | Modifier::Neq | Modifier::Expand | Modifier::Cased));
    let text = match value {
        Value::Null if !is_bare => {
            let message = format!("null cannot be combined with `{modifiers}`");
            return problem("bad-value-type", message, "write null in a search of its own, without these modifiers");
        }
        Value::Null if !has_field => {
            return problem("empty-keyword", "a keyword is null", "write the text to look for");
        }
        Value::Null => return Ok(vec![Atom::Null]),
        Value::Number(lexeme) if is_bare && has_field => return Ok(vec![Atom::Number(lexeme.clone())]),
        Value::Number(text) => Pattern::literal(text.clone()),
        Value::Bool(is_set) => Pattern::literal(is_set.to_string()),
        Value::Text(text) => Pattern::parse(text),
    };
    let mut steps = vec![Step::Text(text)];
    for modifier in modifiers.iter() {
        let mut next = Vec::with_capacity(steps.len());
        for step in steps {
            apply(modifier, step, &mut next)?;
        }
        steps = next;
    }
    let cased = modifiers.has(Modifier::Cased);
    // A keyword stands anywhere in a value of the event, whatever surrounds it.
    let is_keyword = !has_field && affix(modifiers).is_none();
    let atoms = steps.into_iter().map(|step| {
        let pattern = match step {
            Step::Text(pattern) => pattern,
            Step::Bytes(bytes) => Pattern::literal(String::from_utf8_lossy(&bytes)),
        };
        Atom::Text { pattern: if is_keyword { pattern.open_start().open_end() } else { pattern }, cased }
    });
    Ok(atoms.collect())
}

fn apply(modifier: Modifier, step: Step, out: &mut Vec<Step>) -> Result<(), Problem> {
    match (modifier, step) {
        (Modifier::Contains, Step::Text(pattern)) => out.push(Step::Text(pattern.open_start().open_end())),
        (Modifier::StartsWith, Step::Text(pattern)) => out.push(Step::Text(pattern.open_end())),
        (Modifier::EndsWith, Step::Text(pattern)) => out.push(Step::Text(pattern.open_start())),
        (Modifier::Windash, Step::Text(pattern)) => match pattern.windash(DASHES_MAX) {
            Some(patterns) => out.extend(patterns.into_iter().map(Step::Text)),
            None => {
                let message = format!("`windash` would vary more than {DASHES_MAX} dashes");
                return problem("too-many-dashes", message, "split the value into several under `contains|all`");
            }
        },
        (Modifier::Utf16Le | Modifier::Utf16Be | Modifier::Utf16, step) => {
            let bytes = bytes_of(step, modifier)?;
            let text = String::from_utf8_lossy(&bytes);
            out.push(Step::Bytes(wide(&text, modifier)));
        }
        (Modifier::Base64, step) => {
            let bytes = bytes_of(step, modifier)?;
            out.push(Step::Text(Pattern::literal(BASE64_STANDARD.encode(bytes))));
        }
        (Modifier::Base64Offset, step) => {
            let bytes = bytes_of(step, modifier)?;
            out.extend((0..3).map(|offset| Step::Text(Pattern::literal(base64_at(&bytes, offset)))));
        }
        (_, step) => out.push(step),
    }
    Ok(())
}

fn bytes_of(step: Step, modifier: Modifier) -> Result<Vec<u8>, Problem> {
    match step {
        Step::Bytes(bytes) => Ok(bytes),
        Step::Text(pattern) => match pattern.plain() {
            Some(text) if !text.is_empty() => Ok(text.as_bytes().to_vec()),
            Some(_) => {
                problem("empty-value", format!("`{modifier}` would encode nothing"), "write the text to look for")
            }
            None => problem(
                "wildcard-encoded",
                format!("`{modifier}` would encode a wildcard"),
                "write `\\*` or `\\?` for the character itself, or drop the wildcard and add `contains`",
            ),
        },
    }
}

fn wide(text: &str, modifier: Modifier) -> Vec<u8> {
    let mark = (modifier == Modifier::Utf16).then_some(0xFEFF);
    let units = mark.into_iter().chain(text.encode_utf16());
    match modifier {
        Modifier::Utf16Be => units.flat_map(u16::to_be_bytes).collect(),
        _ => units.flat_map(u16::to_le_bytes).collect(),
    }
}

/// The part of the base64 text of something that holds `bytes` from `offset` (modulo 3) on, that `bytes` alone decide.
fn base64_at(bytes: &[u8], offset: usize) -> String {
    let mut shifted = vec![b' '; offset];
    shifted.extend_from_slice(bytes);
    let encoded = BASE64_STANDARD.encode(&shifted);
    let start = [0, 2, 3][offset];
    let cut = [0, 3, 2][shifted.len() % 3];
    encoded.get(start..encoded.len() - cut).unwrap_or_default().to_owned()
}

/// The names between percent signs, with the bytes that they take; a percent sign behind a backslash is plain.
pub(super) fn placeholders(text: &str) -> Vec<(std::ops::Range<usize>, &str)> {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find('%').map(|offset| at + offset) {
        let is_escaped = text[..start].bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1;
        let end = text[start + 1..].find('%').map(|offset| start + 1 + offset);
        match end {
            Some(end) if !is_escaped && end > start + 1 && text[start + 1..end].chars().all(is_name) => {
                found.push((start..end + 1, &text[start + 1..end]));
                at = end + 1;
            }
            _ => at = start + 1,
        }
    }
    found
}

/// When values of the lists that the item names end, in order. Names of fields do not.
pub(super) fn ends_of(item: &Item, inventory: &Inventory) -> BTreeSet<Time> {
    if !inventory.has_ends() || !item.modifiers.has(Modifier::Expand) || item.modifiers.is_field_reference() {
        return BTreeSet::new();
    }
    let names = item.values.iter().filter_map(Value::as_text).flat_map(placeholders).map(|(_, name)| name);
    names.flat_map(|name| inventory.ends_of(name)).collect()
}

/// No inventory has the list that a placeholder names.
pub(super) fn unknown(name: &str) -> Problem {
    Problem {
        code: "unknown-placeholder",
        message: format!("placeholder `%{name}%` is in no inventory"),
        remedy: format!("add a list `{name}` to the inventory; an empty list matches nothing"),
        at: None,
    }
}

fn expand(text: &str, inventory: &Inventory) -> Result<Vec<String>, Problem> {
    let unescape = |text: &str| text.replace("\\%", "%");
    let mut texts = vec![String::new()];
    let mut at = 0;
    for (range, name) in placeholders(text) {
        let values = inventory.get(name).ok_or_else(|| unknown(name))?;
        if texts.len().saturating_mul(values.len()) > VALUES_MAX {
            let message = format!("`{text}` stands for more than {VALUES_MAX} values");
            return problem("too-many-values", message, "shorten the lists");
        }
        let before = unescape(&text[at..range.start]);
        let heads = std::mem::take(&mut texts);
        for head in heads {
            texts.extend(values.iter().map(|value| format!("{head}{before}{value}")));
        }
        at = range.end;
    }
    let rest = unescape(&text[at..]);
    texts.iter_mut().for_each(|head| head.push_str(&rest));
    Ok(texts)
}
