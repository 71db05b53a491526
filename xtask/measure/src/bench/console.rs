//! Pages of the console over a store of 100,000 alerts, as a signed-in browser asks for them.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use model::{
    Entity, EntityKind, EventId, Finding, FoldKey, Lane, Ledger, Level, MatchedTerm, RuleId, RuleKind, SourceId, Time,
};
use store::{Evidence, Raised, Settlement, Store};

use crate::bench::process::{Running, free_address, wait_for};
use crate::bench::{Row, median};

const ALERTS: u64 = 100_000;
const BATCH: u64 = 2_000;
const ROUNDS: usize = 15;

/// The slowest of the pages that an analyst lives on, and each of them.
pub fn rows() -> anyhow::Result<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    std::fs::create_dir_all(&data)?;
    let alert = seed(&data)?;
    let (token, address) = (console::Auth::renew(&data)?, free_address()?);
    let config = folder.path().join("watchkeep.toml");
    let text =
        format!("data_dir = \"{}\"\ninputs = []\nroutes = []\n[console]\nlisten = \"{address}\"\n", data.display());
    std::fs::write(&config, text)?;
    let _running = Running::platform(&config)?;
    wait_for(address, 60)?;
    let cookie = sign_in(address, &token)?;
    let pages = [
        ("queue", "/".to_owned()),
        ("queue, filtered by level and text", "/?level=high&text=bucket-77".to_owned()),
        ("queue, page 400", "/?page=400".to_owned()),
        ("alert", format!("/alerts/{alert}")),
        ("sources", "/sources".to_owned()),
        ("ledger", "/ledger".to_owned()),
        ("rules", "/rules".to_owned()),
    ];
    pages.into_iter().map(|(name, path)| page(address, &cookie, name, &path)).collect()
}

fn page(address: SocketAddr, cookie: &str, name: &str, path: &str) -> anyhow::Result<Row> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let answer = ask(
            address,
            &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"),
        )?;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
        anyhow::ensure!(
            answer.starts_with("HTTP/1.1 200"),
            "{path} answered {}",
            answer.lines().next().unwrap_or_default()
        );
    }
    let worst = times.iter().copied().fold(0.0, f64::max);
    let what = format!("console, {name}, {ALERTS} alerts (median of {ROUNDS}; slowest)");
    Ok(Row::of(what, format!("{:.1} ms; {worst:.1} ms", median(times)), "< 100 ms", Some(worst < 100.0)))
}

/// The session's cookie, by way of the form that people use.
fn sign_in(address: SocketAddr, token: &str) -> anyhow::Result<String> {
    let form = ask(address, &format!("GET /login HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"))?;
    let nonce = cookies(&form);
    let csrf = nonce.split_once('=').map_or("", |(_, value)| value);
    let body = format!("csrf={csrf}&user=bench&token={token}");
    let post = format!(
        "POST /login HTTP/1.1\r\nHost: {address}\r\nCookie: {nonce}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let answer = ask(address, &post)?;
    let session = cookies(&answer);
    anyhow::ensure!(answer.starts_with("HTTP/1.1 303") && !session.is_empty(), "the console refused its own token");
    Ok(session)
}

/// What an answer sets, the last of them: `name=value`.
fn cookies(answer: &str) -> String {
    let head = answer.split("\r\n\r\n").next().unwrap_or_default();
    let set = head
        .lines()
        .filter_map(|line| line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")));
    let mut pairs = set.filter_map(|(_, value)| value.split(';').next()).filter(|pair| !pair.ends_with('='));
    pairs.next_back().unwrap_or_default().to_owned()
}

fn ask(address: SocketAddr, request: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Fills a store with alerts of their own; gives the id of one.
fn seed(folder: &Path) -> anyhow::Result<String> {
    let store = Store::open(folder)?;
    let mut last = None;
    for first in (0..ALERTS).step_by(BATCH as usize) {
        let findings = (first..first + BATCH).map(raised).collect();
        let settlement = Settlement {
            input: "bench".into(),
            findings,
            ledger: Ledger::default(),
            now: time(first),
            ..Settlement::default()
        };
        last = store.settle(settlement, &[])?.opened.last().map(ToString::to_string).or(last);
    }
    last.ok_or_else(|| anyhow::anyhow!("no alert was opened"))
}

fn time(number: u64) -> Time {
    Time::from_millis(1_795_000_000_000 + number as i64 * 2_000)
}

/// A finding as the line would raise it, different in each of its parts from the one before.
fn raised(number: u64) -> Raised {
    let event = EventId::of(&[b"bench", &number.to_be_bytes()]);
    let rule = RuleId::new(format!("00000000-0000-4000-8000-{:012}", number % 40));
    let level = Level::ALL[number as usize % Level::ALL.len()];
    let bucket = format!("bucket-{}", number % 997);
    let finding = Finding {
        finding_id: Finding::id_of(&rule, "0123456789abcdef", &[event]),
        rule_id: rule,
        rule_title: format!("Bench Rule {}", number % 40),
        rule_revision: "0123456789abcdef".into(),
        level,
        kind: RuleKind::Alert,
        source: SourceId::new("aws_cloudtrail"),
        event_time: time(number),
        received: time(number),
        event_ids: vec![event],
        entities: vec![Entity {
            kind: EntityKind::Principal,
            key: format!("arn:aws:iam::111122223333:user/u{}", number % 313),
        }],
        techniques: vec!["T1530".into()],
        message: format!("arn:aws:iam::111122223333:user/u{} read {bucket}/{number}", number % 313),
        lane: Lane::Live,
        fold: FoldKey { by: vec![("number".into(), number.to_string())], window_ms: 1 },
        matched: vec![MatchedTerm {
            search: "selection".into(),
            field: "eventName".into(),
            test: "equals \"GetObject\"".into(),
            value: "GetObject".into(),
        }],
        columns: BTreeMap::from([("api.operation".to_owned(), "GetObject".to_owned())]),
        window: None,
        context: Vec::new(),
    };
    let raw = format!(
        "{{\"eventName\":\"GetObject\",\"requestParameters\":{{\"bucketName\":\"{bucket}\",\"key\":\"{number}\"}}}}"
    );
    let evidence = vec![Evidence { event_id: event, source: finding.source.clone(), raw }];
    Raised { finding, evidence, input: "bench".into() }
}
