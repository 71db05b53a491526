//! Triage inside the settling transaction: each finding opens an alert, joins one, is silenced, or is kept. `engine::triage` decides; this
//! file finds the alert that may take it, and writes down what was decided.
//!
//! In: findings in order. Out: rows, counts, what became of each. Bound: the batch; of one alert, `findings_per_alert_max` findings are kept
//! whole, and of one rule and hour `findings_per_hour_max` findings that have none; further ones by id and time. Nothing is dropped.

mod revise;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

use engine::triage::{Decision, decide};
use model::{Alert, Disposition, Entry, Finding, Ledger, Silence, Standing, Step, Time};
use rusqlite::{Connection, OptionalExtension, params};

use crate::rows::{alert_by_n, fold_digest, index_text, insert_alert, to_json, update_alert};
use crate::settlement::{Raised, Settled};
use crate::{RouteRule, StoreError, StoreOptions, audit, detail, outbox, silences};

/// Entities that one alert names at most; its findings hold the rest.
const ENTITIES_MAX: usize = 64;

/// One batch's triage.
pub(crate) struct Triage<'a> {
    db: &'a Connection,
    options: &'a StoreOptions,
    routes: &'a [RouteRule],
    silences: Vec<Silence>,
    now: Time,
    /// Alerts that this batch touched; folds are written once per alert, at the end.
    touched: BTreeMap<i64, Touched>,
    taken: BTreeMap<String, u64>,
    counts: Ledger,
    settled: Settled,
}

struct Touched {
    alert: Alert,
    folded: u64,
    /// Is there something new to find it by?
    has_new_words: bool,
    /// Was a finding of it replaced?
    is_revised: bool,
}

impl Touched {
    fn new(alert: Alert) -> Touched {
        Touched { alert, folded: 0, has_new_words: false, is_revised: false }
    }

    /// Takes in what the alert says of all its findings.
    fn take_in(&mut self, finding: &Finding) {
        self.alert.last_event = self.alert.last_event.max(finding.event_time);
        for entity in &finding.entities {
            if self.alert.entities.len() < ENTITIES_MAX && !self.alert.entities.contains(entity) {
                self.alert.entities.push(entity.clone());
                self.has_new_words = true;
            }
        }
    }
}

/// What became of one finding, with the short name of its alert.
struct Outcome {
    disposition: Disposition,
    alert: Option<(i64, Alert)>,
    silence: Option<String>,
}

impl<'a> Triage<'a> {
    pub fn begin(
        db: &'a Connection,
        options: &'a StoreOptions,
        routes: &'a [RouteRule],
        now: Time,
    ) -> Result<Triage<'a>, StoreError> {
        Ok(Triage {
            db,
            options,
            routes,
            silences: silences::running(db, now)?,
            now,
            touched: BTreeMap::new(),
            taken: BTreeMap::new(),
            counts: Ledger::default(),
            settled: Settled::default(),
        })
    }

    /// Settles one finding.
    pub fn settle(&mut self, raised: &Raised) -> Result<(), StoreError> {
        let finding = &raised.finding;
        let mut known = self.db.prepare_cached("SELECT n, alert_n FROM findings WHERE finding_id = ?1")?;
        let known: Option<(i64, Option<i64>)> =
            known.query_row([finding.finding_id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let (disposition, alert_id) = match known {
            Some((n, alert_n)) => {
                self.revise(raised, n, alert_n)?;
                (Disposition::Repeated, alert_n.map(|n| self.alert_id(n)).transpose()?)
            }
            None => self.settle_new(raised)?,
        };
        self.count(raised, disposition);
        self.settled.findings.push((finding.finding_id, disposition, alert_id));
        Ok(())
    }

    fn alert_id(&self, n: i64) -> Result<model::AlertId, StoreError> {
        match self.touched.get(&n) {
            Some(touched) => Ok(touched.alert.alert_id),
            None => Ok(alert_by_n(self.db, n)?.alert_id),
        }
    }

    fn settle_new(&mut self, raised: &Raised) -> Result<(Disposition, Option<model::AlertId>), StoreError> {
        let finding = &raised.finding;
        let digest = fold_digest(finding);
        let candidate = self.candidate(finding, &digest)?;
        let decision = match revise::standing_of(finding) {
            // Nobody was told of it, and it is not so.
            Some(Standing::Withdrawn) => Decision::Keep,
            _ => decide(finding, candidate.map(|n| &self.touched[&n].alert), &self.silences, self.now),
        };
        let outcome = match decision {
            Decision::Open(alert) => self.open(finding, *alert, &digest, raised)?,
            Decision::Fold(_) => self.fold(finding, candidate.expect("only a candidate can be folded into")),
            Decision::Silence(id) => {
                *self.taken.entry(id.clone()).or_default() += 1;
                Outcome { disposition: Disposition::Silenced, alert: None, silence: Some(id) }
            }
            Decision::Keep => Outcome { disposition: Disposition::Kept, alert: None, silence: None },
        };
        self.store(raised, &outcome)?;
        Ok((outcome.disposition, outcome.alert.map(|(_, alert)| alert.alert_id)))
    }

    /// The open alert with the finding's fold values whose first event is nearest, if one lies within the window.
    fn candidate(&mut self, finding: &Finding, digest: &[u8; 16]) -> Result<Option<i64>, StoreError> {
        let at = finding.event_time;
        let (since, until) = (at.plus_millis(-finding.fold.window_ms), at.plus_millis(finding.fold.window_ms));
        let n: Option<i64> = self
            .db
            .prepare_cached(
                "SELECT n FROM alerts INDEXED BY alerts_to_fold \
                 WHERE fold_digest = ?1 AND state <> 'closed' AND first_event BETWEEN ?2 AND ?3 \
                 ORDER BY abs(first_event - ?4), n LIMIT 1",
            )?
            .query_row(params![digest, since.micros(), until.micros(), at.micros()], |row| row.get(0))
            .optional()?;
        n.map(|n| self.touch(n)).transpose()?;
        Ok(n)
    }

    /// Reads an alert, unless this batch has it already.
    fn touch(&mut self, n: i64) -> Result<&mut Touched, StoreError> {
        Ok(match self.touched.entry(n) {
            Slot::Occupied(known) => known.into_mut(),
            Slot::Vacant(free) => free.insert(Touched::new(alert_by_n(self.db, n)?)),
        })
    }

    fn open(
        &mut self,
        finding: &Finding,
        alert: Alert,
        digest: &[u8; 16],
        raised: &Raised,
    ) -> Result<Outcome, StoreError> {
        let n = insert_alert(self.db, &alert, digest)?;
        detail::write_history(self.db, n, "opened", "watchkeep", Some(&raised.input), self.now)?;
        let subject = alert.alert_id.to_string();
        let about = to_json(&(&alert.rule_id, alert.level, alert.lane, finding.finding_id));
        audit::seal(self.db, self.now, "watchkeep", "alert.opened", &subject, &about)?;
        for route in self.routes.iter().filter(|route| route.takes(&alert)) {
            outbox::queue(self.db, n, &alert, &route.name, "alert.opened", Some(finding), self.now)?;
            *self.settled.queued.entry(route.name.clone()).or_default() += 1;
        }
        self.settled.opened.push(alert.alert_id);
        self.touched.insert(n, Touched::new(alert.clone()));
        Ok(Outcome { disposition: Disposition::Opened, alert: Some((n, alert)), silence: None })
    }

    fn fold(&mut self, finding: &Finding, n: i64) -> Outcome {
        let touched = self.touched.get_mut(&n).expect("a candidate is among the touched");
        touched.folded += 1;
        touched.alert.findings += 1;
        touched.take_in(finding);
        Outcome { disposition: Disposition::Folded, alert: Some((n, touched.alert.clone())), silence: None }
    }

    /// Writes the finding down, whole with its evidence unless there are enough of them: then the row says so by having no body.
    fn store(&self, raised: &Raised, outcome: &Outcome) -> Result<(), StoreError> {
        let finding = &raised.finding;
        let whole = match &outcome.alert {
            Some((_, alert)) => alert.findings <= self.options.findings_per_alert_max,
            None => self.copies(finding, outcome.disposition)? <= self.options.findings_per_hour_max,
        };
        let body = whole.then(|| to_json(finding));
        self.db
            .prepare_cached(
                "INSERT INTO findings (finding_id, alert_n, disposition, silence_id, rule_id, input, event_time, settled, body) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                finding.finding_id.as_bytes(),
                outcome.alert.as_ref().map(|(n, _)| n),
                outcome.disposition.as_str(),
                outcome.silence,
                finding.rule_id.as_str(),
                raised.input,
                finding.event_time.micros(),
                self.now.micros(),
                body,
            ])?;
        let finding_n = self.db.last_insert_rowid();
        if let Some(standing) = revise::standing_of(finding) {
            revise::write_standing(self.db, finding_n, standing)?;
        }
        for evidence in raised.evidence.iter().filter(|_| whole) {
            detail::write_evidence(self.db, finding_n, evidence, self.options.evidence_bytes_max)?;
        }
        Ok(())
    }

    /// The place of a finding without an alert among those of its rule and disposition in this hour, from 1.
    fn copies(&self, finding: &Finding, disposition: Disposition) -> Result<u64, StoreError> {
        // An hour before the one last seen (the clock was set back) counts with that one, so that the bound holds.
        let mut count = self.db.prepare_cached(
            "INSERT INTO finding_copies VALUES (?1, ?2, ?3, 1) ON CONFLICT DO UPDATE SET \
             n = CASE WHEN excluded.hour > hour THEN 1 ELSE n + 1 END, hour = max(hour, excluded.hour) RETURNING n",
        )?;
        let values = params![finding.rule_id.as_str(), disposition.as_str(), self.now.hour().micros()];
        let n: i64 = count.query_row(values, |row| row.get(0))?;
        Ok(n.unsigned_abs())
    }

    fn count(&mut self, raised: &Raised, disposition: Disposition) {
        let step = match disposition {
            Disposition::Opened => Step::Opened,
            Disposition::Folded => Step::Folded,
            Disposition::Silenced => Step::Silenced,
            Disposition::Kept => Step::Kept,
            Disposition::Repeated => Step::Repeated,
        };
        let entry = Entry {
            input: raised.input.clone(),
            source: Some(raised.finding.source.clone()),
            hour: raised.finding.received.hour(),
            step,
            reason: String::new(),
        };
        self.counts.add(entry, 1);
    }

    /// Writes what was gathered over the batch: folds per alert, findings taken per silence.
    pub fn finish(self) -> Result<(Settled, Ledger), StoreError> {
        for (n, touched) in self.touched.iter().filter(|(_, touched)| touched.folded > 0 || touched.is_revised) {
            update_alert(self.db, *n, &touched.alert)?;
            if touched.has_new_words {
                index_text(self.db, *n, &touched.alert)?;
            }
            if touched.folded > 0 {
                detail::write_folds(self.db, *n, touched.folded, self.now)?;
            }
        }
        for (id, taken) in &self.taken {
            self.db
                .prepare_cached("UPDATE silences SET taken = taken + ?2 WHERE silence_id = ?1")?
                .execute(params![id, *taken as i64])?;
        }
        Ok((self.settled, self.counts))
    }
}
