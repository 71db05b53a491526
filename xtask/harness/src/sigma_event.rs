//! Rules and one event: what the program of all rules says is what each rule's program says alone, what the explanation says, and
//! what it says when asked again.

use engine::sigma::{self, Document, Filter, Inventory, LogSource, Memo, Program, Rule, RuleIndex};
use engine::{Fields, FieldsBuilder, Scratch};

use crate::limits;

/// Rules that always stand beside those of the input, so that pieces of texts are shared.
const BESIDE: &str = include_str!("sigma_event.yml");

/// Compiling costs the most here, and more rules show no more.
const RULES_MAX: usize = 12;

/// Rules as YAML, a NUL, and the event.
pub fn sigma_event(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some((rules, event)) = text.split_once('\0') else { return };
    let (mut rules, filters) = documents(rules);
    if rules.len() > RULES_MAX {
        return;
    }
    rules.extend(documents(BESIDE).0);
    let mut together = Compiled::new(&rules, &filters);
    let Some(held) = together.hits(event) else { return };
    assert_eq!(together.hits(event), Some(held.clone()), "asked again, the answer is another");
    for (at, is_held) in held.iter().enumerate() {
        together.explains(at, *is_held, event);
        let rule = Rule::clone(&together.program.rules()[at].rule);
        let mut alone = Compiled::new(&[rule], &filters);
        assert_eq!(alone.hits(event), Some(vec![*is_held]), "beside others the rule at {at} answers otherwise");
    }
}

fn documents(text: &str) -> (Vec<Rule>, Vec<Filter>) {
    let (mut rules, mut filters) = (Vec::new(), Vec::new());
    for document in sigma::parse(text).0 {
        match document {
            Document::Rule(rule) => rules.push(rule),
            Document::Filter(filter) => filters.push(filter),
            Document::Correlation(_) => {}
        }
    }
    (rules, filters)
}

struct Compiled {
    program: Program,
    fields: Fields,
    scratch: Scratch,
    memo: Memo,
}

impl Compiled {
    fn new(rules: &[Rule], filters: &[Filter]) -> Compiled {
        let list = ["powershell", "a*c", "10.0.0.1"].map(str::to_owned).to_vec();
        let inventory: Inventory = [("list".to_owned(), list)].into_iter().collect();
        let mut fields = FieldsBuilder::new();
        let (program, _) = sigma::compile(rules, filters, &inventory, &mut fields);
        let fields = fields.build();
        let scratch = Scratch::new(&fields);
        Compiled { program, fields, scratch, memo: Memo::default() }
    }

    /// For each rule, does it hold? Nothing if the event is no record.
    fn hits(&mut self, event: &str) -> Option<Vec<bool>> {
        let logsources: Vec<LogSource> = self.program.rules().iter().map(|rule| rule.rule.logsource.clone()).collect();
        let set = self.program.applicable(&logsources);
        let record = engine::extract::extract(&self.fields, event, &mut self.scratch, &limits()).ok()?;
        let mut held = vec![false; self.program.rules().len()];
        self.program.evaluate(&set, &record, &mut self.memo, &mut |rule: RuleIndex| {
            assert!(!held[rule.index()], "a rule is told twice");
            held[rule.index()] = true;
        });
        Some(held)
    }

    fn explains(&mut self, at: usize, is_held: bool, event: &str) {
        let rule = self.program.indexes().nth(at).expect("as many indexes as rules");
        let record = engine::extract::extract(&self.fields, event, &mut self.scratch, &limits());
        let record = record.expect("the event was a record a moment ago");
        let explanation = self.program.explain(rule, &record);
        assert_eq!(explanation.held, is_held, "{}", explanation.render());
        assert!(
            is_held || self.program.matched_terms(rule, &record, &sigma::as_it_is).is_empty(),
            "terms of a rule that does not hold"
        );
    }
}
