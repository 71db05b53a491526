//! Rules in the words of SigmaHQ hold on the records of the sources that carry their log source.
#![allow(missing_docs, clippy::disallowed_methods)] // Tests read files and clocks; the crate does not.

mod common;

use common::{engine, evaluate, repository};

/// Log source, detection, and the samples that it must hit once.
const CASES: [(&str, &str, &str); 11] = [
    ("{product: okta, service: okta}", "{eventType: policy.evaluate_sign_on}", "okta_system_log/lower_case.ndjson"),
    ("{product: azure, service: signinlogs}", "{ResultType: 50053}", "microsoft_entra_signin/azure_monitor.ndjson"),
    ("{product: azure, service: signinlogs}", "{ResultType: 50126}", "microsoft_entra_signin/graph.json"),
    (
        "{product: azure, service: auditlogs}",
        "{properties.message: Add member to role, Status: failure}",
        "microsoft_entra_audit/graph.json",
    ),
    ("{category: proxy}", "{c-uri|contains: /upload, cs-method: POST, sc-status: 403}", "zscaler_web/nss.ndjson"),
    (
        "{category: webserver}",
        "{cs-uri-query|contains: union, cs-user-agent|startswith: python}",
        "aws_waf/rate_limited.ndjson",
    ),
    ("{category: dns}", "{query|contains: .exfil., record_type: TXT}", "aws_route53_resolver/firewall.ndjson"),
    ("{category: dns}", "{query|contains: .exfil., record_type: TXT}", "cilium_hubble/exporter.ndjson"),
    ("{category: firewall}", "{dst_ip: 169.254.169.254, dst_port: 80}", "cilium_hubble/exporter.ndjson"),
    (
        "{product: linux, category: process_creation}",
        "{Image|endswith: /sudo, CommandLine|contains: nsenter, ParentImage: /bin/bash}",
        "tetragon_exec/exec.ndjson",
    ),
    ("{product: opencanary, category: application}", "{logtype: 16001}", "opencanary/events.ndjson"),
];

#[test]
fn rules_in_the_words_of_sigmahq_hold_on_their_records() {
    for (logsource, selection, sample) in CASES {
        let rule = format!(
            "title: A Case\nid: 5b7c2e9e-3d0a-4f0c-9c0a-6f2f5d1f7a12\nstatus: test\nlevel: high\nlogsource: {logsource}\n\
             detection: {{selection: {selection}, condition: selection}}\n"
        );
        let (source, file) = sample.split_once('/').expect("source and file");
        let path = repository().join("content/sources").join(source).join("samples").join(file);
        let text = std::fs::read_to_string(&path).expect("sample");
        let engine = engine(&[&rule]);
        let frames: Vec<&str> = if file.ends_with(".json") { vec![&text] } else { text.lines().collect() };
        let hits: usize = frames.iter().map(|frame| evaluate(&engine, frame.as_bytes(), None).findings.len()).sum();
        assert_eq!(hits, 1, "{logsource} {selection} on {sample}");
    }
}
