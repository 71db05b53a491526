//! Who is let in, and what every answer carries.

use axum::body::Body;
use axum::http::{Request, StatusCode};

use crate::visitor::{Console, encoded, form_request};

#[tokio::test]
async fn nothing_is_shown_without_a_session() {
    let console = Console::empty();
    let paths = [
        "/",
        "/queue",
        "/alerts/00",
        "/alerts/close?id=00",
        "/sources",
        "/rejects",
        "/ledger",
        "/outbox",
        "/silences",
        "/rules",
        "/rules/x",
        "/nowhere",
    ];
    for path in paths {
        let answer = console.get(path, "watchkeep_session=0000").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        assert!(answer.header("location").starts_with("/login"), "{path}");
    }
    for path in
        ["/alerts/acknowledge", "/alerts/close", "/silences", "/silences/end", "/outbox/replay", "/theme", "/logout"]
    {
        let answer = console.post(path, "", &[("csrf", "x")]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_eq!(console.get("/healthz", "").await.text, "ok\n");
    assert_eq!(console.get("/login", "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn every_answer_carries_its_headers() {
    let console = Console::empty();
    let visitor = console.visitor().await;
    for path in ["/", "/login", "/nowhere", "/healthz", "/rules"] {
        let answer = visitor.get(path).await;
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'self'",
            "script-src 'self'",
            "style-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn pages_hold_no_inline_script_or_style() {
    let console = Console::evening();
    let visitor = console.visitor().await;
    for path in ["/", "/sources", "/ledger", "/outbox", "/silences?ended=1", "/rules", "/rejects", "/login"] {
        let text = visitor.get(path).await.text;
        assert!(!text.contains("style=\"") && !text.contains("<style"), "{path}");
        assert!(!text.contains(" onclick=") && !text.contains("javascript:"), "{path}");
        assert!(text.matches("<script").count() == text.matches("<script src=\"/assets/").count(), "{path}");
    }
}

#[tokio::test]
async fn assets_may_be_kept_for_ever_and_are_found_by_digest_alone() {
    let console = Console::empty();
    let page = console.get("/login", "").await.text;
    let at = page.find("/assets/").unwrap();
    let url: String = page[at..].chars().take_while(|c| *c != '"').collect();
    let asset = console.get(&url, "").await;
    assert_eq!(asset.status, StatusCode::OK);
    assert!(asset.header("cache-control").contains("immutable"));
    let request = Request::get(&url).header("host", "localhost").header("if-none-match", asset.header("etag"));
    assert_eq!(console.send(request.body(Body::empty()).unwrap()).await.status, StatusCode::NOT_MODIFIED);
    let other = url.replace(|c: char| c.is_ascii_digit(), "f");
    assert_eq!(console.get(&other, "").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn names_that_point_here_from_elsewhere_are_refused() {
    let console = Console::empty();
    for (host, status) in [
        ("watchkeep.example", StatusCode::OK),
        ("[::1]:80", StatusCode::OK),
        ("evil.example", StatusCode::MISDIRECTED_REQUEST),
    ] {
        let request = Request::get("/login").header("host", host).body(Body::empty()).unwrap();
        assert_eq!(console.send(request).await.status, status, "{host}");
    }
}

#[tokio::test]
async fn the_session_cookie_is_strict_and_out_of_reach_of_scripts() {
    let console = Console::empty();
    let page = console.get("/login?next=%2Frules", "").await;
    let cookies = format!("watchkeep_login={}", page.cookie("watchkeep_login").unwrap());
    let csrf = page.field("csrf");
    let form = [("csrf", csrf.as_str()), ("user", "ana"), ("token", &console.token), ("next", "/rules")];
    let answer = console.post("/login", &cookies, &form).await;
    assert_eq!(answer.header("location"), "/rules");
    let line = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|v| v.to_str().unwrap())
        .find(|l| l.starts_with("watchkeep_session"))
        .unwrap();
    assert!(line.contains("HttpOnly") && line.contains("SameSite=Strict") && line.contains("Path=/"), "{line}");
    let answer = console
        .post(
            "/login",
            &cookies,
            &[("csrf", &csrf), ("user", "ana"), ("token", &console.token), ("next", "//evil.example")],
        )
        .await;
    assert_eq!(answer.header("location"), "/", "a next page elsewhere is not followed");
}

#[tokio::test]
async fn wrong_tokens_names_and_forged_forms_are_refused() {
    let console = Console::empty();
    let page = console.get("/login", "").await;
    let cookies = format!("watchkeep_login={}", page.cookie("watchkeep_login").unwrap());
    let csrf = page.field("csrf");
    let forged = console.post("/login", "", &[("csrf", &csrf), ("user", "ana"), ("token", &console.token)]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN, "without the cookie of the form");
    let nameless =
        console.post("/login", &cookies, &[("csrf", &csrf), ("user", " \u{7} "), ("token", &console.token)]).await;
    assert_eq!(nameless.status, StatusCode::UNPROCESSABLE_ENTITY);
    for _ in 0..8 {
        let wrong = console.post("/login", &cookies, &[("csrf", &csrf), ("user", "eve"), ("token", "wk_guess")]).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
        assert!(wrong.cookie("watchkeep_session").is_none());
    }
    let limited =
        console.post("/login", &cookies, &[("csrf", &csrf), ("user", "eve"), ("token", &console.token)]).await;
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!limited.header("retry-after").is_empty());
}

#[tokio::test]
async fn forms_need_this_sessions_token_and_must_come_from_here() {
    let console = Console::evening();
    let (mine, other) = (console.visitor().await, console.visitor().await);
    for csrf in ["", "x", other.csrf.as_str()] {
        let answer = console.post("/theme", &mine.cookies, &[("csrf", csrf), ("theme", "dark")]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{csrf}");
    }
    let form = [("csrf", mine.csrf.as_str()), ("theme", "dark")];
    let cross = form_request("/theme", &mine.cookies, &form)
        .header("sec-fetch-site", "cross-site")
        .body(encoded(&form))
        .unwrap();
    assert_eq!(console.send(cross).await.status, StatusCode::FORBIDDEN);
    let json = Request::post("/theme")
        .header("host", "localhost")
        .header("cookie", &mine.cookies)
        .header("content-type", "text/plain");
    assert_eq!(console.send(json.body(encoded(&form)).unwrap()).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let long = "x".repeat(300 * 1024);
    assert_eq!(mine.post("/theme", &[("theme", &long)]).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let good = mine.post("/theme", &[("theme", "dark"), ("next", "/rules")]).await;
    assert_eq!((good.status, good.header("location")), (StatusCode::SEE_OTHER, "/rules"));
    assert_eq!(good.cookie("watchkeep_theme").as_deref(), Some("dark"));
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let console = Console::empty();
    let visitor = console.visitor().await;
    assert_eq!(visitor.post("/logout", &[]).await.header("location"), "/login");
    assert_eq!(visitor.get("/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_link_from_a_ticket_reloads_once_before_asking_to_sign_in() {
    let console = Console::empty();
    let request = Request::get("/alerts/abcd?x=1").header("host", "localhost").header("sec-fetch-site", "cross-site");
    let answer = console.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status, answer.header("refresh")), (StatusCode::OK, "0;url=/alerts/abcd?x=1"));
    let again = Request::get("/alerts/abcd?x=1").header("host", "localhost").header("sec-fetch-site", "same-origin");
    assert_eq!(console.send(again.body(Body::empty()).unwrap()).await.status, StatusCode::SEE_OTHER);
}
