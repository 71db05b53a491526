//! A store with alerts in it, for tests and for looking at pages: an evening at a laboratory, or a hundred thousand of them.

use std::path::Path;

use console::{CaseView, Catalogue, RuleView, SourceView};
use model::*;
use store::figures::{Contract, Fill, Lags, Sums};
use store::*;

#[path = "seed_over_time.rs"]
pub mod over_time;

/// What stands for now.
pub const NOW: &str = "2026-11-22T02:51:07Z";

/// The time that stands for now.
pub fn now() -> Time {
    Time::parse(NOW).expect("a time")
}

/// A finding to be told as a story.
pub struct Story {
    pub rule: &'static str,
    pub ago_s: i64,
    pub lag_s: i64,
    pub lane: Lane,
    pub message: String,
    pub entities: Vec<(EntityKind, String)>,
    pub matched: Vec<(&'static str, &'static str, &'static str, String)>,
    pub columns: Vec<(&'static str, String)>,
    pub raw: String,
    pub source: &'static str,
    pub repeats: i64,
}

const RULES: [(&str, &str); 8] = [
    (
        "weights/s3_weights_read_outside_custody.yml",
        include_str!("../../../../content/packs/weights/s3_weights_read_outside_custody.yml"),
    ),
    (
        "weights/kms_weights_key_endangered.yml",
        include_str!("../../../../content/packs/weights/kms_weights_key_endangered.yml"),
    ),
    (
        "registry/s3_registered_artefact_overwritten.yml",
        include_str!("../../../../content/packs/registry/s3_registered_artefact_overwritten.yml"),
    ),
    (
        "identity/iam_access_key_for_another_user.yml",
        include_str!("../../../../content/packs/identity/iam_access_key_for_another_user.yml"),
    ),
    (
        "identity/kubernetes_secrets_listed_cluster_wide.yml",
        include_str!("../../../../content/packs/identity/kubernetes_secrets_listed_cluster_wide.yml"),
    ),
    (
        "inference/bedrock_invocation_logging_changed.yml",
        include_str!("../../../../content/packs/inference/bedrock_invocation_logging_changed.yml"),
    ),
    (
        "identity/guardduty_high_severity.yml",
        include_str!("../../../../content/packs/identity/guardduty_high_severity.yml"),
    ),
    (
        "cloud/ec2_user_data_read_refused.yml",
        include_str!("../../../../content/packs/cloud/ec2_user_data_read_refused.yml"),
    ),
];

fn scalar(yaml: &str, key: &str) -> String {
    let line =
        yaml.lines().find_map(|line| line.trim_start().strip_prefix(key).and_then(|rest| rest.strip_prefix(": ")));
    line.unwrap_or_default().trim_matches('\'').to_owned()
}

fn rule_view(file: &str, yaml: &str) -> RuleView {
    let tags = scalar(yaml, "tags");
    let tags = tags.trim_matches(['[', ']']).split(", ");
    let service = yaml.lines().find(|line| line.starts_with("logsource")).unwrap_or_default();
    let source = if service.contains("guardduty") {
        "aws_guardduty"
    } else if service.contains("kubernetes") {
        "kubernetes_audit"
    } else {
        "aws_cloudtrail"
    };
    let technique = |tag: &str| {
        let tag = tag.strip_prefix("attack.").or(tag.strip_prefix("atlas."))?.to_uppercase();
        tag.chars().any(|c| c.is_ascii_digit()).then_some(tag)
    };
    RuleView {
        id: RuleId::new(scalar(yaml, "id")),
        title: scalar(yaml, "title"),
        level: scalar(yaml, "level").parse().unwrap_or_default(),
        kind: "alert".into(),
        description: scalar(yaml, "description"),
        file: format!("content/packs/{file}"),
        yaml: yaml.to_owned(),
        provenance: "Watchkeep (Apache-2.0)".into(),
        owner: "detection".into(),
        sources: vec![source.into()],
        techniques: tags.filter_map(technique).collect(),
        falsepositives: vec![scalar(yaml, "falsepositives").trim_matches(['[', ']']).to_owned()],
        triage: vec![console::TriageView {
            ask: "Did the session also read through an approved endpoint in the last hour?".into(),
            query: "userIdentity.arn = <principal>, 1 h, by vpcEndpointId".into(),
            if_yes: "The credentials left the network: contain the role.".into(),
            if_no: "Ask the custodian on duty for a break-glass record.".into(),
        }],
        cases: vec![
            CaseView { name: "read through the public endpoint".into(), kind: "hit".into(), passed: Some(true) },
            CaseView {
                name: "read through the approved endpoint".into(),
                kind: "near_miss".into(),
                passed: Some(true),
            },
        ],
    }
}

/// What these sources declare.
fn asked() -> Contracts {
    let contract = |silent_s: i64| Contract {
        silent_after_ms: Some(silent_s * 1000),
        lag_ms: Some(900_000),
        volume: None,
        filled_at_least: 950,
    };
    let declared = [
        ("aws_bedrock_invocation", 3600),
        ("aws_cloudtrail", 1800),
        ("aws_guardduty", 86_400),
        ("aws_s3_access_log", 7200),
        ("kubernetes_audit", 1800),
    ];
    let declared = declared.map(|(id, silent_s)| (SourceId::from(id), contract(silent_s)));
    Contracts { declared: declared.into(), ..Contracts::default() }
}

/// What one hour brings: so many records, each so late, of which a share has each required field.
fn sums(records: u64, lag_ms: i64, filled: u64, at: Time) -> Sums {
    let mut lags = Lags::default();
    (0..records.min(50)).for_each(|n| lags.add(lag_ms + n as i64 * 90));
    let fill = |n: u64| Fill { n: records * n / 100, of: records };
    Sums {
        records,
        lags,
        lag_max_ms: lag_ms + 4500,
        filled: [("eventName".to_owned(), fill(100)), ("userIdentity.arn".to_owned(), fill(filled))].into(),
        last_event: Some(at.plus_millis(-lag_ms)),
        last_received: Some(at),
        ..Sums::default()
    }
}

/// Rules and sources as `run` would hand them over.
pub fn catalogue() -> Catalogue {
    let source = |id: &str, title: &str, silent_s: i64| SourceView {
        id: id.into(),
        title: title.into(),
        description: "Calls to the cloud's interfaces, with who, what, from where and through which endpoint.".into(),
        silent_after_ms: Some(silent_s * 1000),
        lag_ms: Some(900_000),
        enable:
            "Create an organisation trail with data events on the custody buckets, and send it to the watched folder."
                .into(),
        blind_spots: vec!["Data events are off unless they are switched on for the bucket.".into()],
    };
    Catalogue {
        rules: RULES.iter().map(|(file, yaml)| rule_view(file, yaml)).collect(),
        sources: vec![
            source("aws_bedrock_invocation", "Amazon Bedrock model invocation log", 3600),
            source("aws_cloudtrail", "AWS CloudTrail", 1800),
            source("aws_guardduty", "Amazon GuardDuty findings", 86_400),
            source("aws_s3_access_log", "Amazon S3 server access log", 7200),
            source("kubernetes_audit", "Kubernetes audit log", 1800),
        ],
        asked: asked(),
    }
}

fn finding(catalogue: &Catalogue, story: &Story, at: Time, n: usize) -> Raised {
    let rule = catalogue.rules.iter().find(|rule| rule.file.ends_with(story.rule)).expect("a known rule");
    let event =
        EventId::of(&[story.source.as_bytes(), story.raw.as_bytes(), &n.to_be_bytes(), at.to_string().as_bytes()]);
    let entities: Vec<Entity> =
        story.entities.iter().map(|(kind, key)| Entity { kind: *kind, key: key.clone() }).collect();
    let by = entities.first().map(|entity| (entity.kind.to_string(), entity.key.clone()));
    let matched = story.matched.iter().map(|(search, field, test, value)| MatchedTerm {
        search: (*search).into(),
        field: (*field).into(),
        test: (*test).into(),
        value: value.clone(),
    });
    let known = |entity: &model::Entity| model::Enrichment {
        entity: entity.clone(),
        provider: model::Provider::Inventory,
        known: true,
        facts: vec![model::Fact::new("owner", "custody-team")],
    };
    let context = entities.iter().take(1).map(known).collect();
    let finding = Finding {
        finding_id: Finding::id_of(&rule.id, "3f9c0d5be1a27744", &[event]),
        rule_id: rule.id.clone(),
        rule_title: rule.title.clone(),
        rule_revision: "3f9c0d5be1a27744".into(),
        level: rule.level,
        kind: RuleKind::Alert,
        source: story.source.into(),
        event_time: at,
        received: at.plus_millis(story.lag_s * 1000),
        event_ids: vec![event],
        entities,
        techniques: rule.techniques.clone(),
        message: story.message.clone(),
        lane: story.lane,
        fold: FoldKey { by: by.into_iter().collect(), window_ms: 3_600_000 },
        matched: matched.collect(),
        columns: story.columns.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        window: None,
        context,
    };
    let evidence = Evidence { event_id: event, source: story.source.into(), raw: story.raw.clone() };
    Raised { finding, evidence: vec![evidence], input: "trail".into() }
}

/// Routes to a SOC and to a ticket system.
pub fn routes() -> Vec<RouteRule> {
    let route = |name: &str, min_level| RouteRule { name: name.into(), min_level, lanes: vec![], rules: vec![] };
    vec![route("soc-splunk", Level::High), route("tickets", Level::Medium)]
}

/// Settles one story; returns the alerts that it opened.
pub fn tell(store: &Store, catalogue: &Catalogue, story: &Story) -> Vec<AlertId> {
    let first = now().plus_millis(-story.ago_s * 1000);
    let mut opened = Vec::new();
    for n in 0..=story.repeats {
        let at = first.plus_millis(n * 41_000);
        let received = at.plus_millis(story.lag_s * 1000);
        let settlement = Settlement {
            input: "trail".into(),
            cursor: None,
            ledger: counted("trail", story.source, received, 230 + n as u64 * 13, 0, 1),
            findings: vec![finding(catalogue, story, at, n as usize)],
            rejects: vec![],
            sightings: vec![Sighting { source: story.source.into(), last_event: at, last_received: received }],
            now: received.plus_millis(420),
            ..Settlement::default()
        };
        opened.extend(store.settle(settlement, &routes()).expect("settles").opened);
    }
    opened
}

/// Counts of one input, source and hour.
pub fn counted(input: &str, source: &str, at: Time, evaluated: u64, rejected: u64, raised: u64) -> Ledger {
    let mut ledger = Ledger::default();
    let entry = |step, source: Option<&str>, reason: &str| Entry {
        input: input.into(),
        source: source.map(SourceId::from),
        hour: at.hour(),
        step,
        reason: reason.into(),
    };
    ledger.add(entry(Step::Received, None, ""), evaluated + rejected);
    ledger.add(entry(Step::Evaluated, Some(source), ""), evaluated);
    ledger.add(entry(Step::Rejected, None, "not_json"), rejected);
    ledger.add(entry(Step::Raised, Some(source), ""), raised);
    ledger
}

/// Hours of traffic without findings, and a few rejects.
pub fn traffic(store: &Store) {
    let wave =
        [42, 40, 38, 41, 55, 90, 160, 240, 300, 310, 290, 280, 305, 320, 300, 250, 190, 140, 110, 90, 70, 60, 50, 45];
    for (source, scale) in
        [("aws_cloudtrail", 40), ("kubernetes_audit", 110), ("aws_s3_access_log", 15), ("aws_bedrock_invocation", 6)]
    {
        let input = if source == "kubernetes_audit" { "cluster" } else { "trail" };
        let (mut ledger, mut rejects, mut sightings) = (Ledger::default(), vec![], vec![]);
        let is_heard = |hour: &i64| source != "aws_s3_access_log" || *hour >= 9;
        for hour in (0..72_i64).rev().filter(is_heard) {
            let at = now().plus_millis(-hour * 3_600_000 - 120_000);
            let rejected = u64::from(source == "aws_cloudtrail" && hour % 7 == 3) * 2;
            ledger.merge(&counted(input, source, at, wave[(hour % 24) as usize] * scale, rejected, 0));
            rejects.extend((0..rejected).map(|n| reject(at, n)));
            sightings = vec![Sighting { source: source.into(), last_event: at.plus_millis(-8_000), last_received: at }];
        }
        let figures = |hour: i64| measured(source, wave[(hour % 24) as usize] * scale, hour);
        let measured = (0..96_i64).rev().filter(is_heard).map(figures).collect();
        let settlement = Settlement {
            input: input.into(),
            ledger,
            rejects,
            sightings,
            measured,
            now: now(),
            ..Settlement::default()
        };
        store.settle(settlement, &routes()).expect("settles");
    }
}

/// The figures of an hour so long ago: the invocation log thins out, and the cluster's records lose a field.
fn measured(source: &str, records: u64, hour: i64) -> Measured {
    let at = now().plus_millis(-hour * 3_600_000 - 120_000);
    let (records, filled) = match (source, hour) {
        ("aws_bedrock_invocation", 1..3) => (records / 10, 100),
        ("kubernetes_audit", _) => (records, 61),
        _ => (records, 100),
    };
    Measured { source: source.into(), lane: Lane::Live, hour: at.hour(), sums: sums(records, 8_000, filled, at) }
}

fn reject(at: Time, n: u64) -> Rejected {
    let raw: &[u8] = if n == 0 {
        b"{\"eventVersion\": \"1.09\", \"eventTime\": NaN, \"eventSource\""
    } else {
        b"\xff\xfe{\x00\"<script>alert(1)</script>"
    };
    Rejected {
        input: "trail".into(),
        source: None,
        reason: Reject::NotJson,
        received: at,
        raw: [raw, at.to_string().as_bytes()].concat(),
    }
}

/// An evening's alerts, in every state, with deliveries, a dead letter and silences.
pub fn evening(store: &Store) -> Catalogue {
    let catalogue = catalogue();
    store.set_routes(&routes());
    traffic(store);
    let mut ids = Vec::new();
    for story in stories() {
        ids.extend(tell(store, &catalogue, &story));
    }
    deliver(store);
    let act = |n: usize, step, who: &str, reason: Option<&str>, ago_s: i64| {
        store.act(ids[n], step, who, reason, now().plus_millis(-ago_s * 1000)).expect("a legal move");
    };
    act(3, Move::Acknowledge, "R. Okafor", None, 5_200);
    act(4, Move::Acknowledge, "R. Okafor", None, 9_000);
    act(
        4,
        Move::Close(Verdict::BenignSanctioned),
        "R. Okafor",
        Some("Rotation by the platform team, change 4471."),
        8_100,
    );
    store.add_silence(silence(&catalogue), now().plus_millis(-600_000)).expect("a silence");
    catalogue
}

fn silence(catalogue: &Catalogue) -> Silence {
    let rule = &catalogue.rules[7];
    Silence {
        silence_id: String::new(),
        matches: SilenceMatch {
            rule_id: Some(rule.id.to_string()),
            source: None,
            entity: Some("arn:aws:sts::111122223333:assumed-role/inventory/scan".into()),
        },
        owner: "R. Okafor".into(),
        reason: "Inventory scan by the platform team until Tuesday.".into(),
        created: now().plus_millis(-600_000),
        expires: now().plus_millis(3 * 86_400_000),
    }
}

/// Sends what waits: most is delivered, one row is given up.
pub fn deliver(store: &Store) {
    let mut dead = 0;
    loop {
        let due = store.outbox_due(now(), 500).expect("due");
        if due.is_empty() {
            return;
        }
        for row in due {
            let at = row.created.plus_millis(1_340);
            let outcome = if row.route == "tickets" && dead == 0 {
                dead += 1;
                OutboxOutcome::Dead { error: "the receiver answered 410 Gone".into() }
            } else {
                let splunk = row.route == "soc-splunk";
                OutboxOutcome::Delivered {
                    receipt: Some(format!("ack {}", 1000 + row.id)),
                    confirmed: splunk && row.id % 2 == 0,
                }
            };
            store.outbox_settle(row.id, outcome, at).expect("settled");
        }
    }
}

fn principal(name: &str) -> (EntityKind, String) {
    (EntityKind::Principal, format!("arn:aws:sts::111122223333:assumed-role/{name}"))
}

fn s3_read(key: &str, address: &str, ago_s: i64, lane: Lane, repeats: i64) -> Story {
    let raw = format!(
        r#"{{"eventVersion":"1.09","userIdentity":{{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/train-runner/i-0a4f","accessKeyId":"ASIAEXAMPLE7Q2LBNR3"}},"eventTime":"2026-11-22T02:40:11Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-west-2","sourceIPAddress":"{address}","userAgent":"[aws-cli/2.17.9]","requestParameters":{{"bucketName":"lab-weights","key":"{key}","Host":"lab-weights.s3.eu-west-2.amazonaws.com","x-amz-server-side-encryption-customer-key":{{"redacted":true,"bytes":44,"sha256":"9f2c51b7e0d0a1c35be81d6e0f4a2c61"}}}},"responseElements":null,"additionalEventData":{{"bytesTransferredOut":536870912000,"CipherSuite":"TLS_AES_128_GCM_SHA256"}},"requestID":"7QW2K0E1EXAMPLE","eventID":"{key}-{address}","readOnly":true,"resources":[{{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::lab-weights/{key}"}}],"eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"111122223333","eventCategory":"Data"}}"#
    );
    Story {
        rule: "s3_weights_read_outside_custody.yml",
        ago_s,
        lag_s: 214,
        lane,
        message: format!(
            "assumed-role/train-runner/i-0a4f read {key} of lab-weights from {address} without an approved VPC endpoint"
        ),
        entities: vec![
            principal("train-runner/i-0a4f"),
            (EntityKind::Checkpoint, key.to_owned()),
            (EntityKind::Bucket, "lab-weights".into()),
            (EntityKind::Address, address.to_owned()),
        ],
        matched: vec![
            ("read", "eventSource", "equals \"s3.amazonaws.com\"", "s3.amazonaws.com".into()),
            ("read", "eventName", "equals \"GetObject\"", "GetObject".into()),
            (
                "custody",
                "requestParameters.bucketName",
                "equals \"lab-weights\" (custody_buckets)",
                "lab-weights".into(),
            ),
        ],
        columns: vec![
            ("api.operation", "GetObject".into()),
            ("api.service.name", "s3.amazonaws.com".into()),
            ("actor.user.uid", "arn:aws:sts::111122223333:assumed-role/train-runner/i-0a4f".into()),
            ("cloud.account.uid", "111122223333".into()),
            ("cloud.region", "eu-west-2".into()),
            ("src_endpoint.ip", address.to_owned()),
            ("status", "Success".into()),
        ],
        raw,
        source: "aws_cloudtrail",
        repeats,
    }
}

/// A story in one line: rule, seconds ago, lane, source, reason, entities.
type Line = (&'static str, i64, Lane, &'static str, &'static str, &'static [(EntityKind, &'static str)]);

const CLOUDTRAIL: &str = "aws_cloudtrail";
const KUBERNETES: &str = "kubernetes_audit";
const GUARDDUTY: &str = "aws_guardduty";
const KEY_FILE: &str = "kms_weights_key_endangered.yml";
const ARTEFACT_FILE: &str = "s3_registered_artefact_overwritten.yml";
const ACCESS_KEY_FILE: &str = "iam_access_key_for_another_user.yml";
const LOGGING_FILE: &str = "bedrock_invocation_logging_changed.yml";
const SECRETS_FILE: &str = "kubernetes_secrets_listed_cluster_wide.yml";
const GUARDDUTY_FILE: &str = "guardduty_high_severity.yml";
const USER_DATA_FILE: &str = "ec2_user_data_read_refused.yml";

#[rustfmt::skip]
const LINES: [Line; 13] = [
    (KEY_FILE, 2_400, Lane::Live, CLOUDTRAIL, "assumed-role/platform-admin/mk scheduled deletion of key 6f0e… that protects lab-weights, in 7 days",
        &[(EntityKind::Principal, "arn:aws:sts::111122223333:assumed-role/platform-admin/mk"), (EntityKind::Key, "arn:aws:kms:eu-west-2:111122223333:key/6f0e2a51-77aa-4d8c-9d1e-0f3a")]),
    (ARTEFACT_FILE, 3_050, Lane::Live, CLOUDTRAIL, "assumed-role/eval-batch/7731 wrote over registered artefact evaluator-small/v12/model.safetensors",
        &[(EntityKind::Principal, "arn:aws:sts::111122223333:assumed-role/eval-batch/7731"), (EntityKind::Checkpoint, "evaluator-small/v12/model.safetensors"), (EntityKind::Bucket, "lab-registry")]),
    (ACCESS_KEY_FILE, 6_100, Lane::Live, CLOUDTRAIL, "user/build-bot made access key AKIAEXAMPLEPQ4 for user/dana",
        &[(EntityKind::Principal, "arn:aws:iam::111122223333:user/build-bot"), (EntityKind::Credential, "AKIAEXAMPLEPQ4"), (EntityKind::Person, "dana")]),
    (LOGGING_FILE, 10_800, Lane::Live, CLOUDTRAIL, "assumed-role/platform-admin/jt switched model invocation logging off in eu-west-2",
        &[(EntityKind::Principal, "arn:aws:sts::111122223333:assumed-role/platform-admin/jt")]),
    (SECRETS_FILE, 1_500, Lane::Live, KUBERNETES, "system:serviceaccount:inference:router listed secrets of every namespace of cluster gpu-a from 10.8.4.19",
        &[(EntityKind::Workload, "inference/router-6bd9f7"), (EntityKind::Cluster, "gpu-a"), (EntityKind::Address, "10.8.4.19")]),
    (GUARDDUTY_FILE, 700, Lane::Live, GUARDDUTY, "GuardDuty: i-0a4f queried a domain name of a known command and control server",
        &[(EntityKind::Host, "i-0a4f31c9d2"), (EntityKind::Account, "111122223333")]),
    (USER_DATA_FILE, 430, Lane::Live, CLOUDTRAIL, "assumed-role/notebook/ana was refused the user data of i-09bb41",
        &[(EntityKind::Principal, "arn:aws:sts::111122223333:assumed-role/notebook/ana"), (EntityKind::Host, "i-09bb41")]),
    (ACCESS_KEY_FILE, 14_000, Lane::Sample, CLOUDTRAIL, "user/christophe made access key AKIAL80DWDVKKM0UXEER for user/stratus-red-team-backdoor-u-user",
        &[(EntityKind::Principal, "arn:aws:iam::946986569305:user/christophe"), (EntityKind::Credential, "AKIAL80DWDVKKM0UXEER")]),
    (USER_DATA_FILE, 16_000, Lane::Sample, CLOUDTRAIL, "assumed-role/stratus-red-team-ec2-get-user-data-role/aws-go-sdk was refused the user data of 15 instances",
        &[(EntityKind::Principal, "arn:aws:sts::946986569305:assumed-role/stratus-red-team-ec2-get-user-data-role/aws-go-sdk")]),
    (SECRETS_FILE, 26_000, Lane::Live, KUBERNETES, "user ops-marie listed secrets of every namespace of cluster gpu-b from 10.9.0.4",
        &[(EntityKind::Person, "ops-marie"), (EntityKind::Cluster, "gpu-b")]),
    (ARTEFACT_FILE, 31_000, Lane::Live, CLOUDTRAIL, "assumed-role/release/ci-2210 wrote over registered artefact tokenizer/v3/vocab.json",
        &[(EntityKind::Principal, "arn:aws:sts::111122223333:assumed-role/release/ci-2210"), (EntityKind::Checkpoint, "tokenizer/v3/vocab.json")]),
    (GUARDDUTY_FILE, 52_000, Lane::Live, GUARDDUTY, "GuardDuty: credentials of instance role gpu-node were used from 198.51.100.77, outside AWS",
        &[(EntityKind::Principal, "arn:aws:sts::111122223333:assumed-role/gpu-node"), (EntityKind::Address, "198.51.100.77")]),
    (USER_DATA_FILE, 90_000, Lane::Live, CLOUDTRAIL, "assumed-role/notebook/ben was refused the user data of i-0c77",
        &[(EntityKind::Principal, "arn:aws:sts::111122223333:assumed-role/notebook/ben"), (EntityKind::Host, "i-0c77")]),
];

fn plain((rule, ago_s, lane, source, message, entities): Line) -> Story {
    let note = message.replace('"', "'");
    Story {
        rule,
        ago_s,
        lag_s: 95,
        lane,
        message: message.to_owned(),
        entities: entities.iter().map(|(kind, key)| (*kind, (*key).to_owned())).collect(),
        matched: vec![("selection", "eventName", "equals \"Example\"", "Example".into())],
        columns: vec![("api.operation", "Example".into())],
        raw: format!(r#"{{"eventName":"Example","eventTime":"2026-11-22T01:00:00Z","note":"{note}"}}"#),
        source,
        repeats: 0,
    }
}

/// The evening's stories.
pub fn stories() -> Vec<Story> {
    let theft =
        s3_read("frontier-7/step-184000/shard-00017-of-00512.safetensors", "203.0.113.41", 2_330, Lane::Live, 46);
    let exercise = s3_read("evaluator-small/v11/model.safetensors", "198.51.100.23", 5_300, Lane::Exercise, 2);
    let (recent, older) = LINES.split_at(7);
    let recent = recent.iter().map(|line| plain(*line));
    std::iter::once(theft).chain(recent).chain([exercise]).chain(older.iter().map(|line| plain(*line))).collect()
}

/// Strings that try to break a page.
pub const HOSTILE: [&str; 8] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'; DROP TABLE alerts; --",
    "</textarea></title></style><h1 id=broken>",
    "{{ 7*7 }} {% raw %} &lt; &amp; &#x3c;",
    "\u{202e}gnp.exe\u{202c} \u{0}\u{7}\u{1b}[31m",
    "javascript:alert(1)",
    "ÄÖÜ 漢字 🛰️ \u{200b}zero\u{200b}width",
];

/// An alert of which everything that a sender controls is hostile.
pub fn hostile(store: &Store, catalogue: &Catalogue) -> AlertId {
    let all = HOSTILE.join(" ");
    let long = "A".repeat(5_000);
    let story = Story {
        message: format!("{all} {long}"),
        entities: HOSTILE
            .iter()
            .map(|text| (EntityKind::Resource, (*text).to_owned()))
            .chain([(EntityKind::Host, long.clone())])
            .collect(),
        matched: HOSTILE.iter().map(|text| ("read", "eventName", "equals \"<b>\"", (*text).to_owned())).collect(),
        columns: vec![("api.operation", all.clone()), ("api.request.uid", long)],
        raw: format!(
            r#"{{"eventName":{},"<script>alert(2)</script>":"</code></pre>","n":1e999}}"#,
            serde_json::to_string(&all).expect("json")
        ),
        repeats: 0,
        lag_s: 1,
        ..s3_read("x", "203.0.113.9", 60, Lane::Live, 0)
    };
    tell(store, catalogue, &story)[0]
}

/// Opens `n` alerts over thirty days, in batches.
pub fn many(store: &Store, catalogue: &Catalogue, n: usize) {
    for start in (0..n).step_by(2_000) {
        let mut raised = Vec::new();
        for at in start..n.min(start + 2_000) {
            let story = Story {
                rule: [
                    "s3_weights_read_outside_custody.yml",
                    "iam_access_key_for_another_user.yml",
                    "ec2_user_data_read_refused.yml",
                    "guardduty_high_severity.yml",
                ][at % 4],
                entities: vec![
                    principal(&format!("role-{at}/session")),
                    (EntityKind::Address, format!("10.{}.{}.{}", at / 65_536, at / 256 % 256, at % 256)),
                ],
                message: format!("assumed-role/role-{at} read object-{at} of lab-weights from outside"),
                raw: format!(r#"{{"eventName":"GetObject","n":{at}}}"#),
                ..s3_read("k", "203.0.113.1", 0, if at % 50 == 0 { Lane::Sample } else { Lane::Live }, 0)
            };
            raised.push(finding(catalogue, &story, now().plus_millis(-((at as i64 * 25_931) % 2_592_000_000)), at));
        }
        let settlement = Settlement {
            input: "trail".into(),
            cursor: None,
            ledger: counted("trail", "aws_cloudtrail", now(), raised.len() as u64, 0, raised.len() as u64),
            findings: raised,
            rejects: vec![],
            sightings: vec![],
            now: now(),
            ..Settlement::default()
        };
        store.settle(settlement, &[]).expect("settles");
    }
}

/// Opens a store in `dir`.
pub fn open(dir: &Path) -> Store {
    Store::open(dir).expect("a store")
}
