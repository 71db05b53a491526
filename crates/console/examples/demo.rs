//! The console over a store with an evening's alerts in it, for looking at pages and for browser tests.
//!
//! `demo [--many N] [--hostile]`: makes a store in a temporary directory, prints the address and the token, serves until it is ended.

#![allow(clippy::print_stdout, missing_docs)]

use std::net::SocketAddr;
use std::sync::Arc;

use console::{Auth, ConsoleConfig, ConsoleState};
use model::Time;

#[allow(dead_code)]
#[path = "../tests/it/seed.rs"]
mod seed;

fn clock() -> Time {
    // The seed's alerts lie before a fixed time; the demo goes on from there at the machine's pace.
    static STARTED: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    let started = STARTED.get_or_init(std::time::Instant::now);
    seed::now().plus_millis(i64::try_from(started.elapsed().as_millis()).expect("a demo ends within an age"))
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = seed::open(dir.path());
    let mut catalogue = seed::evening(&store);
    seed::over_time::tell(&store, &mut catalogue);
    if arguments.iter().any(|argument| argument == "--hostile") {
        seed::hostile(&store, &catalogue);
        seed::over_time::hostile(&store, &catalogue);
    }
    let many = arguments.iter().skip_while(|argument| *argument != "--many").nth(1).and_then(|n| n.parse().ok());
    if let Some(n) = many {
        seed::many(&store, &catalogue, n);
    }
    let (auth, token) = Auth::open(dir.path()).expect("a token");
    let config = ConsoleConfig {
        sample_notice: arguments.iter().any(|argument| argument == "--sample"),
        ..ConsoleConfig::default()
    };
    let state =
        ConsoleState { store, catalogue: Arc::new(catalogue), auth: Arc::new(auth), clock, config: Arc::new(config) };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    println!("console http://{address}/");
    println!("token   {}", token.expect("a new directory makes a new token"));
    let service = console::router(state).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await.expect("serves");
}
