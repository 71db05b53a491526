//! What values have shown before: the same users, paths and hosts come again and again in logs, so the signs that a text has are
//! remembered for as long as no other text takes its place.
//!
//! In: a text as the record writes it, and who asks. Out: the signs it has, if it was met lately. Bound: [`PLACES`] texts of at most
//! [`TEXT_MAX`] bytes, whatever comes. The answer is the same with and without this memory, and who fills it with texts that never
//! come again gains nothing but the time that it saves.

use std::hash::Hasher;
use std::sync::atomic::{AtomicU32, Ordering};

use rustc_hash::FxHasher;

const PLACES: usize = 1 << 11;
/// Longer texts seldom come again.
const TEXT_MAX: usize = 512;
/// Texts with more signs are looked at each time.
const SIGNS_MAX: usize = 6;

/// Numbers for those who ask, so that one memory serves the tables of all rule sets.
static ASKERS: AtomicU32 = AtomicU32::new(1);

/// A number of its own for each of `count` who ask; the first of them. After four thousand million it starts over, which would
/// take that many rule sets made in one process.
pub(super) fn askers(count: usize) -> u32 {
    ASKERS.fetch_add(count as u32, Ordering::Relaxed)
}

/// A worker's memory of texts.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Known {
    places: Vec<Place>,
    texts: Vec<u8>,
    /// The signs of the text that is being looked at.
    pub(super) met: Vec<u32>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    hash: u64,
    asker: u32,
    length: u16,
    count: u16,
    signs: [u32; SIGNS_MAX],
}

/// Where a text belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Home {
    hash: u64,
    asker: u32,
}

impl Home {
    fn index(self) -> usize {
        (self.hash >> 32) as usize % PLACES
    }
}

impl Known {
    /// Where `text` belongs for this `asker`; `None` where it is too long to be kept.
    #[inline]
    pub(super) fn home(asker: u32, text: &str) -> Option<Home> {
        if text.len() > TEXT_MAX {
            return None;
        }
        let mut hasher = FxHasher::default();
        hasher.write(text.as_bytes());
        hasher.write_u32(asker);
        Some(Home { hash: hasher.finish(), asker })
    }

    /// The signs of `text`, if it is the last that was kept at its home.
    #[inline]
    pub(super) fn recall(&self, home: Home, text: &str) -> Option<&[u32]> {
        let index = home.index();
        let place = self.places.get(index)?;
        if place.hash != home.hash || place.asker != home.asker || usize::from(place.length) != text.len() {
            return None;
        }
        let kept = &self.texts[index * TEXT_MAX..][..text.len()];
        (kept == text.as_bytes()).then(|| &place.signs[..usize::from(place.count)])
    }

    /// Keeps what was [`Known::met`] for `text`, in place of what stood at its home.
    pub(super) fn keep(&mut self, home: Home, text: &str) {
        if self.met.len() > SIGNS_MAX {
            return;
        }
        if self.places.is_empty() {
            self.places = vec![Place::default(); PLACES];
            self.texts = vec![0; PLACES * TEXT_MAX];
        }
        let index = home.index();
        let mut signs = [0; SIGNS_MAX];
        signs[..self.met.len()].copy_from_slice(&self.met);
        let (length, count) = (text.len() as u16, self.met.len() as u16);
        self.places[index] = Place { hash: home.hash, asker: home.asker, length, count, signs };
        self.texts[index * TEXT_MAX..][..text.len()].copy_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(known: &Known, asker: u32, text: &str) -> Option<Vec<u32>> {
        known.recall(Known::home(asker, text)?, text).map(<[u32]>::to_vec)
    }

    fn keep(known: &mut Known, asker: u32, text: &str, signs: &[u32]) {
        known.met = signs.to_vec();
        known.keep(Known::home(asker, text).expect("short"), text);
    }

    #[test]
    fn a_text_is_known_to_who_asked_with_the_signs_it_had() {
        let mut known = Known::default();
        assert_eq!(kept(&known, 1, ""), None, "nobody has asked");
        keep(&mut known, 1, r"C:\\Windows\\explorer.exe", &[4, 2]);
        keep(&mut known, 1, "", &[]);
        assert_eq!(kept(&known, 1, r"C:\\Windows\\explorer.exe"), Some(vec![4, 2]));
        assert_eq!(kept(&known, 1, ""), Some(vec![]));
        assert_eq!(kept(&known, 2, r"C:\\Windows\\explorer.exe"), None);
        assert_eq!(kept(&known, 1, r"C:\\Windows\\explorer.exf"), None);
    }

    #[test]
    fn long_texts_and_texts_of_many_signs_are_not_kept() {
        let mut known = Known::default();
        assert!(Known::home(1, &"a".repeat(TEXT_MAX + 1)).is_none());
        keep(&mut known, 1, "busy", &[0; SIGNS_MAX + 1]);
        assert_eq!(kept(&known, 1, "busy"), None);
    }

    #[test]
    fn whatever_comes_the_last_text_kept_is_answered_rightly_and_memory_does_not_grow() {
        let mut known = Known::default();
        for n in 0..3 * PLACES as u32 {
            let text = format!("text {n}");
            keep(&mut known, n % 7, &text, &[n]);
            assert_eq!(kept(&known, n % 7, &text), Some(vec![n]));
        }
        let wrong = (0..3 * PLACES as u32).filter_map(|n| Some((n, kept(&known, n % 7, &format!("text {n}"))?)));
        assert!(wrong.clone().count() > PLACES / 2);
        assert!(wrong.into_iter().all(|(n, signs)| signs == [n]));
        assert_eq!((known.places.len(), known.texts.len()), (PLACES, PLACES * TEXT_MAX));
    }
}
