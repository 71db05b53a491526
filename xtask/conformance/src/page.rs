//! The tables of the documentation.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::case::Suite;
use crate::judge::Verdict;

/// The table of sentences and the cases that show them.
pub fn coverage(suite: &Suite) -> String {
    let mut by_sentence: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let cases = suite.cases.iter().map(|case| (&case.name, &case.covers));
    for (name, covers) in cases.chain(suite.sequences.iter().map(|case| (&case.name, &case.covers))) {
        for id in covers {
            by_sentence.entry(id).or_default().push(name);
        }
    }
    let mut page = String::new();
    let mut document = "";
    for section in &suite.sections {
        let (theirs, name) = section.section.split_once(", ").unwrap_or((&section.section, ""));
        if theirs != document {
            document = theirs;
            let _ = write!(page, "\n### {document}\n\n| section | sentence | cases |\n|---|---|---|\n");
        }
        let cases = match (&section.out, by_sentence.get(section.id.as_str())) {
            (Some(why), _) => format!("none: {why}"),
            (None, cases) => linked(cases.map_or(&[][..], Vec::as_slice)),
        };
        let _ = writeln!(page, "| {name} | {} | {cases} |", cell(&section.text));
    }
    page
}

fn linked(names: &[&str]) -> String {
    names.iter().map(|name| format!("[{name}]({name}.yml)")).collect::<Vec<_>>().join(", ")
}

/// The comparison of engines: totals, then each case in which one of them does not pass.
pub fn comparison(suite: &Suite, engines: &[(String, Vec<Verdict>)]) -> String {
    let strict = suite.cases.iter().filter(|case| !case.has_room()).count();
    let mut page = format!(
        "\n{} cases: {strict} that the specification decides, {} where it leaves room.\n\n",
        suite.cases.len(),
        suite.cases.len() - strict
    );
    page.push_str("| engine | pass | fails | refuses | differs where there is room |\n|---|---:|---:|---:|---:|\n");
    for (name, verdicts) in engines {
        let count = |word: &str| verdicts.iter().filter(|verdict| verdict.word() == word).count();
        let [pass, fails, refuses, differs] = ["pass", "fails", "refuses", "differs"].map(count);
        let _ = writeln!(page, "| {name} | {pass} | {fails} | {refuses} | {differs} |");
    }
    for (title, has_room) in [("What the specification decides", false), ("Where the specification leaves room", true)]
    {
        let _ = write!(page, "\n### {title}\n\n| case | what it says |");
        let names: String = engines.iter().map(|(name, _)| format!(" {name} |")).collect();
        let _ = write!(page, "{names}\n|---|---|{}\n", "---|".repeat(engines.len()));
        for (at, case) in suite.cases.iter().enumerate().filter(|(_, case)| case.has_room() == has_room) {
            if engines.iter().all(|(_, verdicts)| verdicts[at] == Verdict::Pass) {
                continue;
            }
            let words: String = engines.iter().map(|(_, verdicts)| format!(" {} |", verdicts[at])).collect();
            let _ =
                writeln!(page, "| [{0}](../../conformance/sigma/{0}.yml) | {1} |{words}", case.name, cell(&case.says));
        }
    }
    page
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// `text` with what stands between the markers `<!-- name -->` and `<!-- /name -->` replaced.
///
/// Shape: `None` where a marker is missing.
pub fn replace_between(text: &str, name: &str, new: &str) -> Option<String> {
    let (open, close) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let from = text.find(&open)? + open.len();
    let to = from + text[from..].find(&close)?;
    Some(format!("{}\n{}\n{}", &text[..from], new.trim_end(), &text[to..]))
}
