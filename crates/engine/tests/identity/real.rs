//! Real logs: every session resolves to whom the data set says, in any order of arrival.

use std::collections::BTreeMap;

use engine::identity::{Graph, Means, Resolution};
use model::EntityKind;
use serde_json::Value;

use crate::packed::text_of;
use crate::{Seen, at, common, entity, events, graph, says};

/// The CloudTrail records in the lines of a file, however deep.
fn records(name: &str) -> Option<Vec<Value>> {
    records_with(name, "")
}

/// Those of the lines with a word in them.
fn records_with(name: &str, word: &str) -> Option<Vec<Value>> {
    let text = text_of(&common::data()?.join(name));
    let mut records = Vec::new();
    for line in text.lines().filter(|line| line.contains(word)) {
        collect(serde_json::from_str(line).expect("a JSON line"), &mut records);
    }
    Some(records)
}

fn collect(value: Value, records: &mut Vec<Value>) {
    match value {
        Value::Object(map) if map.contains_key("eventName") && map.contains_key("userIdentity") => {
            records.push(Value::Object(map));
        }
        Value::Object(map) => map.into_iter().for_each(|(_, value)| collect(value, records)),
        Value::Array(values) => values.into_iter().for_each(|value| collect(value, records)),
        _ => {}
    }
}

/// Of each actor, what all its events resolve to: how many actors, and how many events.
fn tally(seen: &[Seen]) -> BTreeMap<String, (usize, usize)> {
    let graph = graph(seen);
    let mut actors: BTreeMap<_, (Vec<String>, usize)> = BTreeMap::new();
    for seen in seen {
        let Some(actor) = &seen.actor else { continue };
        let (answers, events) = actors.entry(actor).or_default();
        let answer = says(&graph.resolve(actor, seen.time));
        if !answers.contains(&answer) {
            answers.push(answer);
        }
        *events += 1;
    }
    let mut tally: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (answers, events) in actors.into_values() {
        let (count, all) = tally.entry(answers.join(" THEN ")).or_default();
        *count += 1;
        *all += events;
    }
    tally
}

fn tally_of(name: &str) -> Option<Vec<String>> {
    let seen = events(&common::engine(&[]), &records(name)?);
    Some(tally(&seen).into_iter().map(|(answer, (actors, events))| format!("{actors} {events} {answer}")).collect())
}

#[test]
fn every_session_of_the_invictus_day_is_someone() {
    let Some(tally) = tally_of("labelled/invictus.jsonl.gz") else { return };
    // Keys and sessions, then events. Bert-Jan attacks with 81 keys: his own, and those of roles that he assumed with it.
    assert_eq!(
        tally,
        [
            "1 8 known: host i-05c30218156bcc246",
            "2 15 known: host i-0dbc91f429e48eeed",
            "9 33 known: principal arn:aws:iam::123837392027:user/benjamin",
            "81 1084 known: principal arn:aws:iam::123837392027:user/bert-jan",
            "1 1 known: principal arn:aws:iam::123837392027:user/stratus-red-team-nmfalu-gfjyeaypjt",
            "1 7 known: principal cloudtrail.amazonaws.com",
            "1 3 known: principal ec2.amazonaws.com",
            "3 6 known: principal inspector2.amazonaws.com",
            "2 8 known: principal rds.amazonaws.com",
        ]
    );
}

#[test]
fn the_sessions_of_stratus_lead_to_who_detonated() {
    let Some(tally) = tally_of("labelled/stratus.jsonl") else { return };
    let is_of = |who: &str| tally.iter().filter(|line| line.contains(who)).count();
    // One detonation for each account, all by one user, and the session of a role that he assumed among them.
    assert_eq!((tally.len(), is_of(":user/christophe")), (19, 16));
    assert!(
        tally.contains(&"2 19 known: principal arn:aws:iam::321848314756:user/christophe".to_owned()),
        "{tally:#?}"
    );
    assert!(tally.contains(&"1 2 known: host i-786a3A8B5C0d92eF4".to_owned()), "{tally:#?}");
    // Its name was made anonymous together with that of its role, so nothing is left to know it by.
    assert!(tally.contains(&"1 4 unknown".to_owned()), "{tally:#?}");
}

#[test]
fn stolen_credentials_of_an_instance_lead_to_the_instance() {
    let Some(tally) = tally_of("labelled/otrf_ec2_proxy_s3_exfil.jsonl") else { return };
    assert_eq!(
        tally,
        [
            "1 11 known: host i-0317f6c6b66ae9c40",
            "1 87 known: principal arn:aws:iam::123456789123:user/pedro",
            "1 5 known: principal ec2.amazonaws.com",
        ]
    );
}

#[test]
fn service_roles_lead_to_their_service_and_what_nobody_saw_begin_stays_unknown() {
    let Some(tally) = tally_of("raw/cloudtrail_opensearch_catalog.jsonl.gz") else { return };
    assert_eq!(
        tally,
        [
            "1 2 known: principal appsync.amazonaws.com",
            "3 3 known: principal autoscaling.amazonaws.com",
            "1 2 known: principal cloudtrail.amazonaws.com",
            "6 376 known: principal config.amazonaws.com",
            "1 4 known: principal lambda.amazonaws.com",
            "2 2 known: workload lambda/ELBLog-S3LogPipelineLogProcessorFn5D71CFC7-f1LIWSB7QAoA",
            "19 22 unknown",
        ]
    );
}

#[test]
fn scenarios_lead_to_the_pod_and_to_the_person_who_is_only_named() {
    let Some(tally) = tally_of("scenarios/T-01.ndjson") else { return };
    assert_eq!(tally, ["32 62 known: workload serve:vllm", "1 6 unknown"]);
    let tally = tally_of("scenarios/T-04.ndjson").expect("it lies beside the other");
    assert_eq!(tally, ["1 2 claimed: person mlops1@example.org", "1 1 known: person mlops1@example.org"]);
}

/// A session that one event began: the call, its caller, and who has it.
#[test]
fn the_assumed_role_of_the_invictus_day_is_a_chain_with_its_events() {
    let Some(records) = records("labelled/invictus.jsonl.gz") else { return };
    let seen = events(&common::engine(&[]), &records);
    let graph = graph(&seen);
    let key = entity(EntityKind::Credential, "ASIATFQR7NSC2632JLFK");
    let used = seen.iter().filter(|seen| seen.actor.as_ref() == Some(&key));
    let mut count = 0;
    for used in used {
        let resolution = graph.resolve(&key, used.time);
        let hops: Vec<_> = resolution.chain.iter().map(|hop| (hop.means, hop.to.key.as_str())).collect();
        let user = "arn:aws:iam::123837392027:user/bert-jan";
        assert_eq!(hops, [(Means::AssumedBy, "AKIATFQR7NSC8Q4X20BJ"), (Means::IssuedTo, user)]);
        let shown = |hop: usize| seen.iter().find(|seen| seen.id == resolution.chain[hop].evidence).expect("an event");
        assert_eq!((shown(0).operation.as_str(), shown(0).time), ("AssumeRole", at("2023-07-10T12:02:54Z")));
        assert_eq!(shown(1).actor.as_ref().map(|actor| actor.key.as_str()), Some("AKIATFQR7NSC8Q4X20BJ"));
        assert!(!resolution.is_partial && resolution.claims.is_empty());
        count += 1;
    }
    assert_eq!(count, 15);
    // Its credentials ended at 12:17:54, a quarter of an hour after they were given.
    assert_eq!(
        says(&graph.resolve(&key, at("2023-07-10T12:17:54Z"))),
        "known: principal arn:aws:iam::123837392027:user/bert-jan"
    );
    let session =
        "arn:aws:sts::123837392027:assumed-role/stratus-red-team-get-usr-data-role/aws-go-sdk-1688990565286187801";
    let session = entity(EntityKind::Session, session);
    assert!(says(&graph.resolve(&session, at("2023-07-10T12:17:54Z"))).ends_with("user/bert-jan"));
    assert_eq!(says(&graph.resolve(&session, at("2023-07-10T12:17:55Z"))), "unknown");
}

#[test]
fn any_order_of_arrival_gives_every_event_the_same_answer() {
    for name in ["labelled/invictus.jsonl.gz", "labelled/stratus.jsonl", "labelled/otrf_ec2_proxy_s3_exfil.jsonl"] {
        let Some(records) = records(name) else { return };
        let seen = events(&common::engine(&[]), &records);
        let answers = |graph: &Graph| -> Vec<Resolution> {
            seen.iter().filter_map(|seen| Some(graph.resolve(seen.actor.as_ref()?, seen.time))).collect()
        };
        let expected = answers(&graph(&seen));
        let mut order: Vec<&Seen> = seen.iter().collect();
        order.sort_by_key(|seen| (seen.time, seen.id));
        assert!(answers(&graph(order.iter().copied())) == expected, "{name}: in order of time");
        order.reverse();
        assert!(answers(&graph(order.iter().copied())) == expected, "{name}: backwards");
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        for round in 0..5 {
            for at in (1..order.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                order.swap(at, (state >> 33) as usize % (at + 1));
            }
            assert!(answers(&graph(order.iter().copied())) == expected, "{name}: shuffle {round}");
        }
    }
}

/// Of the generated month, only the calls that begin a session: what was begun must lead to who began it.
#[test]
fn sessions_of_the_generated_month_lead_to_who_began_them() {
    let Some(mut records) = records_with("generated_sample.ndjson.gz", "\"AssumeRole") else { return };
    records.retain(|record| record["eventName"].as_str().is_some_and(|name| name.starts_with("AssumeRole")));
    let seen = events(&common::engine(&[]), &records);
    let graph = graph(&seen);
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for (seen, record) in seen.iter().zip(&records) {
        let Some(key) = record["responseElements"]["credentials"]["accessKeyId"].as_str() else { continue };
        let answer = says(&graph.resolve(&entity(EntityKind::Credential, key), seen.time));
        let expected = match record["responseElements"]["subjectFromWebIdentityToken"].as_str() {
            Some(subject) => format!("known: workload {}", subject.trim_start_matches("system:serviceaccount:")),
            None => answer.clone(),
        };
        assert_eq!(answer, expected);
        let kind = answer.split(' ').take(2).collect::<Vec<_>>().join(" ");
        *kinds.entry(kind).or_default() += 1;
    }
    // Those that are unknown were given the key `1111`, which is none.
    let expected = [
        ("known: host", 992),
        ("known: person", 2),
        ("known: principal", 525),
        ("known: workload", 1415),
        ("unknown", 70),
    ];
    assert_eq!(kinds, expected.map(|(kind, count)| (kind.to_owned(), count)).into());
}
