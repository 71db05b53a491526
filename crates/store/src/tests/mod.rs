//! What the store promises.

use std::path::Path;

use model::{
    Alert, Entity, EntityKind, Entry, EventId, Finding, FoldKey, Lane, Ledger, Level, Reject, RuleId, RuleKind,
    SourceId, Step, Time,
};

use crate::{Evidence, OutboxOutcome, OutboxRow, Raised, Rejected, RouteRule, Settled, Settlement, Store};

mod acts;
mod books;
mod crash;
mod facts;
mod health;
mod outbox;
mod proposals;
mod queue;
mod revising;
mod scale;
mod schema;
mod settling;

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    (dir, store)
}

/// Minutes after ten o'clock.
fn at(minutes: i64) -> Time {
    Time::parse("2026-11-22T10:00:00Z").unwrap().plus_millis(minutes * 60_000)
}

fn finding(rule: &str, who: &str, minutes: i64) -> Finding {
    let event = EventId::of(&[rule.as_bytes(), who.as_bytes(), &minutes.to_be_bytes()]);
    Finding {
        finding_id: Finding::id_of(&RuleId::from(rule), "1", &[event]),
        rule_id: RuleId::from(rule),
        rule_title: format!("Title of {rule}"),
        rule_revision: "1".into(),
        level: Level::High,
        kind: RuleKind::Alert,
        source: SourceId::from("aws_cloudtrail"),
        event_time: at(minutes),
        received: at(minutes),
        event_ids: vec![event],
        entities: vec![Entity { kind: EntityKind::Principal, key: format!("arn:aws:iam::1:user/{who}") }],
        techniques: vec!["T1530".into()],
        message: format!("{who} read weights"),
        lane: Lane::Live,
        fold: FoldKey { by: vec![("principal".into(), who.into())], window_ms: 3_600_000 },
        matched: vec![],
        columns: Default::default(),
        window: None,
        context: Vec::new(),
    }
}

fn raised(finding: Finding) -> Raised {
    let evidence = finding.event_ids.iter().map(|id| Evidence {
        event_id: *id,
        source: finding.source.clone(),
        raw: format!("{{\"id\":\"{id}\"}}"),
    });
    Raised { evidence: evidence.collect(), finding, input: "http".into() }
}

fn rejected(raw: &[u8]) -> Rejected {
    Rejected { input: "http".into(), source: None, reason: Reject::NotJson, received: at(0), raw: raw.to_vec() }
}

fn entry(step: Step) -> Entry {
    let source = (step == Step::Evaluated || step == Step::Raised).then(|| SourceId::from("aws_cloudtrail"));
    let reason = if step == Step::Rejected { "not_json".to_owned() } else { String::new() };
    Entry { input: "http".into(), source, hour: at(0).hour(), step, reason }
}

/// A settlement as the line hands it over: each finding from its own record, the counts balanced.
fn settlement(findings: Vec<Finding>, rejects: Vec<Rejected>, now: Time) -> Settlement {
    let mut ledger = Ledger::default();
    ledger.add(entry(Step::Received), (findings.len() + rejects.len()) as u64);
    ledger.add(entry(Step::Rejected), rejects.len() as u64);
    for finding in &findings {
        let hour = finding.received.hour();
        ledger.add(entry(Step::Evaluated), 1);
        ledger.add(Entry { hour, source: Some(finding.source.clone()), ..entry(Step::Raised) }, 1);
    }
    let findings = findings.into_iter().map(raised).collect();
    Settlement { input: "http".into(), ledger, findings, rejects, now, ..Settlement::default() }
}

fn route(name: &str) -> RouteRule {
    RouteRule { name: name.into(), ..RouteRule::default() }
}

fn settle(store: &Store, findings: Vec<Finding>, now: Time) -> Settled {
    store.settle(settlement(findings, vec![], now), &[route("soc")]).unwrap()
}

fn only_alert(store: &Store) -> Alert {
    let page = store.alerts(&Default::default()).unwrap();
    assert_eq!((page.alerts.len(), page.total), (1, 1));
    page.alerts.into_iter().next().unwrap()
}

fn due(store: &Store, now: Time) -> Vec<OutboxRow> {
    store.outbox_due(now, 100).unwrap()
}

fn delivered() -> OutboxOutcome {
    OutboxOutcome::Delivered { receipt: Some("ok 200".into()), confirmed: false }
}

fn db(dir: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(dir.join("state.db")).unwrap()
}
