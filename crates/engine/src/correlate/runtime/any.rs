//! One operator for all types of rules.

use model::Time;
use serde::{Deserialize, Serialize};

use crate::correlate::sigma::{SigmaOperator, SigmaState};
use crate::correlate::stateful::{StatefulOperator, StatefulState};
use crate::correlate::{Fact, Measure, Operator, Out};
use crate::sigma::{Inventory, Linked};

macro_rules! any {
    ($($name:ident($operator:ty, $state:ty),)*) => {
        /// The operator of a correlation.
        #[derive(Debug)]
        pub(super) enum AnyOperator {
            $($name(Box<$operator>),)*
        }

        /// What it keeps of a group.
        #[derive(Clone, Debug, Default, Serialize, Deserialize)]
        pub(super) enum AnyState {
            /// Nothing yet.
            #[default]
            New,
            $($name($state),)*
        }

        impl Operator for AnyOperator {
            type State = AnyState;

            fn step(&self, state: &mut AnyState, at: Time, facts: &[Fact], out: &mut Out) {
                if matches!(state, AnyState::New) {
                    *state = match self {
                        $(AnyOperator::$name(_) => AnyState::$name(<$state>::default()),)*
                    };
                }
                match (self, state) {
                    $((AnyOperator::$name(operator), AnyState::$name(state)) => operator.step(state, at, facts, out),)*
                    _ => debug_assert!(false, "a state is that of its operator"),
                }
            }

            fn pass(&self, state: &mut AnyState, to: Time, out: &mut Out) {
                match (self, state) {
                    $((AnyOperator::$name(operator), AnyState::$name(state)) => operator.pass(state, to, out),)*
                    // Where nothing happened, nothing passes.
                    (_, _) => {}
                }
            }

            fn stop(&self, state: &mut AnyState, at: Time, out: &mut Out) {
                match (self, state) {
                    $((AnyOperator::$name(operator), AnyState::$name(state)) => operator.stop(state, at, out),)*
                    // Where nothing happened, nothing stops.
                    (_, _) => {}
                }
            }

            fn due(&self, state: &AnyState) -> Option<Time> {
                match (self, state) {
                    $((AnyOperator::$name(operator), AnyState::$name(state)) => operator.due(state),)*
                    _ => None,
                }
            }

            fn is_idle(&self, state: &AnyState) -> bool {
                match (self, state) {
                    $((AnyOperator::$name(operator), AnyState::$name(state)) => operator.is_idle(state),)*
                    _ => true,
                }
            }

            fn heap_bytes(&self, state: &AnyState) -> usize {
                match (self, state) {
                    $((AnyOperator::$name(operator), AnyState::$name(state)) => operator.heap_bytes(state),)*
                    _ => 0,
                }
            }

            fn reading(&self, state: &AnyState) -> Option<Measure> {
                match (self, state) {
                    $((AnyOperator::$name(operator), AnyState::$name(state)) => operator.reading(state),)*
                    _ => None,
                }
            }
        }
    };
}

any! {
    Sigma(SigmaOperator, SigmaState),
    Stateful(StatefulOperator, StatefulState),
}

impl AnyOperator {
    /// The operator of a linked correlation.
    pub fn compile(linked: &Linked, inventory: &Inventory) -> AnyOperator {
        if let Some(operator) = StatefulOperator::compile(linked, inventory) {
            return AnyOperator::Stateful(Box::new(operator));
        }
        let operator =
            SigmaOperator::compile(linked).expect("a correlation is of Sigma's types or of those that Sigma lacks");
        AnyOperator::Sigma(Box::new(operator))
    }
}
