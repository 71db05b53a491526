use crate::ran::{fixture, fixture_text, folder, watchkeep, watchkeep_with};

fn records() -> Vec<String> {
    std::fs::read_to_string(fixture("trail.ndjson")).expect("there").lines().map(str::to_owned).collect()
}

fn explain(record: &str, more: &[&str]) -> crate::ran::Ran {
    let rules = fixture_text("rules");
    let mut args = vec!["explain", "root_signs_in", "-", "--rules", &rules];
    args.extend(more);
    watchkeep_with(folder().path(), &args, record.as_bytes())
}

#[test]
fn every_term_is_shown_with_what_was_seen() {
    let records = records();
    insta::assert_snapshot!("held", explain(&records[0], &[]).ended(0).out);
    insta::assert_snapshot!("silent", explain(&records[1], &[]).ended(0).out);
}

#[test]
fn an_explanation_is_json_too() {
    let shown = explain(&records()[..2].join("\n"), &["--format", "json"]).ended(0).json();
    assert_eq!(shown.as_array().map(Vec::len), Some(2));
    assert_eq!((&shown[0]["held"], &shown[1]["held"]), (&true.into(), &false.into()));
    assert_eq!(shown[0]["rule"], "0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0a01");
}

#[test]
fn a_misspelt_rule_gets_a_suggestion() {
    let rules = fixture_text("rules");
    let ran = watchkeep_with(folder().path(), &["explain", "root_sings_in", "-", "--rules", &rules], b"{}").ended(2);
    assert!(ran.err.contains("did you mean `root_signs_in`?"), "{}", ran.err);
}

#[test]
fn a_record_that_is_rejected_says_why() {
    let ran = explain("{\"eventName\": ", &[]).ended(2);
    assert!(ran.err.contains("truncated") && ran.err.contains("remedy"), "{}", ran.err);
    assert!(explain("", &[]).ended(2).err.contains("no record"));
    let ran = watchkeep(folder().path(), &["explain", "root_user_changed_something", "gone.json"]).ended(2);
    assert!(ran.err.contains("gone.json"), "{}", ran.err);
}
