//! What every request passes: host, session, headers; and what every answer is made of.

pub(crate) mod chrome;
pub(crate) mod form;
pub(crate) mod guard;
pub(crate) mod params;
pub(crate) mod problem;
pub(crate) mod pulse;

use std::sync::Arc;

use askama::Template;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use store::Store;

use crate::ConsoleState;
use problem::Problem;

/// What handlers share.
#[derive(Clone)]
pub(crate) struct App {
    pub state: ConsoleState,
    pub pulse: Arc<pulse::PulseCache>,
}

impl App {
    pub(crate) fn new(state: ConsoleState) -> App {
        App { state, pulse: Arc::default() }
    }

    /// The time.
    pub(crate) fn now(&self) -> model::Time {
        (self.state.clock)()
    }

    /// Runs a blocking call of the store on a thread that may block.
    pub(crate) async fn store<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Store) -> Result<T, Problem> + Send + 'static,
    {
        let store = self.state.store.clone();
        tokio::task::spawn_blocking(move || work(&store)).await.unwrap_or_else(|error| Err(Problem::internal(&error)))
    }

    /// What `work` asks of the store, and the numbers of the page's head.
    pub(crate) async fn store_and_pulse<T, F>(&self, work: F) -> Result<(T, Arc<pulse::Pulse>), Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Store) -> Result<T, Problem> + Send + 'static,
    {
        let (cache, now) = (self.pulse.clone(), self.now());
        self.store(move |store| Ok((work(store)?, cache.get(store, now)?))).await
    }
}

/// A rendered template.
pub(crate) fn page(template: &impl Template) -> Result<Response, Problem> {
    page_with(StatusCode::OK, template)
}

/// A rendered template under another status.
pub(crate) fn page_with(status: StatusCode, template: &impl Template) -> Result<Response, Problem> {
    let text = template.render().map_err(|error| Problem::internal(&error))?;
    Ok((status, Html(text)).into_response())
}

/// Sends the browser to a page of ours after a form was taken.
///
/// Shape: only a path on this host is followed; anything else goes to the queue.
pub(crate) fn redirect(next: &str) -> Response {
    Redirect::to(local(next).unwrap_or("/")).into_response()
}

/// `next`, if it is a path on this host.
pub(crate) fn local(next: &str) -> Option<&str> {
    let plain = next.bytes().all(|byte| (0x21..0x7f).contains(&byte) && byte != b'\\');
    (plain && next.starts_with('/') && !next.starts_with("//")).then_some(next)
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, v)| v)
}

#[cfg(test)]
mod tests;
