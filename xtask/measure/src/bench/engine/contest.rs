//! One corpus, all SigmaHQ rules, every engine: Watchkeep, RSigma, and a parse that does nothing with what it parsed.

use anyhow::Context;
use content::Catalogue;
use engine::{Engine, Limits};

use crate::bench::Row;
use crate::bench::engine::agree;
use crate::bench::engine::carried::Carried;
use crate::bench::engine::corpus::{self, Corpus, Recipe};
use crate::bench::engine::ours::{self, Bare};
use crate::bench::engine::peer::{self, Peer, Setup, What};
use crate::bench::engine::race::{Lane, race};
use crate::bench::engine::{Bars, Measured, Setting};

/// Events on which the engines are held to equal matches; without routing, fewer, since each costs much.
const AGREE: usize = 4_000;
const AGREE_UNROUTED: usize = 400;
/// Events on which RSigma's setup is chosen.
const TRIAL: usize = 500;

/// What is promised of a corpus: so many times as fast as RSigma, and this part of the parse.
#[derive(Clone, Copy, Default)]
struct Goals {
    peer: f64,
    parse: Option<f64>,
    peer_unrouted: Option<f64>,
}

/// CloudTrail.
pub fn cloudtrail(setting: &Setting) -> anyhow::Result<Measured> {
    let goals = Goals { peer: 8.0, parse: Some(0.6), peer_unrouted: Some(15.0) };
    Contest::new(setting, "aws_cloudtrail", corpus::cloudtrail(&setting.data)?)?.run(setting, goals)
}

/// Windows and Sysmon.
pub fn windows(setting: &Setting) -> anyhow::Result<Measured> {
    let goals = Goals { peer: 10.0, parse: Some(0.4), peer_unrouted: None };
    Contest::new(setting, "windows_event", corpus::windows(&setting.data)?)?.run(setting, goals)
}

/// Kubernetes audit.
pub fn kubernetes(setting: &Setting) -> anyhow::Result<Measured> {
    let goals = Goals { peer: 8.0, parse: None, peer_unrouted: None };
    Contest::new(setting, "kubernetes_audit", corpus::kubernetes(&setting.data)?)?.run(setting, goals)
}

/// A corpus of events that the engine takes, with the log sources that its source gives them.
pub fn corpus_of(setting: &Setting, engine: &Engine, source: &str, mut recipe: Recipe) -> anyhow::Result<Corpus> {
    let source = setting.rules.source(source).with_context(|| format!("no source for {}", recipe.name))?;
    let before = recipe.lines.len();
    recipe.lines = ours::accepted(engine, recipe.lines);
    let left_out = before - recipe.lines.len();
    if left_out > 0 {
        eprintln!("    {left_out} of {before} lines are no events of the source and are left out");
    }
    Corpus::of(&recipe, Carried::of(source), setting.events())
}

/// The parse that every engine pays at least: checked, each line to a value.
pub fn parse(corpus: &Corpus) -> anyhow::Result<u64> {
    for line in corpus.lines() {
        std::hint::black_box(sonic_rs::from_slice::<sonic_rs::Value>(line)?);
    }
    Ok(0)
}

struct Contest<'s> {
    rules: &'s Catalogue,
    corpus: Corpus,
    engine: Engine,
    routed: Bare,
    unrouted: Bare,
    peer: Peer,
    peer_routed: (peer::Rules, Setup),
    peer_all: (peer::Rules, Setup),
}

impl<'s> Contest<'s> {
    fn new(setting: &'s Setting, source: &str, recipe: Recipe) -> anyhow::Result<Contest<'s>> {
        let rules = &setting.rules;
        let engine = rules.compile(Limits::default()).0;
        let corpus = corpus_of(setting, &engine, source, recipe)?;
        let routed = Bare::routed(rules, corpus.carried());
        let unrouted = Bare::unrouted(rules);
        let peer = Peer::start()?;
        let texts = || rules.rules.iter().map(|entry| (&*entry.rule, &*entry.text));
        let trial = corpus.sample(TRIAL);
        let peer_routed = peer.fastest(&trial, What::Routed, |setup| peer.rules(texts(), corpus.carried(), setup))?;
        // Without routing each rule must stand there once.
        let peer_all = peer.fastest(&trial, What::All, |setup| peer.rules(texts(), &[], setup))?;
        Ok(Contest { rules, corpus, engine, routed, unrouted, peer, peer_routed, peer_all })
    }

    fn agree(&self) -> anyhow::Result<()> {
        let what = format!("{}, routed", self.corpus.name);
        let sample = self.corpus.sample(AGREE);
        let (own, other) =
            (ours::matches(&self.engine, &sample)?, self.peer.matches(self.peer_routed.0, &sample, What::Routed)?);
        eprintln!("    equal matches, routed: {}", agree::check(&what, self.rules, &own, &other)?);
        let what = format!("{}, not routed", self.corpus.name);
        let sample = self.corpus.sample(AGREE_UNROUTED);
        let (own, other) = (self.unrouted.matches(&sample)?, self.peer.matches(self.peer_all.0, &sample, What::All)?);
        eprintln!("    equal matches, not routed: {}", agree::check(&what, self.rules, &own, &other)?);
        Ok(())
    }

    fn run(&self, setting: &Setting, goals: Goals) -> anyhow::Result<Measured> {
        let held = (self.engine.rules().len(), self.peer_all.0.count, self.peer_all.0.refused);
        eprintln!("    {} rules in Watchkeep; {} in RSigma, which refuses {}", held.0, held.1, held.2);
        self.agree()?;
        let (some, few) = (setting.events() / 4, setting.events() / 15);
        let (routed, all) = (self.peer_routed.0, self.peer_all.0);
        let peer = |rules, corpus: &Corpus, what| self.peer.run(rules, corpus, what);
        let mut lanes = [
            Lane::new("sonic-rs parse", parse),
            Lane::new("Watchkeep", |corpus| ours::detect(&self.engine, corpus)),
            Lane::away("RSigma", |corpus| peer(routed, corpus, What::Routed)).sampled(some),
            Lane::new("Watchkeep, all rules on all events", |corpus| self.unrouted.evaluate(corpus)).sampled(few),
            Lane::away("RSigma, all rules on all events", |corpus| peer(all, corpus, What::All)).sampled(few),
            Lane::new("Watchkeep, findings in full", |corpus| ours::find(&self.engine, corpus)),
            Lane::new("of which: extraction", |corpus| self.routed.extract(corpus)),
            Lane::new("of which: extraction and rules", |corpus| self.routed.evaluate(corpus)),
            Lane::away("of RSigma's: its parse", |corpus| peer(all, corpus, What::Parse)).sampled(some),
        ];
        race(&self.corpus, setting.rounds(), &mut lanes)?;
        Ok(self.measured(&lanes, goals))
    }

    fn measured(&self, lanes: &[Lane<'_>; 9], goals: Goals) -> Measured {
        let [parse, own, peer, own_unrouted, peer_unrouted, findings, extraction, rules, peer_parse] = lanes;
        let name = self.corpus.name;
        let about = format!("{name}, {} B an event, {} rules", self.corpus.event_bytes(), self.engine.rules().len());
        let micros = |lane: &Lane<'_>| format!("{:.2} µs", lane.micros());
        let times = format!("{}; {}; {}", micros(parse), micros(own), micros(peer));
        let split = format!(
            "{} extraction, {:.2} µs rules; {} with each finding made",
            micros(extraction),
            rules.micros() - extraction.micros(),
            micros(findings)
        );
        let of_peer = format!("{} parse; fastest {}", micros(peer_parse), self.peer_routed.1.words());
        let mut rows = vec![
            Row::of(format!("{about}: an event in a bare parse; Watchkeep; RSigma"), times, "", None),
            Row::of(format!("{name}: of Watchkeep's time"), split, "", None),
            Row::of(format!("{name}: of RSigma's time"), of_peer, "", None),
            over_peer(&format!("{name}: rules routed by log source"), peer.over(own), Some(goals.peer)),
        ];
        let share = parse.over(own);
        let goal = goals.parse.map_or(String::new(), |goal| format!("≥ {:.0} %", goal * 100.0));
        let is_kept = goals.parse.map(|goal| share >= goal);
        rows.push(Row::of(format!("{name}: speed of a bare parse"), format!("{:.0} %", share * 100.0), goal, is_kept));
        rows.push(Row::of(
            format!("{name}, all rules on all events: Watchkeep; RSigma"),
            format!("{}; {}", micros(own_unrouted), micros(peer_unrouted)),
            "",
            None,
        ));
        let ratio = peer_unrouted.over(own_unrouted);
        rows.push(over_peer(&format!("{name}: all rules on all events"), ratio, goals.peer_unrouted));
        let bars = Bars { corpus: name, parse: parse.micros(), own: own.micros(), peer: peer.micros() };
        Measured { rows, bars: Some(bars) }
    }
}

fn over_peer(what: &str, ratio: f64, goal: Option<f64>) -> Row {
    let text = goal.map_or(String::new(), |goal| format!("≥ {goal:.0} ×"));
    Row::of(format!("{what}, times RSigma's speed"), format!("{ratio:.1} ×"), text, goal.map(|goal| ratio >= goal))
}
