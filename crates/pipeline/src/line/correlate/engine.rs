//! The engine's correlations behind the line's seam.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::sync::Arc;

use ::engine::Engine;
use ::engine::correlate::{Batch, Correlations, Correlator, Counts, Options, Snapshot, Statement, Voices};
use model::{Finding, Time};

use super::{Correlate, Correlating, Frozen, Names, Restored, RuleCounts};
use crate::line::SetAside;

/// The correlations of an engine, compiled.
pub struct EngineCorrelations {
    shared: Arc<Shared>,
    names: Names,
    options: Options,
}

/// What every state needs.
struct Shared {
    plans: Arc<Correlations>,
    voices: Voices,
    /// Id and title of each correlation, by its place.
    rules: Vec<SetAside>,
}

struct Running {
    shared: Arc<Shared>,
    correlator: Correlator,
}

impl EngineCorrelations {
    /// Those of `engine`; `None` where there are none.
    pub fn of(engine: &Engine, options: Options) -> Option<EngineCorrelations> {
        let linked = engine.correlations();
        if linked.is_empty() {
            return None;
        }
        let rule = |one: &::engine::sigma::Linked| SetAside {
            rule_id: one.rule_id().to_string(),
            title: one.correlation.title.clone(),
        };
        let rules = linked.iter().map(rule).collect();
        let shared = Shared { plans: Arc::new(engine.correlator_plans()), voices: engine.voices(), rules };
        Some(EngineCorrelations { shared: Arc::new(shared), names: names(engine), options })
    }

    fn running(&self, correlator: Correlator) -> Box<Running> {
        Box::new(Running { shared: self.shared.clone(), correlator })
    }
}

fn names(engine: &Engine) -> Names {
    let revisions: BTreeMap<&str, &str> =
        engine.rules().iter().map(|rule| (rule.rule.id.as_str(), rule.revision.as_str())).collect();
    let feeds = engine.feeds();
    let named = |id: &model::RuleId| format!("{id}@{}", revisions.get(id.as_str()).unwrap_or(&""));
    Names { rules: feeds.rules.iter().map(named).collect(), fields: feeds.fields.clone() }
}

impl Correlate for EngineCorrelations {
    fn names(&self) -> &Names {
        &self.names
    }

    fn begin(&self) -> Box<dyn Correlating> {
        self.running(Correlator::new(self.shared.plans.clone(), self.options.clone()))
    }

    fn restore(&self, from: &mut dyn Read) -> Result<Restored, String> {
        let restored = Correlator::restore(self.shared.plans.clone(), self.options.clone(), from);
        let restored = restored.map_err(|error| error.to_string())?;
        Ok(Restored { state: self.running(restored.correlator), dropped: restored.dropped })
    }
}

impl Running {
    fn say(&self, said: &[Statement]) -> Vec<Finding> {
        let voices = &self.shared.voices;
        said.iter().filter(|said| voices.is_raised(said.correlation)).map(|said| voices.say(said)).collect()
    }
}

impl Correlating for Running {
    fn batch(&mut self, batch: &Batch) -> Vec<Finding> {
        let said = self.correlator.batch(batch);
        self.say(&said)
    }

    fn tick(&mut self, now: Time) -> Vec<Finding> {
        let said = self.correlator.tick(now);
        self.say(&said)
    }

    fn snapshot(&self) -> Box<dyn Frozen> {
        Box::new(Copied(self.correlator.snapshot()))
    }

    fn counts(&self) -> Vec<RuleCounts> {
        let counts = self.correlator.counts().correlations.iter();
        self.shared.rules.iter().zip(counts).map(|(rule, counts)| counts_of(rule, counts)).collect()
    }

    fn suspect(&self) -> Option<SetAside> {
        self.shared.rules.get(self.correlator.at_work()?).cloned()
    }

    fn set_aside(&mut self, rule_id: &str) {
        if let Some(at) = self.shared.rules.iter().position(|rule| rule.rule_id == rule_id) {
            self.correlator.set_aside(at);
        }
    }
}

fn counts_of(rule: &SetAside, counts: &Counts) -> RuleCounts {
    RuleCounts {
        rule_id: rule.rule_id.clone(),
        title: rule.title.clone(),
        taken: counts.taken,
        late: counts.late,
        too_late: counts.too_late,
        shed: counts.shed,
        evicted: counts.evicted,
        lost: counts.lost,
        groups: counts.groups,
        bytes: counts.bytes,
        is_aside: counts.is_aside,
    }
}

struct Copied(Snapshot);

impl Frozen for Copied {
    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        self.0.write(to)
    }
}
