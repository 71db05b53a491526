//! The engine: a frame in; events, findings and rejects out.

use std::collections::BTreeMap;

use model::{Diagnostic, Entity, EventId, Finding, Lane, Reject, SourceId, Time};

use crate::limits::Limits;
use crate::record::{Record, Scratch};
use crate::sigma;
use crate::source::Source;

/// What the line knows about a frame before it is read.
#[derive(Clone, Debug)]
pub struct Given {
    /// The source that the input names; `None` to recognise it.
    pub source: Option<SourceId>,
    /// When the frame reached us.
    pub received: Time,
    /// Why it is on the line.
    pub lane: Lane,
}

/// Takes what evaluation gives.
pub trait Sink {
    /// A record that did not become an event: the bytes, its source where that is known, and why.
    fn rejected(&mut self, raw: &[u8], source: Option<&SourceId>, reason: Reject);
    /// A record that became an event and was held against every rule that applies; called once for each, before its findings.
    fn evaluated(&mut self, event: &Event<'_>);
    /// A rule fired on the event.
    fn finding(&mut self, finding: Finding, event: &Event<'_>);
}

/// Memory that one thread reuses from frame to frame.
#[derive(Debug, Default)]
pub struct Worker {
    scratches: Vec<Scratch>,
}

/// A record that became an event. Its time is known; all else is worked out when asked for.
#[derive(Debug)]
pub struct Event<'a> {
    engine: &'a Engine,
    source: usize,
    record: Record<'a>,
    time: Time,
    received: Time,
    lane: Lane,
}

impl<'a> Event<'a> {
    /// The event's id: a digest of its source and the record's own identity.
    pub fn id(&self) -> EventId {
        EventId::of(&[self.source().id.as_str().as_bytes(), self.raw().as_bytes()])
    }

    /// Its source.
    pub fn source(&self) -> &'a Source {
        &self.engine.sources[self.source]
    }

    /// When it happened.
    pub fn time(&self) -> Time {
        self.time
    }

    /// When its record reached us.
    pub fn received(&self) -> Time {
        self.received
    }

    /// Why it is on the line.
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// The record, as it came.
    pub fn raw(&self) -> &'a str {
        self.record.raw()
    }

    /// The values that rules and mappings read.
    pub fn record(&self) -> Record<'a> {
        self.record
    }

    /// OCSF columns, such as `api.operation`.
    pub fn columns(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// The things that it is about, without repeats, in order.
    pub fn entities(&self) -> Vec<Entity> {
        Vec::new()
    }

    /// The event as OCSF.
    pub fn to_ocsf(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    /// The record with each sensitive value replaced by its size and digest.
    pub fn redacted(&self) -> String {
        self.raw().to_owned()
    }
}

/// Why a record cannot be explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExplainError {
    /// No rule has this id, title, name or file.
    UnknownRule(String),
    /// The frame holds no record that can be read.
    Rejected(Reject),
    /// The rule does not look at this source.
    OtherSource {
        /// The rule's title.
        rule: String,
        /// The record's source.
        source: SourceId,
    },
}

impl std::fmt::Display for ExplainError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ExplainError::UnknownRule(name) => write!(f, "no rule has the id, title, name or file `{name}`"),
            ExplainError::Rejected(reason) => write!(f, "the record cannot be read: {}", reason.explain()),
            ExplainError::OtherSource { rule, source } => write!(f, "rule `{rule}` does not look at source `{source}`"),
        }
    }
}

impl std::error::Error for ExplainError {}

/// Sources and rules, compiled: shared by all threads.
#[derive(Debug)]
pub struct Engine {
    sources: Vec<Source>,
    program: sigma::Program,
    limits: Limits,
}

impl Engine {
    /// Compiles sources and rules; every mistake at once. What cannot be compiled is left out, and the rest works.
    pub fn compile(
        sources: Vec<Source>,
        rules: Vec<sigma::Rule>,
        filters: Vec<sigma::Filter>,
        inventory: &sigma::Inventory,
        limits: Limits,
    ) -> (Engine, Vec<Diagnostic>) {
        let mut fields = crate::field::FieldsBuilder::new();
        let (program, diagnostics) = sigma::compile(&rules, &filters, inventory, &mut fields);
        (Engine { sources, program, limits }, diagnostics)
    }

    /// The sources, in order of id.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The compiled rules.
    pub fn rules(&self) -> &[sigma::CompiledRule] {
        self.program.rules()
    }

    /// The limits.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Memory for one thread.
    pub fn worker(&self) -> Worker {
        Worker::default()
    }

    /// Evaluates one frame: opens its envelopes and tells `sink` about each record.
    pub fn evaluate(&self, worker: &mut Worker, frame: &[u8], given: &Given, sink: &mut dyn Sink) {
        let _ = (&worker.scratches, given);
        sink.rejected(frame, None, Reject::UnknownSource);
    }

    /// How many records the frame holds once its envelopes are opened: the receiving side of the ledger.
    pub fn count(&self, worker: &mut Worker, frame: &[u8], given: &Given) -> u64 {
        let _ = (worker, frame, given);
        1
    }

    /// Explains what the rule named `rule` (id, title, name or file stem) makes of each record of the frame.
    pub fn explain(&self, rule: &str, frame: &[u8], given: &Given) -> Result<Vec<sigma::Explanation>, ExplainError> {
        let _ = (frame, given);
        Err(ExplainError::UnknownRule(rule.to_owned()))
    }
}
