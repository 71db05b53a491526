use std::sync::Arc;

use model::{EventId, Lane, Standing, Time};

use super::*;
use crate::correlate::{Measure, Members};
use crate::sigma::Document;

const RULES: &str = "title: Secret Read\nname: read\nid: 5b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a11\nstatus: test\nlogsource: {product: aws}\n\
    detection: {s: {x: 1}, condition: s}\n---\ntitle: Key Made\nname: made\nid: 1b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a22\nstatus: test\n\
    logsource: {product: aws}\ndetection: {s: {x: 2}, condition: s}\n---\ntitle: Secrets Read in Bulk\nid: 7b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a33\n\
    status: test\nlevel: high\ntags: [attack.t1555.006, attack.credential-access]\n\
    correlation: {type: event_count, rules: [read, made], group-by: [userIdentity.arn], timespan: 5m, condition: {gte: 3}}\n";

const ARN: &str = "arn:aws:sts::111122223333:assumed-role/trainer/pod-a";

fn linked() -> Vec<Linked> {
    let (documents, wrong) = sigma::parse(RULES);
    assert!(!wrong.iter().any(model::Diagnostic::is_error), "{wrong:#?}");
    let (mut rules, mut correlations) = (Vec::new(), Vec::new());
    for document in documents {
        match document {
            Document::Rule(rule) => rules.push(rule),
            Document::Correlation(correlation) => correlations.push(correlation),
            Document::Filter(_) => {}
        }
    }
    sigma::link(&rules, &correlations).0
}

fn voices(linked: &[Linked]) -> Voices {
    let title = |id: &RuleId| if id.as_str().starts_with('5') { "Secret Read" } else { "Key Made" }.to_owned();
    Voices::of(linked, &title)
}

fn at(seconds: i64) -> Time {
    Time::parse("2026-05-06T10:30:00Z").expect("a time").plus_millis(seconds * 1_000)
}

fn claim(n: u8, seconds: i64, members: Members) -> Claim {
    let entity = |kind, key: &str| Entity { kind, key: key.to_owned() };
    let detail = Detail {
        source: SourceId::from(if n == 9 { "aws_s3_access_log" } else { "aws_cloudtrail" }),
        received: at(100 - i64::from(n)),
        brief: format!("call {n}").into(),
        entities: [entity(EntityKind::Session, ARN), entity(EntityKind::Address, &format!("192.0.2.{n}"))].into(),
        fields: Box::default(),
    };
    Claim { time: at(seconds), id: EventId::of(&[&[n]]), members, detail: Some(Arc::new(detail)) }
}

fn statement() -> Statement {
    let (read, made) = (Members::one(0), Members::one(1));
    let opened = vec![claim(1, 0, read), claim(2, 10, read), claim(3, 10, made)];
    let measure =
        Measure { of: "events".to_owned(), value: 12.0, threshold: "at least 3".to_owned(), ..Measure::default() };
    Statement {
        correlation: 0,
        lane: Lane::Live,
        group: vec![("userIdentity.arn".to_owned(), ARN.to_owned())],
        episode: Episode {
            first: opened[0].id,
            start: at(0),
            held: at(10),
            last_held: at(250),
            opened,
            opened_count: 3,
            prolonged: vec![claim(9, 250, read), claim(9, 250, made)],
            prolonged_count: 9,
            measure,
        },
        standing: Standing::Final,
        late_ms: None,
    }
}

fn say(change: impl FnOnce(&mut Statement)) -> Finding {
    let mut said = statement();
    change(&mut said);
    voices(&linked()).say(&said)
}

#[test]
fn a_finding_lists_its_events_with_value_and_threshold() {
    let mut finding = say(|_| {});
    assert_eq!(finding.rule_revision, linked()[0].revision);
    // They change with how meaning is put into words, which is not what is looked at here.
    finding.rule_revision = "0123456789abcdef".to_owned();
    finding.finding_id = FindingId::of(&[]);
    insta::assert_json_snapshot!(finding);
}

#[test]
fn one_episode_is_one_finding_however_it_is_told() {
    let id = |change: fn(&mut Statement)| say(change).finding_id;
    let first = id(|_| {});
    assert_eq!(first, id(|said| said.standing = Standing::Early));
    assert_eq!(first, id(|said| said.episode.prolonged.clear()));
    assert_eq!(first, id(|said| said.late_ms = Some(5)));
    assert_ne!(first, id(|said| said.episode.first = EventId::of(&[b"other"])));
    assert_ne!(first, id(|said| said.group[0].1.push('b')));
    assert_ne!(first, id(|said| said.group[0].0.push('b')));
}

#[test]
fn the_sentence_tells_what_was_measured_and_what_was_expected() {
    let message = |change: fn(&mut Statement)| say(change).message;
    assert_eq!(
        message(|_| {}),
        format!("12 events in 4m 10s for userIdentity.arn = {ARN} (at least 3): Secrets Read in Bulk")
    );
    assert_eq!(
        message(|said| {
            said.standing = Standing::Withdrawn;
            said.late_ms = Some(125_000);
            said.group.push(("region".to_owned(), "eu-west-2".to_owned()));
        }),
        format!(
            "Withdrawn, since events that came late undo it: 12 events in 4m 10s for userIdentity.arn = {ARN} and region = \
             eu-west-2 (at least 3): Secrets Read in Bulk (it came 2m 5s late)"
        )
    );
    assert_eq!(
        message(|said| {
            said.group.clear();
            said.episode.last_held = said.episode.start;
            (said.episode.opened_count, said.episode.prolonged_count) = (1, 0);
            said.episode.measure = Measure {
                of: "sum of bytes".to_owned(),
                value: 7.25,
                expected: Some(3.0),
                threshold: "more than 5".to_owned(),
                ..Measure::default()
            };
        }),
        "sum of bytes 7.25 over 1 event at once (more than 5, expected 3): Secrets Read in Bulk"
    );
}

#[test]
fn a_sentence_is_one_line_whatever_the_values_are() {
    let finding = say(|said| {
        said.standing = Standing::Withdrawn;
        said.group = (0..9).map(|n| (format!("field{n}"), format!("a\n\u{202E}{}", "x".repeat(500)))).collect();
    });
    assert!(finding.message.chars().count() <= 400, "{}", finding.message);
    assert!(!finding.message.contains(['\n', '\u{202E}']) && finding.message.ends_with("…: Secrets Read in Bulk"));
}

#[test]
fn a_rule_may_have_a_sentence_and_a_fold_of_its_own() {
    let mut linked = linked();
    let own = &mut linked[0].correlation.watchkeep;
    own.message = Some("{session} read {events} secrets {span}, {userIdentity.arn}, {value} of {a.b} {".to_owned());
    own.fold = Some(sigma::Fold { by: vec!["address".to_owned(), "nothing".to_owned()], window_ms: 60_000 });
    own.kind = RuleKind::Signal;
    let finding = voices(&linked).say(&statement());
    assert_eq!(finding.message, format!("{ARN} read 12 secrets in 4m 10s, {ARN}, 12 of unknown b {{"));
    assert_eq!(finding.fold.by, [("address".into(), "192.0.2.1".into()), ("nothing".into(), String::new())]);
    assert_eq!((finding.fold.window_ms, finding.kind), (60_000, RuleKind::Signal));
}

#[test]
fn of_too_many_entities_those_of_the_group_stay() {
    let finding = say(|said| {
        said.episode.prolonged.clear();
        said.episode.opened = (0..200).map(|n| claim(n, i64::from(n), Members::one(0))).collect();
    });
    assert_eq!(finding.entities.len(), ENTITIES_MAX);
    assert!(finding.entities.iter().any(|entity| entity.key == ARN) && finding.entities.is_sorted());
    assert_eq!(finding.event_ids.len(), 200, "each event once");
}

#[test]
fn without_details_the_events_are_still_listed() {
    let finding = say(|said| {
        let Episode { opened, prolonged, .. } = &mut said.episode;
        opened.iter_mut().chain(prolonged).for_each(|claim| claim.detail = None);
    });
    assert_eq!((finding.source.as_str(), finding.received), (UNKNOWN_SOURCE, at(250)));
    assert_eq!(finding.window.expect("events").events.len(), 4);
    assert!(finding.entities.is_empty());
}
