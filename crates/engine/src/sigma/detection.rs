use serde::Serialize;

use super::modifier::Modifiers;

/// The logic of a rule or filter: named searches and the conditions over them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Detection {
    /// The searches, in the author's order.
    pub searches: Vec<Search>,
    /// The conditions; any of them suffices.
    pub conditions: Vec<Condition>,
}

impl Detection {
    /// The search called `name`.
    pub fn search(&self, name: &str) -> Option<&Search> {
        self.searches.iter().find(|search| search.name == name)
    }

    /// Every field that the searches read, with repeats: the item's own and the one that `fieldref` names.
    pub fn fields(&self) -> Vec<&str> {
        let mut fields = Vec::new();
        for search in &self.searches {
            search.body.each_item(&mut |item| {
                fields.extend(item.field.as_deref());
                if item.modifiers.is_field_reference() {
                    fields.extend(item.values.iter().filter_map(Value::as_text));
                }
            });
        }
        fields
    }
}

/// A search identifier with what it looks for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Search {
    /// Its name in conditions.
    pub name: String,
    /// The line of its name.
    pub line: usize,
    /// What it looks for.
    pub body: Group,
}

/// Items joined by AND (maps) or OR (lists).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// Every part must hold: the entries of a map.
    All(Vec<Group>),
    /// One part must hold: the elements of a list.
    Any(Vec<Group>),
    /// One field with its values, or keywords.
    Item(Item),
}

impl Group {
    /// Visits every item, in the author's order.
    pub fn each_item<'a>(&'a self, visit: &mut dyn FnMut(&'a Item)) {
        match self {
            Group::All(parts) | Group::Any(parts) => parts.iter().for_each(|part| part.each_item(visit)),
            Group::Item(item) => visit(item),
        }
    }
}

/// One field with modifiers and values, or keywords where there is no field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Item {
    /// The field's path; `None` searches the whole event.
    pub field: Option<String>,
    /// What is done to the values before they are compared.
    pub modifiers: Modifiers,
    /// The values, joined by OR, or by AND under `all`.
    pub values: Vec<Value>,
    /// The line of the item.
    pub line: usize,
    /// The column of the item.
    pub column: usize,
}

/// A value of a rule, as YAML types it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// `null`: the field is absent or null.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as the author wrote it.
    Number(String),
    /// Text, in which `*` and `?` are wildcards.
    Text(String),
}

impl Value {
    /// The text of a text value.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value as its author would read it.
    pub fn display(&self) -> String {
        match self {
            Value::Null => "null".to_owned(),
            Value::Bool(is_set) => is_set.to_string(),
            Value::Number(lexeme) => lexeme.clone(),
            Value::Text(text) => format!("\"{text}\""),
        }
    }
}

/// A condition over searches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// A search, by its index in [`Detection::searches`].
    Search(usize),
    /// The part must not hold.
    Not(Box<Condition>),
    /// Every part must hold.
    And(Vec<Condition>),
    /// One part must hold.
    Or(Vec<Condition>),
    /// `1 of`, `all of` or `N of` some searches.
    Of(Of),
}

/// A quantifier over searches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Of {
    /// At least so many must hold; `None` means all of them.
    pub least: Option<usize>,
    /// The pattern as written: `them`, `selection_*`.
    pub pattern: String,
    /// The searches that the pattern names, by index.
    pub searches: Vec<usize>,
}
