//! Classes of values: a table from a text, in any case, to the number of its class.
//!
//! In: a value. Out: its class, 0 for one that nobody names. No allocation, nothing is copied.

const EMPTY: u32 = u32::MAX;
/// Spaces: a letter with this bit is the letter in lower case.
const LOWER: u64 = 0x2020_2020_2020_2020;

/// Values and their classes.
#[derive(Debug)]
pub(super) struct Classes {
    values: Vec<(Box<str>, u32)>,
    /// Open addressing, at most half full.
    slots: Vec<u32>,
}

impl Classes {
    pub(super) fn new<'v>(values: impl Iterator<Item = (&'v str, u32)>) -> Classes {
        let values: Vec<(Box<str>, u32)> = values.map(|(value, class)| (value.into(), class)).collect();
        let size = (values.len() * 2).next_power_of_two().max(2);
        let mut classes = Classes { values, slots: vec![EMPTY; size] };
        for (number, (value, _)) in classes.values.iter().enumerate() {
            let mut at = hash(value.as_bytes()) & (size - 1);
            while classes.slots[at] != EMPTY {
                at = (at + 1) & (size - 1);
            }
            classes.slots[at] = number as u32;
        }
        classes
    }

    /// The class of a value.
    #[inline]
    pub(super) fn of(&self, value: &str) -> u32 {
        let mask = self.slots.len() - 1;
        let mut at = hash(value.as_bytes()) & mask;
        loop {
            let slot = self.slots[at];
            if slot == EMPTY {
                return 0;
            }
            let (known, class) = &self.values[slot as usize];
            if known.eq_ignore_ascii_case(value) {
                return *class;
            }
            at = (at + 1) & mask;
        }
    }
}

/// A cheap hash that takes upper and lower case for one: both ends, the middle and the length.
#[inline]
fn hash(value: &[u8]) -> usize {
    let n = value.len();
    let word = |at: usize| {
        value.get(at..).and_then(|rest| rest.first_chunk::<8>()).map(|bytes| u64::from_le_bytes(*bytes) | LOWER)
    };
    let (head, tail) = match word(0) {
        Some(head) => (head, word(n - 8).unwrap_or(0) ^ word((n - 8) / 2).unwrap_or(0).rotate_left(29)),
        None => (value.iter().fold(0, |all, &byte| (all << 8) | u64::from(byte | 0x20)), 0),
    };
    let mixed =
        (head ^ (n as u64) << 56).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ tail.wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
    ((mixed >> 32) ^ mixed.rotate_left(7)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_in_any_case_and_only_as_a_whole() {
        let values = [
            "security",
            "1",
            "4688",
            "microsoft-windows-sysmon/operational",
            "microsoft-windows-dhcpd6/operational",
            "ünder",
        ];
        let classes = Classes::new(values.iter().zip(1..).map(|(value, class)| (*value, class)));
        for (value, class) in values.iter().zip(1..) {
            assert_eq!(classes.of(value), class, "{value}");
            assert_eq!(classes.of(&value.to_ascii_uppercase()), class, "{value}");
            assert_eq!(classes.of(&value.chars().skip(1).collect::<String>()), 0, "{value}");
            assert_eq!(classes.of(&format!("{value} ")), 0, "{value}");
        }
        assert_eq!(classes.of(""), 0);
        assert_eq!(Classes::new(std::iter::empty()).of("x"), 0);
    }
}
