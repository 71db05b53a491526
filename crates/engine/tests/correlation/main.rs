//! Correlations against their page: a plain evaluator, what it promises, and the conformance cases.

#![expect(clippy::disallowed_methods, reason = "tests read their cases; the crate reads nothing")]

mod conformance_cases;
mod fields;
mod laws;
mod plain;
mod scene;
mod sentences;
