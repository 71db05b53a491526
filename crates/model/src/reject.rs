use std::fmt;

use serde::{Deserialize, Serialize};

/// Why bytes did not become an event. Small, `Copy`, and a closed set: it labels metrics and ledger rows.
///
/// The bytes themselves are kept beside the reason; a reject never stops the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reject {
    /// The record is longer than `limits.record_bytes`.
    TooLarge,
    /// Objects or arrays are nested deeper than `limits.depth`.
    TooDeep,
    /// The bytes are not UTF-8.
    NotUtf8,
    /// The text is not JSON (RFC 8259); `NaN` and `Infinity` are not.
    NotJson,
    /// The record ends before its JSON value does.
    Truncated,
    /// A key that a rule or mapping reads stands twice in one object, so two readers could see two different records.
    DuplicateKey,
    /// No source recognises the record.
    UnknownSource,
    /// The record was said to be of one source and is not.
    WrongSource,
    /// The event time cannot be read.
    BadTime,
    /// A text line does not have the fields of its source's format.
    BadLine,
    /// The program of its source (`remap`) gave the record up, took too many steps, or made no object of it.
    BadRemap,
    /// The compressed stream is broken or ends early.
    BadCompression,
    /// A record, or a part, of a binary log file is damaged.
    Damaged,
    /// What a message names could not be fetched, or the message names nothing; the bytes are the message or the name.
    Unfetched,
    /// Evaluation failed inside Watchkeep; the record is kept and an alert about ourselves says so.
    Internal,
}

impl Reject {
    /// Every reason.
    pub const ALL: [Reject; 15] = [
        Reject::TooLarge,
        Reject::TooDeep,
        Reject::NotUtf8,
        Reject::NotJson,
        Reject::Truncated,
        Reject::DuplicateKey,
        Reject::UnknownSource,
        Reject::WrongSource,
        Reject::BadTime,
        Reject::BadLine,
        Reject::BadRemap,
        Reject::BadCompression,
        Reject::Damaged,
        Reject::Unfetched,
        Reject::Internal,
    ];

    /// The reason as a label: `too_large`, `not_json`, ….
    pub fn as_str(self) -> &'static str {
        match self {
            Reject::TooLarge => "too_large",
            Reject::TooDeep => "too_deep",
            Reject::NotUtf8 => "not_utf8",
            Reject::NotJson => "not_json",
            Reject::Truncated => "truncated",
            Reject::DuplicateKey => "duplicate_key",
            Reject::UnknownSource => "unknown_source",
            Reject::WrongSource => "wrong_source",
            Reject::BadTime => "bad_time",
            Reject::BadLine => "bad_line",
            Reject::BadRemap => "bad_remap",
            Reject::BadCompression => "bad_compression",
            Reject::Damaged => "damaged",
            Reject::Unfetched => "unfetched",
            Reject::Internal => "internal",
        }
    }

    /// Reads a label.
    pub fn parse(label: &str) -> Option<Reject> {
        Reject::ALL.into_iter().find(|reason| reason.as_str() == label)
    }

    /// What is wrong, in a sentence for a person.
    pub fn explain(self) -> &'static str {
        match self {
            Reject::TooLarge => "the record is longer than `limits.record_bytes`",
            Reject::TooDeep => "objects or arrays are nested deeper than `limits.depth`",
            Reject::NotUtf8 => "the bytes are not UTF-8",
            Reject::NotJson => "the text is not JSON",
            Reject::Truncated => "the record ends before its JSON value does",
            Reject::DuplicateKey => "a key stands twice in one object",
            Reject::UnknownSource => "no source recognises the record",
            Reject::WrongSource => "the record is not of the source that its input names",
            Reject::BadTime => "the event time cannot be read",
            Reject::BadLine => "the line does not have the fields of its source's format",
            Reject::BadRemap => {
                "the program of its source gave the record up, took too many steps, or made no object of it"
            }
            Reject::BadCompression => "the compressed stream is broken or ends early",
            Reject::Damaged => "a part of the binary log file is damaged",
            Reject::Unfetched => "what the message names could not be fetched",
            Reject::Internal => "evaluation failed inside Watchkeep",
        }
    }

    /// What the sender or operator can do about it.
    pub fn remedy(self) -> &'static str {
        match self {
            Reject::TooLarge => "split the record at its producer, or raise `limits.record_bytes`",
            Reject::TooDeep => "flatten the record at its producer, or raise `limits.depth`",
            Reject::NotUtf8 => "send UTF-8; check the shipper's encoding",
            Reject::NotJson => "send one JSON value a record; `NaN` and `Infinity` are not JSON",
            Reject::Truncated => "send the record again; check the shipper's line limit",
            Reject::DuplicateKey => "send each key once; treat a producer that does not as suspect",
            Reject::UnknownSource => "name the source of the input, or add a source that recognises the record",
            Reject::WrongSource => "correct the input's `source`, or set it to `auto`",
            Reject::BadTime => "check the `time` paths in the source's `source.yml` against the record",
            Reject::BadLine => "compare the line with the source's sample",
            Reject::BadRemap => "run the program in `remap:` of the source's `source.yml` on the record",
            Reject::BadCompression => "send the file again; the records before the break were read",
            Reject::Damaged => "export the log again; the records around the damage were read",
            Reject::Unfetched => {
                "put the object back and send its notification again; see the alerts about the input for why"
            }
            Reject::Internal => "report it with the record's digest; the record is kept",
        }
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
