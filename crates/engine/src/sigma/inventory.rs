use std::collections::BTreeMap;

use model::Time;

/// What the lab has, by name: the lists that `|expand` puts in the place of `%name%`.
///
/// Shape: values are Sigma strings, so `*` and `?` are wildcards in them. An empty list is known and matches nothing. A value may end:
/// it then counts for events that are older than its end, whenever they are evaluated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    lists: BTreeMap<String, Vec<String>>,
    /// When values end, by list and value.
    ends: BTreeMap<String, BTreeMap<String, Time>>,
}

impl Inventory {
    /// An inventory that knows nothing.
    pub fn new() -> Inventory {
        Inventory::default()
    }

    /// The list called `name`, with the values that end.
    pub fn get(&self, name: &str) -> Option<&[String]> {
        self.lists.get(name).map(Vec::as_slice)
    }

    /// Sets the list called `name`, of which no value ends.
    pub fn insert(&mut self, name: impl Into<String>, values: Vec<String>) {
        let name = name.into();
        self.ends.remove(&name);
        self.lists.insert(name, values);
    }

    /// Says that a value of the list called `name` ends at `end`.
    pub fn set_end(&mut self, name: &str, value: impl Into<String>, end: Time) {
        self.ends.entry(name.to_owned()).or_default().insert(value.into(), end);
    }

    /// When the value of the list ends, if it does.
    pub fn end_of(&self, name: &str, value: &str) -> Option<Time> {
        self.ends.get(name)?.get(value).copied()
    }

    /// Does any value end?
    pub(crate) fn has_ends(&self) -> bool {
        !self.ends.is_empty()
    }

    /// When values of the list called `name` end.
    pub(crate) fn ends_of(&self, name: &str) -> impl Iterator<Item = Time> {
        self.ends.get(name).into_iter().flat_map(|ends| ends.values().copied())
    }

    /// Only what never ends, and what ends at `end` or later.
    pub(crate) fn lasting(&self, end: Option<Time>) -> Inventory {
        let mut lasting = Inventory { lists: self.lists.clone(), ends: BTreeMap::new() };
        for (name, ends) in &self.ends {
            let lasts = |value: &String| ends.get(value).is_none_or(|theirs| end.is_some_and(|end| *theirs >= end));
            if let Some(values) = lasting.lists.get_mut(name) {
                values.retain(lasts);
            }
        }
        lasting
    }

    /// Every name, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.lists.keys().map(String::as_str)
    }
}

impl FromIterator<(String, Vec<String>)> for Inventory {
    fn from_iter<T: IntoIterator<Item = (String, Vec<String>)>>(lists: T) -> Inventory {
        Inventory { lists: lists.into_iter().collect(), ends: BTreeMap::new() }
    }
}
