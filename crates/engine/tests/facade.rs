//! The engine as the line uses it: envelopes, recognition, rejects, findings.
#![allow(missing_docs, clippy::disallowed_methods)] // Tests read files and clocks; the crate does not.

mod common;

use base64::Engine as _;
use common::{engine, engine_with, evaluate, given};
use engine::{ExplainError, Limits, Reject};

const CALL: &str = r#"{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/trainer/pod-a","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/trainer"}}},"eventTime":"2026-05-06T10:30:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-west-2","sourceIPAddress":"192.0.2.7","requestParameters":{"bucketName":"lab-weights","key":"m/v1/model.safetensors"},"eventID":"e-1","eventType":"AwsApiCall"}"#;
const AUDIT: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a-1","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/lab/secrets","verb":"list","user":{"username":"ana@lab.example"},"sourceIPs":["192.0.2.9"],"objectRef":{"resource":"secrets","namespace":"lab"},"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-05-06T10:30:00.123456Z"}"#;
const FINDING: &str = r#"{"schemaVersion":"2.0","accountId":"111122223333","region":"eu-west-2","id":"f-1","type":"UnauthorizedAccess:IAMUser/TorIPCaller","severity":8,"service":{"serviceName":"guardduty","detectorId":"d"},"createdAt":"2026-05-06T10:30:00Z","updatedAt":"2026-05-06T10:31:00Z","title":"t"}"#;
const INVOCATION: &str = r#"{"schemaType":"ModelInvocationLog","timestamp":"2026-05-06T10:30:00Z","accountId":"1","region":"eu-west-2","requestId":"r","operation":"Converse","modelId":"m","identity":{"arn":"arn:aws:iam::1:user/ana"},"input":{"inputBodyJson":{"messages":["a secret \"prompt\""]}},"output":{"outputBodyJson":{"x":1}}}"#;
const LINE: &str = r#"79a59df9 lab-weights [06/May/2026:10:30:00 +0000] 192.0.2.3 arn:aws:iam::111122223333:user/ana 3E57 REST.GET.OBJECT m/v1/model.safetensors "GET /m HTTP/1.1" 200 - 113 113 7 - "-" "curl" - h= SigV4 E AuthHeader h TLSv1.3 - -"#;
const ITEM: &str = r#"{"configurationItemCaptureTime":"2026-05-06T10:30:00.000Z","configurationItemStatus":"OK","resourceType":"AWS::S3::Bucket","resourceId":"lab-weights","awsAccountId":"111122223333"}"#;

const RULE: &str = "title: Weights Read\nid: 5b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a11\nstatus: test\nlevel: high\n\
    tags: [attack.t1530]\nlogsource: {product: aws, service: cloudtrail}\n\
    detection: {selection: {eventName: GetObject}, condition: selection}\n";

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string")
}

const SPAN: &str = r#"{"traceId":"7f3c","spanId":"a1","timeUnixNano":"1778063400000000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}}]}"#;

fn sources_of(frame: &str) -> Vec<String> {
    let memory = evaluate(&engine(&[]), frame.as_bytes(), None);
    assert!(memory.rejects.is_empty(), "{:?}", memory.rejects);
    memory.events.into_iter().map(|event| event.source).collect()
}

#[test]
fn each_source_recognises_its_own() {
    for (record, source) in [
        (CALL, "aws_cloudtrail"),
        (AUDIT, "kubernetes_audit"),
        (FINDING, "aws_guardduty"),
        (INVOCATION, "aws_bedrock_invocation"),
        (LINE, "aws_s3_access_log"),
    ] {
        assert_eq!(sources_of(record), [source]);
    }
}

#[test]
fn a_record_is_found_in_every_wrapping() {
    let bridge = |kind: &str, detail: &str| {
        format!(
            r#"{{"version":"0","id":"x","detail-type":"{kind}","source":"aws.s3","time":"2026-05-06T10:30:01Z","region":"eu-west-2","resources":[],"detail":{detail}}}"#
        )
    };
    let group = |message: &str| {
        format!(
            r#"{{"messageType":"DATA_MESSAGE","owner":"1","logEvents":[{{"id":"1","timestamp":1778063400000,"message":{}}}]}}"#,
            quoted(message)
        )
    };
    let cloud_event = |data: &str| {
        format!(
            r#"{{"specversion":"1.0","id":"1","source":"/lab","type":"com.example.log","time":"2026-05-06T10:30:01Z",{data}}}"#
        )
    };
    let packed = |text: &str| format!(r#""data_base64":"{}""#, base64::engine::general_purpose::STANDARD.encode(text));
    let cases = [
        (cloud_event(&format!(r#""data":{CALL}"#)), "aws_cloudtrail"),
        (cloud_event(&format!(r#""datacontenttype":"text/plain","data":{}"#, quoted(LINE))), "aws_s3_access_log"),
        (cloud_event(&packed(AUDIT)), "kubernetes_audit"),
        (cloud_event(&packed(LINE)), "aws_s3_access_log"),
        (format!("[{}]", cloud_event(&packed(CALL))), "aws_cloudtrail"),
        (bridge("AWS API Call via CloudTrail", CALL), "aws_cloudtrail"),
        (bridge("GuardDuty Finding", FINDING), "aws_guardduty"),
        (group(CALL), "aws_cloudtrail"),
        (group(AUDIT), "kubernetes_audit"),
        (group(INVOCATION), "aws_bedrock_invocation"),
        (format!(r#"{{"message":{}}}"#, quoted(CALL)), "aws_cloudtrail"),
        (format!(r#"{{"@timestamp":"x","@message":{}}}"#, quoted(&bridge("x", CALL))), "aws_cloudtrail"),
        (format!(r#"{{"message":{}}}"#, quoted(LINE)), "aws_s3_access_log"),
        (
            format!(r#"{{"eventVersion":"1.0","eventCategory":"ActivityAuditLog","eventData":{CALL}}}"#),
            "aws_cloudtrail",
        ),
        (format!(r#"{{"auditEvents":[{{"id":"1","eventData":{}}}]}}"#, quoted(CALL)), "aws_cloudtrail"),
        (format!(r#"{{"eventJson":{}}}"#, quoted(CALL)), "aws_cloudtrail"),
        (format!(r#"{{"Events":[{{"EventId":"1","CloudTrailEvent":{}}}]}}"#, quoted(CALL)), "aws_cloudtrail"),
        (
            format!(r#"{{"QueryStatus":"FINISHED","QueryResultRows":[[{{"eventJson":{}}}]]}}"#, quoted(CALL)),
            "aws_cloudtrail",
        ),
        (format!(r#"{{"Records":[{CALL}]}}"#), "aws_cloudtrail"),
        (format!(r#"{{"Findings":[{FINDING}]}}"#), "aws_guardduty"),
        (format!(r#"{{"fileVersion":"1.0","configurationItems":[{ITEM}]}}"#), "aws_config"),
        (format!(r#"{{"records":[{CALL}]}}"#), "aws_cloudtrail"),
        (format!(r#"{{"@odata.context":"x","value":[{CALL}]}}"#), "aws_cloudtrail"),
        (
            format!(r#"{{"resourceSpans":[{{"resource":{{}},"scopeSpans":[{{"scope":{{}},"spans":[{SPAN}]}}]}}]}}"#),
            "otel_genai",
        ),
        (
            format!(r#"{{"resourceLogs":[{{"resource":{{}},"scopeLogs":[{{"scope":{{}},"logRecords":[{SPAN}]}}]}}]}}"#),
            "otel_genai",
        ),
        (format!("[{CALL}]"), "aws_cloudtrail"),
        (format!("[{}]", quoted(CALL)), "aws_cloudtrail"),
        (
            format!(r#"{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{{}},"items":[{AUDIT}]}}"#),
            "kubernetes_audit",
        ),
        (format!("2026-05-06T10:30:00.000Z {AUDIT}"), "kubernetes_audit"),
    ];
    for (frame, source) in cases {
        assert_eq!(sources_of(&frame), [source], "{frame}");
    }
}

/// Services tell EventBridge of themselves, and CloudTrail tells it of calls to them, under the same `source`.
#[test]
fn what_cloudtrail_says_of_a_service_is_not_what_the_service_says() {
    for (service, source) in [("ecr", "aws_ecr_event"), ("ecs", "aws_ecs_event"), ("sagemaker", "aws_sagemaker_event")]
    {
        let bridge = |detail: &str| {
            format!(
                r#"{{"id":"x","detail-type":"k","source":"aws.{service}","time":"2026-05-06T10:30:01Z","detail":{detail}}}"#
            )
        };
        assert_eq!(sources_of(&bridge(CALL)), ["aws_cloudtrail"]);
        assert_eq!(sources_of(&bridge("{}")), [source]);
    }
}

#[test]
fn a_frame_may_hold_many() {
    assert_eq!(sources_of(&format!("{{\"Records\":[{CALL},{CALL}]}}")).len(), 2);
    assert_eq!(sources_of(&format!("{CALL}{AUDIT} {FINDING}")).len(), 3);
    assert_eq!(sources_of(&format!("[{{\"Records\":[{CALL}]}},{AUDIT}]")).len(), 2);
    let spans = format!("{{\"scopeSpans\":[{{\"spans\":[{SPAN},{SPAN}]}},{{\"spans\":[{SPAN}]}}]}}");
    assert_eq!(sources_of(&format!("{{\"resourceSpans\":[{spans},{spans}]}}")).len(), 6);
    assert_eq!(sources_of("{\"Records\":[]}").len(), 0);
    assert_eq!(sources_of("  \n ").len(), 0);
}

#[test]
fn a_record_without_a_time_is_evaluated_at_its_receipt_and_says_so() {
    let timeless = CALL.replace(r#""eventTime":"2026-05-06T10:30:00Z","#, "");
    let memory = evaluate(&engine(&[RULE]), timeless.as_bytes(), None);
    assert_eq!(memory.events[0].time, "2026-11-22T12:00:00.000Z");
    let event = common::exported(&engine(&[RULE]), timeless.as_bytes());
    assert_eq!(event.ocsf["metadata"]["labels"], serde_json::json!(["lane:test", "time:received"]));
    let message = &memory.findings[0].message;
    assert!(message.ends_with("(the record has no time; that of its receipt stands in)"), "{message}");
    let unreadable = CALL.replace("2026-05-06T10:30:00Z", "redacted");
    assert_eq!(evaluate(&engine(&[RULE]), unreadable.as_bytes(), None).rejects[0].1, Reject::BadTime);
}

#[test]
fn the_envelope_tells_the_time_when_the_record_does_not() {
    let timeless = CALL.replace(r#""eventTime":"2026-05-06T10:30:00Z","#, "");
    for frame in [
        timeless.replacen('{', r#"{"@timestamp":"2026-05-06T10:30:00.000Z","#, 1),
        format!(r#"{{"@timestamp":"2026-05-06T10:30:00.000Z","message":{}}}"#, quoted(&timeless)),
        format!(r#"{{"logEvents":[{{"timestamp":1778063400000,"message":{}}}]}}"#, quoted(&timeless)),
        format!("2026-05-06T10:30:00.000Z {timeless}"),
    ] {
        let memory = evaluate(&engine(&[]), frame.as_bytes(), None);
        assert_eq!(memory.events[0].time, "2026-05-06T10:30:00.000Z", "{frame}");
    }
}

#[test]
fn bad_input_is_rejected_for_its_reason_and_kept() {
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let deeper = "[".repeat(1_000_000);
    let deep_object = "{\"a\":".repeat(1_000_000);
    let duplicate = CALL.replacen("\"eventName\"", "\"eventName\":\"ListBuckets\",\"eventName\"", 1);
    let hidden = CALL.replacen("\"eventName\"", "\"event\\u004eame\":\"ListBuckets\",\"eventName\"", 1);
    let cases: Vec<(&[u8], Option<&str>, Reject)> = vec![
        (b"{\"a\":NaN}", None, Reject::NotJson),
        (b"{\"a\":Infinity}", None, Reject::NotJson),
        (b"{\"a\":01}", None, Reject::NotJson),
        (b"{\"a\":1}}", None, Reject::NotJson),
        (b"{\"a\":1} trailing", None, Reject::NotJson),
        (b"{'a':1}", None, Reject::NotJson),
        (b"{\"a\":\"\x01\"}", None, Reject::NotJson),
        (b"{\"a\":\"\\x\"}", None, Reject::NotJson),
        (b"{\"a\":1", None, Reject::Truncated),
        (b"{\"a\":tru", None, Reject::Truncated),
        (b"{\"a\":\"b", None, Reject::Truncated),
        (b"{\"a\":\"\\u00", None, Reject::Truncated),
        (b"{\"a\":\"\xFF\"}", None, Reject::NotUtf8),
        (deep.as_bytes(), None, Reject::TooDeep),
        (deeper.as_bytes(), None, Reject::TooDeep),
        (deep_object.as_bytes(), None, Reject::TooDeep),
        (duplicate.as_bytes(), None, Reject::DuplicateKey),
        (hidden.as_bytes(), None, Reject::DuplicateKey),
        (b"{\"a\":1}", None, Reject::UnknownSource),
        (b"hello world", None, Reject::UnknownSource),
        (b"{\"a\":1}", Some("aws_cloudtrail"), Reject::WrongSource),
        (AUDIT.as_bytes(), Some("aws_cloudtrail"), Reject::WrongSource),
        (b"hello world", Some("aws_cloudtrail"), Reject::NotJson),
        (b"hello world", Some("aws_s3_access_log"), Reject::BadLine),
        (&LINE.as_bytes()[..80], None, Reject::BadLine),
        (CALL.as_bytes(), Some("no_such_source"), Reject::UnknownSource),
    ];
    let engine = engine(&[]);
    for (frame, source, reason) in cases {
        let memory = evaluate(&engine, frame, source);
        let shown = String::from_utf8_lossy(&frame[..frame.len().min(60)]).into_owned();
        assert_eq!(memory.rejects.iter().map(|(_, reason)| *reason).collect::<Vec<_>>(), [reason], "{shown}");
        assert_eq!(memory.rejects[0].0.len(), String::from_utf8_lossy(frame).len(), "the bytes are kept: {shown}");
    }
}

#[test]
fn a_huge_number_or_an_odd_value_stays_text() {
    let odd = CALL.replace("\"192.0.2.7\"", "\"035.249.253.232\"").replace("eu-west-2", "megov-northeast-1r");
    let odd = odd.replacen('{', "{\"x\":1e99999,\"y\":123456789012345678901234567890,\"z\":\"\\ud800\",", 1);
    let event = evaluate(&engine(&[]), odd.as_bytes(), None).events.remove(0);
    assert_eq!(event.columns["src_endpoint.ip"], "035.249.253.232");
    assert_eq!(event.columns["cloud.region"], "megov-northeast-1r");
    assert!(event.entities.contains(&"address=035.249.253.232".to_owned()));
}

#[test]
fn a_record_too_large_is_rejected() {
    let limits = Limits { record_bytes: 200, ..Limits::default() };
    let memory = evaluate(&engine_with(&[], limits), CALL.as_bytes(), None);
    assert_eq!(memory.rejects[0].1, Reject::TooLarge);
}

#[test]
fn a_bad_neighbour_takes_no_record_with_it() {
    let frame = format!("{{\"Records\":[{CALL},{{\"a\":1}},5,{CALL}]}}");
    let memory = evaluate(&engine(&[]), frame.as_bytes(), None);
    assert_eq!((memory.events.len(), memory.rejects.len()), (2, 2));
}

#[test]
fn an_event_says_who_did_what_to_which() {
    let event = evaluate(&engine(&[]), CALL.as_bytes(), None).events.remove(0);
    assert_eq!(
        event.entities,
        [
            "principal=arn:aws:iam::111122223333:role/trainer",
            "session=arn:aws:sts::111122223333:assumed-role/trainer/pod-a",
            "address=192.0.2.7",
            "account=111122223333",
            "credential=ASIAEXAMPLE",
            "bucket=lab-weights",
            "checkpoint=lab-weights/m/v1/model.safetensors",
        ]
    );
    assert_eq!(event.columns["actor.user.name"], "trainer/pod-a");
    assert_eq!(event.columns["status"], "Success");
    let line = evaluate(&engine(&[]), LINE.as_bytes(), None).events.remove(0);
    assert!(
        line.entities.contains(&"checkpoint=lab-weights/m/v1/model.safetensors".to_owned()),
        "as CloudTrail has it"
    );
}

#[test]
fn delivery_twice_or_wrapped_is_the_same_event() {
    let engine = engine(&[]);
    let id = |frame: &str| evaluate(&engine, frame.as_bytes(), None).events.remove(0).id;
    let spaced = CALL.replacen("{\"eventVersion\"", "{ \"eventVersion\"", 1);
    assert_eq!(id(CALL), id(&spaced));
    assert_eq!(id(CALL), id(&format!(r#"{{"detail":{CALL}}}"#)));
    assert_ne!(id(CALL), id(&CALL.replace("e-1", "e-2")));
}

#[test]
fn events_are_written_as_ocsf() {
    let ocsf = common::exported(&engine(&[]), CALL.as_bytes()).ocsf;
    assert_eq!(
        (&ocsf["class_uid"], &ocsf["type_uid"], &ocsf["activity_id"]),
        (&6003.into(), &600_302.into(), &2.into())
    );
    assert_eq!(ocsf["api"]["service"]["name"], "s3.amazonaws.com");
    assert_eq!(ocsf["resources"][0]["uid"], "lab-weights");
    assert_eq!(ocsf["time"], 1_778_063_400_000_i64);
    assert_eq!((&ocsf["severity_id"], &ocsf["status_id"]), (&1.into(), &1.into()));
    let finding = common::exported(&engine(&[]), FINDING.as_bytes()).ocsf;
    assert_eq!((&finding["class_uid"], &finding["severity_id"]), (&2004.into(), &4.into()));
}

#[test]
fn sensitive_values_leave_as_size_and_digest() {
    let event = common::exported(&engine(&[]), INVOCATION.as_bytes());
    assert!(!event.redacted.contains("prompt") && event.redacted.contains("\"redacted\":true"));
    let redacted: serde_json::Value = serde_json::from_str(&event.redacted).expect("still JSON");
    assert_eq!(redacted["input"]["inputBodyJson"]["bytes"], r#"{"messages":["a secret \"prompt\""]}"#.len());
    assert_eq!(redacted["modelId"], "m");
    assert!(!event.ocsf.to_string().contains("secret"));
    let token = CALL.replacen('{', r#"{"responseElements":{"credentials":{"sessionToken":"a\nb\"c"}},"#, 1);
    let redacted = evaluate(&engine(&[]), token.as_bytes(), None).events.remove(0).redacted;
    let redacted: serde_json::Value = serde_json::from_str(&redacted).expect("still JSON");
    assert_eq!(redacted["responseElements"]["credentials"]["sessionToken"]["redacted"], true);
}

#[test]
fn a_finding_says_why_in_one_sentence() {
    let memory = evaluate(&engine(&[RULE]), CALL.as_bytes(), None);
    let finding = &memory.findings[0];
    assert_eq!(finding.message, "trainer/pod-a called GetObject on s3.amazonaws.com from 192.0.2.7: Weights Read");
    assert_eq!(finding.techniques, ["T1530"]);
    assert_eq!(finding.fold.by, [("principal".to_owned(), "arn:aws:iam::111122223333:role/trainer".to_owned())]);
    let own = format!(
        "{RULE}watchkeep: {{message: '{{principal}} read {{requestParameters.key}} {{errorCode}}', fold: {{by: [bucket, eventName], window: 2h}}}}\n"
    );
    let evil = CALL.replace("m/v1/model", "m\\nfake\\u001b[2J");
    let finding = evaluate(&engine(&[&own]), evil.as_bytes(), None).findings.remove(0);
    assert_eq!(
        finding.message,
        "arn:aws:iam::111122223333:role/trainer read m\\u{a}fake\\u{1b}[2J.safetensors unknown errorCode"
    );
    assert_eq!(finding.fold.by[0].1, "lab-weights");
    assert_eq!((finding.fold.by[1].1.as_str(), finding.fold.window_ms), ("GetObject", 7_200_000));
    let ocsf = engine::ocsf::detection_finding(&finding);
    assert_eq!((&ocsf["class_uid"], &ocsf["severity_id"], &ocsf["is_alert"]), (&2004.into(), &4.into(), &true.into()));
    assert_eq!(engine::ocsf::finding_wire(&finding)["entities"]["bucket"][0], "lab-weights");
}

#[test]
fn a_rule_is_explained_by_any_of_its_names() {
    let engine = engine(&[RULE]);
    for name in ["5b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a11", "weights read"] {
        let explanations = engine.explain(name, CALL.as_bytes(), &given(None)).expect("explained");
        assert!(explanations[0].held);
    }
    let miss = CALL.replace("GetObject", "PutObject");
    assert!(!engine.explain("Weights Read", miss.as_bytes(), &given(None)).expect("explained")[0].held);
    assert!(matches!(engine.explain("x", CALL.as_bytes(), &given(None)), Err(ExplainError::UnknownRule(_))));
    assert!(matches!(
        engine.explain("Weights Read", AUDIT.as_bytes(), &given(None)),
        Err(ExplainError::OtherSource { .. })
    ));
    assert_eq!(engine.explain("Weights Read", b"{", &given(None)), Err(ExplainError::Rejected(Reject::Truncated)));
}
