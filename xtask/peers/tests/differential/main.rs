//! RSigma and Watchkeep answer every pair of rule and event on real records, with every rule of the public repository and
//! without any routing. Where they differ is listed beside this file, exactly; `docs/reference/sigma-divergences.md` says who
//! is right, and by which words of the specification.
//!
//! The default run takes a part of the larger corpora. `WATCHKEEP_DIFFERENTIAL=whole` takes everything, half a minute with
//! `--config profile.dev.package.watchkeep-engine.opt-level=2`. `WATCHKEEP_DIFFERENTIAL_WRITE=<file>` writes what was found, in the
//! form of the lists, without reasons.

mod corpora;
mod sample;
mod sides;
mod written;

use std::collections::BTreeMap;

use corpora::Corpus;
use sides::{Both, Disagreements};

/// The lists: corpus, rule, records on which only RSigma holds the rule, those on which only we do, and the reason.
const PART: &str = include_str!("part.tsv");
const WHOLE: &str = include_str!("whole.tsv");

fn is_whole() -> bool {
    std::env::var("WATCHKEEP_DIFFERENTIAL").is_ok_and(|mode| mode == "whole")
}

#[test]
fn both_engines_agree_but_for_the_list() {
    let Some(folder) = corpora::folder() else { return };
    let mut both = Both::load(&corpora::repository(&folder));
    let mut found = Disagreements::default();
    let (mut events, mut agreed) = (0, 0);
    let stride = if is_whole() { 1 } else { 41 };
    let mut corpora = corpora::all(&folder, is_whole());
    corpora.extend(written::all(&both.sources(), stride));
    for Corpus { name, events: texts } in corpora {
        let held = texts.iter().map(|text| both.compare(name, text, &mut found)).sum::<usize>();
        println!("{name}: {} events, {held} pairs hold on both sides", texts.len());
        events += texts.len();
        agreed += held;
    }
    assert!(both.refused.is_empty() && both.rules() == 3950, "{} rules; refused: {:#?}", both.rules(), both.refused);
    assert!(agreed > 8_000, "{agreed} pairs hold on both sides");
    println!("{} rules, {events} events, {agreed} pairs hold on both sides", both.rules());
    if let Ok(path) = std::env::var("WATCHKEEP_DIFFERENTIAL_WRITE") {
        std::fs::write(path, found.lines()).expect("the file can be written");
    }
    let expected = if is_whole() { WHOLE } else { PART };
    let differences = found.differences(expected);
    assert!(differences.is_empty(), "{} lines differ from the list:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn every_line_of_the_lists_has_a_reason_that_the_page_explains() {
    let page = include_str!("../../../../docs/reference/sigma-divergences.md");
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for line in PART.lines().chain(WHOLE.lines()).filter(|line| !line.starts_with('#')) {
        let reason = line.split('\t').nth(4).unwrap_or_else(|| panic!("no reason: {line}"));
        *reasons.entry(reason).or_default() += 1;
    }
    for (reason, lines) in reasons {
        assert!(page.contains(&format!("| {reason} |")), "the page does not explain `{reason}` ({lines} lines)");
    }
}
