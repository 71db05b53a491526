//! How a page of the queue is found.
//!
//! In: a query. Out: the page and a count. Bound: the page. Without text, the page and its filters stay inside one index and the count is a sum
//! of kept counts. A text that few alerts hold is looked up among trigrams. One that many hold would cost the more the less it says, so the
//! queue is walked in its order instead, only until the page is full.

use model::Alert;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::rows::{ALERT_COLUMNS, alert_of, count};
use crate::{AlertPage, AlertQuery, AlertSort, StoreError};

/// Alerts on a page unless said otherwise.
const PAGE: u64 = 50;
/// Alerts on a page at most.
const PAGE_MAX: u64 = 1_000;
/// Words of a search that count.
const WORDS_MAX: usize = 16;
/// Alerts up to which a text counts as rare.
pub(crate) const RARE_MAX: u64 = 1_000;

/// What [`Filter::compared`] compares: what the trigram index holds.
const TEXT: &str = "title || char(10) || message || char(10) || entities || char(10) || techniques || char(10) || rule_id \
     || char(10) || lower(hex(alert_id))";

/// The page that `query` asks for.
pub(crate) fn page(db: &Connection, query: &AlertQuery) -> Result<AlertPage, StoreError> {
    let mut filter = Filter::of(query);
    let total = filter.sum_of_counts(db)?;
    let words: Vec<&str> = query.text.as_deref().unwrap_or_default().split_whitespace().take(WORDS_MAX).collect();
    if total == 0 || (words.is_empty() && query.offset >= total) {
        return Ok(AlertPage { total, ..AlertPage::default() });
    }
    if words.is_empty() {
        return Ok(AlertPage { alerts: filter.alerts(db, query, true, 0)?, total, total_is_least: false });
    }
    let has_filter = !filter.conditions.is_empty();
    let (long, short): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| word.chars().count() >= 3);
    let found = if long.is_empty() { u64::MAX } else { count_of_matches(db, &matching(&long))? };
    if found <= RARE_MAX {
        filter.matching(&long);
        filter.compared(&short);
        let alerts = filter.alerts(db, query, false, 0)?;
        return Ok(AlertPage { alerts, total: filter.count(db)?, total_is_least: false });
    }
    filter.compared(&words);
    let mut alerts = filter.alerts(db, query, true, 1)?;
    let shown = alerts.len().min(limit_of(query) as usize);
    let total_is_least = alerts.len() > shown;
    alerts.truncate(shown);
    let seen = query.offset + shown as u64;
    let least = if found == u64::MAX || has_filter { seen + 1 } else { (seen + 1).max(RARE_MAX) };
    Ok(AlertPage { alerts, total: if total_is_least { least } else { seen }, total_is_least })
}

fn limit_of(query: &AlertQuery) -> u64 {
    if query.limit == 0 { PAGE } else { query.limit.min(PAGE_MAX) }
}

/// The words as an expression of the trigram index; quoted, so that none is an operator.
fn matching(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{}\"", word.replace('"', "\"\""))).collect();
    quoted.join(" AND ")
}

/// How many alerts match, counted a little beyond [`RARE_MAX`] at most.
fn count_of_matches(db: &Connection, matching: &str) -> Result<u64, StoreError> {
    let sql = format!(
        "SELECT count(*) FROM (SELECT rowid FROM alerts_text WHERE alerts_text MATCH ?1 LIMIT {})",
        RARE_MAX + 1
    );
    Ok(db.prepare_cached(&sql)?.query_row([matching], |row| count(row, 0))?)
}

/// A query as SQL conditions and their values.
struct Filter {
    conditions: Vec<String>,
    values: Vec<Value>,
}

impl Filter {
    fn of(query: &AlertQuery) -> Filter {
        let mut filter = Filter { conditions: Vec::new(), values: Vec::new() };
        filter.one_of("state", query.states.iter().map(|state| Value::from(state.as_str().to_owned())));
        filter.one_of("level", query.levels.iter().map(|level| Value::from(i64::from(level.ocsf_severity_id()))));
        filter.one_of("source", query.source.iter().cloned().map(Value::from));
        filter.one_of("rule_id", query.rule.iter().cloned().map(Value::from));
        filter.one_of("lane", query.lane.iter().map(|lane| Value::from(lane.as_str().to_owned())));
        filter
    }

    /// `column` is one of `values`, or anything if there are none. One value is an equality, which an index can seek; several are kept from
    /// the planner (unary plus), so that the page's order still comes from its index.
    fn one_of(&mut self, column: &str, values: impl Iterator<Item = Value>) {
        let before = self.values.len();
        self.values.extend(values);
        match self.values.len() - before {
            0 => {}
            1 => self.conditions.push(format!("{column} = ?{}", before + 1)),
            n => {
                let places: Vec<String> = (before + 1..=before + n).map(|place| format!("?{place}")).collect();
                self.conditions.push(format!("+{column} IN ({})", places.join(", ")));
            }
        }
    }

    /// Every word is in the trigram index.
    fn matching(&mut self, words: &[&str]) {
        self.values.push(Value::from(matching(words)));
        let place = self.values.len();
        self.conditions.push(format!("n IN (SELECT rowid FROM alerts_text WHERE alerts_text MATCH ?{place})"));
    }

    /// Every word is in the alert's own text, row by row.
    fn compared(&mut self, words: &[&str]) {
        for word in words {
            let escaped = word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            self.values.push(Value::from(format!("%{escaped}%")));
            self.conditions.push(format!("({TEXT}) LIKE ?{} ESCAPE '\\'", self.values.len()));
        }
    }

    fn conditions(&self) -> String {
        if self.conditions.is_empty() { "1".to_owned() } else { self.conditions.join(" AND ") }
    }

    /// The page and `more`: first the short names, in order, then the rows.
    fn alerts(&self, db: &Connection, query: &AlertQuery, is_walk: bool, more: u64) -> Result<Vec<Alert>, StoreError> {
        let (index, order) = match query.sort {
            AlertSort::Level => ("alerts_by_level", "level DESC, last_event DESC, n DESC"),
            AlertSort::LastEvent => ("alerts_by_event", "last_event DESC, n DESC"),
            AlertSort::Detected => ("alerts_by_detected", "detected DESC, n DESC"),
            AlertSort::Oldest => ("alerts_by_detected", "detected, n"),
        };
        let from = if is_walk { format!("INDEXED BY {index}") } else { String::new() };
        let names = format!(
            "SELECT n FROM alerts {from} WHERE {} ORDER BY {order} LIMIT {} OFFSET {}",
            self.conditions(),
            limit_of(query) + more,
            query.offset.min(i64::MAX as u64)
        );
        let sql = format!("SELECT {ALERT_COLUMNS} FROM alerts WHERE n IN ({names}) ORDER BY {order}");
        let mut select = db.prepare_cached(&sql)?;
        let mut rows = select.query(params_from_iter(&self.values))?;
        let mut alerts = Vec::new();
        while let Some(row) = rows.next()? {
            alerts.push(alert_of(row)?);
        }
        Ok(alerts)
    }

    /// How many there are, from the kept counts: only while no text is asked for.
    fn sum_of_counts(&self, db: &Connection) -> Result<u64, StoreError> {
        let sql = format!("SELECT coalesce(sum(n), 0) FROM alert_counts WHERE {}", self.conditions());
        Ok(db.prepare_cached(&sql)?.query_row(params_from_iter(&self.values), |row| count(row, 0))?)
    }

    /// How many there are, counted.
    fn count(&self, db: &Connection) -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) FROM alerts WHERE {}", self.conditions());
        Ok(db.prepare_cached(&sql)?.query_row(params_from_iter(&self.values), |row| count(row, 0))?)
    }
}
