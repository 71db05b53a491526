//! What each rule costs: how often it was looked at, how often it held, and how long that took.
//!
//! The time of a condition that several rules share is counted with the rule that asks for it first.

/// What one rule cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleCost {
    /// Events on which the rule was evaluated, its witness being there.
    pub evaluations: u64,
    /// Events for which it held.
    pub hits: u64,
    /// Time of its evaluations, in the clock's units.
    pub time: u64,
}

/// What every rule of a program cost one worker.
#[derive(Clone, Debug)]
pub struct Profile {
    clock: fn() -> u64,
    /// By [`RuleIndex`](super::RuleIndex).
    pub rules: Vec<RuleCost>,
    /// Events that were evaluated.
    pub events: u64,
    /// Time in which the rules were found that an event can be about, in the clock's units.
    pub witness_time: u64,
}

impl Profile {
    /// An empty profile; `clock` gives the time, in any unit, and never goes back.
    pub fn new(clock: fn() -> u64) -> Profile {
        Profile { clock, rules: Vec::new(), events: 0, witness_time: 0 }
    }

    /// The time.
    pub(super) fn now(&self) -> u64 {
        (self.clock)()
    }

    /// One event's search for candidates took from `began` to now.
    pub(super) fn witnesses(&mut self, began: u64) {
        self.events += 1;
        self.witness_time += self.now().saturating_sub(began);
    }

    /// A rule was evaluated from `began` to now.
    pub(super) fn rule(&mut self, rule: usize, held: bool, began: u64) {
        let time = self.now().saturating_sub(began);
        if self.rules.len() <= rule {
            self.rules.resize(rule + 1, RuleCost::default());
        }
        let cost = &mut self.rules[rule];
        cost.evaluations += 1;
        cost.hits += u64::from(held);
        cost.time += time;
    }
}
