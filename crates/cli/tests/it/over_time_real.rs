//! The shipped rules over time on real attacks and written ones: each found once, with who it was, in any order.
//!
//! Every attack is scanned as files cut and shuffled, with repeats, on one thread and four, and is streamed record by record out of order.

#[path = "over_time_real/streamed.rs"]
mod streamed;

use std::collections::BTreeSet;
use std::io::Read as _;

use serde_json::Value;

use crate::import::data;
use crate::ran::{folder, watchkeep};

const CHAIN: &str = "LLMjacking, Models Asked For, Enabled And Invoked";
const BULK: &str = "Ten Weight Objects Opened And Read By One Unlisted Reader";
const ALONE: &str = "Weight Object Decrypted And Not Read Through The Store";
const SHARDS: &str = "Nearly Every Shard Of A Model Read By One Identity";
const REFUSED: &str = "Role Taken By A User And Its Limits Tried";
const RISK: &str = "Signals About One Person Or Workload Add Up";
const SECRETS: &str = "Many Secrets Read With One User Key";

/// The CloudTrail records in the rows of a data set, in the order of their times.
fn records(name: &str) -> Option<Vec<Value>> {
    let path = data::folder()?.join(name);
    let mut text = String::new();
    let file = std::fs::File::open(&path).expect("the data set");
    if name.ends_with(".gz") {
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("gzip of UTF-8");
    } else {
        std::io::BufReader::new(file).read_to_string(&mut text).expect("UTF-8");
    }
    let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a row is JSON"));
    let of_row = |row: Value| match &row["events"] {
        Value::Array(events) => events.clone(),
        _ => vec![row["event"].clone()],
    };
    let is_cloudtrail = |event: &Value| event["eventTime"].is_string() && event["userIdentity"].is_object();
    let mut records: Vec<Value> = rows.flat_map(of_row).filter(is_cloudtrail).collect();
    records.sort_by_key(|event| (event["eventTime"].to_string(), event["eventID"].to_string()));
    Some(records)
}

/// The findings over time of these records, without when they came, sorted.
fn scanned(files: &[Vec<String>], threads: &str) -> Vec<Value> {
    let site = folder();
    std::fs::create_dir(site.path().join("logs")).expect("made");
    for (nth, lines) in files.iter().enumerate() {
        std::fs::write(site.path().join(format!("logs/{nth}.json")), lines.join("\n")).expect("written");
    }
    let ran = watchkeep(site.path(), &["scan", "logs", "--threads", threads, "--format", "ndjson"]);
    assert!(!ran.err.contains("left out"), "{}", ran.err);
    let mut found: Vec<Value> = ran.lines().into_iter().filter(|finding| finding["window"].is_object()).collect();
    for finding in &mut found {
        finding["received"] = Value::Null;
        // That an event came late depends on the order of arrival; what was found must not.
        let message = finding["message"].as_str().expect("text");
        let told = message.split(" (it came").next().expect("a first part").to_owned();
        finding["message"] = told.into();
        finding["window"]["late_ms"] = Value::Null;
    }
    found.sort_by_key(|finding| finding["finding_id"].to_string());
    found
}

/// The findings, the same however the records come.
fn found(records: &[Value]) -> Vec<Value> {
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    let in_order = scanned(std::slice::from_ref(&lines), "1");
    // Cut into files that are read in another order than that of time, each backwards, and every third record once more.
    let mut files: Vec<Vec<String>> = vec![Vec::new(); 5];
    for (nth, line) in lines.iter().enumerate().rev() {
        files[(nth * 7 + nth / 3) % 5].push(line.clone());
    }
    files.push(lines.iter().step_by(3).cloned().collect());
    for threads in ["1", "4"] {
        assert_eq!(scanned(&files, threads), in_order, "{threads} threads");
    }
    let ids = |found: &[Value]| -> BTreeSet<String> {
        found.iter().map(|finding| finding["finding_id"].as_str().expect("an id").to_owned()).collect()
    };
    assert_eq!(streamed::finding_ids(&lines), ids(&in_order), "streamed");
    in_order
}

/// Of the findings of a rule: the last value of the group, and how many events there are.
fn of(found: &[Value], title: &str) -> Vec<(String, u64)> {
    let of_rule = found.iter().filter(|finding| finding["rule_title"] == title);
    let brief = |finding: &Value| {
        let group = finding["window"]["group"].as_array().expect("a group");
        let last = group.last().expect("a field");
        let value = last.as_array().map_or(&last["value"], |pair| &pair[1]);
        let count = finding["window"]["event_count"].as_u64().expect("a count");
        (value.as_str().expect("text").to_owned(), count)
    };
    let mut briefs: Vec<(String, u64)> = of_rule.map(brief).collect();
    briefs.sort();
    briefs
}

fn one(who: &str, events: u64) -> Vec<(String, u64)> {
    vec![(who.to_owned(), events)]
}

#[test]
fn a_leaked_key_that_asks_enables_and_invokes_is_found_once_with_its_user() {
    let Some(records) = records("scenarios/T-03.ndjson") else { return };
    let found = found(&records);
    // Three questions, three enablings, one invocation to try and forty that were sold.
    assert_eq!(of(&found, CHAIN), one("arn:aws:iam::111122223333:user/ci-deploy", 47));
    let chain = found.iter().find(|finding| finding["rule_title"] == CHAIN).expect("found");
    assert_eq!((&chain["level"], &chain["window"]["standing"]), (&"critical".into(), &"final".into()));
}

#[test]
fn what_is_asked_and_enabled_within_one_second_is_a_chain_too() {
    let Some(mut records) = records("scenarios/T-03.ndjson") else { return };
    let stages = ["ListFoundationModels", "GetFoundationModelAvailability", "PutUseCaseForModelAccess"];
    for record in records.iter_mut().filter(|record| stages.iter().any(|stage| record["eventName"] == *stage)) {
        record["eventTime"] = "2026-05-07T18:00:08Z".into();
    }
    records.retain(|record| {
        record["eventName"] == "InvokeModelWithResponseStream"
            || stages.iter().any(|stage| record["eventName"] == *stage)
    });
    assert_eq!(of(&found(&records), CHAIN), one("arn:aws:iam::111122223333:user/ci-deploy", 43));
}

#[test]
fn every_decrypt_of_a_stolen_model_joins_its_read_and_all_shards_are_counted_once() {
    let Some(records) = records("scenarios/T-01.ndjson") else { return };
    let found = found(&records);
    let session = "arn:aws:sts::111122223333:assumed-role/serve-irsa/botocore-session-1";
    // Thirty reads with thirty decrypts.
    assert_eq!(of(&found, BULK), one(session, 60));
    assert_eq!(of(&found, SHARDS), one("workload serve:vllm", 30));
    assert_eq!(of(&found, ALONE), []);
}

#[test]
fn decrypts_whose_reads_are_taken_out_are_told_and_no_others() {
    let Some(mut records) = records("scenarios/T-01.ndjson") else { return };
    let shard = |nth: u32| format!("arn:aws:s3:::lab-weights/frontier-7b/v42/model-{nth:05}-of-00030.safetensors");
    let gone: Vec<String> = [3, 11, 12, 29].map(shard).into();
    let is_gone = |record: &Value| {
        record["eventName"] == "GetObject" && gone.iter().any(|shard| record["resources"][0]["ARN"] == shard.as_str())
    };
    records.retain(|record| !is_gone(record));
    let expected: Vec<(String, u64)> = gone.iter().map(|shard| (shard.clone(), 1)).collect();
    assert_eq!(of(&found(&records), ALONE), expected);
}

#[test]
fn whoever_is_behind_the_roles_of_the_invictus_day_is_found_once() {
    let Some(records) = records("labelled/invictus.jsonl.gz") else { return };
    let found = found(&records);
    let bert = "principal arn:aws:iam::123837392027:user/bert-jan";
    assert_eq!(of(&found, REFUSED), one(bert, 6));
    let refused = found.iter().find(|finding| finding["rule_title"] == REFUSED).expect("found");
    let entities = refused["entities"].to_string();
    assert!(entities.contains("stratus-red-team-get-usr-data-role") && entities.contains("bert-jan"), "{entities}");
    let risky = of(&found, RISK);
    assert_eq!(risky.iter().map(|(who, _)| who.as_str()).collect::<Vec<_>>(), [bert]);
    assert_eq!(of(&found, SECRETS), one("arn:aws:iam::123837392027:user/bert-jan", 20));
}

#[test]
fn the_detonations_of_stratus_are_found_once_each() {
    let Some(records) = records("labelled/stratus.jsonl") else { return };
    let found = found(&records);
    assert_eq!(of(&found, SECRETS), one("arn:aws:iam::903144391865:user/christophe", 20));
    assert_eq!(of(&found, REFUSED), one("principal arn:aws:iam::321848314756:user/christophe", 6));
    assert_eq!(found.len(), 2, "and nothing else over time");
}
