//! Two long lists of values, compared with each other at a cost in proportion to their lengths.
//!
//! In: two fields of a record. Out: is one of the first, or the part of it that the affix says, one of the second?
//! Bound: equal texts are looked up, starts and ends in order; searches inside have a budget that is linear in both lists, and what is
//! not found before it is spent does not fit. Memory for both lists, which is given back. Short lists are compared pair by pair instead.

use memchr::memmem::Finder;
use rustc_hash::FxHashSet;

use super::fold::fold;
use super::modifier::Modifier;
use crate::field::Field;
use crate::record::{Record, Scalar};

/// So many pairs are compared one by one.
const PAIRS_MAX: usize = 1024;
/// Bytes that may be searched for each byte of the lists.
const SEARCHED_MAX: usize = 256;

/// Does one text of the first field relate to one of the second? `None` where the lists are short.
pub(super) fn relate(fields: [Field; 2], affix: Option<Modifier>, cased: bool, record: &Record<'_>) -> Option<bool> {
    let [ones, others] = fields.map(|field| record.values(field).count());
    if ones.saturating_mul(others) <= PAIRS_MAX {
        return None;
    }
    let is_reversed = affix == Some(Modifier::EndsWith);
    let [ones, others] = fields.map(|field| texts(field, cased, is_reversed, record));
    Some(match affix {
        None => {
            let others: FxHashSet<Vec<u8>> = others.into_iter().collect();
            ones.iter().any(|one| others.contains(one))
        }
        Some(Modifier::Contains) => any_inside(&ones, &others),
        Some(_) => any_starts(&ones, others),
    })
}

/// An empty list has no element that could be compared.
pub(super) fn is_empty_list(value: Scalar<'_>) -> bool {
    matches!(value, Scalar::Composite(raw) if raw.starts_with('['))
}

fn texts(field: Field, cased: bool, is_reversed: bool, record: &Record<'_>) -> Vec<Vec<u8>> {
    let values = record.values(field).filter(|value| *value != Scalar::Null && !is_empty_list(*value));
    let texts = values.map(|value| {
        let mut text = if cased { value.text().to_owned() } else { fold(value.text()) }.into_bytes();
        if is_reversed {
            text.reverse();
        }
        text
    });
    texts.collect()
}

/// Does one of `ones` start with one of `others`?
fn any_starts(ones: &[Vec<u8>], mut others: Vec<Vec<u8>>) -> bool {
    others.sort_unstable();
    // What starts with another is met where the other is. Of the rest the one that a text starts with is the last before the text.
    others.dedup_by(|next, first| next.starts_with(first));
    ones.iter().any(|one| {
        let behind = others.partition_point(|other| other <= one);
        behind.checked_sub(1).is_some_and(|last| one.starts_with(&others[last]))
    })
}

/// Does one of `others` stand in one of `ones`?
fn any_inside(ones: &[Vec<u8>], others: &[Vec<u8>]) -> bool {
    let bytes: usize = ones.iter().chain(others).map(|text| text.len() + 1).sum();
    let mut budget = bytes.saturating_mul(SEARCHED_MAX);
    for other in others {
        let finder = Finder::new(other);
        for one in ones {
            if finder.find(one).is_some() {
                return true;
            }
            match budget.checked_sub(one.len() + 1) {
                Some(left) => budget = left,
                None => return false,
            }
        }
    }
    false
}
