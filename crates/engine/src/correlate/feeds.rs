//! Which rules feed correlations, and what is read of their events.

use std::collections::{BTreeMap, BTreeSet};

use model::RuleId;

use super::Feeds;
use crate::sigma::{Linked, Member, WHO};

impl Feeds {
    /// What the correlations need of evaluation.
    ///
    /// Shape: rules and fields are in order, so that the same correlations, in any order, give the same feeds.
    pub fn of(linked: &[Linked]) -> Feeds {
        let (reads, wants_identity) = reads(linked);
        let fields: BTreeSet<&str> = reads.values().flatten().copied().collect();
        let fields: Vec<String> = fields.into_iter().map(str::to_owned).collect();
        let place = |name: &&str| fields.binary_search_by(|field| field.as_str().cmp(name)).ok();
        let place =
            |name: &&str| place(name).and_then(|place| u32::try_from(place).ok()).expect("each name is among them");
        Feeds {
            reads: reads.values().map(|names| names.iter().map(place).collect()).collect(),
            speaks: reads.keys().map(|rule| speaks(linked, rule)).collect(),
            rules: reads.into_keys().cloned().collect(),
            fields,
            wants_identity,
        }
    }

    /// The rule's place among those that feed correlations.
    pub fn rule(&self, id: &RuleId) -> Option<usize> {
        self.rules.binary_search(id).ok()
    }

    /// The field's place among those that are read.
    pub fn field(&self, name: &str) -> Option<usize> {
        self.fields.binary_search_by(|field| field.as_str().cmp(name)).ok()
    }

    /// Does no correlation read any event?
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// A rule that correlations refer to raises findings of its own if one of them says so.
fn speaks(linked: &[Linked], rule: &RuleId) -> bool {
    let is_member = |member: &Member| matches!(member, Member::Rule(id) if id == rule);
    linked.iter().any(|above| above.correlation.generate && above.members.iter().any(is_member))
}

/// The names that are read of the events of each rule that is a member; and does anybody ask who is behind them?
fn reads(linked: &[Linked]) -> (BTreeMap<&RuleId, BTreeSet<&str>>, bool) {
    let mut of_rules: BTreeMap<&RuleId, BTreeSet<&str>> = BTreeMap::new();
    let mut from_above: Vec<BTreeSet<&str>> = vec![BTreeSet::new(); linked.len()];
    let mut wants_identity = false;
    // Each stands behind those that it is built on, so all that stand above one have asked before it is reached.
    for (at, above) in linked.iter().enumerate().rev() {
        let group_by = &above.correlation.group_by;
        let own = || group_by.iter().map(String::as_str).chain(above.correlation.fields());
        let mut through = std::mem::take(&mut from_above[at]);
        // What it groups by has the value of its group, whatever stands above.
        through.retain(|name| !group_by.iter().any(|fixed| fixed == name));
        for (nth, member) in above.members.iter().enumerate() {
            let mut names: BTreeSet<&str> = own().map(|name| above.field(name, nth)).collect();
            names.extend(&through);
            // It is no field of the record.
            wants_identity |= names.remove(WHO);
            match member {
                Member::Rule(rule) => of_rules.entry(rule).or_default().extend(names),
                Member::Correlation(beneath) => from_above[*beneath].extend(names),
            }
        }
    }
    (of_rules, wants_identity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sigma::{self, Document};

    const RULES: &str = "title: A\nname: a\nid: 5b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a11\nstatus: test\nlogsource: {product: aws}\n\
        detection: {s: {x: 1}, condition: s}\n---\ntitle: B\nname: b\nid: 1b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a22\nstatus: test\n\
        logsource: {product: aws}\ndetection: {s: {x: 2}, condition: s}\n---\ntitle: C\nname: c\nid: 9b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a33\n\
        status: test\nlogsource: {product: aws}\ndetection: {s: {x: 3}, condition: s}\n";

    fn correlation(name: &str, body: &str) -> String {
        format!("---\ntitle: {name}\nname: {name}\nstatus: test\nlevel: high\ncorrelation: {{timespan: 5m, {body}}}\n")
    }

    fn feeds(correlations: &[String]) -> Feeds {
        let (documents, wrong) = sigma::parse(&(RULES.to_owned() + &correlations.concat()));
        assert!(!wrong.iter().any(model::Diagnostic::is_error), "{wrong:#?}");
        let (mut rules, mut joined) = (Vec::new(), Vec::new());
        for document in documents {
            match document {
                Document::Rule(rule) => rules.push(rule),
                Document::Correlation(correlation) => joined.push(correlation),
                Document::Filter(_) => {}
            }
        }
        let (linked, wrong) = sigma::link(&rules, &joined);
        assert!(!wrong.iter().any(model::Diagnostic::is_error), "{wrong:#?}");
        Feeds::of(&linked)
    }

    /// The fields that are read of the events of each rule, by the title of the rule.
    fn reads(feeds: &Feeds) -> Vec<(&str, Vec<&str>)> {
        let title = |id: &RuleId| match id.as_str().as_bytes()[0] {
            b'5' => "a",
            b'1' => "b",
            _ => "c",
        };
        let names = |places: &Vec<u32>| places.iter().map(|place| feeds.fields[*place as usize].as_str()).collect();
        let mut reads: Vec<(&str, Vec<&str>)> =
            feeds.rules.iter().map(title).zip(feeds.reads.iter().map(names)).collect();
        reads.sort();
        reads
    }

    #[test]
    fn a_rule_is_read_under_its_own_name_for_an_alias() {
        let feeds = feeds(&[correlation(
            "one",
            "type: value_count, rules: [a, b], group-by: [who, region], aliases: {who: {a: user.name, b: actor}}, \
             condition: {field: key, gte: 3}",
        )]);
        assert_eq!(reads(&feeds), [("a", vec!["key", "region", "user.name"]), ("b", vec!["actor", "key", "region"])]);
        assert!(feeds.rules.is_sorted() && feeds.fields.is_sorted() && !feeds.wants_identity);
        assert_eq!((feeds.rule(&feeds.rules[1]), feeds.rule(&RuleId::from("none"))), (Some(1), None));
        assert_eq!(
            (feeds.field("region"), feeds.field("who")),
            (feeds.fields.iter().position(|f| f == "region"), None)
        );
    }

    #[test]
    fn what_stands_above_reads_through_what_stands_beneath() {
        let beneath = correlation("beneath", "type: event_count, rules: [a], group-by: [user], condition: {gte: 2}");
        let middle = correlation(
            "middle",
            "type: temporal, rules: [beneath, b], group-by: [region, who], aliases: {who: {beneath: user, b: actor}}",
        );
        let top = correlation(
            "top",
            "type: value_count, rules: [middle, c], group-by: [region], condition: {field: who, gte: 2}",
        );
        let other = correlation(
            "other",
            "type: value_sum, rules: [beneath], group-by: [user, zone], condition: {field: size, gte: 2}",
        );
        let all = [beneath, middle, top, other];
        let forth = feeds(&all);
        // `user` is what `beneath` groups by, so nobody above needs it for itself; `who` has the group's value for `top`.
        assert_eq!(
            reads(&forth),
            [
                ("a", vec!["region", "size", "user", "zone"]),
                ("b", vec!["actor", "region"]),
                ("c", vec!["region", "who"])
            ]
        );
        let back: Vec<String> = all.into_iter().rev().collect();
        assert_eq!(feeds(&back), forth, "the order of documents means nothing");
    }

    #[test]
    fn a_rule_is_silent_unless_one_above_says_generate() {
        let count = |name: &str, rules: &str, more: &str| {
            correlation(
                name,
                &format!("type: event_count, rules: [{rules}], group-by: [user], condition: {{gte: 2}}{more}"),
            )
        };
        let feeds = feeds(&[count("one", "a, b", ""), count("two", "b", ", generate: true"), count("three", "c", "")]);
        let speaking: Vec<&RuleId> =
            feeds.rules.iter().zip(&feeds.speaks).filter_map(|(rule, speaks)| speaks.then_some(rule)).collect();
        assert_eq!(speaking, [&RuleId::from("1b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a22")]);
    }

    #[test]
    fn who_is_behind_an_event_is_no_field_of_it() {
        let feeds = feeds(&[correlation(
            "one",
            "type: event_count, rules: [a], group-by: [watchkeep.who, region], condition: {gte: 2}",
        )]);
        assert!(feeds.wants_identity);
        assert_eq!(feeds.fields, ["region"]);
    }

    #[test]
    fn without_correlations_nothing_is_read() {
        assert_eq!(feeds(&[]), Feeds::default());
        assert!(feeds(&[]).is_empty());
    }
}
