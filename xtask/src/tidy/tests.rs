use std::collections::BTreeMap;

use super::*;

fn text(path: &str, text: &str) -> Text {
    Text { path: path.into(), text: text.into() }
}

fn said(faults: &[Fault]) -> Vec<String> {
    faults.iter().map(|fault| format!("{}:{} {}", fault.file.display(), fault.line, fault.what)).collect()
}

#[test]
fn a_sideways_import_and_an_unnamed_crate_are_faults() {
    let floors = floors::floors("| floor | crates |\n|---|---|\n| 1 | `store` `lake` | x |\n| 0 | `model` | y |\n");
    let edges = BTreeMap::from([
        ("store".to_owned(), vec!["model".to_owned(), "lake".to_owned()]),
        ("lake".to_owned(), vec!["model".to_owned()]),
        ("model".to_owned(), vec![]),
        ("new".to_owned(), vec![]),
    ]);
    let faults = said(&floors::check(&floors, &edges));
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults.iter().any(|fault| fault.contains("`store` (floor 1) imports `lake` (floor 1)")));
    assert!(faults.iter().any(|fault| fault.contains("does not name `new`")));
}

#[test]
fn a_clock_in_the_engine_is_a_fault_but_not_in_its_tests_or_comments() {
    let code = "use std::time::SystemTime;\n// std::fs is for others\n#[cfg(test)]\nmod tests { use std::fs; }\n";
    let faults = purity::faults(&[
        text("crates/engine/src/lib.rs", code),
        text("crates/engine/src/frame/tests.rs", "use std::fs;"),
        text("crates/store/src/lib.rs", "use std::fs;"),
    ]);
    assert_eq!(
        said(&faults),
        ["crates/engine/src/lib.rs:1 `SystemTime` in a pure crate: take a `Time` as an argument"]
    );
}

#[test]
fn marks_and_machine_paths_are_faults_but_parts_of_words_are_not() {
    let mark = concat!("TO", "DO");
    let home = concat!("/ho", "me/ana/x");
    let written = format!("// {mark}: later\nlet x = \"{home}\";\n// MASTO{mark}N\n// https://host{home}\n");
    let faults =
        words::faults(&[text("crates/cli/src/main.rs", &written), text("content/sources/a/samples/r.json", &written)]);
    assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_lock_file_may_name_the_public_registries_only() {
    let public = "\"resolved\": \"https://registry.npmjs.org/a/-/a-1.tgz\",\n";
    let private = "\"resolved\": \"https://mirror.example/a/-/a-1.tgz\",\n";
    let faults = words::faults(&[text("e2e/package-lock.json", &format!("{public}{private}"))]);
    assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [2]);
}

#[test]
fn a_rule_needs_cases_and_a_source_needs_samples() {
    let files = [
        "content/packs/w/a.yml",
        "content/packs/w/b.yml",
        "content/packs/w/b.test.yml",
        "content/sources/s/source.yml",
    ];
    let faults = content::faults(&files.map(PathBuf::from));
    let faults = said(&faults);
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert!(faults[0].contains("`samples/`") && faults[1].contains("`expected/`") && faults[2].contains("a.test.yml"));
}

#[test]
fn links_are_found_outside_code_and_headings_make_anchors() {
    let page = "# The line: how\n[a](b.md#c) and `[not](x)`\n```\n[nor](y)\n```\n![p](p.png)";
    assert_eq!(links::links(page), [(2, "b.md#c".to_owned()), (6, "p.png".to_owned())]);
    assert_eq!(links::anchors(page), ["the-line-how"]);
}
