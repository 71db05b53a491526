//! What each fuzz target does with its bytes, as ordinary functions: `fuzz/` feeds them from libFuzzer, and
//! `tests/regressions.rs` feeds them every input that was ever found to break something.
//!
//! A target panics when a promise is broken. The promises are stronger than "does not panic": framing does not depend
//! on how the bytes were cut, and no record goes missing between being counted and being evaluated or rejected.

mod archive;
mod decode;
mod evtx;
mod frame;
mod journal;
mod otlp;
mod sigma_event;
mod text;
mod text_formats;

pub use archive::archive;
pub use decode::{decode, hec_body, http_body};
pub use evtx::evtx;
pub use frame::frame;
pub use journal::journal;
pub use otlp::otlp;
pub use sigma_event::sigma_event;
pub use text::{rule, source};
pub use text_formats::text_formats;

/// Runs the target named `name`; false if there is none.
pub fn run(name: &str, bytes: &[u8]) -> bool {
    match name {
        "archive" => archive(bytes),
        "evtx" => evtx(bytes),
        "frame" => frame(bytes),
        "rule" => rule(bytes),
        "sigma_event" => sigma_event(bytes),
        "source" => source(bytes),
        "text_formats" => text_formats(bytes),
        "http_body" => http_body(bytes),
        "hec_body" => hec_body(bytes),
        "journal" => journal(bytes),
        "otlp" => otlp(bytes),
        feed if decode::knows(feed) => decode(feed, bytes),
        _ => return false,
    }
    true
}

/// Small limits, so that short inputs reach them.
pub(crate) fn limits() -> engine::Limits {
    engine::Limits { record_bytes: 4096, depth: 16, ..engine::Limits::default() }
}
