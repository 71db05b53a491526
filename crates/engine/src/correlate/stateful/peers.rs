//! `peer_group`: an entity against its peers.

use std::sync::Arc;

use model::Time;
use serde::{Deserialize, Serialize};

use super::super::{Fact, Measure, Operator, Out, Told};
use super::baseline::Calendar;
use super::burst::open;
use super::evidence::{Evidence, OPENED_MAX};
use super::expectation::{Beyond, Expectation, Limit};
use super::key::{Key, KeyMap, map_bytes};
use super::number::{ONE, shown, words};
use super::show;
use super::tally::{Measured, Tally};

/// Entities of one group that are measured in one bucket.
const ENTITIES_MAX: usize = 10_000;
/// Claims that are kept of each entity's events.
const CLAIMS_MAX: usize = 8;
/// Numbers of peers that a finding shows.
const HISTORY_SHOWN: usize = 64;

/// Tells entities that do more than the others of their group in a bucket of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Peers {
    /// What is measured of each entity.
    pub measured: Measured,
    /// What is to be expected, from the measures of the others.
    pub expectation: Expectation,
    /// The length of a bucket, milliseconds.
    pub span_ms: i64,
    /// The least number of others.
    pub least_peers: usize,
    /// A lesser value is not told, millionths.
    pub at_least: i128,
}

/// One entity in the bucket that goes on.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Peer {
    name: Arc<str>,
    tally: Tally,
    evidence: Evidence,
    last: Time,
}

/// The bucket of a group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    bucket: i64,
    peers: KeyMap<Box<Peer>>,
}

impl Peers {
    fn calendar(&self) -> Calendar {
        Calendar { span_ms: self.span_ms, season_hours: 1, history: 1 }
    }

    fn add(&self, state: &mut State, fact: &Fact, out: &mut Out) {
        let measured = fact.values.measured();
        for (at, name) in fact.values.things().iter().enumerate() {
            if fact.values.things()[..at].contains(name) {
                continue;
            }
            let key = Key::of(name);
            if state.peers.len() >= ENTITIES_MAX && !state.peers.contains_key(&key) {
                out.shed += 1;
                continue;
            }
            let new = || {
                let (tally, evidence) = (Tally::default(), Evidence::default());
                Box::new(Peer { name: name.clone(), tally, evidence, last: fact.time })
            };
            let peer = state.peers.entry(key).or_insert_with(new);
            self.measured.add(&mut peer.tally, measured, &mut out.shed);
            peer.evidence.add(fact, CLAIMS_MAX);
            peer.last = fact.time;
        }
    }

    /// Those that stand out, the greatest first, with the limit that the greatest is beyond and how many stand out.
    ///
    /// A lesser entity has greater peers, and so a limit that is no lower: behind the first that is not beyond it, none is.
    fn outstanding<'p>(&self, peers: &[&'p Peer]) -> Option<(Vec<&'p Peer>, Limit)> {
        if peers.len() <= self.least_peers {
            return None;
        }
        let mut first = None;
        let mut known: Option<(i128, Limit)> = None;
        let mut out = Vec::new();
        for (at, peer) in peers.iter().enumerate() {
            let value = peer.tally.value;
            // Entities of one value have peers of the same values.
            let limit = match known.filter(|(of, _)| *of == value) {
                Some((_, limit)) => limit,
                None => self.limit(peers, at)?,
            };
            known = Some((value, limit));
            if value < self.at_least || !limit.is_beyond(value, Beyond::Above) {
                break;
            }
            first.get_or_insert(limit);
            out.push(*peer);
        }
        first.map(|limit| (out, limit))
    }

    /// What the others let expect of one entity; `None` if there are none.
    fn limit(&self, peers: &[&Peer], of: usize) -> Option<Limit> {
        let others = peers.iter().enumerate().filter(|(other, _)| *other != of);
        let mut others: Vec<i128> = others.map(|(_, peer)| peer.tally.value).collect();
        let least = if matches!(self.measured, Measured::Sum(_)) { 0 } else { ONE };
        (!others.is_empty()).then(|| self.expectation.limit(&mut others, least, Beyond::Above))
    }

    /// All entities, the greatest first.
    fn sorted<'p>(&self, state: &'p State) -> Vec<&'p Peer> {
        let mut peers: Vec<&Peer> = state.peers.values().map(|peer| &**peer).collect();
        peers.sort_by(|a, b| (b.tally.value, &a.name).cmp(&(a.tally.value, &b.name)));
        peers
    }

    /// The greatest against the others.
    fn measure(&self, peers: &[&Peer], limit: Limit) -> Measure {
        let mut threshold = limit.words(Beyond::Above);
        if self.at_least > 0 {
            threshold += &format!(" and at least {}", words(shown(self.at_least)));
        }
        Measure {
            of: format!("{} of one entity among {} peers", self.measured.words(), peers.len() - 1),
            value: shown(peers[0].tally.value),
            expected: Some(shown(limit.middle)),
            threshold,
            values: Vec::new(),
            history: peers[1..].iter().take(HISTORY_SHOWN).rev().map(|peer| shown(peer.tally.value)).collect(),
        }
    }

    fn judge(&self, state: &State, out: &mut Out) {
        let peers = self.sorted(state);
        let Some((outstanding, limit)) = self.outstanding(&peers) else { return };
        let mut evidence = Evidence::default();
        outstanding.iter().for_each(|peer| evidence.merge(peer.evidence.clone(), OPENED_MAX));
        // Behind the last that is kept of one entity, earlier ones may be missing.
        let is_cut = |peer: &&&Peer| peer.evidence.count > peer.evidence.kept.len() as u64;
        let last_kept = |peer: &&Peer| peer.evidence.kept.last().map(|last| (last.time, last.id));
        if let Some(end) = outstanding.iter().filter(is_cut).filter_map(last_kept).min() {
            evidence.kept.retain(|claim| (claim.time, claim.id) <= end);
        }
        // Which events beyond those that are kept are of several entities is not known, so each counts for each.
        evidence.count = outstanding.iter().map(|peer| peer.evidence.count).sum();
        let last = outstanding.iter().map(|peer| peer.last).max().unwrap_or_default();
        let mut episode = open(last, evidence);
        episode.measure = self.measure(&peers, limit);
        show(&mut episode.measure.values, outstanding.iter().map(|peer| &peer.name));
        out.told.push(Told::Closed(episode));
    }
}

impl Operator for Peers {
    type State = State;

    fn step(&self, state: &mut State, at: Time, facts: &[Fact], out: &mut Out) {
        let taking =
            facts.iter().filter(|fact| !fact.values.things().is_empty() && self.measured.takes(fact.values.measured()));
        for fact in taking {
            state.bucket = self.calendar().bucket(at);
            self.add(state, fact, out);
        }
    }

    fn pass(&self, state: &mut State, to: Time, out: &mut Out) {
        if self.due(state).is_some_and(|due| due <= to) {
            self.judge(&std::mem::take(state), out);
        }
    }

    fn due(&self, state: &State) -> Option<Time> {
        (!state.peers.is_empty()).then(|| self.calendar().end(state.bucket))
    }

    fn is_idle(&self, state: &State) -> bool {
        state.peers.is_empty()
    }

    fn reading(&self, state: &State) -> Option<Measure> {
        let peers = self.sorted(state);
        let greatest = peers.first()?;
        let mut measure = match self.limit(&peers, 0).filter(|_| peers.len() > self.least_peers) {
            Some(limit) => self.measure(&peers, limit),
            None => Measure {
                of: format!("{} of one entity among {} peers", self.measured.words(), peers.len() - 1),
                value: shown(greatest.tally.value),
                threshold: format!("judged among at least {} peers", self.least_peers),
                ..Measure::default()
            },
        };
        show(&mut measure.values, [&greatest.name]);
        measure.values.push(format!("judged at {}", self.calendar().end(state.bucket)));
        Some(measure)
    }

    fn heap_bytes(&self, state: &State) -> usize {
        let each =
            |peer: &Peer| size_of::<Peer>() + peer.name.len() + peer.tally.heap_bytes() + peer.evidence.heap_bytes();
        map_bytes(&state.peers) + state.peers.values().map(|peer| each(peer)).sum::<usize>()
    }
}
