use model::RuleId;
use serde::Serialize;


/// Why a rule held or did not hold for an event, down to each term.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The rule's id.
    pub rule: RuleId,
    /// The rule's title.
    pub title: String,
    /// Did the rule hold?
    pub held: bool,
    /// The condition, with what it is made of.
    pub tree: Node,
}

/// A part of a condition.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Node {
    /// What the part is: `all of`, `not`, `search selection`, a term as text.
    pub label: String,
    /// Did it hold?
    pub held: bool,
    /// What it is made of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Node>,
    /// The term, where the part is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term: Option<Term>,
}

/// A term: one field, what was expected of it and what was there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Term {
    /// The field as the rule names it; empty for keywords.
    pub field: String,
    /// The modifiers, in order.
    pub modifiers: Vec<String>,
    /// The values of the rule.
    pub expected: Vec<String>,
    /// The values of the record, each cut to 256 characters.
    pub seen: Vec<String>,
    /// Did it hold?
    pub held: bool,
    /// Why, in a few words.
    pub note: String,
}
