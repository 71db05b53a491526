//! The search for the beginning of an episode.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::Fact;
use super::distinct::digest;
use super::gauge::Reading;
use super::recent::Recent;

/// What was seen of the last time span and belongs to no episode.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Search {
    pub(super) recent: Recent,
    pub(super) reading: Reading,
    pub(super) sample: Sample,
}

/// Values that a measure shows.
const SAMPLE_MAX: usize = 16;
/// Bytes of a text that is shown; longer ones are not.
pub(super) const TEXT_MAX: usize = 128;

/// Some of the values that are counted: the latest.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sample(VecDeque<Arc<str>>);

impl Sample {
    /// Takes the values of an instant, where values are counted.
    pub(super) fn add(&mut self, reading: &Reading, facts: &[Fact]) {
        if !matches!(reading, Reading::Distinct(_)) {
            return;
        }
        for text in facts.iter().flat_map(|fact| fact.values.texts()).filter(|text| text.len() <= TEXT_MAX) {
            if self.0.back() == Some(text) {
                continue;
            }
            if self.0.len() >= SAMPLE_MAX {
                self.0.pop_front();
            }
            self.0.push_back(text.clone());
        }
    }

    /// Those that are still counted, each once and in order.
    pub(super) fn values(&self, reading: &Reading) -> Vec<String> {
        let Reading::Distinct(distinct) = reading else { return Vec::new() };
        let counted = self.0.iter().filter(|text| distinct.has(digest(text)));
        let mut values: Vec<String> = counted.map(|text| text.to_string()).collect();
        values.sort_unstable();
        values.dedup();
        values
    }
}

impl Search {
    pub(super) fn heap_bytes(&self) -> usize {
        self.recent.heap_bytes() + self.reading.heap_bytes() + self.sample.0.capacity() * (16 + TEXT_MAX / 4)
    }
}
