//! Field by field: our ECS against the fields that somebody else made of the same record.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use engine::{Engine, Event, Reject, Sink};
use model::{Finding, SourceId};
use serde_json::{Value, json};

use crate::common::{ecs, read_bytes, repository};

/// Fields in which we differ on purpose, and why.
const REASONS: [(&str, &str); 4] = [
    ("event.duration", "ECS counts nanoseconds; the pattern leaves the log's milliseconds as they are"),
    ("network.protocol", "ECS wants the protocol, `http`; that it is encrypted is said by `tls`"),
    ("url.path", "ECS keeps the query in `url.query`"),
    ("event.action", "theirs is the same in all rows, also where the record says REJECT"),
];

/// How far we agree with one of the others.
pub struct Agreement {
    pub name: &'static str,
    /// What was reached; less is a fault.
    pub floor: f64,
    records: usize,
    fields: BTreeMap<String, Field>,
}

#[derive(Default)]
struct Field {
    same: usize,
    differ: usize,
    missing: usize,
    example: String,
}

impl Agreement {
    fn new(name: &'static str, floor: f64) -> Agreement {
        Agreement { name, floor, records: 0, fields: BTreeMap::new() }
    }

    fn compare(&mut self, ours: &Value, theirs: &BTreeMap<String, Value>) {
        self.records += 1;
        for (name, value) in theirs {
            let field = self.fields.entry(name.clone()).or_default();
            match ours.pointer(&format!("/{}", name.replace('.', "/"))) {
                Some(own) if is_same(own, value) => field.same += 1,
                Some(own) => {
                    field.differ += 1;
                    field.example = format!("`{}` where they have `{}`", plain(own), plain(value));
                }
                None => {
                    field.missing += 1;
                    field.example = format!("nothing where they have `{}`", plain(value));
                }
            }
        }
    }

    /// Of all fields of all records, the part in which both say the same.
    pub fn share(&self) -> f64 {
        let same: usize = self.fields.values().map(|field| field.same).sum();
        same as f64 / self.fields.values().map(Field::all).sum::<usize>().max(1) as f64
    }

    pub fn table(&self) -> String {
        let same: usize = self.fields.values().map(|field| field.same).sum();
        let all: usize = self.fields.values().map(Field::all).sum();
        let head = format!(
            "**{}**: {} records, {all} fields, {same} the same ({:.1} %).",
            self.name,
            self.records,
            self.share() * 100.0
        );
        let mut text = format!(
            "{head}\n\n| field | the same | differs | missing | example | why |\n|---|---:|---:|---:|---|---|\n"
        );
        for (name, field) in self.fields.iter().filter(|(_, field)| field.same < field.all()) {
            let why = REASONS.iter().find(|(known, _)| known == name).map_or("", |(_, why)| why);
            let _ = writeln!(
                text,
                "| `{name}` | {} | {} | {} | {} | {why} |",
                field.same, field.differ, field.missing, field.example
            );
        }
        let whole: Vec<String> = self
            .fields
            .iter()
            .filter(|(_, field)| field.same == field.all())
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        let _ = write!(text, "\nThe same in every record: {}.", whole.join(", "));
        text
    }
}

impl Field {
    fn all(&self) -> usize {
        self.same + self.differ + self.missing
    }
}

/// Numbers may be written as text, and versions of TLS in any case.
fn is_same(own: &Value, theirs: &Value) -> bool {
    own == theirs || plain(own).eq_ignore_ascii_case(&plain(theirs))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

struct One(Option<Value>);

impl Sink for One {
    fn rejected(&mut self, _raw: &[u8], _source: Option<&SourceId>, _reason: Reject) {}

    fn evaluated(&mut self, event: &Event<'_>) {
        self.0 = Some(ecs(event));
    }

    fn finding(&mut self, _finding: Finding, _event: &Event<'_>) {}
}

/// Our event of a record.
pub fn ours(engine: &Engine, raw: &str) -> Value {
    let mut one = One(None);
    read_bytes(engine, raw.as_bytes(), &mut one);
    one.0.unwrap_or_else(|| panic!("no event of {raw}"))
}

fn rows(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).expect("a row is JSON")).collect()
}

/// Fields of `object` as fields of ECS, by a table of names.
fn renamed(object: &Value, names: &[(&str, &str)]) -> BTreeMap<String, Value> {
    let find =
        |path: &str| object.get(path).or_else(|| object.pointer(&format!("/{}", path.replace('.', "/")))).cloned();
    let fields = names.iter().filter_map(|(theirs, name)| Some(((*name).to_owned(), find(theirs)?)));
    fields.filter(|(_, value)| !matches!(value.as_str(), Some("" | "-"))).collect()
}

/// What Elastic's patterns for Logstash read.
pub fn logstash(engine: &Engine) -> Agreement {
    let mut agreement = Agreement::new("Elastic's patterns for Logstash (ELB, S3, CloudFront, Squid)", 0.968);
    for row in rows(&repository().join("conformance/ecs/logstash.jsonl")) {
        let expected: BTreeMap<String, Value> = serde_json::from_value(row["expected"].clone()).expect("fields");
        agreement.compare(&ours(engine, row["raw"].as_str().expect("a line")), &expected);
    }
    agreement
}

/// What the OpenTelemetry collector reads of S3 access logs. Its conventions took these names over from ECS.
pub fn opentelemetry(engine: &Engine, data: &Path) -> Agreement {
    const NAMES: [(&str, &str); 9] = [
        ("source.address", "source.address"),
        ("user.id", "user.id"),
        ("rpc.method", "event.action"),
        ("http.request.method", "http.request.method"),
        ("url.path", "url.path"),
        ("http.response.status_code", "http.response.status_code"),
        ("http.response.body.size", "http.response.body.bytes"),
        ("user_agent.original", "user_agent.original"),
        ("tls.cipher", "tls.cipher"),
    ];
    let mut agreement = Agreement::new("OpenTelemetry collector (S3 access log)", 0.9);
    for row in rows(&data.join("labelled/otel_awslogs_pairs.jsonl")) {
        let Some(expected) = row["expected_flattened"].as_object() else { continue };
        let mut theirs = renamed(&expected["attributes"], &NAMES);
        theirs.insert("cloud.provider".into(), expected["resource"]["cloud.provider"].clone());
        agreement.compare(&ours(engine, row["raw"].as_str().expect("a line")), &theirs);
    }
    agreement
}

/// What OpenSearch's catalogue makes of VPC flow logs, in its Simple Schema for Observability, which follows ECS.
pub fn opensearch(engine: &Engine, data: &Path) -> Agreement {
    const NAMES: [(&str, &str); 13] = [
        ("communication.source.address", "source.address"),
        ("communication.source.port", "source.port"),
        ("communication.source.packets", "source.packets"),
        ("communication.source.bytes", "source.bytes"),
        ("communication.destination.address", "destination.address"),
        ("communication.destination.port", "destination.port"),
        ("cloud.provider", "cloud.provider"),
        ("cloud.account.id", "cloud.account.id"),
        ("cloud.region", "cloud.region"),
        ("aws.vpc.instance-id", "cloud.instance.id"),
        ("aws.vpc.flow-direction", "network.direction"),
        ("aws.vpc.protocol", "network.iana_number"),
        ("event.result", "event.action"),
    ];
    let mut agreement = Agreement::new("OpenSearch's catalogue (VPC flow log)", 0.966);
    for row in rows(&data.join("raw/vpc_flow_opensearch_catalog.jsonl")) {
        let mut theirs = renamed(&row, &NAMES);
        let flow = &row["aws"]["vpc"];
        let seconds = |name: &str| flow[name].as_str().and_then(|text| text.parse::<i64>().ok());
        for (name, field) in [("start", "event.start"), ("end", "event.end")] {
            let at = seconds(name).map(|at| model::Time::from_millis(at * 1000).to_string());
            theirs.extend(at.map(|at| (field.to_owned(), json!(at))));
        }
        // The line in `body` is the same in many rows; what was made of a record is beside its own fields.
        agreement.compare(&ours(engine, &flow.to_string()), &theirs);
    }
    agreement
}
