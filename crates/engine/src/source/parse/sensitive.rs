//! What a `source.yml` calls sensitive, and what else it says of the same paths.

use super::Form;
use crate::detector::{Class, sign_field};
use crate::source::{Reading, Source, holes};
use crate::yaml::Node;

impl Form {
    /// No column and no entity copies a sensitive value whole, and what is given to a model is sensitive.
    pub(super) fn check_sensitive(&mut self, root: &Node<'_>, source: &mut Source) {
        let entities = source.entity_readings.iter().map(|(kind, readings)| (kind.to_string(), readings));
        let columns = source.column_readings.iter().chain(&source.ecs).map(|(name, readings)| (name.clone(), readings));
        for (name, readings) in columns.chain(entities) {
            if let Some(open) = readings.iter().find_map(|reading| copied(reading, &source.sensitive)) {
                let message = format!("`{name}` copies `{open}`, which is sensitive");
                let remedy = "take the part that may be kept with `matches:`, or read another path";
                self.wrong.push(root.error("open-column", message, remedy));
            }
        }
        let is_covered = |path: &&String| source.sensitive.iter().any(|above| is_at_or_below(path, above));
        if let Some(open) = source.prompts.iter().find(|path| !is_covered(path)) {
            let message = format!("the prompt `{open}` is not sensitive");
            self.wrong.push(root.error("open-prompt", message, "add its path, or one above it, to `sensitive:`"));
        }
        if !source.prompts.is_empty() {
            add_verdicts(source);
        }
    }
}

/// What detectors say of prompts stands in columns.
fn add_verdicts(source: &mut Source) {
    let scores = Class::ALL.into_iter().map(|class| (format!("unmapped.detector.{class}"), class.field()));
    for (column, field) in scores.chain([("unmapped.detector.sign".to_owned(), sign_field())]) {
        source.columns.insert(column.clone(), vec![field.clone()]);
        source.column_readings.insert(column, vec![Reading::of(field)]);
    }
}

/// The sensitive path whose value a reading takes as it is.
fn copied<'r>(reading: &'r Reading, sensitive: &[String]) -> Option<&'r str> {
    if reading.matches.is_some() || reading.value.is_some() {
        return None;
    }
    let holes = reading.template.iter().flat_map(|text| holes(text));
    let mut paths = reading.paths.iter().map(String::as_str).chain(holes);
    paths.find(|path| sensitive.iter().any(|known| known == path))
}

fn is_at_or_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use crate::source::Source;

    fn codes(more: &str) -> Vec<String> {
        let text = format!(
            "id: a\ntitle: A\nlogsource: {{product: a}}\nrecognise: [{{has: [a]}}]\ntime: t\nsensitive: [secret, input]\n\
             ocsf: {{class_uid: 6003, class_name: API Activity, category_uid: 6, category_name: Application Activity}}\n{more}"
        );
        Source::parse(&text).1.into_iter().map(|wrong| wrong.code).collect()
    }

    #[test]
    fn a_column_or_entity_may_take_a_part_of_a_sensitive_value_but_not_all() {
        assert_eq!(codes("columns: {message: secret}\n"), ["open-column"]);
        assert_eq!(codes("columns: {message: {template: 'said {secret}'}}\n"), ["open-column"]);
        assert_eq!(codes("entities: {model: [other, secret]}\n"), ["open-column"]);
        assert_eq!(
            codes(
                "columns: {message: {path: secret, matches: '^([^?]+)'}, status: {value: Failure, present: secret}}\n"
            ),
            [""; 0]
        );
        assert_eq!(codes("columns: {message: input.usage}\n"), [""; 0], "what stands below is the author's choice");
    }

    #[test]
    fn prompts_are_sensitive() {
        assert_eq!(codes("prompts: [input.messages]\n"), [""; 0]);
        assert_eq!(codes("prompts: [inputs]\n"), ["open-prompt"]);
    }
}
