//! A finding as an OCSF Detection Finding (class 2004), and as Watchkeep's own wire shape.
//!
//! In: a [`Finding`]. Out: JSON. Source: OCSF schema 1.8.0, `detection_finding`.

use model::{Enrichment, Finding, MatchedTerm, RuleKind};
use serde_json::{Map, Value, json};

use super::{OCSF_VERSION, severity};

/// The finding in Watchkeep's own wire shape (one line of `ndjson`).
pub fn finding_wire(finding: &Finding) -> Value {
    let mut wire = json!({
        "finding_id": finding.finding_id,
        "rule_id": finding.rule_id,
        "rule_title": finding.rule_title,
        "rule_revision": finding.rule_revision,
        "level": finding.level,
        "kind": finding.kind,
        "source": finding.source,
        "event_time": finding.event_time,
        "received": finding.received,
        "event_ids": finding.event_ids,
        "entities": finding.entities_by_kind(),
        "techniques": finding.techniques,
        "message": finding.message,
        "lane": finding.lane,
        "matched": finding.matched,
        "columns": finding.columns,
    });
    if let Some(window) = &finding.window {
        wire["window"] = json!(window);
    }
    if !finding.context.is_empty() {
        wire["context"] = json!(finding.context);
    }
    wire
}

/// The finding as an OCSF Detection Finding.
pub fn detection_finding(finding: &Finding) -> Value {
    let mut event = json!({
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "category_uid": 2,
        "category_name": "Findings",
        "activity_id": 1,
        "activity_name": "Create",
        "type_uid": 200_401,
        "type_name": "Detection Finding: Create",
        "time": finding.event_time.millis(),
        "severity_id": finding.level.ocsf_severity_id(),
        "severity": severity(u32::from(finding.level.ocsf_severity_id())),
        "status_id": 1,
        "status": "New",
        "is_alert": finding.kind == RuleKind::Alert,
        "message": finding.message,
        "metadata": metadata(finding),
        "finding_info": finding_info(finding),
        "evidences": [evidence(finding)],
        "observables": observables(&finding.entities),
        "unmapped": unmapped(finding),
    });
    if let Some(window) = &finding.window {
        event["start_time"] = window.start.millis().into();
        event["end_time"] = window.last_held.millis().into();
        event["count"] = window.event_count.into();
        event["evidences"] = json!([{"name": "window", "data": window}]);
    }
    if !finding.context.is_empty() {
        event["enrichments"] = finding.context.iter().map(enrichment).collect();
    }
    let resources = resources(finding);
    if !resources.is_empty() {
        event["resources"] = Value::Array(resources);
    }
    event
}

/// A fact that stands several times is a list.
fn enrichment(one: &Enrichment) -> Value {
    let mut data = Map::new();
    data.insert("known".into(), one.known.into());
    for fact in &one.facts {
        match data.get_mut(&fact.name) {
            None => {
                data.insert(fact.name.clone(), json!([fact.value]));
            }
            Some(Value::Array(values)) => values.push(json!(fact.value)),
            // An attribute of the site's that is called as a word of ours.
            Some(_) => {}
        }
    }
    json!({
        "name": format!("entities.{}", one.entity.kind),
        "value": one.entity.key,
        "type": one.entity.kind.as_str(),
        "provider": one.provider.as_str(),
        "short_desc": one.summary(),
        "data": data,
    })
}

fn metadata(finding: &Finding) -> Value {
    json!({
        "version": OCSF_VERSION,
        "product": {"name": "Watchkeep", "vendor_name": "Watchkeep"},
        "uid": finding.finding_id,
        "log_name": finding.source,
        "logged_time": finding.received.millis(),
        "labels": [format!("lane:{}", finding.lane)],
    })
}

fn finding_info(finding: &Finding) -> Value {
    let attacks: Vec<Value> = finding.techniques.iter().map(|uid| json!({"technique": {"uid": uid}})).collect();
    json!({
        "uid": finding.finding_id,
        "title": finding.rule_title,
        "desc": finding.message,
        "created_time": finding.event_time.millis(),
        "first_seen_time": finding.event_time.millis(),
        "types": [finding.kind.as_str()],
        "analytic": {
            "uid": finding.rule_id,
            "name": finding.rule_title,
            "version": finding.rule_revision,
            "type_id": 1,
            "type": "Rule",
        },
        "attacks": attacks,
        "data_sources": [finding.source],
        "related_events": finding.event_ids.iter().map(|id| json!({"uid": id})).collect::<Vec<Value>>(),
    })
}

fn evidence(finding: &Finding) -> Value {
    json!({"name": "matched terms", "data": {"matched": finding.matched.iter().map(term).collect::<Vec<Value>>()}})
}

fn term(term: &MatchedTerm) -> Value {
    json!({"search": term.search, "field": term.field, "test": term.test, "value": term.value})
}

/// OCSF observables: addresses are IP addresses (2); the rest are resource identifiers (10).
pub(crate) fn observables(entities: &[model::Entity]) -> Vec<Value> {
    let observable = |entity: &model::Entity| {
        let (type_id, kind) = match entity.kind {
            model::EntityKind::Address => (2, "IP Address"),
            model::EntityKind::Person => (4, "User Name"),
            _ => (10, "Resource UID"),
        };
        json!({"name": format!("entities.{}", entity.kind), "type_id": type_id, "type": kind, "value": entity.key})
    };
    entities.iter().map(observable).collect()
}

fn resources(finding: &Finding) -> Vec<Value> {
    use model::EntityKind::{
        Bucket, Checkpoint, Cluster, Dataset, Endpoint, Host, Job, Key, Model, Repository, Resource, Workload,
    };
    let is_resource = |kind| {
        matches!(
            kind,
            Bucket
                | Checkpoint
                | Cluster
                | Dataset
                | Endpoint
                | Host
                | Job
                | Key
                | Model
                | Repository
                | Resource
                | Workload
        )
    };
    let resource = |entity: &model::Entity| json!({"uid": entity.key, "type": entity.kind.as_str()});
    finding.entities.iter().filter(|entity| is_resource(entity.kind)).map(resource).collect()
}

fn unmapped(finding: &Finding) -> Value {
    let mut map = Map::new();
    map.insert("lane".into(), json!(finding.lane));
    map.insert("fold".into(), json!({"by": finding.fold.by, "window_ms": finding.fold.window_ms}));
    map.insert("columns".into(), json!(finding.columns));
    Value::Object(map)
}
