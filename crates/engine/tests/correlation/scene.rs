//! Rules, correlations and events as a test has them, brought to the plain evaluator.

use engine::sigma::{self, Correlation, Document, Filter, Inventory, Linked, LogSource, Memo, Rule};
use engine::{Diagnostic, FieldsBuilder, Limits, Scratch};

use crate::plain::{Event, Finding, correlate};

/// A rule file, read and joined.
pub struct Scene {
    pub rules: Vec<Rule>,
    pub filters: Vec<Filter>,
    pub linked: Vec<Linked>,
    pub told: Vec<Diagnostic>,
}

impl Scene {
    /// Reads rules, correlations and filters; `told` says what is wrong with them.
    pub fn read(texts: &[&str]) -> Scene {
        let (mut rules, mut filters, mut told) = (Vec::new(), Vec::new(), Vec::new());
        let mut correlations: Vec<Correlation> = Vec::new();
        for text in texts {
            let (documents, diagnostics) = sigma::parse(text);
            told.extend(diagnostics);
            for document in documents {
                match document {
                    Document::Rule(rule) => rules.push(rule),
                    Document::Filter(filter) => filters.push(filter),
                    Document::Correlation(correlation) => correlations.push(correlation),
                }
            }
        }
        let (linked, diagnostics) = sigma::link(&rules, &correlations);
        told.extend(diagnostics);
        Scene { rules, filters, linked, told }
    }

    /// What makes the file unusable.
    pub fn errors(&self) -> Vec<String> {
        self.told.iter().filter(|told| told.is_error()).map(ToString::to_string).collect()
    }

    /// The ids of the rules that the engine finds to match each record, whatever its log source.
    pub fn matches(&self, records: &[&str]) -> Vec<Vec<String>> {
        let mut fields = FieldsBuilder::new();
        let (program, told) = sigma::compile(&self.rules, &self.filters, &Inventory::new(), &mut fields);
        assert!(!told.iter().any(Diagnostic::is_error), "{told:?}");
        let fields = fields.build();
        let mut scratch = Scratch::new(&fields);
        let everywhere: Vec<LogSource> = self.rules.iter().map(|rule| rule.logsource.clone()).collect();
        let set = program.applicable(&everywhere);
        let mut memo = Memo::default();
        let each = |record: &&str| {
            let mut matches = Vec::new();
            let record = engine::extract::extract(&fields, record, &mut scratch, &Limits::default())
                .unwrap_or_else(|reject| panic!("{reject}: {record}"));
            program.evaluate(&set, &record, &mut memo, &mut |hit| matches.push(program.rule(hit).rule.id.to_string()));
            matches
        };
        records.iter().map(each).collect()
    }

    /// The findings that are raised.
    pub fn findings(&self, events: &[Event]) -> Vec<Finding> {
        let mut findings = correlate(&self.linked, events);
        findings.retain(|finding| self.linked[finding.of].is_raised);
        findings
    }

    /// Does the rule raise findings of its own?
    pub fn speaks_alone(&self, rule: &Rule) -> bool {
        let member = sigma::Member::Rule(rule.id.clone());
        let above: Vec<&Linked> = self.linked.iter().filter(|linked| linked.members.contains(&member)).collect();
        above.is_empty() || above.iter().any(|linked| linked.correlation.generate)
    }
}
