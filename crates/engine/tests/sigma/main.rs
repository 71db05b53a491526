//! Sigma against other people's truth: the specification, the rule repository, its regression data, another converter, and a plain
//! evaluator that is slow and obvious.

#![expect(clippy::disallowed_methods, reason = "tests read their data and the time; the crate does neither")]

mod answer;
mod conformance;
mod corpus;
mod crowd;
mod data;
mod explained;
mod json_style;
mod linear;
mod oracle;
mod plain;
mod reference;
mod regression;
mod robust;
mod sql;
