//! Records of a source that has a program of its own: what the program makes of each is read in its place.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Reject, SourceId, Time};

use super::{Engine, Feed, Pass};
use crate::extract::first_value;
use crate::record::Scratch;
use crate::source::Remap;

impl Engine {
    /// Has these programs make the records of their sources anew. Records of a source that has a program and is not here are rejected.
    pub fn with_remaps(mut self, mut remaps: BTreeMap<SourceId, Arc<dyn Remap>>) -> Engine {
        self.feeds.iter_mut().for_each(|feed| feed.remap = remaps.remove(&feed.source.id));
        self
    }
}

impl<'e> Pass<'e, '_> {
    /// A record of JSON.
    pub(super) fn remapped(
        &mut self,
        feed: &'e Feed,
        text: &str,
        outer: Option<Time>,
        scratch: &mut Scratch,
    ) -> Result<(), Reject> {
        let engine = self.engine;
        let remap = feed.remap.as_ref().ok_or(Reject::BadRemap)?;
        let made = remap.remap(text, engine.limits.record_bytes)?;
        match first_value(&engine.fields, &made, scratch, &engine.limits)? {
            end if end == made.len() => {}
            _ => return Err(Reject::BadRemap),
        }
        feed.plan.inside.read_json(&engine.fields, scratch, &made)?;
        self.shape(feed, &made, scratch);
        self.event(feed, scratch.record(&made, false), outer)
    }

    /// A line of text, which a program finds under `message`.
    pub(super) fn remapped_line(
        &mut self,
        feed: &'e Feed,
        line: &str,
        outer: Option<Time>,
        scratch: &mut Scratch,
    ) -> Result<(), Reject> {
        let record = serde_json::json!({"message": line}).to_string();
        self.remapped(feed, &record, outer, scratch)
    }
}
