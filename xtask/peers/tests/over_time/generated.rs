//! Correlations of each type over streams that are made from a fixed seed.

use std::collections::BTreeMap;

use engine::correlate::Options;
use serde_json::{Map, Value, json};

use crate::page;
use crate::reading::{Asked, Way, Ways};
use crate::sides::{self, Event, Firings, Ours};

/// Streams for each correlation.
const STREAMS: u64 = 100;

const BASE: Asked = Asked {
    kind: "event_count",
    rules: "ab",
    group: Some(["u"; 3]),
    span: 20,
    condition: "{gte: 3}",
    holds: |n| n >= 3.0,
    expression: None,
    percentile: 50.0,
    is_rising: true,
};

/// Every correlation that is compared.
fn asked() -> Vec<Asked> {
    let temporal = Asked { kind: "temporal", rules: "abc", condition: "", holds: |n| n >= 1.0, ..BASE };
    let ordered = Asked { kind: "temporal_ordered", ..temporal };
    let settled = Asked { is_rising: false, ..BASE };
    let values = Asked { kind: "value_count", condition: "{field: v, gte: 3}", ..BASE };
    let sum = Asked { kind: "value_sum", condition: "{field: n, gt: 9}", holds: |n| n > 9.0, ..BASE };
    let above = Asked { condition: "{field: n, gt: 4}", holds: |n| n > 4.0, is_rising: false, ..sum };
    let average = Asked { kind: "value_avg", ..above };
    let median = Asked { kind: "value_median", ..average };
    let rank = Asked { condition: "{field: n, percentile: 90, gt: 5}", holds: |n| n > 5.0, percentile: 90.0, ..median };
    vec![
        BASE,
        Asked { group: None, condition: "{gt: 4}", holds: |n| n > 4.0, ..BASE },
        Asked { rules: "a", span: 7, ..BASE },
        Asked { group: Some(["u", "w", "w"]), ..BASE },
        Asked { condition: "{gte: 2, lte: 3}", holds: |n| (2.0..=3.0).contains(&n), ..settled },
        Asked { condition: "{eq: 2}", holds: |n| n == 2.0, ..settled },
        Asked { condition: "{lt: 3}", holds: |n| n < 3.0, ..settled },
        values,
        Asked { group: None, span: 12, ..values },
        Asked { condition: "{field: v, lte: 2}", holds: |n| n <= 2.0, is_rising: false, ..values },
        sum,
        average,
        median,
        Asked { kind: "value_percentile", ..rank },
        temporal,
        Asked { rules: "ab", group: Some(["u", "w", "w"]), ..temporal },
        Asked { condition: "{gte: 2}", holds: |n| n >= 2.0, ..temporal },
        Asked { condition: "{gte: 3}", holds: |n| n >= 3.0, span: 9, ..temporal },
        Asked { condition: "a and (b or c)", expression: Some(|on| on[0] && (on[1] || on[2])), ..temporal },
        Asked {
            condition: "a and b and not c",
            expression: Some(|on| on[0] && on[1] && !on[2]),
            is_rising: false,
            ..temporal
        },
        ordered,
        Asked { group: None, ..ordered },
        Asked { rules: "ab", group: Some(["u", "w", "w"]), ..ordered },
        Asked { condition: "{gte: 2}", holds: |n| n >= 2.0, ..ordered },
    ]
}

/// Numbers that come in no order, the same each time (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

/// A stream: in order, each event at a time of its own. One in two is plain; in the others, values are missing, lists, null and so on.
fn stream(seed: u64) -> Vec<Event> {
    let mut dice = Dice(seed);
    let is_plain = dice.below(2) == 0;
    let mut time = 1_750_000_000;
    let mut events = Vec::new();
    for _ in 0..4 + dice.below(14) {
        time += 1 + dice.below(9) as i64;
        let mut record = Map::new();
        record.insert(["a", "b", "c"][dice.below(3) as usize].to_owned(), json!(1));
        for field in ["u", "w"] {
            record.insert(field.to_owned(), json!(["x", "y"][dice.below(2) as usize]));
        }
        record.insert("v".to_owned(), json!(dice.below(4)));
        record.insert("n".to_owned(), json!(dice.below(9)));
        if !is_plain && dice.below(3) == 0 {
            let (field, value) = odd(&mut dice);
            record.insert(field.to_owned(), value);
            record.retain(|_, value| *value != json!("-"));
        }
        events.push((time, Value::Object(record)));
    }
    events
}

fn odd(dice: &mut Dice) -> (&'static str, Value) {
    let all = [
        ("u", json!("-")),
        ("u", json!(["x", "y"])),
        ("a", json!(1)),
        ("b", json!(1)),
        ("v", json!(null)),
        ("v", json!([1, 2, 3])),
        ("v", json!(2.0)),
        ("v", json!("2")),
        ("v", json!("-")),
        ("n", json!(-7)),
        ("n", json!("8")),
        ("n", json!([4, 5])),
        ("n", json!("-")),
        ("n", json!("many")),
    ];
    all[dice.below(all.len() as u64) as usize].clone()
}

/// What came of it, over all streams.
#[derive(Debug, Default)]
pub struct Tally {
    pub streams: usize,
    /// Groups in which both first fire at the same time. A group in which neither does is not counted.
    pub alike: usize,
    /// Groups in which they differ, by class.
    pub classes: BTreeMap<&'static str, usize>,
    /// How often RSigma fires, and how many findings we tell.
    pub firings: usize,
    pub findings: usize,
}

impl Tally {
    /// Books one stream; everything must have its explanation.
    pub fn book(&mut self, asked: &Asked, ours: &mut Ours, events: &[Event]) {
        let text = asked.text();
        let by_group = |said: Firings| -> BTreeMap<String, Vec<i64>> {
            said.into_iter().map(|((_, group), at)| (group, at)).collect()
        };
        let they = by_group(sides::theirs(&[&text], events).expect("RSigma reads it"));
        let we = by_group(ours.firings(events));
        let every: Ways = Way::ALL.iter().map(|(way, _)| *way).collect();
        let plain = asked.firings(events, &Ways::new());
        assert_eq!(they, asked.firings(events, &every), "RSigma is not understood\n{text}\n{events:#?}");
        self.streams += 1;
        let groups: Vec<&String> = they.keys().chain(we.keys()).collect();
        let groups: std::collections::BTreeSet<&String> = groups.into_iter().collect();
        for group in groups {
            let first = |firings: &BTreeMap<String, Vec<i64>>| firings.get(group).map(|times| times[0]);
            self.firings += they.get(group).map_or(0, Vec::len);
            self.findings += we.get(group).map_or(0, Vec::len);
            if asked.is_rising {
                assert_eq!(first(&we), first(&plain), "ours is not the plain reading\n{text}\n{events:#?}");
                let is_held = |time: &i64| plain[group].contains(time);
                assert!(we.get(group).is_none_or(|times| times.iter().all(is_held)), "{text}\n{events:#?}");
            }
            if first(&they) == first(&we) {
                self.alike += 1;
            } else {
                *self.classes.entry(class(asked, events, group, first(&they))).or_default() += 1;
            }
        }
    }
}

/// Why the two differ on a group: they say what the plain reading says, before our window is over; or which of RSigma's readings changes
/// what the plain reading says of the group first; or, where it takes several, which of them cannot be left out.
fn class(asked: &Asked, events: &[Event], group: &str, they: Option<i64>) -> &'static str {
    let first = |ways: &[Way]| {
        let firings = asked.firings(events, &ways.iter().copied().collect());
        firings.get(group).map(|times| times[0])
    };
    let plain = first(&[]);
    if !asked.is_rising && they == plain {
        return "answered at once";
    }
    let alone = Way::ALL.iter().find(|(way, _)| first(&[*way]) != plain);
    let needed = || {
        let rest = |left: Way| Way::ALL.iter().map(|(way, _)| *way).filter(|way| *way != left).collect::<Vec<_>>();
        Way::ALL.iter().find(|(way, _)| first(&rest(*way)) != they)
    };
    let found = alone.or_else(needed);
    found.unwrap_or_else(|| panic!("not explained: {group}\n{}\n{events:#?}", asked.text())).1
}

#[test]
fn both_say_the_same_of_made_streams_in_order_but_for_the_classes_of_the_page() {
    let mut tally = Tally::default();
    for (at, asked) in asked().iter().enumerate() {
        let mut ours = Ours::load(&[&asked.text()], Options::default()).expect("we read it");
        for seed in 0..STREAMS {
            tally.book(asked, &mut ours, &stream(at as u64 * STREAMS + seed));
        }
    }
    println!("{tally:#?}");
    page::same(page::MADE, &tally.classes);
    let said = format!("{} groups of {} streams", tally.alike, tally.streams);
    assert!(page::PAGE.contains(&said), "the page does not say: {said}");
    let repeats = format!("{} firings to {} findings", tally.firings, tally.findings);
    assert!(page::PAGE.contains(&repeats), "the page does not say: {repeats}");
}
