use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Enrichment, Entity, EntityKind, Time};

use super::{Asset, AssetKind, Change, Context, Kept, OnCall, Things};
use crate::sigma::Inventory;

fn time(text: &str) -> Time {
    Time::parse(text).expect("a time")
}

pub(super) fn asset(kind: AssetKind, id: &str, names: &[&str]) -> Asset {
    let kept = Kept {
        owner: Some("custody".into()),
        reviewed: Some(time("2026-01-01T00:00:00Z")),
        review_every_ms: Some(30 * 86_400_000),
        ..Kept::default()
    };
    Asset {
        id: id.into(),
        kind,
        classes: vec!["weights".into()],
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        description: None,
        attributes: BTreeMap::new(),
        until: None,
        kept,
    }
}

fn context() -> Context {
    let loan =
        Asset { until: Some(time("2026-01-10T00:00:00Z")), ..asset(AssetKind::Role, "loan", &["arn:role/loan"]) };
    let change = Change {
        id: "CHG-1".into(),
        summary: "rotate".into(),
        covers: vec!["weights".into()],
        by: Some("kim".into()),
        from: time("2026-01-05T08:00:00Z"),
        until: time("2026-01-05T12:00:00Z"),
        kept: Kept::default(),
    };
    let turn = OnCall {
        owner: "custody".into(),
        who: "ana".into(),
        from: Some(time("2026-01-05T00:00:00Z")),
        until: Some(time("2026-01-06T00:00:00Z")),
        kept: Kept::default(),
    };
    let assets = vec![
        asset(AssetKind::Bucket, "weights", &["lab-weights", "lab-weights-*"]),
        loan,
        asset(AssetKind::Network, "office", &["192.0.2.0/24", "2001:db8::1"]),
    ];
    let mut inventory = Inventory::new();
    inventory.insert("guests", vec!["arn:role/g*".into()]);
    inventory.set_end("guests", "arn:role/g*", time("2026-02-01T00:00:00Z"));
    inventory.insert("offices", vec!["192.0.2.0/25".into()]);
    Context::new(Arc::new(Things { assets, changes: vec![change], on_call: vec![turn] }), &inventory)
}

fn known(kind: EntityKind, key: &str, at: &str) -> Option<String> {
    let entity = Entity { kind, key: key.into() };
    context().of(&entity, time(at)).map(|one| one.summary())
}

#[test]
fn an_asset_is_told_with_class_owner_and_who_was_on_call_at_the_time_of_the_event() {
    let told = known(EntityKind::Bucket, "LAB-weights-eu", "2026-01-05T09:00:00Z").expect("known");
    assert_eq!(
        told,
        "bucket weights, class weights, owner custody, on_call ana, reviewed 2026-01-01, change CHG-1: rotate by kim, until 2026-01-05T12:00:00.000Z"
    );
    let later = known(EntityKind::Bucket, "lab-weights", "2026-01-05T12:00:00Z").expect("known");
    assert!(later.contains("on_call") && !later.contains("CHG-1"), "{later}");
    let stale = known(EntityKind::Bucket, "lab-weights", "2026-02-03T00:00:00Z").expect("known");
    assert!(stale.ends_with("stale its review was 33 days old") && !stale.contains("on_call"), "{stale}");
}

#[test]
fn what_is_seen_of_a_kind_that_the_inventory_keeps_and_is_not_in_it_is_unknown() {
    assert_eq!(known(EntityKind::Bucket, "other", "2026-01-05T09:00:00Z").as_deref(), Some("unknown"));
    assert_eq!(known(EntityKind::Cluster, "other", "2026-01-05T09:00:00Z"), None, "it keeps no clusters");
    assert_eq!(known(EntityKind::Job, "lab-weights", "2026-01-05T09:00:00Z"), None, "a job is no bucket");
}

#[test]
fn what_has_ended_by_the_time_of_the_event_is_not_known() {
    assert!(
        known(EntityKind::Principal, "arn:role/loan", "2026-01-09T23:00:00Z")
            .is_some_and(|told| told.starts_with("role loan"))
    );
    assert_eq!(known(EntityKind::Principal, "arn:role/loan", "2026-01-10T00:00:00Z").as_deref(), Some("unknown"));
    assert_eq!(known(EntityKind::Principal, "arn:role/guest", "2026-01-31T00:00:00Z").as_deref(), Some("list guests"));
    assert_eq!(known(EntityKind::Principal, "arn:role/guest", "2026-02-01T00:00:00Z").as_deref(), Some("unknown"));
}

#[test]
fn addresses_are_looked_for_in_blocks() {
    let told = known(EntityKind::Address, "192.0.2.7", "2026-01-05T09:00:00Z").expect("known");
    assert!(told.starts_with("network office") && told.ends_with("list offices"), "{told}");
    assert!(known(EntityKind::Address, "2001:db8::1", "2026-01-05T09:00:00Z").is_some());
    assert_eq!(known(EntityKind::Address, "198.51.100.1", "2026-01-05T09:00:00Z"), None);
}

#[test]
fn a_finding_of_before_there_was_context_still_reads() {
    let entity = Entity { kind: EntityKind::Bucket, key: "b".into() };
    let one = context().of(&entity, time("2026-01-05T09:00:00Z")).expect("unknown");
    let text = serde_json::to_string(&one).expect("JSON");
    assert_eq!(serde_json::from_str::<Enrichment>(&text).expect("the same"), one);
}
