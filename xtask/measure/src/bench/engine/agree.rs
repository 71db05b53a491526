//! Equal matches, or no comparison: speed that misses rules is worth nothing.

use std::collections::BTreeSet;

use anyhow::Context;
use content::Catalogue;

use crate::bench::engine::ours::Matches;

/// Where both engines are known to differ, and why: one line for each corpus and rule.
const KNOWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../peers/tests/differential/whole.tsv");

/// Fails unless both sides matched the same rules equally often, leaving out the rules that are known to differ and those that
/// one side does not hold. Gives the pairs of each side, in words.
pub fn check(what: &str, catalogue: &Catalogue, ours: &Matches, theirs: &Matches) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(KNOWN).with_context(|| format!("cannot read {KNOWN}"))?;
    let known = known(catalogue, &text);
    let differs = |id: &&String| !known.contains(id.as_str()) && ours.get(*id) != theirs.get(*id);
    let ids: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let wrong: Vec<String> = ids
        .into_iter()
        .filter(differs)
        .map(|id| {
            let count = |side: &Matches| side.get(id).copied().unwrap_or(0);
            let title = catalogue.find_rule(id).map_or("", |entry| entry.rule.title.as_str());
            format!("  {id} {title}: Watchkeep {}, RSigma {}", count(ours), count(theirs))
        })
        .collect();
    anyhow::ensure!(wrong.is_empty(), "{what}: {} rules match unequally:\n{}", wrong.len(), wrong.join("\n"));
    let (own, other): (u64, u64) = (ours.values().sum(), theirs.values().sum());
    Ok(format!("{own} pairs by Watchkeep, {other} by RSigma"))
}

/// The ids of rules that are known to differ.
fn known<'c>(catalogue: &'c Catalogue, text: &str) -> BTreeSet<&'c str> {
    let paths: Vec<&str> =
        text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split('\t').nth(1)).collect();
    let is_known = |file: &str| paths.iter().any(|path| file.ends_with(path));
    catalogue.rules.iter().filter(|entry| is_known(&entry.file)).map(|entry| entry.rule.id.as_str()).collect()
}
