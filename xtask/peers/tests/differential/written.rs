//! Events written from the rules themselves: for each rule some that should meet it, and some that just do not. Real records
//! meet few rules; these bring every rule, and its neighbours, to the point where it decides.

use std::collections::{BTreeMap, BTreeSet};

use engine::sigma::{Condition, Group, Item, Rule, Value};
use serde_json::{Map, Number, Value as Json};

use crate::corpora::Corpus;
use crate::sample;

/// What is done to an event that should meet its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Twist {
    /// Nothing: every search that the condition wants is there.
    None,
    /// The searches that the condition excludes are there too.
    Excluded,
    /// Upper and lower case change places.
    Case,
    /// `k` becomes the Kelvin sign, whose lower case it is.
    Kelvin,
    /// `s` becomes the long s, which folds to it, and is a lower case letter.
    LongS,
    /// A field loses its first character.
    Front,
    /// A field has one more character.
    Back,
    /// A field is missing.
    Absent,
    /// A field is a list with another value before it.
    List,
    /// A number becomes text, or text that is a number a number.
    Number,
}

const TWISTS: [Twist; 10] = [
    Twist::None,
    Twist::Excluded,
    Twist::Case,
    Twist::Kelvin,
    Twist::LongS,
    Twist::Front,
    Twist::Back,
    Twist::Absent,
    Twist::List,
    Twist::Number,
];

/// One rule in so many is tried with the long s, in which the sides differ each time and for one reason.
const LONG_S: usize = 100;

/// Events of one rule in `stride` for every twist.
pub fn all(rules: &[Rule], stride: usize) -> Vec<Corpus> {
    let of = |place: usize, twist: Twist| {
        let stride = if twist == Twist::LongS { LONG_S } else { stride };
        // Each twist starts at another rule.
        let chosen = rules.iter().enumerate().skip(place % stride).step_by(stride);
        let events = chosen.map(|(at, rule)| {
            let mut dice = Dice(at as u64 * 1_000_003 + place as u64);
            event(rule, twist, &mut dice).to_string()
        });
        events.collect::<BTreeSet<_>>().into_iter().collect()
    };
    TWISTS.iter().enumerate().map(|(place, twist)| Corpus { name: twist.name(), events: of(place, *twist) }).collect()
}

impl Twist {
    fn name(self) -> &'static str {
        match self {
            Twist::None => "written",
            Twist::Excluded => "written_excluded",
            Twist::Case => "written_case",
            Twist::Kelvin => "written_kelvin",
            Twist::LongS => "written_long_s",
            Twist::Front => "written_front",
            Twist::Back => "written_back",
            Twist::Absent => "written_absent",
            Twist::List => "written_list",
            Twist::Number => "written_number",
        }
    }
}

/// Pseudo-random numbers that are the same everywhere (splitmix64).
pub struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end.max(1) as u64) as usize
    }
}

/// What the items ask of one field, gathered over the searches.
#[derive(Default)]
struct Wish {
    front: Option<String>,
    inside: Vec<String>,
    back: Option<String>,
    number: Option<String>,
}

impl Wish {
    fn text(&self) -> String {
        let inside = self.inside.join("_");
        [self.front.as_deref(), Some(inside.as_str()), self.back.as_deref()].into_iter().flatten().collect()
    }
}

fn event(rule: &Rule, twist: Twist, dice: &mut Dice) -> Json {
    let detection = &rule.detection;
    let mut wanted = vec![false; detection.searches.len()];
    for condition in &detection.conditions {
        mark(condition, twist == Twist::Excluded, &mut wanted);
    }
    let mut wishes = BTreeMap::new();
    for (search, _) in detection.searches.iter().zip(&wanted).filter(|(_, is_wanted)| **is_wanted) {
        gather(&search.body, dice, &mut wishes);
    }
    let victim = dice.below(wishes.len());
    let is_nested = dice.below(2) == 0;
    let mut event = Map::new();
    for (at, (path, wish)) in wishes.iter().enumerate() {
        if at == victim && twist == Twist::Absent {
            continue;
        }
        let value = twisted(wish, if at == victim || is_for_all(twist) { twist } else { Twist::None });
        insert(&mut event, path, value, is_nested);
    }
    Json::Object(event)
}

fn is_for_all(twist: Twist) -> bool {
    matches!(twist, Twist::Case | Twist::Kelvin | Twist::LongS | Twist::Number)
}

/// The searches that `condition` wants to hold; all that it names under `with_excluded`.
fn mark(condition: &Condition, with_excluded: bool, wanted: &mut [bool]) {
    match condition {
        Condition::Search(at) => wanted[*at] = true,
        Condition::Not(part) if with_excluded => mark(part, with_excluded, wanted),
        Condition::Not(_) => {}
        Condition::And(parts) | Condition::Or(parts) => parts.iter().for_each(|part| mark(part, with_excluded, wanted)),
        Condition::Of(of) => of.searches.iter().for_each(|at| wanted[*at] = true),
    }
}

fn gather(group: &Group, dice: &mut Dice, wishes: &mut BTreeMap<String, Wish>) {
    match group {
        Group::All(parts) => parts.iter().for_each(|part| gather(part, dice, wishes)),
        Group::Any(parts) if parts.is_empty() => {}
        Group::Any(parts) => gather(&parts[dice.below(parts.len())], dice, wishes),
        Group::Item(item) => ask(item, dice, wishes),
    }
}

fn ask(item: &Item, dice: &mut Dice, wishes: &mut BTreeMap<String, Wish>) {
    let has = |name: &str| item.modifiers.iter().any(|modifier| modifier.as_str() == name);
    let field = item.field.clone().unwrap_or_else(|| "message".to_owned());
    let chosen: Vec<&Value> = if has("all") {
        item.values.iter().collect()
    } else {
        item.values.get(dice.below(item.values.len())).into_iter().collect()
    };
    for value in chosen {
        let Some(text) = sample::of(value, &has) else { continue };
        if has("fieldref") {
            wishes.entry(text).or_default().front = Some("same".to_owned());
            wishes.entry(field.clone()).or_default().front = Some("same".to_owned());
            continue;
        }
        let wish = wishes.entry(field.clone()).or_default();
        match value {
            Value::Number(_) if item.modifiers.is_empty() => wish.number = Some(text),
            _ if has("contains") || has("re") || item.field.is_none() => wish.inside.push(text),
            _ if has("endswith") => wish.back = Some(text),
            _ => wish.front = Some(text),
        }
    }
}

fn twisted(wish: &Wish, twist: Twist) -> Json {
    let text = wish.number.clone().unwrap_or_else(|| wish.text());
    let plain = |text: String| match (&wish.number, twist) {
        (Some(_), Twist::Number) | (None, _) => Json::String(text),
        (Some(_), _) => text.parse::<Number>().map_or(Json::String(text), Json::Number),
    };
    match twist {
        Twist::Case => plain(text.chars().map(swap_case).collect()),
        Twist::Kelvin => plain(text.replace(['k', 'K'], "\u{212a}")),
        Twist::LongS => plain(text.replace(['s', 'S'], "\u{17f}")),
        Twist::Front => plain(text.chars().skip(1).collect()),
        Twist::Back => plain(text + "z"),
        Twist::List => Json::Array(vec![Json::from("other"), plain(text)]),
        Twist::Number if wish.number.is_none() => text.parse::<Number>().map_or(Json::String(text), Json::Number),
        _ => plain(text),
    }
}

fn swap_case(c: char) -> char {
    if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
}

/// Puts `value` at `path`: as one key, or, if `is_nested`, in objects within objects where nothing stands in the way.
fn insert(event: &mut Map<String, Json>, path: &str, value: Json, is_nested: bool) {
    if let (true, Some((head, rest))) = (is_nested, path.split_once('.')) {
        let inner = event.entry(head).or_insert_with(|| Json::Object(Map::new()));
        if let Json::Object(inner) = inner {
            return insert(inner, rest, value, true);
        }
    }
    event.insert(path.to_owned(), value);
}
