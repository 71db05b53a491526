//! Context: what the site knows about the things that findings are about.
//!
//! In: the inventory's [`Things`] and lists. Out: for each entity of a finding what is known of it as of the event's time. Pure: the
//! same inventory and finding always give the same context, in a stream and in a replay.

mod asset;
mod enrich;
mod names;
#[cfg(test)]
mod tests;

pub use asset::{Asset, AssetKind, Change, Kept, OnCall, Things};
pub use enrich::{Context, Lookup};
