//! Everything about one alert.

use model::{Alert, AlertId, Digest, Disposition, EventId, Finding, FindingId, SourceId, Standing, Time};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use crate::rows::{alert_by_id, count, event_id, finding_id, hex, json, parse, text, time, time_maybe, word};
use crate::{Evidence, OutboxState, Store, StoreError};

/// Findings and pieces of evidence listed at most.
const LISTED_MAX: i64 = 200;

/// A stored finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FindingRow {
    /// Its id.
    pub finding_id: FindingId,
    /// What became of it.
    pub disposition: Disposition,
    /// When it happened.
    pub event_time: Time,
    /// When it was settled.
    pub settled: Time,
    /// How certain it is, for a finding about many events.
    pub standing: Option<Standing>,
    /// The whole finding; `None` beyond `findings_per_alert_max`.
    pub finding: Option<Finding>,
}

/// A stored record behind a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EvidenceRow {
    /// The event.
    pub event_id: EventId,
    /// Its source.
    pub source: SourceId,
    /// The redacted record, cut to `evidence_bytes_max`.
    pub raw: String,
    /// Length of the whole redacted record.
    pub bytes: u64,
    /// SHA-256 of the whole redacted record, hexadecimal.
    pub sha256: String,
}

/// Something that happened to an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HistoryRow {
    /// When (for folds: the latest).
    pub at: Time,
    /// `opened`, `folded`, `delivered`, `received`, `acknowledged`, `closed`; `recovered` of an alert about ourselves; `withdrawn` and `restored` of a finding about many events.
    pub kind: String,
    /// Who: a person, a route, or `watchkeep`.
    pub who: String,
    /// Why, or what the receiver said.
    pub why: Option<String>,
    /// How many times (folds).
    pub count: u64,
}

/// One outbox row as an alert's page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// The outbox row.
    pub outbox_id: i64,
    /// The route.
    pub route: String,
    /// What was sent: `alert.opened`, ….
    pub kind: String,
    /// Place in the order of its alert and route.
    pub seq: u32,
    /// Where it stands.
    pub state: OutboxState,
    /// Attempts so far.
    pub attempts: u32,
    /// The last error.
    pub error: Option<String>,
    /// The receiver's receipt.
    pub receipt: Option<String>,
    /// Did the receiver's system confirm that it holds it?
    pub confirmed: bool,
    /// When it was queued.
    pub created: Time,
    /// When it is tried next, while it waits; `None` too while an earlier message is not delivered.
    pub next: Option<Time>,
    /// When it was delivered or given up.
    pub settled: Option<Time>,
}

/// Everything about one alert.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AlertDetail {
    /// The alert.
    pub alert: Alert,
    /// Its latest findings, the opening one first, then latest first; at most 200.
    pub findings: Vec<FindingRow>,
    /// The records behind them.
    pub evidence: Vec<EvidenceRow>,
    /// What happened, in order.
    pub history: Vec<HistoryRow>,
    /// Where it was sent.
    pub deliveries: Vec<Delivery>,
}

impl Store {
    /// One alert by itself, without what it stands on; `None` if there is none.
    pub fn alert_alone(&self, id: AlertId) -> Result<Option<Alert>, StoreError> {
        self.read(|db| Ok(alert_by_id(db, id)?.map(|(_, alert)| alert)))
    }

    /// Everything about one alert; `None` if there is none.
    pub fn alert(&self, id: AlertId) -> Result<Option<AlertDetail>, StoreError> {
        self.read(|db| {
            let Some((n, alert)) = alert_by_id(db, id)? else { return Ok(None) };
            Ok(Some(AlertDetail {
                alert,
                findings: findings(db, n)?,
                evidence: evidence(db, n)?,
                history: history(db, n)?,
                deliveries: deliveries(db, n)?,
            }))
        })
    }
}

fn findings(db: &Connection, n: i64) -> Result<Vec<FindingRow>, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT finding_id, disposition, event_time, settled, body, standing FROM findings \
         LEFT JOIN finding_standings ON finding_n = n WHERE alert_n = ?1 \
         ORDER BY disposition = 'opened' DESC, event_time DESC, n DESC LIMIT ?2",
    )?;
    let mut rows = select.query([n, LISTED_MAX])?;
    let mut findings = Vec::new();
    while let Some(row) = rows.next()? {
        let body: Option<String> = row.get(4)?;
        findings.push(FindingRow {
            finding_id: finding_id(row, 0)?,
            disposition: word(row, 1, "disposition", disposition)?,
            event_time: time(row, 2)?,
            settled: time(row, 3)?,
            standing: row
                .get::<_, Option<String>>(5)?
                .map(|text| parse(&text, "standing", Standing::parse))
                .transpose()?,
            finding: body.map(|_| json(row, 4, "finding")).transpose()?,
        });
    }
    Ok(findings)
}

fn disposition(text: &str) -> Option<Disposition> {
    use Disposition::{Folded, Kept, Opened, Silenced};
    [Opened, Folded, Silenced, Kept].into_iter().find(|disposition| disposition.as_str() == text)
}

fn evidence(db: &Connection, n: i64) -> Result<Vec<EvidenceRow>, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT DISTINCT e.event_id, e.source, e.raw, e.bytes, e.sha256, e.n FROM findings f \
         JOIN finding_events fe ON fe.finding_n = f.n JOIN evidence e ON e.n = fe.evidence_n \
         WHERE f.alert_n = ?1 ORDER BY e.n LIMIT ?2",
    )?;
    let mut rows = select.query([n, LISTED_MAX])?;
    let mut evidence = Vec::new();
    while let Some(row) = rows.next()? {
        evidence.push(EvidenceRow {
            event_id: event_id(row, 0)?,
            source: SourceId::new(text(row, 1)?),
            raw: row.get(2)?,
            bytes: count(row, 3)?,
            sha256: hex(&row.get::<_, Vec<u8>>(4)?),
        });
    }
    Ok(evidence)
}

fn history(db: &Connection, n: i64) -> Result<Vec<HistoryRow>, StoreError> {
    let mut select =
        db.prepare_cached("SELECT at, kind, who, why, times FROM history WHERE alert_n = ?1 ORDER BY at, n")?;
    let rows = select.query_map([n], |row| {
        Ok(HistoryRow {
            at: time(row, 0)?,
            kind: row.get(1)?,
            who: row.get(2)?,
            why: row.get(3)?,
            count: count(row, 4)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn deliveries(db: &Connection, n: i64) -> Result<Vec<Delivery>, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT id, route, kind, seq, state, attempts, error, receipt, confirmed, created, next, settled FROM outbox \
         WHERE alert_n = ?1 ORDER BY route, seq",
    )?;
    let mut rows = select.query([n])?;
    let mut deliveries = Vec::new();
    while let Some(row) = rows.next()? {
        let state = word(row, 4, "outbox state", OutboxState::parse)?;
        deliveries.push(Delivery {
            outbox_id: row.get(0)?,
            route: row.get(1)?,
            kind: row.get(2)?,
            seq: row.get(3)?,
            state,
            attempts: row.get(5)?,
            error: row.get(6)?,
            receipt: row.get(7)?,
            confirmed: row.get(8)?,
            created: time(row, 9)?,
            next: time_maybe(row, 10)?.filter(|_| state == OutboxState::Waiting),
            settled: time_maybe(row, 11)?,
        });
    }
    Ok(deliveries)
}

/// Adds a row to an alert's history, within the caller's transaction.
pub(crate) fn write_history(
    db: &Connection,
    n: i64,
    kind: &str,
    who: &str,
    why: Option<&str>,
    at: Time,
) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO history (alert_n, at, kind, who, why) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![n, at.micros(), kind, who, why])?;
    Ok(())
}

/// Adds to an alert's count of folds, within the caller's transaction.
pub(crate) fn write_folds(db: &Connection, n: i64, folds: u64, at: Time) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO history (alert_n, at, kind, who, times) VALUES (?1, ?2, 'folded', 'watchkeep', ?3) \
         ON CONFLICT (alert_n) WHERE kind = 'folded' DO UPDATE SET at = max(at, excluded.at), times = times + excluded.times",
    )?
    .execute(params![n, at.micros(), folds as i64])?;
    Ok(())
}

/// Keeps a record behind a finding, once per event, within the caller's transaction.
pub(crate) fn write_evidence(
    db: &Connection,
    finding_n: i64,
    evidence: &Evidence,
    bytes_max: usize,
) -> rusqlite::Result<()> {
    let id = evidence.event_id.as_bytes();
    let known: Option<i64> = db
        .prepare_cached("SELECT n FROM evidence WHERE event_id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    let evidence_n = match known {
        Some(n) => n,
        None => {
            let raw = &evidence.raw;
            let kept = &raw[..raw.floor_char_boundary(bytes_max)];
            let sha256 = Digest::of(raw.as_bytes()).0;
            db.prepare_cached(
                "INSERT INTO evidence (event_id, source, raw, bytes, sha256) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![id, evidence.source.as_str(), kept, raw.len() as i64, sha256])?;
            db.last_insert_rowid()
        }
    };
    db.prepare_cached("INSERT OR IGNORE INTO finding_events VALUES (?1, ?2)")?.execute([finding_n, evidence_n])?;
    Ok(())
}
