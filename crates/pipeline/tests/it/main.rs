//! The pipeline as a whole: real sockets, a real store, a real journal, in folders that go away.

mod acknowledgements;
mod bad_input;
mod feeds;
mod hec;
mod http;
mod outputs;
mod support;
mod whole;
