//! Watchkeep's engine as lanes: whole, without routing, and its parts.

use std::collections::BTreeMap;

use content::Catalogue;
use engine::sigma::{self, CompiledRule, LogSource, Memo, Program, RuleSet};
use engine::{Engine, Event, Field, Fields, FieldsBuilder, Given, Limits, Record, Scratch, Sink, extract};
use model::{Finding, Lane as Line, Reject, SourceId, Time};

use crate::bench::engine::corpus::Corpus;
use crate::bench::engine::windows;

/// Counts, and makes no finding unless it is told to.
#[derive(Default)]
struct Count {
    pairs: u64,
    rejected: Vec<Reject>,
    makes_findings: bool,
}

impl Sink for Count {
    fn rejected(&mut self, _raw: &[u8], _source: Option<&SourceId>, reason: Reject) {
        self.rejected.push(reason);
    }

    fn evaluated(&mut self, _event: &Event<'_>) {}

    fn finding(&mut self, finding: Finding, _event: &Event<'_>) {
        std::hint::black_box(finding);
    }

    fn hit(&mut self, _rule: &CompiledRule, event: &Event<'_>, make: &mut dyn FnMut() -> Finding) {
        self.pairs += 1;
        if self.makes_findings {
            self.finding(make(), event);
        }
    }
}

fn given() -> Given {
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

fn run(engine: &Engine, corpus: &Corpus, mut count: Count) -> anyhow::Result<Count> {
    let (mut worker, given) = (engine.worker(), given());
    for line in corpus.lines() {
        engine.evaluate(&mut worker, line, &given, &mut count);
    }
    // A rejected record costs little, so that its lane would look fast.
    let rejected = count.rejected.len();
    anyhow::ensure!(rejected == 0, "{}: {rejected} records rejected, such as {:?}", corpus.name, count.rejected[0]);
    Ok(count)
}

/// The compiled rules without sources around them.
pub struct Bare {
    program: Program,
    fields: Fields,
    sets: Vec<RuleSet>,
    by_channel: Option<ByChannel>,
}

/// Sets of rules by the channel and number of a Windows event.
struct ByChannel {
    channel: Field,
    number: Field,
    sets: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Bare {
    /// Every rule of the catalogue; a record meets those of `logsources`, or all where there are none.
    pub fn of(catalogue: &Catalogue, logsources: &[LogSource]) -> Bare {
        Bare::new(catalogue, |program, _| {
            let every: Vec<LogSource> = program.rules().iter().map(|rule| rule.rule.logsource.clone()).collect();
            (vec![program.applicable(if logsources.is_empty() { &every } else { logsources })], None)
        })
    }

    /// Every rule of the catalogue; a Windows event meets those of its channel and number.
    pub fn windows(catalogue: &Catalogue, kinds: &[(String, String)]) -> Bare {
        Bare::new(catalogue, |program, fields| {
            let (mut sets, mut by) = (Vec::new(), BTreeMap::<String, BTreeMap<String, usize>>::new());
            for (channel, number) in kinds {
                by.entry(channel.clone()).or_default().insert(number.clone(), sets.len());
                sets.push(program.applicable(&windows::logsources(channel, number)));
            }
            (sets, Some(ByChannel { channel: fields.intern("Channel"), number: fields.intern("EventID"), sets: by }))
        })
    }

    fn new(
        catalogue: &Catalogue,
        route: impl FnOnce(&Program, &mut FieldsBuilder) -> (Vec<RuleSet>, Option<ByChannel>),
    ) -> Bare {
        let rules: Vec<sigma::Rule> = catalogue.rules.iter().map(|entry| entry.rule.clone()).collect();
        let mut fields = FieldsBuilder::new();
        let program = sigma::compile(&rules, &catalogue.filters, &catalogue.inventory, &mut fields).0;
        let (sets, by_channel) = route(&program, &mut fields);
        Bare { program, fields: fields.build(), sets, by_channel }
    }

    /// Extraction of every field that a rule reads, alone.
    pub fn extract(&self, corpus: &Corpus) -> anyhow::Result<u64> {
        self.each(corpus, |record| {
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

    fn each_hit(&self, corpus: &Corpus, mut hit: impl FnMut(&CompiledRule)) -> anyhow::Result<()> {
        let mut memo = Memo::default();
        self.each(corpus, |record| {
            if let Some(set) = self.set_of(record) {
                self.program.evaluate(set, record, &mut memo, &mut |rule| hit(self.program.rule(rule)));
            }
        })
    }

    fn set_of(&self, record: &Record<'_>) -> Option<&RuleSet> {
        let Some(by) = &self.by_channel else { return self.sets.first() };
        let numbers = by.sets.get(record.first_str(by.channel)?)?;
        self.sets.get(*numbers.get(record.first_str(by.number)?)?)
    }

    fn each(&self, corpus: &Corpus, mut f: impl FnMut(&Record<'_>)) -> anyhow::Result<()> {
        let (mut scratch, limits) = (Scratch::new(&self.fields), Limits::default());
        for line in corpus.lines() {
            let text = simdutf8::basic::from_utf8(line)?;
            let record = extract::extract(&self.fields, text, &mut scratch, &limits);
            f(&record.map_err(|reason| anyhow::anyhow!("{}: a record cannot be read: {reason:?}", corpus.name))?);
        }
        Ok(())
    }
}
