//! The sample telemetry: plays the records that ship with Watchkeep, one by one, on lane sample.
//!
//! In: named byte streams. Out: one record of work at a time, `every` so often, in the order of the names. The cursor counts records, so
//! a restart goes on where it stopped.

use std::borrow::Cow;
use std::time::Duration;

use engine::{Format, Framer};
use model::Lane;
use store::Cursor;

use super::Feed;
use crate::line::{After, Body, Frames, Work};
use framing::Chunk;
use framing::decompress;

/// The key of the samples' cursor.
const KEY: &str = "samples";

/// Plays `samples` from where the store says; again and again with `repeat`.
pub fn play(feed: &Feed, samples: &[(String, Cow<'static, [u8]>)], every: Duration, repeat: bool) {
    let stored = feed.store.cursor(&feed.name, KEY).unwrap_or_else(|error| {
        tracing::error!(%error, "the samples' cursor cannot be read; they are played from their start");
        None
    });
    let mut done: u64 = stored.and_then(|text| text.parse().ok()).unwrap_or(0);
    loop {
        if play_once(feed, samples, every, &mut done).is_none() || !repeat || done == 0 {
            return;
        }
        done = 0;
    }
}

/// `None` when the input was told to end.
fn play_once(feed: &Feed, samples: &[(String, Cow<'static, [u8]>)], every: Duration, done: &mut u64) -> Option<()> {
    let mut number = 0;
    for (name, bytes) in samples {
        let records = frames_of(feed, name, bytes);
        for (bytes, span) in records.frames() {
            number += 1;
            if number <= *done {
                continue;
            }
            let mut one = Chunk::default();
            one.push_bytes(bytes, span.offset, span.outcome);
            *done = number;
            feed.line.submit(work(feed, one, number)).ok()?;
            if feed.stop.wait(every) {
                return None;
            }
        }
    }
    Some(())
}

fn work(feed: &Feed, record: Chunk, number: u64) -> Work {
    Work {
        input: feed.name.clone(),
        source: feed.source.clone(),
        lane: Lane::Sample,
        received: feed.clock.now(),
        records: None,
        body: Body::Frames(Frames(record)),
        after: After::Cursor(Cursor { key: KEY.to_owned(), value: number.to_string() }),
    }
}

/// The records of one sample. Samples are small and ship with Watchkeep: one is in memory at a time.
fn frames_of(feed: &Feed, name: &str, bytes: &[u8]) -> Chunk {
    let mut chunk = Chunk::default();
    let mut plain = Vec::new();
    let unpacked = decompress::open(bytes).and_then(|(_, mut stream)| stream.read_to_end(&mut plain));
    if let Err(error) = unpacked {
        tracing::error!(%error, name, "a sample cannot be unpacked to its end");
    }
    let mut framer = Framer::with_heads(Format::Auto, feed.limits, feed.heads.clone());
    framer.push(&plain, &mut |frame| chunk.push(&frame));
    framer.finish(&mut |frame| chunk.push(&frame));
    chunk
}
