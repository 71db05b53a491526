//! The nearest of some names to a misspelt one, for remedies.

/// The candidate that is at most a third of its length of edits away from `word`, nearest first.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= 1.max(candidate.chars().count().max(word.chars().count()) / 3))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edits between two words: insertions, deletions, substitutions (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, r) in right.iter().enumerate() {
            let substitution = diagonal + usize::from(l != *r);
            diagonal = row[j + 1];
            row[j + 1] = substitution.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_word_finds_its_neighbour_and_a_strange_one_none() {
        assert_eq!(nearest("lisen", ["listen", "remote"]), Some("listen"));
        assert_eq!(nearest("banana", ["listen", "remote"]), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
