//! Takes one event in: once, in time, in each group to which it belongs.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use model::{EventId, SourceId, Time};
use rustc_hash::FxHasher;

use super::correlator::Correlator;
use super::group::Group;
use super::plan::Correlations;
use super::read::{Event, Place, places};
use super::recent::{Copy, Groups, Known};
use super::table::GroupRef;
use super::who::Name;
use crate::correlate::{Detail, Fact, Matched, Texts};
use crate::sigma::WHO;

/// Groups among which one is let go of.
const SAMPLE: usize = 8;

impl Correlator {
    /// Takes in one record of an event.
    pub(super) fn take(&mut self, plans: &Correlations, matched: &Matched) {
        self.counts.events += 1;
        let id = (matched.lane, matched.id);
        let copy = Copy { time: matched.time, rank: rank(matched) };
        let before = self.recent.get(id).cloned();
        if let Some(known) = &before {
            self.counts.duplicates += 1;
            if known.copy <= copy {
                return;
            }
            known.groups.iter().for_each(|group| self.take_out(*group, known.copy.time, matched.id));
        }
        let name = self.who(matched);
        let groups = self.put(plans, matched, name.as_ref());
        if groups.is_empty() {
            return;
        }
        match before {
            Some(_) => self.recent.set(id, Known { copy, groups }),
            None => self.recent.add(id, Known { copy, groups }),
        }
    }

    /// Puts the facts of an event into their groups, and says which these are.
    pub(super) fn put(&mut self, plans: &Correlations, matched: &Matched, name: Option<&Name>) -> Groups {
        let who = name.map_or(&[][..], |name| std::slice::from_ref(&name.text));
        let fed = plans.fed_by(&matched.rules);
        let mut found: Vec<Place> = std::mem::take(&mut self.places);
        let mut groups = Groups::new();
        let mut detail: Option<Arc<Detail>> = None;
        for members in fed.chunk_by(|a, b| a.0 == b.0) {
            let of = members[0].0;
            self.at_work = Some(of);
            if !self.is_welcome(of, matched) {
                continue;
            }
            let plan = &plans.plans[of];
            let readers = members.iter().map(|(_, member)| (*member, &plan.readers[*member]));
            places(readers, &[Event { matched, who }], &mut found);
            let late_ms = if found.is_empty() { 0 } else { self.late_ms(matched) };
            for place in found.drain(..) {
                let detail = detail.get_or_insert_with(|| self.detail(matched, name)).clone();
                let Place { key, members, values } = place;
                let fact =
                    Fact { time: matched.time, id: matched.id, members, values, detail: Some(detail), beneath: None };
                groups.push(self.give(of, matched.lane, &key, fact, late_ms));
            }
        }
        self.places = found;
        groups
    }

    /// Does the correlation still take facts of that time?
    fn is_welcome(&mut self, of: usize, matched: &Matched) -> bool {
        let counts = &mut self.counts.correlations[of];
        if counts.is_aside {
            counts.lost += 1;
            return false;
        }
        let is_late = matched.time.micros() <= self.frontiers[self.place(matched.lane, of)];
        self.counts.correlations[of].too_late += u64::from(is_late);
        !is_late
    }

    /// Gives a fact to a group, which is made if need be.
    pub(super) fn give(&mut self, of: usize, lane: model::Lane, key: &[u8], fact: Fact, late_ms: i64) -> GroupRef {
        let frontier = self.frontiers[self.place(lane, of)];
        let (at, is_new) = self.table.entry(of as u32, lane, key, || Group::new(frontier));
        let waiting = &mut self.pending;
        let entry = self.table.get_mut(at, &mut |entry| *waiting += entry.group.pending().len());
        let entry = entry.expect("it was found or made above");
        let before = entry.group.pending().len();
        entry.group.insert(fact, late_ms);
        *waiting = *waiting + entry.group.pending().len() - before;
        let is_listed = std::mem::replace(&mut entry.is_listed, true);
        if !is_listed {
            self.listed[of].push(at);
        }
        let counts = &mut self.counts.correlations[of];
        counts.taken += 1;
        counts.late += u64::from(late_ms > 0);
        if is_new {
            counts.groups += 1;
            self.evict(of, at);
        }
        at
    }

    /// Takes a fact out of a group again.
    pub(super) fn take_out(&mut self, at: GroupRef, time: Time, id: EventId) {
        let waiting = &mut self.pending;
        let entry = self.table.get_mut(at, &mut |entry| *waiting += entry.group.pending().len());
        let Some(entry) = entry else { return };
        let before = entry.group.pending().len();
        entry.group.remove(time, id);
        *waiting = *waiting + entry.group.pending().len() - before;
        if !std::mem::replace(&mut entry.is_listed, true) {
            self.listed[entry.of as usize].push(at);
        }
    }

    /// Where a correlation has too many groups, the one near by with the fewest facts goes, and is counted: a flood of new keys pushes out
    /// itself, not what is half done.
    fn evict(&mut self, of: usize, new: GroupRef) {
        let counts = &self.counts.correlations[of];
        if counts.groups <= self.options.groups_max && counts.bytes <= self.options.bytes_max {
            return;
        }
        let Some(least) = self.table.least(new, of as u32, SAMPLE) else { return };
        self.counts.correlations[of].evicted += 1;
        self.let_go(least);
        if self.counts.correlations[of].evicted > self.options.evicted_max {
            self.set_aside(of);
        }
    }

    /// How much later than in order an event comes, milliseconds. Nothing is late where all is handed over before anything is settled.
    fn late_ms(&mut self, matched: &Matched) -> i64 {
        if self.options.is_whole {
            return 0;
        }
        let is_it = |(lane, source, _): &&(_, SourceId, _)| *lane == matched.lane && *source == matched.detail.source;
        let reached = match self.reached.iter().find(is_it) {
            Some((_, _, reached)) => *reached,
            None => {
                let reached = self.clock.reached(matched.lane, &matched.detail.source);
                self.reached.push((matched.lane, matched.detail.source.clone(), reached));
                reached
            }
        };
        reached.map_or(0, |reached| reached.millis_since(matched.time).max(0))
    }

    /// What a finding says of an event, and what correlations above read of it where there are any.
    fn detail(&self, matched: &Matched, name: Option<&Name>) -> Arc<Detail> {
        let plans = &self.plans;
        let is_read = matched.rules.iter().any(|rule| plans.is_read_above[*rule as usize]);
        let behind = name.and_then(|name| name.known.clone());
        if !is_read && behind.is_none() {
            return matched.detail.clone();
        }
        let mut detail = Detail::clone(&matched.detail);
        if is_read {
            let named = matched.fields.iter().map(|(at, values)| (plans.names[*at as usize].clone(), values.clone()));
            let who = name.map(|name| -> (Arc<str>, Texts) { (Arc::from(WHO), Box::from([name.text.clone()])) });
            let mut fields: Vec<(Arc<str>, Texts)> = named.chain(who).collect();
            fields.sort();
            detail.fields = fields.into();
        }
        if behind.is_some() {
            detail.entities = detail.entities.iter().cloned().chain(behind).collect();
        }
        Arc::new(detail)
    }
}

/// Stands for what a record says: of two records of one event and one time, the same one counts, whichever comes first.
fn rank(matched: &Matched) -> u64 {
    let mut hasher = FxHasher::default();
    (&matched.rules, &matched.fields, &matched.actor).hash(&mut hasher);
    hasher.finish()
}
