//! A plain evaluator of rules: it looks each field up by path in a JSON tree, walks the rule as it is written, and matches
//! patterns character by character. It shares no code with the engine.

use std::cell::RefCell;
use std::collections::HashMap;

use engine::sigma::Inventory;
use serde_json::{Map, Value, json};

use crate::json_style::{Style, spell};

/// One `field|modifiers: values` of a rule.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its path; empty for keywords.
    pub field: &'static str,
    /// The modifiers.
    pub chain: Vec<&'static str>,
    /// The values, joined by OR, or by AND under `all`.
    pub values: Vec<Value>,
}

/// A search: maps joined by OR, each of items joined by AND.
#[derive(Clone, Debug)]
pub struct Search(pub Vec<Vec<Item>>);

#[derive(Clone, Debug)]
pub enum Condition {
    Search(usize),
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Of(Option<usize>, &'static str),
}

pub const NAMES: [&str; 4] = ["s1", "s2", "f1", "_x"];

pub fn inventory() -> Inventory {
    [("list".to_owned(), vec!["ab*".to_owned(), "É".to_owned()]), ("none".to_owned(), vec![])].into_iter().collect()
}

// ---- the plain evaluator ----

thread_local! {
    static FOLDED: RefCell<HashMap<char, char>> = RefCell::default();
}

/// The least of the characters that differ from `c` in case alone, by the table of Unicode that the regular expressions carry.
fn fold(c: char) -> char {
    FOLDED.with_borrow_mut(|folded| *folded.entry(c).or_insert_with(|| least_case(c)))
}

fn least_case(c: char) -> char {
    let range = regex_syntax::hir::ClassUnicodeRange::new(c, c);
    let mut class = regex_syntax::hir::ClassUnicode::new([range]);
    class.try_case_fold_simple().expect("the table is compiled in");
    class.ranges().iter().map(|range| range.start()).min().expect("a character is in its own class")
}

/// Every value under `path`: arrays count as their elements, an empty one as itself.
fn lookup<'v>(value: &'v Value, path: Option<&str>, found: &mut Vec<&'v Value>) {
    match (value, path) {
        (Value::Array(elements), _) if !elements.is_empty() => {
            elements.iter().for_each(|element| lookup(element, path, found))
        }
        (value, None) => found.push(value),
        (Value::Object(entries), Some(path)) => {
            for (key, inner) in entries {
                if path == key {
                    lookup(inner, None, found);
                } else if let Some(rest) = path.strip_prefix(key.as_str()).and_then(|rest| rest.strip_prefix('.')) {
                    lookup(inner, Some(rest), found);
                }
            }
        }
        _ => {}
    }
}

/// An event, and how its bytes are written.
#[derive(Clone, Debug)]
pub struct Event {
    pub value: Value,
    pub style: Style,
}

impl Event {
    /// Its bytes.
    pub fn text(&self) -> String {
        spell(&self.value, self.style)
    }

    /// What a value is compared as; objects and empty lists as the record writes them.
    fn text_of(&self, value: &Value) -> Option<String> {
        match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(spell(other, self.style)),
        }
    }
}

pub fn leaves(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| leaves(element, found)),
        Value::Object(entries) => entries.values().for_each(|inner| leaves(inner, found)),
        Value::String(text) => found.push(text.clone()),
        Value::Number(number) => found.push(number.to_string()),
        _ => {}
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unit {
    Char(char),
    One,
    Many,
}

pub fn units(text: &str) -> Vec<Unit> {
    let mut units = Vec::new();
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        let next = chars.get(at + 1);
        match (chars[at], next) {
            ('\\', Some(escaped @ ('*' | '?' | '\\'))) => {
                units.push(Unit::Char(*escaped));
                at += 1;
            }
            ('*', _) => units.push(Unit::Many),
            ('?', _) => units.push(Unit::One),
            (c, _) => units.push(Unit::Char(c)),
        }
        at += 1;
    }
    units
}

/// Which lengths of `text` the units seen so far fit, unit after unit.
fn fits(units: &[Unit], text: &[char], cased: bool) -> bool {
    let same = |a: char, b: char| if cased { a == b } else { fold(a) == fold(b) };
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for unit in units {
        let mut next = vec![false; text.len() + 1];
        for (at, next) in next.iter_mut().enumerate() {
            *next = match unit {
                Unit::Many => reached[..=at].contains(&true),
                Unit::One => at > 0 && reached[at - 1],
                Unit::Char(c) => at > 0 && reached[at - 1] && same(*c, text[at - 1]),
            };
        }
        reached = next;
    }
    reached[text.len()]
}

pub fn windash(units: &[Unit]) -> Vec<Vec<Unit>> {
    const DASHES: [char; 5] = ['-', '/', '–', '—', '―'];
    let is_word = |unit: Option<&Unit>| matches!(unit, Some(Unit::Char(c)) if c.is_alphanumeric() || *c == '_');
    let mut all = vec![Vec::new()];
    for (at, unit) in units.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| units.get(before));
        let is_switch =
            matches!(unit, Unit::Char(c) if DASHES.contains(c)) && !is_word(before) && is_word(units.get(at + 1));
        let choices: Vec<Unit> = if is_switch { DASHES.map(Unit::Char).to_vec() } else { vec![*unit] };
        all = all
            .iter()
            .flat_map(|head: &Vec<Unit>| choices.iter().map(|c| [&head[..], &[*c]].concat()).collect::<Vec<_>>())
            .collect();
    }
    all
}

pub fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

pub fn item_holds(item: &Item, event: &Event) -> bool {
    let has = |modifier: &str| item.chain.contains(&modifier);
    let each: Vec<bool> = item.values.iter().map(|value| value_holds(item, value, event)).collect();
    let held = if has("all") { each.iter().all(|held| *held) } else { each.iter().any(|held| *held) };
    held != has("neq")
}

fn value_holds(item: &Item, value: &Value, event: &Event) -> bool {
    let has = |modifier: &str| item.chain.contains(&modifier);
    let mut seen = Vec::new();
    lookup(&event.value, Some(item.field), &mut seen);
    if has("exists") {
        return value.as_bool() == Some(!seen.is_empty());
    }
    if value.is_null() {
        return seen.iter().all(|seen| seen.is_null()) || seen.iter().any(|seen| seen.is_null());
    }
    let texts: Vec<String> = if item.field.is_empty() {
        let mut found = Vec::new();
        leaves(&event.value, &mut found);
        found
    } else {
        seen.iter().filter_map(|seen| event.text_of(seen)).collect()
    };
    let wanted = event.text_of(value).expect("not null");
    let any = |test: &dyn Fn(&str) -> bool| texts.iter().any(|text| test(text));
    if has("re") {
        let regex =
            regex::Regex::new(&if has("i") { format!("(?i){wanted}") } else { wanted }).expect("a good expression");
        return any(&|text| regex.is_match(text));
    }
    if has("cidr") {
        let network: ipnet::IpNet = wanted.parse().expect("a network");
        return any(&|text| text.parse().is_ok_and(|address: std::net::IpAddr| network.contains(&address)));
    }
    if let Some(order) = ["lt", "lte", "gt", "gte"].into_iter().find(|order| has(order)) {
        let bound = number(&wanted).expect("a number");
        // A number counts seconds since 1970; the numbers tried here all lie in its first hour.
        let of_hour = |text: &str| match text.len() {
            20 => number(&text[11..13]),
            _ => number(text).filter(|seconds| (0.0..3600.0).contains(seconds)).map(|_| 0.0),
        };
        return any(&|text| {
            let number = if has("hour") { of_hour(text) } else { number(text) };
            number.is_some_and(|number| match order {
                "lt" => number < bound,
                "lte" => number <= bound,
                "gt" => number > bound,
                _ => number >= bound,
            })
        });
    }
    if has("fieldref") {
        let mut others = Vec::new();
        lookup(&event.value, Some(&wanted), &mut others);
        let elements = |values: Vec<&Value>| -> Vec<String> {
            values.into_iter().filter(|value| **value != json!([])).filter_map(|value| event.text_of(value)).collect()
        };
        let (ones, others) = (elements(seen), elements(others));
        return ones.iter().any(|one| others.iter().any(|other| relates(item, one, other)));
    }
    let is_bare = item.chain.iter().all(|modifier| ["neq", "all", "cased"].contains(modifier));
    if let (Value::Number(expected), true, false) = (value, is_bare, item.field.is_empty()) {
        return seen.iter().any(|seen| match seen {
            Value::Number(seen) => seen.as_f64() == expected.as_f64(),
            other => event.text_of(other).is_some_and(|text| text == expected.to_string()),
        });
    }
    patterns(item, &wanted)
        .iter()
        .any(|units| any(&|text| fits(units, &text.chars().collect::<Vec<_>>(), has("cased"))))
}

pub fn relates(item: &Item, text: &str, other: &str) -> bool {
    let cased = item.chain.contains(&"cased");
    let shape = |text: &str| if cased { text.to_owned() } else { text.chars().map(fold).collect() };
    let (text, other) = (shape(text), shape(other));
    match item.chain.iter().find(|modifier| ["startswith", "endswith", "contains"].contains(modifier)) {
        Some(&"startswith") => text.starts_with(&other),
        Some(&"endswith") => text.ends_with(&other),
        Some(_) => text.contains(&other),
        None => text == other,
    }
}

pub fn patterns(item: &Item, wanted: &str) -> Vec<Vec<Unit>> {
    let has = |modifier: &str| item.chain.contains(&modifier);
    let texts: Vec<String> = if has("expand") {
        match wanted {
            "%list%" => vec!["ab*".to_owned(), "É".to_owned()],
            "%none%" => vec![],
            other => vec![other.to_owned()],
        }
    } else {
        vec![wanted.to_owned()]
    };
    let mut all: Vec<Vec<Unit>> = texts.iter().map(|text| units(text)).collect();
    if has("windash") {
        all = all.iter().flat_map(|units| windash(units)).collect();
    }
    let is_keyword = item.field.is_empty() && !has("startswith") && !has("endswith");
    for units in &mut all {
        if has("contains") || has("endswith") || is_keyword {
            units.insert(0, Unit::Many);
        }
        if has("contains") || has("startswith") || is_keyword {
            units.push(Unit::Many);
        }
    }
    all
}

pub fn condition_holds(condition: &Condition, searches: &[Search], event: &Event) -> bool {
    let search = |at: usize| searches[at].0.iter().any(|items| items.iter().all(|item| item_holds(item, event)));
    match condition {
        Condition::Search(at) => search(*at),
        Condition::Not(part) => !condition_holds(part, searches, event),
        Condition::And(parts) => parts.iter().all(|part| condition_holds(part, searches, event)),
        Condition::Or(parts) => parts.iter().any(|part| condition_holds(part, searches, event)),
        Condition::Of(least, pattern) => {
            let named: Vec<usize> = named(pattern);
            let held = named.iter().filter(|at| search(**at)).count();
            held >= least.unwrap_or(named.len())
        }
    }
}

pub fn named(pattern: &str) -> Vec<usize> {
    let fits = |name: &str| match pattern {
        "them" => !name.starts_with('_'),
        "s*" => name.starts_with('s'),
        "*1" => name.ends_with('1'),
        other => name == other,
    };
    (0..NAMES.len()).filter(|at| fits(NAMES[*at])).collect()
}

// ---- how a rule is written ----

/// Values as a rule may have them: null is none of several.
pub fn listed(mut values: Vec<Value>) -> Vec<Value> {
    if values.len() > 1 && values.iter().any(|value| !value.is_null()) {
        values.retain(|value| !value.is_null());
    } else {
        values.truncate(1);
    }
    values
}

pub fn write_condition(condition: &Condition) -> String {
    let join = |parts: &[Condition], word: &str| {
        format!("({})", parts.iter().map(write_condition).collect::<Vec<_>>().join(word))
    };
    match condition {
        Condition::Search(at) => NAMES[*at].to_owned(),
        Condition::Not(part) => format!("not {}", write_condition(part)),
        Condition::And(parts) => join(parts, " and "),
        Condition::Or(parts) => join(parts, " or "),
        Condition::Of(least, pattern) => {
            format!("{} of {pattern}", least.map_or("all".to_owned(), |least| least.to_string()))
        }
    }
}

/// JSON is YAML. Items of one map whose keys are equal would be one; they are told apart by a change of the map.
pub fn write(searches: &[Search], condition: &Condition) -> String {
    let mut detection = Map::new();
    for (name, search) in NAMES.iter().zip(searches) {
        let maps = search.0.iter().map(|items| {
            let entries = items.iter().map(|item| {
                let chain: String = item.chain.iter().map(|modifier| format!("|{modifier}")).collect();
                let value =
                    if item.values.len() == 1 { item.values[0].clone() } else { Value::Array(item.values.clone()) };
                (format!("{}{chain}", item.field), value)
            });
            Value::Object(entries.collect())
        });
        detection.insert((*name).to_owned(), Value::Array(maps.collect()));
    }
    detection.insert("condition".to_owned(), json!(write_condition(condition)));
    json!({
        "title": "T", "id": "9f8c1d2e-0000-4000-8000-000000000001",
        "logsource": {"product": "test"}, "level": "low", "detection": detection,
    })
    .to_string()
}
