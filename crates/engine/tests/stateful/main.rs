//! The types of rule over time that Sigma lacks: what an engineer expects of each, and each against a plain evaluator.

mod bounds;
mod compiled;
mod drive;
mod laws;
mod oracle;
mod readings;
mod sentences;
