use std::path::Path;

use super::*;
use crate::tests::{RULE, write};
use crate::{Root, lint, load};

const LICENSE: &str = "The rules are released under the Detection Rule License (DRL) 1.1\n";

fn options() -> ImportOptions {
    ImportOptions {
        origin: "https://rules.example".into(),
        version: "r1".into(),
        date: "2026-01-31".into(),
        ..ImportOptions::default()
    }
}

fn run(from: &Path, to: &Path, options: &ImportOptions) -> ImportReport {
    import(from, to, options, &mut |_, _| {}).expect("the import runs")
}

/// A folder with two AWS rules (one by an author), one of Okta, one broken, and a licence.
fn collection() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let from = folder.path();
    write(from, "LICENSE", LICENSE);
    write(from, "rules/aws/root.yml", &format!("author: Ana\n{RULE}"));
    write(from, "rules/aws/list.yml", &needs_list());
    write(from, "rules/okta/a.yml", &RULE.replace("0a01", "0a03").replace("aws", "okta"));
    write(from, "rules/aws/broken.yml", "title: Broken\nlogsource: {product: aws}\ndetection: {a: {b: c}}\n");
    write(from, ".github/x.yml", "on: push\n");
    folder
}

fn needs_list() -> String {
    RULE.replace("0a01", "0a02").replace("Root Signs", "Somebody Signs").replace("type: Root", "arn|expand: '%admins%'")
}

#[test]
fn files_are_copied_as_they_are_with_their_provenance() {
    let (from, to) = (collection(), tempfile::tempdir().expect("a folder"));
    let pack = to.path().join("packs/others");
    let report = run(from.path(), &pack, &options());
    let loaded: Vec<&str> = report.loaded.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(loaded, ["rules/aws/list.yml", "rules/aws/root.yml", "rules/okta/a.yml"]);
    assert_eq!(report.loaded[0].warnings[0].code, "unknown-placeholder");
    let aside: Vec<&str> = report.set_aside.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(aside, ["rules/aws/broken.yml"]);
    assert!(report.set_aside[0].reasons.iter().all(|reason| reason.file == "rules/aws/broken.yml"));
    let bytes = |folder: &Path| std::fs::read(folder.join("rules/aws/root.yml")).expect("there");
    assert_eq!(bytes(from.path()), bytes(&pack));
    let text = std::fs::read_to_string(pack.join("provenance.yml")).expect("there");
    let (read, wrong) = PackProvenance::parse(&text);
    assert_eq!(wrong, []);
    let read = read.expect("whole");
    assert_eq!((read.origin.as_str(), read.version.as_str()), ("https://rules.example", "r1"));
    assert_eq!((read.license.as_str(), read.imported.as_str()), ("DRL-1.1", "2026-01-31"));
    let file = &read.files["rules/aws/root.yml"];
    assert_eq!(file.sha256, Digest::of(&bytes(from.path())));
    assert_eq!(file.author.as_deref(), Some("Ana"));
    assert_eq!(std::fs::read_to_string(pack.join("LICENSE")).expect("there"), LICENSE);
}

#[test]
fn an_imported_pack_loads_with_its_origin_and_an_edited_file_is_told() {
    let (from, to) = (collection(), tempfile::tempdir().expect("a folder"));
    let pack = to.path().join("packs/others");
    run(from.path(), &pack, &options());
    let roots = [Root::Dir(to.path().into())];
    let (catalogue, diagnostics) = load(&roots);
    assert_eq!(diagnostics, []);
    assert_eq!(catalogue.rules.len(), 3);
    let provenance = &catalogue.rules[0].provenance;
    assert_eq!(provenance.origin.as_deref(), Some("https://rules.example"));
    assert_eq!(provenance.license.as_deref(), Some("DRL-1.1"));
    assert!(!catalogue.rules[0].is_own());
    let codes = || lint(&catalogue, &roots).into_iter().map(|wrong| wrong.code).collect::<Vec<_>>();
    assert!(!codes().contains(&"edited-import".to_owned()));
    assert!(!codes().contains(&"untested".to_owned()), "others' rules come without our tests");
    write(&pack, "rules/aws/root.yml", RULE);
    write(&pack, "rules/aws/mine.yml", &RULE.replace("0a01", "0a09"));
    assert!(codes().contains(&"edited-import".to_owned()));
    assert!(codes().contains(&"unlisted-import".to_owned()));
}

#[test]
fn only_the_products_asked_for() {
    let (from, to) = (collection(), tempfile::tempdir().expect("a folder"));
    let options = ImportOptions { products: vec!["okta".into()], ..options() };
    let report = run(from.path(), &to.path().join("p"), &options);
    assert_eq!((report.loaded.len(), report.other_products), (1, 3));
    assert_eq!(report.set_aside.len(), 0);
}

#[test]
fn a_dry_run_writes_nothing() {
    let (from, to) = (collection(), tempfile::tempdir().expect("a folder"));
    let options = ImportOptions { dry_run: true, ..options() };
    let report = run(from.path(), &to.path().join("p"), &options);
    assert_eq!(report.loaded.len(), 3);
    assert!(!to.path().join("p").exists());
}

#[test]
fn a_second_import_follows_the_origin_and_keeps_what_somebody_changed() {
    let (from, to) = (collection(), tempfile::tempdir().expect("a folder"));
    let pack = to.path().join("p");
    run(from.path(), &pack, &options());
    write(&pack, "rules/aws/root.yml", &RULE.replace("high", "low"));
    write(from.path(), "rules/aws/root.yml", &RULE.replace("high", "critical"));
    write(from.path(), "rules/aws/list.yml", &needs_list().replace("high", "low"));
    std::fs::remove_file(from.path().join("rules/okta/a.yml")).expect("removed");
    let report = run(from.path(), &pack, &options());
    assert_eq!(report.kept_edited, ["rules/aws/root.yml"]);
    assert_eq!(report.removed, ["rules/okta/a.yml"]);
    assert!(!pack.join("rules/okta/a.yml").exists());
    let read = |path: &str| std::fs::read_to_string(pack.join(path)).expect("there");
    assert!(read("rules/aws/root.yml").contains("low"));
    assert_eq!(read("rules/aws/list.yml"), needs_list().replace("high", "low"));
}

#[test]
fn what_cannot_be_imported_says_why() {
    let (from, to) = (collection(), tempfile::tempdir().expect("a folder"));
    let refuse = |from: &Path, to: &Path| import(from, to, &options(), &mut |_, _| {}).expect_err("refused");
    assert!(matches!(refuse(&from.path().join("gone"), to.path()), ImportError::NoFolder(_)));
    assert!(matches!(refuse(from.path(), &from.path().join("inside")), ImportError::Inside(_)));
    std::fs::remove_file(from.path().join("LICENSE")).expect("removed");
    assert!(matches!(refuse(from.path(), &to.path().join("p")), ImportError::UnknownLicense(_)));
    let named = ImportOptions { license: Some("MIT".into()), ..options() };
    assert_eq!(run(from.path(), &to.path().join("p"), &named).license, "MIT");
}
