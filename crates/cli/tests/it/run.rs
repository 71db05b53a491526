use serde_json::Value;

use crate::platform::Platform;
use crate::ran::{fixture, folder, watchkeep};

fn trail() -> Vec<u8> {
    std::fs::read(fixture("trail.ndjson")).expect("there")
}

/// The open alerts, once there are so many.
fn alerts(platform: &Platform, n: usize) -> Vec<Value> {
    let rule = "0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0a01";
    platform.wait("alerts", |platform| {
        let rows = platform.watchkeep(&["alert", "list", "--rule", rule]).ended(0).lines();
        (rows.len() >= n).then_some(rows)
    })
}

#[test]
fn from_a_record_to_a_verdict() {
    let folder = folder();
    let platform = Platform::start(folder.path(), "");
    assert!(platform.get("/healthz").starts_with("HTTP/1.1 200"), "{}", platform.log());
    assert!(platform.push(&trail()).starts_with("HTTP/1.1 2"), "{}", platform.log());
    let open = alerts(&platform, 1);
    let id = open[0]["alert_id"].as_str().expect("an id");
    let detail = platform.watchkeep(&["alert", "show", &id[..8]]).ended(0).json();
    assert_eq!(detail["alert"]["title"], "Root Signs In");
    assert!(detail["evidence"][0]["raw"].as_str().is_some_and(|raw| raw.contains("ConsoleLogin")), "{detail}");
    let text = platform.watchkeep(&["alert", "show", id, "--format", "table"]).ended(0).out;
    for part in ["Root Signs In", "what held", "history", "raw record", "acknowledged   not yet"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let close = ["alert", "close", id, "--verdict", "benign_sanctioned", "--reason", "break glass", "--as", "ben"];
    let ran = platform.watchkeep(&close).ended(2);
    assert!(ran.err.contains("before someone acknowledges it"), "{}", ran.err);
    let moved = platform.watchkeep(&["alert", "acknowledge", &id[..8]]).ended(0).lines();
    assert_eq!((&moved[0]["state"], &moved[0]["acknowledged_by"]), (&"acknowledged".into(), &"tester".into()));
    platform.watchkeep(&["alert", "ack", id]).ended(2);
    let moved = platform.watchkeep(&close).ended(0).lines();
    assert_eq!((&moved[0]["verdict"], &moved[0]["verdict_by"]), (&"benign_sanctioned".into(), &"ben".into()));
    platform.watchkeep(&["alert", "show", "ffffffff"]).ended(2);
    platform.watchkeep(&["alert", "show", "not-an-id"]).ended(2);
    assert_eq!(platform.terminate(), Some(0));
}

#[test]
fn an_alert_over_time_is_shown_with_its_events_value_and_threshold() {
    let folder = folder();
    let rules = folder.path().join("site/over_time.yml");
    std::fs::create_dir_all(folder.path().join("site")).expect("made");
    std::fs::write(rules, crate::explain::OVER_TIME).expect("written");
    let text = "data_dir = \"data\"\n[content]\nembedded = true\nroots = [\"site\"]\n[console]\nlisten = \"127.0.0.1:0\"\n\
                [[inputs]]\nname = \"push\"\nkind = \"http\"\nlisten = \"127.0.0.1:0\"\n";
    std::fs::write(folder.path().join("watchkeep.toml"), text).expect("written");
    let platform = Platform::start_as_configured(folder.path());
    let records: Vec<String> = (0..3).map(|n| crate::explain::record(n, "ana")).collect();
    assert!(platform.push(records.join("\n").as_bytes()).starts_with("HTTP/1.1 2"), "{}", platform.log());
    let open = platform.wait("an alert over time", |platform| {
        let args = ["alert", "list", "--rule", "0f7a4f0e-8a52-4a5f-9a0b-3f2c0c6f0d03"];
        let rows = platform.watchkeep(&args).ended(0).lines();
        (!rows.is_empty()).then_some(rows)
    });
    let id = open[0]["alert_id"].as_str().expect("an id");
    let window = platform.watchkeep(&["alert", "show", id]).ended(0).json()["findings"][0]["finding"]["window"].clone();
    assert_eq!((&window["value"], &window["threshold"]), (&3.0.into(), &"at least 3".into()));
    assert_eq!(window["events"].as_array().map(Vec::len), Some(3));
    let text = platform.watchkeep(&["alert", "show", id, "--format", "table"]).ended(0).out;
    for part in ["over time", "early: events that may still come", "3 events", "threshold    at least 3", "Secret Read"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let times: Vec<Option<usize>> =
        ["T01:00:00", "T01:01:00", "T01:02:00"].map(|time| text.find(&format!("\n    2026-11-22{time}"))).to_vec();
    assert!(times.iter().all(Option::is_some) && times.is_sorted(), "in order: {text}");
    assert_eq!(platform.terminate(), Some(0));
}

#[test]
fn silences_begin_and_end() {
    let folder = folder();
    let platform = Platform::start(folder.path(), "");
    let silence = ["alert", "silence", "--source", "aws_cloudtrail", "--for", "2h", "--reason", "drill"];
    let added = platform.watchkeep(&silence).ended(0).lines();
    let id = added[0]["silence_id"].as_str().expect("an id").to_owned();
    assert_eq!(added[0]["owner"], "tester");
    platform.push(&trail());
    platform.wait("the silence to take", |platform| {
        let rows = platform.watchkeep(&["alert", "silences"]).ended(0).lines();
        (rows[0]["taken"].as_u64() >= Some(2)).then_some(())
    });
    assert_eq!(platform.watchkeep(&["alert", "list", "--source", "aws_cloudtrail"]).ended(0).lines().len(), 0);
    platform.watchkeep(&["alert", "unsilence", &id]).ended(0);
    platform.watchkeep(&["alert", "unsilence", &id]).ended(2);
    assert_eq!(platform.watchkeep(&["alert", "silences"]).ended(0).lines().len(), 0);
    assert_eq!(platform.watchkeep(&["alert", "silences", "--all"]).ended(0).lines().len(), 1);
    platform.watchkeep(&["alert", "silence", "--for", "2h", "--reason", "everything"]).ended(2);
    platform.watchkeep(&["alert", "silence", "--source", "x", "--for", "soon", "--reason", "r"]).ended(2);
}

#[test]
fn what_was_sent_and_what_arrived_is_told() {
    let folder = folder();
    let platform = Platform::start(folder.path(), "");
    platform.push(&trail());
    alerts(&platform, 1);
    platform.wait("delivery", |platform| {
        let rows = platform.watchkeep(&["soc", "status"]).ended(0).lines();
        rows.iter().any(|row| row["route"] == "alerts_file" && row["delivered"].as_u64() > Some(0)).then_some(())
    });
    let written = std::fs::read_to_string(folder.path().join("data/alerts.ndjson")).expect("written");
    assert!(written.contains("Root Signs In"), "{written}");
    let rows = platform.watchkeep(&["soc", "outbox", "--state", "delivered"]).ended(0).lines();
    assert_eq!(rows[0]["route"], "alerts_file");
    assert_eq!(platform.watchkeep(&["soc", "dead"]).ended(0).lines().len(), 0);
    platform.watchkeep(&["soc", "replay", "17"]).ended(2);
    platform.watchkeep(&["soc", "replay", "--all", "--dry-run"]).ended(0);
    let health = platform.watchkeep(&["sources", "health"]).ended(0).lines();
    assert!(health.iter().any(|row| row["source"] == "aws_cloudtrail" && row["verdict"] == "live"), "{health:?}");
}

#[test]
fn the_token_is_printed_once_and_one_platform_runs_on_a_folder() {
    let folder = folder();
    let first = Platform::start(folder.path(), "");
    let token = first.line("token").expect("printed").to_owned();
    assert!(token.len() > 20, "{token}");
    let second = watchkeep(folder.path(), &["run"]).ended(3);
    assert!(second.err.contains("already runs"), "{}", second.err);
    assert_eq!(first.terminate(), Some(0));
    let again = Platform::start_as_configured(folder.path());
    assert_eq!(again.line("token"), None);
    assert_eq!(again.terminate(), Some(0));
}

#[test]
fn the_default_plays_the_shipped_samples() {
    let folder = folder();
    let text =
        "[console]\nlisten = \"127.0.0.1:0\"\n[[inputs]]\nname = \"samples\"\nkind = \"samples\"\nevery = \"0s\"\n";
    std::fs::write(folder.path().join("watchkeep.toml"), text).expect("written");
    let platform = Platform::start_as_configured(folder.path());
    assert!(platform.line("notice").is_some_and(|line| line.contains("sample")), "{:?}", platform.banner);
    platform.wait("sample alerts", |platform| {
        let rows = platform.watchkeep(&["alert", "list", "--lane", "sample", "--limit", "1000"]).ended(0).lines();
        (rows.len() >= 10).then_some(())
    });
    assert_eq!(platform.watchkeep(&["alert", "list", "--lane", "live"]).ended(0).lines().len(), 0);
}

#[test]
fn what_keeps_it_from_starting_is_told() {
    let folder = folder();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = taken.local_addr().expect("bound").to_string();
    let ran = watchkeep(folder.path(), &["run", "--console", &address]).ended(3);
    assert!(ran.err.contains(&address), "{}", ran.err);
    std::fs::write(folder.path().join("file"), "").expect("written");
    watchkeep(folder.path(), &["run", "--data-dir", "file/data"]).ended(3);
    watchkeep(folder.path(), &["run", "--console", "0.0.0.0:1"]).ended(3);
}
