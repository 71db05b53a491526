//! Loads roots into a [`Catalogue`].
//!
//! Comes in: roots. Goes out: a catalogue of everything that can be used, and every mistake of every file. Files are
//! read and parsed on several threads; what they say is put together in the order of roots and names, so that the result
//! never depends on timing. A file that cannot be used is reported and set aside; the others go on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::Source;
use engine::detector::Signs;
use engine::feed::Feed;
use engine::sigma::{self, Correlation, Document, Filter};
use engine::source::Remap;
use model::Diagnostic;

use crate::cases::{self, RuleCases};
use crate::catalogue::{Catalogue, CatalogueRule, Provenance};
use crate::import::PackProvenance;
use crate::inventory;
use crate::nearest::nearest;
use crate::remap;
use crate::root::{ContentFile, FileKind, Root};
use crate::things::Gathered;

/// The most threads that parse.
const THREADS_MAX: usize = 8;

/// What one file holds.
#[derive(Default)]
struct Parsed {
    source: Option<Source>,
    remap: Option<Arc<dyn Remap>>,
    documents: Vec<Document>,
    text: Option<Arc<str>>,
    inventory: inventory::Parsed,
    /// The text of a CSV file.
    table: Option<String>,
    detector: Option<Signs>,
    feed: Option<Feed>,
    cases: Option<RuleCases>,
    pack: Option<PackProvenance>,
    diagnostics: Vec<Diagnostic>,
}

/// Loads everything below `roots`; later roots win over earlier ones.
pub fn load(roots: &[Root]) -> (Catalogue, Vec<Diagnostic>) {
    load_with(roots, &|_, _| {})
}

/// As [`load`]; calls `progress` with files done and files in all, from the parsing threads.
pub fn load_with(roots: &[Root], progress: &(dyn Fn(usize, usize) + Sync)) -> (Catalogue, Vec<Diagnostic>) {
    let mut files = Vec::new();
    let mut diagnostics = Vec::new();
    for (position, root) in roots.iter().enumerate() {
        let (found, wrong) = root.files(position);
        files.extend(found);
        diagnostics.extend(wrong);
    }
    let parsed = parse_all(&files, progress);
    let mut assembly = Assembly::new(roots, diagnostics);
    assembly.take_packs(&files, &parsed);
    assembly.gathered = Gathered::of(roots);
    for (file, parsed) in files.iter().zip(parsed) {
        assembly.take(file, parsed);
    }
    assembly.finish()
}

/// Parses the files on as many threads as the machine runs at once, [`THREADS_MAX`] at most; results stand in the order of the files.
fn parse_all(files: &[ContentFile], progress: &(dyn Fn(usize, usize) + Sync)) -> Vec<Parsed> {
    let next = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    let work = || {
        let mut mine = Vec::new();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = files.get(i) else { return mine };
            mine.push((i, parse_file(file)));
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, files.len());
        }
    };
    let threads = std::thread::available_parallelism().map_or(2, usize::from).min(THREADS_MAX);
    let mut results: Vec<(usize, Parsed)> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        handles.into_iter().flat_map(|handle| handle.join().expect("parsers do not panic")).collect()
    });
    results.sort_by_key(|(i, _)| *i);
    results.into_iter().map(|(_, parsed)| parsed).collect()
}

fn parse_file(file: &ContentFile) -> Parsed {
    let text = match file.text() {
        Ok(text) => text,
        Err(diagnostic) => return Parsed { diagnostics: vec![diagnostic], ..Parsed::default() },
    };
    let mut parsed = match file.kind {
        FileKind::Source => {
            let (source, diagnostics) = Source::parse(&text);
            let (remap, wrong) = source.as_ref().map(remap::compile).unwrap_or_default();
            Parsed { source, remap, diagnostics: [diagnostics, wrong].concat(), ..Parsed::default() }
        }
        FileKind::Inventory => {
            let (inventory, diagnostics) = inventory::parse(&text);
            Parsed { inventory, diagnostics, ..Parsed::default() }
        }
        FileKind::InventoryTable => Parsed { table: Some(text.into_owned()), ..Parsed::default() },
        FileKind::Detector => {
            let (detector, diagnostics) = Signs::parse(&text);
            Parsed { detector, diagnostics, ..Parsed::default() }
        }
        FileKind::Feed => {
            let (feed, diagnostics) = Feed::parse(&text);
            Parsed { feed, diagnostics, ..Parsed::default() }
        }
        FileKind::Rules => {
            let (documents, diagnostics) = sigma::parse(&text);
            Parsed { documents, diagnostics, text: Some(Arc::from(text.as_ref())), ..Parsed::default() }
        }
        FileKind::Cases => {
            let (cases, diagnostics) = cases::parse(&file.name, &text);
            Parsed { cases, diagnostics, ..Parsed::default() }
        }
        FileKind::Provenance => {
            let (pack, diagnostics) = PackProvenance::parse_head(&text);
            Parsed { pack, diagnostics, ..Parsed::default() }
        }
    };
    for diagnostic in &mut parsed.diagnostics {
        diagnostic.file.clone_from(&file.name);
    }
    parsed
}

/// The catalogue while it is put together.
struct Assembly {
    catalogue: Catalogue,
    diagnostics: Vec<Diagnostic>,
    /// Rule id to its position among the rules.
    rule_ids: BTreeMap<String, usize>,
    /// Source id to its position and root.
    source_ids: BTreeMap<String, (usize, usize)>,
    /// Folder of an imported pack to what its `provenance.yml` says.
    packs: BTreeMap<String, PackProvenance>,
    gathered: Gathered,
    /// Feed id to its file.
    feed_files: BTreeMap<String, ContentFile>,
}

impl Assembly {
    fn new(roots: &[Root], diagnostics: Vec<Diagnostic>) -> Assembly {
        let catalogue = Catalogue { roots: roots.iter().map(Root::label).collect(), ..Catalogue::default() };
        Assembly {
            catalogue,
            diagnostics,
            rule_ids: BTreeMap::new(),
            source_ids: BTreeMap::new(),
            packs: BTreeMap::new(),
            gathered: Gathered::default(),
            feed_files: BTreeMap::new(),
        }
    }

    fn take_packs(&mut self, files: &[ContentFile], parsed: &[Parsed]) {
        for (file, parsed) in files.iter().zip(parsed) {
            if let (Some(pack), Some((folder, _))) = (&parsed.pack, file.name.rsplit_once('/')) {
                self.packs.insert(folder.to_owned(), pack.clone());
            }
        }
    }

    fn take(&mut self, file: &ContentFile, parsed: Parsed) {
        self.diagnostics.extend(parsed.diagnostics);
        if let Some(source) = parsed.source {
            self.take_source(file, source, parsed.remap);
        }
        let text = parsed.text.unwrap_or_default();
        for document in parsed.documents {
            self.take_document(file, document, &text);
        }
        self.gathered.take(file, parsed.inventory, parsed.table);
        if let Some(detector) = parsed.detector {
            self.take_detector(file, detector);
        }
        if let Some(feed) = parsed.feed {
            self.take_feed(file, feed);
        }
        self.catalogue.cases.extend(parsed.cases);
    }

    fn take_source(&mut self, file: &ContentFile, source: Source, remap: Option<Arc<dyn Remap>>) {
        let id = source.id.as_str().to_owned();
        let source_id = source.id.clone();
        match self.source_ids.get(&id) {
            Some((at, root)) if *root < file.root => {
                self.catalogue.sources[*at] = source;
                let message = format!("source `{id}` replaces the one of an earlier root");
                self.warn(file, 0, "overrides-source", message, "nothing, if that is meant");
            }
            Some(_) => {
                let message = format!("source `{id}` stands twice");
                self.wrong(file, 0, "duplicate-source", message, "give each source its own id");
            }
            None => {
                self.source_ids.insert(id, (self.catalogue.sources.len(), file.root));
                self.catalogue.sources.push(source);
            }
        }
        match remap {
            Some(remap) => self.catalogue.remaps.insert(source_id, remap),
            None => self.catalogue.remaps.remove(&source_id),
        };
    }

    /// A later root's detector replaces one of the same id.
    fn take_detector(&mut self, file: &ContentFile, detector: Signs) {
        let detectors = &mut self.catalogue.detectors;
        let Some(at) = detectors.iter().position(|known| known.id == detector.id) else {
            detectors.push(Arc::new(detector));
            return;
        };
        let message = format!("detector `{}` replaces another", detector.id);
        detectors[at] = Arc::new(detector);
        self.warn(file, 0, "overrides-detector", message, "nothing, if that is meant; otherwise give it its own id");
    }

    /// A later root's feed replaces one of the same id.
    fn take_feed(&mut self, file: &ContentFile, feed: Feed) {
        let id = feed.id.clone();
        if self.catalogue.feeds.insert(id.clone(), Arc::new(feed)).is_some() {
            let message = format!("feed `{id}` replaces another");
            self.warn(file, 0, "overrides-feed", message, "nothing, if that is meant; otherwise give it its own id");
        }
        self.feed_files.insert(id, file.clone());
    }

    /// A feed is of no use without the source that reads its records.
    fn check_feeds(&mut self) {
        let is_known = |feed: &Feed| self.source_ids.contains_key(feed.source.as_str());
        let strays: Vec<_> = self.catalogue.feeds.values().filter(|feed| !is_known(feed)).cloned().collect();
        for feed in strays {
            let known = self.source_ids.keys().map(String::as_str);
            let remedy = match nearest(feed.source.as_str(), known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "add that source, or name one that `watchkeep sources` lists".to_owned(),
            };
            let message =
                format!("feed `{}` gives records of `{}`, and no such source is loaded", feed.id, feed.source);
            let file = self.feed_files[&feed.id].clone();
            self.wrong(&file, 0, "unknown-source", message, &remedy);
        }
    }

    fn take_document(&mut self, file: &ContentFile, document: Document, text: &Arc<str>) {
        match document {
            Document::Rule(rule) => self.take_rule(file, rule, text),
            Document::Filter(filter) => self.catalogue.filters.push(Filter { file: file.name.clone(), ..filter }),
            Document::Correlation(correlation) => self.take_correlation(file, correlation),
        }
    }

    /// What speaks for a rule comes behind it, and is set aside where that rule was.
    fn take_correlation(&mut self, file: &ContentFile, correlation: Correlation) {
        if let Some(rule) = &correlation.voice_of {
            let is_taken = |entry: &CatalogueRule| {
                entry.rule.id == *rule && entry.file == file.name && entry.rule.line == correlation.line
            };
            if !self.catalogue.rules.iter().any(is_taken) {
                return;
            }
        }
        self.catalogue.correlations.push(Correlation { file: file.name.clone(), ..correlation });
    }

    fn take_rule(&mut self, file: &ContentFile, mut rule: sigma::Rule, text: &Arc<str>) {
        rule.file.clone_from(&file.name);
        let id = rule.id.as_str().to_ascii_lowercase();
        let line = rule.line;
        let provenance = self.provenance(file, &rule);
        let entry = CatalogueRule { provenance, file: file.name.clone(), text: Arc::clone(text), rule: Arc::new(rule) };
        let Some(at) = self.rule_ids.get(&id).copied() else {
            self.rule_ids.insert(id, self.catalogue.rules.len());
            self.catalogue.rules.push(entry);
            return;
        };
        let earlier = &self.catalogue.rules[at];
        let other = earlier.file.clone();
        if earlier.provenance.root < file.root {
            let replaced = &entry.rule.id;
            self.catalogue.correlations.retain(|other| other.voice_of.as_ref() != Some(replaced));
            self.catalogue.rules[at] = entry;
            let message = format!("rule `{id}` replaces the one in `{other}`");
            self.warn(file, line, "overrides-rule", message, "nothing, if that is meant; otherwise give it its own id");
        } else {
            let message = format!("rule id `{id}` stands in `{other}` too; this one is set aside");
            self.wrong(file, line, "duplicate-id", message, "give each rule its own UUID");
        }
    }

    /// What the nearest `provenance.yml` above the file says, with the rule's own licence first.
    fn provenance(&self, file: &ContentFile, rule: &sigma::Rule) -> Provenance {
        let mut folder = file.name.as_str();
        let mut pack = None;
        while let Some((above, _)) = folder.rsplit_once('/') {
            folder = above;
            pack = self.packs.get(folder);
            if pack.is_some() {
                break;
            }
        }
        Provenance {
            root: file.root,
            origin: pack.map(|pack| pack.origin.clone()),
            version: pack.map(|pack| pack.version.clone()),
            license: rule.license.clone().or_else(|| pack.map(|pack| pack.license.clone())),
        }
    }

    fn wrong(&mut self, file: &ContentFile, line: usize, code: &str, message: String, remedy: &str) {
        self.diagnostics.push(Diagnostic::error(line, 0, code, message, remedy).in_file(file.name.clone()));
    }

    fn warn(&mut self, file: &ContentFile, line: usize, code: &str, message: String, remedy: &str) {
        self.diagnostics.push(Diagnostic::warning(line, 0, code, message, remedy).in_file(file.name.clone()));
    }

    fn finish(mut self) -> (Catalogue, Vec<Diagnostic>) {
        let rules: Vec<Arc<sigma::Rule>> = self.catalogue.rules.iter().map(|entry| Arc::clone(&entry.rule)).collect();
        self.diagnostics.extend(sigma::link(&rules, &self.catalogue.correlations).1);
        self.diagnostics.extend(std::mem::take(&mut self.gathered).finish(&mut self.catalogue));
        self.check_feeds();
        self.catalogue.sources.sort_by(|left, right| left.id.cmp(&right.id));
        self.diagnostics.sort();
        (self.catalogue, self.diagnostics)
    }
}
