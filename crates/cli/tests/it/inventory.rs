use crate::platform::Platform;
use crate::ran::{folder, watchkeep};

const SITE: &str = "
assets:
    - {id: ours, kind: bucket, class: weights, names: ['ours-*'], owner: custody, reviewed: 2020-01-01}
    - {id: nobodys, kind: key, reviewed: 2020-01-01, review_every: never}
changes:
    - {id: CHG-1, summary: move, covers: [ours], from: 2026-01-05, until: 2026-01-05}
";

fn site() -> tempfile::TempDir {
    let site = folder();
    std::fs::create_dir_all(site.path().join("site/inventory")).expect("a folder");
    std::fs::write(site.path().join("site/inventory/a.yml"), SITE).expect("a file");
    std::fs::write(site.path().join("watchkeep.toml"), "[content]\nroots = [\"site\"]\n").expect("a file");
    site
}

#[test]
fn the_inventory_is_listed_with_owner_and_age() {
    let site = site();
    let rows = watchkeep(site.path(), &["inventory"]).ended(0).lines();
    let ours = rows.iter().find(|row| row["name"] == "ours").expect("listed");
    assert_eq!(
        (&ours["what"], &ours["owner"], &ours["reviewed"]),
        (&"bucket".into(), &"custody".into(), &"2020-01-01".into())
    );
    let buckets = rows.iter().find(|row| row["name"] == "custody_buckets").expect("listed");
    assert_eq!(buckets["values"], 1, "the site's bucket takes the place of the example's");
    let table = watchkeep(site.path(), &["inventory", "--format", "table"]).ended(0).out;
    assert!(table.lines().next().is_some_and(|header| header.contains("OWNER")), "{table}");
}

#[test]
fn what_is_stale_or_ownerless_is_told_and_ends_with_1() {
    let ran = watchkeep(site().path(), &["inventory", "stale"]).ended(1).lines();
    let told: Vec<String> = ran.iter().map(|row| format!("{} {}", row["code"], row["line"])).collect();
    assert_eq!(told, ["\"stale\" 3", "\"no-owner\" 4"]);
    watchkeep(folder().path(), &["inventory", "stale"]).ended(0);
    let ran = watchkeep(site().path(), &["check", "--format", "ndjson"]).ended(0).lines();
    assert!(ran.iter().any(|row| row["code"] == "stale"), "{ran:?}");
}

#[test]
fn one_thing_is_shown_as_of_a_time() {
    let site = site();
    let at = |at: &str| watchkeep(site.path(), &["inventory", "show", "ours-eu", "--at", at]).ended(0).out;
    assert!(at("2026-01-05T12:00:00Z").contains("CHG-1: move"));
    assert!(!at("2026-01-06T00:00:00Z").contains("CHG-1"));
    let list = watchkeep(site.path(), &["inventory", "show", "custody_buckets", "--format", "table"]).ended(0).out;
    assert!(list.contains("- ours-*"), "{list}");
    let ran = watchkeep(site.path(), &["inventory", "show", "no-such-thing"]).ended(2);
    assert!(ran.err.contains("no-such-thing"), "{}", ran.err);
}

const READS: &str = r#"{"eventVersion":"1.09","eventID":"d-1","eventTime":"2026-01-05T09:00:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-west-2","sourceIPAddress":"203.0.113.9","userAgent":"x","eventType":"AwsApiCall","recipientAccountId":"111122223333","requestParameters":{"bucketName":"ours-eu","key":"a"},"userIdentity":{"type":"AWSService","invokedBy":"s3.amazonaws.com"}}
{"eventVersion":"1.09","eventID":"d-2","eventTime":"2026-01-05T10:00:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-west-2","sourceIPAddress":"203.0.113.9","userAgent":"x","eventType":"AwsApiCall","recipientAccountId":"111122223333","requestParameters":{"bucketName":"stranger","key":"a"},"userIdentity":{"type":"AWSService","invokedBy":"s3.amazonaws.com"}}
"#;

#[test]
fn files_show_what_the_inventory_does_not_know_and_what_is_pasted_is_refused_until_it_has_an_owner() {
    let site = site();
    std::fs::write(site.path().join("reads.ndjson"), READS).expect("a file");
    let rows = watchkeep(site.path(), &["inventory", "discover", "reads.ndjson"]).ended(0).lines();
    let buckets: Vec<_> = rows.iter().filter(|row| row["kind"] == "bucket").collect();
    assert_eq!(buckets.len(), 1, "{rows:?}");
    assert_eq!((&buckets[0]["name"], &buckets[0]["first"]), (&"stranger".into(), &"2026-01-05T10:00:00.000Z".into()));
    let yaml = watchkeep(site.path(), &["inventory", "discover", "reads.ndjson", "--format", "yaml"]).ended(0).out;
    let new = site.path().join("site/inventory/new.yml");
    std::fs::write(&new, &yaml).expect("a file");
    let ran = watchkeep(site.path(), &["check", "--format", "ndjson"]).ended(1).lines();
    assert!(ran.iter().any(|row| row["code"] == "empty-owner"), "{ran:?}");
    std::fs::write(&new, yaml.replace("owner:\n", "owner: storage\n")).expect("a file");
    watchkeep(site.path(), &["check"]).ended(0);
    let rows = watchkeep(site.path(), &["inventory", "discover", "reads.ndjson"]).ended(0).lines();
    assert!(rows.is_empty(), "{rows:?}");
    let scanned = watchkeep(site.path(), &["scan", "reads.ndjson"]);
    assert!(!scanned.err.contains("inventory:"), "{}", scanned.err);
    std::fs::remove_file(new).expect("there");
    let scanned = watchkeep(site.path(), &["scan", "reads.ndjson"]);
    assert!(scanned.err.contains("of kinds that it keeps are not in it"), "{}", scanned.err);
}

#[test]
fn a_running_platform_keeps_what_it_saw_until_somebody_dismisses_it() {
    let folder = folder();
    let platform = Platform::start(folder.path(), "");
    assert!(platform.push(READS.as_bytes()).starts_with("HTTP/1.1 2"), "{}", platform.log());
    let proposed = |platform: &Platform| {
        let rows = platform.watchkeep(&["inventory", "proposals"]).ended(0).lines();
        rows.iter().filter(|row| row["kind"] == "bucket").map(|row| row["name"].to_string()).collect::<Vec<_>>()
    };
    let names = platform.wait("proposals", |platform| Some(proposed(platform)).filter(|names| names.len() == 2));
    assert_eq!(names, ["\"ours-eu\"", "\"stranger\""]);
    let yaml = platform.watchkeep(&["inventory", "proposals", "--format", "yaml"]).ended(0).out;
    assert!(yaml.contains("- id: 'stranger'\n      kind: bucket\n"), "{yaml}");
    let dismiss = ["inventory", "proposals", "dismiss", "bucket", "stranger", "--reason", "a vendor's"];
    platform.watchkeep(&dismiss).ended(0);
    assert_eq!(proposed(&platform), ["\"ours-eu\""]);
    let ran = platform.watchkeep(&dismiss).ended(2);
    assert!(ran.err.contains("no open proposal"), "{}", ran.err);
    let all = platform.watchkeep(&["inventory", "proposals", "--all"]).ended(0).lines();
    assert!(all.iter().any(|row| row["reason"] == "a vendor's" && row["dismissed_by"] == "tester"), "{all:?}");
}
