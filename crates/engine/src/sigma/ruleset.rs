//! The rules of a source, and the witness of each: a value without which the rule cannot hold.
//!
//! In: an event. Out: the few rules that it can be about. Most rules of a cloud's log ask for one of some operations; they are found by
//! that value in a table, and the others are not looked at.
//! Bound: one table of at most [`FIELDS_MAX`] fields for each source; one look-up for each value of these fields in an event.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::fold::fold_into;
use super::node::{Node, NodeId, Predicate};
use crate::field::Field;
use crate::record::{Record, Scalar};

/// Fields whose values are looked up in each event.
const FIELDS_MAX: usize = 4;
/// A field is worth a look-up from so many rules on.
const RULES_MIN: usize = 2;

/// A compiled rule's number in its [`Program`](super::Program).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleIndex(pub(super) u32);

impl RuleIndex {
    /// The number, from 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The rules that apply to one source, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSet {
    rules: Vec<RuleIndex>,
    witnesses: Option<Arc<Witnesses>>,
}

impl RuleSet {
    /// The rules, in order.
    pub fn iter(&self) -> impl Iterator<Item = RuleIndex> + '_ {
        self.rules.iter().copied()
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Is there no rule?
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules, in order, with a witness for each that has one.
    pub(super) fn with_witnesses(
        rules: Vec<RuleIndex>,
        nodes: &[Node],
        predicates: &[Predicate],
        root: &dyn Fn(RuleIndex) -> NodeId,
    ) -> RuleSet {
        let witnesses = Some(Arc::new(Witnesses::choose(&rules, &Graph { nodes, predicates }, root)));
        RuleSet { rules, witnesses }
    }

    /// Puts the rules that can hold for `record` into `found`, in order: those without a witness, and those whose witness is there.
    pub(super) fn candidates(&self, record: &Record<'_>, folded: &mut String, found: &mut Vec<RuleIndex>) {
        match &self.witnesses {
            Some(witnesses) => witnesses.candidates(record, folded, found),
            None => found.extend_from_slice(&self.rules),
        }
    }

    /// Takes a rule out, as one that was set aside.
    pub fn remove(&mut self, rule: RuleIndex) {
        self.rules.retain(|known| *known != rule);
        self.witnesses = None;
    }
}

impl FromIterator<RuleIndex> for RuleSet {
    fn from_iter<I: IntoIterator<Item = RuleIndex>>(rules: I) -> RuleSet {
        RuleSet { rules: rules.into_iter().collect(), witnesses: None }
    }
}

/// Tables from a field's folded value to the rules that need it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Witnesses {
    /// Rules without a witness: they are looked at on every event.
    always: Vec<RuleIndex>,
    tables: Vec<(Field, Table)>,
}

/// The rules that need a folded value.
type Table = FxHashMap<Box<str>, Vec<RuleIndex>>;

/// The values of each field of which a rule needs one.
type Needs = BTreeMap<Field, Vec<Box<str>>>;

struct Graph<'p> {
    nodes: &'p [Node],
    predicates: &'p [Predicate],
}

impl Witnesses {
    /// Takes the field that most rules need a value of, then that of most of the others, and so on.
    fn choose(rules: &[RuleIndex], graph: &Graph<'_>, root: &dyn Fn(RuleIndex) -> NodeId) -> Witnesses {
        let mut left: Vec<(RuleIndex, Needs)> = rules.iter().map(|&rule| (rule, graph.needs(root(rule)))).collect();
        let mut witnesses = Witnesses::default();
        while witnesses.tables.len() < FIELDS_MAX {
            let Some(field) = most_useful(&left) else { break };
            let mut table = Table::default();
            left.retain_mut(|(rule, needs)| {
                let Some(values) = needs.remove(&field) else { return true };
                values.into_iter().for_each(|value| table.entry(value).or_default().push(*rule));
                false
            });
            witnesses.tables.push((field, table));
        }
        witnesses.always = left.into_iter().map(|(rule, _)| rule).collect();
        witnesses
    }

    fn candidates(&self, record: &Record<'_>, folded: &mut String, found: &mut Vec<RuleIndex>) {
        found.extend_from_slice(&self.always);
        for (field, table) in &self.tables {
            for value in record.values(*field).filter(|value| *value != Scalar::Null) {
                fold_value(value.text(), folded);
                if let Some(rules) = table.get(folded.as_str()) {
                    found.extend_from_slice(rules);
                }
            }
        }
        found.sort_unstable();
        found.dedup();
    }
}

fn fold_value(text: &str, folded: &mut String) {
    if text.is_ascii() {
        folded.clear();
        folded.push_str(text);
        folded.make_ascii_lowercase();
    } else {
        fold_into(text, folded);
    }
}

/// The field that parts the rules into the smallest groups: most rules for each of its values count least.
fn most_useful(left: &[(RuleIndex, Needs)]) -> Option<Field> {
    let mut rules: BTreeMap<Field, (usize, FxHashMap<&str, usize>)> = BTreeMap::new();
    for (field, values) in left.iter().flat_map(|(_, needs)| needs) {
        let (count, groups) = rules.entry(*field).or_default();
        *count += 1;
        values.iter().for_each(|value| *groups.entry(value).or_default() += 1);
    }
    // Many rules are spared, and few share the value that is there: the mean group is small.
    let gain = |(count, groups): &(usize, FxHashMap<&str, usize>)| {
        let shared: usize = groups.values().sum();
        *count * count.saturating_sub(shared / groups.len().max(1))
    };
    let useful = rules.into_iter().filter(|(_, (count, _))| *count >= RULES_MIN);
    useful.max_by_key(|(field, seen)| (gain(seen), std::cmp::Reverse(*field))).map(|(field, _)| field)
}

impl Graph<'_> {
    /// For each field, values of which the event must have one if `node` is to hold; a field that is not named may have any.
    fn needs(&self, node: NodeId) -> Needs {
        match &self.nodes[node.0 as usize] {
            Node::Predicate(number) => {
                let predicate = &self.predicates[*number as usize];
                let values = predicate.test.exact_values();
                predicate.field.zip(values).into_iter().collect()
            }
            Node::All(parts) => {
                let mut needs = Needs::new();
                for (field, values) in parts.iter().flat_map(|part| self.needs(*part)) {
                    let known = needs.entry(field).or_insert_with(|| values.clone());
                    if values.len() < known.len() {
                        *known = values;
                    }
                }
                needs
            }
            Node::Any(parts) => self.needs_of_any(parts),
            Node::AtLeast(least, parts) if *least > 0 => self.needs_of_any(parts),
            Node::Not(_) | Node::AtLeast(..) => Needs::new(),
        }
    }

    /// What every one of the parts needs a value of; any of their values will do.
    fn needs_of_any(&self, parts: &[NodeId]) -> Needs {
        let mut parts = parts.iter().map(|part| self.needs(*part));
        let Some(mut needs) = parts.next() else { return Needs::new() };
        for part in parts {
            needs.retain(|field, values| match part.get(field) {
                Some(others) => {
                    values.extend(others.iter().cloned());
                    values.sort_unstable();
                    values.dedup();
                    true
                }
                None => false,
            });
        }
        needs
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Inventory, LogSource, compile, parse};
    use crate::extract::extract;
    use crate::field::FieldsBuilder;
    use crate::limits::Limits;
    use crate::record::Scratch;

    fn rule(n: usize, detection: &str) -> String {
        format!(
            "title: R{n}\nid: 5b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a{n:02}\nstatus: test\nlogsource: {{product: aws}}\ndetection:\n    {detection}\n"
        )
    }

    /// How many of the rules are looked at for the event, and which hold.
    fn looked_at(detections: &[&str], event: &str) -> (usize, Vec<usize>) {
        let text: Vec<String> = detections.iter().enumerate().map(|(n, detection)| rule(n, detection)).collect();
        let (documents, diagnostics) = parse(&text.join("---\n"));
        assert!(diagnostics.iter().all(|diagnostic| !diagnostic.is_error()), "{diagnostics:?}");
        let rules: Vec<_> = documents
            .into_iter()
            .filter_map(|document| if let super::super::Document::Rule(rule) = document { Some(rule) } else { None })
            .collect();
        let mut fields = FieldsBuilder::new();
        let (program, diagnostics) = compile(&rules, &[], &Inventory::new(), &mut fields);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        let fields = fields.build();
        let set = program.applicable(&[LogSource { product: Some("aws".into()), ..LogSource::default() }]);
        let mut scratch = Scratch::new(&fields);
        let record = extract(&fields, event, &mut scratch, &Limits::default()).expect("an event");
        let (mut found, mut held) = (Vec::new(), Vec::new());
        set.candidates(&record, &mut String::new(), &mut found);
        program.evaluate(&set, &record, &mut program.fresh_memo(), &mut |rule| held.push(rule.index()));
        (found.len(), held)
    }

    const RULES: [&str; 5] = [
        "{s: {name: StopLogging}, condition: s}",
        "{s: {name: [DeleteTrail, stoplogging]}, f: {error|exists: true}, condition: s and not f}",
        "{a: {name: GetObject}, b: {name: HeadObject}, condition: 1 of a or b}",
        "{s: {name|startswith: Get}, condition: s}",
        "{s: {name: GetObject}, condition: not s}",
    ];

    #[test]
    fn a_rule_is_looked_at_only_where_its_witness_is() {
        assert_eq!(looked_at(&RULES, r#"{"name":"StopLogging"}"#), (4, vec![0, 1, 4]));
        assert_eq!(looked_at(&RULES, r#"{"name":"GETOBJECT"}"#), (3, vec![2, 3]));
        assert_eq!(looked_at(&RULES, r#"{"name":"Other"}"#), (2, vec![4]));
    }

    #[test]
    fn any_value_of_a_list_is_a_witness_and_none_is_no_witness() {
        assert_eq!(looked_at(&RULES, r#"{"name":["x","DeleteTrail","headobject"]}"#), (4, vec![1, 2, 4]));
        assert_eq!(looked_at(&RULES, r#"{"name":null}"#), (2, vec![4]));
        assert_eq!(looked_at(&RULES, "{}"), (2, vec![4]));
    }
}
