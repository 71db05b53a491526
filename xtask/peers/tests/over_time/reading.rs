//! The specification read plainly, and RSigma's readings of it one by one: a difference is explained if the plain reading with those
//! switched to RSigma's gives what RSigma says, at each event.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::sides::{self, Event};

/// Where RSigma reads otherwise. Each is a class of differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// A temporal correlation without a condition holds with any of its rules.
    AnyRule,
    /// An ordered correlation asks for all of its rules, whatever its condition.
    AllInOrder,
    /// Events without a field of the group are a group.
    Absent,
    /// A list is no value.
    Lists,
    /// An event is several where several rules match it.
    Several,
    /// `null` is a value to be counted.
    Null,
    /// A negative number takes part in a sum.
    Negative,
    /// Percentiles and medians lie between numbers.
    Between,
    /// `7.0` is the value `7`.
    Fraction,
    /// A percentile is compared with nothing: any will do.
    AnyPercentile,
}

impl Way {
    /// All of them, with the name that the page gives them.
    pub const ALL: [(Way, &'static str); 10] = [
        (Way::AnyRule, "any rule will do"),
        (Way::AllInOrder, "an ordered condition"),
        (Way::Absent, "groups of what is absent"),
        (Way::Lists, "lists"),
        (Way::Several, "one event, several rules"),
        (Way::Null, "null is a value"),
        (Way::Negative, "negative numbers"),
        (Way::Between, "numbers in between"),
        (Way::Fraction, "numbers as text"),
        (Way::AnyPercentile, "any percentile will do"),
    ];
}

pub type Ways = BTreeSet<Way>;

/// A correlation of the rules `a`, `b` and `c`, each of which matches a record that has its name as a key.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    pub kind: &'static str,
    /// The names of its rules, in order.
    pub rules: &'static str,
    /// The field of the group that each rule reads; none without `group-by`.
    pub group: Option<[&'static str; 3]>,
    /// Seconds.
    pub span: i64,
    /// As it is written; `field` is `v` where values are counted, else `n`.
    pub condition: &'static str,
    /// Does a number fulfil it?
    pub holds: fn(f64) -> bool,
    /// Does a set of rules, in place of a number?
    pub expression: Option<fn(&[bool]) -> bool>,
    pub percentile: f64,
    pub is_rising: bool,
}

/// What an event brings to a group.
struct Entry {
    time: i64,
    /// Which event.
    event: usize,
    rules: Vec<usize>,
    values: Vec<String>,
    numbers: Vec<f64>,
}

impl Asked {
    /// The times at which it holds over the time span behind an event of the group, by group.
    pub fn firings(&self, events: &[Event], ways: &Ways) -> BTreeMap<String, Vec<i64>> {
        let mut kept: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        let mut firings: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for (event, (time, record)) in events.iter().enumerate() {
            let matched = (0..self.rules.len()).filter(|at| record.get(&self.rules[*at..=*at]).is_some());
            let mut at_once: BTreeMap<String, Vec<usize>> = BTreeMap::new();
            let mut steps: Vec<(String, Vec<usize>)> = Vec::new();
            for rule in matched {
                for group in self.groups(record, rule, ways) {
                    steps.push((group.clone(), vec![rule]));
                    at_once.entry(group).or_default().push(rule);
                }
            }
            if !ways.contains(&Way::Several) {
                steps = at_once.into_iter().collect();
            }
            for (group, rules) in steps {
                let entries = kept.entry(group.clone()).or_default();
                let (values, numbers) = (self.values(record, ways), self.numbers(record, ways));
                entries.push(Entry { time: *time, event, rules, values, numbers });
                entries.retain(|entry| entry.time >= time - self.span);
                let times = firings.entry(group).or_default();
                if self.is_held(entries, ways) && times.last() != Some(time) {
                    times.push(*time);
                }
            }
        }
        firings.retain(|_, times| !times.is_empty());
        firings
    }

    fn groups(&self, record: &Value, rule: usize, ways: &Ways) -> Vec<String> {
        let Some(fields) = self.group else { return vec![String::new()] };
        let name = if fields[0] == fields[1] { fields[0] } else { "g" };
        let found = texts(record.get(fields[rule]), ways);
        if found.is_empty() && ways.contains(&Way::Absent) {
            return vec![String::new()];
        }
        found.iter().map(|value| format!("{name}={value}")).collect()
    }

    fn values(&self, record: &Value, ways: &Ways) -> Vec<String> {
        match record.get("v") {
            Some(Value::Null) if ways.contains(&Way::Null) => vec!["null".to_owned()],
            value => texts(value, ways),
        }
    }

    fn numbers(&self, record: &Value, ways: &Ways) -> Vec<f64> {
        let numbers = texts(record.get("n"), ways).into_iter().filter_map(|text| text.parse::<f64>().ok());
        let is_sum = self.kind == "value_sum" && !ways.contains(&Way::Negative);
        numbers.filter(|number| !is_sum || *number >= 0.0).collect()
    }

    fn is_held(&self, entries: &[Entry], ways: &Ways) -> bool {
        match self.kind {
            "event_count" => (self.holds)(entries.len() as f64),
            "value_count" => {
                let values: BTreeSet<&String> = entries.iter().flat_map(|entry| &entry.values).collect();
                (self.holds)(values.len() as f64)
            }
            "temporal" => {
                let occurs: Vec<bool> = (0..self.rules.len()).map(|rule| has(entries, rule)).collect();
                let count = occurs.iter().filter(|occurs| **occurs).count();
                match self.expression {
                    Some(expression) => expression(&occurs),
                    None if self.condition.is_empty() && !ways.contains(&Way::AnyRule) => count == self.rules.len(),
                    None => (self.holds)(count as f64),
                }
            }
            "temporal_ordered" => self.is_held_in_order(entries, ways),
            _ => self.is_held_by_number(entries, ways),
        }
    }

    fn is_held_in_order(&self, entries: &[Entry], ways: &Ways) -> bool {
        let all = (1_u32 << self.rules.len()) - 1;
        let is_all = self.condition.is_empty() || ways.contains(&Way::AllInOrder);
        (1..=all).filter(|mask| !is_all || *mask == all).any(|mask| {
            let wanted: Vec<usize> = (0..self.rules.len()).filter(|rule| mask >> rule & 1 == 1).collect();
            (self.condition.is_empty() || (self.holds)(wanted.len() as f64)) && is_ordered(entries, &wanted, ways)
        })
    }

    fn is_held_by_number(&self, entries: &[Entry], ways: &Ways) -> bool {
        let mut numbers: Vec<f64> = entries.iter().flat_map(|entry| entry.numbers.iter().copied()).collect();
        numbers.sort_by(f64::total_cmp);
        let sum: f64 = numbers.iter().sum();
        let count = numbers.len();
        let number = match self.kind {
            "value_sum" => sum,
            "value_avg" if count == 0 => 0.0,
            "value_avg" => sum / count as f64,
            _ if count == 0 => return false,
            "value_percentile" if ways.contains(&Way::AnyPercentile) => return true,
            _ if ways.contains(&Way::Between) => {
                let rank = self.percentile / 100.0 * (count - 1) as f64;
                let (low, high) = (numbers[rank.floor() as usize], numbers[rank.ceil() as usize]);
                low + rank.fract() * (high - low)
            }
            _ => numbers[((self.percentile / 100.0 * count as f64).ceil() as usize).max(1) - 1],
        };
        (self.holds)(number)
    }

    /// The correlation, with its rules.
    pub fn text(&self) -> String {
        let names: Vec<String> = self.rules.chars().map(|name| name.to_string()).collect();
        let mut text = format!("title: t\nname: t\nid: {}\ncorrelation:\n  type: {}\n", id('t'), self.kind);
        // The first rule is known by its id, unless an alias or a condition names it.
        let is_named = self.expression.is_some() || self.group.is_some_and(|fields| fields[0] != fields[1]);
        let first = if is_named { names[0].clone() } else { id('a') };
        text += &format!("  rules: [{}]\n  timespan: {}s\n", [&[first], &names[1..]].concat().join(", "), self.span);
        match self.group {
            Some(fields) if fields[0] == fields[1] => text += &format!("  group-by: [{}]\n", fields[0]),
            Some(fields) => {
                let aliases: Vec<String> =
                    names.iter().zip(fields).map(|(rule, field)| format!("{rule}: {field}")).collect();
                text += &format!("  group-by: [g]\n  aliases:\n    g: {{{}}}\n", aliases.join(", "));
            }
            None => {}
        }
        if !self.condition.is_empty() {
            text += &format!("  condition: {}\n", self.condition);
        }
        for name in self.rules.chars() {
            let logsource = "logsource: {product: made}";
            text += &format!("---\ntitle: {name}\nname: {name}\nid: {}\n{logsource}\n", id(name));
            text += &format!("detection: {{s: {{{name}: 1}}, condition: s}}\n");
        }
        text
    }
}

fn id(name: char) -> String {
    format!("9f8c1d2e-0000-4000-8000-{:012x}", u32::from(name))
}

fn has(entries: &[Entry], rule: usize) -> bool {
    entries.iter().any(|entry| entry.rules.contains(&rule))
}

/// Do these rules occur in this order, each by an event of its own unless an event is several?
fn is_ordered(entries: &[Entry], wanted: &[usize], ways: &Ways) -> bool {
    let mut from: Option<(i64, usize)> = None;
    for rule in wanted {
        let is_behind = |entry: &&Entry| match from {
            None => true,
            Some((time, _)) if ways.contains(&Way::Several) => entry.time >= time,
            Some((time, event)) => entry.time >= time && entry.event > event,
        };
        let Some(next) = entries.iter().filter(is_behind).find(|entry| entry.rules.contains(rule)) else {
            return false;
        };
        from = Some((next.time, next.event));
    }
    true
}

fn texts(value: Option<&Value>, ways: &Ways) -> Vec<String> {
    let mut found = Vec::new();
    match value {
        Some(Value::Array(_)) if ways.contains(&Way::Lists) => {}
        Some(Value::Number(number)) if number.is_f64() && ways.contains(&Way::Fraction) => {
            found.push(number.as_f64().expect("a number").to_string());
        }
        Some(value) => sides::texts(value, &mut found),
        None => {}
    }
    found
}
