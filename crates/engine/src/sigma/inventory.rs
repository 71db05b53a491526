use std::collections::BTreeMap;

/// What the lab has, by name: the lists that `|expand` puts in the place of `%name%`.
///
/// Shape: values are Sigma strings, so `*` and `?` are wildcards in them. An empty list is known and matches nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory(pub BTreeMap<String, Vec<String>>);

impl Inventory {
    /// An inventory that knows nothing.
    pub fn new() -> Inventory {
        Inventory::default()
    }

    /// The list called `name`.
    pub fn get(&self, name: &str) -> Option<&[String]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// Sets the list called `name`.
    pub fn insert(&mut self, name: impl Into<String>, values: Vec<String>) {
        self.0.insert(name.into(), values);
    }

    /// Every name, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl FromIterator<(String, Vec<String>)> for Inventory {
    fn from_iter<T: IntoIterator<Item = (String, Vec<String>)>>(lists: T) -> Inventory {
        Inventory(lists.into_iter().collect())
    }
}
