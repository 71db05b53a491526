//! How each source stands: judged now and then, told once, and taken back when it is well again.
//!
//! In: what sources declare, and the time. Out: standings, an alert about ourselves for each source that is not as it should be, a note on it
//! when it is well again. Bound: one row per source. Judging, alerts and standings are one transaction, so nothing is told twice.

use std::collections::{BTreeMap, BTreeSet};

use engine::health::{Contract, Heard, Judged, Standing, Verdict, Watch, judge};
use model::{Level, SourceId, Time};
use rusqlite::{Connection, OptionalExtension, params};

use crate::check::Note;
use crate::feeds::{self, heard};
use crate::rows::{text, time, time_maybe, word};
use crate::{Store, StoreError, check, paths};

/// What is asked of the sources of a site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contracts {
    /// What each loaded source declares. Others are not judged.
    pub declared: BTreeMap<SourceId, Contract>,
    /// Those that this site must have: one of them that is never heard is an alert too.
    pub expected: BTreeSet<SourceId>,
    /// Inputs that are read once: when they are over, nothing is silent.
    pub once: BTreeSet<String>,
}

/// A source whose standing is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The source.
    pub source: SourceId,
    /// How it is now.
    pub verdict: Verdict,
    /// What was measured, and what was expected.
    pub sentence: String,
    /// Was an alert raised? Otherwise one was taken back.
    pub is_raised: bool,
}

/// A standing as it is kept.
pub(crate) struct Kept {
    standing: Standing,
    alerted: bool,
}

impl Kept {
    /// Is there something new to keep? How long ago a source that is well was last heard is nothing.
    fn is_other(&self, now: &Kept) -> bool {
        let head = |kept: &Kept| (kept.standing.verdict, kept.standing.since, kept.alerted);
        head(self) != head(now) || (now.alerted && self.standing.sentence != now.standing.sentence)
    }
}

impl Store {
    /// Judges every source as of `now` by a platform that runs since `started`; raises and takes back alerts about ourselves. Says what was
    /// told.
    pub fn check_sources(&self, asked: &Contracts, started: Time, now: Time) -> Result<Vec<Change>, StoreError> {
        let routes = self.routes();
        self.write(|db| {
            let watch = note_watch(db, started, now)?;
            feeds::forget(db, now)?;
            let heard = with_paths(db, heard(&feeds::load(db, now)?, &asked.once))?;
            let mut kept = load(db)?;
            let mut changes = Vec::new();
            for (source, contract) in &asked.declared {
                let judged = judge(contract, heard.get(source), watch);
                let is_missed = asked.expected.contains(source) && contract.is_missed(watch);
                let is_trouble = judged.verdict.is_trouble() || (judged.verdict == Verdict::Unheard && is_missed);
                let before = kept.remove(source);
                let standing = follow(judged, before.as_ref());
                if let Some(is_raised) = told(&standing, before.as_ref(), is_trouble) {
                    let note = note(source, &standing);
                    match is_raised {
                        true => drop(self.raise_in(db, &note, &routes, now)?),
                        false => check::recover(db, &note, now)?,
                    }
                    let Standing { verdict, sentence, .. } = standing.clone();
                    changes.push(Change { source: source.clone(), verdict, sentence, is_raised });
                }
                let now_kept = Kept { standing, alerted: is_trouble };
                if before.is_none_or(|before| before.is_other(&now_kept)) {
                    save(db, source, &now_kept)?;
                }
            }
            for gone in kept.keys() {
                db.prepare_cached("DELETE FROM source_standings WHERE source = ?1")?.execute([gone.as_str()])?;
            }
            Ok(changes)
        })
    }

    /// Notes that a platform starts to listen.
    pub fn begin_watch(&self, started: Time) -> Result<(), StoreError> {
        self.write(|db| note_watch(db, started, started).map(drop))
    }

    /// How each source stood when it was last judged.
    pub fn standings(&self) -> Result<BTreeMap<SourceId, Standing>, StoreError> {
        self.read(|db| Ok(load(db)?.into_iter().map(|(source, kept)| (source, kept.standing)).collect()))
    }

    /// Since when somebody listens, as of when sources were last judged; `None` where no platform ever ran.
    pub fn watch(&self) -> Result<Option<Watch>, StoreError> {
        self.read(load_watch)
    }
}

/// What was heard of each source, with the keys of its records.
pub(crate) fn with_paths(
    db: &Connection,
    mut heard: BTreeMap<SourceId, Heard>,
) -> Result<BTreeMap<SourceId, Heard>, StoreError> {
    for (source, paths) in paths::load(db)? {
        if let Some(heard) = heard.get_mut(&source) {
            heard.paths = Some(paths);
        }
    }
    Ok(heard)
}

/// What is wrong stays so since it was first seen.
pub(crate) fn follow(judged: Judged, before: Option<&Kept>) -> Standing {
    let Judged { verdict, since, sentence, .. } = judged;
    let earlier = before.filter(|before| before.standing.verdict == verdict && verdict != Verdict::Silent);
    let since = match (since, earlier.and_then(|before| before.standing.since)) {
        (Some(since), Some(earlier)) => Some(since.min(earlier)),
        (since, _) => since,
    };
    Standing { verdict, since, sentence }
}

/// Is an alert raised (`true`), taken back (`false`), or is nothing new?
fn told(standing: &Standing, before: Option<&Kept>, is_trouble: bool) -> Option<bool> {
    let was_told = before.is_some_and(|before| before.alerted);
    let is_same = before.is_some_and(|before| before.standing.verdict == standing.verdict);
    match (is_trouble, was_told) {
        (true, true) if is_same => None,
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    }
}

fn note(source: &SourceId, standing: &Standing) -> Note {
    let level = match standing.verdict {
        Verdict::Silent | Verdict::Unheard => Level::High,
        _ => Level::Medium,
    };
    Note {
        title: "A source is not well".to_owned(),
        message: format!("source `{source}` is {}: {}", standing.verdict, standing.sentence),
        level,
        key: format!("source-health:{source}"),
    }
}

pub(crate) fn load(db: &Connection) -> Result<BTreeMap<SourceId, Kept>, StoreError> {
    let mut select = db.prepare_cached("SELECT source, verdict, since, sentence, alerted FROM source_standings")?;
    let mut rows = select.query([])?;
    let mut all = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let verdict = word(row, 1, "verdict", Verdict::parse)?;
        let standing = Standing { verdict, since: time_maybe(row, 2)?, sentence: text(row, 3)? };
        all.insert(SourceId::new(text(row, 0)?), Kept { standing, alerted: row.get(4)? });
    }
    Ok(all)
}

fn save(db: &Connection, source: &SourceId, kept: &Kept) -> Result<(), StoreError> {
    let Kept { standing, alerted } = kept;
    db.prepare_cached("INSERT OR REPLACE INTO source_standings VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
        source.as_str(),
        standing.verdict.as_str(),
        standing.since.map(Time::micros),
        standing.sentence,
        alerted
    ])?;
    Ok(())
}

fn note_watch(db: &Connection, started: Time, now: Time) -> Result<Watch, StoreError> {
    db.prepare_cached(
        "INSERT INTO watch VALUES (1, ?1, ?1, ?2) ON CONFLICT DO UPDATE SET started = excluded.started, checked = excluded.checked",
    )?
    .execute(params![started.micros(), now.micros()])?;
    let watch = load_watch(db)?.expect("it was just written");
    Ok(Watch { now, started, ..watch })
}

pub(crate) fn load_watch(db: &Connection) -> Result<Option<Watch>, StoreError> {
    let mut select = db.prepare_cached("SELECT first, started, checked FROM watch WHERE id = 1")?;
    let row = select.query_row([], |row| Ok((time(row, 0), time(row, 1), time(row, 2)))).optional()?;
    let Some((first, started, now)) = row else { return Ok(None) };
    Ok(Some(Watch { now: now?, started: started?, first: first? }))
}
