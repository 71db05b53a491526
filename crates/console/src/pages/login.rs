//! Signing in and out, and the choice of light or dark.

use std::net::{IpAddr, SocketAddr};

use askama::Template;
use axum::extract::{ConnectInfo, FromRequest, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};

use crate::assets;
use crate::auth::{self, SESSION_MS_MAX, SignIn};
use crate::web::chrome::{THEME_COOKIE, Theme};
use crate::web::form::{self, Form};
use crate::web::guard::SESSION_COOKIE;
use crate::web::params::Params;
use crate::web::problem::Problem;
use crate::web::{App, cookie, local, page_with, redirect};

const LOGIN_COOKIE: &str = "watchkeep_login";
const USER_CHARS_MAX: usize = 64;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    assets: &'static assets::Urls,
    theme: Theme,
    csrf: String,
    next: String,
    user: String,
    error: Option<&'static str>,
}

/// `GET /login`.
pub(crate) async fn form(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let params = Params::parse(&query.unwrap_or_default());
    answer(&app, &headers, &params, StatusCode::OK, None)
}

/// `POST /login`: the token and a name for a session.
pub(crate) async fn sign_in(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let peer = peer(&request);
    let headers = request.headers().clone();
    let params = form::read(request, &app).await?;
    let nonce = cookie(&headers, LOGIN_COOKIE).unwrap_or_default();
    if nonce.len() < 64 || !auth::same(nonce, params.get("csrf").unwrap_or_default()) {
        return Err(Problem::forged());
    }
    let Some(user) = params.get("user").map(clean_name).filter(|user| !user.is_empty()) else {
        let error = "Say who you are: the name stands in the history of what you do.";
        return answer(&app, &headers, &params, StatusCode::UNPROCESSABLE_ENTITY, Some(error));
    };
    let token = params.get("token").unwrap_or_default();
    match app.state.auth.sign_in(peer, token, &user, app.now()).map_err(|error| Problem::internal(&error))? {
        SignIn::Begun(id) => {
            let mut response = Redirect::to(params.get("next").and_then(local).unwrap_or("/")).into_response();
            set_cookie(&app, &mut response, SESSION_COOKIE, &id, SESSION_MS_MAX / 1000);
            set_cookie(&app, &mut response, LOGIN_COOKIE, "", 0);
            Ok(response)
        }
        SignIn::Wrong => {
            tracing::warn!(peer = ?peer, "wrong console token");
            let error = "That is not the token. It was printed when Watchkeep first started.";
            answer(&app, &headers, &params, StatusCode::UNAUTHORIZED, Some(error))
        }
        SignIn::Wait(ms) => Err(Problem::wait(ms)),
    }
}

/// `POST /logout`.
pub(crate) async fn sign_out(State(app): State<App>, form: Form) -> Response {
    app.state.auth.sign_out(&form.visit.session.key);
    let mut response = Redirect::to("/login").into_response();
    set_cookie(&app, &mut response, SESSION_COOKIE, "", 0);
    response
}

/// `POST /theme`.
pub(crate) async fn theme(State(app): State<App>, form: Form) -> Response {
    let theme = form.params.get("theme").and_then(Theme::parse).unwrap_or_default();
    let mut response = redirect(form.params.get("next").unwrap_or("/"));
    set_cookie(&app, &mut response, THEME_COOKIE, theme.as_str(), 365 * 86_400);
    response
}

fn answer(
    app: &App,
    headers: &HeaderMap,
    params: &Params,
    status: StatusCode,
    error: Option<&'static str>,
) -> Result<Response, Problem> {
    let csrf = hex::encode(auth::random().map_err(|error| Problem::internal(&error))?);
    let template = LoginPage {
        assets: assets::urls(),
        theme: Theme::of(headers),
        csrf: csrf.clone(),
        next: params.get("next").and_then(local).unwrap_or("/").to_owned(),
        user: params.get("user").map(clean_name).unwrap_or_default(),
        error,
    };
    let mut response = page_with(status, &template)?;
    set_cookie(app, &mut response, LOGIN_COOKIE, &csrf, 3600);
    Ok(response)
}

fn set_cookie(app: &App, response: &mut Response, name: &str, value: &str, age_s: i64) {
    let secure = if app.state.config.secure_cookies { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age_s}{secure}");
    let value = HeaderValue::from_str(&text).expect("names and values here are letters, digits and `_`");
    response.headers_mut().append(header::SET_COOKIE, value);
}

/// A name as it is kept: one line, printable, not too long.
fn clean_name(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(USER_CHARS_MAX).collect::<String>().trim().to_owned()
}

fn peer(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip())
}

/// `GET` of nothing we have, with a session.
pub(crate) async fn nowhere(State(app): State<App>, request: Request) -> Problem {
    let path = request.uri().path().to_owned();
    let _ = axum::body::Bytes::from_request(request, &app).await;
    Problem::missing(format!("There is no page at {path}."))
}
