//! Splunk HTTP Event Collector envelopes: `{"event": …, "time": …, "source": …}`.
//!
//! In: frames that hold one envelope each. Out: frames that hold its event, with what the envelope says.

use model::Reject;

use super::{Frame, HecMeta};
use crate::extract::extract;
use crate::field::{Field, Fields, FieldsBuilder};
use crate::limits::Limits;
use crate::record::{Record, Scalar, Scratch};

#[derive(Debug)]
pub(super) struct Opener {
    fields: Fields,
    event: Field,
    meta: [Field; 5],
    scratch: Scratch,
    limits: Limits,
    number: u64,
}

impl Opener {
    pub(super) fn new(limits: Limits) -> Opener {
        let mut builder = FieldsBuilder::new();
        let event = builder.intern("event");
        let meta = ["time", "source", "sourcetype", "host", "index"].map(|key| builder.intern(key));
        let fields = builder.build();
        Opener { scratch: Scratch::new(&fields), fields, event, meta, limits, number: 0 }
    }

    /// Opens one envelope. One without an event is rejected as `BadLine`, one that is not JSON as `NotJson`.
    pub(super) fn open(&mut self, frame: Frame<'_>, each: &mut dyn FnMut(Frame<'_>)) {
        let number = self.number;
        self.number += 1;
        let failed = |reason| Frame {
            outcome: Err(reason),
            hec: Some(HecMeta { number, ..HecMeta::default() }),
            ..frame.clone()
        };
        if let Err(reason) = frame.outcome {
            return each(failed(reason));
        }
        let Ok(text) = simdutf8::basic::from_utf8(frame.bytes) else { return each(failed(Reject::NotUtf8)) };
        let record = match extract(&self.fields, text, &mut self.scratch, &self.limits) {
            Ok(record) => record,
            Err(reason) => return each(failed(reason)),
        };
        let mut events = record.values(self.event).filter_map(bytes).peekable();
        if events.peek().is_none() {
            return each(failed(Reject::BadLine));
        }
        let meta = meta(number, &record, self.meta);
        for bytes in events {
            each(Frame { bytes, offset: frame.offset, outcome: Ok(()), hec: Some(meta.clone()), head: 0 });
        }
    }
}

fn bytes(event: Scalar<'_>) -> Option<&[u8]> {
    let text = match event {
        Scalar::Null | Scalar::Composite("[]") => "",
        event => event.text().trim(),
    };
    (!text.is_empty()).then_some(text.as_bytes())
}

fn meta(number: u64, record: &Record<'_>, fields: [Field; 5]) -> HecMeta {
    let [time, source, sourcetype, host, index] = fields.map(|field| record.first_str(field).map(str::to_owned));
    HecMeta { number, time, source, sourcetype, host, index }
}
