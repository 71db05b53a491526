//! Reads typed values from a YAML tree, and notes whatever is not as it should be.

use model::Diagnostic;

use crate::yaml::{Entry, Kind, Node};

/// Collects what is wrong with one document.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Reader {
    pub(super) fn note(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    pub(super) fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    fn wrong_type(&mut self, entry: &Entry<'_>, wanted: &str) {
        let message = format!("`{}` is {}, where {wanted} is expected", entry.key, entry.value.noun());
        self.note(entry.value.error("bad-type", message, format!("write {wanted}")));
    }

    /// Text, or a number or truth value as written. Null counts as absent.
    pub(super) fn text(&mut self, entry: &Entry<'_>) -> Option<String> {
        if entry.value.is_null() {
            return None;
        }
        match entry.value.as_str() {
            Some(text) => Some(text.trim().to_owned()),
            None => {
                self.wrong_type(entry, "text");
                None
            }
        }
    }

    /// A list of texts; a text alone is a list of one, and null an empty one.
    pub(super) fn texts(&mut self, entry: &Entry<'_>) -> Vec<String> {
        match &entry.value.kind {
            Kind::Scalar(..) => self.text(entry).into_iter().collect(),
            Kind::List(nodes) => {
                let is_scalar = |node: &&Node<'_>| node.as_str().is_some();
                if let Some(odd) = nodes.iter().find(|node| !is_scalar(node)) {
                    let message = format!("`{}` has {} in its list, where text is expected", entry.key, odd.noun());
                    self.note(odd.error("bad-type", message, "quote text that holds `: `"));
                }
                nodes.iter().filter_map(Node::as_str).map(|text| text.trim().to_owned()).collect()
            }
            Kind::Map(_) => {
                self.wrong_type(entry, "a list of texts");
                Vec::new()
            }
        }
    }

    /// The entries of a map.
    pub(super) fn map<'n, 'a>(&mut self, entry: &'n Entry<'a>) -> &'n [Entry<'a>] {
        match entry.value.as_map() {
            Some(entries) => entries,
            None => {
                self.wrong_type(entry, "a map");
                &[]
            }
        }
    }

    /// The elements of a list; anything else but null counts as a list of one.
    pub(super) fn list<'n, 'a>(&mut self, entry: &'n Entry<'a>) -> &'n [Node<'a>] {
        match &entry.value.kind {
            Kind::List(nodes) => nodes,
            _ if entry.value.is_null() => &[],
            _ => std::slice::from_ref(&entry.value),
        }
    }

    /// A finite number.
    pub(super) fn number(&mut self, entry: &Entry<'_>) -> Option<f64> {
        let number =
            entry.value.as_str().and_then(|text| text.trim().parse::<f64>().ok()).filter(|number| number.is_finite());
        if number.is_none() {
            self.wrong_type(entry, "a number");
        }
        number
    }

    /// `true` or `false`.
    pub(super) fn truth(&mut self, entry: &Entry<'_>) -> Option<bool> {
        match entry.value.typed() {
            Some(crate::yaml::Typed::Bool(is_set)) => Some(is_set),
            _ => {
                self.wrong_type(entry, "true or false");
                None
            }
        }
    }

    /// A length of time in milliseconds: `90s`, `15m`, `1h`, `7d`, `2w`.
    pub(super) fn duration_ms(&mut self, entry: &Entry<'_>) -> Option<i64> {
        let duration = entry.value.as_str().and_then(parse_duration_ms);
        if duration.is_none() {
            let shown = entry.value.as_str().unwrap_or(entry.value.noun());
            let message = format!("`{}` is `{shown}`, which is no length of time", entry.key);
            self.note(entry.value.error(
                "bad-duration",
                message,
                "write a number and a unit: `30s`, `15m`, `1h`, `7d`",
            ));
        }
        duration
    }

    /// Notes a key that does not belong here.
    pub(super) fn unknown_key(&mut self, entry: &Entry<'_>, place: &str, known: &[&str]) {
        let remedy = match nearest(&entry.key, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known keys are {}", known.join(", ")),
        };
        self.note(entry.error("unknown-key", format!("`{}` is no key of {place}", entry.key), remedy));
    }
}

fn parse_duration_ms(text: &str) -> Option<i64> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at(split);
    let unit_ms = match unit.trim() {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 604_800_000,
        _ => return None,
    };
    let duration = count.parse::<i64>().ok()?.checked_mul(unit_ms)?;
    (duration > 0).then_some(duration)
}

/// The known word that is most like `word`, if any is like it at all.
pub(in crate::sigma) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    let word = word.to_lowercase();
    known
        .map(|other| (distance(&word, &other.to_lowercase()), other))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, other)| other)
}

/// Edit distance with transpositions (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let above = &rows[i - 1];
            let mut best = (above[j] + 1).min(row[j - 1] + 1).min(above[j - 1] + usize::from(a[i - 1] != b[j - 1]));
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found() {
        let known = ["contains", "startswith", "endswith", "re"];
        assert_eq!(nearest("contain", known.into_iter()), Some("contains"));
        assert_eq!(nearest("startwith", known.into_iter()), Some("startswith"));
        assert_eq!(nearest("cotnains", known.into_iter()), Some("contains"));
        assert_eq!(nearest("regexp", known.into_iter()), None);
    }

    #[test]
    fn durations_carry_units() {
        assert_eq!(parse_duration_ms("15m"), Some(900_000));
        assert_eq!(parse_duration_ms("1h"), Some(3_600_000));
        assert_eq!(parse_duration_ms("0s"), None);
        assert_eq!(parse_duration_ms("15"), None);
        assert_eq!(parse_duration_ms("m"), None);
        assert_eq!(parse_duration_ms("99999999999999999d"), None);
    }
}
