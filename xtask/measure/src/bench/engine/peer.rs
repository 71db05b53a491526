//! RSigma as a lane, in its best configuration: told each event's log source, which narrows its index.
//!
//! It runs in a process of its own (`xtask/rival`), built with its own dependencies and features, and takes its own time. RSigma
//! takes one log source an event, where an event can carry several (a registry change is a `registry_event` and a `registry_set`).
//! So a combination of several becomes one category of its own, and each rule that looks at one of them stands under it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::Context;
use engine::sigma::{LogSource, Rule};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bench::engine::corpus::Corpus;
use crate::bench::engine::ours::Matches;
use crate::bench::engine::race::Round;

/// The other process. What it was given it keeps.
pub struct Peer {
    talk: RefCell<Talk>,
}

struct Talk {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    folder: TempDir,
    /// Number of rule sets that it has.
    rules: u64,
    /// The corpora that it has, by number.
    corpora: BTreeSet<u64>,
}

/// Rules that it has.
#[derive(Clone, Copy)]
pub struct Rules {
    slot: u64,
    /// How many.
    pub count: usize,
    /// How many it refuses.
    pub refused: usize,
}

/// What is done with an event.
#[derive(Clone, Copy)]
pub enum What {
    /// Parse, and the rules of its log source.
    Routed,
    /// Parse, and all rules.
    All,
    /// Parse.
    Parse,
}

/// How it is set up.
#[derive(Clone, Copy)]
pub enum Setup {
    /// Without its optional filters.
    Plain,
    /// With one automaton over the substrings of all rules.
    Automaton,
    /// With a Bloom filter over three-byte pieces of the substrings.
    Bloom,
}

impl Setup {
    const ALL: [Setup; 3] = [Setup::Plain, Setup::Automaton, Setup::Bloom];

    /// As the other process knows it.
    fn name(self) -> &'static str {
        match self {
            Setup::Plain => "plain",
            Setup::Automaton => "automaton",
            Setup::Bloom => "bloom",
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Setup::Plain => "without its optional filters",
            Setup::Automaton => "with its automaton for all rules",
            Setup::Bloom => "with its Bloom filter",
        }
    }
}

/// Rounds that choose the setup.
const TRIALS: usize = 5;

/// A rule's text, and the category that it stands under instead of its own.
type Copy<'c> = (&'c str, Option<String>);

impl Peer {
    /// The program, without rules, as `cargo xtask bench` names it.
    pub fn program() -> anyhow::Result<Command> {
        let path = std::env::var_os("WATCHKEEP_RIVAL")
            .context("`WATCHKEEP_RIVAL` is not set; start this by `cargo xtask bench engine`")?;
        Ok(Command::new(path))
    }

    /// Starts it.
    pub fn start() -> anyhow::Result<Peer> {
        let mut child = Peer::program()?.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let commands = child.stdin.take().context("a pipe")?;
        let answers = BufReader::new(child.stdout.take().context("a pipe")?);
        let folder = tempfile::tempdir()?;
        let talk = Talk { child, commands, answers, folder, rules: 0, corpora: BTreeSet::new() };
        Ok(Peer { talk: RefCell::new(talk) })
    }

    /// Gives it rules, for events that carry these combinations of log sources.
    pub fn rules<'r>(
        &self,
        rules: impl IntoIterator<Item = (&'r Rule, &'r str)>,
        carried: &[Vec<LogSource>],
        setup: Setup,
    ) -> anyhow::Result<Rules> {
        let mut copies: Vec<Copy<'_>> = Vec::new();
        for (rule, text) in rules {
            copies.extend(categories(&rule.logsource, carried).into_iter().map(|own| (text, own)));
        }
        self.copies(&copies, setup)
    }

    /// Gives it rules as they are.
    pub fn texts(&self, texts: &[String], setup: Setup) -> anyhow::Result<Rules> {
        let copies: Vec<Copy<'_>> = texts.iter().map(|text| (text.as_str(), None)).collect();
        self.copies(&copies, setup)
    }

    fn copies(&self, copies: &[Copy<'_>], setup: Setup) -> anyhow::Result<Rules> {
        let mut talk = self.talk.borrow_mut();
        let file = talk.folder.path().join("rules.json");
        std::fs::write(&file, serde_json::to_vec(copies)?)?;
        let slot = talk.rules;
        talk.rules += 1;
        let answer = talk.ask(&json!(["rules", slot, file, setup.name()]))?;
        let count = answer["rules"].as_u64().context("no number of rules")? as usize;
        let refused = answer["refused"].as_array().map_or(0, Vec::len);
        Ok(Rules { slot, count, refused })
    }

    /// Loads rules in each setup, and keeps those that are the fastest on these events.
    pub fn fastest(
        &self,
        corpus: &Corpus,
        what: What,
        load: impl Fn(Setup) -> anyhow::Result<Rules>,
    ) -> anyhow::Result<(Rules, Setup)> {
        let loaded = Setup::ALL.into_iter().map(&load).collect::<anyhow::Result<Vec<Rules>>>()?;
        let mut least = [f64::INFINITY; Setup::ALL.len()];
        for _ in 0..TRIALS {
            for (rules, least) in loaded.iter().zip(&mut least) {
                let seconds = self.run(*rules, corpus, what)?.seconds.context("no time")?;
                *least = least.min(seconds * 1e6 / corpus.events() as f64);
            }
        }
        let mut best = 0;
        for (at, setup) in Setup::ALL.into_iter().enumerate() {
            eprintln!("    RSigma {}: {:.2} µs an event", setup.words(), least[at]);
            if least[at] < least[best] {
                best = at;
            }
        }
        for (_, rules) in loaded.iter().enumerate().filter(|(at, _)| *at != best) {
            self.talk.borrow_mut().ask(&json!(["forget", rules.slot]))?;
        }
        Ok((loaded[best], Setup::ALL[best]))
    }

    /// One round over a corpus.
    pub fn run(&self, rules: Rules, corpus: &Corpus, what: What) -> anyhow::Result<Round> {
        let answer = self.answer("run", rules, corpus, what)?;
        let seconds = answer["seconds"].as_f64().context("no time")?;
        Ok(Round { pairs: answer["pairs"].as_u64().context("no number of pairs")?, seconds: Some(seconds) })
    }

    /// Which rules matched how often.
    pub fn matches(&self, rules: Rules, corpus: &Corpus, what: What) -> anyhow::Result<Matches> {
        let counts: BTreeMap<String, u64> = serde_json::from_value(self.answer("matches", rules, corpus, what)?)?;
        Ok(counts)
    }

    fn answer(&self, name: &str, rules: Rules, corpus: &Corpus, what: What) -> anyhow::Result<Value> {
        let mut talk = self.talk.borrow_mut();
        talk.give(corpus)?;
        let what = match what {
            What::Routed => "routed",
            What::All => "all",
            What::Parse => "parse",
        };
        talk.ask(&json!([name, rules.slot, corpus.number(), what]))
    }
}

impl Talk {
    /// Gives it a corpus that it does not have.
    fn give(&mut self, corpus: &Corpus) -> anyhow::Result<()> {
        if !self.corpora.insert(corpus.number()) {
            return Ok(());
        }
        let file = self.folder.path().join("events.ndjson");
        std::fs::write(&file, corpus.bytes())?;
        let tags: Vec<usize> = corpus.tagged().map(|(_, tag)| tag).collect();
        let told: Vec<Value> = corpus.carried().iter().enumerate().map(told).collect();
        self.ask(&json!(["events", corpus.number(), file, tags, told])).map(drop)
    }

    fn ask(&mut self, command: &Value) -> anyhow::Result<Value> {
        writeln!(self.commands, "{command}")?;
        self.commands.flush()?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        anyhow::ensure!(!answer.is_empty(), "RSigma's process ended with {}", self.child.wait()?);
        Ok(serde_json::from_str(&answer)?)
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The categories under which a rule is held: its own (`None`) unless it looks at a log source that comes with others.
fn categories(rule: &LogSource, carried: &[Vec<LogSource>]) -> Vec<Option<String>> {
    // A rule that names no category needs no other: it meets them all.
    if rule.category.is_none() {
        return vec![None];
    }
    let applies = |own: &[LogSource]| own.iter().any(|source| rule.applies_to(source));
    let (several, alone): (Vec<_>, Vec<_>) =
        carried.iter().enumerate().filter(|(_, own)| applies(own)).partition(|(_, own)| names_several(own));
    let mut categories: Vec<Option<String>> = several.into_iter().map(|(at, _)| Some(together(at))).collect();
    if !alone.is_empty() || categories.is_empty() {
        categories.push(None);
    }
    categories
}

/// Does a combination have more than one category?
fn names_several(carried: &[LogSource]) -> bool {
    carried.iter().filter_map(|own| own.category.as_ref()).collect::<BTreeSet<_>>().len() > 1
}

/// The category that stands for a combination.
fn together(at: usize) -> String {
    format!("combination-{at}")
}

/// A log source with every part given, so that a rule which gives a part that the event lacks is left out, as Watchkeep has it:
/// product, category and service.
fn told((at, carried): (usize, &Vec<LogSource>)) -> Value {
    let first = |part: fn(&LogSource) -> &Option<String>| {
        carried.iter().find_map(|own| part(own).clone()).unwrap_or_else(|| "none".to_owned())
    };
    let category = if names_several(carried) { together(at) } else { first(|own| &own.category) };
    json!([first(|own| &own.product), category, first(|own| &own.service)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(category: Option<&str>) -> LogSource {
        LogSource { product: Some("windows".into()), category: category.map(str::to_owned), ..LogSource::default() }
    }

    #[test]
    fn a_rule_stands_under_each_combination_that_has_its_log_source() {
        let carried = [
            vec![windows(Some("process_creation"))],
            vec![windows(Some("registry_event")), windows(Some("registry_set"))],
            vec![windows(Some("registry_event")), windows(Some("registry_add"))],
        ];
        let of = |category| categories(&windows(category), &carried);
        assert_eq!(of(Some("process_creation")), [None]);
        assert_eq!(of(Some("registry_event")), [Some("combination-1".into()), Some("combination-2".into())]);
        assert_eq!(of(Some("registry_set")), [Some("combination-1".into())]);
        assert_eq!(of(Some("dns_query")), [None]);
        assert_eq!(of(None), [None]);
        assert_eq!(told((1, &carried[1])), json!(["windows", "combination-1", "none"]));
        assert_eq!(told((0, &carried[0])), json!(["windows", "process_creation", "none"]));
    }
}
