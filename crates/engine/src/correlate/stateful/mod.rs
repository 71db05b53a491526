//! The types of rule over time that Sigma lacks, each as an operator. `docs/reference/stateful-semantics.md` says what they mean.
//!
//! In: the facts of one group, instant by instant. Out: bursts that are told when they begin and when they are over, and windows and
//! buckets that are told when they are over. Bound: each state says what it keeps at most; what is let go of is counted.
//!
//! What the facts must carry in `values`; a fact that lacks it takes no part and need not be shown:
//!
//! | type | values |
//! |---|---|
//! | `first_seen`, `rarity` | `Texts`: the values of the fields |
//! | `volume`, `ratio` of counts; `absence`, `join`, `sequence`, `risk` | nothing |
//! | `volume`, `ratio` of a sum | `Number` or `Numbers`; negative ones do not count |
//! | `volume`, `ratio` of different values | `Texts`: the values |
//! | `peer_group` of counts | `Texts`: the entities |
//! | `peer_group` of a sum, or of different values | `Measured`: the entities, and `Number`, `Numbers` or `Texts` of the event |
//! | `coverage` of a size or a list | `Texts`: the values |
//! | `coverage` of a size that events say | `Measured`: the values, and the size as `Number` or `Numbers`; `Texts` where an event says none |
//!
//! Which rules an event matches is read from `members` by `ratio`, `absence`, `join`, `sequence` and `risk`.

mod baseline;
mod bound;
mod burst;
mod compile;
mod coverage;
mod evidence;
mod expectation;
mod first_seen;
mod joined;
mod key;
mod number;
mod operator;
mod peers;
mod rarity;
mod ratio;
mod risk;
mod sequence;
mod silence;
mod sliding;
mod tally;
mod unmatched;
mod volume;

pub use baseline::Calendar;
pub use bound::Bound;
pub use burst::{CUT_MS, FOLD_MS};
pub use coverage::{Coverage, KnownSet};
pub use expectation::{Beyond, Expectation, counts_below};
pub use first_seen::FirstSeen;
pub use joined::Joined;
pub use operator::{StatefulOperator, StatefulState};
pub use peers::Peers;
pub use rarity::{Rarity, SLICES};
pub use ratio::Ratio;
pub use risk::{Risk, Weight};
pub use sequence::{Sequence, Step};
pub use silence::Silence;
pub use tally::{DISTINCT_MAX, Measured};
pub use unmatched::Unmatched;
pub use volume::Volume;

use bound::bound_words;

/// Values that a measure shows.
const VALUES_SHOWN: usize = 16;

/// Adds values to those that a measure shows, each once, the first of them where there are more than are shown.
fn show<T: ToString>(shown: &mut Vec<String>, more: impl IntoIterator<Item = T>) {
    for value in more {
        if shown.len() >= VALUES_SHOWN {
            return;
        }
        let value = value.to_string();
        if !shown.contains(&value) {
            shown.push(value);
        }
    }
}
