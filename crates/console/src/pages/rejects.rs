//! Rejects: records that did not become events, with the reason, the remedy and what is kept of them.

use askama::Template;
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use model::Reject;
use store::{RejectQuery, RejectRow, RejectTotal};

use super::page_number;
use crate::view::format;
use crate::web::chrome::{Chrome, Nav, Visit};
use crate::web::params::Params;
use crate::web::problem::Problem;
use crate::web::{App, page};

const PAGE_REJECTS: u64 = 25;
const SHOWN_CHARS: usize = 2_000;

#[derive(Template)]
#[template(path = "rejects.html")]
struct RejectsPage {
    chrome: Chrome,
    totals: Vec<Total>,
    rows: Vec<Shown>,
    filter: String,
    previous: Option<String>,
    next: Option<String>,
}

struct Total {
    total: RejectTotal,
    url: String,
    chosen: bool,
}

struct Shown {
    row: RejectRow,
    /// The raw bytes as text; bytes that are none are shown as escapes.
    text: Option<String>,
    cut: bool,
}

/// `GET /rejects`.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let params = Params::parse(&query.unwrap_or_default()).only(&["input", "source", "reason", "page"]);
    let asked = RejectQuery {
        input: params.get("input").map(str::to_owned),
        source: params.get("source").map(str::to_owned),
        reason: params.get("reason").and_then(Reject::parse),
        offset: (page_number(&params) - 1) * PAGE_REJECTS,
        limit: PAGE_REJECTS + 1,
    };
    let ask = move |store: &store::Store| Ok((store.rejects(&asked)?, store.reject_totals()?));
    let ((mut rows, totals), pulse) = app.store_and_pulse(ask).await?;
    let more = rows.len() as u64 > PAGE_REJECTS;
    rows.truncate(PAGE_REJECTS as usize);
    let at = |page: u64| params.with("page", &page.to_string()).on("/rejects");
    let page_now = page_number(&params);
    let chosen = |total: &RejectTotal| {
        params.get("input") == Some(total.input.as_str()) && params.get("reason") == Some(total.reason.as_str())
    };
    let url = |total: &RejectTotal| {
        Params::default().with("input", &total.input).with("reason", total.reason.as_str()).on("/rejects")
    };
    page(&RejectsPage {
        chrome: Chrome::new(&app, &visit, "Rejects", Nav::Sources, pulse),
        totals: totals.into_iter().map(|total| Total { chosen: chosen(&total), url: url(&total), total }).collect(),
        rows: rows.into_iter().map(shown).collect(),
        filter: params.only(&["input", "source", "reason"]).to_words(),
        previous: (page_now > 1).then(|| at(page_now - 1)),
        next: more.then(|| at(page_now + 1)),
    })
}

fn shown(row: RejectRow) -> Shown {
    let text = row.raw.as_deref().map(printable);
    let cut = row.raw.as_ref().is_some_and(|raw| (raw.len() as u64) < row.bytes);
    let long = text.as_ref().is_some_and(|text| text.chars().count() > SHOWN_CHARS);
    let text = text.map(|text| text.chars().take(SHOWN_CHARS).collect());
    Shown { row, text, cut: cut || long }
}

/// Bytes as text: what is not UTF-8, and control characters other than line ends and tabs, as `\xNN`.
fn printable(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() && c != '\n' && c != '\t' {
                out.push_str(&format!("\\x{:02X}", c as u32))
            } else {
                out.push(c)
            }
        }
        chunk.invalid().iter().for_each(|byte| out.push_str(&format!("\\x{byte:02X}")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_visible() {
        assert_eq!(printable(b"a\xFF\0b\n\xC3\xA9"), "a\\xFF\\x00b\né");
    }
}
