//! Findings about many events on a terminal.

use model::{Standing, Window, WindowEvent};

use crate::style::Paint;

/// A finding's window: how certain it is, what was measured, its events in order.
pub fn show(window: &Window, paint: Paint) -> String {
    let mut out = String::new();
    let mut line = |name: &str, text: String| out.push_str(&format!("  {name:<12} {text}\n"));
    line("standing", certain(window));
    for (name, value) in &window.group {
        line("of", format!("{name} = {}", plain(value)));
    }
    line("value", format!("{} {}", number(window.value), window.measured));
    if let Some(expected) = window.expected {
        line("expected", number(expected));
    }
    line("threshold", window.threshold.clone());
    window.values.iter().for_each(|value| line("", plain(value)));
    if !window.history.is_empty() {
        line("baseline", window.history.iter().copied().map(number).collect::<Vec<_>>().join(", "));
    }
    line("held", format!("from {} to {}", window.held, window.last_held));
    let more = window.event_count.saturating_sub(window.events.len() as u64);
    let kept =
        if more > 0 { format!(", of which the earliest {} are kept", window.events.len()) } else { String::new() };
    line("events", format!("{}{kept}", window.event_count));
    out + &events(&window.events, paint)
}

/// How certain it is, and how late what made it known came.
fn certain(window: &Window) -> String {
    let means = match window.standing {
        Standing::Early => "early: events that may still come in time can change it",
        Standing::Final => "final: no event that comes in time can change it",
        Standing::Withdrawn => "withdrawn: events that came late undo it",
    };
    let late = window.late_ms.filter(|late| *late > 0);
    late.map_or_else(
        || means.to_owned(),
        |late| format!("{means}; what made it known came {} s late", number(late as f64 / 1000.0)),
    )
}

/// Events in order: time, part, what happened, source.
pub fn events(events: &[WindowEvent], paint: Paint) -> String {
    let width = events.iter().map(|event| event.parts.join(", ").chars().count()).max().unwrap_or(0);
    let line = |event: &WindowEvent| {
        let (parts, brief, source) = (event.parts.join(", "), plain(&event.brief), paint.dim(event.source.as_str()));
        format!("    {}  {parts:<width$}  {brief}  {source}\n", event.time)
    };
    events.iter().map(line).collect()
}

/// Text of a sender without what would steer a terminal.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A number with at most three decimals, and none where there are none.
pub fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use model::{EventId, Time};

    use super::*;

    fn window() -> Window {
        let at = |second: i64| Time::parse("2026-11-22T01:00:00Z").expect("a time").plus_millis(second * 1000);
        let event = |second: i64, part: &str, brief: &str| WindowEvent {
            event_id: EventId::of(&[brief.as_bytes()]),
            time: at(second),
            source: "aws_cloudtrail".into(),
            parts: vec![part.to_owned()],
            brief: brief.to_owned(),
        };
        Window {
            group: vec![("user".into(), "ana\u{1b}[31m".into())],
            start: at(0),
            held: at(60),
            last_held: at(90),
            events: vec![event(0, "Key made", "CreateAccessKey"), event(60, "Read", "GetObject\u{7}")],
            event_count: 12,
            measured: "events".into(),
            value: 12.0,
            expected: Some(2.5),
            threshold: "more than 7.5".into(),
            values: vec![],
            history: vec![2.0, 3.0],
            standing: Standing::Final,
            late_ms: Some(4_500),
        }
    }

    #[test]
    fn a_window_is_told_with_its_events_in_order_and_steers_no_terminal() {
        let told = show(&window(), Paint::for_stream(&std::io::stdout(), true));
        insta::assert_snapshot!(told);
        assert!(!told.contains(['\u{1b}', '\u{7}']));
    }
}
