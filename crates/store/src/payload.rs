//! What receivers are told: the wire shape of the outbox.
//!
//! Version 1: `{"type", "timestamp", "data": {"version", "alert", "findings", "link", "trimmed"?}}`. Thin: at most [`BYTES_MAX`]; what does not fit is
//! left out, gravest last, and `trimmed` says so. The link leads to the whole.

use engine::ocsf::finding_wire;
use model::{Alert, Finding, Time};
use serde_json::{Value, json};

/// Bytes of one message at most.
pub(crate) const BYTES_MAX: usize = 20_000;

/// The message of type `kind` about `alert` at `now`; `finding` is the one that opened it.
pub(crate) fn message(kind: &str, alert: &Alert, finding: Option<&Finding>, now: Time) -> String {
    let mut message = json!({
        "type": kind,
        "timestamp": now,
        "data": {
            "version": 1,
            "alert": alert,
            "findings": finding.map(finding_wire).into_iter().collect::<Vec<Value>>(),
            "link": format!("/alerts/{}", alert.alert_id),
        },
    });
    let mut text = message.to_string();
    for trim in [trim_context, trim_matched, trim_columns, trim_lists, trim_findings, trim_texts] {
        if text.len() <= BYTES_MAX {
            break;
        }
        trim(&mut message);
        message["data"]["trimmed"] = Value::Bool(true);
        text = message.to_string();
    }
    text
}

fn each_finding(message: &mut Value, edit: impl Fn(&mut Value)) {
    message["data"]["findings"].as_array_mut().into_iter().flatten().for_each(edit);
}

fn trim_context(message: &mut Value) {
    each_finding(message, |finding| {
        finding.as_object_mut().and_then(|finding| finding.remove("context"));
    });
}

fn trim_matched(message: &mut Value) {
    each_finding(message, |finding| finding["matched"] = json!([]));
}

fn trim_columns(message: &mut Value) {
    each_finding(message, |finding| finding["columns"] = json!({}));
}

fn trim_lists(message: &mut Value) {
    each_finding(message, |finding| {
        finding["event_ids"].as_array_mut().into_iter().for_each(|ids| ids.truncate(16));
        finding["entities"] = json!({});
    });
    let alert = &mut message["data"]["alert"];
    for list in ["entities", "techniques"] {
        alert[list].as_array_mut().into_iter().for_each(|list| list.truncate(16));
    }
}

fn trim_findings(message: &mut Value) {
    message["data"]["findings"] = json!([]);
}

/// The last resort: every text is cut, so that what remains is sure to fit.
fn trim_texts(message: &mut Value) {
    cut_texts(&mut message["data"]["alert"], 160);
}

fn cut_texts(value: &mut Value, chars_max: usize) {
    match value {
        Value::String(text) => *text = text.chars().take(chars_max).collect(),
        Value::Array(items) => items.iter_mut().for_each(|item| cut_texts(item, chars_max)),
        Value::Object(map) => map.values_mut().for_each(|item| cut_texts(item, chars_max)),
        _ => {}
    }
}
