//! The records and the rules that both sides are given.

#[path = "../../../../crates/engine/tests/common/data.rs"]
mod data;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

pub use self::data::folder;

/// Records of one kind, as JSON texts.
pub struct Corpus {
    pub name: &'static str,
    pub events: Vec<String>,
}

/// Every rule file of the public repository's archive, path and text, in order of paths.
pub fn repository(folder: &Path) -> Vec<(String, String)> {
    let file = std::fs::File::open(folder.join("sigma_rules.tar.zst")).expect("the archive of rules");
    let mut archive = tar::Archive::new(zstd::Decoder::new(file).expect("zstd"));
    let mut files = Vec::new();
    for entry in archive.entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        let path = entry.path().expect("a path").to_string_lossy().trim_start_matches("./").to_owned();
        if path.ends_with(".yml") && entry.header().entry_type().is_file() {
            let mut text = String::new();
            entry.read_to_string(&mut text).expect("UTF-8");
            files.push((path, text));
        }
    }
    files.sort();
    files
}

/// All corpora; of the large ones one record in so many, unless `is_whole`.
pub fn all(folder: &Path, is_whole: bool) -> Vec<Corpus> {
    let labelled = |name: &str| rows(&folder.join("labelled").join(name));
    let panther = labelled("panther_tests.jsonl");
    let one_in = |stride: usize| if is_whole { 1 } else { stride };
    vec![
        Corpus { name: "stratus", events: inner(&labelled("stratus.jsonl")) },
        Corpus { name: "invictus", events: own(&labelled("invictus.jsonl.gz")) },
        Corpus { name: "traildiscover", events: inner(&labelled("traildiscover.jsonl")) },
        Corpus { name: "otrf_ec2", events: own(&labelled("otrf_ec2_proxy_s3_exfil.jsonl")) },
        Corpus { name: "panther_cloudtrail", events: own(&of_type(&panther, "AWS.CloudTrail")) },
        Corpus { name: "panther_k8s", events: own(&of_type(&panther, "Amazon.EKS.Audit")) },
        Corpus { name: "panther_other", events: own(&of_other_types(&panther)) },
        Corpus { name: "falco_k8s_audit", events: inner(&labelled("falco_k8s_audit.jsonl")) },
        Corpus { name: "sigma_regression", events: regression(&labelled("sigma_regression.jsonl")) },
        Corpus { name: "generated", events: every(one_in(199), lines(&folder.join("generated_sample.ndjson.gz"))) },
        Corpus { name: "windows_otrf", events: every(one_in(47), windows(&folder.join("windows_otrf"))) },
    ]
}

fn every(stride: usize, events: Vec<String>) -> Vec<String> {
    events.into_iter().step_by(stride).collect()
}

fn text(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if path.extension().is_none_or(|extension| extension != "gz") {
        return String::from_utf8(bytes).expect("UTF-8");
    }
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("gzip of UTF-8");
    text
}

fn lines(path: &Path) -> Vec<String> {
    text(path).lines().map(str::to_owned).collect()
}

fn rows(path: &Path) -> Vec<Value> {
    text(path).lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
}

/// The record of each row.
fn own(rows: &[Value]) -> Vec<String> {
    rows.iter().filter(|row| row["event"].is_object()).map(|row| row["event"].to_string()).collect()
}

/// The records of each row.
fn inner(rows: &[Value]) -> Vec<String> {
    rows.iter().flat_map(|row| row["events"].as_array().into_iter().flatten()).map(Value::to_string).collect()
}

fn of_type(rows: &[Value], log_type: &str) -> Vec<Value> {
    rows.iter().filter(|row| row["log_type"] == log_type).cloned().collect()
}

fn of_other_types(rows: &[Value]) -> Vec<Value> {
    let taken = ["AWS.CloudTrail", "Amazon.EKS.Audit"];
    rows.iter().filter(|row| !taken.iter().any(|log_type| row["log_type"] == *log_type)).cloned().collect()
}

fn windows(folder: &Path) -> Vec<String> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("windows_otrf").filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths.iter().flat_map(|path| lines(path)).collect()
}

/// Windows events, flattened as the rules specification names fields: attributes as `Tag_Attribute`, names without spaces.
fn regression(rows: &[Value]) -> Vec<String> {
    rows.iter().flat_map(|row| row["events"].as_array().into_iter().flatten()).map(flat).collect()
}

fn flat(event: &Value) -> String {
    let root = event.get("Event").unwrap_or(event);
    let mut fields = Map::new();
    for (name, value) in entries(root, "System") {
        match value.get("#attributes").and_then(Value::as_object) {
            Some(attributes) => {
                fields
                    .extend(attributes.iter().map(|(attribute, value)| (format!("{name}_{attribute}"), value.clone())));
                fields.extend(value.get("#text").map(|text| (name.clone(), text.clone())));
            }
            None => drop(fields.insert(name.clone(), value.clone())),
        }
    }
    fields.extend(entries(root, "EventData").map(|(name, value)| (name.replace(' ', ""), value.clone())));
    for (name, value) in entries(root, "UserData") {
        match value.as_object() {
            Some(inner) => fields.extend(inner.iter().map(|(name, value)| (name.clone(), value.clone()))),
            None => drop(fields.insert(name.clone(), value.clone())),
        }
    }
    Value::Object(fields).to_string()
}

fn entries<'v>(root: &'v Value, part: &str) -> impl Iterator<Item = (&'v String, &'v Value)> {
    root.get(part).and_then(Value::as_object).into_iter().flatten()
}
