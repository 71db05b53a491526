//! Content-minimising: what of a record is not kept, and what stands in its place.
//!
//! In: a record and the `sensitive` paths of its source. Out: where their values stand, and marks that say how long a value is and, by a
//! digest under a key of the site, whether it is the same as another. A path stands for all that is below it, nested or as a key with
//! dots (`llm.input_messages.0.message.content`). Bound: one pass over records that may have such keys, a look at each path of the others.

mod below;

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use model::Digest;
use sha2::Sha256;

use crate::field::{Field, FieldsBuilder};
use crate::record::{Record, Scalar};
use crate::source::Source;

use below::Below;

/// Where something stands in a raw record: its first byte, and the one behind its last.
pub(crate) type Span = (usize, usize);

/// The secret with which a site's digests of sensitive values are made (HMAC-SHA-256, RFC 2104): who does not have it cannot find
/// out by trying whether a guess is what was said.
#[derive(Clone, PartialEq, Eq)]
pub struct ContentKey([u8; 32]);

impl ContentKey {
    /// The key of these bytes, which should be random.
    pub fn new(bytes: [u8; 32]) -> ContentKey {
        ContentKey(bytes)
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentKey(…)")
    }
}

/// Writes what stands in place of a value. Without a key its digest is a plain one, which is for the eyes of those who have the record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marker(Option<ContentKey>);

impl Marker {
    pub fn with(key: ContentKey) -> Marker {
        Marker(Some(key))
    }

    /// The digest of a value, as it is written in its record.
    pub fn digest(&self, value: &str) -> Digest {
        let Some(ContentKey(key)) = &self.0 else { return Digest::of(value.as_bytes()) };
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.update(value.as_bytes());
        Digest(mac.finalize().into_bytes().into())
    }

    /// A mark in a line of text, and wherever a value is shown.
    pub fn text(&self, value: &str) -> String {
        format!("[redacted:{}:{}]", value.len(), self.digest(value))
    }

    /// A mark in a JSON record: an object.
    pub fn json(&self, value: &str) -> String {
        let digest = if self.0.is_some() { "hmac_sha256" } else { "sha256" };
        format!("{{\"redacted\":true,\"bytes\":{},\"{digest}\":\"{}\"}}", value.len(), self.digest(value))
    }
}

/// The sensitive paths of a source, ready to be looked for.
#[derive(Debug)]
pub(crate) struct Guard {
    fields: Vec<Field>,
    below: Option<Below>,
    pub marker: Marker,
}

impl Guard {
    pub fn compile(source: &Source, fields: &mut FieldsBuilder) -> Guard {
        Guard {
            fields: source.sensitive.iter().map(|path| fields.intern(path)).collect(),
            below: Below::compile(source),
            marker: Marker::default(),
        }
    }

    /// Where the sensitive values of a record stand: in order, none within another. `null` and empty texts, which say nothing, are left.
    pub fn spans(&self, record: &Record<'_>) -> Vec<Span> {
        let mut spans: Vec<Span> = self.fields.iter().flat_map(|field| told(record, *field)).collect();
        if let Some(below) = self.below.as_ref().filter(|_| !record.is_text()) {
            below.spans(record.raw(), &mut spans);
        }
        spans.sort_unstable_by_key(|(start, end)| (*start, std::cmp::Reverse(*end)));
        let mut reached = 0;
        spans.retain(|(start, end)| {
            let is_outer = *start >= reached;
            reached = reached.max(*end);
            is_outer
        });
        spans
    }

    /// The record with a mark in place of each of `spans`.
    pub fn redacted(&self, record: &Record<'_>, spans: &[Span]) -> String {
        let raw = record.raw();
        let mut text = String::with_capacity(raw.len());
        let mut at = 0;
        for &(start, end) in spans {
            text.push_str(&raw[at..start]);
            let value = &raw[start..end];
            text.push_str(&if record.is_text() { self.marker.text(value) } else { self.marker.json(value) });
            at = end;
        }
        text.push_str(&raw[at..]);
        text
    }
}

/// Does what stands at `span` hold, or belong to, what stands at one of `spans`, which are in order and apart?
pub(crate) fn touches(spans: &[Span], span: Span) -> bool {
    let next = spans.partition_point(|(_, end)| *end <= span.0);
    spans.get(next).is_some_and(|(start, _)| *start < span.1)
}

fn told<'r>(record: &'r Record<'_>, field: Field) -> impl Iterator<Item = Span> + 'r {
    let spans = record.spans(field).zip(record.values(field));
    spans.filter(|(_, value)| !matches!(value, Scalar::Null | Scalar::Str(""))).map(|(span, _)| span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_under_a_key_is_not_the_plain_one_and_is_the_same_each_time() {
        let (plain, keyed) = (Marker::default(), Marker::with(ContentKey::new([7; 32])));
        assert_eq!(keyed.digest("secret"), keyed.digest("secret"));
        assert_ne!(keyed.digest("secret"), plain.digest("secret"));
        assert_ne!(keyed.digest("secret"), Marker::with(ContentKey::new([8; 32])).digest("secret"));
    }

    #[test]
    fn digests_are_those_of_rfc_4231() {
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let digest = Marker::with(ContentKey::new(key)).digest("what do ya want for nothing?");
        // Zeros behind a key shorter than the block change nothing (RFC 2104).
        assert_eq!(digest.hex(), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn a_key_is_not_shown() {
        assert_eq!(format!("{:?}", ContentKey::new([65; 32])), "ContentKey(…)");
    }

    #[test]
    fn a_span_touches_what_it_holds_and_what_holds_it() {
        let spans = [(10, 20), (30, 40)];
        for span in [(10, 20), (5, 25), (12, 13), (19, 31), (39, 50)] {
            assert!(touches(&spans, span), "{span:?}");
        }
        for span in [(0, 10), (20, 30), (40, 50)] {
            assert!(!touches(&spans, span), "{span:?}");
        }
    }
}
