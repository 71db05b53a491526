//! Answers a question of the conformance suite with this engine.

use conformance::{Answer, Question};
use engine::sigma::{self, Document, Filter, Inventory, LogSource, Memo, Rule};
use engine::{Diagnostic, FieldsBuilder, Limits, Scratch};

/// The answer, and everything that the author of the rules is told.
pub fn answer(question: &Question) -> (Answer, Vec<Diagnostic>) {
    let (mut rules, mut filters): (Vec<Rule>, Vec<Filter>) = (Vec::new(), Vec::new());
    let mut told = Vec::new();
    for text in question.rules.iter().chain(&question.filters) {
        let (documents, diagnostics) = sigma::parse(text);
        told.extend(diagnostics);
        for document in documents {
            match document {
                Document::Rule(rule) => rules.push(rule),
                Document::Filter(filter) => filters.push(filter),
                Document::Correlation(_) => {}
            }
        }
    }
    let mut inventory = Inventory::new();
    for (name, values) in &question.inventory {
        inventory.insert(name, values.clone());
    }
    let mut fields = FieldsBuilder::new();
    let (program, diagnostics) = sigma::compile(&rules, &filters, &inventory, &mut fields);
    told.extend(diagnostics);
    if let Some(error) = told.iter().find(|diagnostic| diagnostic.is_error()) {
        return (Answer::Refused(error.to_string()), told);
    }
    let logsources = match &question.logsource {
        Some(given) => vec![LogSource {
            product: given.product.clone(),
            category: given.category.clone(),
            service: given.service.clone(),
            definition: None,
        }],
        None => rules.iter().map(|rule| rule.logsource.clone()).collect(),
    };
    let mut matches = Vec::new();
    if let Some(event) = &question.event {
        let fields = fields.build();
        let mut scratch = Scratch::new(&fields);
        match engine::extract::extract(&fields, event, &mut scratch, &Limits::default()) {
            Err(reject) => return (Answer::Refused(format!("the event: {reject}")), told),
            Ok(record) => {
                program.evaluate(&program.applicable(&logsources), &record, &mut Memo::default(), &mut |hit| {
                    matches.push(program.rule(hit).rule.id.to_string());
                })
            }
        }
    }
    (Answer::Matches(matches), told)
}
