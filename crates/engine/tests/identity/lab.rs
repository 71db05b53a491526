//! The tools of a lab: keys, tokens and accounts of one person, told by the tools and by the personnel system.

use std::path::Path;

use model::EntityKind::{Credential, Principal, Session};
use serde_json::Value;

use crate::{at, common, entity, events, graph, says};

/// Samples of these sources, as JSON records.
fn samples(names: &[&str]) -> Vec<Value> {
    let read =
        |name: &&str| std::fs::read_to_string(common::repository().join(Path::new("content/sources").join(name)));
    let texts: Vec<String> = names.iter().map(|name| read(name).expect("a sample")).collect();
    texts.iter().flat_map(|text| text.lines()).map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn keys_and_accounts_of_one_person_lead_to_that_person() {
    let records = samples(&[
        "hr_person/samples/people.ndjson",
        "github_audit/samples/stream.ndjson",
        "litellm_proxy/samples/standard_logging_payload.ndjson",
        "huggingface_audit/samples/audit.ndjson",
        "openai_audit/samples/specification.ndjson",
    ]);
    let graph = graph(&events(&common::engine(&[]), &records));
    let who = |kind, key: &str, time: &str| says(&graph.resolve(&entity(kind, key), at(time)));
    let alice = "known: person alice@example.org";
    // Which accounts are whose, the personnel system says; for a week, and not before.
    assert_eq!(who(Principal, "arn:aws:iam::111122223333:user/alice", "2026-05-07T12:00:00Z"), alice);
    let nobodys = "known: principal arn:aws:iam::111122223333:user/alice";
    assert_eq!(who(Principal, "arn:aws:iam::111122223333:user/alice", "2026-05-06T12:00:00Z"), nobodys);
    assert_eq!(who(Principal, "github:alice-lab", "2026-05-07T12:00:00Z"), alice);
    assert_eq!(who(Principal, "github:bob-bot", "2026-05-07T12:00:00Z"), "known: person bob@example.org");
    // A token leads to its account, and single sign-on vouches for whose that is.
    assert_eq!(who(Credential, "GFTYqMl7YyKc7vS8mD4w3p0zY4oR0b0s0h8Lxw0dC1E=", "2026-05-09T12:00:00Z"), alice);
    assert_eq!(who(Principal, "hf:alice-lab", "2026-05-08T12:00:00Z"), alice);
    // Keys of gateways and providers.
    let key = "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b";
    assert_eq!(who(Credential, key, "2026-11-23T00:00:00Z"), alice);
    assert_eq!(who(Principal, "user-xxx", "2024-07-13T00:00:00Z"), "known: person user@example.com");
    assert_eq!(who(Credential, "litellm_proxy_master_key", "2026-11-23T00:00:00Z"), "unknown", "everyone may hold it");
}

#[test]
fn a_name_that_a_caller_or_a_trace_gives_is_a_claim() {
    let records = samples(&["litellm_audit/samples/audit_log.ndjson", "otel_genai/samples/otlp_spans.ndjson"]);
    let graph = graph(&events(&common::engine(&[]), &records));
    let key = "77aa28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b";
    let who = |kind, key: &str| says(&graph.resolve(&entity(kind, key), at("2026-05-07T18:10:00Z")));
    assert_eq!(who(Credential, key), "claimed: principal litellm:bob");
    assert_eq!(who(Session, "c-9"), "claimed: person alice@example.org");
}
