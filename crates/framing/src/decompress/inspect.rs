//! Archives of Inspect (`.eval`): the header of a run and each of its samples, as records that a source recognises.
//!
//! In: the names of an archive's files. Out: what is given of each ([`Given`]). A sample is given as a log of one sample, with the plain values that
//! the archive says of its run, since the sample itself does not say whose it is. What the archive holds twice (summaries, reductions, the
//! journal) is not given. Source: Inspect's `EvalRecorder`, log version 2.

use std::io::{Read, Seek};

use serde_json::{Map, Value, json};
use zip::ZipArchive;

/// The largest header that is read.
const HEADER_BYTES: u64 = 64 << 20;

/// What stands for a file of an archive.
pub(super) enum Given {
    /// Nothing.
    Nothing,
    /// The file.
    File,
    /// The file, between these.
    Between(Vec<u8>, &'static [u8]),
    /// This text.
    Instead(Vec<u8>),
}

/// What an archive says of its run.
pub(super) struct Log {
    /// What stands before a sample.
    before: Vec<u8>,
    /// A run that has no header yet: it was started, and did not end or still goes on.
    started: Option<Vec<u8>>,
}

impl Log {
    /// The log in an archive, if it is one of Inspect.
    pub(super) fn find<S: Read + Seek>(archive: &mut ZipArchive<S>) -> Option<Log> {
        let (header, start) = (document(archive, "header.json"), document(archive, "_journal/start.json"));
        let has_header = header.is_some();
        let mut document = header.or(start)?;
        let eval = document.get("eval")?.as_object()?;
        let is_plain = |value: &Value| !value.is_object() && !value.is_array();
        let plain: Map<String, Value> =
            eval.iter().filter(|(_, value)| is_plain(value)).map(|(key, value)| (key.clone(), value.clone())).collect();
        let head = json!({"version": document.get("version"), "eval": plain}).to_string();
        let before = format!("{},\"samples\":[", head.strip_suffix('}').unwrap_or(&head)).into_bytes();
        document.insert("status".to_owned(), json!("started"));
        let started = (!has_header).then(|| format!("{}\n", Value::Object(document)).into_bytes());
        Some(Log { before, started })
    }

    /// What stands for the file of this name.
    pub(super) fn given(&self, name: &str) -> Given {
        match (name, &self.started) {
            ("header.json", _) => Given::File,
            ("_journal/start.json", Some(started)) => Given::Instead(started.clone()),
            _ if name.starts_with("samples/") && name.ends_with(".json") => Given::Between(self.before.clone(), b"]}"),
            _ => Given::Nothing,
        }
    }
}

/// A file of the archive that is an object of JSON.
fn document<S: Read + Seek>(archive: &mut ZipArchive<S>, name: &str) -> Option<Map<String, Value>> {
    let mut text = String::new();
    archive.by_name(name).ok()?.take(HEADER_BYTES).read_to_string(&mut text).ok()?;
    let readable =
        serde_json::from_str(&text).or_else(|_| serde_json::from_str(&engine::mended(&text).unwrap_or_default()));
    readable.ok()
}
