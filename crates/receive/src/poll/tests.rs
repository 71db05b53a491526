use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use engine::feed::{Feed, Next};
use model::Time;
use reqwest::Url;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use super::client::{Answer, Api, Failure, Http};
use super::{Pauses, PollOptions, Poller};
use crate::backoff::Backoff;
use crate::memory::Memory;
use crate::trouble::Trouble;

/// A feed with what the test says of it.
pub(super) fn feed(more: &str) -> Feed {
    let text = format!(
        "id: lab_audit\ntitle: Lab audit\nsource: lab_audit\nparameters: {{who: the organisation}}\nendpoint: https://api.lab.example\n\
         path: /v1/{{who}}/audit\nheaders: {{x-version: '3'}}\nquery: {{limit: 2}}\nlimit: {{remaining: x-left, reset: x-reset}}\n\
         secret: {{header: authorization, value: 'Bearer {{secret}}', about: a token that reads}}\n\
         newer: {{time: at, {}overlap: 10s}}\n{more}",
        if more.contains("next: none") { "" } else { "as: since, write: '{rfc3339}', " }
    );
    let (feed, wrong) = Feed::parse(&text);
    feed.unwrap_or_else(|| panic!("{wrong:?}"))
}

const CURSOR: &str = "records: data\nnext: {cursor: last_id, as: after, while: has_more}\n";

/// Answers what it is told, in order; then it ends the walk.
struct Fake {
    answers: Mutex<VecDeque<Result<Answer, Failure>>>,
    asked: Mutex<Vec<String>>,
    end: CancellationToken,
}

impl Api for Arc<Fake> {
    async fn get(&self, address: &Url) -> Result<Answer, Failure> {
        let answer = self.answers.lock().unwrap().pop_front();
        let Some(answer) = answer else {
            self.end.cancel();
            return std::future::pending().await;
        };
        self.asked.lock().unwrap().push(address.as_str().to_owned());
        answer
    }
}

fn body(text: &str) -> Result<Answer, Failure> {
    Ok(Answer { body: Bytes::copy_from_slice(text.as_bytes()), ..Answer::default() })
}

fn linked(text: &str, link: &str) -> Result<Answer, Failure> {
    Ok(Answer { link: Some(link.to_owned()), ..body(text)? })
}

fn options(feed: Feed, endpoint: Option<String>) -> PollOptions {
    PollOptions {
        feed: Arc::new(feed),
        parameters: [("who".to_owned(), "lab".to_owned())].into(),
        endpoint,
        secret: "s3cret\n".to_owned(),
        start: Duration::from_secs(3600),
        every: Some(Duration::from_millis(1)),
        body_bytes_max: 1000,
    }
}

/// Walks until there are no more answers. Gives what was asked.
async fn walk(memory: &Arc<Memory>, feed: Feed, answers: Vec<Result<Answer, Failure>>) -> Vec<String> {
    let end = CancellationToken::new();
    let fake = Fake { answers: Mutex::new(answers.into()), asked: Mutex::default(), end: end.clone() };
    let (fake, options) = (Arc::new(fake), options(feed, None));
    let (address, trouble) = (options.address().unwrap(), Trouble::of(memory.clone()));
    let mut poller = Poller::new(&options, address, fake.clone(), memory.clone(), trouble, end);
    let moment = Backoff { first: Duration::from_millis(1), longest: Duration::from_millis(1) };
    poller.pauses = Pauses { away: moment, refused: moment };
    tokio::time::timeout(Duration::from_secs(60), poller.run()).await.expect("the walk ends");
    let asked = fake.asked.lock().unwrap();
    asked.clone()
}

/// The values of a parameter in addresses.
fn values(asked: &[String], name: &str) -> Vec<Option<String>> {
    let one = |address: &String| {
        let address: Url = address.parse().unwrap();
        address.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    asked.iter().map(one).collect()
}

fn position(memory: &Memory) -> serde_json::Value {
    let positions = memory.positions.lock().unwrap();
    let (key, value) = positions.first_key_value().expect("a position");
    assert_eq!(key, "poll:lab_audit:https://api.lab.example/v1/lab/audit");
    serde_json::from_str(value).unwrap()
}

#[tokio::test]
async fn pages_are_walked_to_the_end_and_then_what_is_newer_is_asked_for() {
    let memory = Arc::new(Memory::default());
    let at = |seconds: i64| Time::from_millis((super::now().millis() / 1000 + seconds) * 1000);
    let answers = vec![
        body(&format!(r#"{{"data":[{{"n":3,"at":"{}"}},{{"n":2}}],"has_more":true,"last_id":"b"}}"#, at(-60))),
        body(&format!(r#"{{"data":[{{"n":1,"at":"{}"}}],"has_more":false,"last_id":"a"}}"#, at(-120))),
        body(r#"{"data":[],"has_more":false,"last_id":null}"#),
    ];
    let newest = at(-60);
    let asked = walk(&memory, feed(CURSOR), answers).await;
    let texts = memory.texts();
    assert_eq!(texts.iter().map(|text| &text[..6]).collect::<Vec<_>>(), ["{\"n\":3", "{\"n\":2", "{\"n\":1"]);
    assert!(asked[0].starts_with("https://api.lab.example/v1/lab/audit?limit=2&since="), "{asked:?}");
    assert_eq!(values(&asked, "after"), [None, Some("b".to_owned()), None]);
    let since = values(&asked, "since");
    assert_eq!(since[0], since[1]);
    let overlapped = newest.plus_millis(-10_000);
    assert_eq!(since[2].as_ref().map(|text| Time::parse(text).unwrap()), Some(overlapped), "{since:?}");
    assert!(memory.troubles().is_empty(), "{:?}", memory.troubles());
}

#[tokio::test]
async fn after_a_kill_the_walk_goes_on_at_the_page_that_was_not_taken_in() {
    let memory = Arc::new(Memory::default());
    let first = vec![body(r#"{"data":[{"n":1,"at":"2026-01-01T00:00:00Z"}],"has_more":true,"last_id":"b"}"#)];
    walk(&memory, feed(CURSOR), first).await;
    assert_eq!(position(&memory)["next"], "b");
    let asked = walk(&memory, feed(CURSOR), vec![body(r#"{"data":[],"has_more":false}"#)]).await;
    assert_eq!(values(&asked, "after"), [Some("b".to_owned())]);
    assert_eq!(position(&memory)["next"], serde_json::Value::Null);
}

#[tokio::test]
async fn what_is_refused_by_the_journal_is_asked_for_again() {
    let memory = Arc::new(Memory::default());
    *memory.refusal.lock().unwrap() = Some("full".to_owned());
    let page = r#"{"data":[{"n":1,"at":"2026-01-01T00:00:00Z"}],"has_more":true,"last_id":"b"}"#;
    let (release, waits) = (memory.clone(), Mutex::new(0));
    *memory.before.lock().unwrap() = Some(Arc::new(move || {
        let mut waits = waits.lock().unwrap();
        *waits += 1;
        if *waits > 1 {
            *release.refusal.lock().unwrap() = None;
        }
    }));
    let asked =
        walk(&memory, feed(CURSOR), vec![body(page), body(page), body(r#"{"data":[],"has_more":false}"#)]).await;
    assert_eq!(values(&asked, "after"), [None, None, Some("b".to_owned())]);
    assert_eq!(memory.texts().len(), 1);
    assert_eq!(memory.troubles().len(), 1);
}

#[tokio::test]
async fn a_next_page_that_was_there_before_ends_the_walk_aloud() {
    for circle in [vec!["b", "b"], vec!["b", "c", "b"]] {
        let memory = Arc::new(Memory::default());
        let page = |next: &&str| body(&format!(r#"{{"data":[{{"n":1}}],"has_more":true,"last_id":"{next}"}}"#));
        let mut answers: Vec<_> = circle.iter().map(page).collect();
        answers.push(body(r#"{"data":[],"has_more":false}"#));
        let asked = walk(&memory, feed(CURSOR), answers).await;
        assert_eq!(values(&asked, "after").last(), Some(&None), "it begins anew");
        let told: Vec<_> = memory.troubles().into_iter().filter(|told| told.contains("circle")).collect();
        assert_eq!(told.len(), 1, "{told:?}");
    }
}

#[tokio::test]
async fn an_endless_link_waits_at_its_last_page() {
    let memory = Arc::new(Memory::default());
    let endless = feed("records: $\nnext: endless_link\norder: oldest_first\n");
    let (two, three) = ("https://api.lab.example/p?after=2", "https://api.lab.example/p?after=3");
    let record = r#"[{"n":1,"at":"2026-01-01T00:00:00Z"}]"#;
    let answers =
        vec![linked(record, two), linked("[]", two), linked("[]", two), linked(record, three), linked("[]", three)];
    let asked = walk(&memory, endless, answers).await;
    assert_eq!(asked[1..], [two, two, two, three]);
    assert_eq!((memory.texts().len(), memory.troubles().len()), (2, 0));
}

#[tokio::test]
async fn a_cursor_that_is_no_longer_known_is_left_and_the_time_leads_on() {
    let memory = Arc::new(Memory::default());
    let oldest = feed(&format!("{CURSOR}order: oldest_first\n"));
    let time = Time::from_millis(super::now().millis() / 1000 * 1000 - 30_000);
    let answers = vec![
        body(&format!(r#"{{"data":[{{"at":"{time}"}}],"has_more":true,"last_id":"b"}}"#)),
        Err(Failure::Unknown("api.lab.example answered 410".to_owned())),
        body(r#"{"data":[],"has_more":false}"#),
    ];
    let asked = walk(&memory, oldest, answers).await;
    assert_eq!(values(&asked, "after"), [None, Some("b".to_owned()), None]);
    let since = values(&asked, "since")[2].clone().unwrap();
    assert_eq!(Time::parse(&since).unwrap(), time.plus_millis(-10_000));
    assert_eq!(memory.troubles().len(), 1);
}

#[tokio::test]
async fn failures_are_said_once_and_the_same_page_is_asked_for_again() {
    let memory = Arc::new(Memory::default());
    let away = || Err(Failure::Away("api.lab.example answered 502".to_owned()));
    let limited = || Err(Failure::Limited(Some(Duration::from_millis(1))));
    let answers = vec![
        body(r#"{"data":[{"at":"2026-01-01T00:00:00Z"}],"has_more":true,"last_id":"b"}"#),
        away(),
        body("<html>"),
        limited(),
        Err(Failure::Refused("api.lab.example answered 401: the secret does not hold".to_owned())),
        body(r#"{"data":[],"has_more":false}"#),
    ];
    let asked = walk(&memory, feed(CURSOR), answers).await;
    assert_eq!(values(&asked, "after")[1..], vec![Some("b".to_owned()); 5]);
    let told = memory.troubles();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        told[0].starts_with("An API cannot be read: feed `lab_audit`: api.lab.example answered 502; it is tried again")
    );
    assert!(told[2].contains("401"), "{told:?}");
}

#[tokio::test]
async fn an_api_that_cannot_be_asked_for_what_is_newer_gives_each_record_once() {
    let memory = Arc::new(Memory::default());
    let at = |seconds: i64| Time::from_millis(super::now().millis() + seconds * 1000);
    let export =
        format!(r#"[{{"n":2,"at":"{}"}},{{"n":1,"at":"{}"}},{{"n":0,"at":"2020-01-01T00:00:00Z"}}]"#, at(-5), at(-600));
    let none = feed("records: $\nnext: none\n");
    assert_eq!(none.next, Next::None);
    walk(&memory, none, vec![body(&export), body(&export)]).await;
    // The newest stands within the overlap.
    let counted = memory.texts().iter().map(|text| text[5..6].to_owned()).collect::<String>();
    assert_eq!(counted, "212");
}

/// Answers one request with `answer`, and gives what was asked.
async fn serve_once(answer: String) -> (Url, tokio::task::JoinHandle<String>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            asked.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        String::from_utf8(asked).unwrap()
    });
    (address, serving)
}

fn response(head: &str, body: &str) -> String {
    format!("HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

async fn ask(answer: String) -> (Result<Answer, Failure>, String) {
    let (address, serving) = serve_once(answer).await;
    let options = options(feed(CURSOR), None);
    let http = Http::new(&options.feed, address.clone(), &options.secret, options.body_bytes_max).unwrap();
    let outcome = http.get(&address).await;
    (outcome, serving.await.unwrap())
}

#[tokio::test]
async fn a_request_carries_the_secret_and_the_headers_of_the_feed() {
    let (answer, asked) = ask(response("200 OK\r\nlink: </next?a=1>; rel=\"next\"", "[]")).await;
    let asked = asked.to_lowercase();
    assert!(asked.contains("authorization: bearer s3cret\r\n") && asked.contains("x-version: 3\r\n"), "{asked}");
    let answer = answer.unwrap();
    assert!(answer.link.unwrap().ends_with("/next?a=1"));
    assert_eq!((answer.body, answer.wait), (Bytes::from_static(b"[]"), None));
}

#[tokio::test]
async fn a_redirect_to_another_origin_never_gets_the_secret() {
    let (elsewhere, stranger) = serve_once(response("200 OK", "[]")).await;
    let (outcome, _) = ask(response(&format!("302 Found\r\nlocation: {elsewhere}steal"), "")).await;
    assert!(matches!(&outcome, Err(Failure::Refused(why)) if why.contains("another address")), "{outcome:?}");
    assert!(!stranger.is_finished(), "nobody asked the other address");
    stranger.abort();
}

#[tokio::test]
async fn a_next_page_at_another_origin_is_not_asked_for() {
    let (elsewhere, stranger) = serve_once(response("200 OK", "[]")).await;
    let options = options(feed(CURSOR), None);
    let http = Http::new(&options.feed, options.address().unwrap(), &options.secret, 1000).unwrap();
    let outcome = http.get(&elsewhere).await;
    assert!(matches!(&outcome, Err(Failure::Unknown(why)) if why.contains("goes nowhere but to")), "{outcome:?}");
    assert!(!stranger.is_finished());
    stranger.abort();
}

#[tokio::test]
async fn statuses_mean_what_vendors_mean_by_them() {
    let reset = super::now().millis() / 1000 + 30;
    let spent = format!("403 Forbidden\r\nx-left: 0\r\nx-reset: {reset}");
    for (head, expected) in [
        ("429 Too Many Requests\r\nretry-after: 7", Failure::Limited(Some(Duration::from_secs(7)))),
        ("429 Too Many Requests", Failure::Limited(None)),
        ("403 Forbidden\r\nretry-after: 60", Failure::Limited(Some(Duration::from_secs(60)))),
        ("429 Too Many Requests\r\nretry-after: 999999", Failure::Limited(Some(Duration::from_secs(3600)))),
    ] {
        assert_eq!(ask(response(head, "")).await.0, Err(expected), "{head}");
    }
    let (limited, _) = ask(response(&spent, "")).await;
    assert!(matches!(limited, Err(Failure::Limited(Some(wait))) if (20..=32).contains(&wait.as_secs())), "{limited:?}");
    for (head, expected) in
        [("401 Unauthorized", "it has to be a token that reads"), ("403 Forbidden", "may not read this")]
    {
        let (outcome, _) = ask(response(head, "s3cret")).await;
        assert!(
            matches!(&outcome, Err(Failure::Refused(why)) if why.contains(expected) && !why.contains("s3cret")),
            "{outcome:?}"
        );
    }
    assert!(matches!(ask(response("404 Not Found", "")).await.0, Err(Failure::Unknown(_))));
    assert!(matches!(ask(response("503 Service Unavailable", "")).await.0, Err(Failure::Away(_))));
}

#[tokio::test]
async fn an_answer_that_is_too_long_or_breaks_off_is_none() {
    let (long, _) = ask(response("200 OK", &"x".repeat(1001))).await;
    assert!(matches!(&long, Err(Failure::Away(why)) if why.contains("longer than 1000 bytes")), "{long:?}");
    let (broken, _) = ask("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n[".to_owned()).await;
    assert!(matches!(broken, Err(Failure::Away(_))), "{broken:?}");
}
