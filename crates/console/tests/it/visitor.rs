//! A browser's part: requests with cookies, forms with their token.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use console::{Auth, Catalogue, ConsoleConfig, ConsoleState};
use store::Store;
use tower::ServiceExt as _;

/// A console over a store in a temporary directory.
pub struct Console {
    pub router: Router,
    pub store: Store,
    pub catalogue: Catalogue,
    pub token: String,
    _dir: tempfile::TempDir,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The value of a cookie that is set here.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let all = self.headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        all.filter_map(|line| line.split(';').next()?.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, v)| v.to_owned())
    }

    /// The value of the first hidden field of this name.
    pub fn field(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let at = self.text.find(&mark).expect("the field is there") + mark.len();
        self.text[at..].split('"').next().unwrap().to_owned()
    }
}

impl Console {
    pub fn empty() -> Console {
        Console::over(tempfile::tempdir().unwrap(), Catalogue::default())
    }

    pub fn evening() -> Console {
        let dir = tempfile::tempdir().unwrap();
        let catalogue = crate::seed::evening(&crate::seed::open(dir.path()));
        Console::over(dir, catalogue)
    }

    /// An evening's console, of a site that asks something else of its sources.
    pub fn asked(change: impl FnOnce(&mut store::Contracts)) -> Console {
        let dir = tempfile::tempdir().unwrap();
        let mut catalogue = crate::seed::evening(&crate::seed::open(dir.path()));
        change(&mut catalogue.asked);
        Console::over(dir, catalogue)
    }

    pub fn over(dir: tempfile::TempDir, catalogue: Catalogue) -> Console {
        Console::with(
            dir,
            catalogue,
            ConsoleConfig { hosts: vec!["watchkeep.example".into()], ..ConsoleConfig::default() },
        )
    }

    fn with(dir: tempfile::TempDir, catalogue: Catalogue, config: ConsoleConfig) -> Console {
        let store = crate::seed::open(dir.path());
        let (auth, token) = Auth::open(dir.path()).unwrap();
        let state = ConsoleState {
            store: store.clone(),
            catalogue: Arc::new(catalogue.clone()),
            auth: Arc::new(auth),
            clock: crate::seed::now,
            config: Arc::new(config),
        };
        Console { router: console::router(state), store, catalogue, token: token.unwrap(), _dir: dir }
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 64 << 20).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    pub async fn get(&self, path: &str, cookies: &str) -> Answer {
        let request = Request::get(path).header("host", "127.0.0.1:7100").header("cookie", cookies);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, path: &str, cookies: &str, form: &[(&str, &str)]) -> Answer {
        self.send(form_request(path, cookies, form).body(encoded(form)).unwrap()).await
    }

    /// Signs in and returns a visitor.
    pub async fn visitor(&self) -> Visitor<'_> {
        let page = self.get("/login", "").await;
        let nonce = page.cookie("watchkeep_login").unwrap();
        let form = [("csrf", page.field("csrf")), ("user", "R. Okafor".to_owned()), ("token", self.token.clone())];
        let form: Vec<(&str, &str)> = form.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let answer = self.post("/login", &format!("watchkeep_login={nonce}"), &form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        let cookies = format!("watchkeep_session={}", answer.cookie("watchkeep_session").unwrap());
        let csrf = self.get("/", &cookies).await.field("csrf");
        Visitor { console: self, cookies, csrf }
    }
}

/// Somebody signed in.
pub struct Visitor<'a> {
    pub console: &'a Console,
    pub cookies: String,
    pub csrf: String,
}

impl Visitor<'_> {
    pub async fn get(&self, path: &str) -> Answer {
        self.console.get(path, &self.cookies).await
    }

    /// Posts a form with the session's token.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let form: Vec<(&str, &str)> = form.iter().copied().chain([("csrf", self.csrf.as_str())]).collect();
        self.console.post(path, &self.cookies, &form).await
    }
}

pub fn form_request(path: &str, cookies: &str, _form: &[(&str, &str)]) -> axum::http::request::Builder {
    Request::post(path)
        .header("host", "localhost:7100")
        .header("cookie", cookies)
        .header("content-type", "application/x-www-form-urlencoded")
}

pub fn encoded(form: &[(&str, &str)]) -> Body {
    let set = percent_encoding::NON_ALPHANUMERIC;
    let pair = |(key, value): &(&str, &str)| format!("{key}={}", percent_encoding::utf8_percent_encode(value, set));
    Body::from(form.iter().map(pair).collect::<Vec<_>>().join("&"))
}
