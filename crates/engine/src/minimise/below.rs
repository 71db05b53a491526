//! What is below a sensitive path under a key with dots: `gen_ai.prompt.0.content` below `gen_ai.prompt`, as a key or as the name of a pair.
//!
//! In: a JSON record that was read before, so it is well formed. Out: where such values stand. A record without a key that may be one is
//! looked through once, for the ends of the paths. No recursion.

use aho_corasick::AhoCorasick;

use super::Span;
use crate::json;
use crate::source::Source;

/// The paths, and what a record that has something below them must hold.
#[derive(Debug)]
pub(super) struct Below {
    /// Each with a dot behind it.
    paths: Vec<String>,
    lists: Vec<List>,
    hint: AhoCorasick,
}

/// A list of name/value pairs.
#[derive(Debug)]
struct List {
    path: String,
    /// What stands before the names.
    prefix: String,
    /// The keys that may hold a name.
    names: Vec<String>,
}

/// An object or array that is open, and how long the path of what holds it is.
struct Level {
    above: usize,
}

impl Below {
    /// `None` where the source has no sensitive path, or no lines of JSON.
    pub fn compile(source: &Source) -> Option<Below> {
        let paths: Vec<String> = source.sensitive.iter().map(|path| format!("{path}.")).collect();
        let last = |path: &String| path.trim_end_matches('.').rsplit('.').next().unwrap_or_default().to_owned();
        let hints = paths.iter().map(last).flat_map(|last| [format!("\"{last}."), format!(".{last}.")]);
        let hint = AhoCorasick::new(hints).ok().filter(|_| !paths.is_empty())?;
        let lists = source.pairs.iter().map(|pairs| List {
            path: pairs.list.clone(),
            prefix: pairs.under.iter().map(|key| format!("{key}.")).collect(),
            names: pairs.name.clone(),
        });
        Some(Below { lists: lists.collect(), paths, hint })
    }

    pub fn spans(&self, text: &str, out: &mut Vec<Span>) {
        if self.hint.is_match(text) {
            // A record that cannot be walked was not read either.
            let _ = self.walk(text, out);
        }
    }

    fn covers(&self, path: &str) -> bool {
        self.paths.iter().any(|known| path.starts_with(known.as_str()))
    }

    fn walk(&self, text: &str, out: &mut Vec<Span>) -> Option<()> {
        let bytes = text.as_bytes();
        let (mut path, mut levels, mut at) = (String::new(), Vec::new(), 0);
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'{' | b'[' => {
                    if *byte == b'{'
                        && let Some(end) = self.pair(text, at, &path, out)
                    {
                        at = end;
                        continue;
                    }
                    levels.push(Level { above: path.len() });
                    at += 1;
                }
                b'}' | b']' => {
                    path.truncate(levels.pop()?.above);
                    at += 1;
                }
                b'"' => match key(text, at)? {
                    Key::None(end) => at = end,
                    Key::Of { name, value } => {
                        path.truncate(levels.last()?.above);
                        if !path.is_empty() {
                            path.push('.');
                        }
                        path.push_str(&name);
                        at = value;
                        if self.covers(&path) {
                            at = value_end(text, value)?;
                            keep(text, (value, at), out);
                        }
                    }
                },
                _ => at += 1,
            }
        }
        Some(())
    }

    /// If the object at `at` is a pair whose name is below a sensitive path: takes all of it but the name, and gives where it ends.
    fn pair(&self, text: &str, at: usize, path: &str, out: &mut Vec<Span>) -> Option<usize> {
        let list = self.lists.iter().find(|list| list.path == path)?;
        let members = members(text, at)?;
        let named = list.names.iter().find_map(|name| members.iter().find(|member| member.name == *name))?;
        let mut name = String::new();
        json::unescape(text[named.value.0..named.value.1].trim_matches('"'), &mut name);
        if !self.covers(&format!("{}{}", list.prefix, name.replace(' ', ""))) {
            return None;
        }
        members.iter().filter(|member| member.value != named.value).for_each(|member| keep(text, member.value, out));
        value_end(text, at)
    }
}

fn keep(text: &str, span: Span, out: &mut Vec<Span>) {
    if !matches!(&text[span.0..span.1], "null" | "\"\"") {
        out.push(span);
    }
}

/// What a text at some place is.
enum Key {
    /// A value, which ends here.
    None(usize),
    /// A key, and where its value starts.
    Of { name: String, value: usize },
}

/// Reads the text whose first quote is at `at`.
fn key(text: &str, at: usize) -> Option<Key> {
    let bytes = text.as_bytes();
    let end = json::string_end(bytes, at + 1).ok()?;
    let colon = json::skip_space(bytes, end.quote() + 1);
    if bytes.get(colon) != Some(&b':') {
        return Some(Key::None(end.quote() + 1));
    }
    let written = &text[at + 1..end.quote()];
    let mut name = String::new();
    if end.escaped() {
        json::unescape(written, &mut name);
    } else {
        name.push_str(written);
    }
    Some(Key::Of { name, value: json::skip_space(bytes, colon + 1) })
}

struct Member {
    name: String,
    value: Span,
}

/// The members of the object at `at`.
fn members(text: &str, at: usize) -> Option<Vec<Member>> {
    let bytes = text.as_bytes();
    let (mut all, mut at) = (Vec::new(), json::skip_space(bytes, at + 1));
    while bytes.get(at)? == &b'"' {
        let Key::Of { name, value } = key(text, at)? else { return None };
        let end = value_end(text, value)?;
        all.push(Member { name, value: (value, end) });
        at = json::skip_space(bytes, end);
        if bytes.get(at)? == &b',' {
            at = json::skip_space(bytes, at + 1);
        }
    }
    Some(all)
}

/// Where the value at `at` ends.
fn value_end(text: &str, mut at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0;
    loop {
        match bytes.get(at)? {
            b'"' => at = json::string_end(bytes, at + 1).ok()?.quote() + 1,
            b'{' | b'[' => (at, depth) = (at + 1, depth + 1),
            b'}' | b']' => (at, depth) = (at + 1, depth - 1),
            b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => at += 1,
            _ => at += bytes[at..].iter().position(|byte| b",]} \t\r\n".contains(byte)).unwrap_or(bytes.len() - at),
        }
        if depth == 0 {
            return Some(at);
        }
    }
}
