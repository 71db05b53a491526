//! The real binary, verb by verb: what it prints, where, and how it ends.

mod check;
mod config;
mod convert;
mod explain;
mod help;
mod import;
mod inventory;
mod over_time;
mod over_time_real;
mod platform;
mod ran;
mod run;
mod said;
mod scan;
mod sources;
