//! Detection over time with the engine's correlations: batches of facts in, findings out.

use std::sync::Arc;

use model::{Finding, RuleId, SourceId};

use super::Engine;
use crate::correlate::{AllCounts, Batch, Correlations, Correlator, Live, Options, Statement, Voices, Wanted};

/// Correlations that run, each with its voice. One thread owns it.
#[derive(Debug)]
pub struct OverTime {
    correlator: Correlator,
    voices: Voices,
    /// Are those heard that speak through others alone?
    hears_all: bool,
}

impl Engine {
    /// The correlations, ready to be run.
    pub fn correlator_plans(&self) -> Correlations {
        Correlations::compile(&self.linked, self.feeds(), self.program.inventory(), &|rule| self.sources_of(rule))
    }

    /// What the correlations' findings are said with.
    pub fn voices(&self) -> Voices {
        let title = |id: &RuleId| {
            let compiled = self.program.rules().iter().find(|compiled| compiled.rule.id == *id);
            compiled.map_or_else(|| id.to_string(), |compiled| compiled.rule.title.clone())
        };
        Voices::of(&self.linked, &title).with_context(self.context.clone())
    }

    /// Runs the correlations from the beginning; `None` where there are none.
    pub fn over_time(&self, options: Options) -> Option<OverTime> {
        let start = || OverTime {
            correlator: Correlator::new(Arc::new(self.correlator_plans()), options),
            voices: self.voices(),
            hears_all: false,
        };
        (!self.linked.is_empty()).then(start)
    }

    /// The sources of which some record can match the rule.
    fn sources_of(&self, rule: &RuleId) -> Vec<SourceId> {
        let Some(compiled) = self.program.rules().iter().find(|compiled| compiled.rule.id == *rule) else {
            return Vec::new();
        };
        let carries = |theirs| compiled.rule.logsource.applies_to(theirs);
        let sources = self.sources.iter().filter(|source| source.logsources.iter().any(carries));
        sources.map(|source| source.id.clone()).collect()
    }
}

impl OverTime {
    /// Tells as well what is found by correlations that speak only through those above: for tests of them.
    #[must_use]
    pub fn hearing_all(self) -> OverTime {
        OverTime { hears_all: true, ..self }
    }

    /// Takes a batch in, and says what it comes to.
    pub fn batch(&mut self, batch: &Batch) -> Vec<Finding> {
        let said = self.correlator.batch(batch);
        self.say(&said)
    }

    /// Takes a batch in without a word: whoever waits for the end need not hear what may yet change.
    pub fn take(&mut self, batch: &Batch) {
        self.correlator.batch(batch);
    }

    /// Everything has come: says what is now certain.
    pub fn finish(&mut self) -> Vec<Finding> {
        let said = self.correlator.finish();
        self.say(&said)
    }

    fn say(&self, said: &[Statement]) -> Vec<Finding> {
        let heard = said.iter().filter(|said| self.hears_all || self.voices.is_raised(said.correlation));
        heard.map(|said| self.voices.say(said)).collect()
    }

    /// The groups of a correlation as they stand, at most `most` of those that `is_wanted` takes.
    pub fn live(&self, correlation: usize, is_wanted: &Wanted<'_>, most: usize) -> Vec<Live> {
        self.correlator.live(correlation, is_wanted, most)
    }

    /// The titles of a correlation's members, in their order.
    pub fn parts(&self, correlation: usize) -> &[String] {
        self.voices.parts(correlation)
    }

    /// What became of the facts.
    pub fn counts(&self) -> &AllCounts {
        self.correlator.counts()
    }
}
