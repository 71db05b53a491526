//! Scale: how the time of an event grows with the number of rules, for two families of rules.

use engine::sigma::{self, Document, Inventory, Rule};
use engine::{Engine, Limits};
use peers::{Options, Rsigma};

use crate::bench::Row;
use crate::bench::engine::contest::{corpus_of, parse};
use crate::bench::engine::corpus::{self, Corpus};
use crate::bench::engine::families::{Family, rules};
use crate::bench::engine::ours::{self, Matches};
use crate::bench::engine::race::{Lane, race};
use crate::bench::engine::{Measured, Setting};

const SIZES: [usize; 5] = [300, 1_000, 3_000, 10_000, 30_000];
/// The size at which the engines are compared.
const COMPARED: usize = 3;
/// Events that the peer runs over, since it is slow there.
const PEER_EVENTS: usize = 1_000;

/// Both families.
pub fn rows(setting: &Setting) -> anyhow::Result<Measured> {
    let engine = setting.rules.compile(Limits::default()).0;
    let corpus = corpus_of(setting, &engine, "aws_cloudtrail", corpus::cloudtrail(&setting.data)?)?;
    let mut rows = family(setting, &corpus, Family::Varied, "varied literals")?;
    rows.extend(family(setting, &corpus, Family::Substrings, "heavy in substrings")?);
    Ok(Measured { rows, bars: None })
}

fn family(setting: &Setting, corpus: &Corpus, family: Family, name: &str) -> anyhow::Result<Vec<Row>> {
    let texts = rules(family, SIZES[SIZES.len() - 1]);
    let engines: Vec<Engine> = SIZES.iter().map(|size| engine(setting, &texts[..*size])).collect::<Result<_, _>>()?;
    let (peer, with) = fastest_peer(&texts[..SIZES[COMPARED]], corpus)?;
    let smaller: Vec<Rsigma> =
        SIZES[..COMPARED].iter().map(|size| peer_of(&texts[..*size], &with)).collect::<Result<_, _>>()?;
    equal(name, &engines[COMPARED], &peer, &corpus.sample(PEER_EVENTS))?;
    let mut lanes = vec![Lane::new("sonic-rs parse", parse)];
    for (size, engine) in SIZES.iter().zip(&engines) {
        lanes.push(Lane::new(format!("Watchkeep, {size} rules"), |corpus| ours::detect(engine, corpus)));
    }
    for (size, peer) in SIZES.iter().zip(smaller.iter().chain([&peer])) {
        let evaluate = |corpus: &Corpus| evaluate(peer, corpus);
        lanes.push(Lane::new(format!("RSigma, {size} rules"), evaluate).sampled(PEER_EVENTS));
    }
    race(corpus, setting.rounds(), &mut lanes)?;
    let (own, peers) = lanes[1..].split_at(SIZES.len());
    let peer = &peers[COMPARED];
    let micros = |lanes: &[Lane<'_>]| lanes.iter().map(|lane| format!("{:.2}", lane.micros())).collect::<Vec<_>>();
    let what = format!("CloudTrail, rules {name}");
    let mut rows = vec![
        Row::of(
            format!("{what}: 300, 1,000, 3,000, 10,000, 30,000 in Watchkeep"),
            micros(own).join("; ") + " µs",
            "",
            None,
        ),
        Row::of(format!("{what}: 300, 1,000, 3,000, 10,000 in RSigma"), micros(peers).join("; ") + " µs", "", None),
    ];
    for (at, goal) in [(3, 1.5), (4, 2.0)] {
        let ratio = own[at].over(&own[0]);
        let what = format!("{what}: time at {} over that at 300", thousands(SIZES[at]));
        rows.push(Row::of(what, format!("{ratio:.2} ×"), format!("≤ {goal} ×"), Some(ratio <= goal)));
    }
    let ratio = peer.over(&own[COMPARED]);
    let goal = (family == Family::Substrings).then_some(100.0);
    let what = format!("{what}: 10,000 rules, times RSigma's speed");
    rows.push(Row::of(
        what,
        format!("{ratio:.1} ×"),
        goal.map_or(String::new(), |goal| format!("≥ {goal} ×")),
        goal.map(|goal| ratio >= goal),
    ));
    Ok(rows)
}

fn thousands(number: usize) -> String {
    if number < 1_000 { number.to_string() } else { format!("{},{:03}", number / 1_000, number % 1_000) }
}

fn engine(setting: &Setting, texts: &[String]) -> anyhow::Result<Engine> {
    let mut rules: Vec<Rule> = Vec::with_capacity(texts.len());
    for text in texts {
        let (documents, wrong) = sigma::parse(text);
        anyhow::ensure!(wrong.is_empty(), "{text}\n{wrong:?}");
        rules.extend(documents.into_iter().filter_map(|document| match document {
            Document::Rule(rule) => Some(rule),
            _ => None,
        }));
    }
    let sources = setting.rules.sources.clone();
    let (engine, wrong) = Engine::compile(sources, rules, Vec::new(), &Inventory::new(), Limits::default());
    anyhow::ensure!(wrong.is_empty(), "{wrong:?}");
    Ok(engine)
}

fn peer_of(texts: &[String], options: &Options) -> anyhow::Result<Rsigma> {
    let (peer, errors) = Rsigma::load(texts.iter().map(String::as_str), options.clone());
    anyhow::ensure!(errors.is_empty(), "RSigma refuses {errors:?}");
    Ok(peer)
}

/// RSigma plain, and with its automaton over all rules: whichever is faster on these rules.
fn fastest_peer(texts: &[String], corpus: &Corpus) -> anyhow::Result<(Rsigma, Options)> {
    let plain = Options::default();
    let automaton = Options { cross_rule_ac: true, ..Options::default() };
    let (one, other) = (peer_of(texts, &plain)?, peer_of(texts, &automaton)?);
    let mut lanes = [
        Lane::new("RSigma, plain", |corpus| evaluate(&one, corpus)),
        Lane::new("RSigma, one automaton for all rules", |corpus| evaluate(&other, corpus)),
    ];
    race(&corpus.sample(PEER_EVENTS / 2), 3, &mut lanes)?;
    let is_plain = lanes[0].micros() <= lanes[1].micros();
    drop(lanes);
    Ok(if is_plain { (one, plain) } else { (other, automaton) })
}

/// Every rule looks at CloudTrail and so does every event, so that there is nothing to route.
fn evaluate(peer: &Rsigma, corpus: &Corpus) -> anyhow::Result<u64> {
    let mut pairs = 0;
    for line in corpus.lines() {
        pairs += peer.evaluate_bytes(line, &mut |_| {})? as u64;
    }
    Ok(pairs)
}

fn equal(name: &str, engine: &Engine, peer: &Rsigma, corpus: &Corpus) -> anyhow::Result<()> {
    let mut theirs = Matches::new();
    for line in corpus.lines() {
        peer.evaluate_bytes(line, &mut |rule| *theirs.entry(rule.to_owned()).or_default() += 1)?;
    }
    let own = ours::matches(engine, corpus)?;
    anyhow::ensure!(own == theirs, "rules {name} match unequally: Watchkeep {own:?}, RSigma {theirs:?}");
    eprintln!("    equal matches, {name}: {} pairs on {} events", own.values().sum::<u64>(), corpus.events());
    Ok(())
}
