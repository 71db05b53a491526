//! Chains of given rules: those of a correlation, or of each way to make its expression true.

use super::super::super::{Fact, Members};
use super::super::rules::{NEVER, members};
use super::slots::Slots;

/// A place on the way along a chain.
#[derive(Clone, Debug)]
struct Step {
    rule: usize,
    /// The step before it; none where it is the first.
    before: Option<usize>,
    /// The steps that can follow, each later than this one.
    behind: Vec<usize>,
    /// For each chain that ends here, rules that must not occur.
    ends: Vec<Members>,
}

/// Chains of rules as a tree: chains that begin alike share their steps. The state is the latest start of each step.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Paths {
    steps: Vec<Step>,
    /// Steps that can be the first.
    firsts: Vec<usize>,
    rules: usize,
}

impl Paths {
    /// Chains of the rules of each set in order, and the rules that must not occur beside them.
    pub(in super::super) fn of(chains: &[(Members, Members)]) -> Paths {
        let mut paths = Paths::default();
        for (with, without) in chains {
            let mut before = None;
            for rule in with.iter() {
                before = Some(paths.step(before, rule));
                paths.rules = paths.rules.max(rule + 1);
            }
            if let Some(last) = before {
                paths.steps[last].ends.push(*without);
            }
        }
        paths
    }

    fn step(&mut self, before: Option<usize>, rule: usize) -> usize {
        let known = before.map_or(&self.firsts, |before| &self.steps[before].behind);
        if let Some(step) = known.iter().find(|step| self.steps[**step].rule == rule) {
            return *step;
        }
        let step = self.steps.len();
        self.steps.push(Step { rule, before, behind: Vec::new(), ends: Vec::new() });
        match before {
            Some(before) => self.steps[before].behind.push(step),
            None => self.firsts.push(step),
        }
        step
    }

    /// The state before anything occurred.
    pub(in super::super) fn start(&self) -> Box<[i64]> {
        vec![NEVER; self.steps.len()].into()
    }

    /// Takes the facts of an instant into the state.
    pub(in super::super) fn add(&self, starts: &mut [i64], at: i64, facts: &[Fact]) {
        if let [fact] = facts {
            self.add_one(starts, at, fact.members);
            return;
        }
        let present = members(facts);
        if self.steps.iter().all(|step| !present.has(step.rule)) {
            return;
        }
        let slots = Slots::of(facts, self.rules);
        let old = starts.to_vec();
        self.follow(&self.firsts, at, &slots, starts);
        for (step, start) in self.steps.iter().zip(old).filter(|(_, start)| *start != NEVER) {
            self.follow(&step.behind, start, &slots, starts);
        }
    }

    /// One event takes each chain one step further; later steps come first, so that none moves twice.
    fn add_one(&self, starts: &mut [i64], at: i64, members: Members) {
        for (place, step) in self.steps.iter().enumerate().rev().filter(|(_, step)| members.has(step.rule)) {
            let start = step.before.map_or(at, |before| starts[before]);
            starts[place] = starts[place].max(start);
        }
    }

    /// A chain that started at `start` goes on to these steps, and beyond, as far as the events of the instant reach.
    fn follow(&self, next: &[usize], start: i64, slots: &Slots, starts: &mut [i64]) {
        for place in next {
            let step = &self.steps[*place];
            let mut slots = slots.clone();
            if slots.take(step.rule) {
                starts[*place] = starts[*place].max(start);
                self.follow(&step.behind, start, &slots, starts);
            }
        }
    }

    /// Is a chain complete that started at `from` or later, if none of the rules that it must do without are among `denied`?
    pub(in super::super) fn holds(&self, starts: &[i64], from: i64, denied: Members) -> bool {
        let is_allowed = |without: &Members| without.0 & denied.0 == 0;
        self.steps.iter().zip(starts).any(|(step, start)| *start >= from && step.ends.iter().any(is_allowed))
    }
}
