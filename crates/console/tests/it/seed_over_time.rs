//! Findings over time for the seeded store: a sequence that was told early and is final, one that was withdrawn, a deviation from a baseline.

use console::{Catalogue, RuleView};
use model::*;
use store::*;

use super::{HOSTILE, counted, now, routes};

const SEQUENCE: &str = "\
title: Access Key Made, Then Weights Read With It
id: 5c6f0f2e-98f3-4a3e-9c64-4c1d3a60b201
level: critical
correlation:
    type: temporal_ordered
    rules: [access_key_made, weights_listed, weights_read]
    group-by: [accessKeyId]
    timespan: 30m
";

const VOLUME: &str = "\
title: A Role Reads More Than It Ever Did
id: 5c6f0f2e-98f3-4a3e-9c64-4c1d3a60b202
level: high
correlation:
    type: volume
    rules: [weights_read]
    group-by: [userIdentity.arn]
    timespan: 1h
";

const REVISION: &str = "77aa4d8c9d1e0f3a";

fn rule(yaml: &str, file: &str) -> RuleView {
    let sources = vec!["aws_cloudtrail".into()];
    RuleView { sources, falsepositives: vec![], triage: vec![], ..super::rule_view(file, yaml) }
}

fn part(of: &str, ago_s: i64, brief: &str) -> WindowEvent {
    let time = now().plus_millis(-ago_s * 1000);
    WindowEvent {
        event_id: EventId::of(&[of.as_bytes(), brief.as_bytes(), &ago_s.to_be_bytes()]),
        time,
        source: "aws_cloudtrail".into(),
        parts: vec![of.to_owned()],
        brief: brief.to_owned(),
    }
}

/// A window of these events that held at the last.
pub fn window(events: Vec<WindowEvent>, standing: Standing) -> Window {
    let time = |event: Option<&WindowEvent>| event.map_or(now(), |event| event.time);
    Window {
        group: vec![("accessKeyId".into(), "AKIAEXAMPLEPQ4".into())],
        start: time(events.first()),
        held: time(events.last()),
        last_held: time(events.last()),
        event_count: events.len() as u64,
        events,
        measured: "rules in order".into(),
        value: 3.0,
        expected: None,
        threshold: "all 3 in order within 30m".into(),
        values: vec![],
        history: vec![],
        standing,
        late_ms: None,
    }
}

fn finding(rule: &RuleView, n: u8, message: &str, window: Window) -> Finding {
    let (event_time, ids) = (window.held, window.events.iter().map(|event| event.event_id).collect());
    Finding {
        finding_id: FindingId::of(&[rule.id.as_str().as_bytes(), &[n]]),
        rule_id: rule.id.clone(),
        rule_title: rule.title.clone(),
        rule_revision: REVISION.into(),
        level: rule.level,
        kind: RuleKind::Alert,
        source: "aws_cloudtrail".into(),
        event_time,
        received: event_time.plus_millis(64_000),
        event_ids: ids,
        entities: vec![Entity { kind: EntityKind::Credential, key: "AKIAEXAMPLEPQ4".into() }],
        techniques: vec!["T1078.004".into(), "T1530".into()],
        message: message.to_owned(),
        lane: Lane::Live,
        fold: FoldKey { by: window.group.clone(), window_ms: 7_200_000 },
        matched: vec![],
        columns: Default::default(),
        context: Vec::new(),
        window: Some(Box::new(window)),
    }
}

/// Settles a finding; returns the alert that it opened.
fn settle(store: &Store, finding: Finding, after_s: i64) -> Option<AlertId> {
    let received = finding.received.plus_millis(after_s * 1000);
    let evidence = finding.event_ids.first().map(|event_id| Evidence {
        event_id: *event_id,
        source: finding.source.clone(),
        raw: r#"{"eventName":"CreateAccessKey","eventTime":"2026-11-22T02:20:00Z"}"#.into(),
    });
    let settlement = Settlement {
        input: "trail".into(),
        ledger: counted("trail", "aws_cloudtrail", received, 1, 0, 1),
        findings: vec![Raised { finding, evidence: evidence.into_iter().collect(), input: "trail".into() }],
        now: received,
        ..Settlement::default()
    };
    store.settle(settlement, &routes()).expect("settles").opened.first().copied()
}

/// The alerts that `tell` opens.
pub struct Told {
    /// A sequence, early and then final; and another that was withdrawn.
    pub sequence: AlertId,
    /// More than the baseline lets expect, told early.
    pub volume: AlertId,
}

/// Tells a sequence and a deviation, and adds their rules.
pub fn tell(store: &Store, catalogue: &mut Catalogue) -> Told {
    let rules = [
        rule(SEQUENCE, "weights/access_key_made_then_weights_read.yml"),
        rule(VOLUME, "weights/role_reads_more_than_ever.yml"),
    ];
    catalogue.rules.extend(rules.clone());
    Told { sequence: sequence(store, &rules[0]), volume: volume(store, &rules[1]) }
}

fn sequence(store: &Store, rule: &RuleView) -> AlertId {
    let mut events = vec![
        part("Access key made for another user", 1_900, "CreateAccessKey by user/build-bot for user/dana"),
        part("Weights listed", 700, "ListObjectsV2 of lab-weights by user/dana"),
        part("Weights listed", 660, "ListObjectsV2 of lab-weights/frontier-7 by user/dana"),
        part("Weights read", 610, "GetObject of frontier-7/step-184000/shard-00001 by user/dana"),
    ];
    let message = "user/dana: access key AKIAEXAMPLEPQ4 was made, and 21 m later weights were read with it";
    let early = finding(rule, 1, message, window(events.clone(), Standing::Early));
    let opened = settle(store, early, 1).expect("it opens an alert");
    events.extend((2..9).map(|n| {
        part("Weights read", 610 - n * 23, &format!("GetObject of frontier-7/step-184000/shard-0000{n} by user/dana"))
    }));
    let (held, last_held) = (events[3].time, now().plus_millis(-200_000));
    let last = Window { held, last_held, event_count: 46, late_ms: Some(252_000), ..window(events, Standing::Final) };
    settle(store, finding(rule, 1, message, last), 300);
    let undone = vec![
        part("Access key made for another user", 1_200, "CreateAccessKey by user/build-bot for user/eli"),
        part("Weights read", 500, "GetObject of frontier-7/config.json by user/eli"),
    ];
    let said = "user/eli: access key AKIAEXAMPLEPQ4 was made, and 11 m later weights were read with it";
    settle(store, finding(rule, 2, said, window(undone.clone(), Standing::Early)), 320);
    let withdrawn = format!("Withdrawn, since events that came late undo it: {said}");
    settle(store, finding(rule, 2, &withdrawn, window(undone, Standing::Withdrawn)), 400);
    opened
}

fn volume(store: &Store, rule: &RuleView) -> AlertId {
    let events = (0..12).map(|n| part("Weights read", 400 - n * 31, &format!("GetObject of shard-{n:05}"))).collect();
    let arn = "arn:aws:sts::111122223333:assumed-role/eval-batch/7731";
    let window = Window {
        group: vec![("userIdentity.arn".into(), arn.into())],
        measured: "bytes, summed, by hour".into(),
        value: 940.0,
        expected: Some(120.0),
        threshold: "more than 310 and at least 50".into(),
        history: [110, 96, 130, 121, 88, 140, 125, 119, 60, 12, 8, 20, 118, 127, 131, 160, 122, 117, 109, 98]
            .map(f64::from)
            .to_vec(),
        event_count: 640,
        ..window(events, Standing::Early)
    };
    let message = "eval-batch/7731 read 940 GB of weights this hour; 120 is usual (more than 310)";
    settle(store, finding(rule, 3, message, window), 1).expect("it opens an alert")
}

/// A finding over time of which everything that a sender controls is hostile.
pub fn hostile(store: &Store, catalogue: &Catalogue) -> AlertId {
    let rule = &catalogue.rules[0];
    let mut events: Vec<WindowEvent> =
        HOSTILE.iter().enumerate().map(|(n, text)| part(text, 300 - n as i64 * 20, text)).collect();
    events.push(part("x", 10, &"A".repeat(3_000)));
    let window = Window {
        group: HOSTILE.iter().map(|text| ((*text).to_owned(), (*text).to_owned())).collect(),
        measured: HOSTILE[0].into(),
        threshold: HOSTILE[3].into(),
        values: HOSTILE.map(str::to_owned).to_vec(),
        history: vec![0.0, -1.0, 1e18],
        expected: Some(-5.0),
        ..window(events, Standing::Early)
    };
    settle(store, finding(rule, 9, &HOSTILE.join(" "), window), 1).expect("it opens an alert")
}
