//! Acknowledgement ids of HEC channels.
//!
//! An id is given after the batch was journalled, so every id ever given stands for durable records: asking gives true once, and
//! then, as with Splunk, false. Ids live in memory: after a restart an id that was not asked for gives false, its sender
//! sends again, and event ids tell the repeats. Bound: [`CHANNELS_MAX`] channels, the least recently used makes room; [`IDS_MAX`]
//! ids for each, the oldest makes room.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

const CHANNELS_MAX: usize = 1024;
const IDS_MAX: usize = 10_000;

#[derive(Default)]
pub(crate) struct Channels(Mutex<Table>);

#[derive(Default)]
struct Table {
    channels: BTreeMap<(String, String), Channel>,
    /// Counts uses; the channel with the smallest is the least recently used.
    uses: u64,
}

#[derive(Default)]
struct Channel {
    next_id: u64,
    unasked: BTreeSet<u64>,
    used: u64,
}

impl Channels {
    /// The next id of `channel` of `input`, for a batch that is durable.
    pub fn give(&self, input: &str, channel: &str) -> u64 {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.make_room(input, channel);
        let channel = table.channel(input, channel);
        let id = channel.next_id;
        channel.next_id += 1;
        channel.unasked.insert(id);
        if channel.unasked.len() > IDS_MAX {
            channel.unasked.pop_first();
        }
        id
    }

    /// For each id: was it given and not asked for before?
    pub fn ask(&self, input: &str, channel: &str, ids: &[u64]) -> BTreeMap<String, bool> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (input.to_owned(), channel.to_owned());
        let mut known = table.channels.get_mut(&key);
        let mut is = |id: &u64| known.as_mut().is_some_and(|channel| channel.unasked.remove(id));
        ids.iter().map(|id| (id.to_string(), is(id))).collect()
    }
}

impl Table {
    fn channel(&mut self, input: &str, channel: &str) -> &mut Channel {
        self.uses += 1;
        let found = self.channels.entry((input.to_owned(), channel.to_owned())).or_default();
        found.used = self.uses;
        found
    }

    fn make_room(&mut self, input: &str, channel: &str) {
        let is_new = !self.channels.contains_key(&(input.to_owned(), channel.to_owned()));
        if is_new && self.channels.len() >= CHANNELS_MAX {
            let oldest = self.channels.iter().min_by_key(|(_, channel)| channel.used).map(|(key, _)| key.clone());
            oldest.and_then(|key| self.channels.remove(&key));
        }
    }
}

/// Is it a channel: a UUID in its usual form?
pub(crate) fn is_channel(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_true_once() {
        let channels = Channels::default();
        assert_eq!([channels.give("a", "c"), channels.give("a", "c"), channels.give("b", "c")], [0, 1, 0]);
        let ask = |id| channels.ask("a", "c", &[id])[&id.to_string()];
        assert!(ask(0) && !ask(0) && ask(1));
        assert!(!ask(7), "never given");
        assert!(!channels.ask("x", "c", &[0])["0"], "not of this input");
    }

    #[test]
    fn channels_and_ids_are_bounded() {
        let channels = Channels::default();
        for _ in 0..=IDS_MAX {
            channels.give("a", "c");
        }
        assert!(!channels.ask("a", "c", &[0])["0"], "the oldest made room");
        for n in 0..CHANNELS_MAX {
            channels.give("a", &n.to_string());
        }
        assert!(!channels.ask("a", "c", &[5])["5"]);
        assert!(channels.ask("a", "5", &[0])["0"]);
    }

    #[test]
    fn a_channel_is_a_uuid() {
        assert!(is_channel("FE0ECFAD-13D5-401B-847D-77833BD77131"));
        assert!(!is_channel("FE0ECFAD13D5401B847D77833BD77131"));
        assert!(!is_channel("FE0ECFAD-13D5-401B-847D-77833BD7713x"));
        assert!(!is_channel(""));
    }
}
