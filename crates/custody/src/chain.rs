//! A sealed log: each entry's digest covers the one before it, so nothing can be changed, removed or moved unnoticed.

use model::{Digest, Time};
use serde::{Deserialize, Serialize};

/// One link of the chain. What it seals is kept elsewhere; the link holds its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Place in the chain, from 1.
    pub seq: u64,
    /// When it was sealed.
    pub at: Time,
    /// Digest of what it seals.
    pub payload: Digest,
    /// Digest of the link before it; [`GENESIS`] for the first.
    pub previous: Digest,
    /// Digest of all of the above.
    pub digest: Digest,
}

/// What the first link follows.
pub const GENESIS: Digest = Digest([0; 32]);

/// Why a chain does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// A link is missing, doubled or moved.
    #[error("entry {expected} is missing: entry {found} stands in its place")]
    Gap {
        /// The place.
        expected: u64,
        /// What stands there.
        found: u64,
    },
    /// The link does not follow the one before it.
    #[error("entry {seq} does not follow the entry before it")]
    Previous {
        /// The link.
        seq: u64,
    },
    /// What was sealed is not what is there now.
    #[error("the content of entry {seq} was changed")]
    Payload {
        /// The link.
        seq: u64,
    },
    /// The link itself was changed.
    #[error("entry {seq} was changed")]
    Digest {
        /// The link.
        seq: u64,
    },
}

impl Break {
    /// The place of the break.
    pub fn seq(&self) -> u64 {
        match *self {
            Break::Gap { expected, .. } => expected,
            Break::Previous { seq } | Break::Payload { seq } | Break::Digest { seq } => seq,
        }
    }
}

impl Link {
    /// Seals `payload` at `at`, after `previous`.
    pub fn seal(previous: Option<&Link>, at: Time, payload: &[u8]) -> Link {
        let (seq, before) = previous.map_or((1, GENESIS), |link| (link.seq + 1, link.digest));
        let payload = Digest::of(payload);
        Link { seq, at, payload, previous: before, digest: digest_of(seq, at, &payload, &before) }
    }
}

fn digest_of(seq: u64, at: Time, payload: &Digest, previous: &Digest) -> Digest {
    Digest::of_parts(&[b"watchkeep chain 1", &seq.to_be_bytes(), &at.micros().to_be_bytes(), &payload.0, &previous.0])
}

/// Checks links one after the other.
#[derive(Clone, Debug, Default)]
pub struct Verifier {
    last: Option<Link>,
}

impl Verifier {
    /// Starts before the first link.
    pub fn new() -> Verifier {
        Verifier::default()
    }

    /// The last link that held.
    pub fn head(&self) -> Option<&Link> {
        self.last.as_ref()
    }

    /// Checks the next link against what it seals.
    pub fn check(&mut self, link: &Link, payload: &[u8]) -> Result<(), Break> {
        let (expected, before) = self.last.as_ref().map_or((1, GENESIS), |last| (last.seq + 1, last.digest));
        if link.seq != expected {
            return Err(Break::Gap { expected, found: link.seq });
        }
        if link.previous != before {
            return Err(Break::Previous { seq: link.seq });
        }
        if link.payload != Digest::of(payload) {
            return Err(Break::Payload { seq: link.seq });
        }
        if link.digest != digest_of(link.seq, link.at, &link.payload, &link.previous) {
            return Err(Break::Digest { seq: link.seq });
        }
        self.last = Some(*link);
        Ok(())
    }
}

/// Checks a whole chain; the error is the first break.
pub fn verify<'a>(entries: impl IntoIterator<Item = (&'a Link, &'a [u8])>) -> Result<Option<Link>, Break> {
    let mut verifier = Verifier::new();
    for (link, payload) in entries {
        verifier.check(link, payload)?;
    }
    Ok(verifier.last)
}
