//! Sigma against other people's truth: the specification, the rule repository, its regression data, another converter, and a plain
//! evaluator that is slow and obvious.

#![expect(clippy::disallowed_methods, reason = "tests read their data and the time; the crate does neither")]

mod conformance;
mod corpus;
mod data;
mod explained;
mod oracle;
mod reference;
mod regression;
mod robust;
