//! HTTP APIs of vendors, asked again and again for what is newer.
//!
//! In: a [`Feed`], which says how one API is walked. Out: its records, one by one. Bound: one page, of `body_bytes_max` unpacked. When the
//! journal is full: nothing more is asked for. The position is remembered once the page before it is durable; after a kill the same page
//! is asked for again, and what comes twice is known by the identity of its records.
//!
//! The secret goes to the origin of the feed, and nowhere else: not where a redirect or the name of a next page points.

mod client;
mod page;
mod position;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use engine::Format;
use engine::feed::{Feed, Next, fill};
use model::Time;
use reqwest::Url;
use tokio_util::sync::CancellationToken;

use crate::backoff::{Backoff, chance};
use crate::intake::{Intake, IntakeError, blocking};
use crate::trouble::Trouble;
use client::{Answer, Api, Failure, Http};
use page::Page;
use position::Position;

const AWAY: &str = "An API cannot be read";
const REFUSED: &str = "An API does not let us read it";
const LIMITED: &str = "An API keeps asking us to wait";
const CIRCLE: &str = "The pages of an API go in a circle";
const TIMELESS: &str = "Records of an API have no time";
const UNTAKEN: &str = "Records of an API cannot be taken in";
const UNUSABLE: &str = "An API cannot be asked";

/// Pages of one walk that are known again; beyond it, all are forgotten.
const PAGES_MAX: usize = 10_000;
/// So many answers in a row that ask us to wait are a trouble.
const LIMITED_MAX: u32 = 3;

/// What to ask.
#[derive(Clone)]
pub struct PollOptions {
    /// How the API is walked.
    pub feed: Arc<Feed>,
    /// What the feed asks of a site, by name.
    pub parameters: BTreeMap<String, String>,
    /// Scheme and host, in place of the feed's own.
    pub endpoint: Option<String>,
    /// The secret.
    pub secret: String,
    /// How far back the API is read the first time.
    pub start: Duration,
    /// How often it is asked; as the feed says when it is `None`.
    pub every: Option<Duration>,
    /// The longest answer, bytes, unpacked.
    pub body_bytes_max: usize,
}

impl std::fmt::Debug for PollOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PollOptions({}, {:?}, secret …)", self.feed.id, self.parameters)
    }
}

impl PollOptions {
    /// The address of the first page, without what is newer than what.
    fn address(&self) -> Result<Url, String> {
        let filled = |text: &str| fill(text, |name| self.parameters.get(name).cloned());
        let endpoint = self.endpoint.clone().unwrap_or_else(|| filled(&self.feed.endpoint));
        let text = format!("{endpoint}{}", filled(&self.feed.path));
        let mut address: Url = text.parse().map_err(|error| format!("`{text}` is no address: {error}"))?;
        if !self.feed.query.is_empty() {
            address.query_pairs_mut().extend_pairs(self.feed.query.iter().map(|(name, value)| (name, filled(value))));
        }
        Ok(address)
    }
}

/// Asks the API until `stop`. What is at hand then is made durable, or asked for again.
pub async fn run(options: PollOptions, intake: Arc<dyn Intake>, stop: CancellationToken) {
    let trouble = Trouble::of(intake.clone());
    let opened = options.address().and_then(|address| {
        let api = Http::new(&options.feed, address.clone(), &options.secret, options.body_bytes_max)?;
        Ok((address, api))
    });
    match opened {
        Ok((address, api)) => Poller::new(&options, address, api, intake, trouble, stop).run().await,
        // Only another configuration changes that.
        Err(why) => trouble.say(UNUSABLE, "", format!("feed `{}`: {why}", options.feed.id)).await,
    }
}

/// The time of this machine.
fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// How long to wait before another attempt.
#[derive(Clone, Copy, Debug)]
struct Pauses {
    /// After a failure of the API or of the network.
    away: Backoff,
    /// After a refusal, which a person has to mend.
    refused: Backoff,
}

impl Default for Pauses {
    fn default() -> Pauses {
        let refused = Backoff { first: Duration::from_secs(60), longest: Duration::from_secs(900) };
        Pauses { away: Backoff::default(), refused }
    }
}

/// Why a step did not succeed, and how it is tried again.
enum Wrong {
    Api(Failure),
    /// Pages that come again.
    Circle(String),
    /// The pipeline refuses.
    Untaken(String),
    Stopped,
}

struct Poller<A> {
    feed: Arc<Feed>,
    /// The first page's address.
    address: Url,
    /// Under what the position is remembered.
    key: String,
    api: A,
    intake: Arc<dyn Intake>,
    trouble: Trouble,
    stop: CancellationToken,
    start: Duration,
    every: Duration,
    pauses: Pauses,
    /// The names of this walk's pages.
    walked: BTreeSet<String>,
}

impl<A: Api> Poller<A> {
    fn new(
        options: &PollOptions,
        address: Url,
        api: A,
        intake: Arc<dyn Intake>,
        trouble: Trouble,
        stop: CancellationToken,
    ) -> Poller<A> {
        let feed = options.feed.clone();
        let every = Duration::from_millis(feed.every_ms.unsigned_abs());
        let mut place = address.clone();
        place.set_query(None);
        Poller {
            key: format!("poll:{}:{place}", feed.id),
            feed,
            address,
            api,
            intake,
            trouble,
            stop,
            start: options.start,
            every: options.every.unwrap_or(every),
            pauses: Pauses::default(),
            walked: BTreeSet::new(),
        }
    }

    async fn run(mut self) {
        let (mut position, mut failures) = (None, 0);
        while !self.stop.is_cancelled() {
            let step = match position.take() {
                Some(position) => self.step(position).await,
                None => self.recall().await.map(|position| (position, Duration::ZERO)).map_err(|wrong| (None, wrong)),
            };
            let pause = match step {
                Ok((next, pause)) => {
                    position = Some(next);
                    failures = 0;
                    pause
                }
                Err((kept, wrong)) => {
                    position = kept;
                    failures += 1;
                    self.wrong(wrong, failures).await
                }
            };
            tokio::select! { () = self.stop.cancelled() => {} () = tokio::time::sleep(pause) => {} }
        }
    }

    async fn recall(&self) -> Result<Position, Wrong> {
        let key = self.key.clone();
        let kept = blocking(&self.intake, move |intake| intake.recall(&key)).await.map_err(untaken)?;
        let start = i64::try_from(self.start.as_millis()).unwrap_or(i64::MAX);
        let first = || Position::first(Time::from_millis(now().millis().saturating_sub(start)));
        Ok(kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_else(first))
    }

    /// Asks for one page and takes it in. Gives the position behind it, and how long to wait.
    async fn step(&mut self, mut position: Position) -> Result<(Position, Duration), (Option<Position>, Wrong)> {
        if position.next.is_none() {
            position.begin(now());
            self.walked.clear();
        }
        let outcome = tokio::select! {
            () = self.stop.cancelled() => return Err((None, Wrong::Stopped)),
            outcome = self.ask(&position) => outcome,
        };
        let (page, wait) = match outcome {
            Ok(found) => found,
            Err(Failure::Unknown(why)) => {
                // Its cursor may have become too old: the time of what was read leads on.
                position.abandon(self.feed.order);
                return Err((Some(position), Wrong::Api(Failure::Unknown(why))));
            }
            Err(failure) => return Err((Some(position), Wrong::Api(failure))),
        };
        for title in [AWAY, REFUSED, LIMITED] {
            self.trouble.over(title, "");
        }
        self.timeless(&page).await;
        let mut behind = position.clone();
        let circle = self.moved(&mut behind, &page);
        // Not under `select`: what is at hand becomes durable, and its position with it.
        if let Err(wrong) = self.take(page.records, &behind).await {
            return Err((Some(position), wrong));
        }
        match circle {
            Some(why) => Err((Some(behind), Wrong::Circle(why))),
            None => {
                let is_caught_up = behind.next.is_none() || (self.is_endless() && page.count == 0);
                let pause = if is_caught_up { self.every } else { Duration::ZERO };
                Ok((behind, pause.max(wait.unwrap_or_default())))
            }
        }
    }

    async fn ask(&self, position: &Position) -> Result<(Page, Option<Duration>), Failure> {
        let address = self.page_address(position).map_err(Failure::Unknown)?;
        let Answer { body, link, wait } = self.api.get(&address).await?;
        let since = self.feed.newer.query.is_none().then(|| position.since(self.feed.newer.overlap_ms));
        let feed = self.feed.clone();
        // A page can be of many megabytes.
        let read = tokio::task::spawn_blocking(move || page::read(&feed, &body, link, since)).await;
        let read = read.unwrap_or_else(|_| Err("reading the answer failed inside Watchkeep".to_owned()));
        Ok((read.map_err(Failure::Away)?, wait))
    }

    /// The address of the page at `position`.
    fn page_address(&self, position: &Position) -> Result<Url, String> {
        if let (Next::Link { .. }, Some(next)) = (&self.feed.next, &position.next) {
            return next.parse().map_err(|_| "the next page is at no address".to_owned());
        }
        let mut address = self.address.clone();
        if let Some((name, template)) = &self.feed.newer.query {
            let since = position.since(self.feed.newer.overlap_ms);
            let value = fill(template, |unit| {
                Some(match unit {
                    "s" => (since.millis() / 1000).to_string(),
                    "ms" => since.millis().to_string(),
                    _ => format!("{}Z", since.to_string().split('.').next().unwrap_or_default()),
                })
            });
            address.query_pairs_mut().append_pair(name, &value);
        }
        if let (Next::Cursor { parameter, .. }, Some(cursor)) = (&self.feed.next, &position.next) {
            address.query_pairs_mut().append_pair(parameter, cursor);
        }
        Ok(address)
    }

    /// Moves `position` behind `page`. Gives what is wrong where the next page is one that was there before.
    fn moved(&mut self, position: &mut Position, page: &Page) -> Option<String> {
        let is_idle = self.is_endless() && page.count == 0;
        if is_idle || self.walked.len() >= PAGES_MAX {
            self.walked.clear();
        }
        self.walked.extend(position.next.clone());
        let is_known = !is_idle && page.next.as_ref().is_some_and(|next| self.walked.contains(next));
        position.page(page.newest, now(), page.next.clone());
        if is_known {
            position.abandon(self.feed.order);
            return Some("the next page is one that was read already; the walk begins anew".to_owned());
        }
        if position.next.is_none() {
            position.end();
        }
        None
    }

    fn is_endless(&self) -> bool {
        matches!(self.feed.next, Next::Link { endless: true })
    }

    /// Without times, everything is asked for each time.
    async fn timeless(&self, page: &Page) {
        if page.newest.is_some() {
            self.trouble.over(TIMELESS, "");
        } else if page.count > 0 {
            let path = self.feed.newer.time.join(".");
            let message = format!(
                "feed `{}`: no record of a page has a time at `{path}`; records are taken in, and asked for again each time",
                self.feed.id
            );
            self.trouble.say(TIMELESS, "", message).await;
        }
    }

    /// Makes the records durable, then the position.
    async fn take(&self, records: Vec<bytes::Bytes>, position: &Position) -> Result<(), Wrong> {
        let key = self.key.clone();
        let position = serde_json::to_string(position).expect("numbers and a text are JSON");
        let work = blocking(&self.intake, move |intake| {
            if !records.is_empty() {
                intake.payloads(&records, Format::Auto)?;
            }
            intake.remember(&key, &position)
        });
        work.await.map_err(untaken)?;
        self.trouble.over(UNTAKEN, "");
        Ok(())
    }

    /// Says what is wrong, and how long to wait.
    async fn wrong(&self, wrong: Wrong, failures: u32) -> Duration {
        let feed = &self.feed.id;
        let (title, why, backoff) = match wrong {
            Wrong::Stopped => {
                self.stop.cancelled().await;
                return Duration::ZERO;
            }
            Wrong::Api(Failure::Limited(wait)) => {
                if failures >= LIMITED_MAX {
                    let message = format!(
                        "feed `{feed}`: {failures} answers in a row; ask less often, or give it a secret of its own"
                    );
                    self.trouble.say(LIMITED, "", message).await;
                }
                tracing::info!(feed, ?wait, "the API asks us to wait");
                return wait.unwrap_or_else(|| self.pauses.away.pause_with(failures, None, chance()));
            }
            Wrong::Api(Failure::Refused(why) | Failure::Unknown(why)) => (REFUSED, why, self.pauses.refused),
            Wrong::Api(Failure::Away(why)) => (AWAY, why, self.pauses.away),
            Wrong::Circle(why) => (CIRCLE, why, self.pauses.refused),
            Wrong::Untaken(why) => (UNTAKEN, why, self.pauses.refused),
        };
        let longest = backoff.longest.as_secs() / 60;
        let message = format!("feed `{feed}`: {why}; it is tried again, every {longest} minutes at the latest");
        self.trouble.say(title, "", message).await;
        backoff.pause_with(failures, None, chance())
    }
}

fn untaken(error: IntakeError) -> Wrong {
    match error {
        IntakeError::Stopped => Wrong::Stopped,
        other => Wrong::Untaken(other.to_string()),
    }
}
