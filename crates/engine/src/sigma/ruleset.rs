//! The rules of a source, with the tables in which their witnesses are looked up.

use std::sync::Arc;

use super::folds::Folds;
use super::witness::{Candidates, Clauses, Known, Witnesses};
use crate::record::Record;

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
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    rules: Vec<RuleIndex>,
    witnesses: Option<Arc<Witnesses>>,
    /// Rules that were taken out, which the tables still know.
    without: Vec<RuleIndex>,
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
    pub(super) fn with_witnesses(rules: Vec<RuleIndex>, clauses: &Clauses) -> RuleSet {
        let witnesses = Some(Arc::new(Witnesses::new(&rules, clauses)));
        RuleSet { rules, witnesses, without: Vec::new() }
    }

    /// Adds the rules that can hold for `record`: those without a witness, and those whose witness is there.
    pub(super) fn look(&self, record: &Record<'_>, folds: &mut Folds, known: &mut Known, candidates: &mut Candidates) {
        match &self.witnesses {
            Some(witnesses) => witnesses.look(record, folds, known, candidates),
            None => candidates.rules.extend_from_slice(&self.rules),
        }
        if !self.without.is_empty() {
            candidates.rules.retain(|rule| !self.without.contains(rule));
        }
    }

    /// Takes a rule out, as one that was set aside.
    pub fn remove(&mut self, rule: RuleIndex) {
        self.rules.retain(|known| *known != rule);
        self.without.push(rule);
    }
}

impl FromIterator<RuleIndex> for RuleSet {
    fn from_iter<I: IntoIterator<Item = RuleIndex>>(rules: I) -> RuleSet {
        RuleSet { rules: rules.into_iter().collect(), ..RuleSet::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Inventory, LogSource, Memo, Profile, compile, parse};
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
        let (mut memo, mut held) = (Memo::profiled(Profile::new(|| 0)), Vec::new());
        program.evaluate(&set, &record, &mut memo, &mut |rule| held.push(rule.index()));
        let looked_at = memo.profile().expect("asked for").rules.iter().filter(|cost| cost.evaluations > 0).count();
        (looked_at, held)
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
        assert_eq!(looked_at(&RULES, r#"{"name":"StopLogging"}"#), (3, vec![0, 1, 4]));
        assert_eq!(looked_at(&RULES, r#"{"name":"GETOBJECT"}"#), (3, vec![2, 3]));
        assert_eq!(looked_at(&RULES, r#"{"name":"Other"}"#), (1, vec![4]));
    }

    #[test]
    fn any_value_of_a_list_is_a_witness_and_none_is_no_witness() {
        assert_eq!(looked_at(&RULES, r#"{"name":["x","DeleteTrail","headobject"]}"#), (3, vec![1, 2, 4]));
        assert_eq!(looked_at(&RULES, r#"{"name":null}"#), (1, vec![4]));
        assert_eq!(looked_at(&RULES, "{}"), (1, vec![4]));
    }
}
