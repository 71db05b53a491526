//! Alerts as rows.

use model::{
    Alert, AlertId, AlertState, Clocks, Digest, EventId, Finding, FindingId, Lane, Level, RuleId, SourceId, Time,
    Verdict,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::StoreError;

/// The columns that [`alert_of`] reads, in its order.
pub(crate) const ALERT_COLUMNS: &str = "alert_id, rule_id, title, message, level, source, lane, state, fold, findings, \
     last_event, entities, techniques, first_event, received, detected, delivered, acknowledged, verdict_at, \
     acknowledged_by, verdict, verdict_by, verdict_reason";

/// Reads a row of [`ALERT_COLUMNS`].
pub(crate) fn alert_of(row: &Row<'_>) -> Result<Alert, StoreError> {
    Ok(Alert {
        alert_id: id16(row, 0, "alert_id", AlertId::parse)?,
        rule_id: RuleId::new(text(row, 1)?),
        title: row.get(2)?,
        message: row.get(3)?,
        level: level_of(row.get(4)?)?,
        source: SourceId::new(text(row, 5)?),
        lane: word(row, 6, "lane", Lane::parse)?,
        state: word(row, 7, "state", AlertState::parse)?,
        fold: json(row, 8, "fold")?,
        findings: count(row, 9)?,
        last_event: time(row, 10)?,
        entities: json(row, 11, "entities")?,
        techniques: json(row, 12, "techniques")?,
        clocks: Clocks {
            event: time(row, 13)?,
            received: time(row, 14)?,
            detected: time(row, 15)?,
            delivered: time_maybe(row, 16)?,
            acknowledged: time_maybe(row, 17)?,
            verdict: time_maybe(row, 18)?,
        },
        acknowledged_by: row.get(19)?,
        verdict: row.get::<_, Option<String>>(20)?.map(|text| parse(&text, "verdict", Verdict::parse)).transpose()?,
        verdict_by: row.get(21)?,
        verdict_reason: row.get(22)?,
    })
}

/// Writes a new alert; gives its short name.
pub(crate) fn insert_alert(db: &Connection, alert: &Alert, fold_digest: &[u8; 16]) -> Result<i64, StoreError> {
    let mut insert = db.prepare_cached(
        "INSERT INTO alerts (alert_id, rule_id, title, message, level, source, lane, state, fold_digest, fold, findings, \
         first_event, last_event, received, detected, entities, techniques) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
    )?;
    insert.execute(params![
        alert.alert_id.as_bytes(),
        alert.rule_id.as_str(),
        alert.title,
        alert.message,
        alert.level.ocsf_severity_id(),
        alert.source.as_str(),
        alert.lane.as_str(),
        alert.state.as_str(),
        fold_digest,
        to_json(&alert.fold),
        alert.findings as i64,
        alert.clocks.event.micros(),
        alert.last_event.micros(),
        alert.clocks.received.micros(),
        alert.clocks.detected.micros(),
        to_json(&alert.entities),
        to_json(&alert.techniques),
    ])?;
    let n = db.last_insert_rowid();
    index_text(db, n, alert)?;
    Ok(n)
}

/// Makes an alert's words findable.
pub(crate) fn index_text(db: &Connection, n: i64, alert: &Alert) -> rusqlite::Result<()> {
    let mut body = format!("{}\n{}\n{}\n{}", alert.title, alert.message, alert.rule_id, alert.alert_id);
    let keys = alert.entities.iter().map(|entity| entity.key.as_str());
    for word in keys.chain(alert.techniques.iter().map(String::as_str)) {
        body.push('\n');
        body.push_str(word);
    }
    db.prepare_cached("INSERT OR REPLACE INTO alerts_text (rowid, body) VALUES (?1, ?2)")?.execute(params![n, body])?;
    Ok(())
}

/// Writes back what moves, folds and later words about a finding change.
pub(crate) fn update_alert(db: &Connection, n: i64, alert: &Alert) -> Result<(), StoreError> {
    let mut update = db.prepare_cached(
        "UPDATE alerts SET state = ?2, findings = ?3, last_event = ?4, entities = ?5, delivered = ?6, acknowledged = ?7, \
         verdict_at = ?8, acknowledged_by = ?9, verdict = ?10, verdict_by = ?11, verdict_reason = ?12, message = ?13 WHERE n = ?1",
    )?;
    update.execute(params![
        n,
        alert.state.as_str(),
        alert.findings as i64,
        alert.last_event.micros(),
        to_json(&alert.entities),
        alert.clocks.delivered.map(Time::micros),
        alert.clocks.acknowledged.map(Time::micros),
        alert.clocks.verdict.map(Time::micros),
        alert.acknowledged_by,
        alert.verdict.map(Verdict::as_str),
        alert.verdict_by,
        alert.verdict_reason,
        alert.message,
    ])?;
    Ok(())
}

/// The alert with this id, and its short name.
pub(crate) fn alert_by_id(db: &Connection, id: AlertId) -> Result<Option<(i64, Alert)>, StoreError> {
    let n: Option<i64> = db
        .prepare_cached("SELECT n FROM alerts WHERE alert_id = ?1")?
        .query_row([id.as_bytes()], |row| row.get(0))
        .optional()?;
    n.map(|n| Ok((n, alert_by_n(db, n)?))).transpose()
}

/// The alert with this short name.
pub(crate) fn alert_by_n(db: &Connection, n: i64) -> Result<Alert, StoreError> {
    let mut select = db.prepare_cached(&format!("SELECT {ALERT_COLUMNS} FROM alerts WHERE n = ?1"))?;
    let mut rows = select.query([n])?;
    let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    alert_of(row)
}

/// By what findings fold: rule, lane and fold values.
pub(crate) fn fold_digest(finding: &Finding) -> [u8; 16] {
    let by = to_json(&finding.fold.by);
    let parts = [finding.rule_id.as_str().as_bytes(), finding.lane.as_str().as_bytes(), by.as_bytes()];
    let mut short = [0; 16];
    short.copy_from_slice(&Digest::of_parts(&parts).0[..16]);
    short
}

pub(crate) fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("the model's types have string keys and no failing serialisers")
}

pub(crate) fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    row.get(column)
}

pub(crate) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Time> {
    Ok(Time::from_micros(row.get(column)?))
}

pub(crate) fn time_maybe(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Time>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Time::from_micros))
}

pub(crate) fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(column)?.max(0) as u64)
}

pub(crate) fn parse<T>(text: &str, what: &'static str, read: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
    read(text).ok_or_else(|| StoreError::decode(what, text))
}

pub(crate) fn word<T>(
    row: &Row<'_>,
    column: usize,
    what: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, StoreError> {
    parse(&text(row, column)?, what, read)
}

pub(crate) fn json<T: serde::de::DeserializeOwned>(
    row: &Row<'_>,
    column: usize,
    what: &'static str,
) -> Result<T, StoreError> {
    let text = text(row, column)?;
    serde_json::from_str(&text).map_err(|_| StoreError::decode(what, &text))
}

pub(crate) fn level_of(number: i64) -> Result<Level, StoreError> {
    let found = Level::ALL.into_iter().find(|level| i64::from(level.ocsf_severity_id()) == number);
    found.ok_or_else(|| StoreError::decode("level", &number.to_string()))
}

/// Reads 16 bytes as an id. The model's ids are made from their digits only.
pub(crate) fn id16<T>(
    row: &Row<'_>,
    column: usize,
    what: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, StoreError> {
    parse(&hex(&row.get::<_, Vec<u8>>(column)?), what, read)
}

pub(crate) fn finding_id(row: &Row<'_>, column: usize) -> Result<FindingId, StoreError> {
    id16(row, column, "finding_id", FindingId::parse)
}

pub(crate) fn event_id(row: &Row<'_>, column: usize) -> Result<EventId, StoreError> {
    id16(row, column, "event_id", EventId::parse)
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
