//! What the engine refuses to hold.

/// The bounds that keep memory and time fixed, whatever the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest record, in bytes; a longer one is rejected with its first bytes kept.
    pub record_bytes: usize,
    /// Deepest nesting of objects and arrays.
    pub depth: usize,
    /// How many first bytes of a rejected record are kept as evidence.
    pub reject_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { record_bytes: 8 << 20, depth: 128, reject_bytes: 64 << 10 }
    }
}
