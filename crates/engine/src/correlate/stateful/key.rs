//! Values by digest: 16 bytes for a text of any length.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hash, Hasher};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The first 128 bits of a text's SHA-256 digest. A shorter or weaker one could be met on purpose by a value that wants to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Key(pub [u8; 16]);

impl Key {
    /// The key of a text.
    pub fn of(text: &str) -> Key {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&Sha256::digest(text.as_bytes())[..16]);
        Key(bytes)
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut half = [0; 8];
        half.copy_from_slice(&self.0[..8]);
        state.write_u64(u64::from_le_bytes(half));
    }
}

/// Keys are digests: half of one is a hash.
#[derive(Clone, Debug, Default)]
pub(super) struct Plain(u64);

impl Hasher for Plain {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, half: u64) {
        self.0 = half;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// What is known by key. Its order means nothing and must not show.
pub(super) type KeyMap<V> = HashMap<Key, V, BuildHasherDefault<Plain>>;
/// A set of keys.
pub(super) type KeySet = HashSet<Key, BuildHasherDefault<Plain>>;

/// Bytes of a map on the heap, roughly.
pub(super) fn map_bytes<V>(map: &KeyMap<V>) -> usize {
    map.capacity() * (size_of::<(Key, V)>() + 2)
}
