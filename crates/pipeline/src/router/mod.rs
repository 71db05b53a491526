//! The router: outbox rows that are due in, receipts and next attempts out.
//!
//! In: rows of the store's outbox; the store gives only the first undelivered row of each alert and route, so order per alert
//! holds. Out: each row settled as delivered, waiting for its next attempt, or dead. Bound: [`SENDS_PER_ROUTE`] sends at
//! once on each route. When a receiver is away its rows wait in the store, with the same key, until `dead_after`; then
//! they are dead letters that a person can see and replay, and an alert about ourselves says so. When the store cannot settle a
//! send, settling is tried again and the send is not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::{Level, Time};
use store::{OutboxOutcome, OutboxRow, Store, StoreError};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::Clock;
use crate::backoff::{Backoff, chance};
use crate::line::chain;
use crate::outputs::{Message, Output, Sent};
use crate::signals::Signals;

/// Sends at once on one route.
pub const SENDS_PER_ROUTE: usize = 8;
/// Rows looked at in one turn on one route.
const ROWS_PER_TURN: usize = 128;
/// The longest time between two looks at the outbox.
const TURN: Duration = Duration::from_secs(1);
/// Pause after the store first refused to settle a send; it doubles up to the longest.
const SETTLE_PAUSE: Duration = Duration::from_millis(100);
const SETTLE_PAUSE_MAX: Duration = Duration::from_secs(60);

/// One route: a receiver and its patience.
#[derive(Clone)]
pub struct Route {
    /// The route's name, as in the configuration and the outbox.
    pub name: String,
    /// Sends.
    pub output: Arc<dyn Output>,
    /// When to try again.
    pub backoff: Backoff,
    /// From queueing, after so long a failed row is dead.
    pub dead_after: Duration,
}

/// Sends what is due. Cheap to clone; clones share one router.
#[derive(Clone)]
pub struct Router {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    routes: Vec<Route>,
    clock: Arc<dyn Clock>,
    signals: Arc<Signals>,
    /// Rows being sent now, by route: they are due in the store until their send is settled.
    sending: Mutex<BTreeMap<String, BTreeSet<i64>>>,
    wake: Notify,
}

impl Router {
    /// A router over `routes`; it sends nothing until it is told to.
    pub fn new(store: Store, routes: Vec<Route>, clock: Arc<dyn Clock>, signals: Arc<Signals>) -> Router {
        let shared = Shared { store, routes, clock, signals, sending: Mutex::default(), wake: Notify::new() };
        Router { shared: Arc::new(shared) }
    }

    /// Looks at the outbox soon, because something was queued.
    pub fn wake(&self) {
        self.shared.wake.notify_one();
    }

    /// Sends what is due and waits for all of it; returns how many rows were sent. Rows that are due again only later wait.
    pub async fn turn(&self) -> usize {
        let mut sends = JoinSet::new();
        let sent = self.dispatch(&mut sends).await;
        sends.join_all().await;
        sent
    }

    /// Sends until `stop` resolves, then waits for what is being sent, up to `deadline`.
    pub async fn run(&self, stop: impl Future<Output = ()>, deadline: Duration) {
        let mut sends = JoinSet::new();
        tokio::pin!(stop);
        loop {
            self.dispatch(&mut sends).await;
            tokio::select! {
                () = &mut stop => break,
                () = self.shared.wake.notified() => {}
                () = tokio::time::sleep(TURN) => {}
                Some(_) = sends.join_next() => {}
            }
            while sends.try_join_next().is_some() {}
        }
        // One more look: what shutdown itself queued goes out too, if there is time.
        let _ = tokio::time::timeout(deadline, async {
            self.dispatch(&mut sends).await;
            while sends.join_next().await.is_some() {}
        })
        .await;
    }

    async fn dispatch(&self, sends: &mut JoinSet<()>) -> usize {
        let mut started = 0;
        for at in 0..self.shared.routes.len() {
            for row in self.due(at).await {
                let shared = self.shared.clone();
                sends.spawn(async move { shared.send(at, row).await });
                started += 1;
            }
        }
        started
    }

    /// The rows of one route that are due and not being sent, as many as may be sent at once; marked as being sent.
    async fn due(&self, at: usize) -> Vec<OutboxRow> {
        let shared = self.shared.clone();
        let name = shared.routes[at].name.clone();
        // What is being sent now may be settled while the outbox is read: what was read of it is stale then.
        let before = self.shared.sending().entry(name.clone()).or_default().clone();
        let looked = tokio::task::spawn_blocking(move || {
            shared.store.outbox_due_on(&shared.routes[at].name, shared.clock.now(), ROWS_PER_TURN)
        });
        let rows = match looked.await {
            Ok(Ok(rows)) => rows,
            Ok(Err(error)) => {
                tracing::error!(route = name, error = chain(&error), "the outbox cannot be read; it is tried again");
                return Vec::new();
            }
            Err(_) => return Vec::new(),
        };
        let mut sending = self.shared.sending();
        let mine = sending.entry(name).or_default();
        let room = SENDS_PER_ROUTE.saturating_sub(mine.len());
        let is_fresh = |row: &OutboxRow| !before.contains(&row.id) && !mine.contains(&row.id);
        let fresh: Vec<OutboxRow> = rows.into_iter().filter(is_fresh).take(room).collect();
        mine.extend(fresh.iter().map(|row| row.id));
        fresh
    }
}

impl Shared {
    fn sending(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, BTreeSet<i64>>> {
        self.sending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(self: Arc<Shared>, at: usize, row: OutboxRow) {
        let now = self.clock.now();
        let message = Message {
            key: row.key.clone(),
            kind: row.kind.clone(),
            payload: row.payload.clone(),
            created: row.created,
            now,
        };
        let sent = self.routes[at].output.send(&message).await;
        let outcome = outcome_of(&self.routes[at], &row, sent, self.clock.now(), chance());
        self.clone().settle(&row, &outcome).await;
        let mut sending = self.sending();
        sending.entry(self.routes[at].name.clone()).or_default().remove(&row.id);
        drop(sending);
        self.wake.notify_one();
    }

    /// Settles a send, however often it takes. The send itself is not repeated: the row counts as being sent until then.
    async fn settle(self: Arc<Shared>, row: &OutboxRow, outcome: &OutboxOutcome) {
        let mut pause = SETTLE_PAUSE;
        loop {
            let (shared, id, given, now) = (self.clone(), row.id, outcome.clone(), self.clock.now());
            let settling = tokio::task::spawn_blocking(move || shared.store.outbox_settle(id, given, now));
            let error = match settling.await {
                Ok(Ok(())) => break,
                Ok(Err(error @ StoreError::Outbox { .. })) => {
                    tracing::warn!(route = row.route, error = chain(&error), "a send was settled by somebody else");
                    return;
                }
                Ok(Err(error)) => chain(&error),
                Err(_) => "settling failed inside Watchkeep".to_owned(),
            };
            tracing::error!(route = row.route, error, "a send could not be settled; settling is tried again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(SETTLE_PAUSE_MAX);
        }
        let counter = match outcome {
            OutboxOutcome::Delivered { .. } => &self.signals.delivered,
            OutboxOutcome::Retry { .. } => &self.signals.retried,
            OutboxOutcome::Dead { .. } => &self.signals.dead,
        };
        Signals::add(counter, 1);
        if let OutboxOutcome::Dead { error } = outcome {
            let (shared, row, error, now) = (self.clone(), row.clone(), error.clone(), self.clock.now());
            let _ = tokio::task::spawn_blocking(move || shared.tell_dead(&row, &error, now)).await;
        }
    }

    /// Says that a message was given up. The alert takes the other routes too; on the dead one it will wait.
    fn tell_dead(&self, row: &OutboxRow, error: &str, now: Time) {
        let message = format!("route `{}` gave up {} of alert {}: {error}", row.route, row.kind, row.alert_id);
        tracing::error!(route = row.route, key = row.key, error, "a message was given up");
        let key = format!("dead_letter:{}", row.route);
        if let Err(error) = self.store.raise_self("Alerts could not be delivered", &message, Level::High, &key, now) {
            tracing::error!(error = chain(&error), "an alert about ourselves could not be stored");
        }
    }
}

/// What becomes of a row after a send. Pure; `chance` is the jitter.
fn outcome_of(route: &Route, row: &OutboxRow, sent: Sent, now: Time, chance: f64) -> OutboxOutcome {
    match sent {
        Sent::Accepted { receipt } => OutboxOutcome::Delivered { receipt, confirmed: false },
        Sent::Confirmed { receipt } => OutboxOutcome::Delivered { receipt, confirmed: true },
        Sent::Dead { error } => OutboxOutcome::Dead { error },
        Sent::Retry { after, error } => {
            let age = u64::try_from(now.millis_since(row.due_since)).unwrap_or(0);
            if u128::from(age) >= route.dead_after.as_millis() {
                let error = format!("given up {} minutes after it could first go; last: {error}", age / 60_000);
                return OutboxOutcome::Dead { error };
            }
            let pause = route.backoff.pause_with(row.attempts.saturating_add(1), after, chance);
            let millis = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
            OutboxOutcome::Retry { at: now.plus_millis(millis), error }
        }
    }
}

#[cfg(test)]
mod tests;
