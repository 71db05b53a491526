//! RSigma behind the adapter protocol of `conformance/sigma/README.md`: a question a line, an answer a line.
//!
//! Rules, filters and pipelines are those of its library. Placeholders are filled by its own `value_placeholders`, and a log source
//! narrows rules by its own comparison.

#![allow(clippy::print_stdout)]

use std::io::BufRead as _;

use conformance::{Answer, Question};
use rsigma_eval::{Engine, JsonEvent, parse_pipeline};
use rsigma_parser::{LogSource, SigmaCollection, parse_sigma_yaml};

fn main() {
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("questions are text");
        let question = Question::parse(&line).expect("a question of the suite");
        let answer = answer(&question).unwrap_or_else(Answer::Refused);
        println!("{}", serde_json::to_string(&answer).expect("text is JSON"));
    }
}

/// The answer, or why it refuses.
fn answer(question: &Question) -> Result<Answer, String> {
    let mut engine = Engine::new();
    if !question.inventory.is_empty() {
        let pipeline = serde_json::json!({
            "name": "inventory", "priority": 10, "vars": question.inventory,
            "transformations": [{"type": "value_placeholders"}],
        });
        engine.add_pipeline(parse_pipeline(&pipeline.to_string()).map_err(|error| error.to_string())?);
    }
    let mut all = SigmaCollection::new();
    for text in question.rules.iter().chain(&question.filters) {
        let found = parse_sigma_yaml(text).map_err(|error| error.to_string())?;
        if let Some(error) = found.errors.first() {
            return Err(error.clone());
        }
        all.rules.extend(found.rules);
        all.filters.extend(found.filters);
    }
    engine.add_collection(&all).map_err(|error| error.to_string())?;
    let Some(event) = &question.event else { return Ok(Answer::Matches(Vec::new())) };
    let event: serde_json::Value = serde_json::from_str(event).map_err(|error| error.to_string())?;
    let event = JsonEvent::borrow(&event);
    let found = match &question.logsource {
        None => engine.evaluate(&event),
        Some(given) => {
            let logsource = LogSource {
                product: given.product.clone(),
                category: given.category.clone(),
                service: given.service.clone(),
                ..LogSource::default()
            };
            engine.evaluate_with_logsource(&event, &logsource)
        }
    };
    let name = |result: &rsigma_eval::EvaluationResult| {
        result.header.rule_id.clone().unwrap_or_else(|| result.header.rule_title.clone())
    };
    Ok(Answer::Matches(found.iter().map(name).collect()))
}
