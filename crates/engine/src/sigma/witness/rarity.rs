//! How often a sign is likely to be met.
//!
//! Nothing here changes what a rule finds, only how many rules are looked at in vain: rules are their own best sample of what logs are
//! full of, since what many rules name (`powershell.exe`, `GetObject`) is what many events have.

use rustc_hash::FxHashMap;

use super::sign::{Place, Sign, SignId};
use crate::field::Field;

/// How likely each sign is, between 0 and 1.
#[derive(Debug)]
pub(super) struct Rarity(Vec<f32>);

impl Rarity {
    /// From each sign's share among all that the tests of its field ask for.
    pub(super) fn of(places: &[Place], tests: &[Option<Box<[SignId]>>]) -> Rarity {
        let mut uses = vec![0u32; places.len()];
        let mut fields: FxHashMap<(Option<Field>, u8), u32> = FxHashMap::default();
        for &id in tests.iter().flatten().flat_map(|signs| signs.iter()) {
            let (field, sign) = &places[id.0 as usize];
            uses[id.0 as usize] += 1;
            *fields.entry((*field, kind(sign))).or_default() += 1;
        }
        let rarity = |(at, (field, sign)): (usize, &Place)| {
            let share = uses[at] as f32 / fields.get(&(*field, kind(sign))).copied().unwrap_or(1) as f32;
            (base(sign) + 0.5 * share).min(1.0) * if field.is_none() { 4.0 } else { 1.0 }
        };
        Rarity(places.iter().enumerate().map(rarity).collect())
    }

    /// How often one of the signs is met.
    pub(super) fn often(&self, signs: &[SignId]) -> f32 {
        signs.iter().map(|id| self.0[id.0 as usize]).sum()
    }
}

fn kind(sign: &Sign) -> u8 {
    match sign {
        Sign::Exact(_) | Sign::Number(_) => 0,
        Sign::Prefix(_) => 1,
        Sign::Suffix(_) => 2,
        Sign::Substring(_) => 3,
        Sign::Present => 4,
    }
}

/// Without knowledge of the text: the shorter, the likelier.
fn base(sign: &Sign) -> f32 {
    let by_length = |text: &str| match text.len() {
        0..=2 => 0.9,
        3 => 0.15,
        4 => 0.06,
        5..=6 => 0.025,
        7..=9 => 0.01,
        _ => 0.005,
    };
    match sign {
        Sign::Present => 0.9,
        Sign::Exact(_) | Sign::Number(_) => 0.003,
        Sign::Prefix(text) | Sign::Suffix(text) => by_length(text) * 0.5,
        Sign::Substring(text) => by_length(text),
    }
}
