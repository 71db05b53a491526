//! Fields: the paths that rules and sources read, numbered once, and the trie that finds them in a record in one pass.
//!
//! In: paths such as `userIdentity.arn`. Out: [`Fields`], shared by all threads. Bound: the paths that content declares.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

/// A path that something declared. Only a [`FieldsBuilder`] makes one, so a compiled rule cannot name a ghost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Field(u32);

impl Field {
    /// The field's number, from 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Collects the paths that rules and sources read.
#[derive(Debug, Default)]
pub struct FieldsBuilder {
    names: Vec<String>,
    by_name: FxHashMap<String, Field>,
}

impl FieldsBuilder {
    /// An empty collection.
    pub fn new() -> FieldsBuilder {
        FieldsBuilder::default()
    }

    /// The field of `path`; the same path always gives the same field.
    ///
    /// Shape: segments are separated by dots; the empty path is the record itself. Arrays are transparent, so the marks `[]`, `[*]` and `{}` after a segment are dropped.
    pub fn intern(&mut self, path: &str) -> Field {
        let path = plain(path);
        if let Some(&field) = self.by_name.get(&path) {
            return field;
        }
        let field = Field(u32::try_from(self.names.len()).expect("content declares fewer than 2^32 fields"));
        self.names.push(path.clone());
        self.by_name.insert(path, field);
        field
    }

    /// Ends the collection and lays out the trie.
    pub fn build(self) -> Fields {
        let trie = Trie::new(&self.names);
        Fields { names: self.names, by_name: self.by_name, trie }
    }
}

fn plain(path: &str) -> String {
    let mut text = path.trim().to_owned();
    for mark in ["[*]", "[]", "{}"] {
        text = text.replace(&format!("{mark}."), ".");
        text = text.strip_suffix(mark).unwrap_or(&text).to_owned();
    }
    text
}

/// Every declared field, and the trie over their paths.
#[derive(Debug)]
pub struct Fields {
    names: Vec<String>,
    by_name: FxHashMap<String, Field>,
    trie: Trie,
}

impl Fields {
    /// The field's path.
    pub fn name(&self, field: Field) -> &str {
        &self.names[field.index()]
    }

    /// The field of `path`, if it was declared.
    pub fn get(&self, path: &str) -> Option<Field> {
        self.by_name.get(path).copied().or_else(|| self.by_name.get(&plain(path)).copied())
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Is there no field?
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub(crate) fn trie(&self) -> &Trie {
        &self.trie
    }
}

/// A place in the trie: what has been read of a path so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeId(u32);

impl NodeId {
    pub(crate) const ROOT: NodeId = NodeId(0);
    /// Off the trie: nothing below is read.
    pub(crate) const NONE: NodeId = NodeId(u32::MAX);

    pub(crate) fn is_none(self) -> bool {
        self == NodeId::NONE
    }
}

#[derive(Debug)]
struct Node {
    field: Option<Field>,
    slots: u32,
    mask: u32,
    edges: u32,
}

#[derive(Debug)]
struct Edge {
    key: Box<[u8]>,
    node: NodeId,
}

/// A graph over the prefixes of all paths. From prefix `a`, the key `b` leads to `a.b` and the literal key `b.c` to `a.b.c`,
/// so that records whose keys hold dots (`authorization.k8s.io/decision`) are met as well.
#[derive(Debug)]
pub(crate) struct Trie {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    slots: Vec<u32>,
}

impl Trie {
    fn new(names: &[String]) -> Trie {
        let mut prefixes: BTreeSet<&str> = BTreeSet::from([""]);
        for name in names.iter().filter(|name| !name.is_empty()) {
            prefixes.extend(name.match_indices('.').map(|(at, _)| &name[..at]));
            prefixes.insert(name);
        }
        let ids: BTreeMap<&str, u32> = prefixes.iter().zip(0..).map(|(prefix, id)| (*prefix, id)).collect();
        let fields: BTreeMap<&str, Field> =
            names.iter().zip(0..).map(|(name, id)| (name.as_str(), Field(id))).collect();
        let mut out: Vec<Vec<(&str, u32)>> = vec![Vec::new(); ids.len()];
        for (prefix, &id) in ids.iter().filter(|(prefix, _)| !prefix.is_empty()) {
            out[0].push((prefix, id));
            for (at, _) in prefix.match_indices('.') {
                out[ids[&prefix[..at]] as usize].push((&prefix[at + 1..], id));
            }
        }
        let mut trie = Trie { nodes: Vec::new(), edges: Vec::new(), slots: Vec::new() };
        for (prefix, edges) in ids.keys().zip(&out) {
            trie.add(fields.get(prefix).copied(), edges);
        }
        trie
    }

    fn add(&mut self, field: Option<Field>, edges: &[(&str, u32)]) {
        let size = (edges.len() * 2).next_power_of_two().max(2);
        let (slots, mask) = (self.slots.len() as u32, size as u32 - 1);
        self.slots.resize(self.slots.len() + size, u32::MAX);
        for &(key, node) in edges {
            let mut at = hash(key.as_bytes()) & mask;
            while self.slots[(slots + at) as usize] != u32::MAX {
                at = (at + 1) & mask;
            }
            self.slots[(slots + at) as usize] = self.edges.len() as u32;
            self.edges.push(Edge { key: key.as_bytes().into(), node: NodeId(node) });
        }
        self.nodes.push(Node { field, slots, mask, edges: edges.len() as u32 });
    }

    /// The edge and node that `key` leads to from `node`.
    #[inline]
    pub(crate) fn step(&self, node: NodeId, key: &[u8]) -> Option<(usize, NodeId)> {
        let from = &self.nodes[node.0 as usize];
        let mut at = hash(key) & from.mask;
        loop {
            let edge = self.slots[(from.slots + at) as usize];
            if edge == u32::MAX {
                return None;
            }
            let found = &self.edges[edge as usize];
            if *found.key == *key {
                return Some((edge as usize, found.node));
            }
            at = (at + 1) & from.mask;
        }
    }

    #[inline]
    pub(crate) fn field(&self, node: NodeId) -> Option<Field> {
        self.nodes[node.0 as usize].field
    }

    #[inline]
    pub(crate) fn has_children(&self, node: NodeId) -> bool {
        self.nodes[node.0 as usize].edges > 0
    }

    pub(crate) fn edges(&self) -> usize {
        self.edges.len()
    }
}

/// A cheap hash of a key: its ends and its length. Tables are at most half full, so a poor hash costs time only.
#[inline]
fn hash(key: &[u8]) -> u32 {
    let n = key.len();
    let (head, tail) = match (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
        _ => match (key.first_chunk::<4>(), key.last_chunk::<4>()) {
            (Some(head), Some(tail)) => (u64::from(u32::from_le_bytes(*head)), u64::from(u32::from_le_bytes(*tail))),
            _ => (key.iter().fold(0, |all, &byte| (all << 8) | u64::from(byte)), 0),
        },
    };
    let mixed =
        (head ^ (n as u64) << 56).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ tail.wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
    (mixed >> 32) as u32 ^ (mixed as u32).rotate_left(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_path_is_the_same_field() {
        let mut builder = FieldsBuilder::new();
        let arn = builder.intern("userIdentity.arn");
        assert_eq!(builder.intern("userIdentity.arn"), arn);
        let items = builder.intern("a.items{}.b[]");
        let fields = builder.build();
        assert_eq!(fields.name(items), "a.items.b");
        assert_eq!(fields.get("a.items.b"), Some(items));
        assert_eq!(fields.get("a"), None);
        assert_eq!(fields.len(), 2);
    }

    #[test]
    fn keys_with_dots_lead_to_the_same_place() {
        let mut builder = FieldsBuilder::new();
        let field = builder.intern("annotations.authorization.k8s.io/decision");
        let fields = builder.build();
        let trie = fields.trie();
        let walk = |keys: &[&str]| {
            let mut node = NodeId::ROOT;
            for key in keys {
                node = trie.step(node, key.as_bytes())?.1;
            }
            trie.field(node)
        };
        assert_eq!(walk(&["annotations", "authorization.k8s.io/decision"]), Some(field));
        assert_eq!(walk(&["annotations", "authorization", "k8s", "io/decision"]), Some(field));
        assert_eq!(walk(&["annotations.authorization.k8s.io/decision"]), Some(field));
        assert_eq!(walk(&["annotations.authorization"]), None);
    }
}
