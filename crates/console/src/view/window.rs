//! A finding about many events, as a person reads it.
//!
//! In: its window. Out: what was measured and how certain it is in words, its events in order with the gaps between them, and drawings.
//! Briefs and values are the sender's: they are text here and escaped by the template.

use model::{Standing, Window};

use super::{baseline, format, timeline};

/// A window, laid out.
#[derive(Debug)]
pub(crate) struct WindowView {
    /// The standing's word, for a class.
    pub standing: &'static str,
    /// What the standing means, one sentence.
    pub certain: &'static str,
    /// How late what made it known came.
    pub late: Option<String>,
    pub value: String,
    pub expected: Option<String>,
    pub rows: Vec<Row>,
    /// Events that are not kept.
    pub more: u64,
    pub timeline: timeline::Timeline,
    pub baseline: Option<baseline::Baseline>,
    pub window: Window,
}

/// One event.
#[derive(Debug)]
pub(crate) struct Row {
    pub time: model::Time,
    /// Since the one before.
    pub gap: Option<String>,
    pub parts: String,
    pub brief: String,
    pub source: String,
    /// Did it first hold with this event?
    pub is_holding: bool,
}

/// Lays a window out.
pub(crate) fn lay(window: &Window) -> WindowView {
    WindowView {
        standing: window.standing.as_str(),
        certain: certain(&window.standing),
        late: window.late_ms.filter(|late| *late > 0).map(format::gap),
        value: number(window.value),
        expected: window.expected.map(number),
        rows: rows(window),
        more: window.event_count.saturating_sub(window.events.len() as u64),
        timeline: timeline::lay(window),
        baseline: baseline::draw(window),
        window: window.clone(),
    }
}

/// What a standing means.
pub(crate) fn certain(standing: &Standing) -> &'static str {
    match standing {
        Standing::Early => "told at once; events that may still come in time can change it",
        Standing::Final => "no event that comes in time can change it",
        Standing::Withdrawn => "what was told early is not so: events that came late undo it",
    }
}

/// The reason why a finding was withdrawn, and what it had said. The engine puts the reason before it.
pub(crate) fn withdrawn(message: &str) -> (&str, &str) {
    match message.split_once(": ") {
        Some((why, said)) if why.starts_with("Withdrawn") => (why, said),
        _ => ("Withdrawn", message),
    }
}

fn rows(window: &Window) -> Vec<Row> {
    let mut before = None;
    let mut is_over = false;
    let mut rows = Vec::with_capacity(window.events.len());
    for event in &window.events {
        let is_holding = !is_over && event.time >= window.held;
        is_over |= is_holding;
        rows.push(Row {
            time: event.time,
            gap: before.map(|before| format::gap(event.time.millis_since(before))),
            parts: event.parts.join(", "),
            brief: event.brief.clone(),
            source: event.source.to_string(),
            is_holding,
        });
        before = Some(event.time);
    }
    rows
}

/// A number with at most three decimals, and none where there are none.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
pub(crate) mod tests {
    use model::{EventId, Time, WindowEvent};

    use super::*;

    pub(crate) fn at(second: i64) -> Time {
        Time::parse("2026-11-22T01:00:00Z").unwrap().plus_millis(second * 1000)
    }

    pub(crate) fn event(second: i64, part: &str) -> WindowEvent {
        WindowEvent {
            event_id: EventId::of(&[part.as_bytes(), &second.to_be_bytes()]),
            time: at(second),
            source: "aws_cloudtrail".into(),
            parts: vec![part.to_owned()],
            brief: format!("{part} at {second}"),
        }
    }

    pub(crate) fn window(events: Vec<WindowEvent>) -> Window {
        let last = events.last().map_or(at(0), |event| event.time);
        Window {
            group: vec![("userIdentity.arn".into(), "ana".into())],
            start: events.first().map_or(at(0), |event| event.time),
            held: last,
            last_held: last,
            event_count: events.len() as u64,
            events,
            measured: "events".into(),
            value: 3.0,
            expected: None,
            threshold: "at least 3".into(),
            values: vec![],
            history: vec![],
            standing: Standing::Early,
            late_ms: None,
        }
    }

    #[test]
    fn events_are_told_with_the_gap_before_them_and_where_it_first_held() {
        let mut window = window(vec![event(0, "A"), event(15, "B"), event(60, "C"), event(75, "C")]);
        (window.held, window.event_count, window.late_ms) = (at(60), 10, Some(252_000));
        let view = lay(&window);
        let gaps: Vec<Option<&str>> = view.rows.iter().map(|row| row.gap.as_deref()).collect();
        assert_eq!(gaps, [None, Some("15.0 s"), Some("45.0 s"), Some("15.0 s")]);
        let holding: Vec<bool> = view.rows.iter().map(|row| row.is_holding).collect();
        assert_eq!(holding, [false, false, true, false]);
        assert_eq!((view.more, view.late.as_deref()), (6, Some("4 m 12 s")));
    }

    #[test]
    fn a_withdrawn_finding_says_why_before_what_it_had_said() {
        let said = "Withdrawn, since events that came late undo it: 3 events for ana: A title";
        assert_eq!(withdrawn(said), ("Withdrawn, since events that came late undo it", "3 events for ana: A title"));
        assert_eq!(withdrawn("its own words: here"), ("Withdrawn", "its own words: here"));
    }

    #[test]
    fn numbers_have_the_decimals_that_they_need() {
        assert_eq!([12.0, 0.5, 1.0 / 3.0, 0.0].map(number), ["12", "0.5", "0.333", "0"]);
    }
}
