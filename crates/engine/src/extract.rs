//! Extraction: one pass over a record's bytes, which checks that they are JSON and picks up the declared fields.
//!
//! In: a JSON value as text. Out: a [`Record`], or a [`Reject`]. Bound: `limits.depth` levels, without recursion; memory is the
//! worker's [`Scratch`]. When it is full (too deep) the record is rejected.
//! Arrays are transparent: `resources.ARN` meets the `ARN` of every element. A key that is read and stands twice in one object
//! rejects the record, since two readers could see two different records.

use model::Reject;

use crate::field::{Field, Fields, NodeId};
use crate::json::{self, stops::Stops};
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
    stops: Stops,
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
    scratch.walk.stops.clear();
    scratch.walk.seen.resize(fields.trie().edges(), 0);
    Walk { bytes: text.as_bytes(), text, fields, scratch, depth_max: limits.depth }.run()
}

/// What comes after a bracket or a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// A key of the object that is open.
    Key,
    /// An element of the array that is open.
    Value,
    /// What follows a value; after the last, the end of the record.
    After,
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
            // A value starts here, at this place of the trie.
            let (next, end) = match self.bytes.get(at) {
                Some(b'{') => self.open_object(at, node)?,
                Some(b'[') => self.open_array(at, node)?,
                _ => (Next::After, self.scalar(at, node)?),
            };
            let (next, place) = if next == Next::After { self.after(end)? } else { (next, end) };
            match next {
                Next::Key => (at, node) = self.key(place)?,
                Next::Value => (at, node) = (place, self.scratch.walk.levels.last().map_or(node, |level| level.node)),
                Next::After => return Ok(place),
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
        let end = json::mapped_string_end(self.bytes, at + 1, &mut self.scratch.walk.stops)?;
        self.scratch.walk.leaves.push((at as u32 + 1, end.quote() as u32));
        if end.odd() {
            self.scratch.walk.odd.push((at as u32 + 1, end.quote() as u32));
        }
        if let Some(field) = self.field(node) {
            let kind = if end.escaped() { Kind::Escaped } else { Kind::Str };
            self.scratch.push(field, kind, at + 1, end.quote());
        }
        Ok(end.quote() + 1)
    }

    #[inline]
    fn open_object(&mut self, at: usize, node: NodeId) -> Result<(Next, usize), Reject> {
        let cell = match self.field(node) {
            Some(field) => self.scratch.push(field, Kind::Composite, at, at),
            None => NO_CELL,
        };
        let below = if node.is_none() || !self.fields.trie().has_children(node) { NodeId::NONE } else { node };
        self.scratch.walk.object += 1;
        self.open(Level { is_object: true, node: below, object: self.scratch.walk.object, cell })?;
        let first = json::skip_space(self.bytes, at + 1);
        match self.bytes.get(first) {
            Some(b'}') => Ok((Next::After, self.close(first + 1))),
            _ => Ok((Next::Key, first)),
        }
    }

    #[inline]
    fn open_array(&mut self, at: usize, node: NodeId) -> Result<(Next, usize), Reject> {
        let first = json::skip_space(self.bytes, at + 1);
        self.open(Level { is_object: false, node, object: 0, cell: NO_CELL })?;
        if self.bytes.get(first) != Some(&b']') {
            return Ok((Next::Value, first));
        }
        if let Some(field) = self.field(node) {
            self.scratch.push(field, Kind::Composite, at, first + 1);
        }
        Ok((Next::After, self.close(first + 1)))
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

    /// What follows a value that ends before `at`, and where: a key, an element, or the end of the record.
    #[inline]
    fn after(&mut self, mut at: usize) -> Result<(Next, usize), Reject> {
        loop {
            at = json::skip_space(self.bytes, at);
            let Some(is_object) = self.scratch.walk.levels.last().map(|level| level.is_object) else {
                return Ok((Next::After, at));
            };
            match (self.bytes.get(at), is_object) {
                (Some(b','), true) => return Ok((Next::Key, json::skip_space(self.bytes, at + 1))),
                (Some(b','), false) => return Ok((Next::Value, json::skip_space(self.bytes, at + 1))),
                (Some(b'}'), true) | (Some(b']'), false) => at = self.close(at + 1),
                (Some(_), _) => return Err(Reject::NotJson),
                (None, _) => return Err(Reject::Truncated),
            }
        }
    }

    /// Reads a key and its colon: where its value starts, and its place in the trie.
    #[inline(always)]
    fn key(&mut self, at: usize) -> Result<(usize, NodeId), Reject> {
        self.expect(at, b'"')?;
        let end = json::mapped_string_end(self.bytes, at + 1, &mut self.scratch.walk.stops)?;
        let colon = json::skip_space(self.bytes, end.quote() + 1);
        self.expect(colon, b':')?;
        let (above, object) = self.scratch.walk.levels.last().map_or((NodeId::NONE, 0), |top| (top.node, top.object));
        let node = if above.is_none() { NodeId::NONE } else { self.step(at + 1, end, above, object)? };
        Ok((json::skip_space(self.bytes, colon + 1), node))
    }

    #[inline]
    fn expect(&self, at: usize, wanted: u8) -> Result<(), Reject> {
        match self.bytes.get(at) {
            Some(byte) if *byte == wanted => Ok(()),
            Some(_) => Err(Reject::NotJson),
            None => Err(Reject::Truncated),
        }
    }

    #[inline(always)]
    fn step(&mut self, at: usize, end: json::StrEnd, above: NodeId, object: u64) -> Result<NodeId, Reject> {
        let trie = self.fields.trie();
        let found = if end.escaped() {
            self.step_escaped(above, &self.text[at..end.quote()])
        } else {
            trie.step(above, &self.bytes[at..end.quote()])
        };
        let Some((edge, node)) = found else { return Ok(NodeId::NONE) };
        // Several keys may lead along an edge that is not counted.
        let Some(seen) = self.scratch.walk.seen.get_mut(edge) else { return Ok(node) };
        if *seen == object {
            return Err(Reject::DuplicateKey);
        }
        *seen = object;
        Ok(node)
    }

    #[cold]
    fn step_escaped(&self, above: NodeId, written: &str) -> Option<(usize, NodeId)> {
        let mut key = String::new();
        json::unescape(written, &mut key);
        self.fields.trie().step(above, key.as_bytes())
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
                let next = json::skip_space(bytes, end.quote() + 1);
                let body = &text[at + 1..end.quote()];
                if bytes.get(next) == Some(&b':') {
                    next + 1
                } else {
                    unescaped.clear();
                    if end.escaped() {
                        json::unescape(body, &mut unescaped);
                    }
                    f(if end.escaped() { &unescaped } else { body });
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
