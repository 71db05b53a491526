//! What the engine's tests share: the sources of the repository, the data sets, a sink that remembers.
#![allow(dead_code, missing_docs)]

mod data;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use engine::correlate::Matched;
use engine::identity::Link;
use engine::ocsf::{Exported, Exporter, Options};
use engine::{Engine, Event, Format, Given, Limits, Reject, Sink, Source, ecs, sigma};
use model::{Finding, Lane, SourceId, Time};

pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub fn data() -> Option<PathBuf> {
    data::folder()
}

pub fn source_folders() -> Vec<PathBuf> {
    let folder = repository().join("content/sources");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("content/sources").map(|entry| entry.expect("entry").path()).collect();
    folders.retain(|path| path.join("source.yml").is_file());
    folders.sort();
    folders
}

pub fn sources() -> Vec<Source> {
    let read = |folder: &PathBuf| {
        let text = std::fs::read_to_string(folder.join("source.yml")).expect("source.yml");
        let (source, wrong) = Source::parse(&text);
        assert!(wrong.is_empty(), "{}: {wrong:#?}", folder.display());
        source.expect("a source without mistakes can be used")
    };
    source_folders().iter().map(read).collect()
}

pub fn engine(rules: &[&str]) -> Engine {
    engine_with(rules, Limits::default())
}

pub fn engine_with(rules: &[&str], limits: Limits) -> Engine {
    let (mut parsed, mut correlations, mut filters) = (Vec::new(), Vec::new(), Vec::new());
    for text in rules {
        let (documents, wrong) = sigma::parse(text);
        assert!(wrong.is_empty(), "{wrong:#?}");
        for document in documents {
            match document {
                sigma::Document::Rule(rule) => parsed.push(rule),
                sigma::Document::Filter(filter) => filters.push(filter),
                sigma::Document::Correlation(correlation) => correlations.push(correlation),
            }
        }
    }
    let (linked, wrong) = sigma::link(&parsed, &correlations);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let inventory = sigma::Inventory::new();
    let (engine, wrong) = Engine::with_correlations(sources(), parsed, filters, linked, &inventory, limits);
    assert!(wrong.is_empty(), "{wrong:#?}");
    engine
}

pub fn given(source: Option<&str>) -> Given {
    let received = Time::parse("2026-11-22T12:00:00Z").expect("a time");
    Given { source: source.map(SourceId::from), received, lane: Lane::Test }
}

/// What a sink saw of an event.
#[derive(Clone, Debug)]
pub struct Seen {
    pub source: String,
    pub id: String,
    pub time: String,
    pub raw: String,
    pub redacted: String,
    pub columns: BTreeMap<String, String>,
    pub entities: Vec<String>,
    pub ocsf: serde_json::Value,
}

static EXPORTER: LazyLock<Exporter> = LazyLock::new(|| Exporter::new(&sources()));

/// The event as OCSF, with its record.
pub fn export(event: &Event<'_>) -> Exported {
    EXPORTER.export(event, Options { raw_data: true }).expect("its class is one of the schema")
}

static ECS: LazyLock<ecs::Exporter> = LazyLock::new(|| ecs::Exporter::new(&sources()));

/// The event as ECS, with its record.
pub fn ecs(event: &Event<'_>) -> serde_json::Value {
    ECS.export(event, Options { raw_data: true })
}

/// A part of a page below `docs/`, between `<!-- name -->` and `<!-- end name -->`, says this; `WATCHKEEP_UPDATE=1` writes it.
pub fn page(file: &str, name: &str, text: &str) {
    let path = repository().join("docs").join(file);
    let page = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end {name} -->"));
    let (head, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("docs/{file} has no part `{name}`"));
    let (old, tail) = rest.split_once(&end).unwrap_or_else(|| panic!("docs/{file}: `{name}` does not end"));
    let new = format!("\n{}\n\n", text.trim());
    if std::env::var_os("WATCHKEEP_UPDATE").is_some() {
        std::fs::write(&path, format!("{head}{begin}{new}{end}{tail}")).expect("a page");
    } else {
        assert_eq!(old, new, "docs/{file}: part `{name}` says something else; look, then run with WATCHKEEP_UPDATE=1");
    }
}

#[derive(Debug, Default)]
pub struct Memory {
    pub events: Vec<Seen>,
    pub findings: Vec<Finding>,
    pub matched: Vec<Matched>,
    pub links: Vec<Link>,
    pub rejects: Vec<(String, Reject)>,
    /// Is each event also written as OCSF?
    pub is_exporting: bool,
}

impl Sink for Memory {
    fn rejected(&mut self, raw: &[u8], _source: Option<&SourceId>, reason: Reject) {
        self.rejects.push((String::from_utf8_lossy(raw).into_owned(), reason));
    }

    fn evaluated(&mut self, event: &Event<'_>) {
        self.events.push(Seen {
            source: event.source().id.to_string(),
            id: event.id().to_string(),
            time: event.time().to_string(),
            raw: event.raw().to_owned(),
            redacted: event.redacted(),
            columns: event.columns(),
            entities: event.entities().iter().map(|entity| format!("{}={}", entity.kind, entity.key)).collect(),
            ocsf: if self.is_exporting { export(event).event } else { serde_json::Value::Null },
        });
    }

    fn finding(&mut self, finding: Finding, _event: &Event<'_>) {
        self.findings.push(finding);
    }

    fn matched(&mut self, matched: Matched) {
        self.matched.push(matched);
    }

    fn linked(&mut self, links: Vec<Link>) {
        self.links.extend(links);
    }
}

/// The one event of a frame, as OCSF too.
pub fn exported(engine: &Engine, frame: &[u8]) -> Seen {
    let mut memory = Memory { is_exporting: true, ..Memory::default() };
    engine.evaluate(&mut engine.worker(), frame, &given(None), &mut memory);
    memory.events.remove(0)
}

/// Evaluates one frame; the count of the receiving side must agree.
pub fn evaluate(engine: &Engine, frame: &[u8], source: Option<&str>) -> Memory {
    let mut memory = Memory::default();
    let mut worker = engine.worker();
    let given = given(source);
    engine.evaluate(&mut worker, frame, &given, &mut memory);
    let count = engine.count(&mut worker, frame, &given);
    let seen = memory.events.len() + memory.rejects.len();
    assert_eq!(count, seen as u64, "received and settled differ: {}", String::from_utf8_lossy(frame));
    memory
}

/// The samples of a source.
pub fn samples(folder: &Path) -> Vec<PathBuf> {
    let read =
        std::fs::read_dir(folder.join("samples")).unwrap_or_else(|_| panic!("{} has no samples/", folder.display()));
    let mut files: Vec<PathBuf> = read.map(|entry| entry.expect("entry").path()).collect();
    files.retain(|path| path.extension().is_none_or(|ext| ext != "md"));
    files.sort();
    assert!(!files.is_empty(), "{} has no samples", folder.display());
    files
}

/// A file as the line reads it: framed, evaluated.
pub fn read_file(engine: &Engine, path: &Path, sink: &mut dyn Sink) {
    read_bytes(engine, &std::fs::read(path).expect("a file"), sink);
}

/// Bytes as the line reads them.
pub fn read_bytes(engine: &Engine, bytes: &[u8], sink: &mut dyn Sink) {
    let mut worker = engine.worker();
    let mut framer = engine.framer(Format::Auto);
    let mut each = |frame: engine::Frame<'_>| match frame.outcome {
        Ok(()) => engine.evaluate(&mut worker, frame.bytes, &given(None), sink),
        Err(reason) => sink.rejected(frame.bytes, None, reason),
    };
    framer.push(bytes, &mut each);
    framer.finish(&mut each);
}
