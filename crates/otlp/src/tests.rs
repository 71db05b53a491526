use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value::{IntValue, KvlistValue, StringValue};
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, KeyValueList, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use serde_json::{Value, json};

use super::*;

const MIB: usize = 1 << 20;

fn take(signal: Signal, encoding: Encoding, body: &[u8]) -> Result<Taken, OtlpError> {
    records(signal, encoding, body, Bounds { lines_bytes: MIB, record_bytes: 64 << 10, has_room: &mut |_| true })
}

fn lines(taken: &Taken) -> Vec<Value> {
    let text = std::str::from_utf8(&taken.lines).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn any(value: any_value::Value) -> Option<AnyValue> {
    Some(AnyValue { value: Some(value) })
}

fn attribute(key: &str, value: &str) -> KeyValue {
    KeyValue { key: key.into(), value: any(StringValue(value.into())), ..KeyValue::default() }
}

fn resource() -> Option<Resource> {
    Some(Resource { attributes: vec![attribute("service.name", "assistant")], ..Resource::default() })
}

fn scope() -> Option<InstrumentationScope> {
    Some(InstrumentationScope { name: "openai_v2".into(), ..InstrumentationScope::default() })
}

fn logs(bodies: Vec<Option<AnyValue>>) -> Vec<u8> {
    let log_records = bodies.into_iter().map(|body| LogRecord {
        time_unix_nano: 1_778_176_932_301_000_000,
        body,
        ..LogRecord::default()
    });
    let scope_logs = ScopeLogs { scope: scope(), log_records: log_records.collect(), ..ScopeLogs::default() };
    let group = ResourceLogs { resource: resource(), scope_logs: vec![scope_logs], ..ResourceLogs::default() };
    ExportLogsServiceRequest { resource_logs: vec![group] }.encode_to_vec()
}

#[test]
fn a_span_of_protobuf_becomes_the_json_of_otlp_with_resource_and_scope_beside_it() {
    let span = Span {
        trace_id: vec![0x5b; 16],
        span_id: vec![0xee; 8],
        name: "chat gpt-4".into(),
        start_time_unix_nano: 1_778_176_932_001_000_000,
        attributes: vec![
            attribute("gen_ai.request.model", "gpt-4"),
            KeyValue { key: "gen_ai.usage.input_tokens".into(), value: any(IntValue(97)), ..KeyValue::default() },
        ],
        ..Span::default()
    };
    let scope_spans = ScopeSpans { scope: scope(), spans: vec![span.clone(), span], ..ScopeSpans::default() };
    let group = ResourceSpans { resource: resource(), scope_spans: vec![scope_spans], ..ResourceSpans::default() };
    let body = ExportTraceServiceRequest { resource_spans: vec![group] }.encode_to_vec();
    let taken = take(Signal::Traces, Encoding::Protobuf, &body).unwrap();
    assert_eq!((taken.records, taken.left_out), (2, 0));
    let said = &lines(&taken)[1];
    assert_eq!(said["traceId"], "5b".repeat(16));
    assert_eq!(said["spanId"], "ee".repeat(8));
    assert_eq!(said["startTimeUnixNano"], "1778176932001000000");
    assert_eq!(said["attributes"][1]["value"], json!({"intValue": "97"}));
    assert_eq!(said["resource"]["attributes"][0]["value"], json!({"stringValue": "assistant"}));
    assert_eq!(said["scope"]["name"], "openai_v2");
}

#[test]
fn the_body_of_a_log_record_is_what_it_stands_for() {
    let inner = KeyValueList { values: vec![attribute("content", "hello")] };
    let body = logs(vec![any(StringValue("line \"1\"\n".into())), any(KvlistValue(inner)), None]);
    let taken = take(Signal::Logs, Encoding::Protobuf, &body).unwrap();
    let bodies: Vec<Value> = lines(&taken).into_iter().map(|line| line["body"].clone()).collect();
    assert_eq!(bodies[..2], [json!("line \"1\"\n"), json!({"content": "hello"})]);
    let text = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[
        {"timeUnixNano":"1","body":{"kvlistValue":{"values":[{"key":"n","value":{"intValue":"7"}},
            {"key":"list","value":{"arrayValue":{"values":[{"boolValue":true},{"doubleValue":1.5}]}}}]}}},
        {"timeUnixNano":"2","body":"plain already"}]}]}]}"#;
    let taken = take(Signal::Logs, Encoding::Json, text.as_bytes()).unwrap();
    let bodies: Vec<Value> = lines(&taken).into_iter().map(|line| line["body"].clone()).collect();
    assert_eq!(bodies, [json!({"n": 7, "list": [true, 1.5]}), json!("plain already")]);
}

#[test]
fn json_is_split_whatever_the_order_of_its_keys_and_stays_on_one_line() {
    let text = "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\n \"spanId\": \"ee\",\r\n\"n\":1e40}, 5, {}],\"scope\":{\"name\":\"s\"}}],
        \"resource\":{\"attributes\":[]},\"schemaUrl\":\"x\"}, {}],\"later\":null}";
    let taken = take(Signal::Traces, Encoding::Json, text.as_bytes()).unwrap();
    let text = String::from_utf8(taken.lines.clone()).unwrap();
    assert_eq!((taken.records, taken.left_out), (2, 1));
    assert_eq!(
        text,
        "{\"spanId\":\"ee\",\"n\":1e40,\"resource\":{\"attributes\":[]},\"scope\":{\"name\":\"s\"}}\n\
         {\"resource\":{\"attributes\":[]},\"scope\":{\"name\":\"s\"}}\n"
    );
}

#[test]
fn a_record_that_is_too_long_or_broken_is_left_out_and_the_rest_is_taken() {
    let long = "x".repeat(65 << 10);
    let mut body = logs(vec![any(StringValue("a".into())), any(StringValue(long)), any(StringValue("QQ".into()))]);
    let at = body.windows(2).position(|two| two == b"QQ").unwrap();
    body[at] = 0xff;
    let taken = take(Signal::Logs, Encoding::Protobuf, &body).unwrap();
    assert_eq!((taken.records, taken.left_out), (1, 2));
    let answer = answer(Signal::Logs, Encoding::Protobuf, taken.left_out);
    let partial = ExportLogsServiceResponse::decode(answer.as_slice()).unwrap().partial_success.unwrap();
    assert_eq!(partial.rejected_log_records, 2);
    assert_eq!(super::answer(Signal::Logs, Encoding::Json, 0), b"{}");
}

#[test]
fn what_is_no_request_is_refused_without_being_quoted() {
    for body in
        ["secret", "[]", "{\"resourceLogs\":5}", "{\"resourceLogs\":[5]}", "{\"resourceLogs\":[{\"scopeLogs\":[]"]
    {
        let refused = take(Signal::Logs, Encoding::Json, body.as_bytes()).unwrap_err();
        assert!(matches!(&refused, OtlpError::Malformed(_)) && !refused.to_string().contains("secret"), "{refused}");
    }
    let body = logs(vec![None]);
    assert!(take(Signal::Logs, Encoding::Protobuf, &body[..body.len() - 1]).is_err());
    assert_eq!(take(Signal::Logs, Encoding::Protobuf, b"").unwrap(), Taken::default());
    assert_eq!(take(Signal::Logs, Encoding::Json, b"{}").unwrap(), Taken::default());
}

#[test]
fn a_large_resource_above_many_records_does_not_grow_without_bound() {
    let records = vec!["{}"; 1000].join(",");
    let text = format!(
        "{{\"resourceLogs\":[{{\"resource\":{{\"a\":\"{}\"}},\"scopeLogs\":[{{\"logRecords\":[{records}]}}]}}]}}",
        "x".repeat(10_000)
    );
    assert_eq!(take(Signal::Logs, Encoding::Json, text.as_bytes()), Err(OtlpError::TooLarge(MIB)));
    let mut has_room = |bytes: usize| bytes < 50_000;
    let bounds = Bounds { lines_bytes: MIB, record_bytes: MIB, has_room: &mut has_room };
    assert_eq!(records_of(text.as_bytes(), bounds), Err(OtlpError::NoRoom));
}

fn records_of(body: &[u8], bounds: Bounds<'_>) -> Result<Taken, OtlpError> {
    records(Signal::Logs, Encoding::Json, body, bounds)
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic_and_every_line_is_json(body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        for (signal, encoding) in [(Signal::Logs, Encoding::Protobuf), (Signal::Traces, Encoding::Protobuf), (Signal::Logs, Encoding::Json)] {
            if let Ok(taken) = take(signal, encoding, &body) {
                proptest::prop_assert_eq!(lines(&taken).len() as u64, taken.records);
            }
        }
    }
}
