use crate::ran::{folder, watchkeep};

#[test]
fn the_shipped_sources_are_listed() {
    let rows = watchkeep(folder().path(), &["sources"]).ended(0).lines();
    let ids: Vec<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
    let shipped = [
        "aws_cloudtrail",
        "aws_guardduty",
        "aws_s3_access_log",
        "kubernetes_audit",
        "aws_bedrock_invocation",
        "windows_event",
    ];
    for id in shipped {
        assert!(ids.contains(&id), "{id} is not among {ids:?}");
    }
    let table = watchkeep(folder().path(), &["sources", "list", "--format", "table"]).ended(0).out;
    assert!(table.lines().next().is_some_and(|header| header.contains("OCSF CLASS")), "{table}");
}

#[test]
fn a_source_is_described() {
    let shown = watchkeep(folder().path(), &["sources", "describe", "aws_cloudtrail"]).ended(0).json();
    assert_eq!(shown["ocsf"]["class_uid"], 6003);
    assert!(shown["rules"].as_u64() > Some(20), "{shown}");
    let text = watchkeep(folder().path(), &["sources", "describe", "aws_cloudtrail", "--format", "table"]).ended(0).out;
    for part in ["AWS CloudTrail", "columns", "entities", "how to switch it on", "blind spots"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let ran = watchkeep(folder().path(), &["sources", "describe", "aws_cloudtrial"]).ended(2);
    assert!(ran.err.contains("aws_cloudtrail"), "{}", ran.err);
}

#[test]
fn health_needs_a_data_folder() {
    let ran = watchkeep(folder().path(), &["sources", "health"]).ended(3);
    assert!(ran.err.contains("watchkeep run"), "{}", ran.err);
}
