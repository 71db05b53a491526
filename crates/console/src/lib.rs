//! The console: pages rendered on the server, for people who triage alerts with a keyboard.
//!
//! In: requests of a person with a session. Out: pages of what the store holds, and moves of alerts written back to it.
//! Bound: lists are paged by the store, forms and records are cut at fixed lengths, sessions and attempts at fixed numbers.
//! When the store does not answer, the page says so and what to do; the line runs on without the console.
//!
//! ```text
//! web/    host, session, form and header checks; what every page has around it
//! pages/  one file a page: read the address, ask the store, fill the template
//! view/   formats, times, records and rule sources laid out for reading; asks nobody
//! auth/   the token, sessions, the limit on attempts
//! ```
//!
//! Everything a page needs is in the binary: templates are compiled, scripts and styles are embedded, nothing is fetched.
//! Every page works without scripts; scripts add keys, refreshing in place and drawings.

mod assets;
mod auth;
mod pages;
mod state;
mod view;
mod web;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

pub use auth::{Auth, AuthError};
pub use state::{CaseView, Catalogue, ConsoleConfig, ConsoleState, RuleView, SourceView, TriageView};

use pages::{act, alert, ledger, login, outbox, proposals, queue, rejects, rules, silences, sources};
use web::{App, form, guard};

/// The console's routes, ready to be served.
///
/// Shape: serve it with `into_make_service_with_connect_info::<SocketAddr>()`, so that attempts to sign in are limited by peer.
/// `/healthz` answers `ok` to anybody; `/login` and `/assets` need no session; everything else does.
pub fn router(state: ConsoleState) -> Router {
    let app = App::new(state);
    let inside = Router::new()
        .route("/", get(queue::show))
        .route("/queue", get(queue::fragment))
        .route("/alerts/acknowledge", post(act::acknowledge))
        .route("/alerts/close", get(act::close_form).post(act::close))
        .route("/alerts/{id}", get(alert::show))
        .route("/alerts/{id}/silence", get(silences::of_alert))
        .route("/alerts/{id}/records/{event}", get(alert::record))
        .route("/sources", get(sources::show))
        .route("/rejects", get(rejects::show))
        .route("/proposals", get(proposals::show))
        .route("/proposals/dismiss", post(proposals::dismiss))
        .route("/ledger", get(ledger::show))
        .route("/outbox", get(outbox::show))
        .route("/outbox/replay", post(outbox::replay))
        .route("/silences", get(silences::show).post(silences::add))
        .route("/silences/end", post(silences::end))
        .route("/rules", get(rules::show))
        .route("/rules/{id}", get(rules::one))
        .route("/theme", post(login::theme))
        .route("/logout", post(login::sign_out))
        .fallback(login::nowhere)
        .layer(from_fn_with_state(app.clone(), guard::session));
    Router::new()
        .route("/login", get(login::form).post(login::sign_in))
        .route("/assets/{digest}/{name}", get(assets::serve))
        .merge(inside)
        .layer(from_fn_with_state(app.clone(), guard::host))
        .route("/healthz", get(|| async { "ok\n" }))
        .layer(DefaultBodyLimit::max(form::FORM_BYTES_MAX))
        .layer(from_fn(guard::headers))
        .with_state(app)
}
