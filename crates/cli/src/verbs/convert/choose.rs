//! Which rules a person means.

use std::path::{Path, PathBuf};

use content::{Catalogue, CatalogueRule};
use model::Diagnostic;

/// The rules that were asked for, and what stands in the way of others.
pub struct Chosen<'c> {
    /// The rules, each once, in the order of the arguments.
    pub rules: Vec<&'c CatalogueRule>,
    /// Errors in the files that were named.
    pub told: Vec<Diagnostic>,
    /// Arguments that name nothing.
    pub missing: Vec<String>,
}

/// The arguments that are files or folders.
pub fn paths(wanted: &[String]) -> Vec<PathBuf> {
    wanted.iter().map(PathBuf::from).filter(|path| path.exists()).collect()
}

/// The rules that `wanted` names. The roots of the catalogue from `first` on are the paths among `wanted`, in order.
pub fn choose<'c>(catalogue: &'c Catalogue, told: &[Diagnostic], wanted: &[String], first: usize) -> Chosen<'c> {
    let mut chosen = Chosen { rules: Vec::new(), told: Vec::new(), missing: Vec::new() };
    let mut root = first;
    for name in wanted {
        let path = Path::new(name);
        if !path.exists() {
            chosen.named(catalogue, name);
            continue;
        }
        // What a later root holds too has moved there.
        let is_there =
            |entry: &&CatalogueRule| entry.provenance.root == root || Path::new(&entry.file).starts_with(path);
        let there: Vec<&CatalogueRule> = catalogue.rules.iter().filter(is_there).collect();
        let is_wrong = |wrong: &&Diagnostic| wrong.is_error() && Path::new(&wrong.file).starts_with(path);
        let wrong: Vec<Diagnostic> = told.iter().filter(is_wrong).cloned().collect();
        if there.is_empty() && wrong.is_empty() {
            chosen.missing.push(format!("there is no rule in `{name}`"));
        }
        there.into_iter().for_each(|entry| chosen.add(entry));
        chosen.told.extend(wrong);
        root += 1;
    }
    chosen
}

impl<'c> Chosen<'c> {
    fn named(&mut self, catalogue: &'c Catalogue, name: &str) {
        if let Some(entry) = catalogue.find_rule(name) {
            return self.add(entry);
        }
        let near = catalogue.nearest_rule(name).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        self.missing.push(format!("no rule has the id, title, name or file `{name}`{near}"));
    }

    fn add(&mut self, entry: &'c CatalogueRule) {
        if !self.rules.iter().any(|known| known.rule.id == entry.rule.id) {
            self.rules.push(entry);
        }
    }
}
