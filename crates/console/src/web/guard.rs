//! What a request passes before a page is made: the host it names, the session it carries; and the headers every answer gets.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use super::chrome::{Theme, Visit};
use super::{App, cookie, params};

/// The session's cookie.
pub(crate) const SESSION_COOKIE: &str = "watchkeep_session";

const CONTENT_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; object-src 'none'; \
     base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

/// Headers for every answer; pages are never stored, assets say for themselves that they may be.
pub(crate) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Refuses requests that name another host: a page elsewhere whose name was made to point here (DNS rebinding) stays outside.
pub(crate) async fn host(State(app): State<App>, request: Request, next: Next) -> Response {
    let named = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).or(request.uri().host());
    let config = &app.state.config;
    if config.any_host || named.is_some_and(|host| is_known(host, &config.hosts)) {
        return next.run(request).await;
    }
    let text = "this host name is not one under which the console answers; add it to the console's `hosts`\n";
    (StatusCode::MISDIRECTED_REQUEST, text).into_response()
}

fn is_known(host: &str, configured: &[String]) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _port)) => address,
        None => host.rsplit_once(':').map_or(host, |(name, _port)| name),
    };
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let loopback = name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    loopback || configured.iter().any(|known| known.eq_ignore_ascii_case(&name))
}

/// Lets only people with a session through, and tells the handlers who they are.
pub(crate) async fn session(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let scripted = request.headers().contains_key("hx-request");
    let here = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let found =
        cookie(request.headers(), SESSION_COOKIE).and_then(|id| app.state.auth.session(id, app.now(), !scripted));
    let Some(session) = found else {
        return turned_away(request.method(), request.headers(), scripted, &here);
    };
    let visit = Visit { session, theme: Theme::of(request.headers()), here, scripted };
    request.extensions_mut().insert(visit);
    next.run(request).await
}

fn turned_away(method: &Method, headers: &HeaderMap, scripted: bool, here: &str) -> Response {
    if scripted || method != Method::GET {
        return (StatusCode::UNAUTHORIZED, "sign in again\n").into_response();
    }
    // A `SameSite=Strict` cookie is not sent when somebody follows a link in a ticket or a message. One reload from our own
    // page sends it; only if there is still none is the person asked to sign in.
    let site = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    if matches!(site, Some("cross-site" | "same-site")) {
        let refresh = HeaderValue::from_str(&format!("0;url={here}")).unwrap_or(HeaderValue::from_static("0;url=/"));
        return ([(header::REFRESH, refresh)], "opening the console\n").into_response();
    }
    let next = if here == "/" { String::new() } else { format!("?next={}", params::encode(here)) };
    Redirect::to(&format!("/login{next}")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_and_configured_hosts_are_known() {
        let hosts = ["watchkeep.example".to_owned()];
        for host in
            ["localhost", "localhost:7100", "127.0.0.1:1", "127.9.9.9", "[::1]:7100", "[::1]", "WATCHKEEP.example:443"]
        {
            assert!(is_known(host, &hosts), "{host}");
        }
        for host in
            ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1:7100", "[fe80::1]:7100"]
        {
            assert!(!is_known(host, &hosts), "{host}");
        }
    }
}
