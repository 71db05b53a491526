//! The pages, one file each: read the address, ask the store, fill the template.

pub(crate) mod act;
pub(crate) mod alert;
pub(crate) mod ledger;
pub(crate) mod login;
pub(crate) mod outbox;
pub(crate) mod proposals;
pub(crate) mod queue;
pub(crate) mod rejects;
pub(crate) mod rules;
pub(crate) mod silences;
pub(crate) mod sources;

use crate::web::params::Params;

/// Where a long list stands, and the addresses of its neighbours.
pub(crate) struct Pager {
    pub first: u64,
    pub last: u64,
    pub total: u64,
    /// There are more than `total`.
    pub at_least: bool,
    pub previous: Option<String>,
    pub next: Option<String>,
}

impl Pager {
    /// The pager of a list of `total` things, `size` a page, at the page that `params` names.
    pub(crate) fn new(path: &str, params: &Params, total: u64, size: u64) -> Pager {
        let page = page_number(params);
        let start = (page - 1).saturating_mul(size);
        let at = |page: u64| params.with("page", &if page == 1 { String::new() } else { page.to_string() }).on(path);
        Pager {
            first: total.min(start.saturating_add(1)),
            last: total.min(start.saturating_add(size)),
            total,
            at_least: false,
            previous: (page > 1).then(|| at(page - 1)),
            next: (start.saturating_add(size) < total).then(|| at(page + 1)),
        }
    }
}

impl Pager {
    /// The same of a list of which only `total` were counted and more are there: `shown` things are on this page of `size`.
    pub(crate) fn uncounted(mut self, path: &str, params: &Params, shown: u64, size: u64) -> Pager {
        let page = page_number(params);
        let start = (page - 1).saturating_mul(size);
        (self.first, self.last, self.at_least) = (start + 1, start + shown, true);
        if shown == size {
            self.next = Some(params.with("page", &(page + 1).to_string()).on(path));
        }
        self
    }
}

/// The page that an address names, from 1.
pub(crate) fn page_number(params: &Params) -> u64 {
    params.number("page").map_or(1, |page| (page as u64).clamp(1, 1_000_000))
}

/// An entry of a row of filters or of a list to choose from.
pub(crate) struct Choice {
    pub value: String,
    pub label: String,
    pub chosen: bool,
    /// The address with this choice switched over.
    pub url: String,
    /// How many things it would show, if that is known.
    pub count: Option<u64>,
}
