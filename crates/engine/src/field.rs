//! Fields: the paths that rules and sources read, numbered once, and the trie that finds them in a record in one pass.
//!
//! In: paths such as `userIdentity.arn`. Out: [`Fields`], shared by all threads. Bound: the paths that content declares.

mod trie;

use rustc_hash::FxHashMap;

pub(crate) use trie::{NodeId, Trie};

/// A path that something declared. Only a [`FieldsBuilder`] makes one, so a compiled rule cannot name a ghost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Field(u32);

impl Field {
    /// The field of a number that [`Field::index`] gave.
    pub(crate) fn at(index: u32) -> Field {
        Field(index)
    }

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
    transparent: Vec<String>,
}

impl FieldsBuilder {
    /// An empty collection.
    pub fn new() -> FieldsBuilder {
        FieldsBuilder::default()
    }

    /// An empty collection for records in which some places are transparent: what stands there counts as standing at the top.
    ///
    /// Shape: a path such as `Event.EventData`; `*` as its last segment is any key. Keys below such a place are read with their
    /// spaces taken out, as Sigma's "Field Usage" says.
    pub fn with_transparent<'p>(paths: impl IntoIterator<Item = &'p str>) -> FieldsBuilder {
        let mut transparent: Vec<String> = paths.into_iter().map(plain).filter(|path| !path.is_empty()).collect();
        transparent.sort_unstable();
        transparent.dedup();
        FieldsBuilder { transparent, ..FieldsBuilder::default() }
    }

    /// The field of `path`; the same path always gives the same field.
    ///
    /// Shape: segments are separated by dots; the empty path is the record itself. Arrays are transparent, so the marks `[]`, `[*]`
    /// and `{}` after a segment are dropped, and so is a transparent place before it.
    pub fn intern(&mut self, path: &str) -> Field {
        let path = below(&plain(path), &self.transparent).to_owned();
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
        let trie = Trie::new(&self.names, &self.transparent);
        Fields { names: self.names, by_name: self.by_name, transparent: self.transparent, trie }
    }
}

fn plain(path: &str) -> String {
    let mut text = path.trim().to_owned();
    if !text.contains(['[', '{']) {
        return text;
    }
    for mark in ["[*]", "[]", "{}"] {
        text = text.replace(&format!("{mark}."), ".");
        text = text.strip_suffix(mark).unwrap_or(&text).to_owned();
    }
    text
}

/// The path as it stands below a transparent place, if it starts with one.
fn below<'p>(path: &'p str, transparent: &[String]) -> &'p str {
    let rest_of = |place: &String| {
        let mut rest = path;
        for segment in place.split('.') {
            let (first, after) = rest.split_once('.')?;
            rest = (segment == "*" || segment == first).then_some(after)?;
        }
        Some(rest)
    };
    match transparent.iter().filter_map(rest_of).min_by_key(|rest| rest.len()) {
        Some(rest) => below(rest, transparent),
        None => path,
    }
}

/// Every declared field, and the trie over their paths.
#[derive(Debug)]
pub struct Fields {
    names: Vec<String>,
    by_name: FxHashMap<String, Field>,
    transparent: Vec<String>,
    trie: Trie,
}

impl Fields {
    /// The field's path.
    pub fn name(&self, field: Field) -> &str {
        &self.names[field.index()]
    }

    /// The field of `path`, if it was declared.
    pub fn get(&self, path: &str) -> Option<Field> {
        let known = || self.by_name.get(below(&plain(path), &self.transparent)).copied();
        self.by_name.get(path).copied().or_else(known)
    }

    /// The field of exactly this path, if it was declared.
    #[inline]
    pub(crate) fn named(&self, path: &str) -> Option<Field> {
        self.by_name.get(path).copied()
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

    const PLACES: [&str; 3] = ["Event.System", "Event.EventData", "Event.UserData.*"];

    fn walk(fields: &Fields, keys: &[&str]) -> Option<Field> {
        let mut node = NodeId::ROOT;
        for key in keys {
            node = fields.trie().step(node, key.as_bytes())?.1;
        }
        fields.trie().field(node)
    }

    #[test]
    fn what_stands_at_a_transparent_place_stands_at_the_top() {
        let mut builder = FieldsBuilder::with_transparent(PLACES);
        let command = builder.intern("CommandLine");
        assert_eq!(builder.intern("Event.EventData.CommandLine"), command);
        assert_eq!(builder.intern("Event.UserData.LogFileCleared.CommandLine"), command);
        let name = builder.intern("Event.System.Provider.#attributes.Name");
        let place = builder.intern("Event.EventData");
        let fields = builder.build();
        assert_eq!(fields.name(name), "Provider.#attributes.Name");
        assert_eq!(fields.get("Event.System.CommandLine"), Some(command));
        assert_ne!(Some(place), Some(command));
        for keys in [&["CommandLine"][..], &["Event", "EventData", "CommandLine"], &["Event.EventData", "CommandLine"]]
        {
            assert_eq!(walk(&fields, keys), Some(command), "{keys:?}");
        }
        assert_eq!(walk(&fields, &["Event", "UserData", "Anything", "CommandLine"]), Some(command));
        assert_eq!(walk(&fields, &["Event", "System", "Provider", "#attributes", "Name"]), Some(name));
        assert_eq!(walk(&fields, &["Event", "EventData"]), Some(place));
        assert_eq!(walk(&fields, &["Event", "CommandLine"]), None);
        assert_eq!(walk(&fields, &["Event", "UserData", "CommandLine"]), None);
    }

    #[test]
    fn spaces_in_keys_are_taken_out_at_transparent_places_only() {
        let mut builder = FieldsBuilder::with_transparent(PLACES);
        let value = builder.intern("NewValue");
        let fields = builder.build();
        assert_eq!(walk(&fields, &["Event", "EventData", "New Value"]), Some(value));
        assert_eq!(walk(&fields, &["Event", "UserData", "X", " New  Value "]), Some(value));
        assert_eq!(walk(&fields, &["New Value"]), None);
        assert_eq!(walk(&fields, &["Event", "EventData", &"New ".repeat(1000)]), None);
    }

    #[test]
    fn each_transparent_place_counts_its_own_keys() {
        let mut builder = FieldsBuilder::with_transparent(PLACES);
        builder.intern("EventID");
        let fields = builder.build();
        let edge = |node: NodeId, key: &str| fields.trie().step(node, key.as_bytes()).expect("an edge");
        let (event, system) = (edge(NodeId::ROOT, "Event").1, |event| edge(event, "System").1);
        let (at_top, below) = (edge(NodeId::ROOT, "EventID").0, edge(system(event), "EventID").0);
        assert_ne!(at_top, below, "or a key that stands twice could hide behind one below");
        assert!(at_top.max(below) < fields.trie().edges());
    }
}
