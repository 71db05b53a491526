use std::fs;
use std::path::Path;

use engine::context::AssetKind;
use model::{Diagnostic, Time};

use crate::{Catalogue, Root, inventory, load};

fn loaded(files: &[(&str, &str)]) -> (Catalogue, Vec<Diagnostic>) {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), files);
    let (catalogue, diagnostics) = load(&[Root::Dir(folder.path().to_owned())]);
    let place = |one: Diagnostic| Diagnostic { file: name(&one.file), ..one };
    (catalogue, diagnostics.into_iter().map(place).collect())
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
}

fn name(file: &str) -> String {
    file.rsplit('/').next().unwrap_or_default().to_owned()
}

fn told(diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics.iter().map(|one| format!("{}:{} {}", one.file, one.line, one.code)).collect()
}

const ASSETS: &str = "
defaults: {owner: custody, reviewed: 2026-01-01}
assets:
    - {id: weights, kind: bucket, class: [weights, registry], names: [lab-weights, 'lab-weights-*']}
    - {id: scratch, kind: bucket, class: scratch, owner: platform, review_every: 30d, until: 2026-06-30}
    - {id: reader, kind: role, class: reader, names: ['arn:aws:iam::1:role/reader'], attributes: {session: r-1}}
held:
    from: {kind: bucket, class: weights}
objects:
    values: [first, 'arn:aws:s3:::lab-weights/']
    from:
        - {kind: bucket, class: weights, write: 'arn:aws:s3:::{name}/'}
        - {kind: role, write: ':{attributes}'}
sessions:
    from: {kind: role, class: reader, write: ':assumed-role/{id}/{session}'}
";

#[test]
fn lists_take_values_from_assets_in_the_spelling_that_they_ask_for() {
    let (catalogue, diagnostics) = loaded(&[("inventory/a.yml", ASSETS)]);
    let list = |name: &str| catalogue.inventory.get(name).expect("a list").join(" ");
    assert_eq!(list("held"), "lab-weights lab-weights-*");
    assert_eq!(list("objects"), "first arn:aws:s3:::lab-weights/ arn:aws:s3:::lab-weights-*/");
    assert_eq!(list("sessions"), ":assumed-role/reader/r-1");
    assert_eq!(told(&diagnostics), ["a.yml:13 unknown-attribute"]);
    let scratch = &catalogue.things.assets[0];
    assert_eq!((scratch.id.as_str(), scratch.kept.owner.as_deref()), ("scratch", Some("platform")));
    assert_eq!(scratch.until.expect("an end").to_string(), "2026-07-01T00:00:00.000Z", "the day itself counts");
}

#[test]
fn every_mistake_is_told_with_its_line_and_a_remedy() {
    let text = "
assets:
    - {id: a, kind: buckte}
    - {kind: bucket, clas: x}
    - {id: n, kind: network, names: [10.0.0.0/8, intranet]}
    - {id: a, kind: key, reviewed: yesterday}
    - {id: a, kind: key, review_every: often}
changes:
    - {id: C-1, summary: s, covers: ['*'], from: 2026-02-02, until: 2026-01-01}
    - {id: C-2, from: 2026-02-02}
on_call: {who: ana}
list: {values: [{value: a, until: soon}], form: {}}
csv: {file: a.csv, into: things, columns: {id: Id}}
";
    let (_, diagnostics) = loaded(&[("inventory/a.yml", text)]);
    let mut told = told(&diagnostics);
    told.sort();
    assert_eq!(
        told,
        [
            "a.yml:10 missing-key",
            "a.yml:10 missing-key",
            "a.yml:10 missing-key",
            "a.yml:11 wrong-type",
            "a.yml:12 bad-value",
            "a.yml:12 unknown-key",
            "a.yml:13 bad-value",
            "a.yml:3 bad-value",
            "a.yml:4 missing-key",
            "a.yml:4 unknown-key",
            "a.yml:5 bad-value",
            "a.yml:6 bad-value",
            "a.yml:7 bad-value",
            "a.yml:7 duplicate-asset",
            "a.yml:9 bad-value",
        ]
    );
    assert!(diagnostics.iter().all(|one| !one.remedy.is_empty()), "{diagnostics:?}");
    assert!(diagnostics.iter().any(|one| one.remedy == "did you mean `bucket`?"), "{diagnostics:?}");
}

#[test]
fn a_table_is_read_by_the_columns_that_a_file_beside_it_maps() {
    let map = "
defaults: {owner: identity, reviewed: 2026-01-01}
csv:
    file: roles.csv
    into: assets
    columns: {id: Role, names: ARN, class: Use, attributes.team: Team}
    fixed: {kind: role}
    several: ';'
readers: {from: {kind: role, class: reader}}
";
    let table = "Role,ARN,Use,Team,Notes\nserve,arn:s;arn:t,reader; guarded,infer,\"a, b\"\n,arn:x,reader,,\nshort\n";
    let (catalogue, diagnostics) = loaded(&[("inventory/roles.yml", map), ("inventory/roles.csv", table)]);
    assert_eq!(catalogue.inventory.get("readers"), Some(["arn:s".to_owned(), "arn:t".to_owned()].as_slice()));
    let serve = &catalogue.things.assets[0];
    assert_eq!((serve.classes.join(" "), serve.attributes["team"].as_str()), ("reader guarded".into(), "infer"));
    assert_eq!((name(&serve.kept.file), serve.kept.line), ("roles.csv".into(), 2));
    assert_eq!(told(&diagnostics), ["roles.csv:3 missing-key", "roles.csv:4 bad-csv"]);
}

#[test]
fn a_table_without_its_map_and_a_map_without_its_column_or_table_are_told() {
    let map = "csv:\n    - {file: a.csv, into: assets, columns: {id: Naem}}\n    - {file: c.csv, into: assets, columns: {id: x}}\n";
    let files = [("inventory/a.yml", map), ("inventory/a.csv", "Name\nx\n"), ("inventory/b.csv", "x\n")];
    let (_, diagnostics) = loaded(&files);
    assert_eq!(told(&diagnostics), ["a.yml:2 unknown-column", "a.yml:3 no-file", "b.csv:0 no-map"]);
    assert_eq!(diagnostics[0].remedy, "it has: Name");
}

#[test]
fn what_is_built_in_gives_way_to_a_site_kind_by_kind() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), &[("inventory/a.yml", "assets: [{id: ours, kind: bucket, class: weights, owner: me}]\n")]);
    let (catalogue, _) = load(&[Root::Embedded, Root::Dir(folder.path().to_owned())]);
    assert_eq!(catalogue.inventory.get("custody_buckets"), Some(["ours".to_owned()].as_slice()));
    assert_eq!(catalogue.inventory.get("custody_object_arns"), Some(["arn:aws:s3:::ours/".to_owned()].as_slice()));
    assert!(catalogue.things.assets.iter().any(|asset| asset.kind == AssetKind::Role), "roles are still the example's");
}

#[test]
fn what_was_reviewed_too_long_ago_or_never_or_has_ended_is_told() {
    let files = [("inventory/a.yml", ASSETS), ("inventory/b.yml", "new: {owner: me, values: [x]}\n")];
    let (catalogue, _) = loaded(&files);
    let at = |text: &str| -> Vec<String> {
        let told = inventory::lint_ages(&catalogue, Time::parse(text).expect("a time"));
        told.into_iter().map(|one| format!("{} {} {}", name(&one.file), one.code, one.message)).collect()
    };
    let never = "b.yml never-reviewed nobody has reviewed 1 of its entries: new";
    assert_eq!(at("2026-01-20T00:00:00Z"), [never]);
    assert_eq!(at("2026-02-02T00:00:00Z"), ["a.yml stale bucket `scratch` was last reviewed 32 days ago", never]);
    assert!(
        at("2026-07-01T00:00:00Z").contains(&"a.yml ended bucket `scratch` ended 2026-07-01T00:00:00.000Z".to_owned())
    );
    assert_eq!(at("2026-08-01T00:00:00Z").iter().filter(|told| told.contains("a.yml stale")).count(), 6);
}

#[test]
fn the_example_lab_is_whole_and_never_goes_stale() {
    let (catalogue, _) = load(&[Root::Embedded]);
    let late = Time::parse("2099-01-01T00:00:00Z").expect("a time");
    assert_eq!(inventory::lint_ages(&catalogue, late), []);
    assert!(inventory::ages(&catalogue).iter().all(|aged| aged.kept.owner.is_some() && aged.kept.reviewed.is_some()));
}

const UNTIL: &[(&str, &str)] = &[
    (
        "inventory/a.yml",
        "allowed:\n    owner: me\n    values: [arn:ana, {value: 'arn:bo*', until: 2026-03-01, reason: on loan}]\n",
    ),
    (
        "packs/p/r.yml",
        "title: Other Signs In
id: 00000000-0000-4000-8000-000000000a01
status: test
logsource: {product: lab}
detection:
    other: {who|expand|neq: '%allowed%'}
    condition: other
level: low
---
title: Known One Signs In
id: 00000000-0000-4000-8000-000000000a02
status: test
logsource: {product: lab}
detection:
    ours: {who|expand: '%allowed%'}
    condition: ours
level: low
",
    ),
    (
        "sources/lab/source.yml",
        "id: lab
title: Lab
description: d
format: json
logsource: [{product: lab}]
recognise: [{has: [who, at]}]
time: [at]
identity: [id]
ocsf: {class_uid: 6003, class_name: API Activity, category_uid: 6, category_name: Application Activity}
",
    ),
];

/// Titles and terms of what fires on each event, one after the other.
#[derive(Default)]
struct Fired(Vec<String>);

impl engine::Sink for Fired {
    fn rejected(&mut self, raw: &[u8], _: Option<&model::SourceId>, reason: engine::Reject) {
        panic!("{} is rejected: {reason:?}", String::from_utf8_lossy(raw));
    }
    fn evaluated(&mut self, _: &engine::Event<'_>) {}
    fn finding(&mut self, finding: model::Finding, _: &engine::Event<'_>) {
        let seen: Vec<&str> = finding.matched.iter().map(|term| term.value.as_str()).collect();
        self.0.push(format!("{} {}", finding.rule_title, seen.join(",")));
    }
}

#[test]
fn a_value_with_an_end_counts_for_the_events_before_it_whenever_they_are_evaluated() {
    let (catalogue, wrong) = loaded(UNTIL);
    assert!(!wrong.iter().any(Diagnostic::is_error), "{wrong:?}");
    let (engine, wrong) = catalogue.compile(engine::Limits::default());
    assert_eq!(wrong, []);
    let fired = |who: &str, at: &str| {
        let received = Time::parse("2030-01-01T00:00:00Z").expect("a time");
        let given = engine::Given { source: None, received, lane: model::Lane::Replay };
        let mut fired = Fired::default();
        let record = format!(r#"{{"who": "{who}", "at": "{at}", "id": "1"}}"#);
        engine.evaluate(&mut engine.worker(), record.as_bytes(), &given, &mut fired);
        fired.0.join("; ")
    };
    assert_eq!(fired("arn:bob", "2026-03-01T23:59:59Z"), "Known One Signs In arn:bob");
    assert_eq!(fired("arn:bob", "2026-03-02T00:00:00Z"), "Other Signs In arn:bob");
    assert_eq!(fired("arn:ana", "2026-03-02T00:00:00Z"), "Known One Signs In arn:ana");
    assert_eq!(fired("arn:eve", "2026-01-01T00:00:00Z"), "Other Signs In arn:eve");
}

const STOPPED: &str = r#"{"eventVersion": "1.08", "userIdentity": {"type": "IAMUser", "principalId": "AIDAEXAMPLE",
  "arn": "arn:aws:iam::111122223333:user/mailer", "accountId": "111122223333", "userName": "mailer"},
  "eventTime": "2026-11-20T03:12:44Z", "eventSource": "cloudtrail.amazonaws.com", "eventName": "StopLogging",
  "awsRegion": "eu-west-2", "sourceIPAddress": "198.51.100.7", "userAgent": "aws-cli/2.17.0",
  "requestParameters": {"name": "org-trail"}, "responseElements": null, "eventID": "9b0f2f0a-2a34-4c19-8f1b-2b7f3a6f1c55",
  "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": "999988887777"}"#;

#[derive(Default)]
struct Found(Vec<model::Finding>);

impl engine::Sink for Found {
    fn rejected(&mut self, _: &[u8], _: Option<&model::SourceId>, reason: engine::Reject) {
        panic!("rejected: {reason:?}");
    }
    fn evaluated(&mut self, _: &engine::Event<'_>) {}
    fn finding(&mut self, finding: model::Finding, _: &engine::Event<'_>) {
        self.0.push(finding);
    }
}

fn findings(engine: &engine::Engine, received: &str) -> Vec<model::Finding> {
    let received = Time::parse(received).expect("a time");
    let given = engine::Given { source: None, received, lane: model::Lane::Live };
    let mut found = Found::default();
    engine.evaluate(&mut engine.worker(), STOPPED.as_bytes(), &given, &mut found);
    found.0
}

#[test]
fn a_finding_says_what_was_known_of_its_entities_when_it_happened_and_claims_no_more_for_it() {
    let (catalogue, _) = load(&[Root::Embedded]);
    let compiled = || catalogue.compile(engine::Limits::default()).0;
    let now = findings(&compiled(), "2026-11-20T03:13:00Z");
    assert!(!now.is_empty());
    let told: Vec<String> = now[0].context.iter().map(|one| format!("{} {}", one.entity.key, one.summary())).collect();
    assert!(
        told.iter().any(|one| one.starts_with("arn:aws:iam::111122223333:user/mailer role mailer, class mail_sender")),
        "{told:?}"
    );
    assert!(told.iter().any(|one| one == "999988887777 unknown"), "{told:?}");
    assert!(told.iter().any(|one| one.starts_with("111122223333 account 111122223333, class trusted")), "{told:?}");

    let in_a_year = findings(&compiled(), "2027-11-20T03:13:00Z");
    let bare = findings(&compiled().with_context(Default::default()), "2026-11-20T03:13:00Z");
    for ((now, later), bare) in now.iter().zip(&in_a_year).zip(&bare) {
        assert_eq!(now.context, later.context, "the event's time counts, not that of its receipt");
        assert_eq!((&now.finding_id, &now.fold), (&bare.finding_id, &bare.fold));
        let ocsf = engine::ocsf::detection_finding(now);
        assert_eq!(ocsf["enrichments"].as_array().map(Vec::len), Some(now.context.len()));
        assert_eq!(engine::ocsf::Validator::check(&ocsf), []);
    }
    assert_eq!(now.len(), bare.len());
}

/// Prints what the step costs; run with `--ignored --no-capture`.
#[test]
#[ignore = "a measurement"]
fn what_enriching_a_finding_costs() {
    let (catalogue, _) = load(&[Root::Embedded]);
    let context = engine::context::Context::new(catalogue.things.clone(), &catalogue.inventory);
    let mut finding = findings(&catalogue.compile(engine::Limits::default()).0, "2026-11-20T03:13:00Z").remove(0);
    let begun = std::time::Instant::now();
    for _ in 0..10_000 {
        context.enrich(&mut finding);
    }
    eprintln!("{:?} a finding with {} entities", begun.elapsed() / 10_000, finding.entities.len());
}

/// Prints what looking for unknown things costs an event; run with `--ignored --no-capture`.
#[test]
#[ignore = "a measurement"]
fn what_discovery_costs_an_event() {
    // Plain CloudTrail records, one a line.
    let Some(path) = std::env::var_os("WATCHKEEP_RECORDS") else { return };
    let text = std::fs::read_to_string(path).expect("records");
    let (catalogue, _) = load(&[Root::Embedded]);
    let (with, _) = catalogue.compile(engine::Limits::default());
    let nothing = engine::context::Context::default();
    let without = catalogue.compile(engine::Limits::default()).0.with_context(std::sync::Arc::new(nothing));
    let mut best = [std::time::Duration::MAX; 2];
    let mut events = 0;
    let received = Time::parse("2026-11-20T03:13:00Z").expect("a time");
    for _ in 0..12 {
        for (at, engine) in [&without, &with].into_iter().enumerate() {
            let (mut worker, mut seen) = (engine.worker(), Events(0));
            let begun = std::time::Instant::now();
            for line in text.lines() {
                let given = engine::Given { source: None, received, lane: model::Lane::Live };
                engine.evaluate(&mut worker, line.as_bytes(), &given, &mut seen);
            }
            // The best of many: what else the machine does only adds.
            best[at] = best[at].min(begun.elapsed());
            events = seen.0;
        }
    }
    eprintln!("{events} events: {:?} without, {:?} with", best[0] / events, best[1] / events);
}

struct Events(u32);

impl engine::Sink for Events {
    fn rejected(&mut self, _: &[u8], _: Option<&model::SourceId>, _: engine::Reject) {}
    fn evaluated(&mut self, _: &engine::Event<'_>) {
        self.0 += 1;
    }
    fn finding(&mut self, _: model::Finding, _: &engine::Event<'_>) {}
    fn hit(&mut self, _: &engine::sigma::CompiledRule, _: &engine::Event<'_>, _: &mut dyn FnMut() -> model::Finding) {}
}
