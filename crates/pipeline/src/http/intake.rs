//! Intake: a body becomes a journal entry. The receiving side of the ledger is counted here, before anything is evaluated.

use std::sync::{Arc, Mutex, PoisonError};

use engine::{Engine, Format, Given, Worker};
use store::journal::Batch;

use super::answer::{Refusal, blocking};
use super::body::Taken;
use super::token::presented;
use super::{HttpInput, Serves, State};
use crate::signals::Signals;

/// Memory for counting, reused from request to request.
#[derive(Default)]
pub(crate) struct Counters(Mutex<Vec<Worker>>);

/// Finds the input whose token the request presents.
pub(crate) fn admit<'s>(
    state: &'s State,
    serves: Serves,
    authorization: Option<&str>,
) -> Result<&'s HttpInput, Refusal> {
    let inputs = || state.parts.inputs.iter().filter(|input| input.serves == serves);
    let open = || inputs().find(|input| input.token.is_none());
    let Some(header) = authorization else { return open().ok_or(Refusal::NoToken) };
    let token = presented(header).ok_or(Refusal::BadAuthorization)?;
    // Every token is compared, so that the time says nothing about which one is close.
    let matching = inputs().fold(None, |found, input| {
        let is = input.token.as_ref().is_some_and(|known| known.is(&token));
        if is && found.is_none() { Some(input) } else { found }
    });
    matching.or_else(open).ok_or(Refusal::WrongToken)
}

/// Journals a body as one batch; returns how many records it holds, once it is durable.
pub(crate) async fn journal(
    state: &Arc<State>,
    input: &HttpInput,
    format: Format,
    taken: Taken,
) -> Result<u64, Refusal> {
    let (shared, input) = (state.clone(), input.clone());
    let journalling = blocking(move || {
        let received = shared.parts.clock.now();
        let given = Given { source: input.source.clone(), received, lane: input.lane };
        let records = shared.counters.count(&shared.parts.engine, format, &taken.bytes, &given);
        if records == 0 {
            return Err(Refusal::NoData);
        }
        let batch = Batch {
            input: input.name.to_string(),
            source: input.source.clone(),
            format: format.to_wire(),
            lane: input.lane,
            received,
            records,
            bytes: taken.bytes,
        };
        shared.parts.journal.append(&batch)?;
        drop(taken.leave);
        Ok(records)
    });
    let records = journalling.await??;
    Signals::add(&state.parts.signals.journalled, 1);
    Ok(records)
}

impl Counters {
    fn count(&self, engine: &Engine, format: Format, bytes: &[u8], given: &Given) -> u64 {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut worker = held.unwrap_or_else(|| engine.worker());
        let records = count_records(engine, &mut worker, format, bytes, given);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
        records
    }
}

/// How many records a body holds: each broken frame is one, each whole frame as many as its envelopes hold. Pure.
pub fn count_records(engine: &Engine, worker: &mut Worker, format: Format, bytes: &[u8], given: &Given) -> u64 {
    let mut records = 0;
    let mut framer = engine.framer(format);
    let mut each = |frame: engine::Frame<'_>| {
        records += if frame.outcome.is_ok() { engine.count(worker, frame.bytes, given) } else { 1 };
    };
    framer.push(bytes, &mut each);
    framer.finish(&mut each);
    records
}
