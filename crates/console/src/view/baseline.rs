//! The baseline of a finding as bars, with what was observed beside it and lines for what was to be expected.
//!
//! In: a window with a history. Out: heights in percent of the drawing. Bound: the history's values, at most 64.

use model::Window;

use super::window::number;

/// Least height of a bar that is not nothing, percent.
const LEAST: f64 = 1.5;
/// Room between bars, as a share of a bar's place.
const ROOM: f64 = 0.2;

/// A baseline, drawn.
#[derive(Debug, PartialEq)]
pub(crate) struct Baseline {
    pub bars: Vec<Bar>,
    /// Heights of the lines, percent from above.
    pub expected: Option<String>,
    pub threshold: Option<String>,
    /// For those who do not see it.
    pub told: String,
}

/// One value.
#[derive(Debug, PartialEq)]
pub(crate) struct Bar {
    pub x: String,
    pub width: String,
    pub y: String,
    pub height: String,
    pub is_observed: bool,
    pub says: String,
}

/// Draws the baseline, where the finding has one.
pub(crate) fn draw(window: &Window) -> Option<Baseline> {
    if window.history.is_empty() {
        return None;
    }
    let bound = bound(&window.threshold);
    let all = window.history.iter().copied().chain([window.value]).chain(window.expected).chain(bound);
    let greatest = all.filter(|value| value.is_finite()).fold(0.0, f64::max);
    let height = |value: f64| {
        if greatest > 0.0 && value.is_finite() { (value / greatest * 100.0).clamp(0.0, 100.0) } else { 0.0 }
    };
    let values: Vec<f64> = window.history.iter().copied().chain([window.value]).collect();
    let place = 100.0 / values.len() as f64;
    let bar = |(nth, value): (usize, &f64)| {
        let tall = if *value > 0.0 { height(*value).max(LEAST) } else { 0.0 };
        let is_observed = nth + 1 == values.len();
        Bar {
            x: format!("{:.2}", place * (nth as f64 + ROOM / 2.0)),
            width: format!("{:.2}", place * (1.0 - ROOM)),
            y: format!("{:.2}", 100.0 - tall),
            height: format!("{tall:.2}"),
            is_observed,
            says: if is_observed { format!("observed: {}", number(*value)) } else { number(*value) },
        }
    };
    let line = |value: f64| format!("{:.2}", 100.0 - height(value));
    Some(Baseline {
        bars: values.iter().enumerate().map(bar).collect(),
        expected: window.expected.map(line),
        threshold: bound.map(line),
        told: told(window),
    })
}

fn told(window: &Window) -> String {
    let history: Vec<String> = window.history.iter().copied().map(number).collect();
    let expected = window.expected.map(|expected| format!(", expected {}", number(expected))).unwrap_or_default();
    format!(
        "Observed {}{expected}, a finding from {} on. The baseline: {}.",
        number(window.value),
        window.threshold,
        history.join(", ")
    )
}

/// The number in the threshold's words, such as that of `more than 13 and at least 5`: where a line is drawn.
fn bound(threshold: &str) -> Option<f64> {
    let beyond = ["more than ", "less than ", "at least ", "at most "];
    let rest = beyond.iter().find_map(|words| threshold.strip_prefix(words))?;
    rest.split([' ', ',']).next()?.parse().ok().filter(|bound: &f64| bound.is_finite())
}

#[cfg(test)]
mod tests {
    use super::super::window::tests::window;
    use super::*;

    #[test]
    fn bars_stand_in_proportion_with_the_observation_last() {
        let mut window = window(vec![]);
        (window.value, window.expected) = (40.0, Some(10.0));
        window.threshold = "more than 20 and at least 5".into();
        window.history = vec![10.0, 0.0, 0.001];
        let drawn = draw(&window).unwrap();
        let heights: Vec<&str> = drawn.bars.iter().map(|bar| bar.height.as_str()).collect();
        assert_eq!(heights, ["25.00", "0.00", "1.50", "100.00"], "what is not nothing is seen");
        assert!(drawn.bars[3].is_observed && !drawn.bars[2].is_observed);
        assert_eq!((drawn.expected.as_deref(), drawn.threshold.as_deref()), (Some("75.00"), Some("50.00")));
        assert_eq!(
            drawn.told,
            "Observed 40, expected 10, a finding from more than 20 and at least 5 on. The baseline: 10, 0, 0.001."
        );
    }

    #[test]
    fn without_a_history_there_is_nothing_to_draw_and_odd_thresholds_draw_no_line() {
        assert_eq!(draw(&window(vec![])), None);
        let odd = ["", "more than ", "more than NaN", "more than inf", "in order", "at least x"].map(bound);
        assert_eq!(odd, [None; 6]);
    }

    #[test]
    fn a_baseline_of_nothing_and_of_what_is_no_number_draws_nothing_tall() {
        let mut window = window(vec![]);
        (window.value, window.history) = (0.0, vec![0.0, f64::NAN, -3.0]);
        assert!(draw(&window).unwrap().bars.iter().all(|bar| bar.height == "0.00"));
    }
}
