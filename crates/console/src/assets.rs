//! What the pages load: one style sheet, one script, and one vendored library, all inside the binary.
//!
//! In: a digest and a name. Out: bytes that may be cached for ever, because another digest is another address.
//! Bound: the list below. The vendored files' digests are recorded in `assets/vendor/SHA256SUMS` and tested.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::Digest;

struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    digest: String,
}

/// The addresses that the base template writes.
pub(crate) struct Urls {
    pub style: String,
    pub script: String,
    pub htmx: String,
    pub icon: String,
}

macro_rules! asset {
    ($name:literal, $file:literal, $kind:literal) => {{
        let bytes: &'static [u8] = include_bytes!(concat!("../assets/", $file));
        Asset { name: $name, kind: $kind, bytes, digest: Digest::of(bytes).hex()[..16].to_owned() }
    }};
}

static ASSETS: LazyLock<[Asset; 4]> = LazyLock::new(|| {
    [
        asset!("console.css", "console.css", "text/css; charset=utf-8"),
        asset!("console.js", "console.js", "text/javascript; charset=utf-8"),
        asset!("htmx.js", "vendor/htmx-4.0.1.min.js", "text/javascript; charset=utf-8"),
        asset!("icon.svg", "icon.svg", "image/svg+xml"),
    ]
});

static URLS: LazyLock<Urls> = LazyLock::new(|| Urls {
    style: url_of("console.css"),
    script: url_of("console.js"),
    htmx: url_of("htmx.js"),
    icon: url_of("icon.svg"),
});

/// The addresses of all assets.
pub(crate) fn urls() -> &'static Urls {
    &URLS
}

fn url_of(name: &str) -> String {
    let asset = ASSETS.iter().find(|asset| asset.name == name).expect("the names above are in the list above");
    format!("/assets/{}/{}", asset.digest, asset.name)
}

/// `GET /assets/{digest}/{name}`.
pub(crate) async fn serve(Path((digest, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name && asset.digest == digest) else {
        return (StatusCode::NOT_FOUND, "no such asset\n").into_response();
    };
    let etag = format!("\"{}\"", asset.digest);
    let about = [
        (header::CONTENT_TYPE, asset.kind.to_owned()),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned()),
        (header::ETAG, etag.clone()),
    ];
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == etag.as_bytes());
    if known { (StatusCode::NOT_MODIFIED, about).into_response() } else { (about, asset.bytes).into_response() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendored_files_are_the_ones_that_were_recorded() {
        let recorded = include_str!("../assets/vendor/SHA256SUMS");
        let files: [(&str, &[u8]); 1] = [("htmx-4.0.1.min.js", include_bytes!("../assets/vendor/htmx-4.0.1.min.js"))];
        assert_eq!(recorded.lines().count(), files.len());
        for (name, bytes) in files {
            assert!(recorded.contains(&format!("{}  {name}\n", Digest::of(bytes).hex())), "{name} changed");
        }
    }

    #[test]
    fn our_own_script_stays_short() {
        let lines = include_str!("../assets/console.js").lines().count();
        assert!(lines <= 300, "{lines} lines");
    }
}
