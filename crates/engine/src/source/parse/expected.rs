//! What a `source.yml` says is to be expected of its records: how often, how late, how many, how whole.

use super::Form;
use crate::source::{Cadence, REQUIRED_MAX, Required, Volume};
use crate::yaml::Node;
use crate::yaml::form::millis;

/// The share of records that must have each required field, in thousandths, where nothing is said.
const AT_LEAST: u32 = 950;
/// The longest span over which a volume may be declared.
const VOLUME_HOURS_MAX: i64 = 24;
const HOUR_MS: i64 = 3_600_000;

impl Form {
    pub(super) fn cadence(&mut self, node: &Node<'_>) -> Cadence {
        let mut cadence = Cadence::default();
        for entry in self.map(node, &["silent_after", "lag"]).unwrap_or_default() {
            let millis = self.duration(&entry.value);
            match &*entry.key {
                "silent_after" => cadence.silent_after_ms = millis,
                "lag" => cadence.lag_ms = millis,
                _ => {}
            }
        }
        cadence
    }

    pub(super) fn duration(&mut self, node: &Node<'_>) -> Option<i64> {
        let millis = node.as_str().and_then(millis);
        if millis.is_none() {
            let message = format!("`{}` is not a duration", node.as_str().unwrap_or(node.noun()));
            self.wrong.push(node.error("bad-duration", message, "write a number and a unit: `90s`, `30m`, `1h`, `7d`"));
        }
        millis
    }

    /// `{at_least: 60, per: 1h}`.
    pub(super) fn volume(&mut self, node: &Node<'_>) -> Option<Volume> {
        let (mut at_least, mut hours) = (None, Some(1));
        for entry in self.map(node, &["at_least", "per"]).unwrap_or_default() {
            match &*entry.key {
                "at_least" => at_least = self.records(&entry.value),
                "per" => hours = self.hours(&entry.value),
                _ => {}
            }
        }
        if node.as_map().is_some() && node.get("at_least").is_none() {
            let remedy = "add `at_least:` with a number of records";
            self.wrong.push(node.error("missing-key", "the volume says no number", remedy));
        }
        Some(Volume { at_least: at_least?, hours: hours? })
    }

    fn records(&mut self, node: &Node<'_>) -> Option<u64> {
        let records = node.as_str().and_then(|text| text.parse().ok()).filter(|records| *records > 0);
        if records.is_none() {
            let message = format!("`{}` is not a number of records", node.as_str().unwrap_or(node.noun()));
            self.wrong.push(node.error("bad-volume", message, "write a whole number from 1"));
        }
        records
    }

    fn hours(&mut self, node: &Node<'_>) -> Option<u32> {
        let millis = self.duration(node)?;
        let hours =
            (millis % HOUR_MS == 0).then_some(millis / HOUR_MS).filter(|hours| (1..=VOLUME_HOURS_MAX).contains(hours));
        if hours.is_none() {
            let message = format!("`{}` is not a span of whole hours", node.as_str().unwrap_or_default());
            self.wrong.push(node.error("bad-volume", message, format!("write `1h` to `{VOLUME_HOURS_MAX}h`")));
        }
        hours.and_then(|hours| u32::try_from(hours).ok())
    }

    /// A list of paths, each of them a path or a list of which one must have a value; or a map with the share of records that must have them.
    pub(super) fn required(&mut self, node: &Node<'_>) -> Required {
        let mut required = Required { fields: Vec::new(), at_least: AT_LEAST };
        if node.as_map().is_none() {
            required.fields = self.fields(node);
            return required;
        }
        for entry in self.map(node, &["fields", "at_least"]).unwrap_or_default() {
            match &*entry.key {
                "fields" => required.fields = self.fields(&entry.value),
                "at_least" => required.at_least = self.share(&entry.value),
                _ => {}
            }
        }
        if required.fields.is_empty() && node.get("fields").is_none() {
            self.wrong.push(node.error("missing-key", "nothing is required", "add `fields:` with a list of paths"));
        }
        required
    }

    fn fields(&mut self, node: &Node<'_>) -> Vec<Vec<String>> {
        let fields: Vec<Vec<String>> = self.list(node).iter().map(|node| self.texts(node)).collect();
        if fields.len() > REQUIRED_MAX {
            let message = format!("{} fields are required", fields.len());
            let remedy = format!("name those without which rules find nothing, at most {REQUIRED_MAX}");
            self.wrong.push(node.error("too-many-fields", message, remedy));
        }
        fields
    }

    fn share(&mut self, node: &Node<'_>) -> u32 {
        let percent =
            node.as_str().and_then(|text| text.strip_suffix('%')).and_then(|text| text.trim().parse::<f64>().ok());
        match percent.filter(|percent| *percent > 0.0 && *percent <= 100.0) {
            Some(percent) => (percent * 10.0).round() as u32,
            None => {
                let message = format!("`{}` is not a share of records", node.as_str().unwrap_or(node.noun()));
                self.wrong.push(node.error("bad-share", message, "write a percentage above 0: `95%`"));
                AT_LEAST
            }
        }
    }
}
