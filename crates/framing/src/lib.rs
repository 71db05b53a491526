//! Framing: the bytes of a stream become frames, each the bytes of one record with its place.
//!
//! Floor 2. Inputs hand in what they read: [`decompress`] unpacks it, [`Framing`] cuts it by the engine's framer or by the chunks of a
//! Windows event log, and a [`Chunk`] carries frames between threads. Nothing here knows where bytes come from or where they go, so that a
//! fuzzer needs no more than this to reach every parser of a stream.

mod chunk;
pub mod decompress;
mod evtx;
mod stream;

pub use chunk::{Chunk, Span};
pub use evtx::Evtx;
pub use stream::{EVTX_MAGIC, Framing};
