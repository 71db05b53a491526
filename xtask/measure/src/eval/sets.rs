//! The labelled sets, each as cases of one or more records in their original form.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::data::Data;

/// What a case is said to be by those who made the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// An attack: a finding is wanted.
    Attack,
    /// Ordinary work: a finding is noise.
    Benign,
    /// Neither is claimed: decoding alone is scored.
    Unlabelled,
}

/// Records that belong together: one finding on any of them finds the case.
pub struct Case {
    /// Its name in the set.
    pub id: String,
    /// What it is.
    pub label: Label,
    /// The source, where the set says so.
    pub source: Option<&'static str>,
    /// The records, as a source would send them.
    pub records: Vec<String>,
}

/// One labelled set.
pub struct Set {
    /// Its name.
    pub name: &'static str,
    /// What a case is, in the plural.
    pub unit: &'static str,
    /// The cases.
    pub cases: Vec<Case>,
}

const CLOUDTRAIL: Option<&str> = Some("aws_cloudtrail");

/// Every set.
pub fn all(data: &Data) -> anyhow::Result<Vec<Set>> {
    let mut sets = vec![stratus(data)?, invictus(data)?, otrf(data)?];
    sets.extend(panther(data)?);
    sets.extend([falco(data)?, bedrock(data)?, traildiscover(data)?, generated(data)?]);
    Ok(sets)
}

fn case(row: &Value, label: Label, source: Option<&'static str>, records: Vec<String>) -> Case {
    Case { id: text(row, "id").to_owned(), label, source, records }
}

fn stratus(data: &Data) -> anyhow::Result<Set> {
    let rows = data.rows("labelled/stratus.jsonl")?;
    let cases = rows.iter().map(|row| case(row, Label::Attack, CLOUDTRAIL, events(row))).collect();
    Ok(Set { name: "Stratus Red Team", unit: "techniques", cases })
}

/// Attacks are grouped by technique, as the lab detonated them; everything else is one record a case.
fn invictus(data: &Data) -> anyhow::Result<Set> {
    let mut attacks: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut cases = Vec::new();
    for row in data.rows("labelled/invictus.jsonl.gz")? {
        match text(&row, "label") {
            "attack" => attacks.entry(text(&row, "technique_id").to_owned()).or_default().push(event(&row)),
            "benign" => cases.push(case(&row, Label::Benign, CLOUDTRAIL, vec![event(&row)])),
            // Lab set-up by the attack tool and enumeration by a scanner: the authors claim neither.
            _ => cases.push(case(&row, Label::Unlabelled, CLOUDTRAIL, vec![event(&row)])),
        }
    }
    let found = attacks.into_iter().map(|(id, records)| Case { id, label: Label::Attack, source: CLOUDTRAIL, records });
    cases.extend(found);
    Ok(Set { name: "Invictus lab day", unit: "techniques; benign records", cases })
}

fn otrf(data: &Data) -> anyhow::Result<Set> {
    let rows = data.rows("labelled/otrf_ec2_proxy_s3_exfil.jsonl")?;
    let label = |row: &Value| if text(row, "label") == "attack" { Label::Attack } else { Label::Benign };
    let cases = rows.iter().map(|row| case(row, label(row), CLOUDTRAIL, vec![event(row)])).collect();
    Ok(Set { name: "OTRF EC2 proxy, S3 exfiltration", unit: "records", cases })
}

/// Panther's unit tests of its own rules: true means that a rule of theirs fires, not that it is an attack.
fn panther(data: &Data) -> anyhow::Result<Vec<Set>> {
    let feeds: [(&str, &'static str, &'static str); 5] = [
        ("AWS.CloudTrail", "Panther CloudTrail cases", "aws_cloudtrail"),
        ("AWS.GuardDuty", "Panther GuardDuty cases", "aws_guardduty"),
        ("AWS.S3ServerAccess", "Panther S3 access cases", "aws_s3_access_log"),
        ("Amazon.EKS.Audit", "Panther EKS cases", "kubernetes_audit"),
        ("AWS.BedrockModelInvocation", "Panther Bedrock cases", "aws_bedrock_invocation"),
    ];
    let rows = data.rows("labelled/panther_tests.jsonl")?;
    let is_rule = |row: &&Value| text(row, "analysis_type") == "rule" && row["event"].is_object();
    let mut sets = Vec::new();
    for (log_type, name, source) in feeds {
        let mine =
            rows.iter().filter(is_rule).filter(|row| text(row, "log_type") == log_type && is_of_feed(row, log_type));
        let cases = mine.map(|row| {
            let label = if row["expected"] == true { Label::Attack } else { Label::Benign };
            let id = text(row, "rule_id").to_owned();
            Case { id, label, source: Some(source), records: vec![event(row)] }
        });
        sets.push(Set { name, unit: "cases", cases: cases.collect() });
    }
    Ok(sets)
}

/// A rule for several feeds is filed under one of them; the record itself says which it is of.
fn is_of_feed(row: &Value, log_type: &str) -> bool {
    matches!(text(&row["event"], "p_log_type"), own if own.is_empty() || own == log_type)
}

fn falco(data: &Data) -> anyhow::Result<Set> {
    let rows = data.rows("labelled/falco_k8s_audit.jsonl")?;
    let label = |row: &Value| if row["expected_detect"] == true { Label::Attack } else { Label::Benign };
    let cases = rows.iter().map(|row| case(row, label(row), Some("kubernetes_audit"), events(row))).collect();
    Ok(Set { name: "Falco Kubernetes audit", unit: "tests", cases })
}

/// Made by Splunk to show attacks, but the origin labels whole files, and some rows are the traffic around the attack.
fn bedrock(data: &Data) -> anyhow::Result<Set> {
    let label = |row: &Value| match text(row, "dataset_label") {
        "unusually_large_prompts" => Label::Unlabelled,
        own if own.ends_with(":False") => Label::Benign,
        _ => Label::Attack,
    };
    let rows = data.rows("labelled/bedrock_invocation.jsonl")?;
    let cases = rows.iter().map(|row| case(row, label(row), Some("aws_bedrock_invocation"), vec![event(row)]));
    Ok(Set { name: "Bedrock invocation", unit: "records", cases: cases.collect() })
}

fn traildiscover(data: &Data) -> anyhow::Result<Set> {
    let rows = data.rows("labelled/traildiscover.jsonl")?;
    let with_record = rows.iter().filter(|row| !events(row).is_empty());
    let cases = with_record.map(|row| case(row, Label::Unlabelled, CLOUDTRAIL, events(row))).collect();
    Ok(Set { name: "TrailDiscover", unit: "API calls", cases })
}

fn generated(data: &Data) -> anyhow::Result<Set> {
    let labels: BTreeMap<String, String> = data
        .rows("generated_sample.labels.jsonl")?
        .iter()
        .map(|row| (text(row, "eventID").to_owned(), text(row, "instance_id").to_owned()))
        .collect();
    let mut attacks: BTreeMap<&String, Vec<String>> = BTreeMap::new();
    let mut cases = Vec::new();
    for row in data.rows("generated_sample.ndjson.gz")? {
        match labels.get(text(&row, "eventID")) {
            Some(instance) => attacks.entry(instance).or_default().push(row.to_string()),
            None => {
                let id = text(&row, "eventID").to_owned();
                cases.push(Case { id, label: Label::Benign, source: CLOUDTRAIL, records: vec![row.to_string()] });
            }
        }
    }
    cases.extend(attacks.into_iter().map(|(id, records)| Case {
        id: id.clone(),
        label: Label::Attack,
        source: CLOUDTRAIL,
        records,
    }));
    Ok(Set { name: "Generated lab traffic", unit: "attack instances; benign records", cases })
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_default()
}

fn event(row: &Value) -> String {
    row["event"].to_string()
}

fn events(row: &Value) -> Vec<String> {
    row["events"].as_array().into_iter().flatten().map(Value::to_string).collect()
}
