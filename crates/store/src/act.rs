//! What people and receivers do to an alert.
//!
//! In: a move. Out: the alert as it is now; history, audit and outbox rows in the same transaction. An illegal move changes nothing.

use model::{Alert, AlertId, Move, Time};
use rusqlite::Connection;

use crate::rows::{alert_by_id, to_json, update_alert};
use crate::{ActError, Store, StoreError, audit, detail, outbox};

impl Store {
    /// Moves an alert: only legal moves. Writes history, audit, and, for a person's acts, `alert.acknowledged` or `alert.closed` to the
    /// routes that were told of its opening.
    ///
    /// Errors: [`ActError::Illegal`] for a move that the state does not allow; nothing is written then.
    pub fn act(
        &self,
        alert_id: AlertId,
        step: Move,
        who: &str,
        reason: Option<&str>,
        now: Time,
    ) -> Result<Alert, ActError> {
        let who = who.trim();
        if who.is_empty() {
            return Err(ActError::Nobody);
        }
        let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
        self.write(|db| {
            let (n, mut alert) = alert_by_id(db, alert_id)?.ok_or(ActError::NoAlert(alert_id))?;
            alert.state = alert.state.apply(step)?;
            record(db, n, &mut alert, step, who, reason, now)?;
            Ok(alert)
        })
    }
}

/// Writes everything that follows from a move which the alert's state has already made, within the caller's transaction.
pub(crate) fn record(
    db: &Connection,
    n: i64,
    alert: &mut Alert,
    step: Move,
    who: &str,
    why: Option<&str>,
    now: Time,
) -> Result<(), StoreError> {
    let (kind, told) = match step {
        Move::Deliver => ("delivered", None),
        Move::Receive => ("received", None),
        Move::Acknowledge => ("acknowledged", Some("alert.acknowledged")),
        Move::Close(_) => ("closed", Some("alert.closed")),
    };
    fill_in(alert, step, who, why, now);
    update_alert(db, n, alert)?;
    let said = alert.verdict.filter(|_| kind == "closed").map(|verdict| match why {
        Some(why) => format!("{}: {why}", verdict.label()),
        None => verdict.label().to_owned(),
    });
    detail::write_history(db, n, kind, who, said.as_deref().or(why), now)?;
    let about = to_json(&(alert.state, alert.verdict, why));
    audit::seal(db, now, who, &format!("alert.{kind}"), &alert.alert_id.to_string(), &about)?;
    if let Some(kind) = told {
        for route in outbox::routes_told(db, n)? {
            outbox::queue(db, n, alert, &route, kind, None, now)?;
        }
    }
    Ok(())
}

/// Clocks and names: the first delivery counts, and each act has one person.
fn fill_in(alert: &mut Alert, step: Move, who: &str, why: Option<&str>, now: Time) {
    match step {
        Move::Deliver | Move::Receive => {
            alert.clocks.delivered.get_or_insert(now);
        }
        Move::Acknowledge => {
            alert.clocks.acknowledged = Some(now);
            alert.acknowledged_by = Some(who.to_owned());
        }
        Move::Close(verdict) => {
            alert.clocks.verdict = Some(now);
            alert.verdict = Some(verdict);
            alert.verdict_by = Some(who.to_owned());
            alert.verdict_reason = why.map(str::to_owned);
        }
    }
}
