//! JUnit XML of case outcomes, as continuous integration reads it.

use std::fmt::Write;

use super::CaseOutcome;

/// The outcomes as JUnit XML: one suite for each file, in order.
pub fn junit(outcomes: &[CaseOutcome]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let failures = outcomes.iter().filter(|outcome| !outcome.passed()).count();
    let _ = writeln!(out, "<testsuites name=\"watchkeep\" tests=\"{}\" failures=\"{failures}\">", outcomes.len());
    for suite in outcomes.chunk_by(|left, right| left.file == right.file) {
        write_suite(&mut out, suite);
    }
    out.push_str("</testsuites>\n");
    out
}

fn write_suite(out: &mut String, suite: &[CaseOutcome]) {
    let failures = suite.iter().filter(|outcome| !outcome.passed()).count();
    let file = escape(&suite[0].file);
    let _ = writeln!(out, "  <testsuite name=\"{file}\" tests=\"{}\" failures=\"{failures}\">", suite.len());
    for outcome in suite {
        let name = escape(&format!("{}: {}", outcome.kind.as_str(), outcome.name));
        let class = escape(&outcome.rule);
        let _ = write!(
            out,
            "    <testcase classname=\"{class}\" name=\"{name}\" file=\"{file}\" line=\"{}\"",
            outcome.line
        );
        match &outcome.failure {
            None => out.push_str("/>\n"),
            Some(failure) => {
                let _ = writeln!(out, ">\n      <failure message=\"{}\"/>\n    </testcase>", escape(failure));
            }
        }
    }
    out.push_str("  </testsuite>\n");
}

/// Text for an XML attribute; characters that XML 1.0 cannot hold become `?`.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => out.push('?'),
            c => out.push(c),
        }
    }
    out
}
