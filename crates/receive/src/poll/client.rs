//! One request to an API, and what its answer means.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use engine::feed::{Feed, RateLimit, fill};
use model::Time;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, LINK, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};

use super::page::next_link;
use crate::backoff::retry_after;
use crate::trouble::told;

/// Redirects that are followed, all to the same origin.
const REDIRECTS_MAX: usize = 3;
/// The longest time that an API may ask us to wait.
const WAIT_MAX: Duration = Duration::from_secs(3600);

/// An answer that can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub body: Bytes,
    /// The address of the next page, where a header names one.
    pub link: Option<String>,
    /// How long to wait before the next request.
    pub wait: Option<Duration>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Too much was asked; how long to wait, where it says so.
    Limited(Option<Duration>),
    /// It does not let us: what to do.
    Refused(String),
    /// It does not know what was asked for.
    Unknown(String),
    /// It may answer another time.
    Away(String),
}

/// Asks an API.
pub(super) trait Api: Send + Sync + 'static {
    /// One request.
    fn get(&self, address: &Url) -> impl Future<Output = Result<Answer, Failure>> + Send;
}

/// Asks over HTTP, with the secret, and never another origin than that of the feed.
pub(super) struct Http {
    client: Client,
    origin: Url,
    limit: RateLimit,
    /// What the secret has to be.
    about: String,
    body_bytes_max: usize,
}

impl Http {
    /// Errors: why no request can be made, as text; the secret is not in it.
    pub fn new(feed: &Feed, origin: Url, secret: &str, body_bytes_max: usize) -> Result<Http, String> {
        let mut headers = HeaderMap::new();
        for (name, value) in &feed.headers {
            headers.insert(
                header_name(name)?,
                value.parse().map_err(|_| format!("the value of `{name}` is no header's"))?,
            );
        }
        let value = fill(&feed.secret.value, |_| Some(secret.trim().to_owned()));
        let mut value: HeaderValue =
            value.parse().map_err(|_| "the secret has characters that no header holds".to_owned())?;
        value.set_sensitive(true);
        headers.insert(header_name(&feed.secret.header)?, value);
        let client = Client::builder();
        // What is on this machine needs no proxy, and no proxy needs a secret in clear.
        let client = if origin.scheme() == "http" { client.no_proxy() } else { client };
        let client = client
            .user_agent(concat!("watchkeep/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .redirect(Policy::custom(|attempt| {
                let is_same = attempt.previous().last().is_some_and(|from| from.origin() == attempt.url().origin());
                if is_same && attempt.previous().len() <= REDIRECTS_MAX { attempt.follow() } else { attempt.stop() }
            }))
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(60))
            .timeout(Duration::from_secs(300))
            .build();
        let client = client.map_err(|error| told(&error))?;
        Ok(Http { client, origin, limit: feed.limit.clone(), about: feed.secret.about.clone(), body_bytes_max })
    }

    async fn body(&self, response: &mut Response) -> Result<Bytes, Failure> {
        let mut body = BytesMut::new();
        loop {
            let chunk = response.chunk().await.map_err(|error| Failure::Away(told(&error.without_url())))?;
            let Some(chunk) = chunk else { return Ok(body.freeze()) };
            if body.len() + chunk.len() > self.body_bytes_max {
                let max = self.body_bytes_max;
                return Err(Failure::Away(format!(
                    "the answer is longer than {max} bytes; ask for fewer records in the feed's `query`, or raise `limits.http_body_bytes`"
                )));
            }
            body.extend_from_slice(&chunk);
        }
    }

    /// How long to wait before anything more is asked.
    fn wait(&self, response: &Response, now: Time) -> Option<Duration> {
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let asked = header(RETRY_AFTER.as_str()).and_then(|value| retry_after(value, now));
        let is_spent = self.limit.remaining.as_deref().and_then(header).is_some_and(|left| left.trim() == "0");
        let reset = || {
            let at: i64 = self.limit.reset.as_deref().and_then(header)?.trim().parse().ok()?;
            let millis = Time::from_millis(at.saturating_mul(1000)).millis_since(now).max(0);
            // The clocks differ, and a second is a long time for a limit.
            Some(Duration::from_millis(millis.unsigned_abs()) + Duration::from_secs(1))
        };
        asked.or_else(|| is_spent.then(reset).flatten()).map(|wait| wait.min(WAIT_MAX))
    }

    fn failure(&self, status: StatusCode, wait: Option<Duration>) -> Failure {
        let host = self.origin.host_str().unwrap_or_default();
        let said = format!("{host} answered {status}");
        match status.as_u16() {
            429 => Failure::Limited(wait),
            403 | 503 if wait.is_some() => Failure::Limited(wait),
            401 => {
                Failure::Refused(format!("{said}: the secret does not hold, or no longer; it has to be {}", self.about))
            }
            403 => Failure::Refused(format!("{said}: the secret may not read this; it has to be {}", self.about)),
            300..=399 => Failure::Refused(format!(
                "{said}: it points to another address, and the secret goes nowhere else; write that address as `endpoint`"
            )),
            400 | 404 | 410 | 422 => Failure::Unknown(format!(
                "{said}: look at `parameters` and `endpoint`; the secret has to be {}",
                self.about
            )),
            _ => Failure::Away(said),
        }
    }
}

impl Api for Http {
    async fn get(&self, address: &Url) -> Result<Answer, Failure> {
        if address.origin() != self.origin.origin() {
            let host = address.host_str().unwrap_or_default();
            let message =
                format!("the next page is named at {host}, and the secret goes nowhere but to {}", self.origin);
            return Err(Failure::Unknown(message));
        }
        let sent = self.client.get(address.clone()).send().await;
        let mut response = sent.map_err(|error| {
            let what = if error.is_timeout() { "no answer in time: " } else { "" };
            Failure::Away(format!("{what}{}", told(&error.without_url())))
        })?;
        let wait = self.wait(&response, super::now());
        if response.status() != StatusCode::OK {
            return Err(self.failure(response.status(), wait));
        }
        let links = response.headers().get_all(LINK).iter().filter_map(|value| value.to_str().ok());
        let link = match next_link(links) {
            // The last redirect is the base of what is relative.
            Some(target) => {
                let whole = response.url().join(target);
                Some(whole.map_err(|_| Failure::Away("the next page is at no address".to_owned()))?.to_string())
            }
            None => None,
        };
        Ok(Answer { link, wait, body: self.body(&mut response).await? })
    }
}

fn header_name(name: &str) -> Result<HeaderName, String> {
    name.parse().map_err(|_| format!("`{name}` is no header"))
}
