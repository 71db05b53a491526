//! A later word about a finding that is known: what was told early becomes final, grows, or is withdrawn.
//!
//! In: a finding about many events whose id is known. Out: the row, its standing and its alert follow; the ledger counts a repetition.
//! Nothing is deleted, and no alert is closed: that is for a person. What is final stays as it is.

use model::{Finding, Standing};
use rusqlite::{Connection, OptionalExtension, params};

use super::Triage;
use crate::rows::{parse, to_json};
use crate::settlement::Raised;
use crate::{StoreError, audit, detail};

/// How certain a finding about many events is; `None` for a finding of one event.
pub(super) fn standing_of(finding: &Finding) -> Option<Standing> {
    finding.window.as_ref().map(|window| window.standing)
}

/// May what is known be replaced by what is said now? What is final stays; a withdrawn finding can come to hold after all.
fn replaces(known: Standing, said: Standing) -> bool {
    match known {
        Standing::Early => true,
        Standing::Withdrawn => said != Standing::Withdrawn,
        Standing::Final => false,
    }
}

/// Notes how certain a finding is, within the caller's transaction.
pub(super) fn write_standing(db: &Connection, finding_n: i64, standing: Standing) -> rusqlite::Result<()> {
    let sql = "INSERT INTO finding_standings VALUES (?1, ?2) ON CONFLICT DO UPDATE SET standing = excluded.standing";
    db.prepare_cached(sql)?.execute(params![finding_n, standing.as_str()])?;
    Ok(())
}

fn known_standing(db: &Connection, finding_n: i64) -> Result<Option<Standing>, StoreError> {
    let mut select = db.prepare_cached("SELECT standing FROM finding_standings WHERE finding_n = ?1")?;
    let text: Option<String> = select.query_row([finding_n], |row| row.get(0)).optional()?;
    text.map(|text| parse(&text, "standing", Standing::parse)).transpose()
}

impl Triage<'_> {
    /// Replaces the finding in row `n` by what is said of it now, where that may be.
    pub(super) fn revise(&mut self, raised: &Raised, n: i64, alert_n: Option<i64>) -> Result<(), StoreError> {
        let finding = &raised.finding;
        let Some(said) = standing_of(finding) else { return Ok(()) };
        let Some(known) = known_standing(self.db, n)?.filter(|known| replaces(*known, said)) else { return Ok(()) };
        let is_opener = self.rewrite(raised, n)?;
        write_standing(self.db, n, said)?;
        let Some(alert_n) = alert_n else { return Ok(()) };
        self.follow(finding, alert_n, is_opener && said != Standing::Withdrawn)?;
        match (known, said) {
            (_, Standing::Withdrawn) => self.note(finding, alert_n, "withdrawn"),
            (Standing::Withdrawn, _) => self.note(finding, alert_n, "restored"),
            _ => Ok(()),
        }
    }

    /// Writes the finding over the one in row `n`, whole if that was whole; says whether it opened its alert.
    fn rewrite(&self, raised: &Raised, n: i64) -> Result<bool, StoreError> {
        let mut update = self.db.prepare_cached(
            "UPDATE findings SET event_time = ?2, body = CASE WHEN body IS NULL THEN NULL ELSE ?3 END WHERE n = ?1 \
             RETURNING disposition = 'opened', body IS NOT NULL",
        )?;
        let values = params![n, raised.finding.event_time.micros(), to_json(&raised.finding)];
        let (is_opener, is_whole) = update.query_row(values, |row| Ok((row.get(0)?, row.get::<_, bool>(1)?)))?;
        for evidence in raised.evidence.iter().filter(|_| is_whole) {
            detail::write_evidence(self.db, n, evidence, self.options.evidence_bytes_max)?;
        }
        Ok(is_opener)
    }

    /// Has the alert say what the finding says now; its reason too, where the finding gave it.
    fn follow(&mut self, finding: &Finding, alert_n: i64, gives_reason: bool) -> Result<(), StoreError> {
        let touched = self.touch(alert_n)?;
        touched.is_revised = true;
        touched.take_in(finding);
        if gives_reason && touched.alert.message != finding.message {
            touched.alert.message.clone_from(&finding.message);
            touched.has_new_words = true;
        }
        Ok(())
    }

    fn note(&self, finding: &Finding, alert_n: i64, kind: &str) -> Result<(), StoreError> {
        detail::write_history(self.db, alert_n, kind, "watchkeep", Some(&finding.message), self.now)?;
        let about = to_json(&(&finding.rule_id, &finding.message));
        audit::seal(
            self.db,
            self.now,
            "watchkeep",
            &format!("finding.{kind}"),
            &finding.finding_id.to_string(),
            &about,
        )?;
        Ok(())
    }
}
