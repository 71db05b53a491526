//! The types that measure what one group does: `first_seen`, `rarity`, `volume`, `peer_group` and `coverage`.

use super::super::super::correlation::CorrelationKind;
use super::super::super::stateful::{
    Beyond, Coverage, FirstSeen, KnownSet, Learn, PeerGroup, Rarity, Season, Stateful, Volume,
};
use super::super::correlation::{fields, timespan_ms};
use super::super::reader::Reader;
use super::Body;
use super::values::{LOWER, UPPER, Unit, Wanted, condition, count, expectation, measured, positive, word};
use crate::yaml::Entry;

/// Values of a group that are remembered unless said otherwise, and at most.
const VALUES: (usize, u64) = (10_000, 1_000_000);
const COUNT_MAX: u64 = 1_000_000_000_000;
const HOUR_MS: i64 = 3_600_000;

pub(super) fn read(reader: &mut Reader, body: &Body<'_, '_>, timespan_ms: i64) -> Option<Stateful> {
    match body.kind {
        CorrelationKind::FirstSeen => first_seen(reader, body).map(Stateful::FirstSeen),
        CorrelationKind::Rarity => rarity(reader, body).map(Stateful::Rarity),
        CorrelationKind::Volume => volume(reader, body, timespan_ms).map(Stateful::Volume),
        CorrelationKind::PeerGroup => peer_group(reader, body).map(Stateful::PeerGroup),
        CorrelationKind::Coverage => coverage(reader, body).map(Stateful::Coverage),
        _ => None,
    }
}

fn values_max(reader: &mut Reader, body: &Body<'_, '_>) -> Option<usize> {
    let Some(entry) = body.get("most_values") else { return Some(VALUES.0) };
    count(reader, entry, 1, VALUES.1).map(|count| count as usize)
}

fn first_seen(reader: &mut Reader, body: &Body<'_, '_>) -> Option<FirstSeen> {
    let remedy = "add `condition: {field: …}`: the field whose values are new or known";
    let wanted = Wanted { field: Some(true), comparisons: &[], unit: Unit::Number, remedy };
    let fields = condition(reader, body, wanted).fields;
    let learn = match body.get("learn") {
        Some(entry) => learn(reader, entry),
        None => {
            body.missing(reader, "learn", "add `learn: 14d`, or `learn: none` if a group's first value is to be told");
            None
        }
    };
    Some(FirstSeen { fields, learn: learn?, values_max: values_max(reader, body)? })
}

/// A length of time, or `{for: 14d, events: 100}`, or `none`.
fn learn(reader: &mut Reader, entry: &Entry<'_>) -> Option<Learn> {
    if entry.value.as_str() == Some("none") {
        return Some(Learn::default());
    }
    if entry.value.as_map().is_none() {
        return Some(Learn { span_ms: timespan_ms(reader, entry)?, events: 0 });
    }
    let mut learn = Learn::default();
    for part in reader.map(entry) {
        match part.key.as_ref() {
            "for" => learn.span_ms = timespan_ms(reader, part)?,
            "events" => learn.events = count(reader, part, 1, COUNT_MAX)?,
            _ => reader.unknown_key(part, "`learn`", &["for", "events"]),
        }
    }
    if learn == Learn::default() {
        reader.note(entry.error("empty-learn", "`learn` says nothing", "write `learn: 14d` or `learn: none`"));
    }
    Some(learn)
}

fn rarity(reader: &mut Reader, body: &Body<'_, '_>) -> Option<Rarity> {
    let remedy = "add `condition: {field: …, lt: 1%}`";
    let wanted = Wanted { field: Some(true), comparisons: UPPER, unit: Unit::Share, remedy };
    let read = condition(reader, body, wanted);
    let share = read.bounds.first().map(|bound| bound.value);
    if let (Some(0.0 | 1.0), Some(entry)) = (share, body.get("condition")) {
        let message = "every value is below a share of 1, and none is below 0";
        reader.note(entry.error("bad-share", message, "write a share between, such as `1%`"));
    }
    let least_events = match body.get("least_events") {
        Some(entry) => count(reader, entry, 1, COUNT_MAX),
        None => {
            body.missing(reader, "least_events", "add `least_events: 1000`: with fewer events, every value looks rare");
            None
        }
    };
    Some(Rarity {
        fields: read.fields,
        share: share?,
        least_events: least_events?,
        values_max: values_max(reader, body)?,
    })
}

fn volume(reader: &mut Reader, body: &Body<'_, '_>, timespan_ms: i64) -> Option<Volume> {
    let wanted = Wanted { field: None, comparisons: &[], unit: Unit::Number, remedy: "add `condition: {field: …}`" };
    let named = condition(reader, body, wanted).fields;
    let measured = measured(reader, body, named);
    let expectation = expectation(reader, body);
    let parts = body.get("baseline").and_then(|entry| entry.value.as_map()).unwrap_or_default();
    let known = ["k", "quantile", "factor", "season", "learn", "history"];
    for part in parts.iter().filter(|part| !known.contains(&part.key.as_ref())) {
        reader.unknown_key(part, "`baseline`", &known);
    }
    let get = |key: &str| parts.iter().find(|part| part.key == key);
    let season = word(reader, get("season"), Season::WORDS);
    check_season(reader, get("season"), season, timespan_ms);
    let default = learned_by_default(season, timespan_ms);
    let learn = get("learn").map_or(Some(default), |part| count(reader, part, 1, 10_000));
    let (usual, most) = match season {
        Season::None => (256, 1024),
        Season::HourOfDay => (30, 90),
        Season::HourOfWeek => (8, 26),
    };
    let history = get("history").map_or(Some(usual), |part| count(reader, part, 2, most));
    let beyond = word(reader, body.get("beyond"), Beyond::WORDS);
    Some(Volume {
        measured,
        expectation: expectation?,
        season,
        learn: learn? as usize,
        history: history? as usize,
        at_least: at_least(reader, body, beyond)?,
        beyond,
    })
}

/// Two weeks of hours of the week, one of hours of the day, and otherwise 30 buckets; 8 at least.
fn learned_by_default(season: Season, timespan_ms: i64) -> u64 {
    let span_ms = match season {
        Season::None => return 30,
        Season::HourOfDay => 7 * 24 * HOUR_MS,
        Season::HourOfWeek => 14 * 24 * HOUR_MS,
    };
    (span_ms / timespan_ms.max(1)).clamp(8, 10_000).cast_unsigned()
}

/// A bucket lies in one hour, or takes several whole ones of which the season has a whole number.
fn check_season(reader: &mut Reader, entry: Option<&Entry<'_>>, season: Season, timespan_ms: i64) {
    let length_ms = HOUR_MS * season.slots().cast_signed() as i64;
    let fits = HOUR_MS % timespan_ms.max(1) == 0 || timespan_ms % HOUR_MS == 0 && length_ms % timespan_ms == 0;
    if let Some(entry) = entry.filter(|_| season != Season::None && timespan_ms > 0)
        && (!fits || timespan_ms >= length_ms)
    {
        let word = entry.value.as_str().unwrap_or_default();
        let message = format!("buckets of this `timespan` do not fit `{word}`");
        let remedy = "take a time span that parts an hour evenly, or whole hours that part the day (or week) evenly";
        reader.note(entry.value.error("season-does-not-fit", message, remedy));
    }
}

/// `at_least`, 0 where it is left out: without one, anything exceeds the past of a group that is mostly quiet.
fn at_least(reader: &mut Reader, body: &Body<'_, '_>, beyond: Beyond) -> Option<f64> {
    match body.get("at_least") {
        Some(entry) => positive(reader, entry),
        None => {
            if beyond == Beyond::Above {
                let message = "without `at_least`, whatever is above zero exceeds what is mostly quiet";
                reader.note(body.entry.warning(
                    "missing-at_least",
                    message,
                    "add `at_least:`, the least value worth telling",
                ));
            }
            Some(0.0)
        }
    }
}

fn peer_group(reader: &mut Reader, body: &Body<'_, '_>) -> Option<PeerGroup> {
    let wanted = Wanted { field: None, comparisons: &[], unit: Unit::Number, remedy: "add `condition: {field: …}`" };
    let named = condition(reader, body, wanted).fields;
    let measured = measured(reader, body, named);
    let expectation = expectation(reader, body);
    for part in body.get("baseline").and_then(|entry| entry.value.as_map()).unwrap_or_default() {
        if !["k", "quantile", "factor"].contains(&part.key.as_ref()) {
            reader.unknown_key(part, "the `baseline` of a `peer_group`", &["k", "quantile", "factor"]);
        }
    }
    let entity = body.get("entity").map(|entry| fields(reader, entry)).unwrap_or_default();
    if entity.is_empty() {
        body.missing(
            reader,
            "entity",
            "add `entity:`, the field that tells peers apart; `group-by` says who are peers",
        );
    }
    let least_peers = body.get("least_peers").map_or(Some(5), |entry| count(reader, entry, 2, 1_000_000));
    Some(PeerGroup {
        entity,
        measured,
        expectation: expectation?,
        least_peers: least_peers? as usize,
        at_least: at_least(reader, body, Beyond::Above)?,
    })
}

fn coverage(reader: &mut Reader, body: &Body<'_, '_>) -> Option<Coverage> {
    let remedy = "add `condition: {field: …, gte: 90%}`";
    let wanted = Wanted { field: Some(true), comparisons: LOWER, unit: Unit::Share, remedy };
    let read = condition(reader, body, wanted);
    let of = match body.get("of") {
        Some(entry) => known_set(reader, entry),
        None => {
            body.missing(
                reader,
                "of",
                "add `of:` and how many there are, an inventory list (`'%name%'`), or `{field: …}`",
            );
            None
        }
    };
    let at_least = body.get("at_least").map_or(Some(1), |entry| count(reader, entry, 1, COUNT_MAX));
    if let (Some(entry), Some(bound)) = (body.get("condition"), read.bounds.iter().find(|bound| impossible(bound))) {
        let message = if bound.value == 0.0 { "any share reaches 0" } else { "no share is above 1" };
        reader.note(entry.error("impossible-range", message, "write a share above 0 and at most 1"));
    }
    Some(Coverage { fields: read.fields, of: of?, bounds: read.bounds, at_least: at_least? })
}

fn impossible(bound: &super::super::super::correlation::Bound) -> bool {
    use super::super::super::correlation::Comparison;
    bound.comparison == Comparison::Gte && bound.value == 0.0
        || bound.comparison == Comparison::Gt && bound.value == 1.0
}

fn known_set(reader: &mut Reader, entry: &Entry<'_>) -> Option<KnownSet> {
    if let Some(parts) = entry.value.as_map() {
        let mut field = None;
        for part in parts {
            match part.key.as_ref() {
                "field" => field = reader.text(part).filter(|field| !field.is_empty()),
                _ => reader.unknown_key(part, "`of`", &["field"]),
            }
        }
        if field.is_none() {
            reader.note(entry.error("missing-field", "`of` names no field", "write `of: {field: shard_count}`"));
        }
        return field.map(KnownSet::Field);
    }
    let text = entry.value.as_str().unwrap_or_default().trim();
    if let Some(name) = text.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')).filter(|name| !name.is_empty()) {
        return Some(KnownSet::List(name.to_owned()));
    }
    match text.parse::<u64>() {
        Ok(size) if size > 0 => Some(KnownSet::Size(size)),
        _ => {
            let shown = if text.is_empty() { entry.value.noun() } else { text };
            let message = format!("`of` is `{shown}`, which is no known set");
            let remedy = "write how many there are, an inventory list as `'%name%'`, or `{field: …}`";
            reader.note(entry.value.error("bad-set", message, remedy));
            None
        }
    }
}
