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
