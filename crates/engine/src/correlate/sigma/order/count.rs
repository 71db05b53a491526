//! How many rules, the rest left out, occur in their order.

use super::super::super::Fact;
use super::super::rules::{NEVER, members};
use super::slots::Slots;

/// Counts rules that occur in order. The state has, for the first 1, 2, … rules, the latest start of a chain of 1, 2, … of them.
#[derive(Clone, Debug)]
pub(in super::super) struct Count {
    rules: usize,
}

impl Count {
    /// Of so many rules.
    pub(in super::super) fn of(rules: usize) -> Count {
        Count { rules }
    }

    /// The state before anything occurred.
    pub(in super::super) fn start(&self) -> Box<[i64]> {
        vec![NEVER; self.rules * self.rules].into()
    }

    /// Takes the facts of an instant into the state.
    pub(in super::super) fn add(&self, starts: &mut [i64], at: i64, facts: &[Fact]) {
        let present = members(facts);
        let Some(first) = present.iter().next() else { return };
        let slots = Slots::of(facts, self.rules);
        let old = starts.to_vec();
        // A chain of the rules below `done` goes on with those from there on: for none of them, it starts now.
        for done in 0..self.rules {
            let before = done.checked_sub(1).map(|last| &old[last * self.rules..][..self.rules]);
            if before.is_some_and(|before| before[0] == NEVER) {
                continue;
            }
            let (mut slots, mut taken) = (slots.clone(), 0);
            for rule in done.max(first)..self.rules {
                taken += usize::from(present.has(rule) && slots.take(rule));
                let after = &mut starts[rule * self.rules..][..self.rules];
                for (have, after) in after.iter_mut().enumerate().filter(|_| taken > 0) {
                    let start = match (have + 1).checked_sub(taken) {
                        None | Some(0) => at,
                        Some(left) => before.map_or(NEVER, |before| before[left - 1]),
                    };
                    *after = start.max(*after);
                }
            }
        }
    }

    /// How many rules occurred in order at `from` or later.
    pub(in super::super) fn count(&self, starts: &[i64], from: i64) -> usize {
        let last = &starts[(self.rules - 1) * self.rules..];
        last.iter().take_while(|start| **start >= from).count()
    }
}
