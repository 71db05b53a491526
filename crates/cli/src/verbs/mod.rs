//! One module for each verb: its arguments, its examples, and what it does.

pub mod alert;
pub mod check;
pub mod completions;
pub mod config;

pub mod convert;
pub mod explain;
pub mod import;
pub mod inventory;
pub mod run;
pub mod said;
pub mod scan;
pub mod soc;
pub mod sources;
pub mod test;
