//! What stands around every page: where we are, who is here, how the line is.

use std::sync::Arc;

use axum::http::HeaderMap;

use super::App;
use super::pulse::Pulse;
use crate::assets;
use crate::auth::{Flash, Session};

/// The pages of the bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nav {
    Queue,
    Sources,
    Ledger,
    Outbox,
    Silences,
    Rules,
}

impl Nav {
    const ALL: [Nav; 6] = [Nav::Queue, Nav::Sources, Nav::Ledger, Nav::Outbox, Nav::Silences, Nav::Rules];

    fn label(self) -> &'static str {
        match self {
            Nav::Queue => "Queue",
            Nav::Sources => "Sources",
            Nav::Ledger => "Ledger",
            Nav::Outbox => "Outbox",
            Nav::Silences => "Silences",
            Nav::Rules => "Rules",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Nav::Queue => "/",
            Nav::Sources => "/sources",
            Nav::Ledger => "/ledger",
            Nav::Outbox => "/outbox",
            Nav::Silences => "/silences",
            Nav::Rules => "/rules",
        }
    }
}

/// One entry of the bar.
pub(crate) struct NavItem {
    pub label: &'static str,
    pub path: &'static str,
    pub current: bool,
    /// A number beside the label, with what it counts.
    pub badge: Option<(String, &'static str)>,
    /// Does the number need somebody?
    pub urgent: bool,
}

/// Light, dark, or what the system says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

pub(crate) const THEME_COOKIE: &str = "watchkeep_theme";

impl Theme {
    pub(crate) fn of(headers: &HeaderMap) -> Theme {
        super::cookie(headers, THEME_COOKIE).and_then(Theme::parse).unwrap_or_default()
    }

    pub(crate) fn parse(text: &str) -> Option<Theme> {
        [Theme::System, Theme::Light, Theme::Dark].into_iter().find(|theme| theme.as_str() == text)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    /// The theme after this one on the switch.
    pub(crate) fn next(self) -> Theme {
        match self {
            Theme::System => Theme::Light,
            Theme::Light => Theme::Dark,
            Theme::Dark => Theme::System,
        }
    }
}

/// Who asks, and from where.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub session: Session,
    pub theme: Theme,
    /// The path and query that were asked for.
    pub here: String,
    /// Is it one of our scripts that asks, and not the person?
    pub scripted: bool,
}

/// What the base template needs.
pub(crate) struct Chrome {
    pub title: String,
    pub assets: &'static assets::Urls,
    pub user: String,
    pub csrf: String,
    pub theme: Theme,
    pub here: String,
    pub flash: Option<Flash>,
    pub nav: Vec<NavItem>,
    pub sample_notice: bool,
    pub pulse: Arc<Pulse>,
}

impl Chrome {
    /// What stands around the page `title` in the part `nav` of the console.
    pub(crate) fn new(app: &App, visit: &Visit, title: impl Into<String>, nav: Nav, pulse: Arc<Pulse>) -> Chrome {
        Chrome {
            title: title.into(),
            assets: assets::urls(),
            user: visit.session.user.clone(),
            csrf: visit.session.csrf.clone(),
            theme: visit.theme,
            here: visit.here.clone(),
            flash: if visit.scripted { None } else { app.state.auth.take_flash(&visit.session) },
            nav: Nav::ALL.into_iter().map(|item| nav_item(item, nav, &pulse)).collect(),
            sample_notice: app.state.config.sample_notice,
            pulse,
        }
    }
}

fn nav_item(item: Nav, current: Nav, pulse: &Pulse) -> NavItem {
    let number = |n: u64| crate::view::format::count(n);
    let (badge, urgent) = match item {
        Nav::Queue => (Some((number(pulse.stats.unacknowledged), "not acknowledged")), false),
        Nav::Ledger if !pulse.imbalances.is_empty() => {
            (Some((number(pulse.imbalances.len() as u64), "not balanced")), true)
        }
        Nav::Outbox if pulse.dead > 0 => (Some((number(pulse.dead), "given up")), true),
        Nav::Silences if pulse.stats.silences > 0 => (Some((number(pulse.stats.silences), "running")), false),
        _ => (None, false),
    };
    NavItem { label: item.label(), path: item.path(), current: item == current, badge, urgent }
}
