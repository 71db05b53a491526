use std::sync::Arc;

use model::{Lane, SourceId, Time};

use super::tests::asset;
use super::{AssetKind, Context, Discovered, Things};
use crate::sigma::{Filter, Inventory, Rule};
use crate::{Engine, Event, Given, Limits, Reject, Sink, Source, Worker};

const SOURCE: &str = "
id: lab_feed
title: Lab feed
recognise: [{has: [what]}]
logsource: {product: lab}
time: [at]
identity: [what, at]
ocsf: {class_uid: 6003, class_name: API Activity, category_uid: 6, category_name: Application Activity}
entities:
    bucket: [{path: bucket, absent: [error]}]
    cluster: [cluster]
    endpoint: [{path: server, matches: '^(.+)$', write: 'mcp/$1'}]
    session: [session]
";

struct Silent;

impl Sink for Silent {
    fn rejected(&mut self, raw: &[u8], _: Option<&SourceId>, reason: Reject) {
        panic!("{reason:?}: {}", String::from_utf8_lossy(raw));
    }
    fn evaluated(&mut self, _: &Event<'_>) {}
    fn finding(&mut self, _: model::Finding, _: &Event<'_>) {}
}

fn engine() -> Engine {
    let (source, wrong) = Source::parse(SOURCE);
    let source = source.unwrap_or_else(|| panic!("{wrong:?}"));
    let (engine, wrong) =
        Engine::compile(vec![source], Vec::<Rule>::new(), Vec::<Filter>::new(), &Inventory::new(), Limits::default());
    assert!(wrong.is_empty(), "{wrong:?}");
    let assets = vec![
        asset(AssetKind::Bucket, "weights", &["lab-weights*"]),
        asset(AssetKind::McpServer, "files", &["mcp/files"]),
    ];
    let things = Things { assets, ..Things::default() };
    engine.with_context(Arc::new(Context::new(Arc::new(things), &Inventory::new())))
}

fn time(text: &str) -> Time {
    Time::parse(text).expect("a time")
}

fn show(engine: &Engine, worker: &mut Worker, lane: Lane, record: &str) {
    let received = time("2026-01-05T12:00:00Z");
    engine.evaluate(worker, record.as_bytes(), &Given { source: None, received, lane }, &mut Silent);
}

fn told(discovered: &Discovered) -> Vec<String> {
    let one = |((kind, name), seen): (&(AssetKind, String), &super::Seen)| {
        format!("{} {name} {}x {} to {}", kind.as_str(), seen.count, seen.first, seen.last)
    };
    discovered.things.iter().map(one).collect()
}

#[test]
fn what_is_seen_of_a_kept_kind_and_not_known_is_counted_with_its_first_and_last_event() {
    let (engine, mut discovered) = (engine(), Discovered::default());
    let mut worker = engine.worker();
    for record in [
        r#"{"what":"get","at":"2026-01-05T09:00:00Z","bucket":"scratch","cluster":"c1","session":"s"}"#,
        r#"{"what":"get","at":"2026-01-05T08:00:00Z","bucket":"scratch"}"#,
        r#"{"what":"get","at":"2026-01-05T10:00:00Z","bucket":"lab-weights-eu","server":"shell"}"#,
        r#"{"what":"get","at":"2026-01-05T10:00:00Z","bucket":["lab-weights","second"],"server":"files"}"#,
        r#"{"what":"get","at":"2026-01-05T10:00:00Z","bucket":"refused","error":"no such bucket"}"#,
        r#"{"what":"get","at":"2031-01-05T10:00:00Z","bucket":"second"}"#,
    ] {
        show(&engine, &mut worker, Lane::Live, record);
    }
    discovered.merge(worker.discovered());
    let expected = [
        "bucket scratch 2x 2026-01-05T08:00:00.000Z to 2026-01-05T09:00:00.000Z",
        "bucket second 2x 2026-01-05T10:00:00.000Z to 2026-01-05T12:00:00.000Z",
        "mcp_server mcp/shell 1x 2026-01-05T10:00:00.000Z to 2026-01-05T10:00:00.000Z",
    ];
    assert_eq!(told(&discovered), expected);
    assert!(worker.discovered().is_empty(), "it is handed out once");
    show(&engine, &mut worker, Lane::Live, r#"{"what":"get","at":"2026-01-05T11:00:00Z","bucket":"scratch"}"#);
    discovered.merge(worker.discovered());
    assert_eq!(told(&discovered)[0], "bucket scratch 3x 2026-01-05T08:00:00.000Z to 2026-01-05T11:00:00.000Z");
}

#[test]
fn samples_and_tests_show_nothing_of_the_lab() {
    let engine = engine();
    let mut worker = engine.worker();
    for lane in [Lane::Sample, Lane::Test, Lane::Exercise, Lane::Canary] {
        show(&engine, &mut worker, lane, r#"{"what":"get","at":"2026-01-05T09:00:00Z","bucket":"scratch"}"#);
    }
    assert!(worker.discovered().is_empty());
}

#[test]
fn memory_is_bounded_and_what_has_no_room_is_counted() {
    let engine = engine();
    let mut worker = engine.worker();
    let mut discovered = Discovered::default();
    let many = super::DISCOVERED_MAX as u64 + 500;
    for n in 0..many {
        let record = format!(r#"{{"what":"get","at":"2026-01-05T09:00:00Z","bucket":"b{n}"}}"#);
        show(&engine, &mut worker, Lane::Live, &record);
        if n % 1000 == 0 {
            discovered.merge(worker.discovered());
        }
    }
    let long = "x".repeat(super::NAME_BYTES_MAX + 1);
    let record = format!(r#"{{"what":"get","at":"2026-01-05T09:00:00Z","bucket":"{long}"}}"#);
    show(&engine, &mut worker, Lane::Live, &record);
    discovered.merge(worker.discovered());
    assert_eq!(discovered.things.len(), super::DISCOVERED_MAX);
    assert_eq!(discovered.left_out, 501);
    let mut alone = engine.worker();
    for n in 0..many {
        let record = format!(r#"{{"what":"get","at":"2026-01-05T09:00:00Z","bucket":"b{n}"}}"#);
        show(&engine, &mut alone, Lane::Live, &record);
    }
    let alone = alone.discovered();
    assert_eq!(alone.things.len() as u64 + alone.left_out, many, "every sighting is counted on one side");
}
