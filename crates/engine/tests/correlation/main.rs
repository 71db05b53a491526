//! Correlations against their page: a plain evaluator, what it promises, and the conformance cases.

mod conformance_cases;
mod fields;
mod laws;
mod plain;
mod scene;
mod sentences;
