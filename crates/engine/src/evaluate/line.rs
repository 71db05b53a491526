//! A line of text: of which source it is, and what stands in it.
//!
//! It is tried as it stands, below its header, behind the time that a log service put before it, and as the message of a syslog line.
//! What looks like a source's format and does not keep to it is a bad line, unless another format reads it.

use model::{Reject, Time};

use super::stamp::stamp;
use super::{Feed, Pass};
use crate::envelope::is_json;
use crate::record::Scratch;
use crate::source::text::{Envelope, Line, TextReader};

impl<'e> Pass<'e, '_> {
    /// A line of a source whose records are lines.
    pub(super) fn line(
        &mut self,
        text: &str,
        outer: Option<Time>,
        scratch: &mut Scratch,
        deeper: &mut [Scratch],
    ) -> Result<(), Reject> {
        if text.len() > self.engine.limits.record_bytes || text.len() >= u32::MAX as usize {
            return Err(Reject::TooLarge);
        }
        if self.feed.is_some_and(|feed| feed.plan.texts.is_empty()) {
            return Err(self.unknown());
        }
        let mut reason = self.no_line();
        let (head, start) = self.engine.lines.split(text);
        if let Some(head) = head {
            let line = Line { start, head: Some(head), ..Line::of(text) };
            if self.headed(&line, outer, scratch, &mut reason)? {
                return Ok(());
            }
        }
        let text = &text[start..];
        if self.alone(&Line::of(text), None, outer, scratch, &mut reason)? {
            return Ok(());
        }
        if let Some((time, at)) = stamp(text) {
            let line = Line { start: at, ..Line::of(text) };
            if self.alone(&line, None, Some(time), scratch, &mut reason)? {
                return Ok(());
            }
        }
        match Envelope::open(text, self.given.received) {
            Some(envelope) => self.enveloped(text, &envelope, outer, (scratch, deeper), reason),
            None => Err(reason),
        }
    }

    /// The reason for a line of which nothing is known.
    fn no_line(&self) -> Reject {
        if self.feed.is_some() { Reject::BadLine } else { Reject::UnknownSource }
    }

    /// The message of a syslog line: a line, JSON, or what its program says in its own words.
    fn enveloped(
        &mut self,
        text: &str,
        envelope: &Envelope<'_>,
        outer: Option<Time>,
        (scratch, deeper): (&mut Scratch, &mut [Scratch]),
        mut reason: Reject,
    ) -> Result<(), Reject> {
        let outer = envelope.time.or(outer);
        let line = Line { start: envelope.start, ..Line::of(text) };
        if self.alone(&line, Some(envelope), outer, scratch, &mut reason)? {
            return Ok(());
        }
        let message = envelope.message();
        let json = message.strip_prefix("@cee:").unwrap_or(message).trim();
        if is_json(json) {
            return self.text(json, outer, deeper);
        }
        let Some(program) = envelope.program else { return Err(reason) };
        let engine = self.engine;
        for feed in &engine.feeds {
            if !self.is_meant(feed) {
                continue;
            }
            let Some(reader) = feed.plan.texts.iter().find(|reader| reader.is_of_program(program)) else { continue };
            if self.attempt(feed, reader, &line, Some(envelope), outer, scratch, &mut reason)? {
                return Ok(());
            }
        }
        Err(reason)
    }

    fn is_meant(&self, feed: &Feed) -> bool {
        self.feed.is_none_or(|named| std::ptr::eq(named, feed))
    }

    /// A line whose columns a header names.
    fn headed(
        &mut self,
        line: &Line<'_>,
        outer: Option<Time>,
        scratch: &mut Scratch,
        reason: &mut Reject,
    ) -> Result<bool, Reject> {
        let engine = self.engine;
        for (feed, format) in engine.lines.headed() {
            let feed = &engine.feeds[feed];
            let reader = &feed.plan.texts[format];
            if self.is_meant(feed)
                && reader.recognises(line)
                && self.attempt(feed, reader, line, None, outer, scratch, reason)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A line that tells by itself what it is.
    fn alone(
        &mut self,
        line: &Line<'_>,
        envelope: Option<&Envelope<'_>>,
        outer: Option<Time>,
        scratch: &mut Scratch,
        reason: &mut Reject,
    ) -> Result<bool, Reject> {
        let engine = self.engine;
        for (feed, format) in engine.lines.candidates(line.text()) {
            let feed = &engine.feeds[feed];
            if self.is_meant(feed)
                && self.attempt(feed, &feed.plan.texts[format], line, envelope, outer, scratch, reason)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads the line as one of this format; says whether it was, and notes why it was not.
    ///
    /// Errors: it is a record of the source, and something is wrong with it.
    #[expect(clippy::too_many_arguments, reason = "all of what is known of one line")]
    fn attempt(
        &mut self,
        feed: &'e Feed,
        reader: &TextReader,
        line: &Line<'_>,
        envelope: Option<&Envelope<'_>>,
        outer: Option<Time>,
        scratch: &mut Scratch,
        reason: &mut Reject,
    ) -> Result<bool, Reject> {
        scratch.reset(&self.engine.fields);
        match envelope {
            Some(envelope) => envelope.put(&self.engine.fields, scratch),
            None => scratch.start_text_at(line.start),
        }
        if let Err(why) = reader.read(line, &self.engine.fields, scratch) {
            *reason = why;
            return Ok(false);
        }
        if feed.source.remap.is_some() {
            return self.remapped_line(feed, line.text(), outer, scratch).map(|()| true);
        }
        self.shape(feed, line.raw, scratch);
        self.event(feed, scratch.record(line.raw, true), outer)?;
        Ok(true)
    }
}
