//! What is said when a page cannot be given: what happened, and what to do about it.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use crate::assets;

/// Why there is no page.
#[derive(Debug)]
pub(crate) struct Problem {
    pub status: StatusCode,
    pub title: &'static str,
    pub detail: String,
    pub remedy: &'static str,
    pub retry_after_s: Option<i64>,
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    assets: &'static assets::Urls,
    problem: &'a Problem,
}

impl Problem {
    fn new(status: StatusCode, title: &'static str, detail: impl Into<String>, remedy: &'static str) -> Problem {
        Problem { status, title, detail: detail.into(), remedy, retry_after_s: None }
    }

    /// There is no such thing.
    pub(crate) fn missing(what: impl Into<String>) -> Problem {
        Problem::new(
            StatusCode::NOT_FOUND,
            "Not found",
            what,
            "Check the address, or go back to the queue and search for it.",
        )
    }

    /// The form or address makes no sense.
    pub(crate) fn bad(what: impl Into<String>) -> Problem {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "Not understood",
            what,
            "Go back, correct it and send it again. Nothing was changed.",
        )
    }

    /// The act is not allowed now.
    pub(crate) fn refused(what: impl Into<String>) -> Problem {
        Problem::new(
            StatusCode::CONFLICT,
            "Refused",
            what,
            "Reload the page to see how things stand. Nothing was changed.",
        )
    }

    /// The form does not come from a page of this session.
    pub(crate) fn forged() -> Problem {
        Problem::new(
            StatusCode::FORBIDDEN,
            "Form not accepted",
            "The form does not carry this session's token.",
            "Reload the page that you came from and send it again. Nothing was changed.",
        )
    }

    /// Too many wrong tokens.
    pub(crate) fn wait(ms: i64) -> Problem {
        let seconds = (ms + 999) / 1000;
        let problem = Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many attempts",
            format!("Wrong tokens came from this address; it may try again in {seconds} seconds."),
            "Wait, then enter the token that was printed when Watchkeep first started.",
        );
        Problem { retry_after_s: Some(seconds), ..problem }
    }

    /// A mistake of ours.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Problem {
        tracing::error!(error = %chain(error), "console page failed");
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The page could not be made",
            "Something failed inside Watchkeep. Detection and delivery go on without the console.",
            "Try again. If it stays, look in Watchkeep's log for the error and report it.",
        )
    }
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

impl From<store::StoreError> for Problem {
    fn from(error: store::StoreError) -> Problem {
        tracing::error!(error = %chain(&error), "store refused the console");
        let remedy = match error.retry() {
            store::Retry::Soon => "Another writer holds the store. Try again in a moment.",
            store::Retry::AfterRepair => {
                "Make room on the store's disk, or mend it; then try again. Nothing was changed."
            }
            store::Retry::Never => "Look in Watchkeep's log; trying again will not help.",
        };
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "The store did not answer", format!("{error}."), remedy)
    }
}

impl From<store::ActError> for Problem {
    fn from(error: store::ActError) -> Problem {
        match error {
            store::ActError::Store(error) => Problem::from(error),
            other => Problem::refused(sentence(&other)),
        }
    }
}

impl From<store::ProposalError> for Problem {
    fn from(error: store::ProposalError) -> Problem {
        match error {
            store::ProposalError::Store(error) => Problem::from(error),
            other => Problem::bad(sentence(&other)),
        }
    }
}

impl From<store::SilenceError> for Problem {
    fn from(error: store::SilenceError) -> Problem {
        match error {
            store::SilenceError::Store(error) => Problem::from(error),
            other => Problem::bad(sentence(&other)),
        }
    }
}

/// An error's text as a sentence.
pub(crate) fn sentence(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    let head = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{head}{}.", chars.as_str().trim_end_matches('.'))
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let template = ProblemPage { assets: assets::urls(), problem: &self };
        let body = template.render().unwrap_or_else(|_| self.detail.clone());
        let mut response = (self.status, Html(body)).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
