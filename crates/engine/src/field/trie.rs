//! The trie over the paths of all fields: where a key leads, one look-up each.
//!
//! In: a node and a key. Out: the next node. Bound: the paths that content declares, and a few numbers for each transparent place.
//! Transparent places share the edges of the root, so that what stands there is found as if it stood at the top, at no cost.

use std::collections::{BTreeMap, BTreeSet};

use super::Field;

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

#[derive(Clone, Copy, Debug)]
struct Node {
    field: Option<Field>,
    slots: u32,
    mask: u32,
    edges: u32,
    /// What sets the numbers of its edges apart from those of the root, whose edges a transparent place shares.
    shift: u32,
    /// Where a key without an edge leads.
    other: Other,
}

/// Where a key without an edge leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Other {
    /// Off the trie.
    Nowhere,
    /// Where it leads without its spaces.
    Unspaced,
    /// Always here.
    To(NodeId),
}

/// The number of an edge whose keys are not counted: several keys lead along it.
const UNCOUNTED: usize = usize::MAX;
/// Longer keys keep their spaces.
const UNSPACED_BYTES: usize = 128;

/// A place of a node's table: nearly every key is told by its length and its ends, without a look at the edge.
#[derive(Clone, Copy, Debug)]
struct Slot {
    key: Ends,
    edge: u32,
    node: NodeId,
}

const VACANT: Slot = Slot { key: Ends { head: 0, tail: 0, length: 0 }, edge: u32::MAX, node: NodeId::NONE };

/// A graph over the prefixes of all paths. From prefix `a`, the key `b` leads to `a.b` and the literal key `b.c` to `a.b.c`,
/// so that records whose keys hold dots (`authorization.k8s.io/decision`) are met as well.
#[derive(Debug)]
pub(crate) struct Trie {
    nodes: Vec<Node>,
    /// The keys of all edges, by number.
    keys: Vec<Box<[u8]>>,
    slots: Vec<Slot>,
    /// How many numbers of edges there are.
    counted: usize,
}

impl Trie {
    pub(super) fn new(names: &[String], transparent: &[String]) -> Trie {
        let mut prefixes: BTreeSet<&str> = BTreeSet::from([""]);
        let places = transparent.iter().map(|place| place.strip_suffix(".*").unwrap_or(place));
        for name in names.iter().map(String::as_str).chain(places).filter(|name| !name.is_empty()) {
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
        let mut trie = Trie { nodes: Vec::new(), keys: Vec::new(), slots: Vec::new(), counted: 0 };
        for (prefix, edges) in ids.keys().zip(&out) {
            trie.add(fields.get(prefix).copied(), edges);
        }
        trie.counted = trie.keys.len();
        for place in transparent {
            match place.strip_suffix(".*") {
                None => trie.share(ids[place.as_str()] as usize),
                Some(above) => {
                    let below = trie.nodes.len();
                    trie.nodes.push(Node { field: None, ..trie.nodes[0] });
                    trie.share(below);
                    trie.nodes[ids[above] as usize].other = Other::To(NodeId(below as u32));
                }
            }
        }
        trie
    }

    /// Makes a node transparent: it has the root's edges, under numbers of its own.
    fn share(&mut self, node: usize) {
        let root = self.nodes[0];
        let shift = (self.counted) as u32;
        self.nodes[node] = Node { field: self.nodes[node].field, shift, other: Other::Unspaced, ..root };
        self.counted += root.edges as usize;
    }

    fn add(&mut self, field: Option<Field>, edges: &[(&str, u32)]) {
        let size = (edges.len() * 2).next_power_of_two().max(2);
        let (slots, mask) = (self.slots.len() as u32, size as u32 - 1);
        self.slots.resize(self.slots.len() + size, VACANT);
        for &(key, node) in edges {
            let ends = Ends::of(key.as_bytes());
            let mut at = ends.hash() & mask;
            while self.slots[(slots + at) as usize].edge != u32::MAX {
                at = (at + 1) & mask;
            }
            self.slots[(slots + at) as usize] = Slot { key: ends, edge: self.keys.len() as u32, node: NodeId(node) };
            self.keys.push(key.as_bytes().into());
        }
        self.nodes.push(Node { field, slots, mask, edges: edges.len() as u32, shift: 0, other: Other::Nowhere });
    }

    /// The number of the edge, and the node, that `key` leads to from `node`. A number from [`Trie::edges`] on is not counted.
    #[inline(always)]
    pub(crate) fn step(&self, node: NodeId, key: &[u8]) -> Option<(usize, NodeId)> {
        let from = &self.nodes[node.0 as usize];
        match self.find(from, key) {
            None if from.other != Other::Nowhere => self.other(from, key),
            found => found,
        }
    }

    #[inline(always)]
    fn find(&self, from: &Node, key: &[u8]) -> Option<(usize, NodeId)> {
        let ends = Ends::of(key);
        let mut at = ends.hash() & from.mask;
        loop {
            let slot = self.slots.get((from.slots + at) as usize)?;
            if slot.edge == u32::MAX {
                return None;
            }
            if slot.key == ends && (key.len() <= 16 || self.is_key(slot.edge, key)) {
                return Some(((slot.edge + from.shift) as usize, slot.node));
            }
            at = (at + 1) & from.mask;
        }
    }

    #[inline(never)]
    fn is_key(&self, edge: u32, key: &[u8]) -> bool {
        *self.keys[edge as usize] == *key
    }

    #[cold]
    fn other(&self, from: &Node, key: &[u8]) -> Option<(usize, NodeId)> {
        if let Other::To(node) = from.other {
            return Some((UNCOUNTED, node));
        }
        let mut unspaced = [0; UNSPACED_BYTES];
        if key.len() > UNSPACED_BYTES || !key.contains(&b' ') {
            return None;
        }
        let mut length = 0;
        for byte in key.iter().filter(|byte| **byte != b' ') {
            unspaced[length] = *byte;
            length += 1;
        }
        self.find(from, &unspaced[..length]).map(|(_, node)| (UNCOUNTED, node))
    }

    #[inline]
    pub(crate) fn field(&self, node: NodeId) -> Option<Field> {
        self.nodes[node.0 as usize].field
    }

    #[inline]
    pub(crate) fn has_children(&self, node: NodeId) -> bool {
        self.nodes[node.0 as usize].edges > 0 || self.nodes[node.0 as usize].other != Other::Nowhere
    }

    /// How many numbers of edges there are.
    pub(crate) fn edges(&self) -> usize {
        self.counted
    }
}

/// A key's first and last eight bytes and its length: the whole key, where it has sixteen bytes or less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ends {
    head: u64,
    tail: u64,
    length: u32,
}

impl Ends {
    #[inline(always)]
    fn of(key: &[u8]) -> Ends {
        let (head, tail) = match (key.first_chunk::<8>(), key.last_chunk::<8>()) {
            (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
            _ => match (key.first_chunk::<4>(), key.last_chunk::<4>()) {
                (Some(head), Some(tail)) => {
                    (u64::from(u32::from_le_bytes(*head)), u64::from(u32::from_le_bytes(*tail)))
                }
                _ => (key.iter().fold(0, |all, &byte| (all << 8) | u64::from(byte)), 0),
            },
        };
        Ends { head, tail, length: key.len() as u32 }
    }

    /// Cheap. Tables are at most half full, so a poor hash costs time only.
    #[inline(always)]
    fn hash(self) -> u32 {
        let mixed = (self.head ^ u64::from(self.length) << 56).wrapping_mul(0x9E37_79B9_7F4A_7C15)
            ^ self.tail.wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
        (mixed >> 32) as u32 ^ (mixed as u32).rotate_left(7)
    }
}
