//! Extraction: one pass over a record's bytes, which checks that they are JSON and picks up the declared fields.
//!
//! In: a JSON value as text. Out: a [`Record`], or a [`Reject`]. Bound: `limits.depth` levels, without recursion; memory is the
//! worker's [`Scratch`]. When it is full (too deep) the record is rejected.
//! Arrays are transparent: `resources.ARN` meets the `ARN` of every element. A key that is read and stands twice in one object
//! rejects the record, since two readers could see two different records.

use model::Reject;

use crate::field::{Field, Fields, NodeId};
use crate::json;
use crate::limits::Limits;
use crate::record::{Kind, Record, Scratch};

const NO_CELL: u32 = u32::MAX;

/// What the walk keeps between records: its stack, and for each edge of the trie the last object that had it.
#[derive(Debug, Default)]
pub(crate) struct WalkState {
    levels: Vec<Level>,
    seen: Vec<u64>,
    object: u64,
    /// Texts, without their quotes, with escapes that may stand for characters that need none.
    odd: Vec<(u32, u32)>,
    /// Texts, without their quotes, and numbers.
    leaves: Vec<(u32, u32)>,
}

impl WalkState {
    /// Where the last record writes texts, without their quotes, and numbers.
    pub(crate) fn leaves(&self) -> &[(u32, u32)] {
        &self.leaves
    }

    /// Where the last record writes texts with escapes (`\u`, `\/`) that may stand for characters that need none.
    pub(crate) fn odd(&self) -> &[(u32, u32)] {
        &self.odd
    }
}

#[derive(Clone, Copy, Debug)]
struct Level {
    is_object: bool,
    /// An array's place in the trie is its elements' place.
    node: NodeId,
    /// Number of the object, so that a key met twice is known.
    object: u64,
    /// The cell to close with it.
    cell: u32,
}

/// Reads the declared fields of the JSON value in `text`.
///
/// Errors: `TooLarge`, `TooDeep`, `NotJson`, `Truncated`, `DuplicateKey`.
pub fn extract<'a>(
    fields: &Fields,
    text: &'a str,
    scratch: &'a mut Scratch,
    limits: &Limits,
) -> Result<Record<'a>, Reject> {
    match first_value(fields, text, scratch, limits)? {
        end if end == text.len() => Ok(scratch.record(text, false)),
        _ => Err(Reject::NotJson),
    }
}

/// Reads the declared fields of the first JSON value in `text`; gives where the value, and the space after it, end.
pub(crate) fn first_value(
    fields: &Fields,
    text: &str,
    scratch: &mut Scratch,
    limits: &Limits,
) -> Result<usize, Reject> {
    if text.len() > limits.record_bytes || text.len() >= u32::MAX as usize {
        return Err(Reject::TooLarge);
    }
    scratch.reset(fields);
    scratch.walk.levels.clear();
    scratch.walk.odd.clear();
    scratch.walk.leaves.clear();
    scratch.walk.seen.resize(fields.trie().edges(), 0);
    Walk { bytes: text.as_bytes(), text, fields, scratch, depth_max: limits.depth }.run()
}

/// Where the walk goes on.
enum Next {
    /// A value starts here, at this place of the trie.
    Value(usize, NodeId),
    /// A value has ended here.
    After(usize),
}

struct Walk<'a, 'b> {
    bytes: &'a [u8],
    text: &'a str,
    fields: &'b Fields,
    scratch: &'b mut Scratch,
    depth_max: usize,
}

impl Walk<'_, '_> {
    fn run(&mut self) -> Result<usize, Reject> {
        let mut at = json::skip_space(self.bytes, 0);
        let mut node = NodeId::ROOT;
        loop {
            let end = match self.bytes.get(at) {
                Some(b'{') => self.open_object(at, node)?,
                Some(b'[') => self.open_array(at, node)?,
                _ => Next::After(self.scalar(at, node)?),
            };
            let next = match end {
                Next::Value(..) => end,
                Next::After(at) => self.after(at)?,
            };
            match next {
                Next::Value(place, next) => (at, node) = (place, next),
                Next::After(end) => return Ok(end),
            }
        }
    }

    #[inline]
    fn field(&self, node: NodeId) -> Option<Field> {
        if node.is_none() { None } else { self.fields.trie().field(node) }
    }

    #[inline]
    fn scalar(&mut self, at: usize, node: NodeId) -> Result<usize, Reject> {
        let (kind, end) = match self.bytes.get(at) {
            Some(b'"') => return self.string(at, node),
            Some(b't') => (Kind::True, json::word_end(self.bytes, at, b"true")?),
            Some(b'f') => (Kind::False, json::word_end(self.bytes, at, b"false")?),
            Some(b'n') => (Kind::Null, json::word_end(self.bytes, at, b"null")?),
            Some(b'-' | b'0'..=b'9') => (Kind::Number, json::number_end(self.bytes, at)?),
            Some(_) => return Err(Reject::NotJson),
            None => return Err(Reject::Truncated),
        };
        if kind == Kind::Number {
            self.scratch.walk.leaves.push((at as u32, end as u32));
        }
        if let Some(field) = self.field(node) {
            self.scratch.push(field, kind, at, end);
        }
        Ok(end)
    }

    #[inline]
    fn string(&mut self, at: usize, node: NodeId) -> Result<usize, Reject> {
        let end = json::string_end(self.bytes, at + 1)?;
        self.scratch.walk.leaves.push((at as u32 + 1, end.quote as u32));
        if end.odd {
            self.scratch.walk.odd.push((at as u32 + 1, end.quote as u32));
        }
        if let Some(field) = self.field(node) {
            if end.escaped {
                let body = &self.text[at + 1..end.quote];
                self.scratch.push_unescaped(field, at + 1, |arena| json::unescape(body, arena));
            } else {
                self.scratch.push(field, Kind::Str, at + 1, end.quote);
            }
        }
        Ok(end.quote + 1)
    }

    fn open_object(&mut self, at: usize, node: NodeId) -> Result<Next, Reject> {
        let cell = match self.field(node) {
            Some(field) => self.scratch.push(field, Kind::Composite, at, at),
            None => NO_CELL,
        };
        let below = if node.is_none() || !self.fields.trie().has_children(node) { NodeId::NONE } else { node };
        self.scratch.walk.object += 1;
        let level = Level { is_object: true, node: below, object: self.scratch.walk.object, cell };
        self.open(level)?;
        let first = json::skip_space(self.bytes, at + 1);
        match self.bytes.get(first) {
            Some(b'}') => Ok(Next::After(self.close(first + 1))),
            _ => self.key(first, level),
        }
    }

    fn open_array(&mut self, at: usize, node: NodeId) -> Result<Next, Reject> {
        let first = json::skip_space(self.bytes, at + 1);
        self.open(Level { is_object: false, node, object: 0, cell: NO_CELL })?;
        if self.bytes.get(first) != Some(&b']') {
            return Ok(Next::Value(first, node));
        }
        if let Some(field) = self.field(node) {
            self.scratch.push(field, Kind::Composite, at, first + 1);
        }
        Ok(Next::After(self.close(first + 1)))
    }

    fn open(&mut self, level: Level) -> Result<(), Reject> {
        if self.scratch.walk.levels.len() >= self.depth_max {
            return Err(Reject::TooDeep);
        }
        self.scratch.walk.levels.push(level);
        Ok(())
    }

    fn close(&mut self, end: usize) -> usize {
        if let Some(level) = self.scratch.walk.levels.pop()
            && level.cell != NO_CELL
        {
            self.scratch.close(level.cell, end);
        }
        end
    }

    /// What follows a value: the next value's place, or the end of the record.
    #[inline]
    fn after(&mut self, mut at: usize) -> Result<Next, Reject> {
        loop {
            at = json::skip_space(self.bytes, at);
            let Some(&level) = self.scratch.walk.levels.last() else {
                return Ok(Next::After(at));
            };
            match (self.bytes.get(at), level.is_object) {
                (Some(b','), true) => return self.key(json::skip_space(self.bytes, at + 1), level),
                (Some(b','), false) => return Ok(Next::Value(json::skip_space(self.bytes, at + 1), level.node)),
                (Some(b'}'), true) | (Some(b']'), false) => at = self.close(at + 1),
                (Some(_), _) => return Err(Reject::NotJson),
                (None, _) => return Err(Reject::Truncated),
            }
        }
    }

    /// Reads a key and its colon: the place of its value.
    #[inline]
    fn key(&mut self, at: usize, level: Level) -> Result<Next, Reject> {
        match self.bytes.get(at) {
            Some(b'"') => {}
            Some(_) => return Err(Reject::NotJson),
            None => return Err(Reject::Truncated),
        }
        let end = json::string_end(self.bytes, at + 1)?;
        let colon = json::skip_space(self.bytes, end.quote + 1);
        match self.bytes.get(colon) {
            Some(b':') => {}
            Some(_) => return Err(Reject::NotJson),
            None => return Err(Reject::Truncated),
        }
        let node = if level.node.is_none() { NodeId::NONE } else { self.step(at + 1, &end, level)? };
        Ok(Next::Value(json::skip_space(self.bytes, colon + 1), node))
    }

    #[inline]
    fn step(&mut self, at: usize, end: &json::StrEnd, level: Level) -> Result<NodeId, Reject> {
        let trie = self.fields.trie();
        let found = if end.escaped {
            let mut key = String::new();
            json::unescape(&self.text[at..end.quote], &mut key);
            trie.step(level.node, key.as_bytes())
        } else {
            trie.step(level.node, &self.bytes[at..end.quote])
        };
        let Some((edge, node)) = found else { return Ok(NodeId::NONE) };
        // Several keys may lead along an edge that is not counted.
        let Some(seen) = self.scratch.walk.seen.get_mut(edge) else { return Ok(node) };
        if *seen == level.object {
            return Err(Reject::DuplicateKey);
        }
        *seen = level.object;
        Ok(node)
    }
}

/// Calls `f` with every string and number in `text`, which has been checked to be JSON.
pub(crate) fn for_each_leaf(text: &str, f: &mut dyn FnMut(&str)) {
    let bytes = text.as_bytes();
    let mut unescaped = String::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at = match byte {
            b'"' => {
                let Ok(end) = json::string_end(bytes, at + 1) else { return };
                let next = json::skip_space(bytes, end.quote + 1);
                let body = &text[at + 1..end.quote];
                if bytes.get(next) == Some(&b':') {
                    next + 1
                } else {
                    unescaped.clear();
                    if end.escaped {
                        json::unescape(body, &mut unescaped);
                    }
                    f(if end.escaped { &unescaped } else { body });
                    next
                }
            }
            b'-' | b'0'..=b'9' => {
                let Ok(end) = json::number_end(bytes, at) else { return };
                f(&text[at..end]);
                end
            }
            _ => at + 1,
        };
    }
}

#[cfg(test)]
mod tests;
