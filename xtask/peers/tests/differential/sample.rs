//! A text that a value of a rule fits.

use engine::sigma::Value;
use regex_syntax::hir::{Class, Hir, HirKind};

/// Text that fits `value` under its item's modifiers; `None` where only an absent field does.
pub fn of(value: &Value, has: &dyn Fn(&str) -> bool) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::Bool(is_set) => return Some(is_set.to_string()),
        Value::Number(lexeme) | Value::Text(lexeme) => lexeme.clone(),
    };
    Some(match text.parse::<f64>() {
        _ if has("re") => regex(&text).unwrap_or(text),
        _ if has("fieldref") => text,
        _ if has("cidr") => text.split('/').next().unwrap_or_default().to_owned(),
        Ok(bound) if has("gt") || has("gte") => (bound + 1.0).to_string(),
        Ok(bound) if has("lt") || has("lte") => (bound - 1.0).to_string(),
        _ => pattern(&text),
    })
}

/// Wildcards become something, escapes what they stand for.
fn pattern(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push(chars.next_if(|next| "*?\\".contains(*next)).unwrap_or('\\')),
            '*' => out.push_str("qq"),
            '?' => out.push('q'),
            _ => out.push(c),
        }
    }
    out
}

fn regex(text: &str) -> Option<String> {
    let hir = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(text).ok()?;
    let mut out = String::new();
    write(&hir, &mut out);
    Some(out)
}

fn write(hir: &Hir, out: &mut String) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(Class::Unicode(class)) => out.extend(class.iter().next().map(|range| range.end())),
        HirKind::Class(Class::Bytes(class)) => {
            let bytes = class.iter().flat_map(|range| range.start()..=range.end());
            out.extend(bytes.map(char::from).find(|c| c.is_ascii_graphic()));
        }
        HirKind::Repetition(repetition) => (0..repetition.min.max(1)).for_each(|_| write(&repetition.sub, out)),
        HirKind::Capture(capture) => write(&capture.sub, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| write(part, out)),
        HirKind::Alternation(parts) => write(&parts[0], out),
    }
}
