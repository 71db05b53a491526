//! The queue: pages of alerts, filtered, sorted and counted.

use model::{Alert, AlertId, AlertState, Lane, Level};
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};
use serde::{Deserialize, Serialize};

use crate::rows::{ALERT_COLUMNS, alert_of, count, id16};
use crate::{Store, StoreError};

/// Alerts on a page unless said otherwise.
const PAGE: u64 = 50;
/// Alerts on a page at most.
const PAGE_MAX: u64 = 1_000;
/// Words of a search that count.
const WORDS_MAX: usize = 16;

/// In what order a page of alerts comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertSort {
    /// Gravest first, then latest event first.
    #[default]
    Level,
    /// Latest event first.
    LastEvent,
    /// Latest raised first.
    Detected,
    /// Earliest raised first: who waits longest.
    Oldest,
}

/// Which alerts, and which page of them. An empty list or `None` means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertQuery {
    /// The states.
    pub states: Vec<AlertState>,
    /// The levels.
    pub levels: Vec<Level>,
    /// The source's id.
    pub source: Option<String>,
    /// The rule's id.
    pub rule: Option<String>,
    /// Text in the title, message, entities, techniques, rule id or alert id; every word must occur somewhere.
    pub text: Option<String>,
    /// The lane.
    pub lane: Option<Lane>,
    /// The order.
    pub sort: AlertSort,
    /// How many to pass over.
    pub offset: u64,
    /// How many to give; 0 means 50.
    pub limit: u64,
}

/// A page of alerts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlertPage {
    /// The page.
    pub alerts: Vec<Alert>,
    /// How many the query meets in all.
    pub total: u64,
}

impl Store {
    /// A page of alerts and how many there are.
    pub fn alerts(&self, query: &AlertQuery) -> Result<AlertPage, StoreError> {
        let filter = Filter::of(query);
        self.read(|db| Ok(AlertPage { alerts: filter.page(db, query)?, total: filter.total(db)? }))
    }

    /// The ids that begin with `prefix` (hexadecimal digits), at most `limit`, in order.
    pub fn alert_ids(&self, prefix: &str, limit: usize) -> Result<Vec<AlertId>, StoreError> {
        let prefix = prefix.trim().to_ascii_lowercase();
        let ends = [format!("{prefix:0<32}"), format!("{prefix:f<32}")].map(|text| AlertId::parse(&text));
        let [Some(least), Some(most)] = ends else { return Ok(Vec::new()) };
        self.read(|db| {
            let sql = "SELECT alert_id FROM alerts WHERE alert_id BETWEEN ?1 AND ?2 ORDER BY alert_id LIMIT ?3";
            let mut select = db.prepare_cached(sql)?;
            let mut rows = select.query(params![least.as_bytes(), most.as_bytes(), limit as i64])?;
            let mut ids = Vec::new();
            while let Some(row) = rows.next()? {
                ids.push(id16(row, 0, "alert_id", AlertId::parse)?);
            }
            Ok(ids)
        })
    }
}

/// A query as SQL conditions and their values.
struct Filter {
    conditions: Vec<String>,
    values: Vec<Value>,
    has_text: bool,
}

impl Filter {
    fn of(query: &AlertQuery) -> Filter {
        let mut filter = Filter { conditions: Vec::new(), values: Vec::new(), has_text: false };
        filter.one_of("state", query.states.iter().map(|state| Value::from(state.as_str().to_owned())));
        filter.one_of("level", query.levels.iter().map(|level| Value::from(i64::from(level.ocsf_severity_id()))));
        filter.one_of("source", query.source.iter().cloned().map(Value::from));
        filter.one_of("rule_id", query.rule.iter().cloned().map(Value::from));
        filter.one_of("lane", query.lane.iter().map(|lane| Value::from(lane.as_str().to_owned())));
        filter.words(query.text.as_deref().unwrap_or_default());
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

    /// Every word occurs. Words of three characters and more are looked up in the trigram index; shorter ones are compared.
    fn words(&mut self, text: &str) {
        let (long, short): (Vec<&str>, Vec<&str>) =
            text.split_whitespace().take(WORDS_MAX).partition(|word| word.chars().count() >= 3);
        if !long.is_empty() {
            let quoted: Vec<String> = long.iter().map(|word| format!("\"{}\"", word.replace('"', "\"\""))).collect();
            self.values.push(Value::from(quoted.join(" AND ")));
            let place = self.values.len();
            self.conditions.push(format!("n IN (SELECT rowid FROM alerts_text WHERE alerts_text MATCH ?{place})"));
        }
        for word in &short {
            let escaped = word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            self.values.push(Value::from(format!("%{escaped}%")));
            let place = self.values.len();
            let columns = "title || char(10) || message || char(10) || entities || char(10) || techniques";
            self.conditions.push(format!("({columns}) LIKE ?{place} ESCAPE '\\'"));
        }
        self.has_text = !(long.is_empty() && short.is_empty());
    }

    fn conditions(&self) -> String {
        if self.conditions.is_empty() { "1".to_owned() } else { self.conditions.join(" AND ") }
    }

    /// The page: first the short names, found within one index; then the rows.
    fn page(&self, db: &Connection, query: &AlertQuery) -> Result<Vec<Alert>, StoreError> {
        let (index, order) = match query.sort {
            AlertSort::Level => ("alerts_by_level", "level DESC, last_event DESC, n DESC"),
            AlertSort::LastEvent => ("alerts_by_event", "last_event DESC, n DESC"),
            AlertSort::Detected => ("alerts_by_detected", "detected DESC, n DESC"),
            AlertSort::Oldest => ("alerts_by_detected", "detected, n"),
        };
        let from = if self.has_text { String::new() } else { format!("INDEXED BY {index}") };
        let limit = if query.limit == 0 { PAGE } else { query.limit.min(PAGE_MAX) };
        let names = format!(
            "SELECT n FROM alerts {from} WHERE {} ORDER BY {order} LIMIT {limit} OFFSET {}",
            self.conditions(),
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

    /// How many there are: from the kept counts, unless text must be looked up.
    fn total(&self, db: &Connection) -> Result<u64, StoreError> {
        let what = if self.has_text { "count(*) FROM alerts" } else { "coalesce(sum(n), 0) FROM alert_counts" };
        let sql = format!("SELECT {what} WHERE {}", self.conditions());
        let mut select = db.prepare_cached(&sql)?;
        Ok(select.query_row(params_from_iter(&self.values), |row| count(row, 0))?)
    }
}
