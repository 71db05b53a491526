//! Wiring of the inputs that `receive` holds: from their configuration to tasks that run until told to end.

use std::sync::Arc;

use content::config::{InputConfig, InputKind, S3SqsConfig};
use receive::Intake;
use receive::s3::S3SqsOptions;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::wire::Wiring;
use crate::inputs::Feed;
use crate::inputs::network::JournalIntake;
use crate::line::LineSender;

/// Starts every network input but the HTTP servers.
pub(super) fn start(wiring: &Wiring, line: &LineSender, stop: &CancellationToken) -> Vec<JoinHandle<()>> {
    let inputs = &wiring.settings.config.inputs;
    inputs.iter().filter_map(|input| one(wiring, line, input, stop.clone())).collect()
}

fn one(wiring: &Wiring, line: &LineSender, input: &InputConfig, stop: CancellationToken) -> Option<JoinHandle<()>> {
    let intake = || intake(wiring, line, input);
    Some(match &input.kind {
        InputKind::S3Sqs(config) => tokio::spawn(receive::s3::run(s3_sqs(config), intake(), stop)),
        _ => return None,
    })
}

/// The journal behind an input. It waits for room only until the input itself is told to end.
fn intake(wiring: &Wiring, line: &LineSender, input: &InputConfig) -> Arc<dyn Intake> {
    let feed = Feed { stop: wiring.stop_network.clone(), ..wiring.feed(line, &input.name, Some(input)) };
    Arc::new(JournalIntake::new(feed, wiring.engine.clone(), wiring.journal.clone(), wiring.signals.clone()))
}

fn s3_sqs(config: &S3SqsConfig) -> S3SqsOptions {
    S3SqsOptions {
        queue: config.queue.clone(),
        region: config.region.clone(),
        endpoint: config.endpoint.clone(),
        buckets: config.buckets.clone(),
        objects: config.objects,
        visibility: config.visibility,
        receives_max: config.max_receives,
    }
}
