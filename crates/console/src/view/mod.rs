//! What pages are made of, without asking the store: formats, times, records, rule sources.

pub(crate) mod clocks;
pub(crate) mod format;
pub(crate) mod highlight;
pub(crate) mod raw;
