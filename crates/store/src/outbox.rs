//! The outbox: what receivers are to be told, in order per alert and route.
//!
//! In: a message, in the transaction that makes it true. Out: due rows; what came of sending them. Bound: alerts × routes × moves, on disk.
//! When a receiver is down: rows wait; given up, they wait for a person. None is dropped.

use model::{Alert, AlertId, Digest, Entry, Finding, Move, SourceId, Step, Time};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};
use serde::{Deserialize, Serialize};

use crate::rows::{alert_by_n, hex, id16, time, time_maybe, to_json, word};
use crate::{Store, StoreError, act, audit, ledger, payload};

/// Where an outbox row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutboxState {
    /// To be sent.
    Waiting,
    /// A receiver accepted it.
    Delivered,
    /// Given up; waits for a person.
    Dead,
}

impl OutboxState {
    /// The state's word.
    pub fn as_str(self) -> &'static str {
        match self {
            OutboxState::Waiting => "waiting",
            OutboxState::Delivered => "delivered",
            OutboxState::Dead => "dead",
        }
    }

    /// Reads the state's word.
    pub fn parse(text: &str) -> Option<OutboxState> {
        [OutboxState::Waiting, OutboxState::Delivered, OutboxState::Dead].into_iter().find(|s| s.as_str() == text)
    }
}

/// One message to one receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OutboxRow {
    /// The row.
    pub id: i64,
    /// The route.
    pub route: String,
    /// The alert.
    pub alert_id: AlertId,
    /// Place in the order of its alert and route, from 0.
    pub seq: u32,
    /// Idempotency key: the same over retries and replays.
    pub key: String,
    /// `alert.opened`, `alert.acknowledged`, `alert.closed`, `alert.recovered`.
    pub kind: String,
    /// The message: JSON text.
    pub payload: String,
    /// Attempts so far.
    pub attempts: u32,
    /// Where it stands.
    pub state: OutboxState,
    /// When it was queued.
    pub created: Time,
    /// When it is due; while an earlier message of its alert and route is not delivered, when it was queued.
    pub next: Time,
    /// Since when it may go: when it was queued, let go by the message before it, or replayed. Giving up counts from here.
    pub due_since: Time,
    /// The last error.
    pub error: Option<String>,
    /// The receiver's receipt.
    pub receipt: Option<String>,
    /// Did the receiver's system confirm that it holds it?
    pub confirmed: bool,
    /// When it was delivered or given up.
    pub settled: Option<Time>,
}

/// What came of sending a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxOutcome {
    /// The receiver accepted it.
    Delivered {
        /// What the receiver answered with, such as an acknowledgement id.
        receipt: Option<String>,
        /// Did its system confirm that it holds it?
        confirmed: bool,
    },
    /// Try again.
    Retry {
        /// When.
        at: Time,
        /// Why it failed.
        error: String,
    },
    /// Give up; a person decides.
    Dead {
        /// Why.
        error: String,
    },
}

/// Which outbox rows. `None` means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboxQuery {
    /// The route.
    pub route: Option<String>,
    /// Where they stand.
    pub state: Option<OutboxState>,
    /// The alert.
    pub alert_id: Option<AlertId>,
    /// How many to pass over.
    pub offset: u64,
    /// How many to give; 0 means 100.
    pub limit: u64,
}

/// Which rows, and what comes before a row's own columns in [`row_of`].
const COLUMNS: &str = "o.id, o.route, a.alert_id, o.seq, o.key, o.kind, o.payload, o.attempts, o.state, o.created, coalesce(o.next, o.created), o.error, \
     o.receipt, o.confirmed, o.settled, coalesce(o.due_since, o.created)";

/// Rows on a page unless said otherwise.
const PAGE: u64 = 100;

impl Store {
    /// The rows that are due: per alert and route only the first that is not delivered, earliest due first.
    pub fn outbox_due(&self, now: Time, limit: usize) -> Result<Vec<OutboxRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM outbox o INDEXED BY outbox_due JOIN alerts a ON a.n = o.alert_n \
             WHERE o.state = 'waiting' AND o.next <= ?1 ORDER BY o.next, o.id LIMIT ?2"
        );
        self.read(|db| rows(db, &sql, &[Value::from(now.micros()), Value::from(limit as i64)]))
    }

    /// As [`Store::outbox_due`], of one route.
    pub fn outbox_due_on(&self, route: &str, now: Time, limit: usize) -> Result<Vec<OutboxRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM outbox o INDEXED BY outbox_due_on_route JOIN alerts a ON a.n = o.alert_n \
             WHERE o.route = ?3 AND o.state = 'waiting' AND o.next <= ?1 ORDER BY o.next, o.id LIMIT ?2"
        );
        let values = [Value::from(now.micros()), Value::from(limit as i64), Value::from(route.to_owned())];
        self.read(|db| rows(db, &sql, &values))
    }

    /// When the next row that may go is due, if any waits.
    pub fn outbox_next_due(&self) -> Result<Option<Time>, StoreError> {
        let sql = "SELECT next FROM outbox INDEXED BY outbox_due WHERE state = 'waiting' AND next IS NOT NULL \
             ORDER BY next, id LIMIT 1";
        self.read(|db| Ok(db.prepare_cached(sql)?.query_row([], |row| time(row, 0)).optional()?))
    }

    /// Records what came of sending a row. `Delivered` moves the alert to delivered, or received if confirmed. A row that is
    /// delivered already may be delivered again with `confirmed` (a later confirmation); other outcomes of settled rows are refused.
    pub fn outbox_settle(&self, id: i64, outcome: OutboxOutcome, now: Time) -> Result<(), StoreError> {
        self.write(|db| {
            let row = Settling::of(db, id)?;
            match outcome {
                OutboxOutcome::Delivered { receipt, confirmed } => {
                    row.delivered(db, receipt.as_deref(), confirmed, now)
                }
                OutboxOutcome::Retry { at, error } => row.again(db, at, &error),
                OutboxOutcome::Dead { error } => row.dead(db, &error, now),
            }
        })
    }

    /// The rows given up, latest first, at most 1,000.
    pub fn dead_letters(&self) -> Result<Vec<OutboxRow>, StoreError> {
        self.outbox(&OutboxQuery { state: Some(OutboxState::Dead), limit: 1_000, ..OutboxQuery::default() })
    }

    /// Makes a dead row wait again, due now, with the same key.
    pub fn replay_dead(&self, id: i64, who: &str, now: Time) -> Result<(), StoreError> {
        self.write(|db| {
            let row = Settling::of(db, id)?;
            row.must_be(OutboxState::Dead, "a dead letter")?;
            db.prepare_cached(
                "UPDATE outbox SET state = 'waiting', next = ?2, due_since = ?2, settled = NULL WHERE id = ?1",
            )?
            .execute([id, now.micros()])?;
            ledger::take_back(db, &row.entry(Step::Dead))?;
            audit::seal(db, now, who, "outbox.replayed", &row.key, &to_json(&(id, &row.route)))?;
            Ok(())
        })
    }

    /// Outbox rows, latest first.
    pub fn outbox(&self, query: &OutboxQuery) -> Result<Vec<OutboxRow>, StoreError> {
        let mut conditions = vec!["1".to_owned()];
        let mut values = Vec::new();
        let mut hold = |column: &str, value: Option<Value>| {
            if let Some(value) = value {
                values.push(value);
                conditions.push(format!("{column} = ?{}", values.len()));
            }
        };
        hold("o.route", query.route.clone().map(Value::from));
        hold("a.alert_id", query.alert_id.map(|id| Value::from(id.as_bytes().to_vec())));
        // Written out, so that the indexes of waiting and dead rows are found.
        conditions.extend(query.state.map(|state| format!("o.state = '{}'", state.as_str())));
        let limit = if query.limit == 0 { PAGE } else { query.limit.min(10_000) };
        let sql = format!(
            "SELECT {COLUMNS} FROM outbox o JOIN alerts a ON a.n = o.alert_n WHERE {} ORDER BY o.id DESC LIMIT {limit} OFFSET {}",
            conditions.join(" AND "),
            query.offset.min(i64::MAX as u64)
        );
        self.read(|db| rows(db, &sql, &values))
    }
}

fn rows(db: &Connection, sql: &str, values: &[Value]) -> Result<Vec<OutboxRow>, StoreError> {
    let mut select = db.prepare_cached(sql)?;
    let mut rows = select.query(params_from_iter(values))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(row_of(row)?);
    }
    Ok(found)
}

fn row_of(row: &Row<'_>) -> Result<OutboxRow, StoreError> {
    Ok(OutboxRow {
        id: row.get(0)?,
        route: row.get(1)?,
        alert_id: id16(row, 2, "alert_id", AlertId::parse)?,
        seq: row.get(3)?,
        key: row.get(4)?,
        kind: row.get(5)?,
        payload: row.get(6)?,
        attempts: row.get(7)?,
        state: word(row, 8, "outbox state", OutboxState::parse)?,
        created: time(row, 9)?,
        next: time(row, 10)?,
        error: row.get(11)?,
        receipt: row.get(12)?,
        confirmed: row.get(13)?,
        settled: time_maybe(row, 14)?,
        due_since: time(row, 15)?,
    })
}

/// A row that is being settled.
struct Settling {
    id: i64,
    route: String,
    alert_n: i64,
    seq: u32,
    key: String,
    kind: String,
    state: OutboxState,
    confirmed: bool,
    created: Time,
    source: String,
}

impl Settling {
    fn of(db: &Connection, id: i64) -> Result<Settling, StoreError> {
        let mut select = db.prepare_cached(
            "SELECT o.route, o.alert_n, o.key, o.kind, o.state, o.confirmed, o.created, a.source, o.seq \
             FROM outbox o JOIN alerts a ON a.n = o.alert_n WHERE o.id = ?1",
        )?;
        let mut rows = select.query([id])?;
        let row = rows.next()?.ok_or(StoreError::Outbox { id, expected: "in the outbox" })?;
        Ok(Settling {
            id,
            route: row.get(0)?,
            alert_n: row.get(1)?,
            key: row.get(2)?,
            kind: row.get(3)?,
            state: word(row, 4, "outbox state", OutboxState::parse)?,
            confirmed: row.get(5)?,
            created: time(row, 6)?,
            source: row.get(7)?,
            seq: row.get(8)?,
        })
    }

    fn must_be(&self, state: OutboxState, expected: &'static str) -> Result<(), StoreError> {
        if self.state == state { Ok(()) } else { Err(StoreError::Outbox { id: self.id, expected }) }
    }

    fn entry(&self, step: Step) -> Entry {
        entry(&self.route, SourceId::new(self.source.as_str()), self.created, step)
    }

    fn delivered(&self, db: &Connection, receipt: Option<&str>, confirmed: bool, now: Time) -> Result<(), StoreError> {
        let is_later_confirmation = self.state == OutboxState::Delivered && confirmed;
        if is_later_confirmation && self.confirmed {
            return Ok(());
        }
        if !is_later_confirmation {
            self.must_be(OutboxState::Waiting, "waiting")?;
            ledger::add_one(db, &self.entry(Step::Delivered), 1)?;
            self.let_next_go(db, now)?;
        }
        db.prepare_cached(
            "UPDATE outbox SET state = 'delivered', attempts = attempts + ?5, error = NULL, receipt = coalesce(?2, receipt), \
             confirmed = ?3, settled = coalesce(settled, ?4) WHERE id = ?1",
        )?
        .execute(params![self.id, receipt, confirmed, now.micros(), i64::from(!is_later_confirmation)])?;
        let mut alert = alert_by_n(db, self.alert_n)?;
        let step = if confirmed { Move::Receive } else { Move::Deliver };
        alert.state = alert.state.apply(step).expect("a receipt is legal in every state");
        let why = receipt.map_or_else(|| self.kind.clone(), |receipt| format!("{}: {receipt}", self.kind));
        act::record(db, self.alert_n, &mut alert, step, &self.route, Some(&why), now)
    }

    /// The message behind this one may go now.
    fn let_next_go(&self, db: &Connection, now: Time) -> Result<(), StoreError> {
        db.prepare_cached(
            "UPDATE outbox SET next = ?4, due_since = ?4 WHERE alert_n = ?1 AND route = ?2 AND seq = ?3 AND state = 'waiting'",
        )?
        .execute(params![self.alert_n, self.route, self.seq + 1, now.micros()])?;
        Ok(())
    }

    fn again(&self, db: &Connection, at: Time, error: &str) -> Result<(), StoreError> {
        self.must_be(OutboxState::Waiting, "waiting")?;
        db.prepare_cached("UPDATE outbox SET attempts = attempts + 1, next = ?2, error = ?3 WHERE id = ?1")?
            .execute(params![self.id, at.micros(), cut(error)])?;
        Ok(())
    }

    fn dead(&self, db: &Connection, error: &str, now: Time) -> Result<(), StoreError> {
        self.must_be(OutboxState::Waiting, "waiting")?;
        db.prepare_cached(
            "UPDATE outbox SET state = 'dead', attempts = attempts + 1, error = ?2, settled = ?3 WHERE id = ?1",
        )?
        .execute(params![self.id, cut(error), now.micros()])?;
        ledger::add_one(db, &self.entry(Step::Dead), 1)?;
        audit::seal(db, now, "watchkeep", "outbox.dead", &self.key, &to_json(&(self.id, &self.route, cut(error))))?;
        Ok(())
    }
}

/// An error text as it is kept.
fn cut(error: &str) -> &str {
    &error[..error.floor_char_boundary(2_048)]
}

/// The ledger's key of an outbox count.
fn entry(route: &str, source: SourceId, created: Time, step: Step) -> Entry {
    Entry { input: format!("route:{route}"), source: Some(source), hour: created.hour(), step, reason: String::new() }
}

/// Queues a message about an alert on a route, behind those that are there, within the caller's transaction. It is due once the one before
/// it is delivered; a dead one holds back those behind it.
pub(crate) fn queue(
    db: &Connection,
    n: i64,
    alert: &Alert,
    route: &str,
    kind: &str,
    finding: Option<&Finding>,
    now: Time,
) -> Result<(), StoreError> {
    let last: Option<(u32, bool)> = db
        .prepare_cached(
            "SELECT seq, state = 'delivered' FROM outbox WHERE alert_n = ?1 AND route = ?2 ORDER BY seq DESC LIMIT 1",
        )?
        .query_row(params![n, route], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (seq, is_first) = last.map_or((0, true), |(seq, is_delivered)| (seq + 1, is_delivered));
    let parts: [&[u8]; 4] = [alert.alert_id.as_bytes(), route.as_bytes(), &seq.to_be_bytes(), kind.as_bytes()];
    let key = hex(&Digest::of_parts(&parts).0[..16]);
    let payload = payload::message(kind, alert, finding, now);
    db.prepare_cached(
        "INSERT INTO outbox (route, alert_n, seq, key, kind, payload, created, next, due_since) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
    )?
    .execute(params![route, n, seq, key, kind, payload, now.micros(), is_first.then(|| now.micros())])?;
    ledger::add_one(db, &entry(route, alert.source.clone(), now, Step::Queued), 1)
}

/// The routes that were told of an alert's opening.
pub(crate) fn routes_told(db: &Connection, n: i64) -> Result<Vec<String>, StoreError> {
    let mut select = db.prepare_cached("SELECT route FROM outbox WHERE alert_n = ?1 AND seq = 0 ORDER BY route")?;
    let routes = select.query_map([n], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(routes)
}
