//! Answers to requests that were taken.

use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message;
use serde_json::json;

use crate::{Encoding, Signal};

/// The media type of an encoding.
pub fn content_type(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Protobuf => "application/x-protobuf",
        Encoding::Json => "application/json",
    }
}

/// The answer to a request whose records are durable, but for `left_out` that are not taken and need not come again.
pub fn answer(signal: Signal, encoding: Encoding, left_out: u64) -> Vec<u8> {
    let rejected = i64::try_from(left_out).unwrap_or(i64::MAX);
    let why = if left_out > 0 { format!("{left_out} are too long, or cannot be read") } else { String::new() };
    match (encoding, signal) {
        (Encoding::Json, _) if left_out == 0 => b"{}".to_vec(),
        (Encoding::Json, _) => {
            let key = if signal == Signal::Logs { "rejectedLogRecords" } else { "rejectedSpans" };
            json!({"partialSuccess": {key: rejected.to_string(), "errorMessage": why}}).to_string().into_bytes()
        }
        (Encoding::Protobuf, Signal::Logs) => {
            let partial = ExportLogsPartialSuccess { rejected_log_records: rejected, error_message: why };
            ExportLogsServiceResponse { partial_success: (left_out > 0).then_some(partial) }.encode_to_vec()
        }
        (Encoding::Protobuf, Signal::Traces) => {
            let partial = ExportTracePartialSuccess { rejected_spans: rejected, error_message: why };
            ExportTraceServiceResponse { partial_success: (left_out > 0).then_some(partial) }.encode_to_vec()
        }
    }
}
