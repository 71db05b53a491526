//! RSigma as a lane, in its best configuration: told each event's log source, which narrows its index.
//!
//! It takes one log source an event, where an event can carry several (a registry change is a `registry_event` and a `registry_set`).
//! So a combination of several becomes one category of its own, and each rule that looks at one of them stands under it.

use std::collections::BTreeSet;

use content::Catalogue;
use engine::sigma::LogSource;
use peers::{Options, Rsigma};

use crate::bench::engine::corpus::Corpus;
use crate::bench::engine::ours::Matches;

/// RSigma with rules.
pub struct Peer {
    engine: Rsigma,
    /// What it is told of each combination of log sources.
    told: Vec<peers::LogSource>,
    /// Rules that it refuses.
    pub refused: usize,
}

/// A rule's text, and the category that it stands under instead of its own.
type Copy<'c> = (&'c str, Option<String>);

impl Peer {
    /// The rules of the catalogue, for events that carry these combinations of log sources.
    pub fn of(catalogue: &Catalogue, carried: &[Vec<LogSource>], options: Options) -> Peer {
        let mut copies: Vec<Copy<'_>> = Vec::new();
        for entry in &catalogue.rules {
            copies.extend(categories(&entry.rule.logsource, carried).into_iter().map(|own| (&*entry.text, own)));
        }
        let texts = copies.iter().map(|(text, _)| *text);
        let (engine, errors) = Rsigma::load_as(texts, options, |place, rule| {
            if let Some(category) = &copies[place].1 {
                rule.logsource.category = Some(category.clone());
            }
        });
        Peer { engine, told: carried.iter().enumerate().map(told).collect(), refused: errors.len() }
    }

    /// How many rules it holds.
    pub fn rules(&self) -> usize {
        self.engine.rules()
    }

    /// Its parse alone.
    pub fn parse(corpus: &Corpus) -> anyhow::Result<u64> {
        for line in corpus.lines() {
            std::hint::black_box(Rsigma::parse(line)?);
        }
        Ok(0)
    }

    /// Parse, and the rules of each event's log source.
    pub fn routed(&self, corpus: &Corpus) -> anyhow::Result<u64> {
        self.each_routed(corpus, &mut |_| {})
    }

    /// Parse, and all rules.
    pub fn unrouted(&self, corpus: &Corpus) -> anyhow::Result<u64> {
        self.each_unrouted(corpus, &mut |_| {})
    }

    /// Which rules matched how often, told the log source.
    pub fn routed_matches(&self, corpus: &Corpus) -> anyhow::Result<Matches> {
        let mut matches = Matches::new();
        self.each_routed(corpus, &mut |rule| *matches.entry(rule.to_owned()).or_default() += 1)?;
        Ok(matches)
    }

    /// Which rules matched how often, without.
    pub fn unrouted_matches(&self, corpus: &Corpus) -> anyhow::Result<Matches> {
        let mut matches = Matches::new();
        self.each_unrouted(corpus, &mut |rule| *matches.entry(rule.to_owned()).or_default() += 1)?;
        Ok(matches)
    }

    fn each_routed(&self, corpus: &Corpus, hit: &mut dyn FnMut(&str)) -> anyhow::Result<u64> {
        let mut pairs = 0;
        for (line, tag) in corpus.tagged() {
            pairs += self.engine.evaluate_from(&Rsigma::parse(line)?, &self.told[tag], hit) as u64;
        }
        Ok(pairs)
    }

    fn each_unrouted(&self, corpus: &Corpus, hit: &mut dyn FnMut(&str)) -> anyhow::Result<u64> {
        let mut pairs = 0;
        for line in corpus.lines() {
            pairs += self.engine.evaluate_bytes(line, hit)? as u64;
        }
        Ok(pairs)
    }
}

/// The categories under which a rule is held: its own (`None`) unless it looks at a log source that comes with others.
fn categories(rule: &LogSource, carried: &[Vec<LogSource>]) -> Vec<Option<String>> {
    // A rule that names no category needs no other: it meets them all.
    if rule.category.is_none() {
        return vec![None];
    }
    let applies = |own: &[LogSource]| own.iter().any(|source| rule.applies_to(source));
    let (several, alone): (Vec<_>, Vec<_>) =
        carried.iter().enumerate().filter(|(_, own)| applies(own)).partition(|(_, own)| names_several(own));
    let mut categories: Vec<Option<String>> = several.into_iter().map(|(at, _)| Some(together(at))).collect();
    if !alone.is_empty() || categories.is_empty() {
        categories.push(None);
    }
    categories
}

/// Does a combination have more than one category?
fn names_several(carried: &[LogSource]) -> bool {
    carried.iter().filter_map(|own| own.category.as_ref()).collect::<BTreeSet<_>>().len() > 1
}

/// The category that stands for a combination.
fn together(at: usize) -> String {
    format!("combination-{at}")
}

/// A log source with every part given, so that a rule which gives a part that the event lacks is left out, as Watchkeep has it.
fn told((at, carried): (usize, &Vec<LogSource>)) -> peers::LogSource {
    let first = |part: fn(&LogSource) -> &Option<String>| {
        Some(carried.iter().find_map(|own| part(own).clone()).unwrap_or_else(|| "none".to_owned()))
    };
    let category = if names_several(carried) { Some(together(at)) } else { first(|own| &own.category) };
    let (product, service) = (first(|own| &own.product), first(|own| &own.service));
    peers::LogSource { product, service, category, ..Default::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(category: Option<&str>) -> LogSource {
        LogSource { product: Some("windows".into()), category: category.map(str::to_owned), ..LogSource::default() }
    }

    #[test]
    fn a_rule_stands_under_each_combination_that_has_its_log_source() {
        let carried = [
            vec![windows(Some("process_creation"))],
            vec![windows(Some("registry_event")), windows(Some("registry_set"))],
            vec![windows(Some("registry_event")), windows(Some("registry_add"))],
        ];
        let of = |category| categories(&windows(category), &carried);
        assert_eq!(of(Some("process_creation")), [None]);
        assert_eq!(of(Some("registry_event")), [Some("combination-1".into()), Some("combination-2".into())]);
        assert_eq!(of(Some("registry_set")), [Some("combination-1".into())]);
        assert_eq!(of(Some("dns_query")), [None]);
        assert_eq!(of(None), [None]);
        assert_eq!(told((1, &carried[1])).category.as_deref(), Some("combination-1"));
        assert_eq!(told((0, &carried[0])).service.as_deref(), Some("none"));
    }
}
