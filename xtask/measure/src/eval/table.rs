//! The scores as Markdown.

use std::fmt::Write as _;

use crate::eval::score::{Engines, Hits, Score};

/// The tables of `docs/evaluation.md`.
pub fn render(engines: &Engines, scores: &[Score]) -> String {
    let mut text = format!(
        "Rules: {} of ours, {} of SigmaHQ's for the same sources.\n\n",
        engines.ours.rules().len(),
        engines.theirs.rules().len()
    );
    detection(&mut text, scores);
    rejects(&mut text, scores);
    missed(&mut text, scores);
    noise(&mut text, scores);
    text
}

fn detection(text: &mut String, scores: &[Score]) {
    text.push_str("### Detection\n\nFound = at least one finding. Ours · SigmaHQ's · either.\n\n");
    text.push_str("| set | cases are | records | decoded | once completed | attacks | found: ours | SigmaHQ | either | benign | with a finding: ours | SigmaHQ | either |\n");
    text.push_str("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
    for score in scores {
        let row = format!(
            "| {} | {} | {} | {} | {} | {} | {} |",
            score.name,
            score.unit,
            score.records,
            share(score.decoded, score.records),
            completed(score),
            hits(score.attacks),
            hits(score.benign)
        );
        writeln!(text, "{row}").expect("a string takes text");
    }
}

fn completed(score: &Score) -> String {
    if score.completed == 0 { String::new() } else { share(score.decoded + score.completed, score.records) }
}

fn hits(hits: Hits) -> String {
    if hits.cases == 0 {
        return "– | | |".to_owned();
    }
    let share = |count| share(count, hits.cases);
    format!("{} | {} | {} | {}", hits.cases, share(hits.ours), share(hits.theirs), share(hits.either))
}

fn share(count: u64, of: u64) -> String {
    match (count, of) {
        (_, 0) => "–".to_owned(),
        (count, of) if count == of => format!("{count} (100 %)"),
        (0, _) => "0".to_owned(),
        (count, of) => {
            let percent = 100.0 * count as f64 / of as f64;
            if !(1.0..=99.0).contains(&percent) {
                format!("{count} ({percent:.2} %)")
            } else {
                format!("{count} ({percent:.0} %)")
            }
        }
    }
}

fn rejects(text: &mut String, scores: &[Score]) {
    text.push_str("\n### Records that did not decode\n\n| set | reason | records | an example | meaning |\n|---|---|--:|---|---|\n");
    for score in scores {
        for (reason, (count, example)) in &score.rejects {
            writeln!(text, "| {} | `{reason}` | {count} | {example} | {} |", score.name, reason.explain())
                .expect("a string takes text");
        }
    }
}

fn missed(text: &mut String, scores: &[Score]) {
    text.push_str("\n### Attacks that no rule finds\n\n");
    for score in scores.iter().filter(|score| !score.missed.is_empty()) {
        let mut names: Vec<&String> = score.missed.iter().collect();
        names.sort();
        names.dedup();
        let shown: Vec<String> = names.iter().take(60).map(|id| format!("`{id}`")).collect();
        let more = names.len() - shown.len();
        let tail = if more == 0 { String::new() } else { format!(" and {more} more") };
        writeln!(text, "- {} ({}): {}{tail}", score.name, score.missed.len(), shown.join(", "))
            .expect("a string takes text");
    }
}

fn noise(text: &mut String, scores: &[Score]) {
    text.push_str("\n### Rules that fire on benign cases\n\n| set | rule | cases |\n|---|---|--:|\n");
    for score in scores {
        let mut rules: Vec<_> = score.noise.iter().collect();
        rules.sort_by_key(|(title, count)| (std::cmp::Reverse(**count), title.as_str()));
        for (title, count) in rules.into_iter().take(10) {
            writeln!(text, "| {} | {title} | {count} |", score.name).expect("a string takes text");
        }
    }
}
