//! What is done now and then: the ledger is checked, sources are judged, the lake moves on, a failed journal is reopened.

use std::sync::Arc;
use std::time::Duration;

use lake::{Lake, LakeError};
use store::journal::Journal;
use store::{Change, Contracts, Expired, KeptContent, Store};

use crate::Clock;
use crate::inputs::journal::tell_damage;
use crate::inputs::{Feed, Stop};
use crate::line::chain;

const BALANCE_EVERY_MS: i64 = 60_000;
const SOURCES_EVERY_MS: i64 = 60_000;
const SOURCES_PAUSE: Duration = Duration::from_secs(1);
const LAKE_PAUSE: Duration = Duration::from_secs(1);
const CONTENT_PAUSE: Duration = Duration::from_secs(60);
const SELF_PAUSE: Duration = Duration::from_secs(5);

/// Checks the conservation ledger every minute; the store raises the alert.
pub(super) fn watch_balance(store: &Store, clock: &Arc<dyn Clock>, stop: &Stop, queued: &(dyn Fn() + Send + Sync)) {
    let mut last = clock.now();
    loop {
        if clock.now().millis_since(last) >= BALANCE_EVERY_MS {
            last = clock.now();
            match store.check_balance(last) {
                Ok(broken) if broken.is_empty() => {}
                Ok(broken) => {
                    tracing::error!(laws = broken.len(), "the ledger does not balance");
                    queued();
                }
                Err(error) => tracing::error!(error = chain(&error), "the ledger cannot be checked"),
            }
        }
        if stop.wait(SELF_PAUSE) {
            return;
        }
    }
}

/// Judges every source every minute; the store raises the alerts, and takes them back.
pub(super) fn watch_sources(
    store: &Store,
    asked: &Contracts,
    clock: &Arc<dyn Clock>,
    stop: &Stop,
    queued: &(dyn Fn() + Send + Sync),
) {
    let started = clock.now();
    if let Err(error) = store.begin_watch(started) {
        tracing::error!(error = chain(&error), "the store does not note that somebody listens");
    }
    // What waits in the journal and in files is heard first.
    let mut next = started.plus_millis(SOURCES_EVERY_MS);
    loop {
        let now = clock.now();
        if now >= next {
            next = now.plus_millis(SOURCES_EVERY_MS);
            match store.check_sources(asked, started, now) {
                Ok(changes) if changes.is_empty() => {}
                Ok(changes) => {
                    changes.iter().for_each(tell_change);
                    queued();
                }
                Err(error) => tracing::error!(error = chain(&error), "the health of sources cannot be judged"),
            }
        }
        if stop.wait(SOURCES_PAUSE) {
            return;
        }
    }
}

fn tell_change(change: &Change) {
    let Change { source, verdict, sentence, is_raised } = change;
    match is_raised {
        true => tracing::warn!(%source, %verdict, sentence, "a source is not well"),
        false => tracing::info!(%source, %verdict, sentence, "a source is well again"),
    }
}

/// Deletes what was said and is too old, every minute, and tells what had to go before its time.
pub(super) fn expire_content(feed: &Feed, kept: &KeptContent) {
    loop {
        match kept.expire(feed.clock.now()) {
            Ok(expired) => {
                for Expired { source, day, is_early } in expired {
                    tracing::info!(%source, day, "what was said on a day is no longer kept");
                    if is_early {
                        let sentence = format!(
                            "there was no room for what `{source}` said on {day}; raise `bytes` or shorten `for` in `[[keep]]`"
                        );
                        feed.trouble("Content was deleted before its time", &sentence);
                    }
                }
            }
            Err(error) => {
                tracing::error!(error = chain(&error), "content that is too old cannot be deleted; it is tried again")
            }
        }
        if feed.stop.wait(CONTENT_PAUSE) {
            return;
        }
    }
}

/// Seals the lake's spool when it is old enough, and converts what was sealed. At the end it converts once more.
pub(super) fn move_lake(feed: &Feed, lake: &Lake) {
    loop {
        lake.roll(feed.clock.now());
        match lake.convert() {
            Ok(_) => {}
            Err(error @ LakeError::Damaged { .. }) => feed.trouble("The lake was damaged", &chain(&error)),
            Err(error) => {
                tracing::error!(
                    error = chain(&error),
                    "the lake cannot write Parquet files; its rows wait in the spool"
                );
            }
        }
        if feed.stop.wait(LAKE_PAUSE) {
            return;
        }
    }
}

/// Reopens the journal after its disk failed, once the disk works again. Until then it refuses, and senders retry.
pub(super) fn mend_journal(feed: &Feed, journal: &Journal, key: &str) {
    while !feed.stop.wait(SELF_PAUSE) {
        if !journal.is_failed() {
            continue;
        }
        match journal.reopen() {
            Ok(recovery) => {
                tracing::warn!("the journal was reopened after its disk had failed");
                tell_damage(feed, key, &recovery);
            }
            Err(error) => tracing::error!(error = chain(&error), "the journal still cannot be reopened"),
        }
    }
}
