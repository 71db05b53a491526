//! Rules that lean on sources which are not well.

use model::{SourceId, Time};
use serde::Serialize;

use super::Verdict;

/// How a source stands, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// How it is.
    pub verdict: Verdict,
    /// Since when it is not as it should be; `None` while it is.
    pub since: Option<Time>,
    /// What was measured, and what was expected.
    pub sentence: String,
}

/// A rule that no source feeds as it should.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Degraded {
    /// Since when none of its sources is well; `None` where none was ever heard.
    pub since: Option<Time>,
    /// Was none of its sources ever heard? Then it can find nothing.
    pub is_blind: bool,
    /// Why: each of its sources that was ever heard with what is wrong, or that none was.
    pub why: String,
}

/// Is a rule that looks at `sources` degraded? Only if none of them is well. `standing` says how a source stands; one of which nothing is known
/// was never heard.
pub fn degraded<'s>(sources: &[SourceId], standing: impl Fn(&SourceId) -> Option<&'s Standing>) -> Option<Degraded> {
    let heard = |source: &SourceId| standing(source).filter(|standing| standing.verdict != Verdict::Unheard);
    let unwell: Vec<(&SourceId, &Standing)> =
        sources.iter().filter_map(|source| Some((source, heard(source)?))).collect();
    if sources.is_empty() {
        return Some(Degraded { since: None, is_blind: true, why: "no source carries its log source".to_owned() });
    }
    if unwell.iter().any(|(_, standing)| standing.verdict == Verdict::Live) {
        return None;
    }
    if unwell.is_empty() {
        let names: Vec<&str> = sources.iter().map(SourceId::as_str).collect();
        return Some(Degraded { since: None, is_blind: true, why: format!("never heard: {}", names.join(", ")) });
    }
    // It was well as long as one of them was.
    let since = unwell.iter().filter_map(|(_, standing)| standing.since).max();
    let says = |(source, standing): &(&SourceId, &Standing)| {
        format!("{source} is {}: {}", standing.verdict, standing.sentence)
    };
    let why = unwell.iter().map(says).collect::<Vec<_>>().join("; ");
    Some(Degraded { since, is_blind: false, why })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn standing(verdict: Verdict, minute: i64) -> Standing {
        let since = verdict.is_trouble().then(|| Time::EPOCH.plus_millis(minute * 60_000));
        Standing { verdict, since, sentence: "nothing came".to_owned() }
    }

    fn ask(sources: &[(&str, Option<Standing>)]) -> Option<Degraded> {
        let ids: Vec<SourceId> = sources.iter().map(|(id, _)| SourceId::from(*id)).collect();
        let known: BTreeMap<SourceId, Standing> =
            sources.iter().filter_map(|(id, known)| Some((SourceId::from(*id), known.clone()?))).collect();
        degraded(&ids, |id| known.get(id))
    }

    #[test]
    fn one_source_that_is_well_is_enough() {
        let silent = || Some(standing(Verdict::Silent, 1));
        assert_eq!(ask(&[("a", silent()), ("b", Some(standing(Verdict::Live, 0))), ("c", None)]), None);
    }

    #[test]
    fn a_rule_is_degraded_from_when_its_last_source_failed() {
        let told =
            ask(&[("a", Some(standing(Verdict::Silent, 1))), ("b", Some(standing(Verdict::Late, 9))), ("c", None)]);
        let told = told.unwrap();
        assert_eq!(told.since, Some(Time::EPOCH.plus_millis(9 * 60_000)));
        assert_eq!(told.why, "a is silent: nothing came; b is late: nothing came");
        assert!(!told.is_blind);
    }

    #[test]
    fn a_rule_whose_sources_were_never_heard_is_blind() {
        let told = ask(&[("a", None), ("b", Some(standing(Verdict::Unheard, 0)))]).unwrap();
        assert_eq!((told.is_blind, told.since, told.why.as_str()), (true, None, "never heard: a, b"));
        assert!(ask(&[]).unwrap().is_blind);
    }
}
