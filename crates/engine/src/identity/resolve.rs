//! The answer to "who was behind this then", with its evidence.

use std::fmt;

use model::{Entity, EventId, Time};

use super::answer::{End, Walk};
use super::{Graph, Means};

/// One step from an entity to what is behind it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hop {
    /// What was used.
    pub from: Entity,
    /// What is behind it.
    pub to: Entity,
    /// In what sense.
    pub means: Means,
    /// Since when it is known.
    pub since: Time,
    /// The event that shows it.
    pub evidence: EventId,
}

/// Somebody who may be behind an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub entity: Entity,
    /// Why: the way there.
    pub chain: Vec<Hop>,
    /// Is it no more than a name that somebody chose?
    pub is_claim: bool,
}

/// How certain it is who is behind an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// The evidence leads to one only.
    Known,
    /// Nobody vouches for anyone, and one name was written.
    Claimed,
    /// The evidence leads to several, or it disagrees, or links are lost that could have led to others.
    Ambiguous(Vec<Candidate>),
    /// The evidence leads to nobody.
    Unknown,
}

/// Who was behind an entity at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// What was asked about.
    pub of: Entity,
    /// As of when.
    pub at: Time,
    /// From the entity to who is behind it; as far as it goes, where nobody is known; as far as all candidates share, where several are.
    pub chain: Vec<Hop>,
    /// Who is behind it, where that is known or claimed.
    pub behind: Option<Entity>,
    /// How certain it is.
    pub certainty: Certainty,
    /// Names that were written on the way and that nobody vouches for, other than who is known.
    pub claims: Vec<Candidate>,
    /// Was evidence not looked at: a chain too long, or links that were let go of and may have held?
    pub is_partial: bool,
}

impl Graph {
    /// Who was behind the entity at a time, by all that is known now.
    ///
    /// Shape: an entity that itself can act, such as a user or a pod, is behind itself where nothing says otherwise.
    /// Bound: chains of 32 hops and 4096 entities for one question.
    pub fn resolve(&self, of: &Entity, at: Time) -> Resolution {
        self.resolve_by(of, at, &mut |_| {}).0
    }

    /// As [`Graph::resolve`]; tells `visit` each entity whose links were looked at. While none of them learns or loses a link, who is
    /// behind it and how certain that is stay the same, for all times from the first to the last that are given beside it.
    pub fn resolve_by(&self, of: &Entity, at: Time, visit: &mut dyn FnMut(&Entity)) -> (Resolution, (Time, Time)) {
        let known = self.nodes.get_key_value(of).map(|(known, _)| &**known);
        let mut walk = Walk::new(self, at);
        let answer = walk.answer(known.unwrap_or(of), at);
        walk.visited.iter().for_each(|entity| visit(entity));
        let span = walk.span;
        let has_forgotten = self.horizon.is_some_and(|horizon| walk.earliest <= horizon);
        let is_partial = walk.is_cut || walk.has_gap || has_forgotten;
        let is_open = walk.is_cut || walk.has_gap;
        let candidate =
            |end: &End, is_claim| Candidate { entity: end.entity.clone(), chain: end.chain.clone(), is_claim };
        let claims: Vec<Candidate> = answer.claims.iter().map(|end| candidate(end, true)).collect();
        let ends: Vec<Candidate> = answer.ends.iter().map(|end| candidate(end, false)).collect();
        let is_known = !ends.is_empty();
        let (mut candidates, claims) = if is_known { (ends, claims) } else { (claims, Vec::new()) };
        let (behind, certainty, chain) = match candidates.len() {
            0 => (None, Certainty::Unknown, answer.furthest),
            1 if !is_open => {
                let Candidate { entity, chain, .. } = candidates.remove(0);
                (Some(entity), if is_known { Certainty::Known } else { Certainty::Claimed }, chain)
            }
            _ => {
                let shared = shared(&candidates);
                (None, Certainty::Ambiguous(candidates), shared)
            }
        };
        (Resolution { of: of.clone(), at, chain, behind, certainty, claims, is_partial }, span)
    }
}

impl Resolution {
    /// How certain it is and who it is, in a few words, such as `known: person alice`.
    pub fn brief(&self) -> String {
        let name = |entity: &Entity| format!("{} {}", entity.kind, entity.key);
        match (&self.certainty, &self.behind) {
            (Certainty::Known, Some(behind)) => format!("known: {}", name(behind)),
            (Certainty::Claimed, Some(behind)) => format!("claimed: {}", name(behind)),
            (Certainty::Ambiguous(candidates), _) => {
                let names: Vec<String> = candidates.iter().map(|candidate| name(&candidate.entity)).collect();
                format!("ambiguous: {}", names.join(" or "))
            }
            _ => "unknown".to_owned(),
        }
    }
}

/// The hops that all candidates begin with.
fn shared(candidates: &[Candidate]) -> Vec<Hop> {
    let Some((first, others)) = candidates.split_first() else { return Vec::new() };
    let is_shared = |at: usize| others.iter().all(|other| other.chain.get(at) == first.chain.get(at));
    let count = (0..first.chain.len()).take_while(|at| is_shared(*at)).count();
    first.chain[..count].to_vec()
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({} {}, event {})", self.means, self.to.key, self.to.kind, self.since, self.evidence)
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.entity.kind, self.entity.key)?;
        if self.is_claim {
            f.write_str(", who is only named")?;
        }
        for (at, hop) in self.chain.iter().enumerate() {
            write!(f, "{}{hop}", if at == 0 { ": " } else { ", " })?;
        }
        Ok(())
    }
}

impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} at {}: ", self.of.kind, self.of.key, self.at)?;
        match (&self.certainty, &self.behind) {
            (Certainty::Known, Some(behind)) => write!(f, "{} {} is behind it", behind.kind, behind.key)?,
            (Certainty::Claimed, Some(behind)) => {
                write!(f, "it is named after {} {}, and nobody vouches for that", behind.kind, behind.key)?;
            }
            (Certainty::Ambiguous(candidates), _) => {
                f.write_str("it can be any of these")?;
                candidates.iter().try_for_each(|candidate| write!(f, "; {candidate}"))?;
            }
            _ => f.write_str("nobody is known")?,
        }
        self.chain.iter().try_for_each(|hop| write!(f, "; {hop}"))?;
        self.claims.iter().try_for_each(|claim| write!(f, "; also {claim}"))?;
        if self.is_partial { f.write_str("; not all evidence is held any more") } else { Ok(()) }
    }
}
