use std::io::{Read, Write};
use std::process::Stdio;

use crate::ran::{Ran, command, fixture, fixture_text, folder, run, watchkeep, watchkeep_with};

fn scan(paths: &[&str], more: &[&str]) -> Ran {
    let rules = fixture_text("rules");
    let mut args = vec!["scan"];
    args.extend(paths);
    args.extend(["--rules", &rules, "--no-default-rules"]);
    args.extend(more);
    watchkeep(folder().path(), &args)
}

fn trail() -> String {
    fixture_text("trail.ndjson")
}

#[test]
fn findings_go_out_as_ndjson_and_the_summary_to_standard_error() {
    let ran = scan(&[&trail()], &[]).ended(1);
    let findings = ran.lines();
    assert_eq!(findings.len(), 2);
    let keys = [
        "finding_id",
        "rule_id",
        "rule_title",
        "rule_revision",
        "level",
        "source",
        "event_time",
        "event_ids",
        "entities",
        "techniques",
        "message",
        "lane",
    ];
    for key in keys {
        assert!(!findings[0][key].is_null(), "{key}: {}", findings[0]);
    }
    assert_eq!(findings[0]["source"], "aws_cloudtrail");
    assert_eq!(findings[0]["techniques"][0], "T1078.004");
    for part in [
        "4 records: 3 evaluated, 1 rejected",
        "unknown_source",
        "at byte",
        "remedy",
        "2 findings: 2 high",
        "Root Signs In",
    ] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
}

#[test]
fn every_format_holds_the_same_findings() {
    let trail = trail();
    let json = scan(&[&trail], &["--format", "json"]).ended(1).json();
    let ndjson = scan(&[&trail], &["--format", "ndjson"]).ended(1).lines();
    let ids = |rows: &[serde_json::Value]| rows.iter().map(|row| row["finding_id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(json.as_array().expect("a list")), ids(&ndjson));
    let ocsf = scan(&[&trail], &["--format", "ocsf"]).ended(1).lines();
    assert!(ocsf.iter().all(|finding| finding["class_uid"] == 2004 && finding["severity_id"] == 4));
    let table = scan(&[&trail], &["--format", "table"]).ended(1).out;
    insta::assert_snapshot!(table);
}

#[test]
fn nothing_found_is_fine_and_an_empty_list() {
    let empty = folder();
    std::fs::write(empty.path().join("empty.json"), "").expect("written");
    let path = empty.path().join("empty.json").display().to_string();
    assert_eq!(scan(&[&path], &["--format", "json"]).ended(0).out, "[]\n");
    let ran = scan(&[&path], &[]).ended(0);
    assert!(ran.out.is_empty() && ran.err.contains("no findings"), "{}", ran.err);
}

#[test]
fn the_bar_for_failure_moves() {
    let trail = trail();
    scan(&[&trail], &["--fail-on", "high"]).ended(1);
    scan(&[&trail], &["--fail-on", "critical"]).ended(0);
    assert_eq!(scan(&[&trail], &["--fail-on", "never"]).ended(0).lines().len(), 2);
    scan(&[&trail], &["--fail-on", "grave"]).ended(2);
}

#[test]
fn standard_input_folders_and_packed_files_are_read() {
    let bytes = std::fs::read(fixture("trail.ndjson")).expect("there");
    let rules = fixture_text("rules");
    let args = ["scan", "-", "--rules", &rules, "--no-default-rules"];
    assert_eq!(watchkeep_with(folder().path(), &args, &bytes).ended(1).lines().len(), 2);
    let logs = folder();
    std::fs::create_dir(logs.path().join("deep")).expect("made");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(&bytes).expect("packed");
    std::fs::write(logs.path().join("deep/trail.json.gz"), packed.finish().expect("packed")).expect("written");
    std::fs::write(logs.path().join("trail.ndjson"), &bytes).expect("written");
    let path = logs.path().display().to_string();
    assert_eq!(scan(&[&path], &[]).ended(1).lines().len(), 4);
    let one = scan(&[&path], &["--threads", "1"]).ended(1).out;
    let four = scan(&[&path], &["--threads", "4"]).ended(1).out;
    let without_receipt = |text: &str| -> Vec<serde_json::Value> {
        let rows = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        rows.map(|mut row: serde_json::Value| {
            row.as_object_mut().map(|row| row.remove("received")).map(|_| row).expect("an object")
        })
        .collect()
    };
    assert_eq!(without_receipt(&one), without_receipt(&four));
}

#[test]
fn a_broken_file_is_told_and_what_came_before_counts() {
    let bytes = std::fs::read(fixture("trail.ndjson")).expect("there");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(b"").expect("packed");
    for _ in 0..200 {
        packed.write_all(b"{\"what\": \"is this\"}\n").expect("packed");
    }
    let mut packed = packed.finish().expect("packed");
    packed.truncate(packed.len() - 12);
    let logs = folder();
    std::fs::write(logs.path().join("cut.json.gz"), packed).expect("written");
    let path = logs.path().display().to_string();
    let ran = scan(&[&path], &[]).ended(2);
    assert!(ran.err.contains("not read to its end") && ran.err.contains("cut.json.gz"), "{}", ran.err);
    std::fs::write(logs.path().join("whole.json"), bytes).expect("written");
    scan(&[&path], &[]).ended(1);
}

#[test]
fn what_is_not_there_is_told() {
    let ran = scan(&["gone.json"], &[]).ended(2);
    assert!(ran.err.contains("`gone.json`"), "{}", ran.err);
    let ran = scan(&[&trail()], &["--source", "aws_cloudtrial"]).ended(2);
    assert!(ran.err.contains("aws_cloudtrail"), "{}", ran.err);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let logs = folder();
    let record =
        std::fs::read_to_string(fixture("trail.ndjson")).expect("there").lines().next().expect("a record").to_owned();
    let many: String = (0..20_000).map(|i| record.replace("000000000001", &format!("{i:012}")) + "\n").collect();
    std::fs::write(logs.path().join("many.json"), many).expect("written");
    let mut child = command(logs.path())
        .args(["scan", "many.json", "--rules", &fixture_text("rules"), "--no-default-rules"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut first = [0; 100];
    child.stdout.take().expect("piped").read_exact(&mut first).expect("some output");
    let mut err = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut err).expect("text");
    assert_eq!(child.wait().expect("ends").code(), Some(0));
    assert_eq!(err, "");
}

#[test]
fn the_profile_names_steps_and_rules() {
    let ran = scan(&[&trail()], &["--profile"]).ended(1);
    for part in ["read rules", "compile", "scan", "costliest rules", "µs  Root Signs In"] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
}

#[test]
fn no_colours_unless_on_a_terminal() {
    let trail = trail();
    let ran = scan(&[&trail], &["--format", "table"]).ended(1);
    assert!(!ran.out.contains('\x1b') && !ran.err.contains('\x1b'));
    let rules = fixture_text("rules");
    let folder = folder();
    let mut from_environment = command(folder.path());
    from_environment.env("WATCHKEEP_FORMAT", "json").args(["scan", &trail, "--rules", &rules, "--no-default-rules"]);
    assert_eq!(run(&mut from_environment, b"").ended(1).json().as_array().map(Vec::len), Some(2));
}
