//! Triage: what becomes of a finding. Pure: the same finding, alerts, silences and time always give the same decision.
//!
//! In: a finding, the open alert that it may join, the silences. Out: a [`Decision`]. Nothing is dropped: what opens no alert is kept.

use model::{Alert, AlertId, Finding, RuleKind, Silence, Time};

/// What becomes of a finding.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// It opens this alert.
    Open(Box<Alert>),
    /// It joins this alert.
    Fold(AlertId),
    /// This silence takes it: kept and counted, no alert.
    Silence(String),
    /// Its rule is a signal or hunt: kept, no alert.
    Keep,
}

/// Decides what becomes of `finding`, triaged at `now`.
///
/// Shape: signals and hunts are kept; then the first silence that takes the finding counts; then `open`, if the finding folds into it;
/// else a new alert opens. `open` is a candidate with the same fold key; whether it takes the finding is decided here.
pub fn decide(finding: &Finding, open: Option<&Alert>, silences: &[Silence], now: Time) -> Decision {
    if finding.kind != RuleKind::Alert {
        return Decision::Keep;
    }
    if let Some(silence) = silences.iter().find(|silence| silence.takes(finding, now)) {
        return Decision::Silence(silence.silence_id.clone());
    }
    match open {
        Some(alert) if alert.folds(finding) => Decision::Fold(alert.alert_id),
        _ => Decision::Open(Box::new(Alert::open(finding, now))),
    }
}

#[cfg(test)]
mod tests {
    use model::{Entity, EntityKind, EventId, FoldKey, Lane, Level, RuleId, SilenceMatch, SourceId};

    use super::*;

    fn finding(at: &str, by: &str) -> Finding {
        let event = EventId::of(&[at.as_bytes()]);
        let time = Time::parse(at).unwrap();
        Finding {
            finding_id: Finding::id_of(&RuleId::from("r"), "1", &[event]),
            rule_id: RuleId::from("r"),
            rule_title: "Title".into(),
            rule_revision: "1".into(),
            level: Level::High,
            kind: RuleKind::Alert,
            source: SourceId::from("aws_cloudtrail"),
            event_time: time,
            received: time,
            event_ids: vec![event],
            entities: vec![Entity { kind: EntityKind::Principal, key: by.into() }],
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

    fn now() -> Time {
        Time::parse("2026-01-01T12:00:00Z").unwrap()
    }

    fn silence(of: &str) -> Silence {
        Silence {
            silence_id: "s1".into(),
            matches: SilenceMatch { entity: Some(of.into()), ..SilenceMatch::default() },
            owner: "detection".into(),
            reason: "maintenance".into(),
            created: now().plus_millis(-1000),
            expires: now().plus_millis(1000),
        }
    }

    #[test]
    fn a_first_finding_opens_and_a_second_folds() {
        let first = finding("2026-01-01T10:00:00Z", "ana");
        let Decision::Open(alert) = decide(&first, None, &[], now()) else { panic!("opens") };
        assert_eq!((alert.clocks.detected, alert.clocks.event), (now(), first.event_time));
        let second = finding("2026-01-01T10:30:00Z", "ana");
        assert_eq!(decide(&second, Some(&alert), &[], now()), Decision::Fold(alert.alert_id));
    }

    #[test]
    fn another_value_or_a_later_hour_opens_anew() {
        let first = finding("2026-01-01T10:00:00Z", "ana");
        let alert = Alert::open(&first, now());
        for other in [finding("2026-01-01T10:30:00Z", "ben"), finding("2026-01-01T11:00:01Z", "ana")] {
            assert!(matches!(decide(&other, Some(&alert), &[], now()), Decision::Open(_)));
        }
    }

    #[test]
    fn a_closed_alert_takes_no_finding() {
        let first = finding("2026-01-01T10:00:00Z", "ana");
        let mut alert = Alert::open(&first, now());
        alert.state = model::AlertState::Closed;
        let again = finding("2026-01-01T10:01:00Z", "ana");
        assert!(matches!(decide(&again, Some(&alert), &[], now()), Decision::Open(_)));
    }

    #[test]
    fn a_silence_comes_before_folding_and_ends_on_time() {
        let first = finding("2026-01-01T10:00:00Z", "ana");
        let alert = Alert::open(&first, now());
        let again = finding("2026-01-01T10:01:00Z", "ana");
        let silences = [silence("ana")];
        assert_eq!(decide(&again, Some(&alert), &silences, now()), Decision::Silence("s1".into()));
        let later = now().plus_millis(1000);
        assert_eq!(decide(&again, Some(&alert), &silences, later), Decision::Fold(alert.alert_id));
    }

    #[test]
    fn signals_and_hunts_are_kept() {
        for kind in [RuleKind::Signal, RuleKind::Hunt] {
            let first = Finding { kind, ..finding("2026-01-01T10:00:00Z", "ana") };
            assert_eq!(decide(&first, None, &[silence("ana")], now()), Decision::Keep);
        }
    }
}
