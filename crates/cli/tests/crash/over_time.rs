//! Correlations under kills: every finding about many events that one scan of the same records gives is stored once, final, and the same; what
//! was told early and is not so is withdrawn.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use model::{Standing, Step, Time};
use serde_json::Value;
use store::Store;

use crate::load::{Load, Random, post_all};
use crate::platform::{Platform, alerts, forever};
use crate::{kill_again_and_again, number};

const RULES: &str = "\
title: Step A
id: 8d0a54c6-2f6e-4f0d-8f55-0c2b7f1f3b01
name: step_a
status: test
logsource: {product: aws, service: cloudtrail}
detection: {selection: {eventName: CrashStepA}, condition: selection}
level: low
---
title: Step B
id: 8d0a54c6-2f6e-4f0d-8f55-0c2b7f1f3b02
name: step_b
status: test
logsource: {product: aws, service: cloudtrail}
detection: {selection: {eventName: CrashStepB}, condition: selection}
level: low
---
title: Many Steps
id: 8d0a54c6-2f6e-4f0d-8f55-0c2b7f1f3b03
name: many
status: test
level: high
correlation:
    type: event_count
    rules: [step_a, step_b]
    group-by: [requestParameters.group]
    timespan: 30s
    condition: {gte: 5}
    generate: true
---
title: A Then B
id: 8d0a54c6-2f6e-4f0d-8f55-0c2b7f1f3b04
name: then
status: test
level: high
correlation:
    type: temporal_ordered
    rules: [step_a, step_b]
    group-by: [requestParameters.group]
    timespan: 10s
    generate: true
---
title: Large On Average
id: 8d0a54c6-2f6e-4f0d-8f55-0c2b7f1f3b05
name: large
status: test
level: medium
correlation:
    type: value_avg
    rules: [step_a]
    group-by: [requestParameters.group]
    timespan: 1m
    condition: {field: requestParameters.bytes, gt: 500}
    generate: true
---
title: Many And Large
id: 8d0a54c6-2f6e-4f0d-8f55-0c2b7f1f3b06
status: test
level: critical
correlation:
    type: temporal
    rules: [many, large]
    group-by: [requestParameters.group]
    timespan: 5m
";

/// Every correlation of [`RULES`].
const IDS: [&str; 4] = [
    "8d0a54c6-2f6e-4f0d-8f55-0c2b7f1f3b03",
    "8d0a54c6-2f6e-4f0d-8f55-0c2b7f1f3b04",
    "8d0a54c6-2f6e-4f0d-8f55-0c2b7f1f3b05",
    "8d0a54c6-2f6e-4f0d-8f55-0c2b7f1f3b06",
];

/// A snapshot every few settlements, so that kills fall on them.
const OFTEN: &str = "[correlations]\nsnapshot_rows = 3\n";

/// What is said of a finding, by its id: when it began and last held, how many events it has, and what was measured.
type Found = BTreeMap<String, (String, String, u64, String)>;

#[test]
fn after_any_kill_correlations_find_what_one_scan_finds() {
    let points = number("WATCHKEEP_CRASH_POINTS", 10);
    let seed = number("WATCHKEEP_CRASH_SEED", 20_261_122);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut platform = Platform::with(folder.path(), RULES, OFTEN);
    let load = Load::of(platform.address(), 1, seed, record);
    kill_again_and_again(&mut platform, &load, points, seed);
    platform.start();
    platform.wait_until_it_listens();
    let mut records = load.stop();
    // Long after all others: everything before it is then final.
    records.push(record_at(seed, 0, records.len() as u64, 20 * 86_400_000));
    post_all(platform.address(), &records[records.len() - 1..]);
    platform.rest(records.len() as u64);
    platform.stop();

    let expected = scanned(folder.path(), &records);
    let (found, early) = stored(folder.path());
    println!("{} records, {} findings, {early} withdrawn", records.len(), found.len());
    assert!(expected.len() as u64 > points, "the load was too thin to prove anything: {}", expected.len());
    let lost: Vec<_> = expected.iter().filter(|(id, _)| !found.contains_key(*id)).collect();
    let unexplained: Vec<_> = found.iter().filter(|(id, _)| !expected.contains_key(*id)).collect();
    assert!(lost.is_empty() && unexplained.is_empty(), "lost: {lost:#?}\nunexplained: {unexplained:#?}");
    assert_eq!(found, expected);
}

/// What one scan of the records finds.
fn scanned(folder: &Path, records: &[String]) -> Found {
    let file = folder.join("records.ndjson");
    std::fs::write(&file, records.join("\n")).expect("the records are written");
    let ran = Command::new(env!("CARGO_BIN_EXE_watchkeep"))
        .arg("scan")
        .arg(&file)
        .args(["--no-default-rules", "--format", "ndjson", "--rules"])
        .arg(folder.join("rules"))
        .output()
        .expect("the binary starts");
    let told = String::from_utf8_lossy(&ran.stderr);
    let lines = std::str::from_utf8(&ran.stdout).expect("text").lines();
    let findings = lines.map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let found: Found = findings.filter(|finding| finding["window"].is_object()).map(|finding| said(&finding)).collect();
    assert!(!found.is_empty(), "the scan found nothing: {told}");
    found
}

/// What the store holds of correlations, and how many findings were withdrawn. Everything is final, and nothing is doubled.
fn stored(folder: &Path) -> (Found, usize) {
    let store = Store::open(&folder.join("data")).expect("the store opens");
    let ledger = store.ledger(Time::from_millis(0), forever()).expect("the ledger is read");
    assert!(ledger.imbalances().is_empty(), "{:#?}", ledger.imbalances());
    assert!(ledger.total(Step::Raised) > 0);
    let own = store.alerts(&store::AlertQuery { source: Some("watchkeep".into()), ..Default::default() });
    let own = own.expect("alerts are read").alerts;
    assert!(own.is_empty(), "{own:#?}");
    let (mut found, mut withdrawn) = (Found::new(), 0);
    for alert in IDS.iter().flat_map(|id| alerts(&store, id)) {
        let detail = store.alert(alert.alert_id).expect("it is read").expect("it is there");
        assert_eq!(detail.findings.len() as u64, alert.findings, "all are listed");
        for row in detail.findings {
            let finding = row.finding.expect("it is kept whole");
            match row.standing {
                Some(Standing::Final) => {
                    let (id, said) = said(&engine::ocsf::finding_wire(&finding));
                    assert!(found.insert(id, said).is_none(), "it is there twice: {finding:#?}");
                }
                Some(Standing::Withdrawn) => withdrawn += 1,
                standing => panic!("it stands {standing:?} at the end: {finding:#?}"),
            }
        }
    }
    (found, withdrawn)
}

fn said(finding: &Value) -> (String, (String, String, u64, String)) {
    let window = &finding["window"];
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let count = window["event_count"].as_u64().expect("a count");
    (text(&finding["finding_id"]), (text(&window["start"]), text(&window["last_held"]), count, text(&window["value"])))
}

/// A record a second, each up to four minutes early or late, in groups that live for a while.
fn record(seed: u64, sender: u64, number: u64) -> String {
    let mut random = Random::new(seed ^ (number << 8) ^ 0x5bd1);
    random.within(0..2);
    let jitter = random.within(0..480_000) as i64 - 240_000;
    record_at(seed, sender, number, number as i64 * 1000 + 240_000 + jitter)
}

/// A record so many milliseconds after the beginning.
fn record_at(seed: u64, sender: u64, number: u64, at_ms: i64) -> String {
    let mut random = Random::new(seed ^ (number << 8) ^ 0x9e37);
    random.within(0..2);
    let name = ["CrashStepA", "CrashStepA", "CrashStepB", "CrashProbeQuiet"][random.within(0..4) as usize];
    let (bytes, near) = (random.within(0..1000), random.within(0..3));
    // By the time of the event, so that the events of a group are near each other.
    let group = at_ms / 45_000 * 3 + near as i64;
    let begin = Time::parse("2026-10-20T00:00:00Z").expect("a time");
    let time = begin.plus_millis(at_ms);
    format!(
        r#"{{"eventVersion":"1.08","userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/probe","accountId":"111122223333","principalId":"AIDAEXAMPLE","userName":"probe"}},"eventTime":"{time}","eventSource":"probe.amazonaws.com","eventName":"{name}","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.7","userAgent":"crash","requestParameters":{{"group":"g{group}","bytes":{bytes}}},"responseElements":null,"requestID":"r-{sender}-{number}","eventID":"{seed:08x}-{sender:04}-4000-8000-{number:012}","eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333"}}"#
    )
}
