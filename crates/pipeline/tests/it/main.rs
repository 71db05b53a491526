//! The pipeline as a whole: real sockets, a real store, a real journal, in folders that go away.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests: a failure is the message")]

mod acknowledgements;
mod archive;
mod bad_input;
#[path = "../../../engine/tests/common/data.rs"]
mod data;
mod evtx;
mod feeds;
mod health;
mod hec;
mod http;
mod kept;
mod kubernetes;
mod otlp;
mod outputs;
mod sns;
mod support;
mod whole;
