//! What was said to models, where a site keeps it: from the wire to a person who gives a reason.

use serde_json::Value;

use crate::platform::Platform;
use crate::ran::watchkeep;

const KEEP: &str = "[[keep]]\nsource = \"aws_bedrock_invocation\"\nfor = \"30d\"\n";

#[test]
fn a_prompt_that_is_kept_is_shown_to_whoever_says_why_and_the_audit_log_has_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let platform = Platform::start(folder.path(), KEEP);
    let said = r#"{"schemaType":"ModelInvocationLog","schemaVersion":"1.0","timestamp":"2026-11-22T10:00:00Z","accountId":"111122223333","region":"eu-west-2","requestId":"r-1","operation":"Converse","modelId":"anthropic.claude-3-haiku-20240307-v1:0","identity":{"arn":"arn:aws:sts::111122223333:assumed-role/app/i-1"},"input":{"inputContentType":"application/json","inputTokenCount":5,"inputBodyJson":{"messages":[{"role":"user","content":[{"text":"how much is \u001b[31mthe fish"}]}]}}}"#;
    assert!(platform.push(said.as_bytes()).contains("200"));
    let days: Value = platform.wait("the value", |platform| {
        let days = platform.watchkeep(&["content", "list", "--format", "json"]).ended(0).json();
        days.as_array().is_some_and(|days| !days.is_empty()).then_some(days)
    });
    platform.terminate();
    assert_eq!(days[0]["source"], "aws_bedrock_invocation");
    let day = days[0]["day"].as_str().expect("a day").to_owned();
    let file = folder.path().join("data/content/aws_bedrock_invocation").join(format!("{day}.sqlite"));
    let db = rusqlite::Connection::open(file).expect("a database");
    let digest: String =
        db.query_row("SELECT digest FROM content WHERE text LIKE '%fish%'", [], |row| row.get(0)).expect("it is kept");

    let nameless = watchkeep(folder.path(), &["content", "show", &digest]).ended(2);
    assert!(nameless.err.contains("--reason"), "{}", nameless.err);
    watchkeep(folder.path(), &["content", "show", &digest, "--reason", " "]).ended(2);
    let shown =
        watchkeep(folder.path(), &["content", "show", &digest[..16], "--reason", "case 7", "--as", "ana"]).ended(0);
    assert!(shown.out.contains("the fish") && !shown.out.contains('\u{1b}'), "{:?}", shown.out);
    let unknown = watchkeep(folder.path(), &["content", "show", "0123456789abcdef", "--reason", "case 7"]).ended(2);
    assert!(unknown.err.contains("its time is over"), "{}", unknown.err);

    let store = rusqlite::Connection::open(folder.path().join("data/state.db")).expect("the store");
    let acts: Vec<(String, String, String)> = store
        .prepare("SELECT who, subject, detail FROM audit WHERE action = 'content.shown'")
        .and_then(|mut select| select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect())
        .expect("the audit log is read");
    assert_eq!(acts, [("ana".to_owned(), digest, r#"{"why":"case 7"}"#.to_owned())]);
}

#[test]
fn a_source_that_cannot_be_kept_is_told_before_anything_starts() {
    for (source, told) in [("no_such", "no such source is loaded"), ("aws_vpc_flow_log", "calls nothing sensitive")] {
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!("data_dir = \"data\"\n[[keep]]\nsource = \"{source}\"\nfor = \"1d\"\n");
        std::fs::write(folder.path().join("watchkeep.toml"), text).expect("written");
        let ran = watchkeep(folder.path(), &["run"]).ended(2);
        assert!(ran.err.contains(told), "{}", ran.err);
    }
}
