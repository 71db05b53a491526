use super::*;

fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

#[test]
fn statuses_are_judged_as_standard_webhooks_asks() {
    for status in [200, 202, 204] {
        assert_eq!(judge(status), Verdict::Accepted);
    }
    for status in [301, 307, 408, 425, 429, 500, 502, 503] {
        assert_eq!(judge(status), Verdict::Retry, "{status}");
    }
    for status in [400, 401, 403, 404, 410, 413, 422] {
        assert_eq!(judge(status), Verdict::Dead, "{status}");
    }
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let now = at("2026-11-22T03:00:00Z");
    assert_eq!(retry_after("120", now), Some(Duration::from_secs(120)));
    assert_eq!(retry_after("Sun, 22 Nov 2026 03:01:30 GMT", now), Some(Duration::from_secs(90)));
    assert_eq!(retry_after("Sun, 22 Nov 2026 02:00:00 GMT", now), None, "in the past");
    assert_eq!(retry_after("soon", now), None);
}

fn message(key: &str, payload: &str) -> Message {
    let now = at("2026-11-22T03:00:00Z");
    Message { key: key.into(), kind: "alert.opened".into(), payload: payload.into(), created: now, now }
}

#[tokio::test]
async fn a_file_takes_one_line_for_each_message_and_survives_being_moved_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out/alerts.ndjson");
    let output = NdjsonFile::new(&path);
    let confirmed = Sent::Confirmed { receipt: None };
    assert_eq!(output.send(&message("k1", "{\"a\":\n1}")).await, confirmed);
    std::fs::rename(&path, folder.path().join("old")).unwrap();
    assert_eq!(output.send(&message("k2", "[1]")).await, confirmed);
    let old = std::fs::read_to_string(folder.path().join("old")).unwrap();
    assert_eq!(old, "{\"key\":\"k1\",\"kind\":\"alert.opened\",\"a\":1}\n");
    let new = std::fs::read_to_string(&path).unwrap();
    assert_eq!(new, "{\"key\":\"k2\",\"kind\":\"alert.opened\",\"payload\":[1]}\n");
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let output = NdjsonFile::new(folder.path());
    let Sent::Retry { error, .. } = output.send(&message("k", "{}")).await else { panic!("a folder is no file") };
    assert!(error.starts_with("cannot append to `"), "{error}");
}

#[tokio::test]
async fn a_line_that_a_crash_tore_is_cut_off_and_a_foreign_one_gets_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let whole = "{\"key\":\"k1\",\"kind\":\"alert.opened\"}\n";
    let after = |before: String| async {
        let path = folder.path().join("alerts.ndjson");
        std::fs::write(&path, before).unwrap();
        assert_eq!(NdjsonFile::new(&path).send(&message("k1", "{}")).await, Sent::Confirmed { receipt: None });
        std::fs::read_to_string(&path).unwrap()
    };
    let torn = format!("{{\"key\":\"k1\",\"x\":\"{}", "y".repeat(200_000));
    assert_eq!(after(format!("{whole}{torn}")).await, format!("{whole}{whole}"));
    assert_eq!(after(torn).await, whole);
    assert_eq!(after(format!("{whole}{{\"k")).await, format!("{whole}{whole}"));
    assert_eq!(after("theirs".into()).await, format!("theirs\n{whole}"));
    assert_eq!(after(whole.into()).await, format!("{whole}{whole}"));
}
