//! What a correlation says: an episode as a finding that a person can read.
//!
//! In: an [`Episode`] of one group, and how certain it is. Out: a [`Finding`] with every kept event in order, the value, what was to be
//! expected and the threshold. The sentence is one line, with control characters escaped, since values are the attacker's.

mod sentence;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Entity, EntityKind, Finding, FindingId, FoldKey, Level, RuleId, RuleKind, SourceId, Window, WindowEvent};

use super::{Claim, Detail, Episode, Statement};
use crate::context::Context;
use crate::finding::HOUR_MS;
use crate::sigma::{self, Linked, Member};

/// Entities of one finding.
const ENTITIES_MAX: usize = 64;
/// The source of an event of which no more is kept than that it happened.
const UNKNOWN_SOURCE: &str = "unknown";

/// The voices of all correlations, by their places.
#[derive(Debug, Default)]
pub struct Voices {
    voices: Vec<Voice>,
    context: Arc<Context>,
}

/// What of a correlation is needed to say its findings.
#[derive(Debug)]
struct Voice {
    id: RuleId,
    title: String,
    revision: String,
    is_raised: bool,
    level: Level,
    kind: RuleKind,
    techniques: Vec<String>,
    /// Its own sentence.
    message: Option<String>,
    /// By what its findings fold; by the group where it does not say.
    fold_by: Option<Vec<String>>,
    fold_ms: i64,
    /// The title of each member.
    parts: Vec<String>,
    /// What members are called that are named by id, and their titles.
    ids: Vec<(String, String)>,
}

impl Voices {
    /// The voices of these correlations; `title` gives the title of a rule.
    pub fn of(linked: &[Linked], title: &dyn Fn(&RuleId) -> String) -> Voices {
        let part = |member: &Member| match member {
            Member::Rule(rule) => title(rule),
            Member::Correlation(beneath) => linked[*beneath].correlation.title.clone(),
        };
        let id = |member: &Member| match member {
            Member::Rule(rule) => Some((rule.to_string(), title(rule))),
            Member::Correlation(_) => None,
        };
        let voice = |linked: &Linked| {
            let correlation = &linked.correlation;
            let own = &correlation.watchkeep;
            Voice {
                id: linked.rule_id(),
                title: correlation.title.clone(),
                revision: linked.revision.clone(),
                is_raised: linked.is_raised,
                level: correlation.level.unwrap_or_default(),
                kind: own.kind,
                techniques: sigma::techniques(&correlation.tags),
                message: own.message.clone(),
                fold_by: own.fold.as_ref().map(|fold| fold.by.clone()),
                fold_ms: own.fold.as_ref().map_or(correlation.timespan_ms.max(HOUR_MS), |fold| fold.window_ms),
                ids: linked.members.iter().filter_map(id).collect(),
                parts: linked.members.iter().map(part).collect(),
            }
        };
        Voices { voices: linked.iter().map(voice).collect(), context: Arc::default() }
    }

    /// Has findings say what is known about their entities.
    pub fn with_context(self, context: Arc<Context>) -> Voices {
        Voices { context, ..self }
    }

    /// Does what it finds become findings? What a correlation finds that speaks only through those above does not.
    pub fn is_raised(&self, correlation: usize) -> bool {
        self.voices[correlation].is_raised
    }

    /// The titles of a correlation's members, in their order.
    pub fn parts(&self, correlation: usize) -> &[String] {
        &self.voices[correlation].parts
    }

    /// What is said as a finding.
    ///
    /// Shape: its id stands for rule, revision, group and first event. So what is said of one episode early, at last and in withdrawal
    /// is one finding.
    pub fn say(&self, said: &Statement) -> Finding {
        let voice = &self.voices[said.correlation];
        let claims = claims(&said.episode);
        let details = || claims.iter().filter_map(|claim| claim.detail.as_deref());
        let last = details().next_back();
        let entities = entities(details(), &said.group);
        let mut finding = Finding {
            finding_id: voice.finding_id(said),
            rule_id: voice.id.clone(),
            rule_title: voice.title.clone(),
            rule_revision: voice.revision.clone(),
            level: voice.level,
            kind: voice.kind,
            source: last.map_or_else(|| SourceId::from(UNKNOWN_SOURCE), |detail| detail.source.clone()),
            event_time: said.episode.held,
            received: details().map(|detail| detail.received).max().unwrap_or(said.episode.last_held),
            event_ids: claims.iter().map(|claim| claim.id).collect(),
            techniques: voice.techniques.clone(),
            message: voice.message(said, &entities),
            lane: said.lane,
            fold: voice.fold(&said.group, &entities),
            entities,
            matched: Vec::new(),
            columns: BTreeMap::new(),
            context: Vec::new(),
            window: Some(Box::new(voice.window(said, &claims))),
        };
        self.context.enrich(&mut finding);
        finding
    }
}

impl Voice {
    fn finding_id(&self, said: &Statement) -> FindingId {
        let mut parts: Vec<&[u8]> = vec![self.id.as_str().as_bytes(), self.revision.as_bytes()];
        for (name, value) in &said.group {
            parts.extend([name.as_bytes(), value.as_bytes()]);
        }
        parts.push(said.episode.first.as_bytes());
        FindingId::of(&parts)
    }

    fn fold(&self, group: &[(String, String)], entities: &[Entity]) -> FoldKey {
        let value = |name: &String| (name.clone(), named(name, group, entities).unwrap_or_default().to_owned());
        let by = self.fold_by.as_ref().map_or_else(|| group.to_vec(), |by| by.iter().map(value).collect());
        FoldKey { by, window_ms: self.fold_ms }
    }

    fn window(&self, said: &Statement, claims: &[Claim]) -> Window {
        let Episode { start, held, last_held, .. } = said.episode;
        let measure = said.episode.measure.clone();
        Window {
            group: said.group.clone(),
            start,
            held,
            last_held,
            events: claims.iter().map(|claim| self.event(claim)).collect(),
            event_count: count(&said.episode),
            measured: measure.of,
            value: measure.value,
            expected: measure.expected,
            threshold: measure.threshold,
            values: measure.values.into_iter().map(|value| self.titled(value)).collect(),
            history: measure.history,
            standing: said.standing,
            late_ms: said.late_ms,
        }
    }

    /// A value that begins with the id of a member, with the member's title instead.
    fn titled(&self, value: String) -> String {
        let titled = |(id, title): &(String, String)| Some(format!("{title}{}", value.strip_prefix(id.as_str())?));
        self.ids.iter().find_map(titled).unwrap_or(value)
    }

    fn event(&self, claim: &Claim) -> WindowEvent {
        let detail = claim.detail.as_deref();
        WindowEvent {
            event_id: claim.id,
            time: claim.time,
            source: detail.map_or_else(|| SourceId::from(UNKNOWN_SOURCE), |detail| detail.source.clone()),
            parts: claim.members.iter().filter_map(|member| self.parts.get(member)).cloned().collect(),
            brief: detail.map_or_else(String::new, |detail| detail.brief.to_string()),
        }
    }
}

/// The value of a field of the group, or the first entity of a kind.
fn named<'a>(name: &str, group: &'a [(String, String)], entities: &'a [Entity]) -> Option<&'a str> {
    let value = group.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
    let entity = || {
        let kind = EntityKind::parse(name)?;
        entities.iter().find(|entity| entity.kind == kind).map(|entity| entity.key.as_str())
    };
    value.or_else(entity)
}

/// How many events it has; more than are kept, perhaps.
fn count(episode: &Episode) -> u64 {
    episode.opened_count + episode.prolonged_count
}

/// Every kept event once, in order of time and id.
fn claims(episode: &Episode) -> Vec<Claim> {
    let mut claims: Vec<Claim> = Vec::new();
    let mut all: Vec<&Claim> = episode.opened.iter().chain(&episode.prolonged).collect();
    all.sort_by_key(|claim| (claim.time, claim.id));
    for claim in all {
        match claims.last_mut() {
            Some(last) if last.id == claim.id => {
                last.members = last.members.with(claim.members);
                last.detail = last.detail.take().or_else(|| claim.detail.clone());
            }
            _ => claims.push(claim.clone()),
        }
    }
    claims
}

/// The entities of all events, those that its group names before others where there are too many.
fn entities<'a>(details: impl Iterator<Item = &'a Detail>, group: &[(String, String)]) -> Vec<Entity> {
    let all: BTreeSet<&Entity> = details.flat_map(|detail| detail.entities.iter()).collect();
    let is_named = |entity: &Entity| group.iter().any(|(_, value)| *value == entity.key);
    let (named, others): (Vec<&Entity>, Vec<&Entity>) = all.into_iter().partition(|entity| is_named(entity));
    let mut entities: Vec<Entity> = named.into_iter().chain(others).take(ENTITIES_MAX).cloned().collect();
    entities.sort_unstable();
    entities
}

#[cfg(test)]
mod tests;
