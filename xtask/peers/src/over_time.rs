//! RSigma's correlations, as a library. It judges in the order of arrival, in whole seconds.

use rsigma_eval::event::JsonEvent;
use rsigma_eval::{CorrelationConfig, CorrelationEngine, EvaluationResult};
use rsigma_parser::{SigmaCollection, parse_sigma_yaml};

use crate::Event;

/// A correlation that fired in one group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fired {
    /// The correlation's title.
    pub title: String,
    /// The fields of the group with their values; those that the event lacks are left out.
    pub group: Vec<(String, String)>,
}

/// RSigma with rules and correlations, as it is set up by default. One thread owns it.
pub struct OverTime {
    engine: CorrelationEngine,
}

impl OverTime {
    /// Compiles rules, filters and correlations.
    ///
    /// Errors: the first thing that RSigma refuses, in its words.
    pub fn load<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<OverTime, String> {
        let mut all = SigmaCollection::new();
        for text in texts {
            let found = parse_sigma_yaml(text).map_err(|error| error.to_string())?;
            if let Some(error) = found.errors.first() {
                return Err(error.clone());
            }
            all.rules.extend(found.rules);
            all.filters.extend(found.filters);
            all.correlations.extend(found.correlations);
        }
        let mut engine = CorrelationEngine::new(CorrelationConfig::default());
        engine.add_collection(&all).map_err(|error| error.to_string())?;
        Ok(OverTime { engine })
    }

    /// Shows it an event of a time, seconds since 1970; gives what fires.
    pub fn event(&mut self, event: &Event, seconds: i64) -> Vec<Fired> {
        let results = self.engine.process_event_at(&JsonEvent::borrow(event), seconds);
        results.iter().filter_map(fired).collect()
    }

    /// How many groups it keeps.
    pub fn groups(&self) -> usize {
        self.engine.state_count()
    }
}

fn fired(result: &EvaluationResult) -> Option<Fired> {
    let body = result.as_correlation()?;
    Some(Fired { title: result.header.rule_title.clone(), group: body.group_key.clone() })
}
