//! The adapter protocol: a question is one line of JSON, and so is its answer.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

/// The log source of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSource {
    /// The vendor's product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// A family of logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// One log of a product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
}

/// One question: which of these rules match this event?
#[derive(Clone, Debug)]
pub struct Question {
    /// Case and event, for messages.
    pub id: String,
    /// Rule files as text.
    pub rules: Vec<String>,
    /// Filter files as text.
    pub filters: Vec<String>,
    /// Placeholder name to values.
    pub inventory: BTreeMap<String, Vec<String>>,
    /// Where the event comes from; without it, every rule applies.
    pub logsource: Option<LogSource>,
    /// The event as JSON text, passed on as it is written; without it, rules are read and nothing more.
    pub event: Option<String>,
}

impl Question {
    /// The question as one line.
    ///
    /// The event goes in as it is written, since `1` and `1.0` are different texts; line feeds between its parts become spaces.
    pub fn line(&self) -> String {
        let mut line = serde_json::to_string(self).expect("text and maps of text are JSON");
        if let Some(event) = &self.event {
            line.truncate(line.len() - 1);
            line.push_str(",\"event\":");
            line.push_str(&event.trim().replace(['\n', '\r'], " "));
            line.push('}');
        }
        line
    }

    /// Reads a line, as an adapter does.
    ///
    /// Errors: the line is no question.
    pub fn parse(line: &str) -> Result<Question, serde_json::Error> {
        #[derive(Deserialize)]
        struct Line<'l> {
            id: String,
            rules: Vec<String>,
            #[serde(default)]
            filters: Vec<String>,
            #[serde(default)]
            inventory: BTreeMap<String, Vec<String>>,
            logsource: Option<LogSource>,
            #[serde(borrow)]
            event: Option<&'l RawValue>,
        }
        let line: Line<'_> = serde_json::from_str(line)?;
        let event = line.event.map(|event| event.get().to_owned());
        let Line { id, rules, filters, inventory, logsource, .. } = line;
        Ok(Question { id, rules, filters, inventory, logsource, event })
    }

    /// Checks that the event is one JSON object.
    ///
    /// Errors: it is not.
    pub fn event_is_json(&self) -> anyhow::Result<()> {
        let Some(event) = &self.event else { return Ok(()) };
        let value: serde_json::Value = serde_json::from_str(event)?;
        anyhow::ensure!(value.is_object(), "the event is no object: {event}");
        Ok(())
    }
}

impl Serialize for Question {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("rules", &self.rules)?;
        map.serialize_entry("filters", &self.filters)?;
        map.serialize_entry("inventory", &self.inventory)?;
        if let Some(logsource) = &self.logsource {
            map.serialize_entry("logsource", logsource)?;
        }
        map.end()
    }
}

/// What an engine answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// The ids of the rules that match; the title of a rule without an id.
    Matches(Vec<String>),
    /// A rule or filter cannot be read or evaluated, and why.
    Refused(String),
    /// The engine stopped without an answer, and how. The runner says this, never an adapter.
    #[serde(skip)]
    Died(String),
}
