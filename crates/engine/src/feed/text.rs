//! Names in braces, and what stands for them.

/// The names in braces in a text, in order; `Err` says what a brace that has no other half stands before.
pub fn placeholders(text: &str) -> Result<Vec<&str>, &str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find(['{', '}']) {
        let inside = rest[open..].strip_prefix('{').ok_or(&rest[open..])?;
        let close = inside.find(['{', '}']).filter(|&at| inside[at..].starts_with('}')).ok_or(&rest[open..])?;
        names.push(&inside[..close]);
        rest = &inside[close + 1..];
    }
    Ok(names)
}

/// The text with what `value` says for each name in braces; a name that it does not know stays.
pub fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, behind)) = inside.split_once('}') else {
            out.push('{');
            rest = inside;
            continue;
        };
        match value(name) {
            Some(text) => out.push_str(&text),
            None => out.extend(["{", name, "}"]),
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}
