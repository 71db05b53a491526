//! What a person needs to know when the platform has started: on standard output, once.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;

use content::config::{Config, InputKind, RouteKind};
use engine::Engine;

use crate::context::{Context, stdout};
use crate::status::Failure;

/// Prints it.
pub fn print(
    context: &Context,
    config: &Config,
    engine: &Engine,
    console: Option<SocketAddr>,
    token: Option<&str>,
    addresses: &BTreeMap<String, SocketAddr>,
) -> Result<(), Failure> {
    let paint = context.paint;
    let mut out = stdout();
    writeln!(out, "{} {}", paint.bold("Watchkeep"), env!("CARGO_PKG_VERSION"))?;
    match console {
        Some(address) => writeln!(out, "console   {}", paint.bold(format!("http://{address}/")))?,
        None => writeln!(out, "console   off")?,
    }
    match token {
        Some(token) if console.is_some() => {
            writeln!(out, "token     {}  (shown this once; `run --new-token` makes another)", paint.bold(token))?;
        }
        _ => {}
    }
    writeln!(out, "data      {}", config.data_dir.display())?;
    writeln!(out, "content   {} rules, {} sources", engine.rules().len(), engine.sources().len())?;
    for input in &config.inputs {
        writeln!(out, "input     {:<16} {}", input.name, describe_input(&input.kind, addresses.get(&input.name)))?;
    }
    for route in &config.routes {
        writeln!(out, "route     {:<16} {} from {}", route.name, describe_route(config, &route.kind), route.min_level)?;
    }
    if config.inputs.iter().any(|input| matches!(input.kind, InputKind::Samples { .. })) {
        let notice =
            "the shipped sample telemetry is playing, on lane `sample`; `inputs` in watchkeep.toml replaces it";
        writeln!(out, "{}    {notice}", paint.warn("notice"))?;
    }
    writeln!(out, "Ctrl-C stops it.")?;
    Ok(out.flush()?)
}

fn describe_input(kind: &InputKind, address: Option<&SocketAddr>) -> String {
    match kind {
        InputKind::Http { listen, token } => {
            let address = address.unwrap_or(listen);
            let with = if token.is_some() { "with token" } else { "without token, this machine only" };
            format!("http://{address}/v1/records and /services/collector ({with})")
        }
        InputKind::Otlp(config) => {
            let address = address.unwrap_or(&config.listen);
            let with = if config.token.is_some() { "with token" } else { "without token, this machine only" };
            format!("OTLP over {} on {address} ({with})", config.protocol.as_str())
        }
        InputKind::Sns(config) => {
            let address = address.unwrap_or(&config.listen);
            let with = if config.token.is_some() { "with token" } else { "without token, this machine only" };
            format!("SNS on http://{address}/v1/sns, {} topics ({with})", config.topics.len())
        }
        InputKind::File { path } => format!("file {}", path.display()),
        InputKind::Folder { path } => format!("folder {}", path.display()),
        InputKind::Watch { path, .. } => format!("watches {}", path.display()),
        InputKind::S3Sqs(config) => format!("objects of S3 that {} tells of", config.queue),
        InputKind::Syslog(config) => {
            format!("syslog over {} on {}", config.protocol.as_str(), address.unwrap_or(&config.listen))
        }
        InputKind::Kafka(config) => {
            format!("topics {} of Kafka at {}", config.topics.join(", "), config.brokers.join(", "))
        }
        InputKind::Poll(config) => format!("asks the API of feed {}", config.feed),
        InputKind::Nats(config) => format!("stream {} of NATS at {}", config.stream, config.servers.join(", ")),
        InputKind::Stdin => "standard input".to_owned(),
        InputKind::Samples { .. } => "shipped sample telemetry".to_owned(),
    }
}

fn describe_route(config: &Config, kind: &RouteKind) -> String {
    match kind {
        RouteKind::NdjsonFile { path } => format!("file {}", config.in_data_dir(path).display()),
        RouteKind::Webhook { url, .. } => format!("webhook {url}"),
        RouteKind::SplunkHec { url, .. } => format!("splunk {url}"),
    }
}
