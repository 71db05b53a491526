//! Events: a record that became one, and what is worked out from it when asked.
//!
//! In: a record, its source, its time. Out: id, columns, entities, the redacted record. Nothing is worked out twice.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;

use model::{Digest, Entity, EntityKind, EventId, Lane, Time};

use crate::field::Field;
use crate::identity::Link;
use crate::minimise::{Span, touches};
use crate::record::Record;
use crate::source::Source;
use crate::source::plan::Plan;
use crate::source::shown::Remembered;

/// A record that became an event. Its time is settled; all else is worked out when asked for.
#[derive(Debug)]
pub struct Event<'a> {
    pub(crate) source: &'a Source,
    pub(crate) plan: &'a Plan,
    pub(crate) record: Record<'a>,
    pub(crate) time: Time,
    pub(crate) is_time_of_receipt: bool,
    pub(crate) received: Time,
    pub(crate) lane: Lane,
    pub(crate) id: OnceCell<EventId>,
    pub(crate) columns: OnceCell<BTreeMap<String, String>>,
    pub(crate) entities: OnceCell<Vec<Entity>>,
    pub(crate) hidden: OnceCell<Vec<Span>>,
}

impl<'a> Event<'a> {
    /// The event's id: a digest of its source and the record's own identity, so that re-delivery changes nothing.
    pub fn id(&self) -> EventId {
        *self.id.get_or_init(|| self.plan.event_id(&self.source.id, &self.record))
    }

    /// Its source.
    pub fn source(&self) -> &'a Source {
        self.source
    }

    /// When it happened; the time of receipt where the record does not say.
    pub fn time(&self) -> Time {
        self.time
    }

    /// Does the time of receipt stand in for one that the record lacks?
    pub fn is_time_of_receipt(&self) -> bool {
        self.is_time_of_receipt
    }

    /// Which of its source's required fields its record has: a bit for each, in their order.
    pub fn filled(&self) -> u32 {
        self.plan.filled(&self.record)
    }

    /// When its record reached us.
    pub fn received(&self) -> Time {
        self.received
    }

    /// Why it is on the line.
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// The record, as it came, without the envelopes around it.
    pub fn raw(&self) -> &'a str {
        self.record.raw()
    }

    /// The values that rules and mappings read.
    pub fn record(&self) -> Record<'a> {
        self.record
    }

    /// OCSF columns, such as `api.operation`.
    pub fn columns(&self) -> BTreeMap<String, String> {
        self.columns_ref().clone()
    }

    pub(crate) fn columns_ref(&self) -> &BTreeMap<String, String> {
        self.columns.get_or_init(|| self.plan.columns(&self.record))
    }

    /// The things that it is about, without repeats, in order.
    pub fn entities(&self) -> Vec<Entity> {
        self.entities_ref().to_vec()
    }

    pub(crate) fn entities_ref(&self) -> &[Entity] {
        self.entities.get_or_init(|| self.plan.entities(&self.record))
    }

    /// The first entity of a kind.
    pub(crate) fn entity(&self, kind: EntityKind) -> Option<&str> {
        self.entities_ref().iter().find(|entity| entity.kind == kind).map(|entity| entity.key.as_str())
    }

    /// Who acted, as the record has it: the session, key, user or service from which [`crate::identity::Graph`] can go on.
    pub fn actor(&self) -> Option<Entity> {
        self.plan.actor.read(&self.record)
    }

    /// What it shows about who is behind what.
    pub fn links(&self) -> Vec<Link> {
        self.links_by(&mut Remembered::default())
    }

    /// As [`Event::links`], with what was read of such records before.
    pub(crate) fn links_by(&self, remembered: &mut Remembered) -> Vec<Link> {
        self.plan.links.read(&self.record, &self.plan.actor, (self.time, &|| self.id()), remembered)
    }

    /// The value of a column, or else of a field of the record; a mark in place of one that is sensitive.
    pub(crate) fn named(&self, name: &str, field: Field) -> Option<Cow<'_, str>> {
        self.columns_ref().get(name).map(|value| Cow::Borrowed(value.as_str())).or_else(|| self.shown(field).next())
    }

    /// The values of a field that are neither `null` nor composite, with a mark in place of those that are sensitive.
    pub(crate) fn shown(&self, field: Field) -> impl Iterator<Item = Cow<'_, str>> {
        let values = self.record.spans(field).zip(self.record.values(field));
        values.filter_map(|(span, value)| value.scalar_text().map(|text| self.show(span, text)))
    }

    /// What stands at `span` and says `text`, or a mark if it is sensitive.
    pub(crate) fn show<'t>(&self, span: Span, text: &'t str) -> Cow<'t, str> {
        match touches(self.hidden(), span) {
            true => Cow::Owned(self.plan.guard.marker.text(&self.raw()[span.0..span.1])),
            false => Cow::Borrowed(text),
        }
    }

    /// As [`Event::named`], without working out the other columns.
    pub(crate) fn named_alone(&self, name: &str, field: Field) -> Option<Cow<'_, str>> {
        if self.columns.get().is_some() {
            return self.named(name, field);
        }
        let column = self.plan.column(name, &self.record).map(Cow::Owned);
        column.or_else(|| self.shown(field).next())
    }

    /// Where its source's sensitive values stand.
    fn hidden(&self) -> &[Span] {
        self.hidden.get_or_init(|| self.plan.guard.spans(&self.record))
    }

    /// Its source's sensitive values, as the record writes them, each with the digest by which the mark in its place names it.
    pub fn sensitive(&self) -> impl Iterator<Item = (Digest, &'a str)> + '_ {
        let raw = self.record.raw();
        self.hidden()
            .iter()
            .map(move |&(start, end)| (self.plan.guard.marker.digest(&raw[start..end]), &raw[start..end]))
    }

    /// The record with each of its source's sensitive values replaced by its size and digest.
    pub fn redacted(&self) -> String {
        self.plan.guard.redacted(&self.record, self.hidden())
    }
}
