//! Sigma 2.1: rules, filters and correlations read from text, compiled once, evaluated on every event.
//!
//! In: rule files as text, an [`Inventory`], and then events as [`Record`](crate::record::Record)s. Out: documents and
//! diagnostics, a [`Program`], and for each event the rules that hold, the terms that made them hold, and an explanation.
//! Bound: the sizes in [`bounds`]; evaluation is linear in the rule set and in the event, and allocates nothing once warm.
//! When a bound is met the document is refused with a diagnostic that names it; other documents go on.

mod atom;
pub mod bounds;
mod compile;
mod correlation;
mod detection;
mod document;
mod explain;
mod fold;
mod folds;
mod inventory;
mod link;
mod lists;
mod modifier;
mod node;
mod number;
mod parse;
mod pattern;
mod profile;
mod program;
mod regex;
mod revision;
mod rule;
mod ruleset;
pub mod sql;
pub mod stateful;
mod test;
mod text;
mod time;
pub(crate) mod ways;
mod wildcards;
mod witness;

pub use compile::compile;
pub use correlation::{Alias, Bound, Comparison, Correlation, CorrelationCondition, CorrelationKind, Reference};
pub use detection::{Condition, Detection, Group, Item, Of, Search, Value};
pub use document::{Document, Filter, FilterTarget};
pub use explain::{Explanation, Node, Shown, Term, as_it_is};
pub use inventory::Inventory;
pub use link::{Linked, Member, Weight, link};
pub use modifier::{IllegalChain, Modifier, Modifiers};
pub(crate) use number::millionths;
pub use parse::parse;
pub use profile::{Profile, RuleCost};
pub use program::{CompiledRule, Memo, Program};
pub(crate) use rule::techniques;
pub use rule::{
    BlindSpot, Claimed, Claims, Expect, Fold, LogSource, Related, Require, Rule, Status, Strategy, TriageStep,
    Watchkeep,
};
pub use ruleset::{RuleIndex, RuleSet};
pub use stateful::{Stateful, WHO};
pub(crate) use test::address;
pub(crate) use wildcards::Wildcards;
