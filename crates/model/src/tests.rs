use proptest::prelude::*;

use crate::*;

fn finding(rule: &str, at: &str, by: &str) -> Finding {
    let event = EventId::of(&[b"s", at.as_bytes()]);
    Finding {
        finding_id: Finding::id_of(&RuleId::from(rule), "r1", &[event]),
        rule_id: RuleId::from(rule),
        rule_title: "Title".into(),
        rule_revision: "r1".into(),
        level: Level::High,
        kind: RuleKind::Alert,
        source: SourceId::from("aws_cloudtrail"),
        event_time: Time::parse(at).expect("test time"),
        received: Time::parse(at).expect("test time"),
        event_ids: vec![event],
        entities: vec![Entity { kind: EntityKind::Principal, key: "ana".into() }],
        techniques: vec![],
        message: "why".into(),
        lane: Lane::Live,
        fold: FoldKey { by: vec![("principal".into(), by.into())], window_ms: 3_600_000 },
        matched: vec![],
        columns: Default::default(),
        window: None,
        context: Vec::new(),
    }
}

#[test]
fn times_are_read_with_any_offset_and_written_in_utc() {
    let time = Time::parse("2026-11-22T03:51:00+01:00").expect("valid");
    assert_eq!(time.to_string(), "2026-11-22T02:51:00.000Z");
    assert_eq!(Time::parse("2020-01-01T00:00:00.123456Z").expect("valid").to_string(), "2020-01-01T00:00:00.123456Z");
    assert!(Time::parse("yesterday").is_err());
    assert!(Time::parse("1960-01-01T00:00:00Z").is_err());
}

#[test]
fn an_hour_starts_on_the_hour() {
    let time = Time::parse("2026-11-22T02:51:07Z").expect("valid");
    assert_eq!(time.hour().to_string(), "2026-11-22T02:00:00.000Z");
}

#[test]
fn parts_of_a_digest_do_not_run_together() {
    assert_ne!(Digest::of_parts(&[b"ab", b"c"]), Digest::of_parts(&[b"a", b"bc"]));
}

#[test]
fn an_alert_moves_forward_only() {
    use AlertState::*;
    assert_eq!(Open.apply(Move::Deliver), Ok(Delivered));
    assert_eq!(Open.apply(Move::Acknowledge), Ok(Acknowledged));
    assert_eq!(Acknowledged.apply(Move::Deliver), Ok(Acknowledged));
    assert_eq!(Acknowledged.apply(Move::Close(Verdict::TpMalicious)), Ok(Closed));
    assert!(Open.apply(Move::Close(Verdict::FpLogic)).is_err());
    assert!(Closed.apply(Move::Acknowledge).is_err());
    assert!(Acknowledged.apply(Move::Acknowledge).is_err());
    assert_eq!(
        Open.apply(Move::Close(Verdict::FpLogic)).map_err(|e| e.to_string()),
        Err("an alert that is open cannot be closed before someone acknowledges it".to_owned())
    );
}

#[test]
fn findings_fold_within_the_window_and_the_same_values() {
    let first = finding("r", "2026-01-01T10:00:00Z", "ana");
    let alert = Alert::open(&first, first.received);
    assert!(alert.folds(&finding("r", "2026-01-01T10:59:59Z", "ana")));
    assert!(alert.folds(&finding("r", "2026-01-01T09:30:00Z", "ana")));
    assert!(!alert.folds(&finding("r", "2026-01-01T11:00:01Z", "ana")));
    assert!(!alert.folds(&finding("r", "2026-01-01T10:10:00Z", "ben")));
    assert!(!alert.folds(&finding("q", "2026-01-01T10:10:00Z", "ana")));
}

#[test]
fn a_silence_without_conditions_takes_nothing() {
    let f = finding("r", "2026-01-01T10:00:00Z", "ana");
    let mut silence = Silence {
        silence_id: "s".into(),
        matches: SilenceMatch::default(),
        owner: "detection".into(),
        reason: "maintenance".into(),
        created: f.event_time,
        expires: f.event_time.plus_millis(1000),
    };
    assert!(!silence.takes(&f, f.event_time));
    silence.matches.entity = Some("ana".into());
    assert!(silence.takes(&f, f.event_time));
    assert!(!silence.takes(&f, silence.expires), "the end is outside");
    silence.matches.rule_id = Some("other".into());
    assert!(!silence.takes(&f, f.event_time), "every condition must hold");
}

#[test]
fn a_lost_record_is_an_imbalance() {
    let hour = Time::EPOCH;
    let entry = |step| Entry { input: "http".into(), source: None, hour, step, reason: String::new() };
    let mut ledger = Ledger::default();
    ledger.add(entry(Step::Received), 3);
    ledger.add(entry(Step::Evaluated), 1);
    ledger.add(entry(Step::Rejected), 1);
    let broken = ledger.imbalances();
    assert_eq!(broken.len(), 1);
    assert_eq!((broken[0].left, broken[0].right), (3, 2));
    ledger.add(entry(Step::Evaluated), 1);
    assert!(ledger.imbalances().is_empty());
}

proptest! {
    #[test]
    fn time_text_round_trips(micros in 0i64..253_402_300_799_999_999) {
        let time = Time::from_micros(micros);
        prop_assert_eq!(Time::parse(&time.to_string()), Ok(time));
    }

    #[test]
    fn states_never_go_back(state in 0usize..5, step in 0usize..4) {
        let state = AlertState::ALL[state];
        let step = [Move::Deliver, Move::Receive, Move::Acknowledge, Move::Close(Verdict::FpData)][step];
        if let Ok(next) = state.apply(step) {
            prop_assert!(next >= state);
        }
    }

    #[test]
    fn ids_round_trip(text in ".*") {
        let id = EventId::of(&[text.as_bytes()]);
        prop_assert_eq!(EventId::parse(&id.to_string()), Some(id));
    }
}

#[test]
fn ids_and_times_are_text_for_people_and_short_for_machines() {
    let id = EventId::of(&[b"one"]);
    let time = Time::parse("2026-03-01T12:00:00.000001Z").unwrap();
    let bytes = postcard::to_stdvec(&(id, time)).unwrap();
    assert!(bytes.len() <= 26, "{} bytes", bytes.len());
    assert_eq!(postcard::from_bytes::<(EventId, Time)>(&bytes).unwrap(), (id, time));
    let text = serde_json::to_string(&(id, time)).unwrap();
    assert_eq!(text, format!("[\"{id}\",\"{time}\"]"));
    assert_eq!(serde_json::from_str::<(EventId, Time)>(&text).unwrap(), (id, time));
}
