//! Correlations against their page: a plain evaluator, what it promises, the operators, and the conformance cases.

mod conformance_cases;
mod fields;
mod laws;
mod operators;
mod plain;
mod runtime;
mod scene;
mod sentences;
mod shown;
mod speed;
mod streaming;
