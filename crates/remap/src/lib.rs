//! Remap: a source's own program, in the Vector Remap Language (VRL), for records that no mapping can read.
//!
//! In: the text of one JSON object. Out: the text of another. A program sees its record and nothing else: no clock, no chance, no file,
//! environment or network (see `functions`), so the same record always gives the same one. Bounds: [`STEPS_MAX`] expressions, counted and not
//! timed, so that a slow machine rejects no more than a fast one; and the bytes of what it makes.

mod functions;
mod program;

pub use functions::names;
pub use program::{Failure, Program, STEPS_MAX};
