//! Scale: how the time of an event grows with the number of rules, for two families of rules.

use engine::sigma::{self, Document, Inventory, Rule};
use engine::{Engine, Limits};

use crate::bench::Row;
use crate::bench::engine::contest::{corpus_of, parse};
use crate::bench::engine::corpus::{self, Corpus};
use crate::bench::engine::families::{Family, rules};
use crate::bench::engine::ours;
use crate::bench::engine::peer::{self, Peer, Setup, What};
use crate::bench::engine::race::{Lane, race};
use crate::bench::engine::{Measured, Setting};

const SIZES: [usize; 5] = [300, 1_000, 3_000, 10_000, 30_000];
/// The size at which the engines are compared.
const COMPARED: usize = 3;
/// Events that the peer runs over, since it is slow there.
const PEER_EVENTS: usize = 1_000;
/// Events that Watchkeep runs over: so many that a round takes long beside the clock's grain.
const OWN_EVENTS: usize = 4_000;
/// Events on which its setup is chosen.
const TRIAL: usize = 300;

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
    let rival = Peer::start()?;
    let trial = corpus.sample(TRIAL);
    let (peer, setup) = rival.fastest(&trial, What::All, |setup| load(&rival, &texts[..SIZES[COMPARED]], setup))?;
    let smaller: Vec<peer::Rules> =
        SIZES[..COMPARED].iter().map(|size| load(&rival, &texts[..*size], setup)).collect::<Result<_, _>>()?;
    equal(name, &engines[COMPARED], &rival, peer, &corpus.sample(PEER_EVENTS))?;
    let mut lanes = vec![Lane::new("sonic-rs parse", parse)];
    for (size, engine) in SIZES.iter().zip(&engines) {
        lanes.push(
            Lane::new(format!("Watchkeep, {size} rules"), |corpus| ours::detect(engine, corpus)).sampled(OWN_EVENTS),
        );
    }
    for (size, rules) in SIZES.iter().zip(smaller.iter().chain([&peer])) {
        lanes.push(lane(&rival, format!("RSigma, {size} rules"), *rules).sampled(PEER_EVENTS));
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
        Row::of(
            format!("{what}: 300, 1,000, 3,000, 10,000 in RSigma, {}", setup.words()),
            micros(peers).join("; ") + " µs",
            "",
            None,
        ),
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

fn load(rival: &Peer, texts: &[String], setup: Setup) -> anyhow::Result<peer::Rules> {
    let rules = rival.texts(texts, setup)?;
    anyhow::ensure!(rules.refused == 0, "RSigma refuses {} rules", rules.refused);
    Ok(rules)
}

/// Every rule looks at CloudTrail and so does every event, so that there is nothing to route.
fn lane<'p>(rival: &'p Peer, name: impl Into<String>, rules: peer::Rules) -> Lane<'p> {
    Lane::away(name, move |corpus| rival.run(rules, corpus, What::All))
}

fn equal(name: &str, engine: &Engine, rival: &Peer, rules: peer::Rules, corpus: &Corpus) -> anyhow::Result<()> {
    let (own, theirs) = (ours::matches(engine, corpus)?, rival.matches(rules, corpus, What::All)?);
    anyhow::ensure!(own == theirs, "rules {name} match unequally: Watchkeep {own:?}, RSigma {theirs:?}");
    eprintln!("    equal matches, {name}: {} pairs on {} events", own.values().sum::<u64>(), corpus.events());
    Ok(())
}
