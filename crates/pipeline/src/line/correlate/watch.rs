//! Watches what correlations count about themselves, and says what an operator must know: once for each rule and hour.

use std::collections::{BTreeMap, BTreeSet};

use model::{Level, Time};

use super::RuleCounts;

/// Facts that came too late, within an hour, below which nothing is said.
const TOO_LATE_MIN: u64 = 20;
/// In so many facts, one that came too late is worth saying.
const TOO_LATE_ONE_IN: u64 = 20;

/// Something to raise an alert about ourselves with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    pub title: &'static str,
    pub message: String,
    pub level: Level,
    pub key: String,
}

/// What was told within this hour, and what was counted when it began.
#[derive(Debug, Default)]
pub(super) struct Watch {
    hour: Option<Time>,
    began: BTreeMap<String, RuleCounts>,
    last: BTreeMap<String, RuleCounts>,
    told: BTreeSet<String>,
}

impl Watch {
    /// Learns what is counted at `now`; gives what is worth telling. What was counted before the first look is no news.
    pub fn look(&mut self, counts: &[RuleCounts], now: Time) -> Vec<Notice> {
        let by_rule: BTreeMap<String, RuleCounts> =
            counts.iter().map(|one| (one.rule_id.clone(), one.clone())).collect();
        let before = std::mem::replace(&mut self.last, by_rule);
        if self.hour != Some(now.hour()) {
            let is_first = self.hour.replace(now.hour()).is_none();
            self.told.clear();
            self.began = if is_first { self.last.clone() } else { before };
        }
        let mut notices = Vec::new();
        for one in counts {
            let began = self.began.entry(one.rule_id.clone()).or_default();
            let found = [evicted(began, one), too_late(began, one), aside(began, one)];
            notices.extend(found.into_iter().flatten().filter(|notice| self.told.insert(notice.key.clone())));
        }
        notices
    }
}

fn evicted(began: &RuleCounts, now: &RuleCounts) -> Option<Notice> {
    let evicted = now.evicted.checked_sub(began.evicted).filter(|n| *n > 0)?;
    Some(Notice {
        title: "A correlation had to forget",
        message: format!(
            "correlation `{}` ({}) let go of {evicted} groups within an hour, with {} facts, since it keeps too many: it may be blind to what they were about; it holds {} groups now",
            now.title,
            now.rule_id,
            now.lost.saturating_sub(began.lost),
            now.groups
        ),
        level: Level::High,
        key: format!("correlation_evicted:{}", now.rule_id),
    })
}

fn too_late(began: &RuleCounts, now: &RuleCounts) -> Option<Notice> {
    let late = now.too_late.checked_sub(began.too_late)?;
    let all = now.taken.saturating_sub(began.taken) + late;
    (late >= TOO_LATE_MIN && late * TOO_LATE_ONE_IN >= all).then(|| Notice {
        title: "Events come too late for a correlation",
        message: format!(
            "{late} of {all} events within an hour came later than correlation `{}` ({}) allows, and took no part in it",
            now.title, now.rule_id
        ),
        level: Level::Medium,
        key: format!("correlation_too_late:{}", now.rule_id),
    })
}

fn aside(began: &RuleCounts, now: &RuleCounts) -> Option<Notice> {
    (now.is_aside && !began.is_aside).then(|| Notice {
        title: "A correlation was set aside",
        message: format!(
            "correlation `{}` ({}) is shown nothing more until the next start: it failed, or let go of too many groups",
            now.title, now.rule_id
        ),
        level: Level::High,
        key: format!("correlation_aside:{}", now.rule_id),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Time {
        Time::EPOCH.plus_millis(minutes * 60_000)
    }

    fn counts(taken: u64, too_late: u64, evicted: u64) -> Vec<RuleCounts> {
        let (rule_id, title) = ("r1".to_owned(), "Burst".to_owned());
        vec![RuleCounts { rule_id, title, taken, too_late, evicted, lost: evicted * 2, ..RuleCounts::default() }]
    }

    fn keys(notices: &[Notice]) -> Vec<&str> {
        notices.iter().map(|notice| notice.key.as_str()).collect()
    }

    #[test]
    fn an_eviction_is_told_once_for_each_rule_and_hour() {
        let mut watch = Watch::default();
        assert!(watch.look(&counts(100, 0, 7), at(1)).is_empty(), "what was before the start is no news");
        let told = watch.look(&counts(100, 0, 9), at(2));
        assert_eq!(keys(&told), ["correlation_evicted:r1"]);
        assert!(told[0].message.contains("let go of 2 groups within an hour, with 4 facts"), "{}", told[0].message);
        assert!(watch.look(&counts(100, 0, 50), at(3)).is_empty());
        assert!(watch.look(&counts(100, 0, 50), at(61)).is_empty(), "it stopped");
        assert_eq!(keys(&watch.look(&counts(100, 0, 51), at(62))), ["correlation_evicted:r1"]);
    }

    #[test]
    fn a_jump_of_late_events_is_told_and_a_few_are_not() {
        let mut watch = Watch::default();
        watch.look(&counts(0, 0, 0), at(0));
        assert!(watch.look(&counts(10, 19, 0), at(1)).is_empty(), "a handful");
        assert!(watch.look(&counts(1000, 30, 0), at(2)).is_empty(), "a small share");
        let told = watch.look(&counts(1000, 60, 0), at(3));
        assert_eq!(keys(&told), ["correlation_too_late:r1"]);
        assert!(told[0].message.starts_with("60 of 1060 events within an hour"), "{}", told[0].message);
        assert!(watch.look(&counts(1000, 90, 0), at(4)).is_empty());
    }

    #[test]
    fn a_correlation_that_is_set_aside_is_told_once() {
        let mut watch = Watch::default();
        watch.look(&counts(0, 0, 0), at(0));
        let aside = || counts(0, 0, 0).into_iter().map(|one| RuleCounts { is_aside: true, ..one }).collect::<Vec<_>>();
        assert_eq!(keys(&watch.look(&aside(), at(1))), ["correlation_aside:r1"]);
        assert!(watch.look(&aside(), at(61)).is_empty());
    }
}
