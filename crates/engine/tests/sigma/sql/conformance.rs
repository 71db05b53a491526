//! `conformance/sigma/`: what the engine answers, its queries find.

use std::path::Path;

use conformance::{Question, Suite};
use engine::sigma::sql::Dialect;
use engine::sigma::{self, Document, Inventory, Rule};

use super::lent::{Lent, query};
use crate::data::Bench;

#[test]
fn queries_find_what_the_engine_finds_in_every_case() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/sigma");
    let suite = Suite::read(&folder).unwrap_or_else(|error| panic!("{error:#}"));
    let (mut asked, mut wrong) = (0, Vec::new());
    for question in suite.cases.iter().flat_map(|case| case.questions()) {
        if let Some(agrees) = agrees(&question) {
            asked += 1;
            if let Err(why) = agrees {
                wrong.push(format!("{}: {why}", question.id));
            }
        }
    }
    assert!(asked >= 1500, "only {asked} questions were asked");
    assert!(wrong.is_empty(), "{} of {asked}\n{}", wrong.len(), wrong.join("\n"));
}

/// `None` where the engine has no answer either.
fn agrees(question: &Question) -> Option<Result<(), String>> {
    // The lake holds records without the space around them.
    let event = question.event.as_deref()?.trim();
    let (mut rules, mut filters): (Vec<Rule>, Vec<sigma::Filter>) = (Vec::new(), Vec::new());
    for text in question.rules.iter().chain(&question.filters) {
        for document in sigma::parse(text).0 {
            match document {
                Document::Rule(rule) => rules.push(rule),
                Document::Filter(filter) => filters.push(filter),
                Document::Correlation(_) => {}
            }
        }
    }
    let inventory: Inventory = question.inventory.clone().into_iter().collect();
    let (mut bench, told) = Bench::new(&rules, &filters, &inventory);
    if told.iter().any(engine::Diagnostic::is_error) || !bench.reads(event) {
        return None;
    }
    let hits: Vec<String> =
        bench.hits(event).into_iter().map(|hit| bench.program.rule(hit).rule.id.to_string()).collect();
    let lent = Lent::new("lab_test", &[event]);
    for rule in &rules {
        let held = match query(rule, &filters, &inventory, Dialect::Sqlite) {
            Ok(query) => !lent.found(&query.sql).is_empty(),
            Err(refused) => return Some(Err(format!("{refused:?}"))),
        };
        if held != hits.contains(&rule.id.to_string()) {
            return Some(Err(format!("the query says {held}")));
        }
    }
    Some(Ok(()))
}
