//! The console: pages rendered on the server, for people who triage alerts with a keyboard.
//!
//! In: requests of a person with a session. Out: pages of what the store holds, and moves of alerts written back to it.

mod auth;
mod state;

pub use auth::{Auth, AuthError};
pub use state::{CaseView, Catalogue, ConsoleConfig, ConsoleState, RuleView, SourceView};

/// The console's routes, ready to be served.
///
/// Shape: serve it with `into_make_service_with_connect_info::<SocketAddr>()`, so that attempts to log in are limited by peer.
pub fn router(_state: ConsoleState) -> axum::Router {
    axum::Router::new()
}
