//! What has no query that means the same is refused, with its place and what to do.

use engine::sigma::sql::{Dialect, convert};
use engine::sigma::{Inventory, LogSource};
use engine::{Pairs, Source};

use super::lent::source;
use crate::data::rules;

const HEAD: &str = "title: T\nid: 9f8c1d2e-0000-4000-8000-000000000001\nlogsource: {product: lab}\n";

fn lab() -> Source {
    let mut lab = source("lab_door", &[LogSource { product: Some("lab".into()), ..LogSource::default() }]);
    lab.sensitive = vec!["key.secret".into()];
    lab
}

/// The codes and lines of errors, then of warnings.
fn told(detection: &str, sources: &[Source], dialect: Dialect) -> Vec<String> {
    let rule = &rules(&format!("{HEAD}detection:\n{detection}    condition: s\n"))[0];
    let told = match convert(rule, &[], &Inventory::new(), sources, dialect) {
        Ok(query) => query.warnings,
        Err(errors) => errors,
    };
    assert!(told.iter().all(|one| !one.remedy.is_empty() && !one.message.ends_with('.')), "{told:?}");
    told.iter().map(|one| format!("{} {}", one.code, one.line)).collect()
}

#[test]
fn every_reason_is_told_at_once() {
    let detection = "    s:\n        a|expand: ['%x%', '%y%']\n        b|re: 'a(?!b)'\n        key.secret: x\n";
    let wanted = ["unknown-placeholder 6", "unknown-placeholder 6", "sql-look-around 7", "sql-redacted 8"];
    assert_eq!(told(detection, &[lab()], Dialect::DuckDb), wanted);
    assert_eq!(told("    s: {a: b}\n", &[], Dialect::DuckDb), ["sql-no-source 1"]);
}

#[test]
fn an_expression_that_a_database_cannot_say_is_refused_there_alone() {
    for (expression, code) in [
        ("a(?!b)", "sql-look-around"),
        (r"(a$)?b", "sql-look-around"),
        ("(a{50}){40}", "sql-regex"),
        ("a{2000}", "sql-regex"),
    ] {
        let detection = format!("    s: {{'a|re': '{expression}'}}\n");
        assert_eq!(told(&detection, &[lab()], Dialect::DuckDb), [format!("{code} 5")], "{expression}");
        assert!(told(&detection, &[lab()], Dialect::DataFusion).is_empty(), "{expression}");
    }
}

#[test]
fn what_the_lake_keeps_a_digest_of_is_not_asked_for() {
    let told = |detection: &str| told(&format!("    s: {detection}\n"), &[lab()], Dialect::DuckDb);
    for refused in
        ["{key.secret: x}", "{'key.secret.more|exists': true}", "{'a|fieldref': key.secret}", "{'key[].secret': x}"]
    {
        assert_eq!(told(refused), ["sql-redacted 5"], "{refused}");
    }
    for warned in ["{'key|contains': x}", "['keyword']", "{'key|re': x}"] {
        assert_eq!(told(warned), ["sql-redacted 5"], "{warned}");
        assert!(convert_one(warned).is_ok(), "{warned}");
    }
    for plain in
        ["{'key.secret|exists': true}", "{key.secret: null}", "{key: x}", "{'key|startswith': x}", "{key.secrets: x}"]
    {
        assert!(told(plain).is_empty(), "{plain}");
    }
}

fn convert_one(search: &str) -> Result<(), ()> {
    let rule = &rules(&format!("{HEAD}detection: {{s: {search}, condition: s}}\n"))[0];
    convert(rule, &[], &Inventory::new(), &[lab()], Dialect::DuckDb).map(|_| ()).map_err(|_| ())
}

#[test]
fn a_source_that_keeps_fields_elsewhere_is_refused() {
    let mut moved = lab();
    moved.transparent = vec!["Data".into()];
    assert_eq!(told("    s: {a: b}\n", &[moved, lab()], Dialect::DuckDb), ["sql-reshaped 1"]);
}

#[test]
fn pairs_below_a_key_of_their_own_are_refused_to_those_who_ask_for_them() {
    let mut tagged = lab();
    let pairs =
        Pairs { list: "tags".into(), name: vec!["k".into()], value: vec!["v".into()], under: Some("tag".into()) };
    tagged.pairs = vec![pairs];
    assert_eq!(told("    s: {tag.owner: b}\n", &[tagged.clone()], Dialect::DuckDb), ["sql-reshaped 5"]);
    assert_eq!(told("    s: {tags.v: b, tagged: c}\n", &[tagged], Dialect::DuckDb), Vec::<String>::new());
}

#[test]
fn a_query_has_a_bound() {
    let values: Vec<String> = (0..50).map(|n| format!("'{n:0>30000}'")).collect();
    let again = "or s ".repeat(8);
    let text = format!("{HEAD}detection:\n    s: {{a: [{}]}}\n    condition: s {again}\n", values.join(","));
    let rule = &rules(&text)[0];
    let refused = convert(rule, &[], &Inventory::new(), &[lab()], Dialect::DuckDb).expect_err("too long");
    assert_eq!(refused.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(), ["sql-too-long"]);
}
