//! Case folding: one character for one character, so that `?` keeps its meaning and lengths in characters stay.
//!
//! Source: Unicode simple case folding (CaseFolding.txt, statuses C and S), computed from the standard library's case mappings.

/// The character that stands for every case of `c`.
#[inline]
pub(super) fn fold_char(c: char) -> char {
    if c.is_ascii() { c.to_ascii_lowercase() } else { fold_wide(c) }
}

fn fold_wide(c: char) -> char {
    match c {
        // Dotless i and dotted I fold to themselves outside of Turkic languages.
        'ı' | 'İ' => c,
        // Cherokee folds upward.
        '\u{13F8}'..='\u{13FD}' | '\u{AB70}'..='\u{ABBF}' => only(c.to_uppercase()).unwrap_or(c),
        '\u{13A0}'..='\u{13F5}' => c,
        // These fold to a character that is not their lower case's upper case's lower case.
        '\u{1E9E}' => 'ß',
        '\u{FB05}' => '\u{FB06}',
        '\u{1FD3}' => '\u{0390}',
        '\u{1FE3}' => '\u{03B0}',
        _ => {
            let upper = only(c.to_uppercase()).unwrap_or(c);
            let lower = only(upper.to_lowercase()).unwrap_or(upper);
            if upper == c || lower != upper { lower_of_title(c, lower) } else { c }
        }
    }
}

/// Characters whose upper case is longer than one character (`ΐ`, `ᾳ`) still have a simple lower case.
fn lower_of_title(c: char, folded: char) -> char {
    if folded == c { only(c.to_lowercase()).unwrap_or(c) } else { folded }
}

fn only(mut chars: impl Iterator<Item = char>) -> Option<char> {
    let first = chars.next()?;
    if chars.next().is_none() { Some(first) } else { None }
}

/// `text`, folded.
pub(super) fn fold(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.chars().map(fold_char).collect() }
}

/// Folds `text` into `buffer`, which is emptied first.
pub(super) fn fold_into(text: &str, buffer: &mut String) {
    buffer.clear();
    buffer.extend(text.chars().map(fold_char));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Letters of Unicode 17, which the standard library may know before the table of the regular expression engine does.
    fn is_newer(c: char) -> bool {
        matches!(c, '\u{A7CE}'..='\u{A7D5}' | '\u{16EA0}'..='\u{16ED3}')
    }

    /// Folding agrees with the regular expression engine, which carries the Unicode table.
    #[test]
    fn folding_agrees_with_the_unicode_table() {
        let mut wrong = Vec::new();
        for c in (0..0x2_0000).filter_map(char::from_u32).filter(|c| !is_newer(*c)) {
            let folded = fold_char(c);
            if folded == c && !c.is_alphabetic() {
                continue;
            }
            let mut class = regex_syntax::hir::ClassUnicode::new([regex_syntax::hir::ClassUnicodeRange::new(c, c)]);
            class.try_case_fold_simple().expect("the table is compiled in");
            for other in class.ranges().iter().flat_map(|range| range.start()..=range.end()) {
                if fold_char(other) != folded {
                    wrong.push((c, other));
                }
            }
            let holds_folded = class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&folded));
            if !holds_folded {
                wrong.push((c, folded));
            }
        }
        assert_eq!(wrong, []);
    }

    #[test]
    fn words_fold() {
        assert_eq!(fold("ÀÉÎ ΣΊΣΥΦΟΣ Straße K"), "àéî σίσυφοσ straße k");
        assert_eq!(fold("ﬁ İı"), "ﬁ İı");
    }
}
