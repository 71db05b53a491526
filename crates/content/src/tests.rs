use std::path::Path;

use super::*;

/// A rule of AWS root sign-ins, as an author would write it.
pub(crate) const RULE: &str = "\
title: Root Signs In
id: 0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0a01
status: test
level: high
tags: [attack.t1078.004]
logsource: {product: aws, service: cloudtrail}
detection:
    selection: {eventName: ConsoleLogin, userIdentity.type: Root}
    condition: selection
";

pub(crate) fn write(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder is made");
    std::fs::write(path, text).expect("the file is written");
}

fn codes(diagnostics: &[model::Diagnostic]) -> Vec<&str> {
    diagnostics.iter().map(|diagnostic| diagnostic.code.as_str()).collect()
}

#[test]
fn a_bad_file_is_told_with_its_name_and_stops_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "good.yml", RULE);
    write(folder.path(), "bad.yml", "title: [unclosed\n");
    write(folder.path(), "worse.yml", "title: No Logic\nlogsource: {product: aws}\n");
    std::fs::write(folder.path().join("binary.yml"), [0xff, 0xfe, 0x00]).expect("written");
    let (catalogue, diagnostics) = load(&[Root::Dir(folder.path().into())]);
    assert_eq!(catalogue.rules.len(), 1);
    for file in ["bad.yml", "worse.yml", "binary.yml"] {
        let told =
            diagnostics.iter().any(|wrong| wrong.is_error() && wrong.file.ends_with(file) && !wrong.remedy.is_empty());
        assert!(told, "{file} is not told: {diagnostics:#?}");
    }
    assert_eq!(catalogue.rules[0].text.as_ref(), RULE);
}

#[test]
fn what_a_correlation_refers_to_is_looked_for_in_all_files() {
    let many = |rule: &str| {
        format!(
            "title: Root Signs In Often\ncorrelation:\n    type: event_count\n    rules: [{rule}]\n    \
             group-by: [sourceIPAddress]\n    timespan: 1h\n    condition: {{gte: 5}}\n"
        )
    };
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "rules/root.yml", RULE);
    write(folder.path(), "over_time/found.yml", &many("0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0a01"));
    write(folder.path(), "over_time/lost.yml", &many("root_signs_out"));
    let (catalogue, diagnostics) = load(&[Root::Dir(folder.path().into())]);
    assert_eq!(catalogue.correlations.len(), 2);
    let errors: Vec<_> = diagnostics.iter().filter(|wrong| wrong.is_error()).collect();
    let [lost] = errors[..] else { panic!("{errors:#?}") };
    assert!(lost.file.ends_with("over_time/lost.yml") && lost.line == 4, "{lost:?}");
    assert!(lost.message.contains("root_signs_out") && !lost.remedy.is_empty(), "{lost:?}");
}

#[test]
fn what_speaks_for_a_rule_goes_with_it() {
    let judged = |id: &str| {
        let stateful = "type: first_seen, group-by: [sourceIPAddress], timespan: 30d, learn: 7d";
        let text = RULE.replace("0a01", id);
        format!("{text}watchkeep:\n    stateful: {{{stateful}, condition: {{field: userAgent}}}}\n")
    };
    let (first, second) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    write(first.path(), "a.yml", &judged("0a01"));
    write(first.path(), "b.yml", &judged("0a01"));
    write(first.path(), "c.yml", &judged("0a02").replace("title: ", "title: Other "));
    write(second.path(), "a.yml", &RULE.replace("high", "low"));
    let of = |catalogue: &Catalogue| -> Vec<(String, String)> {
        let file = |file: &str| file.rsplit('/').next().unwrap_or_default().to_owned();
        let all = catalogue.correlations.iter();
        all.map(|it| (file(&it.file), it.voice_of.as_ref().map(ToString::to_string).unwrap_or_default())).collect()
    };
    let voice = |name: &str, id: &str| (name.to_owned(), format!("0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f{id}"));
    let (catalogue, diagnostics) = load(&[Root::Dir(first.path().into())]);
    assert_eq!(of(&catalogue), [voice("a.yml", "0a01"), voice("c.yml", "0a02")]);
    assert_eq!(codes(&diagnostics).into_iter().filter(|code| *code == "duplicate-id").count(), 1);
    let (catalogue, diagnostics) = load(&[Root::Dir(first.path().into()), Root::Dir(second.path().into())]);
    assert_eq!(of(&catalogue), [voice("c.yml", "0a02")]);
    assert!(codes(&diagnostics).contains(&"overrides-rule"));
}

#[test]
fn a_folder_that_does_not_exist_is_told() {
    let (_, diagnostics) = load(&[Root::Dir("no/such/folder".into())]);
    assert_eq!(codes(&diagnostics), ["unreadable"]);
}

#[test]
fn one_id_within_a_root_is_a_mistake_and_across_roots_the_later_one_wins() {
    let (first, second) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    write(first.path(), "a.yml", RULE);
    write(first.path(), "b.yml", RULE);
    write(second.path(), "c.yml", &RULE.replace("high", "low"));
    let (catalogue, diagnostics) = load(&[Root::Dir(first.path().into())]);
    assert_eq!((catalogue.rules.len(), codes(&diagnostics)), (1, vec!["duplicate-id"]));
    let (catalogue, diagnostics) = load(&[Root::Dir(first.path().into()), Root::Dir(second.path().into())]);
    assert_eq!(catalogue.rules.len(), 1);
    assert_eq!(catalogue.rules[0].rule.level, model::Level::Low);
    assert!(codes(&diagnostics).contains(&"overrides-rule"));
}

#[test]
fn one_rule_file_is_a_root_with_its_test() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "root.yml", RULE);
    write(folder.path(), "other.yml", &RULE.replace("0a01", "0a02"));
    write(folder.path(), "root.test.yml", "rule: root\ncases:\n  - {name: n, kind: hit, record: {}}\n");
    for file in ["root.yml", "root.test.yml"] {
        let (catalogue, diagnostics) = load(&[Root::Dir(folder.path().join(file))]);
        assert_eq!(diagnostics, []);
        assert_eq!((catalogue.rules.len(), catalogue.cases.len()), (1, 1), "{file}");
    }
}

#[test]
fn a_later_list_replaces_an_earlier_one_of_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "a/inventory/x.yml", "buckets: [one, two]\nplain: [p]\n");
    write(folder.path(), "b/inventory/x.yml", "buckets: {owner: me, description: d, values: [three]}\n");
    write(folder.path(), "c/inventory/x.yml", "buckets: {owner: me, valeus: [three]}\nword: text\n");
    let roots = |names: &[&str]| names.iter().map(|name| Root::Dir(folder.path().join(name))).collect::<Vec<_>>();
    let (catalogue, diagnostics) = load(&roots(&["a", "b"]));
    assert_eq!(diagnostics, []);
    assert_eq!(catalogue.inventory.get("buckets"), Some(["three".to_owned()].as_slice()));
    assert_eq!(catalogue.inventory.get("plain"), Some(["p".to_owned()].as_slice()));
    assert_eq!(catalogue.lists["buckets"].kept.owner.as_deref(), Some("me"));
    let (_, diagnostics) = load(&roots(&["c"]));
    assert_eq!(codes(&diagnostics), ["missing-key", "unknown-key", "wrong-type"]);
    assert!(diagnostics.iter().any(|wrong| wrong.remedy == "did you mean `values`?"));
}

#[test]
fn the_embedded_content_loads_without_an_error() {
    let (catalogue, diagnostics) = load(&[Root::Embedded]);
    let errors: Vec<_> = diagnostics.iter().filter(|wrong| wrong.is_error()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert!(catalogue.rules.len() >= 20, "{} rules", catalogue.rules.len());
    let (engine, diagnostics) = catalogue.compile(engine::Limits::default());
    let errors: Vec<_> = diagnostics.iter().filter(|wrong| wrong.is_error()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert_eq!(engine.rules().len(), catalogue.rules.len());
}

#[test]
#[ignore = "measures; run by hand with WATCHKEEP_SIGMA"]
fn a_large_collection_loads_quickly() {
    let Some(folder) = std::env::var_os("WATCHKEEP_SIGMA") else { return };
    let started = std::time::Instant::now();
    let (catalogue, diagnostics) = load(&[Root::Embedded, Root::Dir(folder.into())]);
    let loaded = started.elapsed();
    let (engine, more) = catalogue.compile(engine::Limits::default());
    let compiled = started.elapsed();
    let errors: Vec<_> = diagnostics.iter().chain(&more).filter(|wrong| wrong.is_error()).collect();
    for wrong in &errors {
        eprintln!("{wrong}");
    }
    eprintln!(
        "{} rules, {} compiled, {} errors; load {loaded:?}, compile {:?}",
        catalogue.rules.len(),
        engine.rules().len(),
        errors.len(),
        compiled - loaded
    );
}
