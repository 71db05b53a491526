use std::path::Path;

use crate::ran::{fixture_text, folder, watchkeep};

const BROKEN: &str = "\
title: Broken
id: 0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0a77
logsource: {product: aws, service: cloudtrail}
detection:
    selection: {eventName|contians: Login}
    condition: selection
level: grave
";

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("written");
}

#[test]
fn the_shipped_content_is_fine() {
    let ran = watchkeep(folder().path(), &["check"]).ended(0);
    assert!(ran.err.contains("fine"), "{}", ran.err);
}

#[test]
fn every_mistake_is_told_with_its_place_and_remedy() {
    let folder = folder();
    write(folder.path(), "broken.yml", BROKEN);
    std::fs::copy(fixture_text("rules/root_signs_in.yml"), folder.path().join("fine.yml")).expect("copied");
    let ran = watchkeep(folder.path(), &["check", "broken.yml", "fine.yml"]).ended(1);
    let told: Vec<&str> = ran.out.lines().filter(|line| line.starts_with("broken.yml:")).collect();
    assert!(told.len() >= 2, "{}", ran.out);
    assert!(told.iter().any(|line| line.starts_with("broken.yml:5:")), "{}", ran.out);
    assert!(told.iter().any(|line| line.starts_with("broken.yml:7:")), "{}", ran.out);
    assert_eq!(ran.out.matches("remedy: ").count(), told.len(), "{}", ran.out);
    assert!(!ran.out.contains("fine.yml"), "{}", ran.out);
    let listed = watchkeep(folder.path(), &["check", "broken.yml", "--format", "json"]).ended(1).json();
    assert_eq!(listed.as_array().expect("a list").len(), told.len());
    assert_eq!(listed[0]["file"], "broken.yml");
}

#[test]
fn warnings_fail_only_when_asked() {
    let folder = folder();
    std::fs::create_dir_all(folder.path().join("packs/p")).expect("made");
    std::fs::copy(fixture_text("rules/root_signs_in.yml"), folder.path().join("packs/p/untested.yml")).expect("copied");
    let ran = watchkeep(folder.path(), &["check", "."]).ended(0);
    assert!(ran.out.contains("warning[untested]"), "{}", ran.out);
    watchkeep(folder.path(), &["check", ".", "--strict"]).ended(1);
    assert_eq!(watchkeep(folder.path(), &["check", ".", "--quiet"]).ended(0).out, "");
}

#[test]
fn a_path_that_is_not_there_is_told() {
    let ran = watchkeep(folder().path(), &["check", "gone", "gone too"]).ended(2);
    assert!(ran.err.contains("`gone`") && ran.err.contains("`gone too`"), "{}", ran.err);
}

#[test]
fn tests_pass_from_raw_records() {
    let rules = fixture_text("rules");
    let ran = watchkeep(folder().path(), &["test", &rules]).ended(0);
    assert_eq!(ran.out, "3 tests of 1 rule: 3 passed, 0 failed\n");
    let ran = watchkeep(folder().path(), &["test", &rules, "-k", "lists its keys", "-v"]).ended(0);
    assert_eq!(
        ran.out,
        "✓ pass root_signs_in: root lists its keys (near_miss)\n1 test of 1 rule: 1 passed, 0 failed\n"
    );
    watchkeep(folder().path(), &["test", &rules, "-k", "no such test"]).ended(2);
}

#[test]
fn a_test_that_fails_is_told_and_stands_in_the_junit_file() {
    let folder = folder();
    std::fs::copy(fixture_text("rules/root_signs_in.yml"), folder.path().join("root_signs_in.yml")).expect("copied");
    let test = std::fs::read_to_string(fixture_text("rules/root_signs_in.test.yml")).expect("there");
    write(folder.path(), "root_signs_in.test.yml", &test.replace("kind: benign", "kind: hit"));
    let ran = watchkeep(folder.path(), &["test", ".", "--junit", "report.xml"]).ended(1);
    insta::assert_snapshot!(ran.out);
    let report = std::fs::read_to_string(folder.path().join("report.xml")).expect("written");
    assert!(report.contains("tests=\"3\" failures=\"1\""), "{report}");
    let rows = watchkeep(folder.path(), &["test", ".", "--format", "ndjson"]).ended(1).lines();
    assert_eq!(rows.iter().filter(|row| row["passed"] == false).count(), 1);
}

#[test]
fn only_tests_of_changed_files() {
    let folder = folder();
    let git = |args: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.current_dir(folder.path()).args(["-c", "user.name=t", "-c", "user.email=t@example"]).args(args);
        command.stdout(std::process::Stdio::null()).status().expect("git runs");
    };
    for name in ["root_signs_in.yml", "root_signs_in.test.yml"] {
        std::fs::copy(fixture_text(&format!("rules/{name}")), folder.path().join(name)).expect("copied");
    }
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "rules"]);
    watchkeep(folder.path(), &["test", ".", "--changed"]).ended(2);
    let rule = std::fs::read_to_string(folder.path().join("root_signs_in.yml")).expect("there");
    write(folder.path(), "root_signs_in.yml", &rule.replace("high", "critical"));
    let ran = watchkeep(folder.path(), &["test", ".", "--changed"]).ended(0);
    assert!(ran.out.contains("3 passed"), "{}", ran.out);
}

#[test]
fn a_claim_that_the_logic_does_not_keep_fails() {
    let folder = folder();
    let rule = |window: &str| {
        format!(
            "title: Sign-Ins Add Up\nid: 0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0b77\nlogsource: {{product: aws, service: cloudtrail}}\n\
             detection:\n    selection: {{eventName: ConsoleLogin}}\n    condition: selection\nlevel: high\nwatchkeep:\n\
             \x20   claims: {{window: {window}, entity: [sourceIPAddress], threshold: 50, events: [ConsoleLogin]}}\n\
             \x20   stateful: {{type: volume, group-by: [sourceIPAddress], timespan: 1h, at_least: 50, baseline: {{k: 4}}}}\n"
        )
    };
    write(folder.path(), "claimed.yml", &rule("60m"));
    watchkeep(folder.path(), &["check", "claimed.yml", "--quiet"]).ended(0);
    write(folder.path(), "claimed.yml", &rule("2h"));
    let ran = watchkeep(folder.path(), &["check", "claimed.yml", "--quiet"]).ended(1);
    assert!(ran.out.starts_with("claimed.yml:9:"), "{}", ran.out);
    assert!(ran.out.contains("claims window 2h; its logic says: 1h"), "{}", ran.out);
    assert!(ran.out.contains("remedy: correct the logic, or the claim `window`"), "{}", ran.out);
}
