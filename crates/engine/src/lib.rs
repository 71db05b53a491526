//! Bytes to findings, as pure functions: decode, normalise, detect.
//!
//! Floor 1. Nothing here reads a clock, a file, a socket or the environment; time is handed in. The line's steps 3 to 5:
//! [`frame`] cuts a stream of bytes into records, [`source`] says what a record is, [`mod@extract`] reads it in one pass,
//! [`sigma`] holds rules against it, and [`Engine`] puts them together. [`triage`] decides what becomes of a finding, and [`health`]
//! what the figures of a source say about it.

pub mod context;
pub mod correlate;
pub mod detector;
pub mod ecs;
mod envelope;
mod event;
pub mod extract;
pub mod feed;
pub mod field;
mod finding;
pub mod frame;
pub mod health;
pub mod identity;
mod json;
pub mod limits;
mod minimise;
pub mod ocsf;
pub mod record;
pub mod sigma;
pub mod source;
pub mod triage;
pub mod yaml;

mod evaluate;

pub use evaluate::{Engine, ExplainError, Given, OverTime, Sink, Worker};
pub use event::Event;
pub use field::{Field, Fields, FieldsBuilder};
pub use frame::{Format, Frame, Framer, HecMeta};
pub use json::mend::mended;
pub use limits::Limits;
pub use minimise::ContentKey;
pub use model::{Diagnostic, Reject};
pub use record::{Record, Scalar, Scratch};
pub use source::{Heads, Pairs, Source};
