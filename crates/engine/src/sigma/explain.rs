//! Why a rule held or did not hold: the condition as a tree, down to each term with the values that were there.

use model::{MatchedTerm, RuleId, Time};
use serde::Serialize;

use super::atom;
use super::bounds::SHOWN_CHARS_MAX;
use super::detection::{Condition, Detection, Group, Item, Of, Value};
use super::modifier::Modifier;
use super::node::NodeId;
use super::program::{CompiledItem, Memo, Program};
use super::ruleset::RuleIndex;
use super::test::Test;
use crate::field::Field;
use crate::record::Record;

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
    /// What the part is: `all of these`, `not`, `search selection`, a term as text.
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

/// Values of a record or rule that an explanation shows of one term.
const SHOWN_VALUES_MAX: usize = 20;

impl Explanation {
    /// The explanation as text for a terminal, without colours: one line a part, `+` where it held and `-` where not.
    pub fn render(&self) -> String {
        let verdict = if self.held { "holds" } else { "does not hold" };
        let mut text = format!("{}: {verdict}\n", self.title);
        self.tree.render(1, &mut text);
        text
    }
}

impl Node {
    fn render(&self, depth: usize, text: &mut String) {
        let mark = if self.held { '+' } else { '-' };
        text.push_str(&format!("{:width$}{mark} {}\n", "", self.label, width = depth * 2));
        if let Some(term) = &self.term {
            text.push_str(&format!("{:width$}{}\n", "", term.note, width = depth * 2 + 4));
        }
        self.children.iter().for_each(|child| child.render(depth + 1, text));
    }
}

impl Program {
    /// Why a rule holds or does not hold for `record`, with every value of its lists, ended or not.
    pub fn explain(&self, rule: RuleIndex, record: &Record<'_>) -> Explanation {
        self.explain_at(rule, record, Time::default())
    }

    /// As [`Program::explain`], for an event that happened at `time`.
    pub fn explain_at(&self, rule: RuleIndex, record: &Record<'_>, time: Time) -> Explanation {
        let compiled = self.rule(rule);
        let (memo, items) = (self.fresh_memo(time), compiled.items.iter());
        let mut teller = Teller { program: self, record, memo, items, shown: &as_it_is };
        let mut tree = teller.detection(&compiled.rule.detection);
        if !compiled.filters.is_empty() {
            let mut children = vec![tree];
            for filter in &compiled.filters {
                let inner = teller.detection(&filter.detection);
                let label = format!("filter `{}`", filter.title);
                children.push(Node { label, held: inner.held, children: vec![inner], term: None });
            }
            tree = joined("all of these", children.iter().all(|child| child.held), children);
        }
        Explanation { rule: compiled.rule.id.clone(), title: compiled.rule.title.clone(), held: tree.held, tree }
    }

    /// The terms of a rule that hold for `record`, with the values that made them hold.
    ///
    /// Shape: terms of searches that hold and that no `not` takes out, in the rule's order; none where the rule does not hold. What `shown`
    /// makes of a value, where it stands and what it says, is what a term shows of it.
    pub fn matched_terms(&self, rule: RuleIndex, record: &Record<'_>, shown: &Shown<'_>) -> Vec<MatchedTerm> {
        self.matched_terms_at(rule, record, Time::default(), shown)
    }

    /// As [`Program::matched_terms`], for an event that happened at `time`.
    pub fn matched_terms_at(
        &self,
        rule: RuleIndex,
        record: &Record<'_>,
        time: Time,
        shown: &Shown<'_>,
    ) -> Vec<MatchedTerm> {
        let compiled = self.rule(rule);
        let detection = &compiled.rule.detection;
        let mut memo = self.fresh_memo(time);
        if !self.holds(compiled.root, record, &mut memo) {
            return Vec::new();
        }
        let mut wanted = vec![false; detection.searches.len()];
        detection.conditions.iter().for_each(|condition| mark(condition, &mut wanted));
        let mut teller = Teller { program: self, record, memo, items: compiled.items.iter(), shown };
        let mut terms = Vec::new();
        for (search, is_wanted) in detection.searches.iter().zip(wanted) {
            let mut found = Vec::new();
            if teller.collect(&search.body, &search.name, &mut found) && is_wanted {
                terms.append(&mut found);
            }
        }
        terms
    }
}

/// Marks the searches that a condition asks for, rather than against.
fn mark(condition: &Condition, wanted: &mut [bool]) {
    match condition {
        Condition::Search(search) => wanted[*search] = true,
        Condition::Not(_) => {}
        Condition::And(parts) | Condition::Or(parts) => parts.iter().for_each(|part| mark(part, wanted)),
        Condition::Of(of) => of.searches.iter().for_each(|search| wanted[*search] = true),
    }
}

fn joined(label: impl Into<String>, held: bool, children: Vec<Node>) -> Node {
    Node { label: label.into(), held, children, term: None }
}

/// What is shown of a value: from where it stands in the raw record, quotes included, and what it says.
pub type Shown<'f> = dyn Fn((usize, usize), &str) -> String + 'f;

/// Shows a value as it is.
pub fn as_it_is(_span: (usize, usize), value: &str) -> String {
    value.to_owned()
}

/// Walks a rule beside its compiled items, which stand in the same order.
struct Teller<'p, 'r, I> {
    program: &'p Program,
    record: &'r Record<'r>,
    memo: Memo,
    items: I,
    shown: &'r Shown<'r>,
}

impl<'p, I: Iterator<Item = &'p CompiledItem>> Teller<'p, '_, I> {
    fn detection(&mut self, detection: &Detection) -> Node {
        let searches: Vec<Node> = detection
            .searches
            .iter()
            .map(|search| {
                let body = self.group(&search.body);
                joined(format!("search `{}`", search.name), body.held, vec![body])
            })
            .collect();
        let mut conditions: Vec<Node> =
            detection.conditions.iter().map(|condition| tell(condition, &searches)).collect();
        if conditions.len() == 1 {
            return conditions.remove(0);
        }
        joined("any of these conditions", conditions.iter().any(|condition| condition.held), conditions)
    }

    fn group(&mut self, group: &Group) -> Node {
        match group {
            Group::All(parts) => {
                let children: Vec<Node> = parts.iter().map(|part| self.group(part)).collect();
                joined("all of these", children.iter().all(|child| child.held), children)
            }
            Group::Any(parts) => {
                let children: Vec<Node> = parts.iter().map(|part| self.group(part)).collect();
                joined("any of these", children.iter().any(|child| child.held), children)
            }
            Group::Item(item) => {
                let compiled = self.items.next().expect("compile keeps one item for each item of the rule");
                self.item(item, compiled)
            }
        }
    }

    fn holds(&mut self, node: NodeId) -> bool {
        self.program.holds(node, self.record, &mut self.memo)
    }

    fn item(&mut self, item: &Item, compiled: &CompiledItem) -> Node {
        let held = self.holds(compiled.node);
        let seen: Vec<String> = match compiled.field {
            Some(field) => self.values(field).take(SHOWN_VALUES_MAX).collect(),
            None => self.keyword_values(item, compiled),
        };
        let term = Term {
            field: item.field.clone().unwrap_or_default(),
            modifiers: item.modifiers.iter().map(|modifier| modifier.as_str().to_owned()).collect(),
            expected: item.values.iter().map(Value::display).collect(),
            note: note(item, held, &seen),
            seen,
            held,
        };
        Node { label: label(item), held, children: Vec::new(), term: Some(term) }
    }

    fn keyword_values(&mut self, item: &Item, compiled: &CompiledItem) -> Vec<String> {
        let mut seen: Vec<String> =
            (0..item.values.len()).filter_map(|value| self.value_seen(item, compiled, value)).collect();
        seen.dedup();
        seen.truncate(SHOWN_VALUES_MAX);
        seen
    }

    /// Collects the terms of a group that hold; says whether the group holds.
    fn collect(&mut self, group: &Group, search: &str, terms: &mut Vec<MatchedTerm>) -> bool {
        match group {
            Group::All(parts) => {
                // Every part is walked, so that the compiled items stay in step.
                let held: Vec<bool> = parts.iter().map(|part| self.collect(part, search, terms)).collect();
                held.into_iter().all(|held| held)
            }
            Group::Any(parts) => {
                let mut any = false;
                for part in parts {
                    let mut found = Vec::new();
                    if self.collect(part, search, &mut found) {
                        any = true;
                        terms.append(&mut found);
                    }
                }
                any
            }
            Group::Item(item) => {
                let compiled = self.items.next().expect("compile keeps one item for each item of the rule");
                let held = self.holds(compiled.node);
                if held {
                    self.terms(item, compiled, search, terms);
                }
                held
            }
        }
    }

    fn terms(&mut self, item: &Item, compiled: &CompiledItem, search: &str, terms: &mut Vec<MatchedTerm>) {
        let term = |test: String, value: String| MatchedTerm {
            search: search.to_owned(),
            field: item.field.clone().unwrap_or_default(),
            test,
            value,
        };
        if item.modifiers.has(Modifier::Neq) {
            let values: Vec<String> = compiled.field.into_iter().flat_map(|field| self.values(field)).collect();
            let value = if values.is_empty() { "(absent)".to_owned() } else { values.join(", ") };
            terms.push(term(describe_all(item), cut(&value)));
            return;
        }
        let is_all = item.modifiers.has(Modifier::All);
        for value in 0..item.values.len() {
            if let Some(seen) = self.value_seen(item, compiled, value) {
                terms.push(term(describe(item, &item.values[value]), seen));
                if !is_all {
                    return;
                }
            }
        }
    }

    /// The record's value that one value of the rule fits, if it does.
    fn value_seen(&mut self, item: &Item, compiled: &CompiledItem, value: usize) -> Option<String> {
        if let Some(node) = compiled.each.get(value) {
            return self.seen_by(*node);
        }
        let ends = atom::ends_of(item, &self.program.inventory);
        if ends.is_empty()
            && let [_] = item.values[..]
        {
            let node = if item.modifiers.has(Modifier::Neq) { self.inner_of(compiled.node) } else { compiled.node };
            return self.seen_by(node);
        }
        let next_end = ends.into_iter().find(|end| *end > self.memo.time());
        let lasting = self.program.inventory.has_ends().then(|| self.program.inventory.lasting(next_end));
        let atoms = atom::of_value(
            &item.modifiers,
            compiled.field.is_some(),
            &item.values[value],
            Some(lasting.as_ref().unwrap_or(&self.program.inventory)),
        );
        let test = Test::new(&atoms.ok()?, &mut |_| unreachable!("field references are kept apart by compile"));
        self.seen_in(compiled, &test.ok()?)
    }

    fn inner_of(&self, node: NodeId) -> NodeId {
        match self.program.nodes[node.0 as usize] {
            super::node::Node::Not(inner) => inner,
            _ => node,
        }
    }

    fn seen_by(&mut self, node: NodeId) -> Option<String> {
        let super::node::Node::Predicate(predicate) = self.program.nodes[node.0 as usize] else { return None };
        let predicate = &self.program.predicates[predicate as usize];
        let compiled = CompiledItem { field: predicate.field, node, each: Vec::new() };
        self.seen_in(&compiled, &predicate.test)
    }

    fn seen_in(&mut self, compiled: &CompiledItem, test: &Test) -> Option<String> {
        let (record, buffers) = (self.record, &mut self.memo.buffers);
        let Some(field) = compiled.field else {
            let mut seen = None;
            record.for_each_placed_leaf(&mut |leaf, span| {
                if seen.is_none() && test.holds_leaf(leaf, record, &mut buffers.pair) {
                    seen = Some(cut(&(self.shown)(span, leaf)));
                }
            });
            return seen;
        };
        let mut values = record.values(field).zip(record.spans(field));
        if let Some((value, span)) = values.find(|(value, _)| test.holds_value(*value, record, buffers)) {
            return Some(cut(&(self.shown)(span, value.text())));
        }
        // What holds without any value holds because of absence or presence.
        let holds = test.holds(field, record, buffers);
        holds.then(|| self.values(field).next().unwrap_or_else(|| "(absent)".to_owned()))
    }

    /// What is shown of a field's values.
    fn values(&self, field: Field) -> impl Iterator<Item = String> {
        let values = self.record.values(field).zip(self.record.spans(field));
        values.map(|(value, span)| cut(&(self.shown)(span, value.text())))
    }
}

fn tell(condition: &Condition, searches: &[Node]) -> Node {
    let several = |parts: &[Condition]| -> Vec<Node> { parts.iter().map(|part| tell(part, searches)).collect() };
    match condition {
        Condition::Search(search) => searches[*search].clone(),
        Condition::Not(part) => {
            let part = tell(part, searches);
            joined("not", !part.held, vec![part])
        }
        Condition::And(parts) => {
            let parts = several(parts);
            joined("all of these", parts.iter().all(|part| part.held), parts)
        }
        Condition::Or(parts) => {
            let parts = several(parts);
            joined("any of these", parts.iter().any(|part| part.held), parts)
        }
        Condition::Of(Of { least, pattern, searches: named }) => {
            let parts: Vec<Node> = named.iter().map(|search| searches[*search].clone()).collect();
            let least_count = least.unwrap_or(parts.len());
            let held = parts.iter().filter(|part| part.held).count() >= least_count;
            let word = least.map_or("all".to_owned(), |least| least.to_string());
            joined(format!("{word} of {pattern}"), held, parts)
        }
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn label(item: &Item) -> String {
    let field = item.field.as_deref().unwrap_or("any value");
    format!("{field} {}", describe_all(item))
}

/// The whole item as text: `equals any of "a", "b"`.
fn describe_all(item: &Item) -> String {
    if let [only] = &item.values[..] {
        return describe(item, only);
    }
    let which = if item.modifiers.has(Modifier::All) { "all of" } else { "any of" };
    let mut shown: Vec<String> = item.values.iter().take(SHOWN_VALUES_MAX).map(|value| quoted(item, value)).collect();
    if item.values.len() > SHOWN_VALUES_MAX {
        shown.push(format!("{} more", item.values.len() - SHOWN_VALUES_MAX));
    }
    format!("{} {which} {}", verb(item), shown.join(", "))
}

/// One value of an item as text: `contains "export"`.
fn describe(item: &Item, value: &Value) -> String {
    let negation = if item.modifiers.has(Modifier::Neq) { "not " } else { "" };
    match value {
        Value::Null => format!("{negation}absent or null"),
        Value::Bool(is_present) if item.modifiers.has(Modifier::Exists) => {
            if *is_present { "exists" } else { "does not exist" }.to_owned()
        }
        value => format!("{} {}", verb(item), quoted(item, value)),
    }
}

fn quoted(item: &Item, value: &Value) -> String {
    match value {
        Value::Text(text) if item.modifiers.has(Modifier::Re) => format!("/{text}/"),
        Value::Text(text) if item.modifiers.has(Modifier::Cidr) || item.modifiers.is_field_reference() => text.clone(),
        value => value.display(),
    }
}

fn verb(item: &Item) -> String {
    let mut words: Vec<&str> = item.modifiers.iter().filter_map(time_word).collect();
    let act = item.modifiers.iter().filter_map(act).last();
    match (act, item.modifiers.has(Modifier::Neq), item.field.is_none()) {
        (Some(act), true, _) => words.extend(["not", act]),
        (Some(act), false, _) => words.push(act),
        (None, true, false) => words.push("is not"),
        (None, true, true) => words.push("does not contain"),
        (None, false, true) => words.push("contains"),
        (None, false, false) => words.push("equals"),
    }
    words.extend(item.modifiers.iter().filter_map(manner));
    words.join(" ")
}

fn time_word(modifier: Modifier) -> Option<&'static str> {
    use Modifier::*;
    matches!(modifier, Minute | Hour | Day | Week | Month | Year).then_some(modifier.as_str())
}

fn act(modifier: Modifier) -> Option<&'static str> {
    Some(match modifier {
        Modifier::Contains => "contains",
        Modifier::StartsWith => "starts with",
        Modifier::EndsWith => "ends with",
        Modifier::Re => "matches",
        Modifier::Cidr => "is in",
        Modifier::Lt => "is less than",
        Modifier::Lte => "is at most",
        Modifier::Gt => "is more than",
        Modifier::Gte => "is at least",
        _ => return None,
    })
}

fn manner(modifier: Modifier) -> Option<&'static str> {
    Some(match modifier {
        Modifier::Cased => "in this case",
        Modifier::Windash => "with any dash",
        Modifier::Base64 => "the base64 of",
        Modifier::Base64Offset => "the base64 at any offset of",
        Modifier::Utf16Le => "as UTF-16LE",
        Modifier::Utf16Be => "as UTF-16BE",
        Modifier::Utf16 => "as UTF-16",
        Modifier::FieldRef => "the field",
        _ => return None,
    })
}

fn note(item: &Item, held: bool, seen: &[String]) -> String {
    let values = seen.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>().join(", ");
    match (item.field.is_some(), held, seen.is_empty()) {
        (true, _, true) => "the record does not have the field".to_owned(),
        (true, true, false) => format!("the record has {values}"),
        (true, false, false) => format!("the record has {values}, which does not fit"),
        (false, true, _) => format!("found in {values}"),
        (false, false, _) => "found in no value of the record".to_owned(),
    }
}
