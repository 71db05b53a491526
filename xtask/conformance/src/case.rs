//! The files of the suite, read strictly: a key that the format does not have is an error.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;

use crate::question::{LogSource, Question};
use crate::sequence::Sequence;

/// The head that a `detection` is put under. Its lines begin at line 7 and column 5 of the rule.
const HEAD: &str = "title: Conformance\nid: 9f8c1d2e-0000-4000-8000-000000000001\nstatus: test\n\
                    logsource: {product: test}\nlevel: low\ndetection:\n";

/// All cases and all sentences.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The cases of one event at a time, by name.
    pub cases: Vec<Case>,
    /// The cases over time, by name: those of `correlation/`.
    pub sequences: Vec<Sequence>,
    /// The sentences of the specification, in its order.
    pub sections: Vec<Section>,
}

/// One sentence of the specification that says how a rule behaves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// What cases call it.
    pub id: String,
    /// Document and section.
    pub section: String,
    /// What it says, in short.
    pub text: String,
    /// Why no case shows it.
    pub out: Option<String>,
}

/// One behaviour.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Folder and file, without the extension: `escapes/four`.
    #[serde(skip)]
    pub name: String,
    /// Document and section that ask for the behaviour.
    pub section: String,
    /// Ids of the sentences that it shows, the first of which stands in `section`.
    pub covers: Vec<String>,
    /// The behaviour, in one sentence.
    pub says: String,
    /// Why the specification allows another behaviour, and which reading this is.
    pub room: Option<String>,
    /// The `detection` of a rule whose other keys do not matter.
    detection: Option<String>,
    /// A whole rule file, instead of `detection`.
    rules: Option<String>,
    /// A whole file of filters.
    filters: Option<String>,
    /// Placeholder name to values.
    #[serde(default)]
    inventory: BTreeMap<String, Vec<String>>,
    /// The log source of the events; without it, every rule applies.
    logsource: Option<LogSource>,
    /// Must the engine refuse what it is given?
    #[serde(default)]
    refused: bool,
    #[serde(default, rename = "match")]
    matches: Vec<Expectation>,
    #[serde(default)]
    no_match: Vec<Expectation>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Expectation {
    Event(String),
    Rules { event: String, rules: Vec<String> },
}

/// What an engine must answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It refuses a rule or a filter.
    Refused,
    /// Some rule matches.
    Match,
    /// No rule matches.
    NoMatch,
    /// These rules match, by id, and no other.
    Rules(Vec<String>),
}

impl Suite {
    /// Reads the suite at `folder`.
    ///
    /// Errors: a file that cannot be read, or that the format does not allow.
    pub fn read(folder: &Path) -> anyhow::Result<Suite> {
        let mut paths: Vec<PathBuf> = walkdir::WalkDir::new(folder)
            .min_depth(2)
            .into_iter()
            .map(|entry| entry.map(|entry| entry.path().to_owned()))
            .collect::<Result<_, _>>()?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "yml"));
        paths.sort();
        let (over_time, at_once): (Vec<_>, Vec<_>) =
            paths.iter().partition(|path| path.parent().is_some_and(|parent| parent.ends_with("correlation")));
        let cases = at_once.into_iter().map(|path| Case::read(folder, path)).collect::<anyhow::Result<_>>()?;
        let sequences =
            over_time.into_iter().map(|path| Sequence::read(folder, path)).collect::<anyhow::Result<_>>()?;
        let path = folder.join("sections.yml");
        let text = std::fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
        let sections = yaml_serde::from_str(&text).with_context(|| format!("{}", path.display()))?;
        Ok(Suite { cases, sequences, sections })
    }
}

impl Case {
    fn read(folder: &Path, path: &Path) -> anyhow::Result<Case> {
        let text = std::fs::read_to_string(path)?;
        let mut case: Case = yaml_serde::from_str(&text).with_context(|| format!("{}", path.display()))?;
        case.name = path.strip_prefix(folder)?.with_extension("").to_string_lossy().into_owned();
        case.check().with_context(|| format!("{}", path.display()))?;
        Ok(case)
    }

    fn check(&self) -> anyhow::Result<()> {
        let has_events = !self.matches.is_empty() || !self.no_match.is_empty();
        anyhow::ensure!(self.detection.is_some() != self.rules.is_some(), "give one of `detection` and `rules`");
        anyhow::ensure!(self.refused != has_events, "give `refused: true`, or events to `match` and `no_match`");
        anyhow::ensure!(!self.covers.is_empty(), "name at least one sentence in `covers`");
        for question in self.questions() {
            question.event_is_json().with_context(|| question.id.clone())?;
        }
        Ok(())
    }

    /// The rule file, as an engine gets it.
    pub fn rules(&self) -> String {
        match (&self.rules, &self.detection) {
            (Some(rules), _) => rules.clone(),
            (None, detection) => {
                let lines = detection.as_deref().unwrap_or_default().split_inclusive('\n');
                std::iter::once(HEAD.to_owned()).chain(lines.map(|line| format!("    {line}"))).collect()
            }
        }
    }

    /// Does the specification leave room for another behaviour?
    pub fn has_room(&self) -> bool {
        self.room.is_some()
    }

    /// What an engine is asked: once for each event, or once without an event where it must refuse.
    pub fn questions(&self) -> Vec<Question> {
        self.expectations().into_iter().map(|(question, _)| question).collect()
    }

    /// What an engine is asked, and what it must answer.
    pub fn expectations(&self) -> Vec<(Question, Expected)> {
        if self.refused {
            return vec![(self.question("refused", None), Expected::Refused)];
        }
        let mut all = Vec::new();
        for (key, expectations) in [("match", &self.matches), ("no_match", &self.no_match)] {
            for (at, expectation) in expectations.iter().enumerate() {
                let (event, expected) = match expectation {
                    Expectation::Event(event) if key == "match" => (event, Expected::Match),
                    Expectation::Event(event) => (event, Expected::NoMatch),
                    Expectation::Rules { event, rules } => (event, Expected::Rules(rules.clone())),
                };
                all.push((self.question(&format!("{key} {}", at + 1), Some(event)), expected));
            }
        }
        all
    }

    fn question(&self, part: &str, event: Option<&String>) -> Question {
        Question {
            id: format!("{} {part}", self.name),
            rules: vec![self.rules()],
            filters: self.filters.iter().cloned().collect(),
            inventory: self.inventory.clone(),
            logsource: self.logsource.clone(),
            event: event.cloned(),
        }
    }
}
