//! The engine: a frame in; events, findings and rejects out.
//!
//! In: one frame, and what the line knows about it. Out: calls to a [`Sink`], one `evaluated` or `rejected` for each record, so that
//! their sum is what [`Engine::count`] says. Bound: `limits`; memory is the [`Worker`]'s, reused from frame to frame.
//! Nothing here panics on any bytes; a panic in a rule is contained by the caller.

mod aside;
mod explain;
mod feed;
mod line;
mod over_time;
mod ready;
mod remap;
mod stamp;

use std::borrow::Borrow;
use std::cell::OnceCell;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use model::{Diagnostic, Finding, Lane, Reject, SourceId, Time};

use crate::context::{Context, Discovered, Discovery, Finder};
use crate::correlate::{Feeds, Matched};
use crate::detector::Detector;
use crate::envelope::{LEVELS, Leaf, Opener, is_json, list_keys};
use crate::event::Event;
use crate::extract::first_value;
use crate::field::{Field, Fields, FieldsBuilder};
use crate::finding::Voice;
use crate::frame::{Format, Framer, scan};
use crate::identity::Link;
use crate::json::mend::mended;
use crate::limits::Limits;
use crate::minimise::{ContentKey, Marker};
use crate::record::{Record, Scalar, Scratch};
use crate::sigma::{self, CompiledRule, Linked, Memo, Program, RuleIndex};
use crate::source::routing::Picked;
use crate::source::shown::Remembered;
use crate::source::text::Lines;
use crate::source::{Heads, Source, Unit, time};

pub use explain::ExplainError;
pub use over_time::OverTime;
use ready::Feed;
use stamp::stamped;

/// Where a CloudEvent (specification 1.0, JSON format, §3.1.1) has its data: as JSON or text, and as base64.
const CLOUD_EVENT: (&str, &str) = ("data", "data_base64");
/// Where the envelope of a record says when it happened, if the record does not.
const OUTER_TIMES: [&str; 3] = ["time", "@timestamp", "timestamp"];

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
    /// A record that did not become an event: the bytes, the source that was named for it, and why.
    fn rejected(&mut self, raw: &[u8], source: Option<&SourceId>, reason: Reject);
    /// A record that became an event; called once for each, before its findings.
    fn evaluated(&mut self, event: &Event<'_>);
    /// A rule fired on the event.
    fn finding(&mut self, finding: Finding, event: &Event<'_>);
    /// A rule fired on the event; `make` says how, as a finding. A sink that only counts need not ask for it.
    fn hit(&mut self, rule: &CompiledRule, event: &Event<'_>, make: &mut dyn FnMut() -> Finding) {
        let _ = rule;
        self.finding(make(), event);
    }
    /// The event is a member of correlations; called at most once for each event, behind its findings.
    fn matched(&mut self, matched: Matched) {
        let _ = matched;
    }
    /// What the event shows about who is behind what: never empty, and told only where a correlation asks who is.
    fn linked(&mut self, links: Vec<Link>) {
        let _ = links;
    }
}

/// Memory that one thread reuses from frame to frame.
#[derive(Debug, Default)]
pub struct Worker {
    envelopes: Vec<Scratch>,
    records: Vec<Scratch>,
    memo: Memo,
    remembered: Remembered,
    hits: Vec<RuleIndex>,
    picked: Picked,
    part: Scratch,
    discovery: Discovery,
}

impl Worker {
    /// What this worker's events showed, since it was last asked, that the inventory keeps and does not know.
    pub fn discovered(&mut self) -> Discovered {
        self.discovery.take()
    }

    /// What each rule has cost this worker, if it keeps account: by the order of [`Engine::rules`].
    pub fn profile(&self) -> Option<&sigma::Profile> {
        self.memo.profile()
    }
}

/// Sources and rules, compiled: shared by all threads.
#[derive(Debug)]
pub struct Engine {
    feeds: Vec<Feed>,
    sources: Vec<Source>,
    program: Program,
    linked: Vec<Linked>,
    feeder: feed::Feeder,
    voices: Vec<Voice>,
    fields: Fields,
    opener: Opener,
    containers: Vec<Field>,
    unwrap: Vec<Field>,
    unwrap_base64: Field,
    outer_times: Vec<Field>,
    lines: Lines,
    detectors: Vec<Arc<dyn Detector>>,
    context: Arc<Context>,
    limits: Limits,
    aside: aside::Aside,
}

impl Engine {
    /// Compiles sources and rules; every mistake at once. What cannot be compiled is left out, and the rest works.
    pub fn compile<R: Borrow<sigma::Rule> + Clone + Into<Arc<sigma::Rule>>>(
        sources: Vec<Source>,
        rules: Vec<R>,
        filters: Vec<sigma::Filter>,
        inventory: &sigma::Inventory,
        limits: Limits,
    ) -> (Engine, Vec<Diagnostic>) {
        Engine::with_correlations(sources, rules, filters, Vec::new(), inventory, limits)
    }

    /// As [`Engine::compile`], with correlations of these rules as [`sigma::link`] gives them.
    ///
    /// Shape: an event of a rule that is a member is told to [`Sink::matched`], and a rule that speaks through them alone is silent.
    pub fn with_correlations<R: Borrow<sigma::Rule> + Clone + Into<Arc<sigma::Rule>>>(
        mut sources: Vec<Source>,
        rules: Vec<R>,
        filters: Vec<sigma::Filter>,
        linked: Vec<Linked>,
        inventory: &sigma::Inventory,
        limits: Limits,
    ) -> (Engine, Vec<Diagnostic>) {
        sources.sort_by(|a, b| a.id.cmp(&b.id));
        let transparent = sources.iter().flat_map(|source| source.transparent.iter().map(String::as_str));
        let mut builder = FieldsBuilder::with_transparent(transparent);
        let (program, diagnostics) = sigma::compile(&rules, &filters, inventory, &mut builder);
        let feeder = feed::Feeder::compile(&linked, &program, &mut builder);
        let mut feeds: Vec<Feed> = sources.iter().map(|source| Feed::new(source, &program, &mut builder)).collect();
        let voices = program.rules().iter().map(|rule| Voice::new(rule, &mut builder)).collect();
        let lines = Lines::new(sources.iter().map(|source| source.text_formats().collect()));
        let opener = Opener::new(&sources, &lines);
        let mut containers: Vec<Field> = scan::container_keys().map(|key| builder.intern(key)).collect();
        containers.extend(list_keys(&sources).map(|key| builder.intern(key)));
        let mut unwrap: Vec<Field> = vec![builder.intern(CLOUD_EVENT.0)];
        let unwrap_base64 = builder.intern(CLOUD_EVENT.1);
        for path in sources.iter().flat_map(|source| &source.unwrap) {
            let field = builder.intern(path);
            if !unwrap.contains(&field) {
                unwrap.push(field);
            }
        }
        let outer_times = OUTER_TIMES.iter().map(|path| builder.intern(path)).collect();
        let fields = builder.build();
        feeds.iter_mut().for_each(|feed| feed.plan.finish(&feed.source, &fields));
        let engine = Engine {
            feeds,
            sources,
            program,
            linked,
            feeder,
            voices,
            fields,
            opener,
            lines,
            containers,
            unwrap,
            unwrap_base64,
            outer_times,
            detectors: Vec::new(),
            context: Arc::default(),
            limits,
            aside: aside::Aside::default(),
        };
        (engine, diagnostics)
    }

    /// Makes digests of sensitive values under `key`. Without one they are plain digests, which tell who guesses a value that it was said.
    pub fn with_content_key(mut self, key: &ContentKey) -> Engine {
        self.feeds.iter_mut().for_each(|feed| feed.plan.guard.marker = Marker::with(key.clone()));
        self
    }

    /// Has these look at prompts.
    pub fn with_detectors(self, detectors: Vec<Arc<dyn Detector>>) -> Engine {
        Engine { detectors, ..self }
    }

    /// Has findings say what is known about their entities.
    pub fn with_context(mut self, context: Arc<Context>) -> Engine {
        for feed in &mut self.feeds {
            feed.finder = Finder::new(&feed.source.id, feed.plan.entity_readers(), &context);
        }
        Engine { context, ..self }
    }

    /// What findings are told of their entities, and what discovery takes for known.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The sources, in order of id.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The compiled rules.
    pub fn rules(&self) -> &[CompiledRule] {
        self.program.rules()
    }

    /// The correlations, each behind those that it is built on.
    pub fn correlations(&self) -> &[Linked] {
        &self.linked
    }

    /// Which rules feed them, and what is read of their events.
    pub fn feeds(&self) -> &Feeds {
        &self.feeder.feeds
    }

    /// How many rules look at some record of each source, in order of the sources.
    pub fn rule_counts(&self) -> Vec<usize> {
        self.feeds.iter().map(|feed| feed.routing.rules()).collect()
    }

    /// The limits.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Which lines of a stream name the columns of those that follow, as its sources say.
    pub fn heads(&self) -> Heads {
        self.lines.heads().clone()
    }

    /// A framer for streams of its sources.
    pub fn framer(&self, format: Format) -> Framer {
        Framer::with_heads(format, self.limits, self.heads())
    }

    /// Memory for one thread.
    pub fn worker(&self) -> Worker {
        Worker {
            envelopes: (0..LEVELS).map(|_| Scratch::default()).collect(),
            records: (0..LEVELS).map(|_| Scratch::new(&self.fields)).collect(),
            ..Worker::default()
        }
    }

    /// Memory for one thread that also keeps account of what each rule costs; `clock` gives the time, in any unit.
    pub fn profiled_worker(&self, clock: fn() -> u64) -> Worker {
        Worker { memo: Memo::profiled(sigma::Profile::new(clock)), ..self.worker() }
    }

    /// Evaluates one frame: opens its envelopes and tells `sink` about each record.
    pub fn evaluate(&self, worker: &mut Worker, frame: &[u8], given: &Given, sink: &mut dyn Sink) {
        let Ok(text) = simdutf8::basic::from_utf8(frame) else {
            return sink.rejected(frame, given.source.as_ref(), Reject::NotUtf8);
        };
        let Worker { envelopes, records, memo, remembered, hits, picked, part, discovery } = worker;
        let feed = match &given.source {
            None => None,
            Some(id) => match self.feeds.iter().find(|feed| feed.source.id == *id) {
                Some(feed) => Some(feed),
                None => {
                    let mut reject =
                        |leaf: Leaf<'_>| sink.rejected(leaf.text().as_bytes(), Some(id), Reject::UnknownSource);
                    return self.opener.open(text, &self.limits, envelopes, &mut reject);
                }
            },
        };
        let is_mended = false;
        let mut pass =
            Pass { engine: self, given, feed, is_mended, sink, memo, remembered, hits, picked, part, discovery };
        if pass.plain(text, records) {
            return;
        }
        self.opener.open(text, &self.limits, envelopes, &mut |leaf| pass.leaf(leaf, records));
    }

    /// How many records the frame holds once its envelopes are opened: the receiving side of the ledger.
    pub fn count(&self, worker: &mut Worker, frame: &[u8], _given: &Given) -> u64 {
        let Ok(text) = simdutf8::basic::from_utf8(frame) else { return 1 };
        let mut count = 0;
        self.opener.open(text, &self.limits, &mut worker.envelopes, &mut |_| count += 1);
        count
    }

    /// The rule called `name`: its id, title, name or file stem, in any case.
    pub fn rule(&self, name: &str) -> Option<&CompiledRule> {
        self.rule_index(name).map(|at| &self.program.rules()[at])
    }

    fn rule_index(&self, name: &str) -> Option<usize> {
        let same = |text: &str| text.eq_ignore_ascii_case(name);
        self.program.rules().iter().position(|compiled| {
            let rule = &compiled.rule;
            let file = rule.file.rsplit(['/', '\\']).next().unwrap_or_default();
            let stem = file.split_once('.').map_or(file, |(stem, _)| stem);
            same(rule.id.as_str()) || same(&rule.title) || rule.name.as_deref().is_some_and(same) || same(stem)
        })
    }
}

impl Leaf<'_> {
    fn text(&self) -> &str {
        match self {
            Leaf::Json(text) | Leaf::Part(text, _) | Leaf::Text(text) | Leaf::Broken(text, _) => text,
        }
    }
}

/// One frame on its way.
struct Pass<'e, 's> {
    engine: &'e Engine,
    given: &'e Given,
    /// The source that the input names.
    feed: Option<&'e Feed>,
    /// Were numbers of the record made texts, so that it is JSON?
    is_mended: bool,
    sink: &'s mut dyn Sink,
    memo: &'s mut Memo,
    remembered: &'s mut Remembered,
    hits: &'s mut Vec<RuleIndex>,
    picked: &'s mut Picked,
    part: &'s mut Scratch,
    discovery: &'s mut Discovery,
}

impl<'e> Pass<'e, '_> {
    /// The common case: the frame is one JSON object and no container. Says whether it was.
    fn plain(&mut self, text: &str, scratches: &mut [Scratch]) -> bool {
        let text = text.trim();
        let Some((scratch, deeper)) = scratches.split_first_mut() else { return false };
        if !text.starts_with('{')
            || first_value(&self.engine.fields, text, scratch, &self.engine.limits) != Ok(text.len())
        {
            return false;
        }
        let record = scratch.record(text, false);
        if self.engine.containers.iter().any(|key| record.is_present(*key)) {
            return false;
        }
        if let Err(reason) = self.json(text, scratch, None, deeper) {
            self.reject(text, reason);
        }
        true
    }

    fn leaf(&mut self, leaf: Leaf<'_>, scratches: &mut [Scratch]) {
        let outcome = match leaf {
            Leaf::Json(text) | Leaf::Text(text) => self.text(text, None, scratches),
            Leaf::Part(text, source) => {
                let named = self.feed.replace(&self.engine.feeds[source]);
                let outcome = self.text(text, None, scratches);
                self.feed = named;
                outcome
            }
            Leaf::Broken(_, reason) => Err(reason),
        };
        if let Err(reason) = outcome {
            self.reject(leaf.text(), reason);
        }
    }

    fn reject(&mut self, text: &str, reason: Reject) {
        self.sink.rejected(text.as_bytes(), self.given.source.as_ref(), reason);
    }

    /// A record as text: JSON, a line, or a line with JSON in it.
    fn text(&mut self, text: &str, outer: Option<Time>, scratches: &mut [Scratch]) -> Result<(), Reject> {
        let text = text.trim();
        let (scratch, deeper) = scratches.split_first_mut().ok_or(Reject::TooDeep)?;
        if is_json(text) {
            return match first_value(&self.engine.fields, text, scratch, &self.engine.limits) {
                Ok(end) if end == text.len() => self.json(text, scratch, outer, deeper),
                Err(reason) if reason != Reject::NotJson => Err(reason),
                _ => self.mended(text, outer, deeper),
            };
        }
        match self.line(text, outer, scratch, deeper) {
            Err(Reject::UnknownSource | Reject::WrongSource) => {}
            outcome => return outcome,
        }
        match stamped(text) {
            Some((time, json)) => self.text(json, Some(time), deeper),
            None if self.feed.is_some_and(|feed| feed.plan.texts.is_empty()) => Err(Reject::NotJson),
            None => Err(self.unknown()),
        }
    }

    /// What is JSON but for numbers that it has no word for, if its source reads such.
    fn mended(&mut self, text: &str, outer: Option<Time>, scratches: &mut [Scratch]) -> Result<(), Reject> {
        let text = mended(text).ok_or(Reject::NotJson)?;
        let before = std::mem::replace(&mut self.is_mended, true);
        let outcome = self.text(&text, outer, scratches);
        self.is_mended = before;
        outcome.map_err(|reason| if reason == Reject::UnknownSource { Reject::NotJson } else { reason })
    }

    fn unknown(&self) -> Reject {
        if self.feed.is_some() { Reject::WrongSource } else { Reject::UnknownSource }
    }

    /// A JSON record, or one that stands inside of it.
    fn json(
        &mut self,
        text: &str,
        scratch: &mut Scratch,
        outer: Option<Time>,
        deeper: &mut [Scratch],
    ) -> Result<(), Reject> {
        let engine = self.engine;
        let record = scratch.record(text, false);
        let found = match self.feed {
            Some(feed) => feed.plan.recognises(&record).then_some(feed),
            None => engine.feeds.iter().find(|feed| feed.plan.recognises(&record)),
        };
        if let Some(feed) = found {
            if self.is_mended && !feed.source.reads_nan {
                return Err(Reject::NotJson);
            }
            if feed.source.remap.is_some() {
                return self.remapped(feed, text, outer, scratch);
            }
            feed.plan.inside.read_json(&engine.fields, scratch, text)?;
            self.shape(feed, text, scratch);
            return self.event(feed, scratch.record(text, false), outer);
        }
        let outer =
            engine.outer_times.iter().find_map(|path| time::read(record.values(*path).next()?, Unit::Auto)).or(outer);
        let mut reason = self.unknown();
        for path in &engine.unwrap {
            let inner = match record.values(*path).next() {
                Some(Scalar::Composite(text)) if text.starts_with('{') => text,
                Some(Scalar::Str(text)) if !text.trim().is_empty() => text,
                _ => continue,
            };
            match self.text(inner, outer, deeper) {
                Ok(()) => return Ok(()),
                // Free text under `message` says nothing about the record; what was recognised and then failed does.
                Err(Reject::UnknownSource | Reject::WrongSource | Reject::NotJson) => {}
                Err(inner) => reason = inner,
            }
        }
        if let Some(Scalar::Str(packed)) = record.values(engine.unwrap_base64).next()
            && let Some(inner) = BASE64.decode(packed).ok().and_then(|bytes| String::from_utf8(bytes).ok())
        {
            return self.text(&inner, outer, deeper);
        }
        Err(reason)
    }

    /// Puts the record of a known source into the shape that rules expect, and finds the rules that look at it.
    fn shape(&mut self, feed: &Feed, text: &str, scratch: &mut Scratch) {
        for pairs in &feed.pairs {
            pairs.apply(text, &self.engine.fields, &self.engine.limits, scratch, self.part);
        }
        feed.names.apply(scratch);
        if let Some(prompts) = &feed.prompts {
            prompts.look(&self.engine.detectors, text, scratch);
        }
        feed.routing.pick(&scratch.record(text, false), self.picked);
        feed.routing.sets(self.picked).for_each(|set| set.names.apply(scratch));
    }

    /// A record of a known source, in shape.
    fn event(&mut self, feed: &'e Feed, record: Record<'_>, outer: Option<Time>) -> Result<(), Reject> {
        let told = match (feed.plan.time(&record), outer) {
            (Ok(Some(time)), _) | (Ok(None) | Err(_), Some(time)) => Some(time),
            (Ok(None), None) => None,
            (Err(reason), None) => return Err(reason),
        };
        let event = Event {
            source: &feed.source,
            plan: &feed.plan,
            record,
            // A record that does not say when it happened is no reason to look away: receipt bounds it from above.
            time: told.unwrap_or(self.given.received),
            is_time_of_receipt: told.is_none(),
            received: self.given.received,
            lane: self.given.lane,
            id: OnceCell::new(),
            columns: OnceCell::new(),
            entities: OnceCell::new(),
            hidden: OnceCell::new(),
        };
        self.sink.evaluated(&event);
        // Samples, tests and exercises show nothing of the lab.
        if !feed.finder.is_empty() && event.lane() == Lane::Live {
            self.discovery.note(&feed.finder, &self.engine.context, &event);
        }
        self.hold(feed, &record, event.time());
        let engine = self.engine;
        for rule in self.hits.iter().filter(|rule| !engine.feeder.is_silent(**rule)) {
            let compiled = &engine.program.rules()[rule.index()];
            let mut make = || {
                let shown = |span, text: &str| event.show(span, text).into_owned();
                let matched = engine.program.matched_terms_at(*rule, &record, event.time(), &shown);
                let mut finding = engine.voices[rule.index()].say(compiled, &event, &feed.sentence, matched);
                engine.context.enrich(&mut finding);
                finding
            };
            self.sink.hit(compiled, &event, &mut make);
        }
        self.feed(feed, &event);
        Ok(())
    }

    /// Tells what correlations need of the event.
    #[inline]
    fn feed(&mut self, feed: &Feed, event: &Event<'_>) {
        let Engine { feeder, voices, .. } = self.engine;
        if let Some(matched) = feeder.matched(self.hits, feed, voices, event) {
            self.sink.matched(matched);
        }
        if feeder.feeds.wants_identity {
            let links = event.links_by(self.remembered);
            if !links.is_empty() {
                self.sink.linked(links);
            }
        }
    }

    /// Holds the rules that look at the record against it.
    fn hold(&mut self, feed: &Feed, record: &Record<'_>, time: Time) {
        let Pass { engine, memo, hits, picked, .. } = self;
        hits.clear();
        memo.set_time(time);
        for set in feed.routing.sets(picked) {
            let rules = set.rules(&engine.program);
            let left = engine.aside.left_of(rules);
            engine.program.evaluate(left.as_ref().unwrap_or(rules), record, memo, &mut |rule| hits.push(rule));
        }
        if picked.len() > 1 {
            hits.sort_unstable();
            hits.dedup();
        }
    }
}
