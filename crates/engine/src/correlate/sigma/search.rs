//! The search for the beginning of an episode.

use serde::{Deserialize, Serialize};

use super::gauge::Reading;
use super::recent::Recent;

/// What was seen of the last time span and belongs to no episode.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Search {
    pub(super) recent: Recent,
    pub(super) reading: Reading,
}

impl Search {
    pub(super) fn heap_bytes(&self) -> usize {
        self.recent.heap_bytes() + self.reading.heap_bytes()
    }
}
