//! The ways in which a condition over rules can be made true.

use super::detection::{Condition, Of};

/// Ways that an ordered condition may have.
pub(crate) const WAYS_MAX: usize = 256;
/// Ways that are looked at before those that need more than others are left out.
const RAW_MAX: usize = 1 << 16;

/// Rules that must occur and rules that must not, each as a set of places below 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Way {
    /// These occur.
    pub(crate) with: u64,
    /// These do not.
    pub(crate) without: u64,
}

/// All ways to make the condition true, in order, none of which needs all that another needs; `None` if there are more than [`WAYS_MAX`] or a
/// place is 64 or greater.
pub(crate) fn ways(condition: &Condition) -> Option<Vec<Way>> {
    ways_to(condition, true).filter(|ways| ways.len() <= WAYS_MAX)
}

fn ways_to(condition: &Condition, is_true: bool) -> Option<Vec<Way>> {
    match (condition, is_true) {
        (Condition::Search(place), _) => {
            let rule = 1_u64.checked_shl(u32::try_from(*place).ok()?)?;
            Some(vec![if is_true { Way { with: rule, without: 0 } } else { Way { with: 0, without: rule } }])
        }
        (Condition::Not(part), _) => ways_to(part, !is_true),
        (Condition::And(parts), true) | (Condition::Or(parts), false) => {
            let parts: Option<Vec<_>> = parts.iter().map(|part| ways_to(part, is_true)).collect();
            parts?.into_iter().try_fold(vec![Way { with: 0, without: 0 }], |all, part| each_with_each(&all, &part))
        }
        (Condition::Or(parts), true) | (Condition::And(parts), false) => {
            let parts: Option<Vec<_>> = parts.iter().map(|part| ways_to(part, is_true)).collect();
            least(parts?.concat())
        }
        (Condition::Of(of), _) => of_some(of, is_true),
    }
}

fn each_with_each(one: &[Way], other: &[Way]) -> Option<Vec<Way>> {
    if one.len() * other.len() > RAW_MAX {
        return None;
    }
    let both = |a: &Way, b: &Way| Way { with: a.with | b.with, without: a.without | b.without };
    least(one.iter().flat_map(|a| other.iter().map(move |b| both(a, b))).collect())
}

/// At least so many of the rules; or, to make it false, so many of them that too few are left do not occur.
fn of_some(of: &Of, is_true: bool) -> Option<Vec<Way>> {
    let least_true = of.least.unwrap_or(of.searches.len());
    let count = if is_true { least_true } else { (of.searches.len() + 1).checked_sub(least_true)? };
    let mut sets = vec![(0_u64, 0_usize)];
    for place in &of.searches {
        let rule = 1_u64.checked_shl(u32::try_from(*place).ok()?)?;
        let longer: Vec<_> =
            sets.iter().filter(|(_, size)| *size < count).map(|(set, size)| (set | rule, size + 1)).collect();
        sets.extend(longer);
        if sets.len() > RAW_MAX {
            return None;
        }
    }
    let whole = sets.into_iter().filter(|(_, size)| *size == count).map(|(set, _)| set);
    least(
        whole.map(|set| if is_true { Way { with: set, without: 0 } } else { Way { with: 0, without: set } }).collect(),
    )
}

/// Leaves out each way that needs all that another needs.
fn least(mut ways: Vec<Way>) -> Option<Vec<Way>> {
    ways.sort_by_key(|way| (way.with.count_ones() + way.without.count_ones(), *way));
    let mut kept: Vec<Way> = Vec::new();
    for way in ways {
        let is_within = |known: &Way| known.with & !way.with == 0 && known.without & !way.without == 0;
        if kept.iter().any(is_within) {
            continue;
        }
        if kept.len() >= 16 * WAYS_MAX {
            return None;
        }
        kept.push(way);
    }
    kept.sort();
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(places: std::ops::Range<usize>) -> Vec<Condition> {
        places.map(Condition::Search).collect()
    }

    fn of(least: Option<usize>, places: std::ops::Range<usize>) -> Condition {
        Condition::Of(Of { least, pattern: "them".to_owned(), searches: places.collect() })
    }

    fn shown(condition: &Condition) -> Vec<(u64, u64)> {
        ways(condition).expect("few ways").into_iter().map(|way| (way.with, way.without)).collect()
    }

    #[test]
    fn ways_need_no_more_than_they_must() {
        let either = Condition::And(vec![Condition::Search(0), Condition::Or(rules(0..3))]);
        assert_eq!(shown(&either), [(1, 0)]);
        let without = Condition::And(vec![Condition::Search(0), Condition::Not(Box::new(Condition::And(rules(1..3))))]);
        assert_eq!(shown(&without), [(1, 2), (1, 4)]);
        let twice = Condition::Not(Box::new(Condition::Not(Box::new(Condition::Search(2)))));
        assert_eq!(shown(&twice), [(4, 0)]);
        assert_eq!(shown(&of(Some(2), 0..3)), [(3, 0), (5, 0), (6, 0)]);
        assert_eq!(shown(&Condition::Not(Box::new(of(Some(2), 0..3)))), [(0, 3), (0, 5), (0, 6)]);
        assert_eq!(shown(&Condition::Not(Box::new(of(None, 0..2)))), [(0, 1), (0, 2)]);
    }

    #[test]
    fn too_many_ways_are_refused_and_do_not_take_long() {
        assert_eq!(ways(&of(Some(32), 0..64)), None);
        let pairs = |at: usize| Condition::Or(rules(2 * at..2 * at + 2));
        assert_eq!(shown(&Condition::And((0..8).map(pairs).collect())).len(), 256);
        assert_eq!(ways(&Condition::And((0..9).map(pairs).collect())), None);
        assert_eq!(ways(&Condition::And((0..32).map(pairs).collect())), None);
        assert_eq!(ways(&Condition::Search(64)), None);
    }
}
