//! The catalogue: everything that was loaded, and the engine made of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::context::{Context, Kept, Things};
use engine::detector::{Detector, Signs};
use engine::feed::Feed;
use engine::sigma::{self, Correlation, Filter, Inventory, Rule};
use engine::source::Remap;
use engine::{Engine, Limits, Source};
use model::{Diagnostic, Severity, SourceId};

use crate::cases::RuleCases;
use crate::nearest::nearest;

/// Everything that some roots hold.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// The roots, as a person would name them.
    pub roots: Vec<String>,
    /// The sources, by id.
    pub sources: Vec<Source>,
    /// The rules, in the order of roots and files.
    pub rules: Vec<CatalogueRule>,
    /// The filters.
    pub filters: Vec<Filter>,
    /// The correlations; what they refer to was looked for when they were loaded.
    pub correlations: Vec<Correlation>,
    /// What looks at prompts.
    pub detectors: Vec<Arc<Signs>>,
    /// How APIs of vendors are walked, by id.
    pub feeds: BTreeMap<String, Arc<Feed>>,
    /// The programs of sources that have one.
    pub remaps: BTreeMap<SourceId, Arc<dyn Remap>>,
    /// The tests, by file.
    pub cases: Vec<RuleCases>,
    /// The lists behind `|expand`, merged: a later root's list replaces an earlier one of the same name.
    pub inventory: Inventory,
    /// Who answers for each list, and what it is, where its file says so.
    pub lists: BTreeMap<String, InventoryList>,
    /// What the lab has. Once a folder has assets of a kind, those of that kind that are built in, an example, are gone.
    pub things: Arc<Things>,
}

/// A rule and where it came from.
#[derive(Clone, Debug)]
pub struct CatalogueRule {
    /// The rule.
    pub rule: Arc<Rule>,
    /// Its file, as its author would name it.
    pub file: String,
    /// The file's text.
    pub text: Arc<str>,
    /// Where the file came from.
    pub provenance: Provenance,
}

/// Where a rule came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// Position of its root among the catalogue's roots.
    pub root: usize,
    /// The pack's origin, for imported rules.
    pub origin: Option<String>,
    /// The origin's version or commit.
    pub version: Option<String>,
    /// The licence of the rule text.
    pub license: Option<String>,
}

impl Provenance {
    /// Was the rule imported from somebody else's collection?
    pub fn is_imported(&self) -> bool {
        self.origin.is_some()
    }
}

/// What an inventory file says about one list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InventoryList {
    /// What the list is.
    pub description: Option<String>,
    /// Does it take values from assets?
    pub derived: bool,
    /// Where it is written, who keeps it, and its age.
    pub kept: Kept,
}

impl Catalogue {
    /// Compiles everything to an engine. A rule that cannot be compiled is set aside with an error; the others go on.
    pub fn compile(&self, limits: Limits) -> (Engine, Vec<Diagnostic>) {
        self.compile_with(&self.inventory, limits)
    }

    /// As [`Catalogue::compile`], with another inventory.
    pub fn compile_with(&self, inventory: &Inventory, limits: Limits) -> (Engine, Vec<Diagnostic>) {
        let rules: Vec<Arc<Rule>> = self.rules.iter().map(|entry| entry.rule.clone()).collect();
        // What cannot be joined was told when the correlations were loaded.
        let (linked, _) = sigma::link(&rules, &self.correlations);
        let (sources, filters) = (self.sources.clone(), self.filters.clone());
        let compiled = Engine::with_correlations(sources, rules, filters, linked, inventory, limits);
        let (engine, mut diagnostics) = compiled;
        let detectors = self.detectors.iter().map(|detector| Arc::clone(detector) as Arc<dyn Detector>);
        let context = Context::new(self.things.clone(), inventory);
        let remaps = self.remaps.iter().map(|(id, remap)| (id.clone(), Arc::clone(remap))).collect();
        let engine = engine.with_detectors(detectors.collect()).with_remaps(remaps).with_context(Arc::new(context));
        // Somebody else's rule is sound; the lab has yet to say what is in its list.
        let is_imported =
            |file: &str| self.rules.iter().any(|entry| entry.file == file && entry.provenance.is_imported());
        for wrong in diagnostics.iter_mut().filter(|wrong| wrong.code == "unknown-placeholder") {
            if is_imported(&wrong.file) {
                wrong.severity = Severity::Warning;
            }
        }
        (engine, diagnostics)
    }

    /// The rule that a person means: by id, title, name, or stem of its file.
    pub fn find_rule(&self, wanted: &str) -> Option<&CatalogueRule> {
        self.rules.iter().find(|entry| entry.answers_to(wanted))
    }

    /// The name of a rule's file that is nearest to a misspelt one.
    pub fn nearest_rule(&self, wanted: &str) -> Option<&str> {
        nearest(wanted, self.rules.iter().flat_map(|entry| [entry.stem(), entry.rule.title.as_str()]))
    }

    /// The source with this id.
    pub fn source(&self, id: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.id.as_str() == id)
    }

    /// The sources whose records a rule looks at.
    pub fn sources_of(&self, rule: &Rule) -> Vec<SourceId> {
        let carries = |source: &&Source| source.logsources.iter().any(|theirs| rule.logsource.applies_to(theirs));
        self.sources.iter().filter(carries).map(|source| source.id.clone()).collect()
    }

    /// Only the rules that `keep` takes, with the sources, filters and inventory that they are compiled with.
    #[must_use]
    pub fn with_rules(&self, keep: impl Fn(&CatalogueRule) -> bool) -> Catalogue {
        Catalogue {
            roots: self.roots.clone(),
            sources: self.sources.clone(),
            rules: self.rules.iter().filter(|entry| keep(entry)).cloned().collect(),
            filters: self.filters.clone(),
            correlations: self.correlations.clone(),
            detectors: self.detectors.clone(),
            feeds: self.feeds.clone(),
            remaps: self.remaps.clone(),
            cases: Vec::new(),
            inventory: self.inventory.clone(),
            lists: self.lists.clone(),
            things: self.things.clone(),
        }
    }
}

impl CatalogueRule {
    /// Is the rule meant by `wanted`: its id, title, name, or the stem of its file?
    pub fn answers_to(&self, wanted: &str) -> bool {
        let rule = &self.rule;
        rule.id.as_str().eq_ignore_ascii_case(wanted)
            || rule.title.eq_ignore_ascii_case(wanted)
            || rule.name.as_deref() == Some(wanted)
            || self.stem() == wanted
    }

    /// The name of its file without folder and ending.
    pub fn stem(&self) -> &str {
        stem(&self.file)
    }
}

/// A file's name without folder and `.yml`, `.yaml`, `.test.yml`.
pub(crate) fn stem(file: &str) -> &str {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let name = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml")).unwrap_or(name);
    name.strip_suffix(".test").unwrap_or(name)
}
