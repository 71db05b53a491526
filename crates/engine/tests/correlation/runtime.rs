//! What the runtime does beside finding: it tells early and corrects, bounds itself, counts, and knows who is behind an event.

use engine::correlate::{Batch, Correlations, Correlator, Feeds, Options, Statement};
use engine::identity::{Link, Means};
use engine::sigma::Inventory;
use model::{Entity, EntityKind, EventId, Lane, SourceId, Standing, Time};
use serde_json::json;

use crate::plain::Event;
use crate::sentences::{correlation, event, scene};
use crate::streaming::{matched, progress};

struct Running {
    feeds: Feeds,
    correlator: Correlator,
}

impl Running {
    fn new(text: &str, options: Options) -> Running {
        let linked = scene(text).linked;
        let feeds = Feeds::of(&linked);
        let plans = Correlations::compile(&linked, &feeds, &Inventory::new(), &|_| vec![SourceId::new("made")]);
        Running { feeds, correlator: Correlator::new(plans.into(), options) }
    }

    fn batch(&mut self, events: &[Event]) -> Vec<Statement> {
        let time = events.iter().map(|event| event.time).max().unwrap_or(0);
        let matched = events.iter().map(|event| matched(&self.feeds, event)).collect();
        self.correlator.batch(&Batch { matched, links: Vec::new(), progress: vec![progress(time)] })
    }

    fn one(&mut self, name: &str, seconds: i64, rules: &str, user: &str) -> Vec<Statement> {
        self.batch(&[event(name, seconds, rules, json!({"u": user}))])
    }
}

fn options() -> Options {
    Options { lateness_ms: 60_000, ..Options::default() }
}

fn brief(said: &[Statement]) -> Vec<String> {
    let one = |said: &Statement| {
        let claims = said.episode.opened.iter().map(|claim| claim.time.millis() / 1000);
        let times: Vec<String> = claims.map(|time| time.to_string()).collect();
        let late = said.late_ms.map_or(String::new(), |late| format!(", {late} ms late"));
        format!("{}: {}{late}", said.standing.as_str(), times.join(" "))
    };
    said.iter().map(one).collect()
}

#[test]
fn a_burst_is_told_at_once_and_corrected_when_an_event_comes_late() {
    let mut running = Running::new(&correlation("event_count", "{gte: 3}"), options());
    assert!(running.one("1", 105, "a", "x").is_empty());
    assert!(running.one("2", 110, "a", "x").is_empty());
    assert_eq!(brief(&running.one("3", 114, "a", "x")), ["early: 105 110 114"]);
    let corrected = running.one("4", 102, "a", "x");
    assert_eq!(brief(&corrected), ["early: 102 105 110, 12000 ms late", "withdrawn: 105 110 114, 12000 ms late"]);
    assert_eq!(brief(&running.one("5", 300, "a", "y")), ["final: 102 105 110, 12000 ms late"]);
}

#[test]
fn nothing_is_late_where_all_is_handed_over_before_anything_is_settled() {
    let mut running = Running::new(&correlation("event_count", "{gte: 3}"), Options { is_whole: true, ..options() });
    for (name, seconds) in [("1", 110), ("2", 102), ("3", 105)] {
        running.one(name, seconds, "a", "x");
    }
    assert_eq!(brief(&running.correlator.finish()), ["final: 102 105 110"]);
    assert_eq!(running.correlator.counts().correlations[0].late, 0);
}

#[test]
fn an_event_that_comes_later_than_is_allowed_takes_no_part_and_is_counted() {
    let mut running = Running::new(&correlation("event_count", "{gte: 2}"), options());
    running.one("1", 100, "a", "x");
    running.one("2", 170, "a", "y");
    assert!(running.one("3", 109, "a", "x").is_empty());
    assert_eq!(running.correlator.counts().correlations[0].too_late, 1);
    assert!(running.one("4", 110, "a", "y").is_empty(), "exactly as late as is allowed");
    assert_eq!(running.correlator.counts().correlations[0].too_late, 1);
}

#[test]
fn of_two_records_of_one_event_the_earlier_counts_whichever_comes_first() {
    for (first, second) in [(103, 118), (118, 103)] {
        let mut running = Running::new(&correlation("event_count", "{gte: 2}"), options());
        running.one("1", 100, "a", "x");
        running.one("2", first, "a", "x");
        running.one("2", second, "a", "x");
        let finals = running.correlator.finish();
        assert_eq!(
            finals.last().map(|said| brief(std::slice::from_ref(said))).unwrap(),
            ["final: 100 103".to_owned() + late(first)]
        );
        assert_eq!(running.correlator.counts().duplicates, 1);
    }
}

fn late(first: i64) -> &'static str {
    if first == 118 { ", 15000 ms late" } else { "" }
}

#[test]
fn a_flood_of_other_keys_pushes_out_itself_and_is_counted() {
    let bounded = Options { groups_max: 200, ..options() };
    let mut running = Running::new(&correlation("temporal_ordered", ""), bounded);
    running.one("a", 1, "a", "victim");
    running.one("b", 2, "b", "victim");
    for nth in 0..100 {
        let flood: Vec<Event> = (0..100)
            .map(|at| event(&format!("{nth:02}{at:02}"), 3, "a", json!({"u": format!("flood {nth} {at}")})))
            .collect();
        assert!(running.batch(&flood).is_empty());
    }
    let counts = running.correlator.counts().correlations[0];
    assert!(counts.groups <= 201 && counts.evicted >= 9_700 && counts.lost >= 9_700, "{counts:?}");
    assert_eq!(brief(&running.one("c", 4, "c", "victim")), ["early: 1 2 4"]);
}

#[test]
fn a_correlation_that_lets_go_of_too_much_is_set_aside() {
    let bounded = Options { groups_max: 10, evicted_max: 50, ..options() };
    let mut running = Running::new(&correlation("event_count", "{gte: 2}"), bounded);
    for nth in 0..100 {
        running.one(&nth.to_string(), 1, "a", &format!("user {nth}"));
    }
    let counts = running.correlator.counts().correlations[0];
    assert!(counts.is_aside && counts.groups == 0 && counts.evicted == 51, "{counts:?}");
    assert!(counts.lost >= 90, "{counts:?}");
}

#[test]
fn where_too_many_facts_wait_the_frontier_moves_on_and_nothing_is_lost() {
    let bounded = Options { pending_max: 50, is_whole: true, ..options() };
    let mut running = Running::new(&correlation("event_count", "{gte: 1}"), bounded);
    let mut finals = 0;
    for nth in 0..200 {
        let said = running.one(&nth.to_string(), nth * 20, "a", "x");
        finals += said.iter().filter(|said| said.standing == Standing::Final).count();
    }
    finals += running.correlator.finish().iter().filter(|said| said.standing == Standing::Final).count();
    assert_eq!(finals, 200);
    assert!(running.correlator.counts().forced >= 5, "{:?}", running.correlator.counts());
}

#[test]
fn facts_that_only_wait_to_be_settled_do_not_move_the_frontier() {
    let mut running =
        Running::new(&correlation("event_count", "{gte: 1000}"), Options { pending_max: 70, ..options() });
    for nth in 0..500 {
        running.one(&nth.to_string(), nth, "a", "x");
    }
    assert_eq!(running.correlator.counts().forced, 0, "61 facts at most are not behind the frontier");
}

#[test]
fn a_group_at_rest_holds_little_and_goes_on_where_it_stood() {
    let mut running = Running::new(&correlation("event_count", "{gte: 3}"), options());
    let user = |nth: usize| format!("user {nth}");
    let first: Vec<Event> = (0..1000).map(|nth| event(&format!("{nth:04}"), 1, "a", json!({"u": user(nth)}))).collect();
    running.batch(&first);
    let counts = running.correlator.counts().correlations[0];
    assert!(counts.groups == 1000 && counts.bytes < 1000 * 256, "{counts:?}");
    running.one("b", 2, "a", &user(7));
    assert_eq!(brief(&running.one("c", 3, "a", &user(7))), ["early: 1 2 3"]);
    // When their windows are over, nothing is left of them.
    running.one("d", 300, "a", "another");
    running.one("e", 400, "a", "another");
    let counts = running.correlator.counts().correlations[0];
    assert!(counts.groups == 1 && counts.bytes < 2048, "{counts:?}");
}

#[test]
fn a_window_that_is_over_is_told_by_time_alone() {
    let mut running = Running::new(&correlation("event_count", "{eq: 2}"), options());
    running.batch(&[event("1", 1, "a", json!({"u": "x"})), event("2", 5, "b", json!({"u": "x"}))]);
    assert!(running.correlator.tick(Time::from_millis(60_000)).is_empty());
    assert_eq!(brief(&running.correlator.tick(Time::from_millis(3_600_000))), ["final: 1 5"]);
}

#[test]
fn what_a_group_comes_to_can_be_looked_at() {
    let mut running = Running::new(&correlation("event_count", "{gte: 3}"), options());
    running.one("1", 1, "a", "x");
    running.one("2", 2, "a", "x");
    running.one("3", 2, "a", "y");
    let live = running.correlator.live(0, &|group| group[0].1 == "x", 10);
    assert_eq!((live.len(), live[0].seen, live[0].pending.len()), (1, 2, 2));
    assert_eq!(running.correlator.live(0, &|_| true, 10).len(), 2);
    assert_eq!(running.correlator.live(0, &|_| true, 1)[0].group[0].1, "x");
}

fn entity(kind: EntityKind, key: &str) -> Entity {
    Entity { kind, key: key.to_owned() }
}

/// Two sessions, of which a link says that one person has them.
fn by_two_sessions(link_comes_with: usize) -> Vec<Statement> {
    let text = correlation("event_count", "{gte: 2}").replace("[u]", "[watchkeep.who]");
    let mut running = Running::new(&text, options());
    let mut said = Vec::new();
    for nth in 0..3_usize {
        let mut one = matched(&running.feeds, &event(&nth.to_string(), 10 + nth as i64, "a", json!({})));
        one.actor = Some(entity(EntityKind::Session, &format!("session {}", nth % 2)));
        let link = |session: &str| Link {
            from: entity(EntityKind::Session, session),
            to: entity(EntityKind::Person, "ana"),
            means: Means::AssumedBy,
            since: Time::from_millis(1000),
            until: Time::from_millis(3_600_000),
            evidence: EventId::of(&[session.as_bytes()]),
        };
        let links = if nth == link_comes_with { vec![link("session 0"), link("session 1")] } else { Vec::new() };
        let matched = if nth == 2 { Vec::new() } else { vec![one] };
        said.extend(running.correlator.batch(&Batch { matched, links, progress: vec![progress(10_000_000)] }));
    }
    said.extend(running.correlator.finish());
    said.retain(|said| said.standing == Standing::Final);
    said
}

#[test]
fn events_of_two_sessions_are_those_of_the_person_behind_them_whenever_that_becomes_known() {
    for link_comes_with in 0..3 {
        let said = by_two_sessions(link_comes_with);
        assert_eq!(brief(&said), ["final: 10 11"], "with batch {link_comes_with}");
        assert_eq!(said[0].group, [("watchkeep.who".to_owned(), "person ana".to_owned())]);
        assert_eq!(said[0].lane, Lane::Live);
        let detail = said[0].episode.opened[0].detail.as_ref().expect("what is known of it");
        assert!(link_comes_with > 0 || detail.entities.contains(&entity(EntityKind::Person, "ana")));
    }
    assert!(by_two_sessions(9).is_empty(), "nobody is known to be behind both");
}

#[test]
fn a_finding_about_findings_says_that_an_event_beneath_came_late() {
    let beneath = correlation("event_count", "{gte: 2}");
    let above =
        "---\ntitle: s\nname: s\ncorrelation:\n  type: temporal\n  rules: [t, c]\n  group-by: [u]\n  timespan: 30s\n";
    let mut running = Running::new(&format!("{beneath}{above}"), options());
    running.one("1", 100, "a", "x");
    running.one("3", 112, "c", "x");
    let said = running.one("2", 101, "b", "x");
    let above: Vec<Statement> = said.into_iter().filter(|said| said.correlation == 1).collect();
    assert_eq!(brief(&above), ["early: 100 101 112, 11000 ms late"]);
}
