//! Fetches one object and hands its bytes on as they come.

use std::sync::Arc;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use tokio_util::sync::CancellationToken;

use super::clients::S3Clients;
use super::notice::Object;
use crate::intake::{Intake, IntakeError, blocking};
use crate::pipe::pipe;
use crate::trouble::told;

/// How fetching an object ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fetched {
    /// All of it is durable; so many records.
    Whole(u64),
    /// It is not there, or cannot be read as it lies; trying again changes nothing.
    Gone(String),
    /// We may not read it, or not decrypt it. Somebody must change that.
    Denied(String),
    /// It failed this time.
    Failed(String),
    /// The input was told to end.
    Stopped,
}

pub(super) async fn fetch(
    clients: &S3Clients,
    intake: &Arc<dyn Intake>,
    object: &Object,
    stop: &CancellationToken,
) -> Fetched {
    let client = clients.of(object.region.as_deref());
    let request = client.get_object().bucket(&object.bucket).key(&object.key);
    let request = request.set_version_id(object.version.clone()).send();
    let answered = tokio::select! {
        () = stop.cancelled() => return Fetched::Stopped,
        answered = request => answered,
    };
    match answered {
        Ok(output) => hand_on(output, intake, stop).await,
        Err(error) => refused(&error),
    }
}

/// Reads the body while it is taken in. Neither runs ahead of the other by more than some pieces.
async fn hand_on(mut output: GetObjectOutput, intake: &Arc<dyn Intake>, stop: &CancellationToken) -> Fetched {
    let (writer, mut reader) = pipe();
    let taking = blocking(intake, move |intake| intake.stream(&mut reader));
    let reading = async move {
        loop {
            let piece = tokio::select! {
                () = stop.cancelled() => return,
                piece = output.body.next() => piece,
            };
            match piece {
                Some(Ok(bytes)) => {
                    if !writer.write(bytes).await {
                        return;
                    }
                }
                Some(Err(error)) => return writer.break_off(error).await,
                None => return writer.end().await,
            }
        }
    };
    let ((), taken) = tokio::join!(reading, taking);
    match taken {
        Ok(records) => Fetched::Whole(records),
        Err(IntakeError::Stopped) => Fetched::Stopped,
        Err(_) if stop.is_cancelled() => Fetched::Stopped,
        Err(error) => Fetched::Failed(error.to_string()),
    }
}

fn refused(error: &SdkError<GetObjectError>) -> Fetched {
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    let code = error.code().unwrap_or("no code");
    let said = format!("{status} {code}: {}", error.message().unwrap_or("no message"));
    match (status, code) {
        // 405 is what S3 answers for a version that is a mark of deletion.
        (404, _) | (405, "MethodNotAllowed") => Fetched::Gone(said),
        (403, "InvalidObjectState") => {
            Fetched::Gone(format!("{said} (it is archived; restore it and it is told of again)"))
        }
        // A clock that is wrong or keys that have just ended say nothing of the object.
        (403, "RequestTimeTooSkewed" | "ExpiredToken") | (400, "ExpiredToken") => Fetched::Failed(said),
        (403, _) => Fetched::Denied(said),
        (400, code) if code.starts_with("KMS.") => Fetched::Denied(said),
        (0, _) => Fetched::Failed(told(error)),
        _ => Fetched::Failed(said),
    }
}
