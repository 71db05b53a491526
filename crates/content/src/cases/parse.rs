//! Reads a `<rule>.test.yml`.

use std::collections::BTreeMap;

use model::{Diagnostic, Reject, SourceId, Time};

use super::{Case, CaseKind, Expectation, RuleCases};
use crate::catalogue::stem;
use crate::yaml::{Map, texts};
use engine::yaml::Node;

const CASE_KEYS: [&str; 9] = ["name", "kind", "source", "received", "inventory", "record", "records", "raw", "expect"];

/// Reads one file of tests; a case that cannot be used is reported and left out, the others stay.
pub(crate) fn parse(file: &str, text: &str) -> (Option<RuleCases>, Vec<Diagnostic>) {
    let (documents, mut wrong) = engine::yaml::parse(text);
    let Some(root) = documents.first().map(|document| &document.root) else {
        if wrong.is_empty() {
            wrong.push(Diagnostic::error(0, 0, "empty", "the file holds no cases", "write `rule:` and `cases:`"));
        }
        return (None, wrong);
    };
    let Some(map) = Map::of(root, "the file", &mut wrong) else { return (None, wrong) };
    map.refuse_unknown(&["rule", "cases"], &mut wrong);
    let rule = map.text("rule", &mut wrong).unwrap_or_else(|| stem(file).to_owned());
    let mut cases = Vec::new();
    match map.get("cases").and_then(Node::as_list) {
        Some(items) => cases.extend(items.iter().filter_map(|item| parse_case(item, &mut wrong))),
        None => wrong.push(map.error(
            "missing-key",
            "the file has no list of `cases`",
            "add `cases:` with one case at least",
        )),
    }
    (Some(RuleCases { file: file.to_owned(), rule, cases }), wrong)
}

fn parse_case(node: &Node<'_>, wrong: &mut Vec<Diagnostic>) -> Option<Case> {
    let map = Map::of(node, "a case", wrong)?;
    map.refuse_unknown(&CASE_KEYS, wrong);
    let name = map.required_text("name", wrong);
    let kind = map.required_text("kind", wrong).and_then(|word| {
        let kind = CaseKind::parse(&word);
        if kind.is_none() {
            let words: Vec<&str> = CaseKind::ALL.iter().map(|kind| kind.as_str()).collect();
            wrong.push(map.error_at(
                "kind",
                "bad-value",
                format!("`{word}` is no kind of case"),
                format!("write one of {}", words.join(", ")),
            ));
        }
        kind
    });
    let received = map.text("received", wrong).and_then(|text| match Time::parse(&text) {
        Ok(time) => Some(time),
        Err(error) => {
            wrong.push(map.error_at(
                "received",
                "bad-value",
                error.to_string(),
                "write a time such as 2026-01-31T10:00:00Z",
            ));
            None
        }
    });
    let records = parse_records(&map, wrong);
    let (name, kind) = (name?, kind?);
    let source = map.text("source", wrong).filter(|source| source != "auto");
    Some(Case {
        name,
        kind,
        source: source.map(|source| SourceId::new(source.as_str())),
        received,
        inventory: parse_inventory(&map, wrong),
        records: records?,
        expect: parse_expectation(&map, kind, wrong)?,
        line: map.line(),
    })
}

/// The raw records of `record`, `records` or `raw`: exactly one of them.
fn parse_records(map: &Map<'_>, wrong: &mut Vec<Diagnostic>) -> Option<Vec<String>> {
    let given: Vec<&str> = ["record", "records", "raw"].into_iter().filter(|key| map.get(key).is_some()).collect();
    let [key] = given[..] else {
        let message = if given.is_empty() {
            "the case has no record".to_owned()
        } else {
            format!("the case has {}", given.join(" and "))
        };
        wrong.push(map.error("bad-case", message, "give exactly one of `record`, `records` and `raw`"));
        return None;
    };
    let node = map.get(key)?;
    match key {
        "record" => Some(vec![node.to_json().to_string()]),
        "raw" => match node.as_list() {
            None => Some(vec![map.text("raw", wrong)?]),
            Some(lines) => Some(lines.iter().filter_map(Node::as_str).map(str::to_owned).collect()),
        },
        _ => match node.as_list() {
            Some(items) if !items.is_empty() => Some(items.iter().map(record_text).collect()),
            _ => {
                wrong.push(map.error_at(
                    key,
                    "wrong-type",
                    "`records` is not a list of records".to_owned(),
                    "write a list",
                ));
                None
            }
        },
    }
}

/// An element of `records`: text stays as it is, anything else is written as JSON.
fn record_text(node: &Node<'_>) -> String {
    node.as_str().map_or_else(|| node.to_json().to_string(), str::to_owned)
}

fn parse_inventory(map: &Map<'_>, wrong: &mut Vec<Diagnostic>) -> BTreeMap<String, Vec<String>> {
    let Some(node) = map.get("inventory") else { return BTreeMap::new() };
    let Some(lists) = Map::of(node, "`inventory`", wrong) else { return BTreeMap::new() };
    lists.entries().map(|(name, values)| (name.to_owned(), texts(values))).collect()
}

fn parse_expectation(map: &Map<'_>, kind: CaseKind, wrong: &mut Vec<Diagnostic>) -> Option<Expectation> {
    let default = match kind {
        CaseKind::Hit | CaseKind::Late => Expectation::Findings { least: 1, most: u64::MAX },
        CaseKind::Benign | CaseKind::NearMiss | CaseKind::Evasion => Expectation::Findings { least: 0, most: 0 },
        CaseKind::Malformed => Expectation::Rejected(None),
    };
    let Some(node) = map.get("expect") else { return Some(default) };
    let expect = Map::of(node, "`expect`", wrong)?;
    expect.refuse_unknown(&["findings", "reject"], wrong);
    if let Some(label) = expect.text("reject", wrong) {
        let reason = Reject::parse(&label);
        if reason.is_none() {
            let words: Vec<&str> = Reject::ALL.iter().map(|reason| reason.as_str()).collect();
            let remedy = format!("write one of {}", words.join(", "));
            wrong.push(expect.error_at("reject", "bad-value", format!("`{label}` is no reason"), remedy));
        }
        return reason.map(|reason| Expectation::Rejected(Some(reason)));
    }
    let Some(findings) = expect.get("findings") else { return Some(default) };
    let Some(count) = findings.as_str().and_then(|text| text.parse().ok()) else {
        wrong.push(expect.error_at(
            "findings",
            "bad-value",
            "`findings` is no whole number".to_owned(),
            "write how many, such as 1",
        ));
        return None;
    };
    Some(Expectation::Findings { least: count, most: count })
}
