//! Every real record decodes, or is rejected for the right reason.
#![allow(missing_docs, clippy::disallowed_methods)] // Tests read files and clocks; the crate does not.

mod common;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use common::{Memory, data, engine, evaluate};
use engine::{Engine, Reject};
use serde_json::Value;

fn lines(path: &Path) -> Vec<String> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut text = String::new();
    if path.extension().is_some_and(|ext| ext == "gz") {
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("gzip");
    } else {
        text = String::from_utf8(bytes).expect("UTF-8");
    }
    text.lines().map(str::to_owned).collect()
}

/// The records of one row: its `event`, its `events`, or itself.
fn events(row: &str) -> Vec<String> {
    let row: Value = serde_json::from_str(row).expect("a row is JSON");
    match (&row["event"], &row["events"]) {
        (Value::Null, Value::Array(events)) => events.iter().map(Value::to_string).collect(),
        (Value::Null, _) => vec![row.to_string()],
        (event, _) => vec![event.to_string()],
    }
}

#[derive(Default, Debug)]
struct Tally {
    decoded: BTreeMap<String, usize>,
    rejected: BTreeMap<&'static str, Vec<String>>,
}

impl Tally {
    fn add(&mut self, memory: Memory) {
        for event in memory.events {
            assert!(serde_json::from_str::<Value>(&event.redacted).is_ok() || !event.raw.starts_with('{'));
            assert!(event.columns.contains_key("cloud.provider") || event.source == "kubernetes_audit");
            *self.decoded.entry(event.source).or_default() += 1;
        }
        for (raw, reason) in memory.rejects {
            self.rejected.entry(reason.as_str()).or_default().push(raw);
        }
    }

    fn all(&self, source: &str) {
        assert!(self.rejected.is_empty(), "{:#?}", self.rejected);
        assert_eq!(self.decoded.keys().collect::<Vec<_>>(), [source]);
    }
}

fn run(engine: &Engine, path: &Path, keep: &dyn Fn(&Value) -> bool) -> Tally {
    let mut tally = Tally::default();
    for row in lines(path) {
        if keep(&serde_json::from_str(&row).expect("a row is JSON")) {
            events(&row).iter().for_each(|event| tally.add(evaluate(engine, event.as_bytes(), None)));
        }
    }
    tally
}

#[test]
fn cloudtrail_sets_decode_whole() {
    let Some(data) = data() else { return };
    let engine = engine(&[]);
    for name in ["stratus.jsonl", "invictus.jsonl.gz", "otrf_ec2_proxy_s3_exfil.jsonl"] {
        run(&engine, &data.join("labelled").join(name), &|_| true).all("aws_cloudtrail");
    }
    for name in ["cloudtrail_opensearch_catalog.jsonl.gz", "cloudtrail_edge_shapes.jsonl"] {
        run(&engine, &data.join("raw").join(name), &|_| true).all("aws_cloudtrail");
    }
    let has_record = |row: &Value| row["events"].as_array().is_some_and(|events| !events.is_empty());
    run(&engine, &data.join("labelled/traildiscover.jsonl"), &has_record).all("aws_cloudtrail");
}

#[test]
fn guardduty_findings_decode_whole() {
    let Some(data) = data() else { return };
    run(&engine(&[]), &data.join("raw/guardduty_soar_events.jsonl"), &|_| true).all("aws_guardduty");
}

#[test]
fn bedrock_invocations_decode_whole() {
    let Some(data) = data() else { return };
    run(&engine(&[]), &data.join("labelled/bedrock_invocation.jsonl"), &|_| true).all("aws_bedrock_invocation");
}

#[test]
fn kubernetes_audit_events_decode_but_for_the_one_that_is_none() {
    let Some(data) = data() else { return };
    let tally = run(&engine(&[]), &data.join("labelled/falco_k8s_audit.jsonl"), &|_| true);
    assert_eq!(tally.decoded.keys().collect::<Vec<_>>(), ["kubernetes_audit"]);
    assert_eq!(tally.rejected.values().flatten().collect::<Vec<_>>(), ["{\"kind\":0}"]);
}

#[test]
fn s3_access_log_lines_decode_whole() {
    let Some(data) = data() else { return };
    let engine = engine(&[]);
    let mut tally = Tally::default();
    for name in ["otel_s3_access.log", "s3_access_opensearch_catalog.log"] {
        for line in lines(&data.join("raw").join(name)) {
            tally.add(evaluate(&engine, line.as_bytes(), None));
        }
    }
    tally.all("aws_s3_access_log");
    assert_eq!(tally.decoded["aws_s3_access_log"], 14);
}

#[test]
fn an_access_log_line_reads_as_others_read_it() {
    let Some(data) = data() else { return };
    let engine = engine(&[]);
    let pairs = lines(&data.join("labelled/otel_awslogs_pairs.jsonl"));
    let pair: Value = serde_json::from_str(&pairs[0]).expect("JSON");
    let seen = evaluate(&engine, pair["raw"].as_str().expect("raw").as_bytes(), None).events.remove(0);
    let theirs = &pair["expected_flattened"]["attributes"];
    for (ours, key) in [
        ("src_endpoint.ip", "source.address"),
        ("api.operation", "rpc.method"),
        ("http_request.http_method", "http.request.method"),
        ("http_request.user_agent", "user_agent.original"),
        ("tls.cipher", "tls.cipher"),
        ("api.request.uid", "aws.request_id"),
    ] {
        assert_eq!(seen.columns[ours], theirs[key].as_str().expect("text"), "{ours}");
    }
    assert_eq!(seen.columns["http_response.code"], theirs["http.response.status_code"].to_string());
    assert_eq!(seen.time, "2019-02-06T00:00:38.000Z");
}

#[test]
fn the_generated_day_decodes_whole() {
    let Some(data) = data() else { return };
    let engine = engine(&[]);
    let mut tally = Tally::default();
    for line in lines(&data.join("generated_sample.ndjson.gz")).iter().step_by(7) {
        tally.add(evaluate(&engine, line.as_bytes(), Some("aws_cloudtrail")));
    }
    tally.all("aws_cloudtrail");
}

/// Each file's records, by the source that they become and by why they become none.
fn decoded(engine: &Engine, path: &Path) -> (BTreeMap<String, usize>, Vec<(String, Reject)>) {
    let (mut found, mut rejects) = (BTreeMap::new(), Vec::new());
    let text = lines(path).join("\n");
    // Files of one document are read whole.
    let is_rows = path.extension().is_some_and(|ext| ext == "jsonl" || ext == "gz");
    let records: Vec<&str> = if is_rows { text.lines().collect() } else { vec![&text] };
    for record in records {
        let memory = evaluate(engine, record.as_bytes(), None);
        memory.events.into_iter().for_each(|event| *found.entry(event.source).or_default() += 1);
        rejects.extend(memory.rejects);
    }
    (found, rejects)
}

#[test]
fn gateway_records_decode_whole() {
    let Some(data) = data() else { return };
    let engine = engine(&[]);
    for (name, count) in [
        ("labelled/litellm_proxy.jsonl", 131),
        ("raw/standard_logging_payload.json", 1),
        ("raw/spend_logs_payload.json", 1),
    ] {
        let (found, rejects) = decoded(&engine, &data.join(name));
        assert_eq!(found, BTreeMap::from([("litellm_proxy".to_owned(), count)]), "{name}: {rejects:?}");
    }
}

/// Prompts and answers are for the gateway that keeps them; what is kept here has their size and digest.
#[test]
fn nothing_that_was_said_to_a_model_leaves() {
    let Some(data) = data() else { return };
    let engine = engine(&[]);
    let mut said = 0;
    for row in lines(&data.join("labelled/litellm_proxy.jsonl")) {
        let payload = serde_json::from_str::<Value>(&row).expect("JSON")["payload"].clone();
        let event = evaluate(&engine, payload.to_string().as_bytes(), None).events.remove(0);
        let kept = format!("{} {:?}", event.redacted, event.columns);
        for message in payload["messages"].as_array().expect("messages") {
            let text = message["content"].to_string();
            assert!(!kept.contains(text.trim_matches('"')), "{kept}");
            said += 1;
        }
    }
    assert!(said > 200, "{said}");
    let fixtures = data.join("otel_genai");
    for name in [
        "otel_genai_client_span_tool_calls",
        "otel_genai_deprecated_client_span_tool_calls",
        "otel_genai_tool_execution_span",
    ] {
        let file = format!("openinference__openinference-genai__test____fixtures____{name}.json");
        let event = evaluate(&engine, lines(&fixtures.join(file)).join("\n").as_bytes(), None).events.remove(0);
        let kept = format!("{} {:?}", event.redacted, event.columns);
        assert!(!kept.contains("Paris") && !kept.contains("New York") && !kept.contains("Celsius"), "{kept}");
    }
}

#[test]
fn mlflow_requests_decode_but_for_those_that_any_server_answers() {
    let Some(data) = data() else { return };
    let (found, rejects) = decoded(&engine(&[]), &data.join("labelled/mlflow_access.jsonl"));
    assert_eq!(found, BTreeMap::from([("mlflow_access".to_owned(), 192)]));
    let paths: Vec<Value> =
        rejects.iter().map(|(row, _)| serde_json::from_str::<Value>(row).expect("JSON")["path"].clone()).collect();
    assert_eq!(paths, ["/health", "/", "/version"]);
}

#[test]
fn spans_of_generative_ai_decode_whole() {
    let Some(data) = data() else { return };
    let engine = engine(&[]);
    let files =
        std::fs::read_dir(data.join("otel_genai")).expect("otel_genai").map(|entry| entry.expect("entry").path());
    let mut total = 0;
    for path in files.filter(|path| path.is_file()) {
        let name = path.file_name().expect("name").to_string_lossy().into_owned();
        let (found, rejects) = decoded(&engine, &path);
        // A schema, and spans that a fixture has sorted under keys of its own.
        if name.contains("gen-ai-output-messages") || name.contains("spans-by-operation") {
            assert!(found.is_empty(), "{name}");
            continue;
        }
        assert!(rejects.is_empty() && found.keys().eq(["otel_genai"]), "{name}: {found:?} {rejects:?}");
        total += found["otel_genai"];
    }
    assert_eq!(total, 18);
}

#[test]
fn evaluation_logs_and_red_team_reports_decode_whole() {
    let Some(data) = data() else { return };
    let engine = engine(&[]);
    let inspect = BTreeMap::from([("inspect_eval", 7), ("inspect_sample", 10), ("inspect_event", 81)]);
    for (folder, wanted) in [("inspect_eval_logs", inspect), ("garak_reports", BTreeMap::from([("garak_report", 28)]))]
    {
        let files = std::fs::read_dir(data.join(folder)).expect(folder).map(|entry| entry.expect("entry").path());
        let mut total = BTreeMap::new();
        // Archives are the pipeline's to open.
        for path in files.filter(|path| path.extension().is_some_and(|ext| ext != "eval")) {
            let (found, rejects) = decoded(&engine, &path);
            assert!(rejects.is_empty(), "{}: {rejects:?}", path.display());
            found.into_iter().for_each(|(source, count)| *total.entry(source).or_default() += count);
        }
        assert_eq!(total, wanted.into_iter().map(|(source, count)| (source.to_owned(), count)).collect(), "{folder}");
    }
}

#[test]
fn scenarios_decode_where_a_source_exists() {
    let Some(data) = data() else { return };
    let engine = engine(&[]);
    let known: BTreeMap<&str, &str> = BTreeMap::from([
        ("litellm", "litellm_proxy"),
        ("otel.genai", "otel_genai"),
        ("mlflow", "mlflow_access"),
        ("github", "github_audit"),
        ("inspect", "inspect_eval"),
        ("garak", "garak_hitlog"),
        ("mcp", "mcp_tap"),
        ("qdrant", "qdrant_audit"),
        ("gate", "release_gate"),
        ("oms", "model_signing"),
        ("ct.s3", "aws_cloudtrail"),
        ("ct.kms", "aws_cloudtrail"),
        ("ct.mgmt", "aws_cloudtrail"),
        ("ct.bedrock", "aws_cloudtrail"),
        ("ct.sagemaker", "aws_cloudtrail"),
        ("s3.sal", "aws_s3_access_log"),
        ("egress", "squid_access_log"),
        ("vpcflow", "aws_vpc_flow_log"),
        ("vllm", "uvicorn_access_log"),
        ("idp", "okta_system_log"),
        ("tetragon", "tetragon_exec"),
    ]);
    for entry in std::fs::read_dir(data.join("scenarios")).expect("scenarios") {
        let path = entry.expect("entry").path();
        for row in lines(&path).iter().filter(|_| path.extension().is_some_and(|ext| ext == "ndjson")) {
            let row: Value = serde_json::from_str(row).expect("JSON");
            let raw = row["event"].as_str().map_or_else(|| row["event"].to_string(), str::to_owned);
            let memory = evaluate(&engine, raw.as_bytes(), None);
            match known.get(row["source"].as_str().expect("source")) {
                Some(source) => assert_eq!(memory.events.first().map(|e| e.source.as_str()), Some(*source), "{row}"),
                None => assert!(memory.events.is_empty(), "{row}"),
            }
        }
    }
}

#[test]
fn panther_cases_decode_or_lack_what_a_record_has() {
    let Some(data) = data() else { return };
    let engine = engine(&[]);
    let ours = BTreeMap::from([
        ("AWS.CloudTrail", "aws_cloudtrail"),
        ("AWS.GuardDuty", "aws_guardduty"),
        ("AWS.S3ServerAccess", "aws_s3_access_log"),
        ("Amazon.EKS.Audit", "kubernetes_audit"),
        ("AWS.BedrockModelInvocation", "aws_bedrock_invocation"),
        ("AWS.SecurityFindingFormat", "aws_securityhub"),
        ("AWS.VPCDns", "aws_route53_resolver"),
        ("AWS.WAFWebACL", "aws_waf"),
        // Sign-ins and changes are one feed there and two here.
        ("Azure.Audit", "microsoft_entra_"),
        ("Okta.SystemLog", "okta_system_log"),
        ("GitHub.Audit", "github_audit"),
        ("GitHub.Webhook", "github_webhook"),
        ("OpenAI.Audit", "openai_audit"),
        ("Anthropic.Activity", "anthropic_activity"),
        ("Databricks.Audit", "databricks_audit"),
        ("ThinkstCanary.Alert", "thinkst_canary"),
    ]);
    let mut reasons: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for row in lines(&data.join("labelled/panther_tests.jsonl")) {
        let row: Value = serde_json::from_str(&row).expect("JSON");
        let is_rule = row["analysis_type"] == "rule" && row["event"].is_object();
        let Some(log_type) = row["log_type"].as_str().filter(|_| is_rule) else { continue };
        let memory = evaluate(&engine, row["event"].to_string().as_bytes(), None);
        match ours.get(log_type) {
            Some(source) => {
                assert!(memory.events.iter().all(|event| is_one_of(&row["log_types"], event, &ours)), "{source} {row}");
                let reason = memory.rejects.first().map_or("decoded", |(_, reason)| reason.as_str());
                *reasons.entry((log_type.to_owned(), reason)).or_default() += 1;
                check_reject(&memory, &row["event"]);
            }
            // Some rules take records of several feeds, and their rows name the first of these.
            None => assert!(memory.events.iter().all(|event| is_one_of(&row["log_types"], event, &ours)), "{row}"),
        }
    }
    eprintln!("{reasons:#?}");
}

fn is_one_of(log_types: &Value, event: &common::Seen, ours: &BTreeMap<&str, &str>) -> bool {
    let names = log_types.as_array().into_iter().flatten().filter_map(Value::as_str);
    names.filter_map(|name| ours.get(name)).any(|source| event.source.starts_with(source))
}

/// A case may be rejected only if its author left out what every record of the format has.
fn check_reject(memory: &Memory, event: &Value) {
    for (_, reason) in &memory.rejects {
        match reason {
            // Anonymised away, or without its colons.
            Reject::BadTime => {
                let says = [&event["eventTime"], &event["published"], &event["created_at"]];
                assert!(
                    says.iter().any(|time| **time == "redacted" || **time == "2024-12-17 00:00:00000000"),
                    "{event}"
                );
            }
            Reject::UnknownSource => {
                let is_trail = event["eventName"].is_string()
                    && (event["eventSource"].is_string() || event["eventType"].is_string());
                let is_audit = event["kind"] == "Event" && event["verb"].is_string() && event["objectRef"].is_object();
                assert!(!is_trail && !is_audit, "{event}");
            }
            other => panic!("{other}: {event}"),
        }
    }
}
