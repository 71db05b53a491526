//! As much of S3 and SQS as the tests of this folder speak to: one request a connection, answers that a test sets.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the servers have and saw.
#[derive(Default)]
pub struct State {
    /// Receipt, body, and how often it was received.
    pub messages: VecDeque<(String, String, u32)>,
    /// Status, body, and how many bytes the answer promises.
    pub objects: BTreeMap<String, (u16, Vec<u8>, usize)>,
    pub fetched: Vec<String>,
    /// Receipts, each with what `taken` said then.
    pub deleted: Vec<(String, usize)>,
    /// Receipts and seconds.
    pub hidden: Vec<(String, i64)>,
    /// Asked at each deletion.
    pub taken: Option<Arc<dyn Fn() -> usize + Send + Sync>>,
    /// Refuse every request of the queue.
    pub is_away: bool,
}

#[derive(Clone)]
pub struct FakeAws {
    pub address: String,
    state: Arc<Mutex<State>>,
}

impl FakeAws {
    pub async fn start() -> FakeAws {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let fake = FakeAws { address, state: Arc::default() };
        let serving = fake.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let fake = serving.clone();
                tokio::spawn(async move { fake.answer(stream).await });
            }
        });
        fake
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn put(&self, path: &str, status: u16, body: &str) {
        self.state().objects.insert(path.to_owned(), (status, body.into(), body.len()));
    }

    pub fn send(&self, receipt: &str, body: impl ToString, receives: u32) {
        self.state().messages.push_back((receipt.to_owned(), body.to_string(), receives));
    }

    /// Waits until `is` holds.
    pub async fn until(&self, is: impl Fn(&State) -> bool) {
        for _ in 0..2000 {
            if is(&self.state()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let state = self.state();
        panic!(
            "it never came to that: deleted {:?}, hidden {:?}, fetched {:?}",
            state.deleted, state.hidden, state.fetched
        );
    }

    async fn answer(&self, mut stream: TcpStream) {
        let Some((head, body)) = request(&mut stream).await else { return };
        let target = head.lines().find_map(|line| line.strip_prefix("x-amz-target: AmazonSQS.")).map(str::to_owned);
        let path = head.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default().to_owned();
        let (status, answer, promised) = match target {
            Some(action) => {
                let (status, answer) = self.queue(&action, &serde_json::from_slice(&body).unwrap_or_default());
                let text = answer.to_string().into_bytes();
                let len = text.len();
                (status, text, len)
            }
            None => {
                let mut state = self.state();
                state.fetched.push(path.clone());
                let missing = || (404, b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>".to_vec(), 60);
                state.objects.get(&path).cloned().unwrap_or_else(missing)
            }
        };
        if answer == b"{}" && status == 200 {
            // An empty queue holds the request open a little.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {promised}\r\nconnection: close\r\n\r\n");
        let _ = stream.write_all(head.as_bytes()).await;
        let _ = stream.write_all(&answer).await;
        if promised > answer.len() && promised == usize::MAX >> 1 {
            // A body that stalls.
            std::future::pending::<()>().await;
        }
    }

    fn queue(&self, action: &str, asked: &Value) -> (u16, Value) {
        let mut state = self.state();
        if state.is_away {
            return (403, json!({"__type": "com.amazonaws.sqs#AccessDenied", "message": "no"}));
        }
        let receipt = asked["ReceiptHandle"].as_str().unwrap_or_default().to_owned();
        match action {
            "ReceiveMessage" => {
                let count = usize::try_from(asked["MaxNumberOfMessages"].as_u64().unwrap_or(1)).unwrap();
                let count = count.min(state.messages.len());
                let messages: Vec<Value> = state
                    .messages
                    .drain(..count)
                    .map(|(receipt, body, receives)| {
                        json!({"MessageId": receipt, "ReceiptHandle": receipt, "Body": body,
                           "Attributes": {"ApproximateReceiveCount": receives.to_string()}})
                    })
                    .collect();
                return (200, if messages.is_empty() { json!({}) } else { json!({"Messages": messages}) });
            }
            "DeleteMessage" => {
                let taken = state.taken.as_ref().map_or(0, |taken| taken());
                state.deleted.push((receipt, taken));
            }
            "ChangeMessageVisibility" => {
                let seconds = asked["VisibilityTimeout"].as_i64().unwrap_or(-1);
                state.hidden.push((receipt, seconds));
            }
            other => panic!("the queue is not asked to {other}"),
        }
        (200, json!({}))
    }
}

async fn request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut held = Vec::new();
    loop {
        if let Some(end) = held.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&held[..end]).into_owned();
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let end = end + 4;
            if held.len() >= end + length.unwrap_or(0) {
                return Some((head, held.split_off(end)));
            }
        }
        if stream.read_buf(&mut held).await.ok()? == 0 {
            return None;
        }
    }
}
