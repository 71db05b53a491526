use std::path::Path;

use crate::ran::{Ran, command, fixture, fixture_text, folder, run, watchkeep};

const RULE: &str = "root_signs_in";

fn convert(args: &[&str]) -> Ran {
    let rules = fixture_text("rules");
    watchkeep(folder().path(), &[&["convert"], args, &["--rules", &rules]].concat())
}

#[test]
fn a_rule_is_a_statement_that_can_be_pasted() {
    insta::assert_snapshot!(convert(&[RULE]).ended(0).out);
}

#[test]
fn a_rule_is_named_in_every_way_and_taken_once() {
    let file = fixture_text("rules/root_signs_in.yml");
    for name in ["Root Signs In", "0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0a01", RULE, &file] {
        assert_eq!(convert(&[name]).ended(0).out, convert(&[RULE]).ended(0).out, "{name}");
    }
    let shown = convert(&[RULE, "Root Signs In", &fixture_text("rules"), "--format", "json"]).ended(0).json();
    assert_eq!(shown.as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&shown[0]["rule"], &shown[0]["target"]),
        (&"0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0a01".into(), &"duckdb".into())
    );
    assert_eq!(shown[0]["sources"], serde_json::json!(["aws_cloudtrail"]));
}

#[test]
fn the_setup_stands_before_the_queries_and_names_the_lake() {
    let site = folder();
    let ran = watchkeep(site.path(), &["convert", "root_user_changed_something", "--setup", "--data-dir", "it's here"])
        .ended(0);
    let places =
        ["MACRO wk_values", "it''s here/lake/events/*/*/*.parquet", "SELECT DISTINCT"].map(|text| ran.out.find(text));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
    assert!(convert(&[RULE, "--setup", "--to", "datafusion"]).ended(2).err.contains("for duckdb"));
}

#[test]
fn every_refusal_is_listed_at_once_and_the_rest_goes_out() {
    let site = folder();
    let rule = |name: &str, logsource: &str, detection: &str| {
        let text = format!(
            "title: {name}\nlogsource: {{{logsource}}}\ndetection: {{s: {detection}, condition: s}}\nlevel: low\n"
        );
        std::fs::write(site.path().join(format!("rules/{name}.yml")), text).expect("written");
    };
    std::fs::create_dir(site.path().join("rules")).expect("made");
    rule("good", "service: cloudtrail", "{eventName: x}");
    rule("nowhere", "product: toaster", "{a: x}");
    rule("ahead", "service: cloudtrail", "{'eventName|re': 'x(?=y)'}");
    rule("hidden", "service: cloudtrail", "{requestParameters.userData: x}");
    rule("broken", "service: cloudtrail", "{'a|wrong': x}");
    let ran = watchkeep(site.path(), &["convert", "rules", "gone_rule", "--format", "json"]).ended(2);
    for code in ["sql-no-source", "sql-look-around", "sql-redacted", "unknown-modifier", "gone_rule"] {
        assert!(ran.err.contains(code), "{code}: {}", ran.err);
    }
    assert_eq!(ran.json().as_array().map(Vec::len), Some(1));
    assert!(ran.err.contains("1 of 6 rules converted"), "{}", ran.err);
}

#[test]
fn a_rule_that_is_judged_over_time_is_refused_with_the_reason() {
    let site = folder();
    let text = "title: New\nid: 0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0b78\nlogsource: {service: cloudtrail}\n\
                detection: {s: {eventName: x}, condition: s}\nlevel: low\nwatchkeep:\n  stateful: {type: first_seen, \
                group-by: [a], timespan: 30d, learn: 7d, condition: {field: b}}\n";
    std::fs::write(site.path().join("new.yml"), text).expect("written");
    let ran = watchkeep(site.path(), &["convert", "new.yml"]).ended(2);
    assert!(ran.err.contains("error[stateful]") && ran.err.contains("judged over time"), "{}", ran.err);
    assert!(ran.err.contains("0 of 1 rule converted"), "{}", ran.err);
    assert_eq!(ran.out, "");
}

#[test]
fn a_misspelt_rule_gets_a_suggestion_and_an_empty_folder_is_said() {
    assert!(convert(&["root_sings_in"]).ended(2).err.contains("did you mean `root_signs_in`?"));
    let empty = folder();
    let ran = watchkeep(empty.path(), &["convert", "."]).ended(2);
    assert!(ran.err.contains("there is no rule in `.`"), "{}", ran.err);
}

/// A `sigma` that shows what it was given, or fails as the real one does.
fn with_sigma(script: &str, args: &[&str]) -> Ran {
    use std::os::unix::fs::PermissionsExt;
    let site = folder();
    let program = site.path().join("bin/sigma");
    std::fs::create_dir(program.parent().expect("a folder")).expect("made");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("written");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("allowed");
    let path = format!("{}:/usr/bin:/bin", program.parent().map(Path::display).expect("a folder"));
    let rules = fixture("rules").display().to_string();
    run(command(site.path()).args([&["convert", RULE, "--rules", &rules], args].concat()).env("PATH", path), b"")
}

#[test]
fn other_targets_are_asked_of_sigma_cli() {
    let ran = with_sigma("echo \"$@\"; cat \"${7:-$5}\"", &["--to", "splunk"]).ended(0);
    assert!(ran.out.starts_with("convert --target splunk --without-pipeline /"), "{}", ran.out);
    assert!(ran.out.contains("title: Root Signs In"), "{}", ran.out);
    let ran = with_sigma("echo \"$@\"", &["--to", "splunk", "--pipeline", "a", "--pipeline", "b"]).ended(0);
    assert!(ran.out.starts_with("convert --target splunk --pipeline a --pipeline b /"), "{}", ran.out);
}

#[test]
fn what_is_missing_is_told_with_what_to_install() {
    let ran = convert(&[RULE, "--to", "splunk"]).ended(3);
    assert!(
        ran.err.contains("pip install sigma-cli") && ran.err.contains("sigma plugin install splunk"),
        "{}",
        ran.err
    );
    let unknown = "echo \"Error: Invalid value for '--target' / '-t': 'splunk' is not 'sqlite'.\" >&2; exit 2";
    let ran = with_sigma(unknown, &["--to", "splunk"]).ended(3);
    assert!(ran.err.contains("sigma plugin install splunk") && ran.err.contains("sigma list targets"), "{}", ran.err);
    let ran = with_sigma("echo 'Error while converting: no such thing' >&2; exit 1", &["--to", "splunk"]).ended(2);
    assert!(ran.err.contains("sigma-cli says: Error while converting: no such thing"), "{}", ran.err);
    assert!(convert(&[RULE, "--pipeline", "x"]).ended(2).err.contains("targets of sigma-cli"));
}
