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
fn the_profile_says_what_each_rule_cost_instead_of_findings() {
    let ran = scan(&[&trail()], &["--profile", "--threads", "1"]).ended(1);
    for part in ["read rules", "compile", "scan", "2 findings: 2 high"] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
    let lines = ran.lines();
    let [rule, totals] = &lines[..] else { panic!("one rule and the totals: {}", ran.out) };
    assert_eq!(rule["title"], "Root Signs In");
    assert_eq!(rule["hits"], 2);
    let (evaluations, ns) = (rule["evaluations"].as_u64().expect("a count"), rule["ns"].as_u64().expect("a time"));
    assert!((2..=3).contains(&evaluations) && ns > 0, "{rule}");
    let share = rule["share"].as_f64().expect("a share");
    let totals = &totals["totals"];
    let whole = totals["evaluation_ns"].as_u64().expect("a time");
    assert!((share - ns as f64 / whole as f64).abs() < 1e-9 && share > 0.0 && share < 1.0, "{rule} of {totals}");
    assert_eq!(totals["events"], 3);
    assert_eq!(totals["rules"], 1);
    assert_eq!(totals["rules_evaluated"], 1);
    assert_eq!((totals["evaluations"].as_u64(), totals["hits"].as_u64()), (Some(evaluations), Some(2)));
    assert!(totals["rules_ns"].as_u64() == Some(ns) && totals["scan_ns"].as_u64() >= Some(whole), "{totals}");
}

#[test]
fn the_profile_is_a_table_or_one_document_as_well() {
    let table = scan(&[&trail()], &["--profile", "--format", "table"]).ended(1).out;
    for part in ["EVALUATIONS", "Root Signs In", "all rules", "finding the rules to look at", "100.0 %", "1 of 1 rule"]
    {
        assert!(table.contains(part), "{part}: {table}");
    }
    let document = scan(&[&trail()], &["--profile", "--format", "json"]).ended(1).json();
    assert_eq!(document["rules"][0]["title"], "Root Signs In");
    assert_eq!(document["totals"]["hits"], 2);
    let refused = scan(&[&trail()], &["--profile", "--format", "ocsf"]).ended(2);
    assert!(refused.err.contains("--format ocsf is for findings"), "{}", refused.err);
}

#[test]
fn the_profile_sums_up_threads_and_puts_the_costliest_first() {
    let logs = folder();
    let text = std::fs::read_to_string(fixture("trail.ndjson")).expect("there");
    std::fs::write(logs.path().join("many.json"), text.repeat(1_500)).expect("written");
    let path = logs.path().display().to_string();
    let profile = |threads: &str| {
        // Every rule that is built in, and further ones.
        let args = ["scan", &path, "--profile", "--threads", threads, "--rules", &fixture_text("rules")];
        watchkeep(logs.path(), &args).ended(1).lines()
    };
    let counts = |lines: &[serde_json::Value]| {
        let rules = lines.iter().filter(|line| line["totals"].is_null());
        let mut counts: Vec<String> =
            rules.map(|rule| format!("{} {} {}", rule["rule"], rule["evaluations"], rule["hits"])).collect();
        counts.sort();
        counts
    };
    let (one, three) = (profile("1"), profile("3"));
    assert_eq!(counts(&one), counts(&three));
    assert!(counts(&one).len() > 1, "{one:?}");
    assert_eq!(one.last().expect("totals")["totals"]["events"], 4_500);
    let times: Vec<u64> = three.iter().filter_map(|rule| rule["ns"].as_u64()).collect();
    assert!(times.is_sorted_by(|left, right| left >= right), "{times:?}");
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
