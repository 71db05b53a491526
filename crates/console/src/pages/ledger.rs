//! The ledger: what came in, what became of it, and whether the sums hold.

use std::collections::BTreeMap;

use askama::Template;
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use model::{Imbalance, Ledger, Step, Time};
use store::RouteStats;

use super::Choice;
use crate::view::format;
use crate::web::chrome::{Chrome, Nav, Visit};
use crate::web::params::Params;
use crate::web::problem::Problem;
use crate::web::{App, page};

const HOUR_MS: i64 = 3_600_000;
const LINES_MAX: usize = 400;

#[derive(Template)]
#[template(path = "ledger.html")]
struct LedgerPage {
    chrome: Chrome,
    laws: Vec<Law>,
    imbalances: Vec<Imbalance>,
    windows: Vec<Choice>,
    lines: Vec<Line>,
    left_out: usize,
    routes: Vec<(String, RouteStats, bool)>,
    window: &'static str,
}

/// One conservation law: what goes in, and the parts it must come to.
struct Law {
    name: &'static str,
    says: &'static str,
    whole: Part,
    parts: Vec<Part>,
    difference: i64,
}

/// One number of a law, with its place in the drawing (0 to 1000).
struct Part {
    name: &'static str,
    count: u64,
    x: u64,
    width: u64,
    class: &'static str,
}

/// One input in one hour.
struct Line {
    hour: Time,
    input: String,
    counts: BTreeMap<Step, u64>,
    lost: i64,
    unsettled: i64,
}

impl Line {
    fn of(&self, step: &str) -> u64 {
        Step::parse(step).and_then(|step| self.counts.get(&step)).copied().unwrap_or(0)
    }
}

const WINDOWS: [(&str, &str, i64); 3] = [("24", "24 hours", 24), ("72", "3 days", 72), ("168", "7 days", 168)];

/// `GET /ledger`.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let params = Params::parse(&query.unwrap_or_default());
    let (value, window, hours) =
        *WINDOWS.iter().find(|(value, ..)| Some(*value) == params.get("hours")).unwrap_or(&WINDOWS[0]);
    let now = app.now();
    let (since, until) = (now.hour().plus_millis(-(hours - 1) * HOUR_MS), now.hour().plus_millis(HOUR_MS));
    // Imbalances are asked anew: on this page they must not be seconds old.
    let ask = move |store: &store::Store| Ok((store.ledger(since, until)?, store.imbalances(now)?));
    let ((ledger, imbalances), pulse) = app.store_and_pulse(ask).await?;
    let (lines, left_out) = lines(&ledger);
    let routes = pulse.stats.routes.iter().map(|(name, stats)| (name.clone(), stats.clone(), is_even(stats))).collect();
    page(&LedgerPage {
        laws: laws(&ledger, pulse.stats.routes.values()),
        imbalances,
        windows: WINDOWS.iter().map(|(offered, label, _)| window_choice(offered, label, value)).collect(),
        lines,
        left_out,
        routes,
        window,
        chrome: Chrome::new(&app, &visit, "Ledger", Nav::Ledger, pulse),
    })
}

fn window_choice(offered: &str, label: &str, chosen: &str) -> Choice {
    Choice {
        value: offered.to_owned(),
        label: label.to_owned(),
        chosen: offered == chosen,
        url: format!("/ledger?hours={offered}"),
        count: None,
    }
}

/// What the right side lacks, with its sign.
pub(crate) fn signed(left: &u64, right: &u64) -> String {
    if left >= right {
        format!("−{}", format::count(left - right))
    } else {
        format!("+{}", format::count(right - left))
    }
}

fn is_even(stats: &RouteStats) -> bool {
    stats.queued == stats.delivered + stats.dead + stats.waiting
}

fn laws<'a>(ledger: &Ledger, routes: impl Iterator<Item = &'a RouteStats>) -> Vec<Law> {
    let total = |step| ledger.total(step);
    let mut outbox = RouteStats::default();
    for route in routes {
        outbox.queued += route.queued;
        outbox.delivered += route.delivered;
        outbox.dead += route.dead;
        outbox.waiting += route.waiting;
    }
    vec![
        law(
            "Records",
            "received = evaluated + rejected",
            ("received", total(Step::Received)),
            &[("evaluated", total(Step::Evaluated), "flow-1"), ("rejected", total(Step::Rejected), "flow-warn")],
        ),
        law(
            "Findings",
            "raised = opened + folded + silenced + kept + repeated",
            ("raised", total(Step::Raised)),
            &[
                ("opened", total(Step::Opened), "flow-1"),
                ("folded", total(Step::Folded), "flow-2"),
                ("silenced", total(Step::Silenced), "flow-3"),
                ("kept", total(Step::Kept), "flow-4"),
                ("repeated", total(Step::Repeated), "flow-5"),
            ],
        ),
        law(
            "Outbox, ever",
            "queued = delivered + dead + waiting",
            ("queued", outbox.queued),
            &[
                ("delivered", outbox.delivered, "flow-1"),
                ("dead", outbox.dead, "flow-warn"),
                ("waiting", outbox.waiting, "flow-3"),
            ],
        ),
    ]
}

fn law(
    name: &'static str,
    says: &'static str,
    whole: (&'static str, u64),
    parts: &[(&'static str, u64, &'static str)],
) -> Law {
    let sum: u64 = parts.iter().map(|(_, count, _)| count).sum();
    let scale = whole.1.max(sum).max(1);
    let width = |count: u64| (u128::from(count) * 1000 / u128::from(scale)) as u64;
    let mut x = 0;
    let mut placed = Vec::with_capacity(parts.len());
    for (name, count, class) in parts {
        placed.push(Part { name, count: *count, x, width: width(*count), class });
        x += width(*count);
    }
    let whole_part = Part { name: whole.0, count: whole.1, x: 0, width: width(whole.1), class: "flow-0" };
    Law { name, says, whole: whole_part, parts: placed, difference: whole.1 as i64 - sum as i64 }
}

/// One line per hour and input, latest first.
fn lines(ledger: &Ledger) -> (Vec<Line>, usize) {
    let mut by: BTreeMap<(std::cmp::Reverse<Time>, String), BTreeMap<Step, u64>> = BTreeMap::new();
    for (entry, n) in ledger.iter().filter(|(entry, _)| entry.step < Step::Queued) {
        let line = by.entry((std::cmp::Reverse(entry.hour), entry.input.clone())).or_default();
        *line.entry(entry.step).or_default() += n;
    }
    let left_out = by.len().saturating_sub(LINES_MAX);
    let lines = by.into_iter().take(LINES_MAX).map(|((hour, input), counts)| line(hour.0, input, counts)).collect();
    (lines, left_out)
}

fn line(hour: Time, input: String, counts: BTreeMap<Step, u64>) -> Line {
    let n = |step| counts.get(&step).copied().unwrap_or(0) as i64;
    let settled = [Step::Opened, Step::Folded, Step::Silenced, Step::Kept, Step::Repeated].map(n).iter().sum::<i64>();
    Line {
        lost: n(Step::Received) - n(Step::Evaluated) - n(Step::Rejected),
        unsettled: n(Step::Raised) - settled,
        hour,
        input,
        counts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Entry;

    #[test]
    fn a_lost_record_shows_in_its_law_and_its_line() {
        let mut ledger = Ledger::default();
        let entry = |step| Entry { input: "http".into(), source: None, hour: Time::EPOCH, step, reason: String::new() };
        ledger.add(entry(Step::Received), 10);
        ledger.add(entry(Step::Evaluated), 7);
        ledger.add(entry(Step::Rejected), 2);
        let laws = laws(&ledger, [].into_iter());
        assert_eq!((laws[0].difference, laws[1].difference), (1, 0));
        assert_eq!((laws[0].whole.width, laws[0].parts[0].width, laws[0].parts[1].x), (1000, 700, 700));
        let (lines, left_out) = lines(&ledger);
        assert_eq!((lines.len(), lines[0].lost, lines[0].of("evaluated"), left_out), (1, 1, 7, 0));
    }

    #[test]
    fn huge_counts_do_not_overflow_the_drawing() {
        let law = law("Records", "", ("received", u64::MAX), &[("evaluated", u64::MAX, "")]);
        assert_eq!(law.parts[0].width, 1000);
    }
}
