//! The rule repository: how many of its rules have a query, and why the others have none.

use std::collections::BTreeMap;

use engine::sigma::sql::Dialect;
use engine::sigma::{self, Document, Inventory, Rule};

use super::lent::query;
use crate::data::{folder, repository};

fn every_rule() -> Vec<Rule> {
    let documents = repository().into_iter().flat_map(|(_, text)| sigma::parse(&text).0);
    documents.filter_map(|document| if let Document::Rule(rule) = document { Some(rule) } else { None }).collect()
}

/// The language alone counts here: each rule has a source that carries its log source.
#[test]
fn the_rules_of_the_repository_have_queries() {
    if folder().is_none() {
        return;
    }
    let rules = every_rule();
    let mut page = String::new();
    for dialect in [Dialect::DuckDb, Dialect::DataFusion] {
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        for rule in &rules {
            let told = query(rule, &[], &Inventory::new(), dialect).err().unwrap_or_default();
            let mut codes: Vec<String> = told.into_iter().map(|one| one.code).collect();
            codes.sort();
            codes.dedup();
            codes.into_iter().for_each(|code| *reasons.entry(code).or_default() += 1);
        }
        page.push_str(&format!("{}: {} rules, refused for {reasons:?}\n", dialect.as_str(), rules.len()));
    }
    insta::assert_snapshot!(page);
}
