//! Which events an episode claims: the earliest of them, and how many there are.

use std::collections::BTreeSet;

use model::EventId;
use serde::{Deserialize, Serialize};

use super::super::{Claim, Out};
use super::recent::DETAIL_BYTES;

/// Claims of events that open an episode which are kept.
pub(super) const OPENED_MAX: usize = 100;
/// Claims of events that prolong an episode which are kept.
pub(super) const PROLONGED_MAX: usize = 32;
/// Ids of one episode that are remembered, so that an event beneath several findings is counted once.
const IDS_MAX: usize = 10_000;

/// The events of an episode.
///
/// An event of its own is shown once. One that findings beneath claim may be shown by several of them, and beside them: where there are any,
/// ids are remembered.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) opened: Vec<Claim>,
    pub(super) opened_count: u64,
    pub(super) prolonged: Vec<Claim>,
    pub(super) prolonged_count: u64,
    ids: Option<BTreeSet<EventId>>,
}

impl Claims {
    /// None yet; `has_beneath` says whether there may be findings beneath.
    pub(super) fn new(has_beneath: bool) -> Claims {
        Claims { ids: has_beneath.then(BTreeSet::default), ..Claims::default() }
    }

    fn is_new(&mut self, id: EventId, out: &mut Out) -> bool {
        let Some(ids) = &mut self.ids else { return true };
        if ids.len() < IDS_MAX {
            return ids.insert(id);
        }
        let is_new = !ids.contains(&id);
        out.shed += u64::from(is_new);
        is_new
    }

    /// An event that opens the episode, in any order.
    pub(super) fn open(&mut self, claim: Claim, out: &mut Out) {
        let place = self.opened.partition_point(|known| (known.time, known.id) < (claim.time, claim.id));
        if !self.is_new(claim.id, out) {
            if let Some(known) = self.opened.get_mut(place).filter(|known| known.id == claim.id) {
                known.members = known.members.with(claim.members);
            }
            return;
        }
        self.opened_count += 1;
        if place < OPENED_MAX {
            if self.opened.is_empty() {
                self.opened.reserve_exact(1);
            }
            self.opened.truncate(OPENED_MAX - 1);
            self.opened.insert(place, claim);
        }
    }

    /// Events that were let go of and open the episode as well.
    pub(super) fn open_uncounted(&mut self, more: u32) {
        self.opened_count += u64::from(more);
    }

    /// The events of one instant that prolong the episode, in any order.
    pub(super) fn prolong(&mut self, mut claims: Vec<Claim>, out: &mut Out) {
        claims.sort();
        for claim in claims {
            if self.is_new(claim.id, out) {
                self.prolonged_count += 1;
                if self.prolonged.len() < PROLONGED_MAX {
                    self.prolonged.push(claim);
                }
            }
        }
    }

    /// Events that prolong the episode and stand beside enough others.
    pub(super) fn prolong_uncounted(&mut self, more: u64) {
        self.prolonged_count += more;
    }

    /// Does nobody look at further claims of events of one's own?
    pub(super) fn is_full(&self) -> bool {
        self.ids.is_none() && self.prolonged.len() >= PROLONGED_MAX
    }

    /// Bytes on the heap, roughly.
    pub(super) fn heap_bytes(&self) -> usize {
        let claims = self.opened.capacity() + self.prolonged.capacity();
        let has_details = self.opened.first().is_some_and(|claim| claim.detail.is_some());
        let details = if has_details { self.opened.len() + self.prolonged.len() } else { 0 };
        let ids = self.ids.as_ref().map_or(0, BTreeSet::len);
        claims * size_of::<Claim>() + details * DETAIL_BYTES + ids * 2 * size_of::<EventId>()
    }
}
