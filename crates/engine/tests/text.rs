//! Lines of text as the line reads them: framed, counted, recognised and accounted for, in whatever they are wrapped.
#![allow(missing_docs, clippy::disallowed_methods)] // Tests read files and clocks; the crate does not.

mod common;

use common::{Memory, data, given};
use engine::{Engine, Format, Limits, Reject, Source, sigma};

const HEAD: &str = "title: x\nlogsource: {product: lab}\ntime: [at]\nocsf: {class_uid: 6003, category_uid: 6}\n\
    unwrap: [message]\ncolumns: {who: who, what: what, host: syslog.hostname, secret: {path: secret, matches: '(?s)^(.*)$'}}\nsensitive: [secret]\n";

fn lab(formats: &[(&str, &str)], rules: &[&str]) -> Engine {
    let read = |(id, format): &(&str, &str)| {
        let (source, wrong) = Source::parse(&format!("id: {id}\n{HEAD}format: {format}\n"));
        assert!(wrong.is_empty(), "{wrong:#?}");
        source.expect("it can be used")
    };
    let rule = |text: &&str| match sigma::parse(text).0.remove(0) {
        sigma::Document::Rule(rule) => rule,
        _ => panic!("a rule"),
    };
    let (sources, rules) = (formats.iter().map(read).collect(), rules.iter().map(rule).collect());
    let (engine, wrong) = Engine::compile(sources, rules, vec![], &sigma::Inventory::new(), Limits::default());
    assert!(wrong.is_empty(), "{wrong:#?}");
    engine
}

/// A stream as the line reads it, in pieces; what is counted must be what is settled.
fn stream(engine: &Engine, text: &str, source: Option<&str>) -> Memory {
    let (mut memory, mut worker, mut count) = (Memory::default(), engine.worker(), 0);
    let mut each = |frame: engine::Frame<'_>| {
        frame.outcome.expect("a whole frame");
        count += engine.count(&mut worker, frame.bytes, &given(source));
        engine.evaluate(&mut worker, frame.bytes, &given(source), &mut memory);
    };
    let mut framer = engine.framer(Format::Auto);
    text.as_bytes().chunks(11).for_each(|piece| framer.push(piece, &mut each));
    framer.finish(&mut each);
    assert_eq!(count as usize, memory.events.len() + memory.rejects.len(), "{text}");
    memory
}

const FLOW: (&str, &str) = (
    "flow",
    "[{line: '^2 ', delimited: {separator: spaces, columns: [version, who, what], at_most: 3}}, \
      {delimited: {separator: spaces, header: '^version (?:[a-z-]+ )*what(?: [a-z-]+)*$'}}]",
);
const PAIRS: (&str, &str) = ("pairs", "{line: '^at=', key_value: {}}");

fn shown(memory: &Memory) -> Vec<String> {
    let value = |event: &common::Seen, name: &str| event.columns.get(name).cloned().unwrap_or_default();
    let shown = |event: &common::Seen| format!("{} {} {}", event.source, value(event, "who"), value(event, "what"));
    memory.events.iter().map(shown).collect()
}

#[test]
fn a_header_is_no_record_and_names_the_columns_until_the_next() {
    let engine = lab(&[FLOW, PAIRS], &[]);
    let text = "2 ana alone\nversion what extra who\n5 open - ana\n5 shut - bob\n\nversion who what\n7 eve look\n5 short\nat=1 who=x\n";
    let memory = stream(&engine, text, None);
    assert_eq!(shown(&memory), ["flow ana alone", "flow ana open", "flow bob shut", "flow eve look", "pairs x "]);
    assert_eq!(memory.events[1].raw, "version what extra who\n5 open - ana", "the record can be read by itself");
    assert_eq!(memory.events[4].raw, "at=1 who=x", "what needs no header has none");
    assert_eq!(memory.rejects, [("version who what\n5 short".to_owned(), Reject::BadLine)]);
    let again = stream(&engine, &memory.events[1].raw, Some("flow"));
    assert_eq!((again.events[0].id.as_str(), again.events.len()), (memory.events[1].id.as_str(), 1));
}

#[test]
fn comments_are_no_records_wherever_they_stand() {
    let engine = lab(&[FLOW, ("notes", "{line: '^note ', comments: '^#note', patterns: ['^note (?P<who>.*)$']}")], &[]);
    let memory = stream(&engine, "#note a\nversion what who\n#note b\n5 open ana\n#nota\nnote bob\n", None);
    assert_eq!(shown(&memory), ["flow ana open", "notes bob "]);
    assert_eq!(memory.rejects.len(), 1, "what is not named as a comment is kept");
}

#[test]
fn keywords_are_not_searched_in_a_header() {
    let rule = "title: t\nid: 5b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a11\nstatus: test\nlevel: high\nlogsource: {product: lab}\n\
        detection: {keywords: ['extra', 'eve'], condition: keywords}\n";
    let engine = lab(&[FLOW], &[rule]);
    let memory = stream(&engine, "version what extra who\n5 open - ana\n5 open - eve\n", None);
    assert_eq!((memory.events.len(), memory.findings.len()), (2, 1));
}

#[test]
fn a_line_is_found_in_every_wrapping() {
    let engine = lab(
        &[
            FLOW,
            PAIRS,
            ("daemon", "{syslog: [labd], inside: {syslog.message: {patterns: ['^(?P<who>\\w+) did (?P<what>.*)$']}}}"),
        ],
        &[],
    );
    for (line, wanted, time) in [
        (r#"{"message":"2 ana open"}"#, "flow ana open", "2026-11-22T12:00:00.000Z"),
        (
            r#"{"@timestamp":"2026-05-06T10:30:00Z","message":"2 ana open"}"#,
            "flow ana open",
            "2026-05-06T10:30:00.000Z",
        ),
        ("2026-05-06T10:30:00.000Z 2 ana open", "flow ana open", "2026-05-06T10:30:00.000Z"),
        ("<14>May  6 10:30:00 gpu-1 shipper: 2 ana open", "flow ana open", "2026-05-06T10:30:00.000Z"),
        (
            "<14>1 2026-05-06T10:30:00Z gpu-1 shipper - - - at=1778063400 who=ana",
            "pairs ana ",
            "2026-05-06T10:30:00.000Z",
        ),
        (r#"<14>May  6 10:30:00 gpu-1 shipper: {"message":"2 ana open"}"#, "flow ana open", "2026-05-06T10:30:00.000Z"),
        ("<14>2 ana open", "flow ana open", "2026-11-22T12:00:00.000Z"),
        ("May  6 10:30:00 gpu-1 labd[7]: ana did open", "daemon ana open", "2026-05-06T10:30:00.000Z"),
        ("Dec  6 10:30:00 gpu-1 labd: free words", "daemon  ", "2025-12-06T10:30:00.000Z"),
    ] {
        let memory = stream(&engine, line, None);
        assert_eq!((shown(&memory), memory.events[0].time.as_str()), (vec![wanted.to_owned()], time), "{line}");
    }
    let host = stream(&engine, "<14>May  6 10:30:00 gpu-1 shipper: 2 ana open", None).events.remove(0).columns;
    assert_eq!(host["host"], "gpu-1");
}

#[test]
fn a_bad_line_is_told_from_an_unknown_one() {
    let engine = lab(&[FLOW, PAIRS], &[]);
    for (line, source, reason) in [
        ("2 ana", None, Reject::BadLine),
        ("2 ana open more", None, Reject::BadLine),
        ("at=1 who=\"x", None, Reject::BadLine),
        ("at=1 who=a who=b", None, Reject::DuplicateKey),
        ("at=yesterday who=a", None, Reject::BadTime),
        ("hello", None, Reject::UnknownSource),
        ("<14>May  6 10:30:00 gpu-1 shipper: hello", None, Reject::UnknownSource),
        ("<14>May  6 10:30:00 gpu-1 shipper: 2 ana", None, Reject::BadLine),
        ("hello", Some("flow"), Reject::BadLine),
        ("at=1 who=a", Some("flow"), Reject::BadLine),
        (r#"{"message":"hello"}"#, None, Reject::UnknownSource),
        (r#"{"message":"2 ana"}"#, None, Reject::BadLine),
    ] {
        let memory = stream(&engine, line, source);
        assert_eq!(memory.rejects.iter().map(|(_, reason)| *reason).collect::<Vec<_>>(), [reason], "{line}");
        assert_eq!(memory.rejects[0].0, line, "the bytes are kept");
    }
    let small = Limits { record_bytes: 20, ..Limits::default() };
    let long = common::engine_with(&[], small);
    assert_eq!(common::evaluate(&long, "x".repeat(30).as_bytes(), None).rejects[0].1, Reject::TooLarge);
}

#[test]
fn what_is_sensitive_leaves_no_text_even_where_it_was_escaped() {
    let engine = lab(&[PAIRS], &[]);
    let memory = stream(&engine, r#"at=1 who=ana secret="my \"key\"" last=1"#, None);
    let event = &memory.events[0];
    assert_eq!(event.columns["secret"], "my \"key\"");
    assert!(
        event.redacted.starts_with("at=1 who=ana secret=\"[redacted:10:") && event.redacted.ends_with("]\" last=1"),
        "{}",
        event.redacted
    );
}

#[test]
fn a_value_of_json_may_be_a_line_and_hides_whole() {
    let format = "[{json: {inside: {note: {line: '^who=', key_value: {}}}}}]\nrecognise: [{has: [note]}]";
    let engine = lab(&[("notes", format)], &[]);
    let record = r#"{"at":1778063400,"note":"who=ana secret=\"a \\\"b\\\"\" what=x"}"#;
    let memory = stream(&engine, record, None);
    let event = &memory.events[0];
    assert_eq!((event.columns["who"].as_str(), event.columns["secret"].as_str()), ("ana", "a \"b\""));
    let redacted: serde_json::Value = serde_json::from_str(&event.redacted).expect("still JSON");
    assert_eq!(redacted["note"]["redacted"], true, "what holds a secret leaves as a whole");
    assert_eq!(stream(&engine, r#"{"note":"who=a who=b"}"#, None).rejects[0].1, Reject::DuplicateKey);
    assert_eq!(stream(&engine, r#"{"note":"free words"}"#, None).events.len(), 1);
}

#[test]
fn real_files_of_lines_decode_whole() {
    let Some(data) = data() else { return };
    let engine = common::engine(&[]);
    for (file, source, records, rejects) in [
        ("elb_access.log", "aws_elb_access_log", 40, 0),
        ("cloudfront.log", "aws_cloudfront_access_log", 19, 0),
        ("otel_vpc_flow_v2.log", "aws_vpc_flow_log", 2, 0),
        ("otel_vpc_flow_v5_ecs.log", "aws_vpc_flow_log", 1, 0),
        ("vpc_flow_opensearch_catalog.jsonl", "aws_vpc_flow_log", 22, 0),
        ("otel_s3_access.log", "aws_s3_access_log", 1, 0),
        ("s3_access_opensearch_catalog.log", "aws_s3_access_log", 13, 0),
        // A remark of its authors is no comment that the format knows.
        ("datadog_dcgm_metrics.prom", "nvidia_dcgm_metrics", 23, 1),
        ("datadog_vllm_metrics_excerpt.prom", "vllm_metrics", 47, 0),
    ] {
        let text = std::fs::read_to_string(data.join("raw").join(file)).expect("the file");
        let memory = stream(&engine, &text, None);
        assert!(memory.events.iter().all(|event| event.source == source), "{file}");
        assert_eq!((memory.events.len(), memory.rejects.len()), (records, rejects), "{file}: {:?}", memory.rejects);
    }
}

#[test]
fn lines_of_a_real_tracking_server_decode_whole() {
    let Some(data) = data() else { return };
    let engine = common::engine(&[]);
    let rows = std::fs::read_to_string(data.join("labelled/mlflow_access.jsonl")).expect("the rows");
    for row in rows.lines().filter(|row| !row.trim().is_empty()) {
        let row: serde_json::Value = serde_json::from_str(row).expect("JSON");
        let event = stream(&engine, row["raw"].as_str().expect("a line"), None).events.remove(0);
        assert_eq!(event.source, "uvicorn_access_log");
        assert_eq!(event.columns["http_response.code"], row["status"].to_string());
        assert_eq!(event.columns["src_endpoint.ip"], row["client"].as_str().expect("an address"));
        assert!(row["path"].as_str().expect("a path").starts_with(&event.columns["http_request.url.path"]), "{row}");
    }
}

/// The example of the guide, word for word, on a real export.
#[test]
fn a_csv_export_is_a_source_by_the_guide_without_code() {
    let guide = std::fs::read_to_string(common::repository().join("docs/guide/add-a-source.md")).expect("the guide");
    let example =
        guide.split("```yaml\n").nth(2).and_then(|rest| rest.split("```").next()).expect("its second example");
    let text = format!(
        "id: honey_bucket\ntitle: Honey bucket\nlogsource: {{product: aws, service: honey_bucket}}\n\
         ocsf: {{class_uid: 6003, category_uid: 6}}\nidentity: [Event ID]\nentities: {{address: Source IP}}\n{example}"
    );
    let (source, wrong) = Source::parse(&text);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let (engine, _) = Engine::compile(
        vec![source.expect("it can be used")],
        Vec::<sigma::Rule>::new(),
        vec![],
        &sigma::Inventory::new(),
        Limits::default(),
    );
    let Some(data) = data() else { return };
    let export = std::fs::read_to_string(data.join("raw/s3_honeybucket_inthewild.csv")).expect("the export");
    let memory = stream(&engine, &export, None);
    assert_eq!((memory.events.len(), memory.rejects.len()), (165, 0));
    let event = &memory.events[0];
    assert_eq!(
        (event.time.as_str(), event.columns["api.operation"].as_str()),
        ("2022-02-18T17:34:57.000Z", "ListObjects")
    );
    assert_eq!(event.entities, ["address=177.131.167.145"]);
}
