//! What pages are made of, without asking the store: formats, times, windows, records, rule sources.

pub(crate) mod baseline;
pub(crate) mod clocks;
pub(crate) mod format;
pub(crate) mod highlight;
pub(crate) mod multiples;
pub(crate) mod raw;
pub(crate) mod timeline;
pub(crate) mod window;
