//! Classes of differences: what to take away from rules or events so that both sides say the same.

use serde_json::Value;

use crate::sides::{Event, Ours};

/// What RSigma and we say of rules and events.
pub type Said<'a> = dyn Fn(&str, &[Event]) -> (String, String) + 'a;

/// A case on which the two differ.
pub struct Differing<'a> {
    pub rules: &'a str,
    pub events: &'a [Event],
    pub they: &'a str,
    pub we: &'a str,
}

impl Differing<'_> {
    /// Is it of this class? `said` gives what both say of other rules and events.
    pub fn is_of(&self, class: &str, said: &Said<'_>) -> bool {
        let agree = |rules: &str, events: &[Event]| {
            let (they, we) = said(rules, events);
            they == we && they != "refused"
        };
        let rules_agree = |rules: &str| rules != self.rules && agree(rules, self.events);
        let events_agree = |change: &dyn Fn(&Value) -> Option<Value>| {
            let changed: Vec<Event> =
                self.events.iter().filter_map(|(at, record)| Some((*at, change(record)?))).collect();
            changed != self.events && agree(self.rules, &changed)
        };
        match class {
            "any rule will do" => rules_agree(&with_every_rule(self.rules)),
            "a finding without an id" => {
                let named = with_ids(self.rules);
                rules_agree(&named) || rules_agree(&with_every_rule(&named))
            }
            // RSigma knows of the finding's own group alone, which lacks the field.
            "the group above" => {
                let (they, we) = said(&with_ids(self.rules), self.events);
                !they.contains(" t[u=x]") && we.contains(" t[u=x]")
            }
            // Its condition can be kept by no number, and still it fires.
            "any percentile will do" => {
                self.rules.contains("type: value_percentile")
                    && !agree(&self.rules.replace("gt: 8", "gt: 1000"), self.events)
            }
            // RSigma counts findings beneath and reads no values of them.
            "values of findings" => {
                let (they, we) = said(&with_ids(self.rules), self.events);
                self.rules.contains("type: value_count") && !they.contains("t[]@") && we.contains("t[]@")
            }
            "answered at once" | "no share" => self.has_settled() && self.they != "refused",
            "one event, several rules" => rules_agree(&self.rules.replace("r: [a, b]", "r: b")),
            "lists" => self.events.iter().any(|(_, record)| has(record, &Value::is_array)) && self.they == "nothing",
            "groups of what is absent" => self.we == "nothing" && self.they.contains("[]"),
            "an ordered condition" => self.rules.contains("type: temporal_ordered") && self.they == "nothing",
            "operators in capitals" => rules_agree(&self.rules.replace(" AND ", " and ").replace(" OR ", " or ")),
            "ids in capitals" => {
                let lower = self.rules.replace("9F8C1D2E", "9f8c1d2e");
                rules_agree(&with_every_rule(&lower))
            }
            "fractions" => self.they == "refused" && self.rules.contains("0."),
            "greatest and least" => {
                self.they == "refused" && (self.rules.contains("value_max") || self.rules.contains("value_min"))
            }
            "an expression without a list" => !self.rules.contains("\n    rules:") && self.they == "nothing",
            "null is a value" => events_agree(&|record| (!has(record, &Value::is_null)).then(|| record.clone())),
            "negative numbers" => events_agree(&|record| (!has(record, &is_negative)).then(|| record.clone())),
            "aliases of values" => self.rules.contains("aliases:") && self.rules.contains("field: who"),
            "mistakes are kept" => self.we == "refused" && self.they == "nothing",
            _ => false,
        }
    }

    fn has_settled(&self) -> bool {
        let ours = Ours::load(&[self.rules], engine::correlate::Options::default()).expect("readable rules");
        ours.linked.iter().any(|linked| !linked.correlation.is_rising())
    }
}

fn is_negative(value: &Value) -> bool {
    value.as_f64().is_some_and(|number| number < 0.0)
}

fn has(record: &Value, is: &dyn Fn(&Value) -> bool) -> bool {
    record.as_object().is_some_and(|fields| fields.values().any(is))
}

/// Each temporal correlation without a condition asks for as many rules as it names.
fn with_every_rule(rules: &str) -> String {
    each_correlation(rules, &|document| {
        let is_bare = document.contains("type: temporal\n") && !document.contains("condition:");
        let listed = document.lines().find_map(|line| line.trim().strip_prefix("rules:"));
        let count = match listed {
            Some(names) if names.contains(',') => names.split(',').count(),
            _ => {
                let behind = document.lines().skip_while(|line| line.trim() != "rules:").skip(1);
                behind.take_while(|line| line.trim().starts_with("- ")).count()
            }
        };
        let bound = format!("correlation:\n    condition: {{gte: {count}}}");
        if is_bare { document.replacen("correlation:", &bound, 1) } else { document.to_owned() }
    })
}

/// Each correlation has an id.
fn with_ids(rules: &str) -> String {
    each_correlation(rules, &|document| {
        let digit = document.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let id = format!("id: 9f8c1d2e-0000-4000-9000-{:012x}\ncorrelation:", digit & 0xffff_ffff_ffff);
        if document.contains("\nid:") { document.to_owned() } else { document.replacen("correlation:", &id, 1) }
    })
}

fn each_correlation(rules: &str, change: &dyn Fn(&str) -> String) -> String {
    let each = |document: &str| {
        if document.contains("correlation:") { change(document) } else { document.to_owned() }
    };
    rules.split("---\n").map(each).collect::<Vec<_>>().join("---\n")
}
