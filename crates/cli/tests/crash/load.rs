//! Senders that keep posting, and repeat each batch until it is accepted, as shippers do.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

const SENDERS: u64 = 2;
const BATCH: usize = 10;
const PAUSE: Duration = Duration::from_millis(20);

/// Xorshift: small, seeded, good enough to choose points.
pub struct Random(u64);

impl Random {
    /// A sequence of its own for each seed.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number of `range`.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        range.start + self.0 % (range.end - range.start)
    }
}

/// Running senders.
pub struct Load {
    stop: Arc<AtomicBool>,
    count: Arc<AtomicU64>,
    senders: Mutex<Vec<JoinHandle<Vec<String>>>>,
}

impl Load {
    /// Starts posting to `address`.
    pub fn start(address: SocketAddr, seed: u64) -> Load {
        Load::of(address, SENDERS, seed, record)
    }

    /// As [`Load::start`], with so many senders, whose records are made from seed, sender and number.
    pub fn of(address: SocketAddr, senders: u64, seed: u64, make: fn(u64, u64, u64) -> String) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let count = Arc::new(AtomicU64::new(0));
        let senders = (0..senders)
            .map(|sender| {
                let (stop, count) = (stop.clone(), count.clone());
                std::thread::spawn(move || send(address, &|number| make(seed, sender, number), &stop, &count))
            })
            .collect();
        Load { stop, count, senders: Mutex::new(senders) }
    }

    /// Records accepted so far.
    pub fn accepted(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Lets each sender finish its batch; gives every record, each accepted.
    pub fn stop(&self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        let senders = std::mem::take(&mut *self.senders.lock().expect("no sender panicked"));
        senders.into_iter().flat_map(|sender| sender.join().expect("no sender panicked")).collect()
    }
}

fn send(address: SocketAddr, make: &dyn Fn(u64) -> String, stop: &AtomicBool, count: &AtomicU64) -> Vec<String> {
    let mut sent = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let batch: Vec<String> = (0..BATCH).map(|number| make((sent.len() + number) as u64)).collect();
        post_until_accepted(address, &batch);
        count.fetch_add(batch.len() as u64, Ordering::Relaxed);
        sent.extend(batch);
        std::thread::sleep(PAUSE);
    }
    sent
}

/// Posts all records in large batches.
pub fn post_all(address: SocketAddr, records: &[String]) {
    records.chunks(1000).for_each(|batch| post_until_accepted(address, batch));
}

/// A broken connection tells the sender nothing, so it sends again: the same records may arrive twice.
fn post_until_accepted(address: SocketAddr, batch: &[String]) {
    let body = batch.join("\n") + "\n";
    for _ in 0..6000 {
        match post(address, &body) {
            Ok(status) if status < 300 => return,
            Ok(status) if status != 429 && status != 503 => panic!("the input answered {status}"),
            _ => std::thread::sleep(Duration::from_millis(20)),
        }
    }
    panic!("nobody accepted a batch for two minutes");
}

/// The status of one POST.
fn post(address: SocketAddr, body: &str) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let head = format!(
        "POST /v1/records HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-ndjson\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let text = String::from_utf8_lossy(&answer);
    text.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(std::io::ErrorKind::UnexpectedEof.into())
}

/// A CloudTrail record. One in 20 raises an alert of its own, another one in 20 joins an alert that folds them all.
fn record(seed: u64, sender: u64, number: u64) -> String {
    let name = match number % 20 {
        3 => "CrashProbeOwn",
        11 => "CrashProbeFolded",
        _ => "CrashProbeQuiet",
    };
    format!(
        r#"{{"eventVersion":"1.08","userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/probe","accountId":"111122223333","principalId":"AIDAEXAMPLE","userName":"probe"}},"eventTime":"2026-11-01T12:{:02}:{:02}Z","eventSource":"probe.amazonaws.com","eventName":"{name}","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.7","userAgent":"crash","requestParameters":{{"probe":"{sender}-{number}"}},"responseElements":null,"requestID":"r-{sender}-{number}","eventID":"{seed:08x}-{sender:04}-4000-8000-{number:012}","eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333"}}"#,
        number / 60 % 60,
        number % 60,
    )
}
