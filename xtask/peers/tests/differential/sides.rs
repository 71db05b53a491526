//! Both engines with the same rules, and what they say about one event.

use std::collections::{BTreeMap, BTreeSet};

use engine::sigma::{self, Document, Inventory, LogSource, Memo, Program, Rule, RuleSet};
use engine::{Fields, FieldsBuilder, Limits, Scratch};
use peers::{Options, Rsigma};

/// Where the two differ, by corpus and rule.
#[derive(Default)]
pub struct Disagreements(BTreeMap<(String, String), Disagreement>);

/// How often the two differ on one rule, and on what first.
#[derive(Default)]
struct Disagreement {
    /// Records on which only they hold the rule.
    they: usize,
    /// Records on which only we hold it.
    we: usize,
    example: String,
}

impl Disagreements {
    /// In the form of the lists, without reasons.
    pub fn lines(&self) -> String {
        self.0.iter().map(|(key, found)| line(key, found) + "\n").collect()
    }

    /// What is found and not listed (`+`, with an example), and what is listed and not found (`-`).
    pub fn differences(&self, listed: &str) -> Vec<String> {
        let mut listed: BTreeSet<String> = listed
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split('\t').take(4).collect::<Vec<_>>().join("\t"))
            .collect();
        let mut differences = Vec::new();
        for (key, found) in &self.0 {
            let line = line(key, found);
            if !listed.remove(&line) {
                differences.push(format!("+ {line}\n  {:.600}", found.example));
            }
        }
        differences.extend(listed.iter().map(|line| format!("- {line}")));
        differences
    }

    fn book(&mut self, corpus: &str, rule: &str, event: &str, is_theirs: bool) {
        let found = self.0.entry((corpus.to_owned(), rule.to_owned())).or_default();
        if found.example.is_empty() {
            event.clone_into(&mut found.example);
        }
        *(if is_theirs { &mut found.they } else { &mut found.we }) += 1;
    }
}

fn line((corpus, rule): &(String, String), found: &Disagreement) -> String {
    format!("{corpus}\t{rule}\t{}\t{}", found.they, found.we)
}

/// The rules that both engines compile, in both.
pub struct Both {
    peer: Rsigma,
    program: Program,
    set: RuleSet,
    fields: Fields,
    scratch: Scratch,
    memo: Memo,
    /// What both sides call each rule: its path.
    paths: Vec<String>,
    /// By path: refused by RSigma, with its words.
    pub refused: BTreeMap<String, String>,
}

impl Both {
    /// Loads the rule files, path and text. A rule that either side refuses is left out on both.
    pub fn load(files: &[(String, String)]) -> Both {
        let readable: Vec<(&String, &String, Rule)> =
            files.iter().filter_map(|(path, text)| Some((path, text, only_rule(path, text)?))).collect();
        let texts = || readable.iter().map(|(_, text, _)| text.as_str());
        let (_, errors) = Rsigma::load(texts(), Options::default());
        let refused: BTreeMap<usize, String> = errors.into_iter().collect();
        let rules: Vec<Rule> = readable
            .iter()
            .enumerate()
            .filter(|(at, _)| !refused.contains_key(at))
            .map(|(_, (_, _, rule))| rule.clone())
            .collect();
        let mut fields = FieldsBuilder::new();
        let (program, _) = sigma::compile(&rules, &[], &Inventory::new(), &mut fields);
        let fields = fields.build();
        let paths: Vec<String> = program.rules().iter().map(|rule| rule.rule.file.clone()).collect();
        let compiled: BTreeMap<&str, &str> =
            readable.iter().map(|(path, text, _)| (path.as_str(), text.as_str())).collect();
        let (peer, errors) =
            Rsigma::load_as(paths.iter().map(|path| compiled[path.as_str()]), Options::default(), |at, rule| {
                rule.id = Some(paths[at].clone());
            });
        assert_eq!(errors, []);
        assert_eq!(peer.rules(), program.rules().len());
        let refused = refused.into_iter().map(|(at, error)| (readable[at].0.clone(), error)).collect();
        let logsources: Vec<LogSource> = program.rules().iter().map(|rule| rule.rule.logsource.clone()).collect();
        let (set, scratch) = (program.applicable(&logsources), Scratch::new(&fields));
        Both { peer, program, set, fields, scratch, memo: Memo::default(), paths, refused }
    }

    /// How many rules are compared.
    pub fn rules(&self) -> usize {
        self.paths.len()
    }

    /// The rules that are compared.
    pub fn sources(&self) -> Vec<Rule> {
        self.program.rules().iter().map(|rule| (*rule.rule).clone()).collect()
    }

    /// Books where the two differ on `event`; gives the number of rules that both hold.
    pub fn compare(&mut self, corpus: &str, event: &str, found: &mut Disagreements) -> usize {
        let they = self.theirs(event);
        let we = self.ours(event);
        for rule in they.symmetric_difference(&we) {
            found.book(corpus, rule, event, they.contains(rule));
        }
        they.intersection(&we).count()
    }

    fn theirs(&self, event: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let count = self.peer.evaluate_bytes(event.as_bytes(), &mut |path| {
            found.insert(path.to_owned());
        });
        assert_eq!(count.expect("JSON"), found.len());
        found
    }

    fn ours(&mut self, event: &str) -> BTreeSet<String> {
        let record = engine::extract::extract(&self.fields, event, &mut self.scratch, &Limits::default())
            .unwrap_or_else(|reject| panic!("{reject}: {event}"));
        let mut found = BTreeSet::new();
        self.program.evaluate(&self.set, &record, &mut self.memo, &mut |rule| {
            found.insert(self.paths[rule.index()].clone());
        });
        found
    }
}

/// The rule of a file that holds one and no error.
fn only_rule(path: &str, text: &str) -> Option<Rule> {
    let (mut documents, diagnostics) = sigma::parse(text);
    match documents.pop() {
        Some(Document::Rule(mut rule))
            if documents.is_empty() && !diagnostics.iter().any(engine::Diagnostic::is_error) =>
        {
            rule.file = path.to_owned();
            Some(rule)
        }
        _ => None,
    }
}
