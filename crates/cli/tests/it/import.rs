#[path = "../../../engine/tests/common/data.rs"]
pub mod data;

use std::path::Path;

use self::data::folder as data;
use crate::ran::{fixture, folder, watchkeep};

/// A folder of others' rules: one that loads, one that does not, and a licence.
fn collection() -> tempfile::TempDir {
    let from = folder();
    std::fs::create_dir_all(from.path().join("rules/aws")).expect("made");
    let rule = fixture("rules/root_signs_in.yml");
    std::fs::copy(rule, from.path().join("rules/aws/root.yml")).expect("copied");
    std::fs::write(from.path().join("rules/aws/broken.yml"), "title: x\nlogsource: {product: aws}\n").expect("written");
    std::fs::write(from.path().join("LICENSE"), "Detection Rule License (DRL) 1.1\n").expect("written");
    from
}

#[test]
fn a_folder_becomes_a_pack_that_is_used() {
    let (from, site) = (collection(), folder());
    let path = from.path().display().to_string();
    let args = [
        "import",
        &path,
        "--to",
        "packs/others",
        "--origin",
        "https://rules.example",
        "--revision",
        "r1",
        "--date",
        "2026-01-31",
    ];
    let dry = watchkeep(site.path(), &[args.as_slice(), &["--dry-run"]].concat()).ended(0);
    assert!(dry.out.contains("1 file would be imported") && !site.path().join("packs").exists(), "{}", dry.out);
    let ran = watchkeep(site.path(), &args).ended(0);
    assert!(ran.out.contains("set aside rules/aws/broken.yml"), "{}", ran.out);
    assert!(ran.out.contains("1 file imported to packs/others under DRL-1.1; 1 set aside"), "{}", ran.out);
    let provenance = std::fs::read_to_string(site.path().join("packs/others/provenance.yml")).expect("there");
    insta::assert_snapshot!(provenance);
    watchkeep(site.path(), &["check", "."]).ended(0);
    let trail = fixture("trail.ndjson").display().to_string();
    let findings = watchkeep(site.path(), &["scan", &trail, "--rules", ".", "--no-default-rules"]).ended(1).lines();
    assert_eq!(findings.len(), 2);
}

#[test]
fn an_archive_is_a_folder_too() {
    let (from, site) = (collection(), folder());
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    archive.append_dir_all("others-r1", from.path()).expect("packed");
    let packed = archive.into_inner().and_then(flate2::write::GzEncoder::finish).expect("packed");
    std::fs::write(site.path().join("others.tar.gz"), &packed).expect("written");
    let ran = watchkeep(site.path(), &["import", "others.tar.gz", "--to", "packs/others", "--format", "json"]).ended(0);
    assert_eq!(ran.json()["loaded"][0]["path"], "rules/aws/root.yml");
    assert!(site.path().join("packs/others/rules/aws/root.yml").exists());
    std::fs::write(site.path().join("cut.tar.gz"), &packed[..packed.len() / 2]).expect("written");
    watchkeep(site.path(), &["import", "cut.tar.gz", "--to", "packs/cut"]).ended(2);
}

#[test]
fn what_cannot_be_imported_says_why() {
    let (from, site) = (collection(), folder());
    std::fs::remove_file(from.path().join("LICENSE")).expect("removed");
    let path = from.path().display().to_string();
    let ran = watchkeep(site.path(), &["import", &path, "--to", "packs/p"]).ended(2);
    assert!(ran.err.contains("--license"), "{}", ran.err);
    watchkeep(site.path(), &["import", "gone", "--to", "packs/p"]).ended(2);
    watchkeep(site.path(), &["import", &path, "--to", "packs/p", "--license", "MIT"]).ended(0);
}

#[test]
fn sigmahq_rules_of_four_products_load() {
    let Some(data) = data() else { return };
    let site = folder();
    let archive = data.join("sigma_rules.tar.zst").display().to_string();
    let args =
        ["import", &archive, "--to", "packs/sigmahq", "--product", "aws,github,kubernetes,okta", "--format", "json"];
    let report = watchkeep(site.path(), &args).ended(0).json();
    let loaded: Vec<&str> =
        report["loaded"].as_array().expect("a list").iter().filter_map(|file| file["path"].as_str()).collect();
    assert!(loaded.len() >= 110, "{}", loaded.len());
    for part in
        ["rules/cloud/aws/", "rules/application/github/", "rules/application/kubernetes/", "rules/identity/okta/"]
    {
        assert!(loaded.iter().any(|path| path.starts_with(part)), "{part}");
    }
    // Only what SigmaHQ itself calls unsupported is set aside.
    for file in report["set_aside"].as_array().expect("a list") {
        let path = file["path"].as_str().unwrap_or_default();
        assert!(Path::new(path).starts_with("unsupported"), "{file}");
    }
    let ran = watchkeep(site.path(), &["check", ".", "--format", "json"]).ended(0);
    let errors = ran.json().as_array().expect("a list").iter().filter(|told| told["severity"] == "error").count();
    assert_eq!(errors, 0);
}
