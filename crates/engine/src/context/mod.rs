//! Context: what the site knows about the things that findings are about.
//!
//! In: the inventory's [`Things`] and lists. Out: for each entity of a finding what is known of it as of the event's time. Pure: the
//! same inventory and finding always give the same context, in a stream and in a replay.

mod asset;
mod discover;
#[cfg(test)]
mod discover_tests;
mod enrich;
mod names;
#[cfg(test)]
mod tests;

pub use asset::{Asset, AssetKind, Change, Kept, OnCall, Things};
pub use discover::{DISCOVERED_MAX, Discovered, NAME_BYTES_MAX, SOURCES_MAX, Seen};
pub(crate) use discover::{Discovery, Finder};
pub use enrich::{Context, Lookup};
