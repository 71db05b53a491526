//! Which rules find an event of their own at one instant.

use super::super::super::{Fact, Members};

/// The events of one instant, and which rule each of them serves.
#[derive(Clone, Debug)]
pub(super) struct Slots {
    events: Vec<(Members, Option<usize>)>,
}

impl Slots {
    /// Of the facts, those that can matter to `rules` rules: a rule that has as many to choose from as there are rules always finds one.
    pub(super) fn of(facts: &[Fact], rules: usize) -> Slots {
        let mut choices = vec![0_usize; rules];
        let mut events = Vec::new();
        for fact in facts {
            let mut is_wanted = false;
            for (rule, choices) in choices.iter_mut().enumerate() {
                if fact.members.has(rule) && *choices < rules {
                    *choices += 1;
                    is_wanted = true;
                }
            }
            if is_wanted {
                events.push((fact.members, None));
            }
        }
        Slots { events }
    }

    /// Finds an event for one more rule, moving others if need be. A rule for which there is none changes nothing, and never finds one later.
    pub(super) fn take(&mut self, rule: usize) -> bool {
        if let [(members, taken)] = &mut self.events[..] {
            let is_free = taken.is_none() && members.has(rule);
            if is_free {
                *taken = Some(rule);
            }
            return is_free;
        }
        self.find(rule, &mut vec![false; self.events.len()])
    }

    fn find(&mut self, rule: usize, seen: &mut [bool]) -> bool {
        for at in 0..self.events.len() {
            if seen[at] || !self.events[at].0.has(rule) {
                continue;
            }
            seen[at] = true;
            let is_free = self.events[at].1.is_none_or(|other| self.find(other, seen));
            if is_free {
                self.events[at].1 = Some(rule);
                return true;
            }
        }
        false
    }
}
