//! Both engines over one stream: what fires in which group, and when.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::correlate::{Batch, Correlations, Correlator, Detail, Feeds, Matched, Options, Progress, Statement};
use engine::sigma::{self, Document, Filter, Inventory, Linked, LogSource, Memo, Program, Rule, RuleSet};
use engine::{Diagnostic, Fields, FieldsBuilder, Limits, Scratch};
use model::{EventId, Lane, SourceId, Standing, Time};
use peers::OverTime;
use serde_json::Value;

/// An event: its own time in seconds since 1970, and its record.
pub type Event = (i64, Value);
/// Correlation by title, and group.
pub type Key = (String, String);
/// The times at which each fired, in order.
pub type Firings = BTreeMap<Key, Vec<i64>>;

/// A group in one text.
pub fn group(fields: &[(String, String)]) -> String {
    fields.iter().map(|(field, value)| format!("{field}={value}")).collect::<Vec<_>>().join(",")
}

/// What RSigma says; it fires anew at each further event.
pub fn theirs(texts: &[&str], events: &[Event]) -> Result<Firings, String> {
    let mut peer = OverTime::load(texts.iter().copied())?;
    let mut firings = Firings::new();
    for (seconds, record) in events {
        for fired in peer.event(record, *seconds) {
            let times = firings.entry((fired.title, group(&fired.group))).or_default();
            if times.last() != Some(seconds) {
                times.push(*seconds);
            }
        }
    }
    Ok(firings)
}

/// Watchkeep's correlations, with the rules beneath; records of any log source.
pub struct Ours {
    pub linked: Vec<Linked>,
    feeds: Feeds,
    program: Program,
    set: RuleSet,
    fields: Fields,
    scratch: Scratch,
    memo: Memo,
    pub correlator: Correlator,
    reached: i64,
}

impl Ours {
    /// Compiles rules, filters and correlations.
    ///
    /// Errors: what makes them unusable.
    pub fn load(texts: &[&str], options: Options) -> Result<Ours, String> {
        let (rules, filters, linked) = read(texts)?;
        let feeds = Feeds::of(&linked);
        let plans = Correlations::compile(&linked, &feeds, &Inventory::new(), &|_| vec![SourceId::new("made")]);
        let mut builder = FieldsBuilder::new();
        let (program, told) = sigma::compile(&rules, &filters, &Inventory::new(), &mut builder);
        refuse(&told)?;
        let fields = builder.build();
        let everywhere: Vec<LogSource> = rules.iter().map(|rule| rule.logsource.clone()).collect();
        let (set, scratch) = (program.applicable(&everywhere), Scratch::new(&fields));
        let correlator = Correlator::new(Arc::new(plans), options);
        Ok(Ours { linked, feeds, program, set, fields, scratch, memo: Memo::default(), correlator, reached: i64::MIN })
    }

    /// What is said of these events in the end, from the beginning: the times at which findings first held.
    pub fn firings(&mut self, events: &[Event]) -> Firings {
        self.correlator = Correlator::new(self.correlator.correlations().clone(), Options::default());
        self.reached = i64::MIN;
        let mut said = Vec::new();
        for (id, event) in events.iter().enumerate() {
            said.extend(self.event(event, id));
        }
        said.extend(self.correlator.finish());
        let mut firings = Firings::new();
        for said in said.iter().filter(|said| said.standing == Standing::Final) {
            let title = self.linked[said.correlation].correlation.title.clone();
            firings.entry((title, group(&said.group))).or_default().push(said.episode.held.millis() / 1000);
        }
        firings.values_mut().for_each(|times| times.sort_unstable());
        firings
    }

    /// Shows it an event; `id` is its identity.
    fn event(&mut self, event: &Event, id: usize) -> Vec<Statement> {
        self.reached = self.reached.max(event.0);
        let matched = self.matched(event.0, &event.1, id);
        self.batch(matched.into_iter().collect())
    }

    /// Shows it events in order, a thousand at once; each is another.
    pub fn events(&mut self, events: &[Event]) -> Vec<Statement> {
        let mut said = Vec::new();
        for (nth, batch) in events.chunks(1000).enumerate() {
            self.reached = batch.iter().map(|event| event.0).max().unwrap_or_default();
            let numbered = batch.iter().enumerate().map(|(at, event)| (nth * 1000 + at, event));
            let matched = numbered.filter_map(|(id, event)| self.matched(event.0, &event.1, id)).collect();
            said.extend(self.batch(matched));
        }
        said
    }

    fn batch(&mut self, matched: Vec<Matched>) -> Vec<Statement> {
        let reached = Time::from_millis(self.reached * 1000);
        let progress = Progress {
            source: SourceId::new("made"),
            partition: "one".into(),
            lane: Lane::Live,
            time: reached,
            received: reached,
        };
        self.correlator.batch(&Batch { matched, links: Vec::new(), progress: vec![progress] })
    }

    fn matched(&mut self, seconds: i64, record: &Value, id: usize) -> Option<Matched> {
        let text = record.to_string();
        let record_read = engine::extract::extract(&self.fields, &text, &mut self.scratch, &Limits::default())
            .unwrap_or_else(|reject| panic!("{reject}: {text}"));
        let (program, feeds) = (&self.program, &self.feeds);
        let mut rules = Vec::new();
        program.evaluate(&self.set, &record_read, &mut self.memo, &mut |hit| {
            let id = &program.rule(hit).rule.id;
            rules.extend(feeds.rules.iter().position(|feeding| feeding == id).map(|at| at as u32));
        });
        rules.sort_unstable();
        let values = |(at, field): (usize, &String)| {
            let mut found = Vec::new();
            lookup(record, field, &mut found);
            (!found.is_empty()).then(|| (at as u32, found.into_iter().map(Arc::from).collect()))
        };
        let time = Time::from_millis(seconds * 1000);
        (!rules.is_empty()).then(|| Matched {
            time,
            id: EventId::of(&[&id.to_be_bytes()]),
            rules: rules.into(),
            fields: feeds.fields.iter().enumerate().filter_map(values).collect(),
            actor: None,
            lane: Lane::Live,
            detail: Arc::new(Detail {
                source: SourceId::new("made"),
                received: time,
                brief: "made".into(),
                entities: Arc::default(),
                fields: Box::default(),
            }),
        })
    }
}

/// What Watchkeep says in the end: the times at which findings first held.
pub fn ours(texts: &[&str], events: &[Event]) -> Result<Firings, String> {
    Ok(Ours::load(texts, Options::default())?.firings(events))
}

type Parts = (Vec<Rule>, Vec<Filter>, Vec<Linked>);

fn read(texts: &[&str]) -> Result<Parts, String> {
    let (mut rules, mut filters, mut correlations) = (Vec::new(), Vec::new(), Vec::new());
    let mut told = Vec::new();
    for text in texts {
        let (documents, diagnostics) = sigma::parse(text);
        told.extend(diagnostics);
        for document in documents {
            match document {
                Document::Rule(rule) => rules.push(rule),
                Document::Filter(filter) => filters.push(filter),
                Document::Correlation(correlation) => correlations.push(correlation),
            }
        }
    }
    let (linked, diagnostics) = sigma::link(&rules, &correlations);
    told.extend(diagnostics);
    refuse(&told)?;
    Ok((rules, filters, linked))
}

fn refuse(told: &[Diagnostic]) -> Result<(), String> {
    told.iter().find(|told| told.is_error()).map_or(Ok(()), |told| Err(told.to_string()))
}

/// Every value under `path`; lists count as their elements.
fn lookup(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| lookup(element, path, found)),
        Value::Object(entries) => {
            for (key, inner) in entries {
                if key == path {
                    texts(inner, found);
                } else if let Some(rest) = path.strip_prefix(key.as_str()).and_then(|rest| rest.strip_prefix('.')) {
                    lookup(inner, rest, found);
                }
            }
        }
        _ => {}
    }
}

/// The values that stand here, as text.
pub fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| texts(element, found)),
        Value::String(text) => found.push(text.clone()),
        Value::Number(_) | Value::Bool(_) => found.push(value.to_string()),
        Value::Null | Value::Object(_) => {}
    }
}
