//! Sessions: who is signed in, kept in memory, gone when the process ends.
//!
//! In: a name, after the token was checked. Out: a random 256-bit id for the cookie; only the id's digest is kept here.
//! Bound: `SESSIONS_MAX` sessions; when full, the one that was used longest ago is ended.

use std::collections::BTreeMap;
use std::sync::Mutex;

use model::{Digest, Time};

use super::AuthError;

/// A session ends this long after it began, whatever happens in it.
pub(crate) const SESSION_MS_MAX: i64 = 12 * 3_600_000;
/// A session ends this long after its person last did something; the queue's own refreshing does not count.
pub(crate) const IDLE_MS_MAX: i64 = 4 * 3_600_000;
const SESSIONS_MAX: usize = 1024;

/// What a handler may know about who asks.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// The name that was given at sign-in; written into the history of what they do.
    pub user: String,
    /// What every form of this session carries.
    pub csrf: String,
    /// The session's key here (never the cookie's value).
    pub key: Digest,
}

struct Kept {
    session: Session,
    began: Time,
    used: Time,
    flash: Option<Flash>,
}

/// A message for the next page that the session sees.
#[derive(Clone, Debug)]
pub(crate) struct Flash {
    /// What happened.
    pub text: String,
    /// Did something go wrong?
    pub wrong: bool,
}

/// All sessions.
#[derive(Default)]
pub(super) struct Sessions {
    kept: Mutex<BTreeMap<Digest, Kept>>,
}

impl Sessions {
    /// Begins a session and returns the cookie's value.
    pub(super) fn begin(&self, user: &str, now: Time) -> Result<String, AuthError> {
        let id = hex::encode(super::random()?);
        let key = Digest::of(id.as_bytes());
        let session = Session { user: user.to_owned(), csrf: hex::encode(super::random()?), key };
        let mut kept = self.lock();
        kept.retain(|_, one| is_alive(one, now));
        if kept.len() >= SESSIONS_MAX {
            let oldest = kept.iter().min_by_key(|(_, one)| one.used).map(|(key, _)| *key);
            oldest.map(|key| kept.remove(&key));
        }
        kept.insert(key, Kept { session, began: now, used: now, flash: None });
        Ok(id)
    }

    /// The living session of a cookie's value; `touch` when a person, not a timer, asks.
    pub(super) fn get(&self, id: &str, now: Time, touch: bool) -> Option<Session> {
        let key = Digest::of(id.as_bytes());
        let mut kept = self.lock();
        let one = kept.get_mut(&key)?;
        if !is_alive(one, now) {
            kept.remove(&key);
            return None;
        }
        if touch {
            one.used = now;
        }
        Some(one.session.clone())
    }

    pub(super) fn end(&self, key: &Digest) {
        self.lock().remove(key);
    }

    pub(super) fn set_flash(&self, key: &Digest, flash: Flash) {
        if let Some(one) = self.lock().get_mut(key) {
            one.flash = Some(flash);
        }
    }

    pub(super) fn take_flash(&self, key: &Digest) -> Option<Flash> {
        self.lock().get_mut(key).and_then(|one| one.flash.take())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Digest, Kept>> {
        // A panic while the lock was held cannot leave the map half-written: every change is one call on it.
        self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn is_alive(one: &Kept, now: Time) -> bool {
    now.millis_since(one.began) < SESSION_MS_MAX && now.millis_since(one.used) < IDLE_MS_MAX
}
