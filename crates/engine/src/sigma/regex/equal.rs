//! Generated expressions on generated texts, held against a backtracking engine that other people wrote.

use proptest::prelude::*;

use super::{Flags, compile};

/// Parts of expressions.
const PARTS: [&str; 33] = [
    "a", "b", ".", r"\n", r"\s", "[^a]", "→", "$", "$", "$", r"\Z", r"\z", r"\$", "[$]", "^", r"\A", r"\b", "(?m:",
    "(?-m:", "(?s:", "(?=", "(?!", "(?<=", "(?<!", "(?:", "(", ")", ")", ")*", "){2}", ")?", "|", "a+",
];

#[derive(Clone, Copy)]
struct Mode {
    is_multi_line: bool,
    is_dot_all: bool,
}

/// The expression, with brackets that close; and as the other engine has it: `$` and `\Z` spelled out as PCRE says what they mean,
/// flags settled, and all groups capturing, since it loses what others hold together.
fn written(parts: &[&str], mode: Mode) -> (String, String) {
    let (mut ours, mut theirs) = (String::new(), String::new());
    let mut modes = vec![mode];
    for part in parts {
        let mode = modes[modes.len() - 1];
        if part.starts_with('(') {
            modes.push(match *part {
                "(?m:" => Mode { is_multi_line: true, ..mode },
                "(?-m:" => Mode { is_multi_line: false, ..mode },
                "(?s:" => Mode { is_dot_all: true, ..mode },
                _ => mode,
            });
        } else if part.starts_with(')') && (modes.len() == 1 || modes.pop().is_none()) {
            continue;
        }
        ours.push_str(part);
        theirs.push_str(match (*part, mode) {
            ("$" | "^", Mode { is_multi_line: true, .. }) => {
                if *part == "$" {
                    "(?m:$)"
                } else {
                    "(?m:^)"
                }
            }
            ("$" | r"\Z", _) => r"(?=\n?\z)",
            ("^", _) => r"\A",
            (".", Mode { is_dot_all: true, .. }) => "(?s:.)",
            ("(?m:" | "(?-m:" | "(?s:" | "(?:", _) => "(",
            (other, _) => other,
        });
    }
    let close = ")".repeat(modes.len() - 1);
    (ours + &close, theirs + &close)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]
    #[test]
    fn expressions_fit_where_a_backtracking_engine_says_so(
        parts in prop::collection::vec(prop::sample::select(&PARTS[..]), 1..10),
        texts in prop::collection::vec("[ab\n$→]{0,6}\n?", 1..8),
        is_multi_line in any::<bool>(),
        is_dot_all in any::<bool>(),
    ) {
        let (ours, theirs) = written(&parts, Mode { is_multi_line, is_dot_all });
        let flags = Flags { ignore_case: false, multi_line: is_multi_line, dot_all: is_dot_all };
        let (Ok(engine), Ok(other)) = (compile(&ours, flags), fancy_regex::Regex::new(&theirs)) else { return Ok(()) };
        for text in &texts {
            let Ok(wanted) = other.is_match(text) else { continue };
            prop_assert_eq!(engine.is_match(text), wanted, "{} in {:?}, as {}", ours, text, theirs);
        }
    }
}
