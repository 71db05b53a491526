//! What an input needs of whoever makes records durable.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;
use engine::Format;
use model::Reject;

/// Takes in what one input receives. Every call blocks until its bytes are durable, however long there is no room for them.
pub trait Intake: Send + Sync + 'static {
    /// Reads `stream` to its end (plain, gzip or zstd; any framing) and makes every record of it durable; says how many. Where the packing
    /// is broken, the records before the break and a reject are what the stream came to.
    ///
    /// Errors: [`IntakeError`]; what was made durable before stays so, and comes again with the stream.
    fn stream(&self, stream: &mut (dyn Read + Send)) -> Result<u64, IntakeError>;

    /// Makes the records of some messages durable, each message a stream of its own; says how many.
    ///
    /// Errors: as [`Intake::stream`].
    fn payloads(&self, payloads: &[Bytes], format: Format) -> Result<u64, IntakeError>;

    /// Makes bytes durable that are no record, beside the reason.
    ///
    /// Errors: as [`Intake::stream`].
    fn keep(&self, bytes: &[u8], reason: Reject) -> Result<(), IntakeError>;

    /// Keeps how far the input has read what `key` names, instead of what was kept there. Call it only with what is durable.
    ///
    /// Errors: as [`Intake::stream`].
    fn remember(&self, key: &str, position: &str) -> Result<(), IntakeError>;

    /// What was kept under `key`, in this process or one before it.
    ///
    /// Errors: as [`Intake::stream`].
    fn recall(&self, key: &str) -> Result<Option<String>, IntakeError>;

    /// Says in the log, and as an alert about ourselves, that the input has trouble.
    fn trouble(&self, title: &str, message: &str);
}

/// Why something was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The input was told to end.
    #[error("the input was told to end")]
    Stopped,
    /// The stream broke off.
    #[error("it broke off: {0}")]
    Read(#[from] io::Error),
    /// It is refused, now and later.
    #[error("it is refused: {0}")]
    Refused(String),
}

/// Runs `work` on a thread that may block. A panic says where it was in the log and refuses.
pub(crate) async fn blocking<T: Send + 'static>(
    intake: &Arc<dyn Intake>,
    work: impl FnOnce(&dyn Intake) -> Result<T, IntakeError> + Send + 'static,
) -> Result<T, IntakeError> {
    let intake = intake.clone();
    let working = tokio::task::spawn_blocking(move || work(&*intake));
    working.await.unwrap_or_else(|_| Err(IntakeError::Refused("taking it in failed inside Watchkeep".to_owned())))
}
