use crate::platform::Platform;
use crate::ran::{fixture, folder, watchkeep};

#[test]
fn the_shipped_sources_are_listed() {
    let rows = watchkeep(folder().path(), &["sources"]).ended(0).lines();
    let ids: Vec<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
    let shipped = [
        "aws_cloudtrail",
        "aws_guardduty",
        "aws_s3_access_log",
        "kubernetes_audit",
        "aws_bedrock_invocation",
        "windows_event",
    ];
    for id in shipped {
        assert!(ids.contains(&id), "{id} is not among {ids:?}");
    }
    let table = watchkeep(folder().path(), &["sources", "list", "--format", "table"]).ended(0).out;
    assert!(table.lines().next().is_some_and(|header| header.contains("OCSF CLASS")), "{table}");
}

#[test]
fn a_source_is_described() {
    let shown = watchkeep(folder().path(), &["sources", "describe", "aws_cloudtrail"]).ended(0).json();
    assert_eq!(shown["ocsf"]["class_uid"], 6003);
    assert!(shown["rules"].as_u64() > Some(20), "{shown}");
    let text = watchkeep(folder().path(), &["sources", "describe", "aws_cloudtrail", "--format", "table"]).ended(0).out;
    for part in ["AWS CloudTrail", "columns", "entities", "how to switch it on", "blind spots"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let ran = watchkeep(folder().path(), &["sources", "describe", "aws_cloudtrial"]).ended(2);
    assert!(ran.err.contains("aws_cloudtrail"), "{}", ran.err);
}

#[test]
fn health_needs_a_data_folder() {
    let ran = watchkeep(folder().path(), &["sources", "health"]).ended(3);
    assert!(ran.err.contains("watchkeep run"), "{}", ran.err);
}

#[test]
fn the_health_of_what_arrived_is_told_with_the_rules_that_suffer() {
    let folder = folder();
    let platform = Platform::start(folder.path(), "[health]\nexpect = [\"aws_cloudtrail\"]\n");
    let trail = std::fs::read(fixture("trail.ndjson")).expect("read");
    assert!(platform.push(&trail).starts_with("HTTP/1.1 200"));
    let row = platform.wait("the records", |platform| {
        let rows = platform.watchkeep(&["sources", "health"]).lines();
        rows.into_iter().find(|row| row["source"] == "aws_cloudtrail" && row["records_24h"].as_u64() > Some(0))
    });
    assert_eq!((&row["input"], &row["lane"], &row["expected_here"]), (&"push".into(), &"live".into(), &true.into()));
    assert!(row["lag_p50_ms"].as_i64() > Some(0) && row["lag_p95_ms"].as_i64() >= row["lag_p50_ms"].as_i64(), "{row}");
    assert_eq!(row["hours"].as_array().map(Vec::len), Some(25));
    assert!(row["filled"]["eventName"].as_f64() > Some(0.9), "{row}");
    let table = platform.watchkeep(&["sources", "health", "--format", "table"]);
    assert!(table.out.contains("aws_cloudtrail"), "{}", table.out);
    assert!(table.out.lines().next().is_some_and(|line| line.contains("VERDICT")), "{}", table.out);
    let all = platform.watchkeep(&["sources", "health", "--all"]).lines();
    let okta = all.iter().find(|row| row["source"] == "okta_system_log").expect("it is loaded");
    assert_eq!((&okta["verdict"], &okta["input"]), (&"unheard".into(), &serde_json::Value::Null));
}

#[test]
fn a_source_that_is_expected_must_be_loaded() {
    let folder = folder();
    std::fs::write(folder.path().join("watchkeep.toml"), "data_dir = \"data\"\n[health]\nexpect = [\"oktaa\"]\n")
        .expect("written");
    for args in [&["sources", "health"][..], &["run"]] {
        let ran = watchkeep(folder.path(), args).ended(2);
        assert!(ran.err.contains("`health.expect` names `oktaa`"), "{}", ran.err);
    }
}

fn sample(name: &str) -> String {
    format!("{}/../../content/sources/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn records_are_exported_as_ocsf_and_as_ecs() {
    let trail = sample("aws_cloudtrail/samples/management.ndjson");
    let ran = watchkeep(folder().path(), &["sources", "export", &trail, "--to", "ocsf"]).ended(0);
    let events = ran.lines();
    assert!(!events.is_empty() && ran.err.contains("0 rejected"), "{}", ran.err);
    for event in &events {
        assert_eq!((&event["class_uid"], &event["metadata"]["version"]), (&6003.into(), &"1.8.0".into()));
        assert!(event.get("raw_data").is_none(), "only on request");
    }
    let raw = watchkeep(folder().path(), &["sources", "export", &trail, "--to", "ocsf", "--raw"]).ended(0).lines();
    assert!(raw.iter().all(|event| event["raw_data"].is_string()));
    let ecs = watchkeep(folder().path(), &["sources", "export", &trail, "--to", "ecs"]).ended(0).lines();
    assert_eq!(ecs.len(), events.len());
    assert!(
        ecs.iter()
            .all(|event| event["event"]["dataset"] == "aws.cloudtrail" && event["event"].get("original").is_none())
    );
}

#[test]
fn parquet_goes_to_a_folder_with_a_file_for_each_source() {
    let (folder, trail) = (folder(), sample("aws_cloudtrail/samples"));
    let arguments =
        ["sources", "export", &trail, &sample("aws_vpc_flow_log/samples"), "--to", "ocsf", "--as", "parquet"];
    let ran = watchkeep(folder.path(), &arguments).ended(2);
    assert!(ran.err.contains("--output"), "{}", ran.err);
    // The notices beside the samples are no records.
    watchkeep(folder.path(), &[&arguments[..], &["--output", "out"]].concat()).ended(2);
    for name in ["aws_cloudtrail", "aws_vpc_flow_log"] {
        let bytes = std::fs::read(folder.path().join(format!("out/{name}.parquet"))).expect("a file");
        assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    }
}

#[test]
fn a_record_of_nobody_is_told_and_the_others_are_written_whole_or_not_at_all() {
    let folder = folder();
    std::fs::write(folder.path().join("mixed.ndjson"), "{\"who\":\"knows\"}\n").unwrap();
    let trail = sample("aws_cloudtrail/samples/management.ndjson");
    let ran =
        watchkeep(folder.path(), &["sources", "export", "mixed.ndjson", &trail, "--to", "ocsf", "-o", "out.ndjson"]);
    let ran = ran.ended(2);
    assert!(ran.err.contains("unknown_source") && ran.err.contains("written to out.ndjson"), "{}", ran.err);
    assert!(ran.out.is_empty());
    let written = std::fs::read_to_string(folder.path().join("out.ndjson")).expect("a file");
    assert!(written.lines().count() > 0 && written.ends_with('\n'));
    assert!(!folder.path().join("out.ndjson.part").exists());
}
