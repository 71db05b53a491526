//! Rules that are set aside: a rule that panicked is found, and no longer held against records, until the process ends.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use model::{Finding, Reject, SourceId};

use super::{Engine, Given, Sink};
use crate::event::Event;
use crate::sigma::{self, CompiledRule, Memo, RuleIndex, RuleSet};

/// The rules that are set aside. Shared by all threads; costs one load for each event while there are none.
#[derive(Debug, Default)]
pub(super) struct Aside {
    any: AtomicBool,
    rules: Mutex<BTreeSet<RuleIndex>>,
}

impl Aside {
    /// What is left of `rules`; `None` when nothing is set aside.
    pub fn left_of(&self, rules: &RuleSet) -> Option<RuleSet> {
        if !self.any.load(Ordering::Relaxed) {
            return None;
        }
        let aside = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        Some(rules.iter().filter(|rule| !aside.contains(rule)).collect())
    }

    fn add(&self, rule: RuleIndex) {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).insert(rule);
        self.any.store(true, Ordering::Relaxed);
    }

    fn holds(&self, rule: RuleIndex) -> bool {
        self.any.load(Ordering::Relaxed) && self.rules.lock().unwrap_or_else(PoisonError::into_inner).contains(&rule)
    }
}

impl Engine {
    /// After evaluating `frame` panicked: finds the first rule that panics on one of its records, and sets it aside for all threads.
    ///
    /// Errors: `None` when no single rule is at fault; the caller keeps the frame as [`Reject::Internal`] either way.
    pub fn set_aside_culprit(&self, frame: &[u8], given: &Given) -> Option<&CompiledRule> {
        let mut search = Search { engine: self, found: None };
        // The evaluation itself panics again once the search is over; what it says does not count.
        let _ = catch_unwind(AssertUnwindSafe(|| self.evaluate(&mut self.worker(), frame, given, &mut search)));
        let found = search.found?;
        self.aside.add(found);
        Some(self.program.rule(found))
    }

    /// The rules that are set aside, in order.
    pub fn aside(&self) -> Vec<&CompiledRule> {
        let aside = self.aside.rules.lock().unwrap_or_else(PoisonError::into_inner);
        aside.iter().map(|rule| self.program.rule(*rule)).collect()
    }

    /// Does holding `rule` against the event, or saying why it fired, panic?
    fn stumbles(&self, rule: RuleIndex, event: &Event<'_>) -> bool {
        let Some(feed) = self.feeds.iter().find(|feed| feed.source.id == event.source().id) else { return false };
        let alone: RuleSet = [rule].into_iter().collect();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let (record, mut hits) = (event.record(), Vec::new());
            self.program.evaluate(&alone, &record, &mut Memo::default(), &mut |hit| hits.push(hit));
            for hit in hits {
                let matched = self.program.matched_terms(hit, &record, &sigma::as_it_is);
                self.voices[hit.index()].say(self.program.rule(hit), event, &feed.sentence, matched);
            }
        }));
        outcome.is_err()
    }
}

/// Tries the rules one by one on each event.
struct Search<'e> {
    engine: &'e Engine,
    found: Option<RuleIndex>,
}

impl Sink for Search<'_> {
    fn rejected(&mut self, _raw: &[u8], _source: Option<&SourceId>, _reason: Reject) {}

    fn evaluated(&mut self, event: &Event<'_>) {
        let engine = self.engine;
        let feed = engine.feeds.iter().find(|feed| feed.source.id == event.source().id);
        let (Some(feed), None) = (feed, self.found) else { return };
        let mut rules = feed.routing.rules_for(&event.record(), &engine.program).into_iter();
        self.found = rules.find(|rule| !engine.aside.holds(*rule) && engine.stumbles(*rule, event));
    }

    fn finding(&mut self, _finding: Finding, _event: &Event<'_>) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::FieldsBuilder;
    use crate::sigma;

    #[test]
    fn what_is_set_aside_is_left_out_and_the_rest_stays() {
        let rule = |n| {
            let id = format!("00000000-0000-4000-8000-00000000000{n}");
            format!(
                "---\ntitle: Rule {n}\nid: {id}\nlogsource: {{product: aws}}\ndetection: {{s: {{a: {n}}}, condition: s}}\n"
            )
        };
        let (documents, _) = sigma::parse(&(rule(1) + &rule(2)));
        let rules = documents.into_iter().filter_map(|document| match document {
            sigma::Document::Rule(rule) => Some(sigma::Rule::clone(&rule)),
            _ => None,
        });
        let rules: Vec<sigma::Rule> = rules.collect();
        let (program, _) = sigma::compile(&rules, &[], &sigma::Inventory::default(), &mut FieldsBuilder::new());
        let rules = program.applicable(&[rules[0].logsource.clone()]);
        let aside = Aside::default();
        assert!(aside.left_of(&rules).is_none(), "nothing is set aside");
        let [first, second] = rules.iter().collect::<Vec<_>>()[..] else { panic!("two rules: {rules:?}") };
        aside.add(first);
        assert!(aside.holds(first) && !aside.holds(second));
        let left: Vec<RuleIndex> = aside.left_of(&rules).expect("one is set aside").iter().collect();
        assert_eq!(left, [second]);
    }
}
