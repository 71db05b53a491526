//! A limit on wrong tokens, by peer.
//!
//! In: the peer's address and the time. Out: may it try, or how long must it wait. Bound: `PEERS_MAX` peers;
//! when full, the one whose last mistake is oldest is forgotten.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Mutex;

use model::Time;

/// Mistakes that a peer may make within the window.
pub(crate) const MISTAKES_MAX: usize = 8;
const WINDOW_MS: i64 = 60_000;
const PEERS_MAX: usize = 4096;

/// Recent mistakes by peer; `None` stands for a peer whose address the server was not told.
#[derive(Default)]
pub(super) struct Attempts {
    mistakes: Mutex<BTreeMap<Option<IpAddr>, Vec<Time>>>,
}

impl Attempts {
    /// Milliseconds to wait before the peer may try again; 0 when it may.
    pub(super) fn wait_ms(&self, peer: Option<IpAddr>, now: Time) -> i64 {
        let mut all = self.lock();
        let Some(times) = all.get_mut(&peer) else { return 0 };
        times.retain(|at| now.millis_since(*at) < WINDOW_MS);
        match times.first() {
            Some(first) if times.len() >= MISTAKES_MAX => (WINDOW_MS - now.millis_since(*first)).max(1),
            _ => 0,
        }
    }

    /// Counts a mistake.
    pub(super) fn mistake(&self, peer: Option<IpAddr>, now: Time) {
        let mut all = self.lock();
        if all.len() >= PEERS_MAX && !all.contains_key(&peer) {
            let oldest = all.iter().min_by_key(|(_, times)| times.last().copied()).map(|(peer, _)| *peer);
            oldest.map(|peer| all.remove(&peer));
        }
        all.entry(peer).or_default().push(now);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Option<IpAddr>, Vec<Time>>> {
        self.mistakes.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
