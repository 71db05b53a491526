//! Events of a finding along time: a strip for each part, gaps to scale.
//!
//! In: a window. Out: places in percent of its length, so that the drawing is as wide as the page lets it be.
//! Bound: `STRIPS_MAX` strips, those with most events first to be kept; dots that would touch are one dot.

use std::collections::BTreeMap;

use model::{Time, Window, WindowEvent};

use super::format;

const STRIPS_MAX: usize = 8;
/// Dots closer than this are one, percent.
const TOUCHING: f64 = 1.2;
/// The part of events whose rule is not known.
const NO_PART: &str = "event";
/// Where the parts stand that have no strip of their own.
const OTHER_PARTS: &str = "other parts";

/// A window along time.
#[derive(Debug, PartialEq)]
pub(crate) struct Timeline {
    pub strips: Vec<Strip>,
    /// Where it first held, percent.
    pub held: String,
    /// The first and the last moment.
    pub from: Time,
    pub to: Time,
    /// How long it is.
    pub length: String,
    /// From the last kept event to the end, where not all are kept: start and width, percent.
    pub unkept: Option<(String, String)>,
    /// For those who do not see it.
    pub told: String,
}

/// The events of one part.
#[derive(Debug, PartialEq)]
pub(crate) struct Strip {
    pub part: String,
    pub dots: Vec<Dot>,
    pub count: usize,
}

/// One event, or several that are too close to be told apart.
#[derive(Debug, PartialEq)]
pub(crate) struct Dot {
    /// Where, percent.
    pub x: String,
    pub count: usize,
    pub says: String,
}

/// Lays a window out.
pub(crate) fn lay(window: &Window) -> Timeline {
    let times = || window.events.iter().map(|event| event.time);
    let from = times().fold(window.start, Time::min);
    let to = times().fold(window.last_held.max(window.held), Time::max);
    let place = |time: Time| place(from, to, time);
    let strips = strips(&window.events, &place);
    let unkept = (window.event_count > window.events.len() as u64).then(|| {
        let last = place(times().fold(from, Time::max));
        (percent(last), percent(100.0 - last))
    });
    let length = format::gap(to.millis_since(from));
    let told = format!(
        "{} over {length}, from {} to {}; it first held at {}. The table below lists them.",
        format::of(window.event_count, "event"),
        format::stamp(&from),
        format::stamp(&to),
        format::stamp(&window.held)
    );
    Timeline { strips, held: percent(place(window.held)), from, to, length, unkept, told }
}

/// Where a time lies between two, percent; the middle where they are one.
fn place(from: Time, to: Time, time: Time) -> f64 {
    let length = (to.micros() - from.micros()) as f64;
    if length > 0.0 { ((time.micros() - from.micros()) as f64 / length * 100.0).clamp(0.0, 100.0) } else { 50.0 }
}

fn percent(place: f64) -> String {
    format!("{place:.2}")
}

fn strips(events: &[WindowEvent], place: &dyn Fn(Time) -> f64) -> Vec<Strip> {
    let mut by_part: BTreeMap<&str, Vec<&WindowEvent>> = BTreeMap::new();
    for event in events {
        for part in parts(event) {
            by_part.entry(part).or_default().push(event);
        }
    }
    let mut parts: Vec<(&str, Vec<&WindowEvent>)> = by_part.into_iter().collect();
    if parts.len() > STRIPS_MAX {
        parts.sort_by_key(|(_, events)| std::cmp::Reverse(events.len()));
        let rest = parts.split_off(STRIPS_MAX - 1);
        let mut others: Vec<&WindowEvent> = rest.into_iter().flat_map(|(_, events)| events).collect();
        others.sort_by_key(|event| (event.time, event.event_id));
        others.dedup_by_key(|event| event.event_id);
        parts.push((OTHER_PARTS, others));
    }
    // In order of what happened first: a sequence reads from top to bottom.
    parts.sort_by_key(|(part, events)| (*part == OTHER_PARTS, events.first().map(|event| event.time)));
    let strip = |(part, events): (&str, Vec<&WindowEvent>)| Strip {
        part: part.to_owned(),
        count: events.len(),
        dots: dots(&events, place),
    };
    parts.into_iter().map(strip).collect()
}

fn parts(event: &WindowEvent) -> impl Iterator<Item = &str> {
    let unnamed = event.parts.is_empty().then_some(NO_PART);
    event.parts.iter().map(String::as_str).chain(unnamed)
}

fn dots(events: &[&WindowEvent], place: &dyn Fn(Time) -> f64) -> Vec<Dot> {
    let mut dots: Vec<(f64, Dot)> = Vec::new();
    for event in events {
        let at = place(event.time);
        match dots.last_mut() {
            Some((last, dot)) if at - *last < TOUCHING => {
                dot.count += 1;
                dot.says = format!("{} until {}", format::of(dot.count as u64, "event"), format::stamp(&event.time));
            }
            _ => {
                let says = format!("{} {}", format::stamp(&event.time), event.brief);
                dots.push((at, Dot { x: percent(at), count: 1, says }));
            }
        }
    }
    dots.into_iter().map(|(_, dot)| dot).collect()
}

#[cfg(test)]
mod tests {
    use super::super::window::tests::{at, event, window};
    use super::*;

    #[test]
    fn gaps_are_to_scale_and_parts_stand_in_the_order_of_what_happened() {
        let events = vec![event(0, "Second by name"), event(15, "A part"), event(60, "Second by name")];
        let timeline = lay(&window(events));
        let xs: Vec<Vec<&str>> =
            timeline.strips.iter().map(|strip| strip.dots.iter().map(|dot| dot.x.as_str()).collect()).collect();
        assert_eq!(xs, [vec!["0.00", "100.00"], vec!["25.00"]]);
        assert_eq!(timeline.strips[0].part, "Second by name");
        assert_eq!((timeline.length.as_str(), timeline.from, timeline.to), ("1 m", at(0), at(60)));
        assert!(timeline.told.starts_with("3 events over 1 m, from 2026-11-22 01:00:00"), "{}", timeline.told);
    }

    #[test]
    fn events_of_one_moment_are_one_dot_in_the_middle() {
        let timeline = lay(&window(vec![event(0, "A"), event(0, "A"), event(0, "A")]));
        let dots = &timeline.strips[0].dots;
        assert_eq!((dots.len(), dots[0].count, dots[0].x.as_str()), (1, 3, "50.00"));
    }

    #[test]
    fn where_not_all_events_are_kept_the_rest_of_the_time_is_marked() {
        let mut window = window(vec![event(0, "A"), event(15, "A")]);
        (window.last_held, window.event_count) = (at(60), 400);
        assert_eq!(lay(&window).unkept, Some(("25.00".to_owned(), "75.00".to_owned())));
    }

    #[test]
    fn many_parts_share_the_last_strip() {
        let events = (0..20).map(|n| event(n, &format!("Part {n:02}"))).collect();
        let timeline = lay(&window(events));
        assert_eq!(timeline.strips.len(), STRIPS_MAX);
        let last = timeline.strips.last().unwrap();
        assert_eq!((last.part.as_str(), last.count), (OTHER_PARTS, 13));
    }
}
