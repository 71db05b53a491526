//! Records a second that the HTTP input accepts durably: each answer comes after the `fsync` that holds its records.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::bench::Row;
use crate::bench::corpus::Corpus;
use crate::bench::process::{Running, free_address, wait_for};
use crate::data::Data;

const SENDERS: usize = 4;
const BODY_RECORDS: usize = 500;
const SECONDS: u64 = 10;

/// Accepted records a second, and the memory of the process afterwards.
pub fn rows() -> anyhow::Result<Vec<Row>> {
    let data = Data::find(None)?;
    let corpus = Corpus::of(&data, 60_000_000)?;
    let lines = Corpus::head(&corpus.path(), 60_000_000)?;
    let bodies: Vec<String> = lines.chunks(BODY_RECORDS).map(|part| part.join("\n") + "\n").collect();
    let folder = tempfile::tempdir()?;
    let address = free_address()?;
    let config = folder.path().join("watchkeep.toml");
    let text = format!(
        "data_dir = \"{}\"\n[console]\nenabled = false\n[[inputs]]\nname = \"http\"\nkind = \"http\"\nlisten = \"{address}\"\n",
        folder.path().join("data").display()
    );
    std::fs::write(&config, text)?;
    let running = Running::platform(&config)?;
    wait_for(address, 60)?;
    let began = Instant::now();
    let accepted = send(address, &bodies, began + Duration::from_secs(SECONDS))?;
    let rate = accepted as f64 / began.elapsed().as_secs_f64();
    let what = format!(
        "HTTP input: records accepted durably, {SENDERS} senders, bodies of {BODY_RECORDS}, {SECONDS} s, the line evaluating beside it"
    );
    let memory = running.peak_mb().unwrap_or(f64::NAN);
    Ok(vec![
        Row::of(what, format!("{rate:.0} records/s"), "≥ 20,000", Some(rate >= 20_000.0)),
        Row::of(
            "peak resident memory of `watchkeep run` under that load",
            format!("{memory:.0} MB"),
            "< 300 MB",
            Some(memory < 300.0),
        ),
    ])
}

/// Posts on several connections until `end`; gives the accepted records.
fn send(address: SocketAddr, bodies: &[String], end: Instant) -> anyhow::Result<u64> {
    std::thread::scope(|scope| {
        let handles: Vec<_> =
            (0..SENDERS).map(|first| scope.spawn(move || sender(address, bodies, first, end))).collect();
        handles.into_iter().map(|handle| handle.join().expect("a sender panicked")).sum()
    })
}

fn sender(address: SocketAddr, bodies: &[String], first: usize, end: Instant) -> anyhow::Result<u64> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut accepted = 0;
    for body in bodies.iter().cycle().skip(first * bodies.len() / SENDERS) {
        if Instant::now() >= end {
            break;
        }
        let head = format!(
            "POST /v1/records HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-ndjson\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())?;
        match answer(&mut stream)? {
            200..300 => accepted += body.lines().count() as u64,
            429 | 503 => std::thread::sleep(Duration::from_millis(20)),
            status => anyhow::bail!("the input answered {status}"),
        }
    }
    Ok(accepted)
}

/// Reads one answer off a kept connection; gives its status.
fn answer(stream: &mut TcpStream) -> anyhow::Result<u16> {
    let mut held = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let read = stream.read(&mut piece)?;
        anyhow::ensure!(read > 0, "the connection ended in the middle of an answer");
        held.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&held);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        if body.len() >= length.unwrap_or(0) {
            let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
            return status.ok_or_else(|| anyhow::anyhow!("an answer without a status"));
        }
    }
}
