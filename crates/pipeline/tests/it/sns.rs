//! Deliveries of SNS: who signed them, what is confirmed, and where it is asked.

use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use model::Lane;
use pipeline::http::{Fetch, HttpInput, HttpParts, Serves, Token};
use reqwest::Url;
use serde_json::{Value, json};
use store::journal::Journal;

use crate::support::{answer, engine};

/// The text of messages as SNS writes them, signed with the key of the certificate beside them, which nobody has any more.
fn fixture(name: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("sns.json")).unwrap();
    all[name].clone()
}

/// Gives the certificate, and notes what it was asked for.
#[derive(Default)]
struct Asked(Mutex<Vec<String>>);

impl Asked {
    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Fetch for Asked {
    fn get<'a>(&'a self, url: &'a Url) -> BoxFuture<'a, Result<Vec<u8>, String>> {
        self.0.lock().unwrap().push(url.to_string());
        Box::pin(async { Ok(fixture("certificate").as_str().unwrap().as_bytes().to_vec()) })
    }
}

struct Endpoint {
    url: String,
    journal: Journal,
    asked: Arc<Asked>,
    http: reqwest::Client,
    _folder: tempfile::TempDir,
}

impl Endpoint {
    async fn start(token: Option<&str>) -> Endpoint {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(&folder.path().join("journal"), Default::default()).unwrap();
        let asked = Arc::new(Asked::default());
        let input = HttpInput {
            name: "sns".into(),
            source: None,
            lane: Lane::Live,
            token: token.map(Token::new),
            serves: Serves::Sns,
            topics: vec!["arn:aws:sns:eu-west-1:111122223333:findings".to_owned()],
        };
        let parts = HttpParts {
            inputs: vec![input],
            journal: journal.clone(),
            engine: engine(),
            store: store::Store::open(folder.path()).unwrap(),
            acknowledgers: vec![],
            clock: Arc::new(pipeline::SystemClock),
            signals: Arc::default(),
            queued: Arc::new(|| {}),
            fetch: asked.clone(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/sns", listener.local_addr().unwrap());
        let router = pipeline::http::router(parts, Default::default());
        tokio::spawn(pipeline::http::serve(listener, router, Default::default(), std::future::pending()));
        Endpoint { url, journal, asked, http: reqwest::Client::new(), _folder: folder }
    }

    async fn post(&self, message: &Value) -> (u16, Value) {
        let request = self.http.post(&self.url).header("content-type", "text/plain; charset=UTF-8");
        answer(request.body(message.to_string())).await
    }

    /// What was journalled, as text.
    fn kept(&self) -> Vec<String> {
        let entries = self.journal.read_from(store::journal::Position::START);
        entries.map(|entry| String::from_utf8(entry.unwrap().1.bytes).unwrap()).collect()
    }
}

#[tokio::test]
async fn the_message_inside_a_notification_is_the_record_whichever_way_it_is_signed() {
    let endpoint = Endpoint::start(None).await;
    for name in ["notification_1", "notification_2"] {
        assert_eq!(endpoint.post(&fixture(name)).await, (200, json!({"accepted": 1})), "{name}");
    }
    let inner = fixture("notification_1")["Message"].as_str().unwrap().to_owned();
    assert_eq!(endpoint.kept(), [inner.clone(), inner]);
    let certificate = fixture("notification_1")["SigningCertURL"].as_str().unwrap().to_owned();
    assert_eq!(endpoint.asked.all(), [certificate], "it is fetched once");
}

#[tokio::test]
async fn what_was_changed_or_comes_from_elsewhere_is_refused() {
    let endpoint = Endpoint::start(None).await;
    let changes = [
        ("Message", "{\"eventName\":\"Nothing\"}"),
        ("Subject", "another"),
        ("SignatureVersion", "1"),
        ("SignatureVersion", "3"),
        ("Signature", "AAAA"),
        ("TopicArn", "arn:aws:sns:eu-west-1:111122223333:other"),
        ("TopicArn", "arn:aws:sns:us-east-1:111122223333:findings"),
    ];
    for (key, value) in changes {
        let mut message = fixture("notification_2");
        message[key] = json!(value);
        let (status, body) = endpoint.post(&message).await;
        assert_eq!((status, &body["error"]["code"]), (403, &json!("untrusted")), "{key} {value}: {body}");
    }
    assert_eq!(endpoint.post(&json!({"Type": "Notification"})).await.0, 400);
    assert!(endpoint.kept().is_empty());
}

#[tokio::test]
async fn no_address_but_that_of_the_topics_region_is_asked_for_a_certificate() {
    let endpoint = Endpoint::start(None).await;
    for url in [
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-1.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-1.pem",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com/other.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem?x=1",
        "https://169.254.169.254/SimpleNotificationService-1.pem",
        "",
    ] {
        let mut message = fixture("notification_2");
        message["SigningCertURL"] = json!(url);
        assert_eq!(endpoint.post(&message).await.0, 403, "{url}");
    }
    assert_eq!(endpoint.asked.all(), Vec::<String>::new());
}

#[tokio::test]
async fn a_subscription_of_a_listed_topic_is_confirmed_at_sns_and_nowhere_else() {
    let endpoint = Endpoint::start(None).await;
    let topic = "arn:aws:sns:eu-west-1:111122223333:findings";
    assert_eq!(endpoint.post(&fixture("confirmation")).await, (200, json!({"confirmed": topic})));
    let asked = Url::parse(&endpoint.asked.all()[1]).unwrap();
    assert_eq!((asked.host_str(), asked.path()), (Some("sns.eu-west-1.amazonaws.com"), "/"));
    let pairs: Vec<(String, String)> = asked.query_pairs().into_owned().collect();
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let token = pair("Token", "2336412f37fb687f5d51e6e2425e9cd7");
    assert_eq!(pairs, [pair("Action", "ConfirmSubscription"), pair("TopicArn", topic), token]);
    assert_eq!(endpoint.post(&fixture("confirmation_elsewhere")).await.0, 403, "signed, but of another host");
    assert_eq!(endpoint.asked.all().len(), 2);
    assert!(endpoint.kept().is_empty());
}

#[tokio::test]
async fn a_raw_delivery_needs_a_token_and_a_listed_topic() {
    let topic = "arn:aws:sns:eu-west-1:111122223333:findings";
    let raw = |endpoint: &Endpoint, topic: &str, key: &str| {
        let request = endpoint.http.post(&endpoint.url).header("x-amz-sns-rawdelivery", "true");
        let request = request.header("x-amz-sns-topic-arn", topic).header("x-api-key", key);
        answer(request.body("{\"eventName\":\"DeleteTrail\"}"))
    };
    let open = Endpoint::start(None).await;
    assert_eq!(raw(&open, topic, "any").await.0, 403);
    let endpoint = Endpoint::start(Some("secret")).await;
    assert_eq!(raw(&endpoint, topic, "wrong").await.0, 403);
    assert_eq!(raw(&endpoint, "arn:aws:sns:eu-west-1:111122223333:other", "secret").await.0, 403);
    assert_eq!(raw(&endpoint, topic, "secret").await, (200, json!({"accepted": 1})));
    let asked = endpoint.http.post(&endpoint.url).body("{}").send().await.unwrap();
    assert_eq!(
        (asked.status().as_u16(), &asked.headers()["www-authenticate"]),
        (401, &"Basic realm=\"watchkeep\"".parse().unwrap())
    );
    assert_eq!((open.kept().len(), endpoint.kept().len()), (0, 1));
}
