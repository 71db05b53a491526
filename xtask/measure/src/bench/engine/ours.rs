//! Watchkeep's engine as lanes: whole, without routing, and its parts.

use std::collections::BTreeMap;
use std::sync::Arc;

use content::Catalogue;
use engine::sigma::{self, CompiledRule, LogSource, Memo, Program, RuleSet};
use engine::{Engine, Event, Fields, FieldsBuilder, Given, Limits, Record, Scratch, Sink, extract};
use model::{Finding, Lane as Line, Reject, SourceId, Time};

use crate::bench::engine::corpus::Corpus;

/// Counts of matches by rule id.
pub type Matches = BTreeMap<String, u64>;

/// Counts, and makes no finding unless it is told to.
#[derive(Default)]
pub struct Count {
    /// Pairs of rule and event that matched.
    pub pairs: u64,
    /// Records that became events.
    pub events: u64,
    /// Why records did not.
    pub rejected: Vec<Reject>,
    makes_findings: bool,
    matches: Option<Matches>,
}

impl Count {
    /// A rejected record costs little, so that its lane would look fast: there may be none.
    pub fn check(&self, what: &str) -> anyhow::Result<()> {
        let Some(reason) = self.rejected.first() else { return Ok(()) };
        anyhow::bail!("{what}: {} records rejected, such as {reason:?}", self.rejected.len())
    }
}

impl Sink for Count {
    fn rejected(&mut self, _raw: &[u8], _source: Option<&SourceId>, reason: Reject) {
        self.rejected.push(reason);
    }

    fn evaluated(&mut self, _event: &Event<'_>) {
        self.events += 1;
    }

    fn finding(&mut self, finding: Finding, _event: &Event<'_>) {
        std::hint::black_box(finding);
    }

    fn hit(&mut self, rule: &CompiledRule, event: &Event<'_>, make: &mut dyn FnMut() -> Finding) {
        self.pairs += 1;
        if let Some(matches) = &mut self.matches {
            *matches.entry(rule.rule.id.to_string()).or_default() += 1;
        }
        if self.makes_findings {
            self.finding(make(), event);
        }
    }
}

/// What the line would know about these frames: not their source, which is recognised.
pub fn given() -> Given {
    Given { source: None, received: Time::from_millis(1_795_305_600_000), lane: Line::Live }
}

/// The engine on every line: recognition, extraction, event time, rules of the event's source. Gives the pairs that matched.
pub fn detect(engine: &Engine, corpus: &Corpus) -> anyhow::Result<u64> {
    Ok(run(engine, corpus, Count::default())?.pairs)
}

/// As [`detect`], with each finding made in full.
pub fn find(engine: &Engine, corpus: &Corpus) -> anyhow::Result<u64> {
    Ok(run(engine, corpus, Count { makes_findings: true, ..Count::default() })?.pairs)
}

/// Which rules matched how often.
pub fn matches(engine: &Engine, corpus: &Corpus) -> anyhow::Result<Matches> {
    let count = run(engine, corpus, Count { matches: Some(Matches::new()), ..Count::default() })?;
    Ok(count.matches.unwrap_or_default())
}

fn run(engine: &Engine, corpus: &Corpus, mut count: Count) -> anyhow::Result<Count> {
    let (mut worker, given) = (engine.worker(), given());
    for line in corpus.lines() {
        engine.evaluate(&mut worker, line, &given, &mut count);
    }
    count.check(corpus.name)?;
    Ok(count)
}

/// Which of these lines the engine takes as events.
pub fn accepted(engine: &Engine, lines: Vec<String>) -> Vec<String> {
    let (mut worker, given) = (engine.worker(), given());
    let mut accepts = |line: &String| {
        let mut count = Count::default();
        engine.evaluate(&mut worker, line.as_bytes(), &given, &mut count);
        count.rejected.is_empty() && count.events == 1
    };
    lines.into_iter().filter(|line| accepts(line)).collect()
}

/// The compiled rules without sources around them.
pub struct Bare {
    program: Program,
    fields: Fields,
    /// By the events' tags; one set for all where there is no routing.
    sets: Vec<RuleSet>,
}

impl Bare {
    /// Every rule of the catalogue; an event meets those of its log sources.
    pub fn routed(catalogue: &Catalogue, carried: &[Vec<LogSource>]) -> Bare {
        Bare::of(catalogue, |program| carried.iter().map(|own| program.applicable(own)).collect())
    }

    /// Every rule of the catalogue; an event meets them all.
    pub fn unrouted(catalogue: &Catalogue) -> Bare {
        Bare::of(catalogue, |program| {
            let every: Vec<LogSource> = program.rules().iter().map(|rule| rule.rule.logsource.clone()).collect();
            vec![program.applicable(&every)]
        })
    }

    fn of(catalogue: &Catalogue, sets: impl FnOnce(&Program) -> Vec<RuleSet>) -> Bare {
        let rules: Vec<Arc<sigma::Rule>> = catalogue.rules.iter().map(|entry| entry.rule.clone()).collect();
        let mut fields = FieldsBuilder::new();
        let program = sigma::compile(&rules, &catalogue.filters, &catalogue.inventory, &mut fields).0;
        let sets = sets(&program);
        Bare { program, fields: fields.build(), sets }
    }

    /// Extraction of every field that a rule reads, alone.
    pub fn extract(&self, corpus: &Corpus) -> anyhow::Result<u64> {
        self.each(corpus, |_, record| {
            std::hint::black_box(record);
        })?;
        Ok(0)
    }

    /// Extraction and rules.
    pub fn evaluate(&self, corpus: &Corpus) -> anyhow::Result<u64> {
        let mut pairs = 0;
        self.each_hit(corpus, |_| pairs += 1)?;
        Ok(pairs)
    }

    /// Which rules matched how often.
    pub fn matches(&self, corpus: &Corpus) -> anyhow::Result<Matches> {
        let mut matches = Matches::new();
        self.each_hit(corpus, |rule| *matches.entry(rule.rule.id.to_string()).or_default() += 1)?;
        Ok(matches)
    }

    fn each_hit(&self, corpus: &Corpus, mut hit: impl FnMut(&CompiledRule)) -> anyhow::Result<()> {
        let mut memo = Memo::default();
        self.each(corpus, |tag, record| {
            let set = &self.sets[tag.min(self.sets.len() - 1)];
            self.program.evaluate(set, record, &mut memo, &mut |rule| hit(self.program.rule(rule)));
        })
    }

    fn each(&self, corpus: &Corpus, mut f: impl FnMut(usize, &Record<'_>)) -> anyhow::Result<()> {
        let (mut scratch, limits) = (Scratch::new(&self.fields), Limits::default());
        for (line, tag) in corpus.tagged() {
            let text = simdutf8::basic::from_utf8(line)?;
            let record = extract::extract(&self.fields, text, &mut scratch, &limits);
            f(tag, &record.map_err(|reason| anyhow::anyhow!("{}: a record cannot be read: {reason:?}", corpus.name))?);
        }
        Ok(())
    }
}
