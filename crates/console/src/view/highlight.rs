//! Which lines of a rule's source the matched terms stand on.
//!
//! In: the rule file's text and the terms that held. Out: the lines of its `detection` with marks.
//! Bound: the file's lines. It reads indentation, not YAML: a mark is help for the eye, and a missing one does no harm.

use model::MatchedTerm;

/// A line of a rule's source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceLine {
    /// Its number in the file, from 1.
    pub number: usize,
    pub text: String,
    /// Did a term on this line hold?
    pub matched: bool,
}

/// The `detection` block of `yaml` with the lines of `terms` marked; the whole text when there is no such block.
pub(crate) fn detection(yaml: &str, terms: &[MatchedTerm]) -> Vec<SourceLine> {
    let mut lines: Vec<SourceLine> = yaml
        .lines()
        .enumerate()
        .map(|(at, text)| SourceLine { number: at + 1, text: text.to_owned(), matched: false })
        .collect();
    if let Some((start, end)) = block(&lines, 0, lines.len(), "detection") {
        lines = lines[start..end].to_vec();
    }
    for term in terms {
        mark(&mut lines, term);
    }
    lines
}

fn mark(lines: &mut [SourceLine], term: &MatchedTerm) {
    let Some((start, end)) = block(lines, 0, lines.len(), &term.search) else { return };
    if term.field.is_empty() {
        mark_values(lines, start, end, term);
        return;
    }
    for at in start..end {
        if !names_field(&lines[at].text, &term.field) {
            continue;
        }
        let until = (at + 1..end).find(|next| !is_below(lines, at, *next)).unwrap_or(end);
        lines[at].matched = true;
        mark_values(lines, at + 1, until, term);
    }
}

/// Marks the list items that the test names, or whose value the record holds.
fn mark_values(lines: &mut [SourceLine], start: usize, end: usize, term: &MatchedTerm) {
    for line in &mut lines[start..end] {
        let Some(item) = line.text.trim_start().strip_prefix("- ") else { continue };
        let plain = item.trim().trim_matches(['\'', '"']).trim_matches('*').to_lowercase();
        let quoted = format!("\"{plain}\"");
        let held = term.test.to_lowercase().contains(&quoted) || term.value.to_lowercase().contains(&plain);
        line.matched |= !plain.is_empty() && held;
    }
}

/// Does the line hold `field` as a key, with or without modifiers?
fn names_field(text: &str, field: &str) -> bool {
    text.match_indices(field).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + field.len()..].chars().next();
        before.is_none_or(|c| " {,'\"-".contains(c)) && after.is_some_and(|c| ":|'\"".contains(c))
    })
}

/// The lines of the mapping entry `key`, its own line included, within `start..end`.
fn block(lines: &[SourceLine], start: usize, end: usize, key: &str) -> Option<(usize, usize)> {
    let head = (start..end).find(|at| {
        let text = lines[*at].text.trim_start();
        text.strip_prefix(key).is_some_and(|rest| rest.starts_with(':'))
    })?;
    let until = (head + 1..end).find(|at| !is_below(lines, head, *at)).unwrap_or(end);
    Some((head, until))
}

/// Is line `at` part of the entry that starts on line `head`: blank, deeper, or a list item on the same column?
fn is_below(lines: &[SourceLine], head: usize, at: usize) -> bool {
    let text = &lines[at].text;
    let (own, above) = (indent(text), indent(&lines[head].text));
    let item = text.trim_start().starts_with("- ") && !lines[head].text.trim_start().starts_with("- ");
    text.trim().is_empty() || own > above || (own == above && item)
}

fn indent(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "\
title: T
detection:
    selection:
        eventSource: s3.amazonaws.com
        eventName:
            - GetObject
            - CopyObject
    weights: {requestParameters.bucketName|expand: '%custody_buckets%'}
    words:
    - '*export*'
    - import
    condition: selection and weights
level: high
";

    fn term(search: &str, field: &str, test: &str, value: &str) -> MatchedTerm {
        MatchedTerm { search: search.into(), field: field.into(), test: test.into(), value: value.into() }
    }

    fn marked(terms: &[MatchedTerm]) -> Vec<usize> {
        detection(RULE, terms).into_iter().filter(|line| line.matched).map(|line| line.number).collect()
    }

    #[test]
    fn only_the_detection_is_shown() {
        let lines = detection(RULE, &[]);
        assert_eq!((lines[0].number, lines.last().unwrap().number), (2, 12));
    }

    #[test]
    fn a_field_and_its_value_are_marked() {
        assert_eq!(marked(&[term("selection", "eventName", "equals \"GetObject\"", "GetObject")]), [5, 6]);
        assert_eq!(marked(&[term("selection", "eventSource", "equals \"s3.amazonaws.com\"", "s3.amazonaws.com")]), [4]);
        assert_eq!(
            marked(&[term("weights", "requestParameters.bucketName", "equals \"lab-weights\"", "lab-weights")]),
            [8]
        );
    }

    #[test]
    fn keywords_are_marked() {
        assert_eq!(marked(&[term("words", "", "contains \"export\"", "an EXPORT job")]), [10]);
    }

    #[test]
    fn a_field_is_not_a_part_of_another() {
        assert!(!names_field("  eventNameX: a", "eventName"));
        assert!(!names_field("  xeventName: a", "eventName"));
        assert!(names_field("  - eventName|contains: a", "eventName"));
        assert!(names_field("  'eventName': a", "eventName"));
    }

    #[test]
    fn nothing_breaks_on_other_texts() {
        assert_eq!(detection("", &[term("s", "f", "t", "v")]).len(), 0);
        assert_eq!(detection("no block\n", &[term("s", "f", "t", "v")]).len(), 1);
    }
}
