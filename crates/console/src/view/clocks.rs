//! The six times of an alert, with the gaps between them.

use model::{Alert, AlertState, Time};

use super::format;

/// One of the six times.
pub(crate) struct Clock {
    pub name: &'static str,
    /// What the time tells.
    pub means: &'static str,
    pub at: Option<Time>,
    /// What lies between the one before and this one, with its length.
    pub gap: Option<(&'static str, String)>,
}

/// The six times in their order.
pub(crate) fn six(alert: &Alert) -> Vec<Clock> {
    let c = &alert.clocks;
    let times = [
        ("Event", "it happened", "", Some(c.event)),
        ("Received", "its record reached us", "on the way", Some(c.received)),
        ("Detected", "the alert was raised", "to detect", Some(c.detected)),
        ("Delivered", "a receiver's transport took it", "to deliver", c.delivered),
        ("Acknowledged", "a person took it", "to acknowledge", c.acknowledged),
        ("Verdict", "a person closed it", "to decide", c.verdict),
    ];
    let mut before: Option<Time> = None;
    let mut clocks = Vec::with_capacity(times.len());
    for (name, means, between, at) in times {
        let gap = at.zip(before).map(|(at, before)| (between, format::gap(at.millis_since(before))));
        clocks.push(Clock { name, means, at, gap });
        before = at.or(before);
    }
    clocks
}

/// The six times in one sentence, for those who do not see the marks.
pub(crate) fn sentence(alert: &Alert) -> String {
    let part = |clock: Clock| match (clock.at, clock.gap) {
        (Some(at), None) => format!("{} {}", clock.name, format::stamp(&at)),
        (Some(_), Some((_, gap))) => format!("{} after {gap}", clock.name.to_lowercase()),
        (None, _) => {
            format!("not {}", if clock.name == "Verdict" { "closed".to_owned() } else { clock.name.to_lowercase() })
        }
    };
    six(alert).into_iter().map(part).collect::<Vec<_>>().join(", ")
}

/// Which of the times have come, in order.
pub(crate) fn marks(alert: &Alert) -> [bool; 6] {
    let c = &alert.clocks;
    [true, true, true, c.delivered.is_some(), c.acknowledged.is_some(), c.verdict.is_some()]
}

/// The one time that matters now: how long it waits, or how long people took.
pub(crate) fn headline(alert: &Alert, now: Time) -> String {
    let since = |end: Time| format::gap(end.millis_since(alert.clocks.detected));
    match (alert.state, alert.clocks.acknowledged, alert.clocks.verdict) {
        (AlertState::Closed, _, Some(verdict)) => format!("closed in {}", since(verdict)),
        (AlertState::Acknowledged, Some(acknowledged), _) => format!("taken in {}", since(acknowledged)),
        _ => format!("waits {}", since(now)),
    }
}
