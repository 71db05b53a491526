//! One operator for all types that Sigma lacks.

use model::Time;
use serde::{Deserialize, Serialize};

use super::super::{Fact, Measure, Operator, Out};
use super::{Coverage, FirstSeen, Joined, Peers, Rarity, Ratio, Risk, Sequence, Silence, Unmatched, Volume};
use super::{coverage, first_seen, joined, peers, rarity, ratio, risk, sequence, silence, unmatched, volume};

macro_rules! operators {
    ($($(#[$doc:meta])* $name:ident($module:ident),)*) => {
        /// A rule of one of the types that Sigma lacks, compiled.
        #[derive(Clone, Debug, PartialEq)]
        pub enum StatefulOperator {
            $($(#[$doc])* $name($name),)*
        }

        /// What is kept of a group of such a rule.
        #[derive(Clone, Debug, Default, Serialize, Deserialize)]
        pub enum StatefulState {
            /// Nothing yet.
            #[default]
            New,
            $($(#[$doc])* $name(Box<$module::State>),)*
        }

        impl StatefulOperator {
            /// Brings a state up to `before` an instant, then shows it the instant.
            fn step_known(&self, state: &mut StatefulState, at: Time, facts: &[Fact], out: &mut Out) {
                let before = Time::from_micros(at.micros() - 1);
                match self {
                    $(StatefulOperator::$name(operator) => {
                        if !matches!(state, StatefulState::$name(_)) {
                            *state = StatefulState::$name(Box::default());
                        }
                        if let StatefulState::$name(state) = state {
                            operator.pass(state, before, out);
                            operator.step(state, at, facts, out);
                        }
                    })*
                }
            }
        }

        impl Operator for StatefulOperator {
            type State = StatefulState;

            fn step(&self, state: &mut StatefulState, at: Time, facts: &[Fact], out: &mut Out) {
                self.step_known(state, at, facts, out);
            }

            fn pass(&self, state: &mut StatefulState, to: Time, out: &mut Out) {
                match (self, state) {
                    $((StatefulOperator::$name(operator), StatefulState::$name(state)) => operator.pass(state, to, out),)*
                    _ => {}
                }
            }

            fn stop(&self, state: &mut StatefulState, at: Time, out: &mut Out) {
                match (self, state) {
                    $((StatefulOperator::$name(operator), StatefulState::$name(state)) => operator.stop(state, at, out),)*
                    _ => {}
                }
            }

            fn due(&self, state: &StatefulState) -> Option<Time> {
                match (self, state) {
                    $((StatefulOperator::$name(operator), StatefulState::$name(state)) => operator.due(state),)*
                    _ => None,
                }
            }

            fn is_idle(&self, state: &StatefulState) -> bool {
                match (self, state) {
                    $((StatefulOperator::$name(operator), StatefulState::$name(state)) => operator.is_idle(state),)*
                    _ => true,
                }
            }

            fn reading(&self, state: &StatefulState) -> Option<Measure> {
                match (self, state) {
                    $((StatefulOperator::$name(operator), StatefulState::$name(state)) => operator.reading(state),)*
                    _ => None,
                }
            }

            fn heap_bytes(&self, state: &StatefulState) -> usize {
                match (self, state) {
                    $((StatefulOperator::$name(operator), StatefulState::$name(state)) => {
                        size_of::<$module::State>() + operator.heap_bytes(state)
                    })*
                    _ => 0,
                }
            }
        }
    };
}

operators! {
    /// `first_seen`.
    FirstSeen(first_seen),
    /// `rarity`.
    Rarity(rarity),
    /// `volume`.
    Volume(volume),
    /// `ratio`.
    Ratio(ratio),
    /// `peer_group`.
    Peers(peers),
    /// `absence` of something beside an event; `join` with something missing.
    Unmatched(unmatched),
    /// `absence` of everything.
    Silence(silence),
    /// `coverage`.
    Coverage(coverage),
    /// `join`.
    Joined(joined),
    /// `sequence`.
    Sequence(sequence),
    /// `risk`.
    Risk(risk),
}
