//! The correlator: batches in the settled order of the line in, statements out.
//!
//! One thread owns it. The same batches give the same statements; the same events in any order, cut into any batches, give the same final ones,
//! as long as none comes later than is allowed and no limit is reached.

use std::sync::Arc;

use model::{Lane, SourceId, Standing, Time};

use super::clock::Clock;
use super::counts::{AllCounts, Counts};
use super::plan::Correlations;
use super::read::{Place, texts_of};
use super::recent::Recent;
use super::table::{GroupRef, Table};
use super::timers::Timers;
use super::who::Who;
use crate::correlate::{Batch, Episode};
use crate::identity::Bounds;

/// How a correlator runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How late facts may come where a rule does not say so, milliseconds.
    pub lateness_ms: i64,
    /// A partition that is silent for so long while others are not holds nobody up, milliseconds.
    pub idle_ms: i64,
    /// Is all that there is handed over before anything is settled? So that the order of files does not matter.
    pub is_whole: bool,
    /// Groups that one correlation keeps.
    pub groups_max: u64,
    /// Bytes that the groups of one correlation hold, roughly.
    pub bytes_max: u64,
    /// Facts of all correlations that wait for the frontier.
    pub pending_max: usize,
    /// Groups that one correlation lets go of before it is set aside.
    pub evicted_max: u64,
    /// Bounds of the graph of who is behind what.
    pub identity: Bounds,
    /// Makes it hard to choose keys that collide; changes no result.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            lateness_ms: 15 * 60_000,
            idle_ms: 30 * 60_000,
            is_whole: false,
            groups_max: 1_000_000,
            bytes_max: 1 << 30,
            pending_max: 4_000_000,
            evicted_max: 10_000_000,
            identity: Bounds::default(),
            seed: 0,
        }
    }
}

/// The frontier of a correlation of whose sources nothing has come yet: it holds nobody up.
pub(super) const UNSEEN: i64 = i64::MIN;

/// What a correlation says of one group.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The correlation, by its place.
    pub correlation: usize,
    /// Why the events are on the line.
    pub lane: Lane,
    /// The fields of the group with their values.
    pub group: Vec<(String, String)>,
    /// What it found.
    pub episode: Episode,
    /// How certain that is.
    pub standing: Standing,
    /// How much later than in order the event came that made it known, milliseconds.
    pub late_ms: Option<i64>,
}

/// Detection over time. See the module.
#[derive(Debug)]
pub struct Correlator {
    pub(super) plans: Arc<Correlations>,
    pub(super) options: Options,
    pub(super) table: Table,
    pub(super) recent: Recent,
    pub(super) clock: Clock,
    /// Up to when everything has come, microseconds, or [`UNSEEN`]: for each lane and correlation.
    pub(super) frontiers: Vec<i64>,
    /// For each lane and correlation.
    pub(super) timers: Vec<Timers>,
    /// Groups to judge, for each correlation.
    pub(super) listed: Vec<Vec<GroupRef>>,
    pub(super) counts: AllCounts,
    /// Facts that wait for the frontier.
    pub(super) pending: usize,
    /// How far each source had come before this batch.
    pub(super) reached: Vec<(Lane, SourceId, Option<Time>)>,
    pub(super) said: Vec<Statement>,
    /// Room for the places of one event.
    pub(super) places: Vec<Place>,
    /// Where some correlation groups by who is behind an event.
    pub(super) who: Option<Who>,
    /// The correlation that is being shown something.
    pub(super) at_work: Option<usize>,
}

impl Correlator {
    /// A correlator that has seen nothing.
    pub fn new(plans: Arc<Correlations>, options: Options) -> Correlator {
        let count = plans.plans.len();
        let counts = AllCounts { correlations: vec![Counts::default(); count], ..AllCounts::default() };
        Correlator {
            table: Table::new(options.seed),
            recent: Recent::new(options.seed),
            clock: Clock::default(),
            frontiers: vec![UNSEEN; count * Lane::ALL.len()],
            timers: vec![Timers::default(); count * Lane::ALL.len()],
            listed: vec![Vec::new(); count],
            counts,
            pending: 0,
            reached: Vec::new(),
            said: Vec::new(),
            places: Vec::new(),
            at_work: None,
            who: plans.wants_identity.then(|| Who::new(options.identity)),
            plans,
            options,
        }
    }

    /// Takes a batch in, and says what it comes to.
    pub fn batch(&mut self, batch: &Batch) -> Vec<Statement> {
        self.reached.clear();
        self.learn(&batch.links);
        let plans = self.plans.clone();
        std::hint::black_box(self.recent.count(batch.matched.iter().map(|matched| (matched.lane, matched.id))));
        for matched in &batch.matched {
            self.take(&plans, matched);
        }
        for progress in &batch.progress {
            self.clock.note(progress);
        }
        self.go_on();
        self.make_room();
        self.sorted()
    }

    /// Goes on without records: the time is `now`. Silent partitions hold nothing up any longer, and windows end.
    pub fn tick(&mut self, now: Time) -> Vec<Statement> {
        self.clock.tick(now);
        self.go_on();
        self.sorted()
    }

    /// Everything has come: all windows are judged. Of what did not happen, only what is certain by the last event is told.
    pub fn finish(&mut self) -> Vec<Statement> {
        for of in 0..self.plans.plans.len() {
            for lane in Lane::ALL {
                let end = if self.plans.plans[of].ends_with_data() { Some(Time::MAX) } else { self.clock.latest(lane) };
                self.advance(lane, of, end.map_or(UNSEEN, Time::micros));
            }
            self.judge_one(of);
            if !self.plans.plans[of].ends_with_data() {
                self.stop_one(of);
            }
        }
        self.forget(Time::MAX.micros());
        self.sorted()
    }

    /// What became of the facts.
    pub fn counts(&self) -> &AllCounts {
        &self.counts
    }

    /// The correlation that was being shown something when a panic was caught. Nothing else can be said of the state after one.
    pub fn at_work(&self) -> Option<usize> {
        self.at_work
    }

    /// The correlations.
    pub fn correlations(&self) -> &Arc<Correlations> {
        &self.plans
    }

    /// Takes no more facts for a correlation, and lets go of its groups.
    pub fn set_aside(&mut self, of: usize) {
        for group in self.table.places_of(of as u32) {
            self.let_go(group);
        }
        self.counts.correlations[of].is_aside = true;
    }

    pub(super) fn place(&self, lane: Lane, of: usize) -> usize {
        lane as usize * self.plans.plans.len() + of
    }

    /// Moves the frontiers on to where the partitions have come, and judges: from those beneath to those above, which are given what
    /// occurs beneath before their own frontier passes it.
    fn go_on(&mut self) {
        let lanes = if self.options.is_whole { Vec::new() } else { self.clock.lanes() };
        for of in 0..self.plans.plans.len() {
            for lane in &lanes {
                if let Some(frontier) = self.frontier(*lane, of) {
                    self.advance(*lane, of, frontier);
                }
            }
            self.judge_one(of);
        }
        let passed =
            lanes.iter().flat_map(|lane| (0..self.plans.plans.len()).map(|of| self.frontiers[self.place(*lane, of)]));
        if let Some(least) = passed.filter(|frontier| *frontier != UNSEEN).min() {
            self.forget(least);
        }
    }

    /// Up to when everything has come that a correlation reads, microseconds.
    fn frontier(&self, lane: Lane, of: usize) -> Option<i64> {
        let plan = &self.plans.plans[of];
        let lateness = plan.lateness_ms.unwrap_or(self.options.lateness_ms);
        let mark = self.clock.watermark(lane, &plan.sources, self.options.idle_ms.max(lateness));
        // What comes exactly as late as is allowed is in time.
        let own = mark.map(|mark| mark.micros() - lateness * 1000 - 1);
        let beneath = plan.beneath.iter().map(|(of, delay_ms)| (self.frontiers[self.place(lane, *of)], delay_ms));
        let seen = beneath.filter(|(frontier, _)| *frontier != UNSEEN);
        seen.map(|(frontier, delay_ms)| frontier - delay_ms * 1000).chain(own).min()
    }

    fn advance(&mut self, lane: Lane, of: usize, frontier: i64) {
        let at = self.place(lane, of);
        self.frontiers[at] = self.frontiers[at].max(frontier);
    }

    /// Where too many facts wait, those go first that only waited to be settled; then the frontier moves on to the middle of them.
    fn make_room(&mut self) {
        while self.pending > self.options.pending_max {
            self.catch_up();
            if self.pending <= self.options.pending_max {
                return;
            }
            let facts = self.table.live().flat_map(|(_, entry)| entry.group.pending());
            let mut times: Vec<i64> = facts.map(|fact| fact.time.micros()).collect();
            let middle = times.len() / 2;
            let middle = *times.select_nth_unstable(middle).1;
            self.counts.forced += 1;
            for of in 0..self.plans.plans.len() {
                Lane::ALL.into_iter().for_each(|lane| self.advance(lane, of, middle));
                self.judge_one(of);
            }
            self.catch_up();
            self.forget(middle);
        }
    }

    /// Settles in every group what the frontiers have passed.
    fn catch_up(&mut self) {
        let plans = self.plans.clone();
        let waiting = self.table.live().filter(|(_, entry)| !entry.group.pending().is_empty());
        let mut groups: Vec<(u32, Lane, Box<[u8]>, GroupRef)> =
            waiting.map(|(at, entry)| (entry.of, entry.lane, entry.key.clone(), at)).collect();
        // What occurs beneath is given to those above before they are settled.
        groups.sort_unstable();
        for (of, _, _, group) in groups {
            self.judge(&plans, of as usize, group, true);
        }
    }

    /// Forgets the events that no group can change any more.
    fn forget(&mut self, frontier: i64) {
        self.recent.forget(frontier);
        if let Some(who) = &mut self.who {
            who.forget(frontier);
        }
    }

    fn sorted(&mut self) -> Vec<Statement> {
        self.at_work = None;
        let mut said = std::mem::take(&mut self.said);
        let key = |said: &Statement| (said.episode.last_held, said.correlation, said.lane);
        said.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.group.cmp(&b.group)));
        said
    }

    /// The fields of a group with their values.
    pub(super) fn group_of(&self, of: usize, key: &[u8]) -> Vec<(String, String)> {
        self.plans.plans[of].linked.correlation.group_by.iter().cloned().zip(texts_of(key)).collect()
    }
}
