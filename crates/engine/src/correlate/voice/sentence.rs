//! The sentence of a finding about many events.

use std::fmt::Write as _;

use model::{Entity, Standing};

use super::{Voice, count, named};
use crate::correlate::Statement;
use crate::finding::{MESSAGE_CHARS, VALUE_CHARS, one_line};

/// Longest title in a sentence.
const TITLE_CHARS: usize = 160;
const WITHDRAWN: &str = "Withdrawn, since events that came late undo it: ";

impl Voice {
    /// `12 events in 4m 10s for userIdentity.arn = arn:… (at least 10): Root Signs In Often`, or the rule's own sentence.
    pub(super) fn message(&self, said: &Statement, entities: &[Entity]) -> String {
        let withdrawn = if said.standing == Standing::Withdrawn { WITHDRAWN } else { "" };
        let late = said.late_ms.and_then(duration).map(|late| format!(" (it came {late} late)")).unwrap_or_default();
        let (text, end) = match &self.message {
            Some(own) => (fill(own, said, entities), late),
            None => (self.default(said), format!(": {}{late}", one_line(&self.title, TITLE_CHARS))),
        };
        let room = MESSAGE_CHARS - withdrawn.chars().count() - end.chars().count();
        format!("{withdrawn}{}{end}", one_line(&text, room))
    }

    fn default(&self, said: &Statement) -> String {
        let measure = &said.episode.measure;
        let mut text = String::new();
        if measure.of != "events" {
            let _ = write!(text, "{} {} over ", measure.of, number(measure.value));
        }
        let events = count(&said.episode);
        let _ = write!(text, "{events} {} {}", if events == 1 { "event" } else { "events" }, took(said));
        for (nth, (name, value)) in said.group.iter().enumerate() {
            let joint = if nth == 0 { "for" } else { "and" };
            let _ = write!(text, " {joint} {name} = {}", one_line(value, VALUE_CHARS));
        }
        let mut bounds: Vec<String> = Vec::new();
        bounds.extend((!measure.threshold.is_empty()).then(|| measure.threshold.clone()));
        bounds.extend(measure.expected.map(|expected| format!("expected {}", number(expected))));
        if !bounds.is_empty() {
            let _ = write!(text, " ({})", bounds.join(", "));
        }
        text
    }
}

/// A rule's own sentence. Its holes name fields of the group, kinds of entities, or `value`, `expected`, `threshold`, `events`, `span`.
fn fill(own: &str, said: &Statement, entities: &[Entity]) -> String {
    let measure = &said.episode.measure;
    let mut text = String::new();
    let mut rest = own;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        text.push_str(before);
        let value = match name.trim() {
            "value" => Some(number(measure.value)),
            "expected" => measure.expected.map(number),
            "threshold" => Some(measure.threshold.clone()),
            "events" => Some(count(&said.episode).to_string()),
            "span" => Some(took(said)),
            name => named(name, &said.group, entities).map(|value| one_line(value, VALUE_CHARS)),
        };
        match value.filter(|value| !value.is_empty()) {
            Some(value) => text.push_str(&value),
            None => {
                let _ = write!(text, "unknown {}", name.rsplit('.').next().unwrap_or(name));
            }
        }
        rest = after;
    }
    text + rest
}

/// How long it lasted: `in 4m 10s`, or `at once`.
fn took(said: &Statement) -> String {
    let took = duration(said.episode.last_held.millis_since(said.episode.start));
    took.map_or_else(|| "at once".to_owned(), |took| format!("in {took}"))
}

/// A number for people: at most three decimals, and none where there are none.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A length of time in its two greatest units, such as `4m 10s`; `None` for none.
fn duration(millis: i64) -> Option<String> {
    const UNITS: [(i64, &str); 5] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
    let first = UNITS.iter().position(|(unit, _)| millis >= *unit)?;
    let mut rest = millis;
    let mut parts: Vec<String> = Vec::new();
    for (unit, word) in UNITS.iter().skip(first).take(2) {
        if rest >= *unit {
            parts.push(format!("{}{word}", rest / unit));
            rest %= unit;
        }
    }
    Some(parts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_told_in_two_units() {
        let told = [0, 7, 1_000, 61_500, 3_600_000, 90_061_000].map(|millis| duration(millis).unwrap_or_default());
        assert_eq!(told, ["", "7ms", "1s", "1m 1s", "1h", "1d 1h"]);
    }

    #[test]
    fn numbers_have_the_decimals_that_they_need() {
        assert_eq!([12.0, 0.5, 1.0 / 3.0, 1_000_000.0, 0.0].map(number), ["12", "0.5", "0.333", "1000000", "0"]);
    }
}
