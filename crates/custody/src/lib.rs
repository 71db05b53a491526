//! Custody: digests of what is streamed past, a hash-chained sealed log, and Standard Webhooks signatures.
//!
//! Floor 1, pure: no clock, file, socket or environment; readers, keys and times are handed in.

pub mod chain;
pub mod digest;
pub mod signature;

#[cfg(test)]
mod tests;
