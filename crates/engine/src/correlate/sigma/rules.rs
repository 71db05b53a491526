//! Which rules occur in a sliding window, in whatever order.

use crate::sigma::Condition;

use super::super::{Fact, Members};

/// A time before all others.
pub(super) const NEVER: i64 = i64::MIN;

/// The members that any of the facts takes part as.
pub(super) fn members(facts: &[Fact]) -> Members {
    facts.iter().fold(Members::default(), |all, fact| all.with(fact.members))
}

/// Notes that the members occurred; `last` has the last time of each.
pub(super) fn occur(last: &mut [i64], at: i64, members: Members) {
    for (member, last) in last.iter_mut().enumerate() {
        if members.has(member) {
            *last = at;
        }
    }
}

/// The members that occurred at `from` or later.
pub(super) fn occurring(last: &[i64], from: i64) -> Members {
    let since = last.iter().enumerate().filter(|(_, last)| **last >= from);
    since.fold(Members::default(), |all, (member, _)| all.with(Members::one(member)))
}

/// Does the condition hold where the rules of `held` are true, and under `not` those of `denied`?
pub(super) fn is_true(condition: &Condition, held: Members, denied: Members) -> bool {
    match condition {
        Condition::Search(rule) => held.has(*rule),
        Condition::Not(part) => !is_true(part, denied, held),
        Condition::And(parts) => parts.iter().all(|part| is_true(part, held, denied)),
        Condition::Or(parts) => parts.iter().any(|part| is_true(part, held, denied)),
        Condition::Of(of) => {
            let count = of.searches.iter().filter(|rule| held.has(**rule)).count();
            count >= of.least.unwrap_or(of.searches.len())
        }
    }
}

/// What a correlation asks of the rules that occur.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    /// So many of them.
    AtLeast(usize),
    /// That they make this true, whatever stands under `not`.
    Expression(Condition),
}

impl Asked {
    /// Do the rules that occur fulfil it, as far as further events cannot undo it?
    pub(super) fn holds(&self, held: Members) -> bool {
        match self {
            Asked::AtLeast(least) => held.0.count_ones() as usize >= *least,
            Asked::Expression(condition) => is_true(condition, held, Members::default()),
        }
    }
}
