//! From many connections into the journal: what comes while one batch is made durable is the next batch.
//!
//! Bound: [`WAITING`] reads, each of [`READ_BYTES`] and one message. When full: connections are not read on, and senders wait; datagrams wait in the
//! kernel, and it counts what it drops.

use std::sync::Arc;

use bytes::Bytes;
use engine::Format;
use model::Reject;
use tokio::sync::mpsc;

use super::framing::{Whole, one_line};
use crate::intake::{Intake, IntakeError, blocking};
use crate::trouble::Trouble;

pub(super) const READ_BYTES: usize = 64 << 10;
const WAITING: usize = 64;
const BATCH_BYTES: usize = 1 << 20;
const LOST: &str = "Messages of syslog were lost";

/// What one read brought.
#[derive(Debug, Default)]
pub(super) struct Messages {
    whole: Vec<Bytes>,
    broken: Vec<(Bytes, Reject)>,
    bytes: usize,
}

impl Messages {
    pub fn push(&mut self, message: &[u8], whole: Whole) {
        let line = Bytes::from(one_line(message));
        self.bytes += line.len();
        match whole {
            Whole::Yes => self.whole.push(line),
            Whole::TooLong => self.broken.push((line, Reject::TooLarge)),
            Whole::Cut => self.broken.push((line, Reject::Truncated)),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.broken.is_empty()
    }

    /// Is it as much as one read of a stream brings?
    pub fn is_full(&self) -> bool {
        self.bytes >= READ_BYTES
    }

    fn add(&mut self, other: Messages) {
        self.whole.extend(other.whole);
        self.broken.extend(other.broken);
        self.bytes += other.bytes;
    }
}

pub(super) type Sender = mpsc::Sender<Messages>;

pub(super) fn channel() -> (Sender, mpsc::Receiver<Messages>) {
    mpsc::channel(WAITING)
}

/// Makes durable what comes until every sender is gone.
pub(super) async fn collect(mut come: mpsc::Receiver<Messages>, intake: Arc<dyn Intake>, trouble: Trouble) {
    let mut lost = 0;
    while let Some(mut batch) = come.recv().await {
        while batch.bytes < BATCH_BYTES
            && let Ok(more) = come.try_recv()
        {
            batch.add(more);
        }
        let count = batch.whole.len() + batch.broken.len();
        if let Err(error) = blocking(&intake, move |intake| take(intake, &batch)).await {
            lost += count;
            if !matches!(error, IntakeError::Stopped) {
                let message = format!("{count} or fewer: {error}; syslog has no way to ask for them again");
                trouble.say(LOST, "", message).await;
            }
        }
    }
    if lost > 0 {
        let message = format!(
            "{lost} or fewer were read and found no room before the end; syslog has no way to ask for them again"
        );
        trouble.say(LOST, "at the end", message).await;
    }
}

fn take(intake: &dyn Intake, batch: &Messages) -> Result<(), IntakeError> {
    if !batch.whole.is_empty() {
        intake.payloads(&batch.whole, Format::Lines)?;
    }
    batch.broken.iter().try_for_each(|(bytes, reason)| intake.keep(bytes, *reason))
}
