//! Which log sources an event carries, worked out before time is taken, by the same `source.yml` that the engine uses.
//! So that the peer, which is told each event's log source, holds the same rules against it as the engine.

use std::collections::BTreeMap;

use engine::Source;
use engine::sigma::LogSource;
use engine::source::Route;
use serde_json::Value;

/// The combinations of log sources that were met.
pub struct Carried {
    routes: Vec<Route>,
    /// Names that rules use, and where an event of any kind has their values.
    fields: BTreeMap<String, Vec<String>>,
    combinations: Vec<Vec<LogSource>>,
}

impl Carried {
    /// By what a source says.
    pub fn of(source: &Source) -> Carried {
        Carried::by(&source.routes, &source.fields)
    }

    /// By its entries and names.
    pub fn by(routes: &[Route], fields: &BTreeMap<String, Vec<String>>) -> Carried {
        Carried { routes: routes.to_vec(), fields: fields.clone(), combinations: Vec::new() }
    }

    /// The place of an event's combination.
    pub fn tag(&mut self, event: &Value) -> u16 {
        let held = self.routes.iter().filter(|route| holds(route, event));
        let held: Vec<LogSource> = held.map(|route| route.logsource.clone()).collect();
        let at = self.combinations.iter().position(|own| *own == held).unwrap_or_else(|| {
            self.combinations.push(held);
            self.combinations.len() - 1
        });
        u16::try_from(at).expect("a source carries few combinations")
    }

    /// Writes the names that rules use into an event that has their values under others, as the source's entries say: the
    /// peer knows no such names, and the engine then has nothing to look up.
    pub fn name(&self, event: &mut Value) {
        let held: Vec<&Route> = self.routes.iter().filter(|route| holds(route, event)).collect();
        for (name, paths) in held.into_iter().flat_map(|route| &route.fields).chain(&self.fields) {
            let value = paths.iter().find_map(|path| find(event, path)).cloned();
            if let (Some(value), Some(event)) = (value, event.as_object_mut()) {
                event.entry(name).or_insert(value);
            }
        }
    }

    /// Every combination that an event had.
    pub fn combinations(&self) -> &[Vec<LogSource>] {
        &self.combinations
    }
}

/// Each path has one of its values, in any case.
fn holds(route: &Route, event: &Value) -> bool {
    route.when.iter().all(|(path, wanted)| {
        find(event, path)
            .and_then(text)
            .is_some_and(|found| wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(&found)))
    })
}

fn find<'v>(event: &'v Value, path: &str) -> Option<&'v Value> {
    event.get(path).or_else(|| path.split('.').try_fold(event, |value, key| value.get(key)))
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_carries_the_log_sources_whose_conditions_hold() {
        let route = |category: &str, id: &str| Route {
            logsource: LogSource { category: Some(category.to_owned()), ..LogSource::default() },
            when: [("EventID".to_owned(), vec![id.to_owned()]), ("Channel".to_owned(), vec!["sysmon".to_owned()])]
                .into(),
            ..Route::default()
        };
        let mut carried = Carried::by(&[route("process_creation", "1"), route("registry_set", "13")], &BTreeMap::new());
        let tag = |carried: &mut Carried, event: &str| carried.tag(&serde_json::from_str(event).unwrap());
        assert_eq!(tag(&mut carried, r#"{"EventID":1,"Channel":"Sysmon"}"#), 0);
        assert_eq!(tag(&mut carried, r#"{"EventID":"13","Channel":"sysmon"}"#), 1);
        assert_eq!(tag(&mut carried, r#"{"EventID":1,"Channel":"Security"}"#), 2);
        assert_eq!(tag(&mut carried, r#"{"EventID":1,"Channel":"sysmon"}"#), 0);
        let of = |at: usize| carried.combinations()[at].iter().map(|own| own.category.as_deref()).collect::<Vec<_>>();
        assert_eq!((of(0), of(2)), (vec![Some("process_creation")], vec![]));
    }

    #[test]
    fn names_that_rules_use_are_written_beside_those_of_the_event() {
        let fields = [("Image".to_owned(), vec!["NewProcessName".to_owned()])];
        let carried = Carried::by(&[Route { fields: fields.into(), ..Route::default() }], &BTreeMap::new());
        let mut event = serde_json::json!({"NewProcessName": "a.exe"});
        carried.name(&mut event);
        assert_eq!(event, serde_json::json!({"NewProcessName": "a.exe", "Image": "a.exe"}));
        let mut event = serde_json::json!({"NewProcessName": "a.exe", "Image": "b.exe"});
        carried.name(&mut event);
        assert_eq!(event["Image"], "b.exe");
    }
}
