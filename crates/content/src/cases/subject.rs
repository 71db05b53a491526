//! What a file of tests is about: a rule, or a correlation of rules.

use engine::Engine;
use engine::sigma::{Correlation, Linked, Member};
use model::RuleId;

use super::RuleCases;
use crate::catalogue::{Catalogue, CatalogueRule, stem};

/// What is tested.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject<'c> {
    /// A rule.
    Rule(&'c CatalogueRule),
    /// A correlation.
    Correlation(&'c Correlation),
}

impl Catalogue {
    /// What the tests are about: what has the id, title or name that they give; or else what stands in a file of this stem, or of the
    /// stem of the tests' own file in the same folder.
    ///
    /// Shape: of a rule and a correlation in one file, the correlation, which is what the file comes to.
    pub(crate) fn subject(&self, cases: &RuleCases) -> Option<Subject<'_>> {
        let wanted = cases.rule.as_str();
        let beside = |file: &str| stem(file) == stem(&cases.file) && folder(file) == folder(&cases.file);
        let correlation = |is_it: &dyn Fn(&Correlation) -> bool| {
            self.correlations.iter().find(|correlation| is_it(correlation)).map(Subject::Correlation)
        };
        let rule =
            |is_it: &dyn Fn(&CatalogueRule) -> bool| self.rules.iter().find(|entry| is_it(entry)).map(Subject::Rule);
        correlation(&|correlation| is_called(correlation, wanted))
            .or_else(|| rule(&|entry| entry.answers_to(wanted) && entry.stem() != wanted))
            .or_else(|| correlation(&|correlation| stem(&correlation.file) == wanted))
            .or_else(|| rule(&|entry| entry.answers_to(wanted)))
            .or_else(|| correlation(&|correlation| beside(&correlation.file)))
            .or_else(|| rule(&|entry| beside(&entry.file)))
    }
}

fn is_called(correlation: &Correlation, wanted: &str) -> bool {
    let is_same = |text: &str| text.eq_ignore_ascii_case(wanted);
    correlation.id.as_deref().is_some_and(is_same)
        || is_same(&correlation.title)
        || correlation.name.as_deref() == Some(wanted)
}

fn folder(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

impl<'c> Subject<'c> {
    /// The ids of the rules that it is made of.
    pub fn rules(self, engine: &Engine) -> Vec<RuleId> {
        match self {
            Subject::Rule(entry) => vec![entry.rule.id.clone()],
            Subject::Correlation(_) => {
                self.place(engine).map_or_else(Vec::new, |at| beneath(engine.correlations(), at))
            }
        }
    }

    /// The correlation's place among those of the engine.
    pub fn place(self, engine: &Engine) -> Option<usize> {
        let Subject::Correlation(wanted) = self else { return None };
        let is_it =
            |linked: &Linked| (&linked.correlation.file, linked.correlation.line) == (&wanted.file, wanted.line);
        engine.correlations().iter().position(is_it)
    }
}

/// The rules that a correlation is built on, however deep.
fn beneath(linked: &[Linked], at: usize) -> Vec<RuleId> {
    let mut rules = Vec::new();
    let mut open = vec![at];
    let mut seen = vec![false; linked.len()];
    while let Some(at) = open.pop() {
        if std::mem::replace(&mut seen[at], true) {
            continue;
        }
        for member in &linked[at].members {
            match member {
                Member::Rule(id) => rules.push(id.clone()),
                Member::Correlation(beneath) => open.push(*beneath),
            }
        }
    }
    rules
}
