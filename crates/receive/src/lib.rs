//! Inputs over a network: what the world hands over is durable before the world is told so.
//!
//! Floor 2. In: messages of queues, objects that they name, lines of syslog. Out: records through [`Intake`], which the pipeline
//! implements over the journal and a test in memory; only when it has answered is a message deleted or acknowledged. Bound: what each
//! input holds at once. When the journal is full, [`Intake`] waits, the input takes nothing more in, and the sender waits.
//!
//! The clients of vendors live here, so that no other crate is built with them.
//!
//! | input | the sender is told by | when it is told nothing |
//! |---|---|---|
//! | [`s3`] | deletion of the message | the message comes again |
//! | [`kafka`] | nothing: the input remembers its own position | it reads again from there |
//! | [`poll`] | nothing: the input remembers its own position | it asks again from there |
//! | [`nats`] | acknowledgement | the message comes again |
//! | [`syslog`] | nothing: syslog has no acknowledgement | its connection is not read, and it waits |

pub mod backoff;
pub mod intake;
pub mod kafka;
pub mod nats;
pub mod poll;
pub mod s3;
pub mod syslog;

mod pipe;
mod trouble;

#[cfg(test)]
mod memory;

pub use intake::{Intake, IntakeError};
pub use trouble::Trouble;
