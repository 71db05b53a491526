//! Alerts about ourselves: they take the same way as any other, from finding to receiver.

use std::sync::PoisonError;

use model::{
    AlertId, Entity, EntityKind, Entry, EventId, Finding, FoldKey, Imbalance, Lane, Ledger, Level, RuleId, RuleKind,
    SourceId, Step, Time,
};

use rusqlite::Connection;

use crate::rows::{alert_by_n, fold_digest, to_json};
use crate::{Raised, RouteRule, Settlement, Store, StoreError, audit, detail, outbox};

/// The source, input and first entity of alerts about ourselves.
const SELF: &str = "watchkeep";

/// Findings about ourselves fold for as long as their alert is not closed.
const FOLD_WINDOW_MS: i64 = 100 * 366 * 86_400_000;

impl Store {
    /// The routes that alerts about ourselves take; `settle` sets them too.
    pub fn set_routes(&self, routes: &[RouteRule]) {
        let is_same = *self.inner.routes.read().unwrap_or_else(PoisonError::into_inner) == routes;
        if !is_same {
            *self.inner.routes.write().unwrap_or_else(PoisonError::into_inner) = routes.to_vec();
        }
    }

    /// The routes last given.
    pub(crate) fn routes(&self) -> Vec<RouteRule> {
        self.inner.routes.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Raises an alert about ourselves (source `watchkeep`). Calls with the same `key` fold into one alert while it is not closed.
    ///
    /// Shape: a second call with the same key at the same microsecond is a repetition and changes only the ledger.
    pub fn raise_self(
        &self,
        title: &str,
        message: &str,
        level: Level,
        key: &str,
        now: Time,
    ) -> Result<AlertId, StoreError> {
        let note = Note { title: title.to_owned(), message: message.to_owned(), level, key: key.to_owned() };
        let routes = self.routes();
        self.write(|db| self.raise_in(db, &note, &routes, now))
    }

    /// The body of [`Store::raise_self`], within the caller's transaction.
    pub(crate) fn raise_in(
        &self,
        db: &Connection,
        note: &Note,
        routes: &[RouteRule],
        now: Time,
    ) -> Result<AlertId, StoreError> {
        let finding = finding(note, now);
        let mut ledger = Ledger::default();
        let source = Some(finding.source.clone());
        let entry = Entry { input: SELF.into(), source, hour: now.hour(), step: Step::Raised, reason: String::new() };
        ledger.add(entry, 1);
        let raised = Raised { finding, evidence: Vec::new(), input: SELF.into() };
        let settlement =
            Settlement { input: SELF.into(), ledger, findings: vec![raised], now, ..Settlement::default() };
        let settled = self.settle_in(db, &settlement, routes)?;
        let alert = settled.findings.first().and_then(|(_, _, alert)| *alert);
        Ok(alert.unwrap_or_else(|| model::Alert::id_of(&settlement.findings[0].finding)))
    }

    /// What [`Store::raise_self`] told with `key` is over: its alert, if it is not closed, says so in its history, and so do the routes that were told
    /// of it. A person closes it.
    pub fn recover_self(&self, message: &str, key: &str, now: Time) -> Result<(), StoreError> {
        let (title, message, key) = (String::new(), message.to_owned(), key.to_owned());
        self.write(|db| recover(db, &Note { title, message, level: Level::Informational, key }, now))
    }

    /// Checks every conservation law; what does not hold raises one alert about ourselves, which later checks fold into.
    pub fn check_balance(&self, now: Time) -> Result<Vec<Imbalance>, StoreError> {
        let broken = self.imbalances(now)?;
        if let Some(first) = broken.first() {
            let message = format!(
                "{} of the ledger's laws do not hold; first, at {} in the hour of {}: {} is {} = {}",
                broken.len(),
                first.input,
                first.hour,
                first.law,
                first.left,
                first.right
            );
            self.raise_self("The ledger does not balance", &message, Level::High, "ledger-imbalance", now)?;
        }
        Ok(broken)
    }
}

/// Something to be told about ourselves.
pub(crate) struct Note {
    /// What it is about.
    pub title: String,
    /// What is so.
    pub message: String,
    /// How grave.
    pub level: Level,
    /// What it folds by.
    pub key: String,
}

/// What was told with the note's key is over: its alert, if it is not closed, says so, and so do the routes that were told of it. A person
/// closes it. Within the caller's transaction.
pub(crate) fn recover(db: &Connection, note: &Note, now: Time) -> Result<(), StoreError> {
    let digest = fold_digest(&finding(note, now));
    let select = "SELECT n FROM alerts INDEXED BY alerts_to_fold WHERE fold_digest = ?1 AND state <> 'closed'";
    let open: Vec<i64> =
        db.prepare_cached(select)?.query_map([digest], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for n in open {
        let alert = alert_by_n(db, n)?;
        detail::write_history(db, n, "recovered", SELF, Some(&note.message), now)?;
        audit::seal(db, now, SELF, "alert.recovered", &alert.alert_id.to_string(), &to_json(&note.message))?;
        for route in outbox::routes_told(db, n)? {
            outbox::queue(db, n, &alert, &route, "alert.recovered", None, now)?;
        }
    }
    Ok(())
}

fn finding(note: &Note, now: Time) -> Finding {
    let Note { title, message, level, key } = note;
    let rule_id = RuleId::new(format!("watchkeep-{key}"));
    let event = EventId::of(&[SELF.as_bytes(), key.as_bytes(), &now.micros().to_be_bytes()]);
    Finding {
        finding_id: Finding::id_of(&rule_id, "1", &[event]),
        rule_id,
        rule_title: title.clone(),
        rule_revision: "1".to_owned(),
        level: *level,
        kind: RuleKind::Alert,
        source: SourceId::from(SELF),
        event_time: now,
        received: now,
        event_ids: vec![event],
        entities: vec![Entity { kind: EntityKind::Workload, key: SELF.to_owned() }],
        techniques: Vec::new(),
        message: message.clone(),
        lane: Lane::Live,
        fold: FoldKey { by: vec![("key".to_owned(), key.clone())], window_ms: FOLD_WINDOW_MS },
        matched: Vec::new(),
        columns: Default::default(),
        window: None,
        context: Vec::new(),
    }
}
