//! Certificates of SNS: each is fetched once, and kept. Bound: [`KEPT_MAX`] of them, [`BYTES_MAX`] bytes each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Limited};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use tokio::sync::Mutex;

const KEPT_MAX: usize = 32;
const BYTES_MAX: usize = 64 << 10;
const TIMEOUT: Duration = Duration::from_secs(10);

/// Asks an address of AWS; what a test puts in its place needs no network.
pub trait Fetch: Send + Sync {
    /// The body of a GET that was answered 200. Errors: why there is none, as text.
    fn get<'a>(&'a self, url: &'a Url) -> BoxFuture<'a, Result<Vec<u8>, String>>;
}

/// Asks over the network. It follows no other address.
pub struct Fetcher(Client);

impl Fetcher {
    /// Errors: where no client of HTTP can be made.
    pub fn new() -> reqwest::Result<Fetcher> {
        Client::builder().https_only(true).redirect(Policy::none()).timeout(TIMEOUT).build().map(Fetcher)
    }
}

impl Fetch for Fetcher {
    fn get<'a>(&'a self, url: &'a Url) -> BoxFuture<'a, Result<Vec<u8>, String>> {
        Box::pin(async {
            let host = url.host_str().unwrap_or_default();
            let failed = |error: reqwest::Error| format!("{host}: {}", error.without_url());
            let response = self.0.get(url.clone()).send().await.map_err(failed)?;
            if response.status() != 200 {
                return Err(format!("{host} answered {}", response.status()));
            }
            let body = Limited::new(reqwest::Body::from(response), BYTES_MAX).collect().await;
            Ok(body.map_err(|error| format!("{host}: {error}"))?.to_bytes().into())
        })
    }
}

/// Certificates by address.
#[derive(Default)]
pub(crate) struct Certificates(Mutex<BTreeMap<String, Arc<[u8]>>>);

impl Certificates {
    /// The certificate at `url`. Whoever asks while it is fetched waits for the same answer.
    pub async fn get(&self, fetch: &dyn Fetch, url: &Url) -> Result<Arc<[u8]>, String> {
        let mut kept = self.0.lock().await;
        if let Some(known) = kept.get(url.as_str()) {
            return Ok(known.clone());
        }
        let fetched: Arc<[u8]> = fetch.get(url).await?.into();
        if kept.len() >= KEPT_MAX {
            kept.pop_first();
        }
        kept.insert(url.to_string(), fetched.clone());
        Ok(fetched)
    }
}
