//! What the pages show, and what comes of acting on them.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use model::{AlertState, Entry, Ledger, Step};
use store::{AlertQuery, Settlement};

use crate::seed;
use crate::visitor::{Console, Visitor, encoded, form_request};

fn ids(console: &Console, states: &[AlertState]) -> Vec<String> {
    let query = AlertQuery { states: states.to_vec(), limit: 100, ..AlertQuery::default() };
    console.store.alerts(&query).unwrap().alerts.iter().map(|alert| alert.alert_id.to_string()).collect()
}

fn state(console: &Console, id: &str) -> AlertState {
    console.store.alert(model::AlertId::parse(id).unwrap()).unwrap().unwrap().alert.state
}

#[tokio::test]
async fn an_empty_console_explains_itself_on_every_page() {
    let console = Console::empty();
    let visitor = console.visitor().await;
    let said = [
        ("/", "All quiet"),
        ("/?text=nothing", "No alert matches"),
        ("/sources", "No source"),
        ("/rejects", "Nothing was rejected"),
        ("/ledger", "Nothing was received in this time"),
        ("/outbox", "Nothing was sent yet"),
        ("/silences", "Nothing is silenced"),
        ("/silences?ended=1", "None has ended"),
        ("/rules", "No rule is loaded"),
        ("/rules?text=x", "No rule matches"),
    ];
    for (path, text) in said {
        let page = visitor.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.text.contains(text), "{path} does not say `{text}`");
    }
}

#[tokio::test]
async fn the_queue_is_filtered_sorted_and_paged_by_its_address() {
    let console = Console::evening();
    let visitor = console.visitor().await;
    let rows = |text: &str| text.matches("data-row=").count();
    let all = visitor.get("/").await.text;
    assert_eq!(rows(&all), 14, "every alert but the closed one");
    assert!(all.contains("EXERCISE") && all.contains("SAMPLE"));
    assert_eq!(rows(&visitor.get("/?state=closed").await.text), 1);
    assert_eq!(rows(&visitor.get("/?level=critical&level=high").await.text), 9);
    assert_eq!(rows(&visitor.get("/?source=kubernetes_audit").await.text), 2);
    assert_eq!(rows(&visitor.get("/?lane=sample").await.text), 2);
    assert_eq!(rows(&visitor.get("/?text=shard-00017").await.text), 1);
    assert_eq!(rows(&visitor.get("/queue?lane=exercise").await.text), 1);
    assert!(!visitor.get("/queue").await.text.contains("<html"), "the fragment is only the list");
    let first = |text: &str| text.split("class=\"title\"").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert!(first(&visitor.get("/?sort=waiting").await.text).contains("Refused"));
    for odd in [
        "/?page=0",
        "/?page=99999999999999999999",
        "/?state=%00&level=x&sort=y&lane=z",
        "/?text=%22%27%29%20OR%20*%20NEAR",
        "/?%FF=%FF&&=&",
    ] {
        assert_eq!(visitor.get(odd).await.status, StatusCode::OK, "{odd}");
    }
}

#[tokio::test]
async fn long_lists_are_paged() {
    let console = Console::evening();
    seed::many(&console.store, &console.catalogue, 120);
    let visitor = console.visitor().await;
    let first = visitor.get("/?lane=live").await.text;
    assert_eq!(first.matches("data-row=").count(), 50);
    assert!(first.contains("rel=\"next\" href=\"/?lane=live&#38;page=2\""), "the next page keeps the filter");
    let last = visitor.get("/?lane=live&page=3").await.text;
    assert!(last.contains("rel=\"prev\"") && !last.contains("rel=\"next\""));
}

#[tokio::test]
async fn an_alert_shows_why_beside_its_rule() {
    let console = Console::evening();
    let visitor = console.visitor().await;
    let id = ids(&console, &[])[0].clone();
    let page = visitor.get(&format!("/alerts/{id}")).await.text;
    for text in [
        "without an approved VPC endpoint",
        "What matched",
        "custody-team",
        "custody_buckets",
        "class=\"matched\"",
        "redacted · 44 bytes",
        "src_endpoint.ip",
        "203.0.113.41",
        "Six times",
        "3 m 34 s on the way",
        "accepted by transport",
        "receipt ack",
        "If yes",
        "contain the role",
        "T1530",
        "×46",
    ] {
        assert!(page.contains(text), "{text}");
    }
    let record = page.split("/records/").nth(1).unwrap().split('"').next().unwrap();
    let raw = visitor.get(&format!("/alerts/{id}/records/{record}")).await;
    assert!(
        raw.header("content-type").starts_with("text/plain")
            && raw.header("content-disposition").starts_with("attachment")
    );
    assert!(raw.text.starts_with("{\"eventVersion\""));
    let short = visitor.get(&format!("/alerts/{}", &id[..8])).await;
    assert_eq!(short.header("location"), format!("/alerts/{id}"));
    for missing in ["/alerts/00000000000000000000000000000000", "/alerts/zz", "/alerts/00", "/alerts/%3Cscript%3E"] {
        let answer = visitor.get(missing).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{missing}");
        assert!(!answer.text.contains("<script>"));
    }
}

#[tokio::test]
async fn people_acknowledge_and_close_by_form() {
    let console = Console::evening();
    let visitor = console.visitor().await;
    let waiting = ids(&console, &[AlertState::Delivered]);
    let answer = visitor
        .post("/alerts/acknowledge", &[("id", &waiting[0]), ("id", &waiting[1]), ("next", "/?level=critical")])
        .await;
    assert_eq!(answer.header("location"), "/?level=critical");
    assert!(visitor.get("/").await.text.contains("Acknowledged 2 alerts."), "the next page says so");
    assert!(!visitor.get("/").await.text.contains("Acknowledged 2 alerts."), "once");
    assert_eq!(state(&console, &waiting[0]), AlertState::Acknowledged);
    let form = visitor.get(&format!("/alerts/close?id={}&id={}", waiting[0], waiting[2])).await.text;
    assert!(form.contains("1 alert of these nobody has acknowledged"));
    let close = [
        ("id", waiting[0].as_str()),
        ("id", &waiting[2]),
        ("verdict", "tp_malicious"),
        ("reason", "Keys were on a paste site."),
    ];
    visitor.post("/alerts/close", &close).await;
    let detail = console.store.alert(model::AlertId::parse(&waiting[2]).unwrap()).unwrap().unwrap();
    assert_eq!(detail.alert.state, AlertState::Closed);
    assert_eq!(detail.alert.acknowledged_by.as_deref(), Some("R. Okafor"));
    assert_eq!(detail.alert.verdict_reason.as_deref(), Some("Keys were on a paste site."));
    let again = visitor.post("/alerts/acknowledge", &[("id", &waiting[2])]).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER);
    assert!(visitor.get("/").await.text.contains("1 refused: An alert that is closed cannot be acknowledged."));
}

#[tokio::test]
async fn forms_without_what_they_need_change_nothing() {
    let console = Console::evening();
    let visitor = console.visitor().await;
    let id = ids(&console, &[AlertState::Delivered])[0].clone();
    let bad: [(&str, &[(&str, &str)]); 7] = [
        ("/alerts/acknowledge", &[]),
        ("/alerts/acknowledge", &[("id", "not-an-id")]),
        ("/alerts/close", &[("id", &id), ("reason", "r")]),
        ("/alerts/close", &[("id", &id), ("verdict", "tp_malicious"), ("reason", "  ")]),
        ("/silences", &[("owner", "ana"), ("reason", "r"), ("hours", "1")]),
        ("/silences", &[("owner", "ana"), ("reason", "r"), ("rule_id", "x"), ("hours", "0")]),
        ("/silences/end", &[("silence_id", "none")]),
    ];
    for (path, form) in bad {
        let answer = visitor.post(path, form).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path} {form:?}");
    }
    assert_eq!(state(&console, &id), AlertState::Delivered);
    assert_eq!(console.store.silences(seed::now(), true).unwrap().len(), 1);
}

#[tokio::test]
async fn scripts_get_a_sentence_instead_of_a_page() {
    let console = Console::evening();
    let visitor = console.visitor().await;
    let id = ids(&console, &[AlertState::Delivered])[0].clone();
    for (status, said) in [
        (StatusCode::OK, "Acknowledged 1 alert."),
        (StatusCode::CONFLICT, "1 refused: An alert that is acknowledged cannot be acknowledged again."),
    ] {
        let form = [("csrf", visitor.csrf.as_str()), ("id", id.as_str())];
        let request = form_request("/alerts/acknowledge", &visitor.cookies, &form).header("accept", "text/plain");
        let answer = console.send(request.body(encoded(&form)).unwrap()).await;
        assert_eq!((answer.status, answer.text.as_str()), (status, said));
    }
    let poll = Request::get("/queue")
        .header("host", "localhost")
        .header("hx-request", "true")
        .header("cookie", "watchkeep_session=gone");
    assert_eq!(
        console.send(poll.body(Body::empty()).unwrap()).await.status,
        StatusCode::UNAUTHORIZED,
        "not a page to swap in"
    );
}

#[tokio::test]
async fn silences_are_added_listed_and_ended() {
    let console = Console::evening();
    let visitor = console.visitor().await;
    let id = ids(&console, &[AlertState::Delivered])[0].clone();
    assert!(visitor.get(&format!("/alerts/{id}/silence")).await.text.contains("lab-weights"));
    let form = [
        ("rule_id", console.catalogue.rules[0].id.as_str()),
        ("entity", "lab-weights"),
        ("owner", "ana"),
        ("reason", "Migration."),
        ("hours", "24"),
        ("next", "/silences"),
    ];
    visitor.post("/silences", &form).await;
    let page = visitor.get("/silences").await.text;
    assert!(page.contains("Silenced until 2026-11-23 02:51:07 UTC") && page.contains("Migration."));
    let silence = console
        .store
        .silences(seed::now(), false)
        .unwrap()
        .into_iter()
        .find(|row| row.silence.owner == "ana")
        .unwrap()
        .silence;
    visitor.post("/silences/end", &[("silence_id", &silence.silence_id)]).await;
    let page = visitor.get("/silences?ended=1").await.text;
    assert!(page.contains("Ended <span class=\"badge\">1"), "{page}");
}

#[tokio::test]
async fn dead_letters_are_shown_and_replayed() {
    let console = Console::evening();
    let visitor = console.visitor().await;
    let page = visitor.get("/outbox").await.text;
    assert!(page.contains("Dead letters") && page.contains("410 Gone"));
    let dead = console.store.dead_letters().unwrap()[0].id.to_string();
    visitor.post("/outbox/replay", &[("id", &dead)]).await;
    assert!(visitor.get("/outbox").await.text.contains("1 message will be sent again"));
    assert!(console.store.dead_letters().unwrap().is_empty());
    assert!(visitor.get("/outbox?state=waiting&route=tickets").await.text.contains("alert.opened"));
}

#[tokio::test]
async fn sources_show_what_is_wrong_and_rejects_show_what_is_kept() {
    let console = Console::evening();
    let visitor = console.visitor().await;
    let page = visitor.get("/sources?hours=72").await.text;
    assert!(page.contains("no record for 9h 2m, since 2026-11-21 17:49 UTC; expected within 2h"), "{page}");
    assert!(page.contains("24 records in the hour of 2026-11-22 01:00 UTC; 240 are usual"), "{page}");
    assert!(page.contains("`userIdentity.arn` is in 60.9 % of the latest"), "{page}");
    let place = |id: &str| page.find(&format!("data-row=\"{id}\"")).unwrap();
    let order = ["aws_s3_access_log", "aws_bedrock_invocation", "kubernetes_audit", "aws_cloudtrail"].map(place);
    assert!(order.is_sorted(), "the gravest comes first: {order:?}");
    assert!(page.contains("not_json"));
    let rejects = visitor.get("/rejects?reason=not_json&input=trail").await.text;
    assert!(rejects.contains("\\xFF\\xFE{\\x00&#34;&#60;script&#62;"), "raw bytes are shown and harmless");
    assert!(rejects.contains("`NaN` and `Infinity` are not"));
}

#[tokio::test]
async fn a_drawing_says_what_it_shows() {
    let console = Console::evening();
    let page = console.visitor().await.get("/sources").await.text;
    let row = page.split("data-row=\"aws_bedrock_invocation\"").nth(1).unwrap().split("</tr>").next().unwrap();
    assert_eq!(row.matches("<svg class=\"multiple\"").count(), 3, "volume, lag, required fields");
    assert!(row.contains("hours, at most 1,920 in one; 2 hours far below what is usual\""), "{row}");
    assert!(row.contains("95 % within"), "{row}");
    assert!(row.contains("<title>22 Nov 01:00: 24 records, 240 usual</title>"), "{row}");
    assert!(page.contains("Never heard") && page.contains("aws_guardduty"));
}

#[tokio::test]
async fn a_source_that_only_what_is_read_once_feeds_is_neither_late_nor_silent() {
    let console = Console::asked(|asked| asked.once = ["trail".to_owned()].into());
    let page = console.visitor().await.get("/sources").await.text;
    let row =
        |id: &str| page.split(&format!("data-row=\"{id}\"")).nth(1).unwrap().split("</tr>").next().unwrap().to_owned();
    assert!(row("aws_s3_access_log").contains("Samples only"));
    assert!(row("kubernetes_audit").contains("Incomplete"), "it has another input");
}

#[tokio::test]
async fn rules_show_that_their_sources_are_not_well_and_since_when() {
    let console = Console::evening();
    let visitor = console.visitor().await;
    let catalogue = seed::catalogue();
    let of = |source: &str| catalogue.rules.iter().find(|rule| rule.sources == [source.into()]).unwrap().id.clone();
    let (degraded, blind, well) = (of("kubernetes_audit"), of("aws_guardduty"), of("aws_cloudtrail"));
    let page = visitor.get("/rules?health=degraded").await.text;
    assert!(page.contains(degraded.as_str()) && !page.contains(blind.as_str()) && !page.contains(well.as_str()));
    let page = visitor.get("/rules?health=blind").await.text;
    assert!(page.contains(blind.as_str()) && page.contains("never heard: aws_guardduty"));
    let page = visitor.get(&format!("/rules/{degraded}")).await.text;
    assert!(page.contains("Degraded</b> since <time datetime=\"2026-11-22T"), "{page}");
    assert!(page.contains("kubernetes_audit is incomplete: `userIdentity.arn` is in 60.9 %"), "{page}");
    assert!(!visitor.get(&format!("/rules/{well}")).await.text.contains("Degraded"));
}

#[tokio::test]
async fn an_imbalance_is_on_every_page() {
    let console = Console::evening();
    let visitor = console.visitor().await;
    assert!(visitor.get("/ledger").await.text.contains("Balanced."));
    let mut ledger = Ledger::default();
    let entry = Entry {
        input: "trail".into(),
        source: None,
        hour: seed::now().hour(),
        step: Step::Received,
        reason: String::new(),
    };
    ledger.add(entry, 3);
    let lost = Settlement {
        input: "trail".into(),
        cursor: None,
        ledger,
        findings: vec![],
        rejects: vec![],
        sightings: vec![],
        now: seed::now(),
        ..Settlement::default()
    };
    console.store.settle(lost, &[]).unwrap();
    let ledger = visitor.get("/ledger").await.text;
    assert!(ledger.contains("1 imbalance") && ledger.contains("<b>−3</b>") && ledger.contains("class=\"law off\""));
    // The numbers in the page's head are seconds old at most; an act asks for them anew.
    let id = ids(&console, &[AlertState::Delivered])[0].clone();
    visitor.post("/alerts/acknowledge", &[("id", &id)]).await;
    for path in ["/", "/rules", "/outbox"] {
        assert!(visitor.get(path).await.text.contains("The ledger does not balance."), "{path}");
    }
}

#[tokio::test]
async fn rules_show_their_source_their_findings_and_their_cases() {
    let console = Console::evening();
    let visitor = console.visitor().await;
    let list = visitor.get("/rules?level=critical&text=custody").await.text;
    assert_eq!(list.matches("data-row=").count(), 2);
    let rule = &console.catalogue.rules[0];
    let page = visitor.get(&format!("/rules/{}", rule.id)).await.text;
    for text in
        ["custody_endpoints", "Watchkeep (Apache-2.0)", "near_miss", "passed", "T1530", "<dd class=\"num\">50</dd>"]
    {
        assert!(page.contains(text), "{text}");
    }
    assert_eq!(visitor.get("/rules/none").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn hostile_strings_break_no_page() {
    let console = Console::evening();
    let id = seed::hostile(&console.store, &console.catalogue);
    let visitor = console.visitor().await;
    let name = "<b onmouseover=alert(1)>\"'";
    visitor.post("/alerts/acknowledge", &[("id", &id.to_string())]).await;
    visitor.post("/alerts/close", &[("id", &id.to_string()), ("verdict", "fp_data"), ("reason", name)]).await;
    let paths = [
        "/?state=closed".to_owned(),
        format!("/alerts/{id}"),
        format!("/alerts/{id}/silence"),
        format!("/alerts/close?id={id}&next=%22%3E%3Cscript%3E"),
        "/?text=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E&rule=%3Cscript%3E".to_owned(),
        "/rules?text=%3Cscript%3E".to_owned(),
        "/rejects?input=%3Cscript%3E".to_owned(),
        "/login?next=%22%3E%3Cscript%3E&user=%3Cscript%3E".to_owned(),
        "/nowhere/%3Cscript%3E".to_owned(),
        "/outbox".to_owned(),
    ];
    for path in paths {
        let text = visitor.get(&path).await.text;
        assert!(text.contains("</html>"), "{path}");
        for broken in ["<script>", "<img", "<h1 id=broken", "<b onmouseover", "</textarea></title>"] {
            assert!(!text.contains(broken), "{path} holds {broken}");
        }
        assert_eq!(text.matches("<script").count(), text.matches("<script src=\"/assets/").count(), "{path}");
    }
    let visit: &Visitor = &visitor;
    assert!(visit.get(&format!("/alerts/{id}")).await.text.contains("1e999"), "numbers stay as they were written");
}

#[tokio::test]
async fn lanes_that_are_not_live_say_so_on_their_pages() {
    let console = Console::evening();
    let visitor = console.visitor().await;
    for (lane, word) in [("exercise", "<strong>EXERCISE</strong>"), ("sample", "<strong>SAMPLE</strong>")] {
        let queue = visitor.get(&format!("/?lane={lane}")).await.text;
        let id = queue.split("data-row=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        assert!(visitor.get(&format!("/alerts/{id}")).await.text.contains(word), "{lane}");
    }
}
