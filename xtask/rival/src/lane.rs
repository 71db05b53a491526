//! Rules, events, and the one held against the other.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use rsigma_eval::event::JsonEvent;
use rsigma_eval::{Engine, EvaluationResult, MatchDetailLevel};
use rsigma_parser::LogSource;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

/// RSigma with its rules compiled.
pub struct Rules {
    engine: Engine,
    /// What it could not read or compile, and why.
    pub refused: Vec<String>,
}

/// Events, one a line, and what each is told to be.
pub struct Events {
    bytes: Vec<u8>,
    tags: Vec<usize>,
    told: Vec<LogSource>,
}

/// What is done with an event.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Parse, and the rules of its log source.
    Routed,
    /// Parse, and all rules.
    All,
    /// Parse.
    Parse,
}

impl What {
    /// By its name.
    pub fn of(name: &str) -> anyhow::Result<What> {
        match name {
            "routed" => Ok(What::Routed),
            "all" => Ok(What::All),
            "parse" => Ok(What::Parse),
            _ => anyhow::bail!("`{name}` is none of `routed`, `all` and `parse`"),
        }
    }
}

impl Rules {
    /// The rules of a file; `options` is `plain`, `automaton` (one over the substrings of all rules) or `bloom`.
    pub fn load(file: &Path, options: &str) -> anyhow::Result<Rules> {
        let copies: Vec<(String, Option<String>)> = serde_json::from_slice(&std::fs::read(file)?)?;
        let mut engine = engine();
        match options {
            "plain" => {}
            "automaton" => engine.set_cross_rule_ac(true),
            "bloom" => engine.set_bloom_prefilter(true),
            _ => anyhow::bail!("`{options}` is none of `plain`, `automaton` and `bloom`"),
        }
        let (mut rules, mut refused) = (Vec::new(), Vec::new());
        for (text, category) in &copies {
            match rsigma_parser::parse_sigma_yaml(text) {
                Err(error) => refused.push(error.to_string()),
                Ok(found) => {
                    refused.extend(found.errors);
                    for mut rule in found.rules {
                        if category.is_some() {
                            rule.logsource.category.clone_from(category);
                        }
                        rules.push(rule);
                    }
                }
            }
        }
        // One call, so that its indexes are built once.
        refused.extend(engine.add_rules(&rules).into_iter().map(|(_, error)| error.to_string()));
        Ok(Rules { engine, refused })
    }

    /// How many rules.
    pub fn count(&self) -> usize {
        self.engine.rule_count()
    }

    /// Processor seconds of this thread, and pairs of rule and event.
    pub fn run(&self, events: &Events, what: What) -> anyhow::Result<Value> {
        let began = seconds();
        let mut pairs = 0;
        self.each(events, what, |found| pairs += found.len())?;
        Ok(json!({"seconds": seconds() - began, "pairs": pairs}))
    }

    /// How often each rule matched.
    pub fn matches(&self, events: &Events, what: What) -> anyhow::Result<Value> {
        let mut matches = BTreeMap::<String, u64>::new();
        self.each(events, what, |found| {
            for result in found {
                *matches.entry(result.header.rule_id.clone().unwrap_or_default()).or_default() += 1;
            }
        })?;
        Ok(json!(matches))
    }

    fn each(&self, events: &Events, what: What, mut f: impl FnMut(&[EvaluationResult])) -> anyhow::Result<()> {
        let mut begin = 0;
        for (end, tag) in memchr::memchr_iter(b'\n', &events.bytes).zip(&events.tags) {
            let line = &events.bytes[std::mem::replace(&mut begin, end + 1)..end];
            // The parse that RSigma's own command line uses.
            let event: Value = serde_json::from_slice(line)?;
            let found = match what {
                What::Routed => self.engine.evaluate_pruned(&JsonEvent::borrow(&event), &events.told[*tag]),
                What::All => self.engine.evaluate(&JsonEvent::borrow(&event)),
                What::Parse => {
                    std::hint::black_box(&event);
                    continue;
                }
            };
            f(&found);
        }
        Ok(())
    }
}

/// Without the detail of matches, and without the event in them.
pub fn engine() -> Engine {
    let mut engine = Engine::new();
    engine.set_match_detail(MatchDetailLevel::Off);
    engine.set_include_event(false);
    engine
}

impl Events {
    /// The lines of a file; `tags` has for each its place in `told`, a list of `[product, category, service]`.
    pub fn load(file: &Path, tags: &Value, told: &Value) -> anyhow::Result<Events> {
        let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let tags: Vec<usize> = serde_json::from_value(tags.clone())?;
        let told: Vec<[Option<String>; 3]> = serde_json::from_value(told.clone())?;
        let logsource = |[product, category, service]: [Option<String>; 3]| LogSource {
            product,
            category,
            service,
            ..LogSource::default()
        };
        let told: Vec<LogSource> = told.into_iter().map(logsource).collect();
        let lines = memchr::memchr_iter(b'\n', &bytes).count();
        anyhow::ensure!(lines == tags.len(), "{lines} events and {} tags", tags.len());
        anyhow::ensure!(tags.iter().all(|tag| *tag < told.len()), "a tag has no log source");
        Ok(Events { bytes, tags, told })
    }

    /// How many events.
    pub fn count(&self) -> usize {
        self.tags.len()
    }
}

fn seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
