//! Real records of every kind, exported: what becomes of them, by file and by source, and every event valid against OCSF and ECS.
#![allow(missing_docs, clippy::disallowed_methods)] // Tests read files and clocks; the crate does not.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};

use common::{data, ecs, engine, export, page, read_bytes};
use engine::ocsf::Validator;
use engine::{Event, Reject, Sink, ecs as fields};
use model::{Finding, SourceId};
use serde_json::Value;

/// Sets whose rows hold no records: prompts, files, bundles, and indexes of other sets.
const NO_RECORDS: [&str; 6] = [
    "otrf_index.jsonl",
    "pickles.jsonl",
    "prompts.jsonl",
    "sigma_aws_oracle.jsonl",
    "sigstore_bundles.jsonl",
    "otel_semconv_genai_examples.jsonl",
];
/// Where a row holds its record, or its records.
const RECORD: [&str; 4] = ["event", "events", "payload", "raw"];

#[derive(Default)]
struct Source {
    records: usize,
    columns: BTreeSet<String>,
    filled: usize,
    entities: usize,
    kinds: BTreeSet<String>,
    wrong: BTreeSet<String>,
}

#[derive(Default)]
struct Seen {
    sources: BTreeMap<String, Source>,
    events: usize,
    rejects: BTreeMap<&'static str, usize>,
}

impl Sink for Seen {
    fn rejected(&mut self, _raw: &[u8], _source: Option<&SourceId>, reason: Reject) {
        *self.rejects.entry(reason.as_str()).or_default() += 1;
    }

    fn evaluated(&mut self, event: &Event<'_>) {
        self.events += 1;
        let source = self.sources.entry(event.source().id.to_string()).or_default();
        let columns = event.columns();
        let entities = event.entities();
        source.records += 1;
        source.filled += columns.len();
        source.columns.extend(columns.into_keys());
        source.entities += entities.len();
        source.kinds.extend(entities.iter().map(|entity| entity.kind.to_string()));
        source.wrong.extend(Validator::check(&export(event).event).iter().map(|wrong| format!("OCSF {wrong}")));
        source.wrong.extend(fields::check(&ecs(event)).iter().map(|wrong| format!("ECS {wrong}")));
    }

    fn finding(&mut self, _finding: Finding, _event: &Event<'_>) {}
}

fn bytes(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if path.extension().is_none_or(|ext| ext != "gz") {
        return bytes;
    }
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain).expect("gzip");
    plain
}

/// The records of a row of a labelled set, one a line; a row that is a record is itself.
fn records(row: &str) -> Vec<String> {
    let Ok(value) = serde_json::from_str::<Value>(row) else { return vec![row.to_owned()] };
    let is_row = value.get("id").is_some() || value.get("label").is_some();
    match RECORD.iter().find_map(|key| value.get(key).filter(|_| is_row)) {
        Some(Value::Array(events)) => events.iter().map(Value::to_string).collect(),
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Null) | None => vec![row.to_owned()],
        Some(event) => vec![event.to_string()],
    }
}

fn files(data: &Path) -> Vec<PathBuf> {
    let list = |folder: &str| {
        std::fs::read_dir(data.join(folder)).expect("a folder").map(|entry| entry.expect("entry").path())
    };
    let mut files: Vec<PathBuf> = list("raw").chain(list("labelled")).collect();
    files.retain(|path| !NO_RECORDS.iter().any(|name| path.ends_with(name)));
    files.sort();
    files
}

#[test]
fn real_records_are_told_by_file_and_by_source_and_all_their_events_are_valid() {
    let Some(data) = data() else { return };
    let engine = engine(&[]);
    let mut sources: BTreeMap<String, Source> = BTreeMap::new();
    let mut by_file = "| file | records | decoded | rejected |\n|---|---:|---:|---|\n".to_owned();
    for path in files(&data) {
        let mut seen = Seen::default();
        let bytes = bytes(&path);
        let is_rows = path.to_string_lossy().contains(".jsonl") || path.to_string_lossy().contains("labelled");
        match std::str::from_utf8(&bytes) {
            Ok(text) if is_rows => {
                text.lines().flat_map(records).for_each(|record| read_bytes(&engine, record.as_bytes(), &mut seen));
            }
            _ => read_bytes(&engine, &bytes, &mut seen),
        }
        let name = path.strip_prefix(&data).expect("below").display();
        let rejected: usize = seen.rejects.values().sum();
        let why: Vec<String> = seen.rejects.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        let _ = writeln!(by_file, "| `{name}` | {} | {} | {} |", seen.events + rejected, seen.events, why.join(", "));
        for (id, source) in seen.sources {
            add(sources.entry(id).or_default(), source);
        }
    }
    let wrong: Vec<_> =
        sources.iter().filter(|(_, source)| !source.wrong.is_empty()).map(|(id, s)| (id, &s.wrong)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    page("reference/exports.md", "records by source", &by_source(&sources));
    page("reference/exports.md", "records by file", &by_file);
}

fn add(all: &mut Source, more: Source) {
    all.records += more.records;
    all.filled += more.filled;
    all.entities += more.entities;
    all.columns.extend(more.columns);
    all.kinds.extend(more.kinds);
    all.wrong.extend(more.wrong);
}

fn by_source(sources: &BTreeMap<String, Source>) -> String {
    let mut text = "| source | records | columns | of them in a record | kinds of entities | entities in a record |\n|---|---:|---:|---:|---|---:|\n".to_owned();
    for (id, source) in sources {
        let each = |count: usize| count as f64 / source.records.max(1) as f64;
        let kinds: Vec<&str> = source.kinds.iter().map(String::as_str).collect();
        let (filled, entities) = (each(source.filled), each(source.entities));
        let (columns, kinds) = (source.columns.len(), kinds.join(", "));
        let _ = writeln!(text, "| `{id}` | {} | {columns} | {filled:.1} | {kinds} | {entities:.1} |", source.records);
    }
    text
}
