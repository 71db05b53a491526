//! Labelled prompts through the detectors that look at prompts in the line.

use std::collections::BTreeMap;

use engine::detector::{Class, Detector};

use crate::data::Data;

/// Scores from which on a prompt counts as an attack: of a hunt, and of an alert.
const THRESHOLDS: [f64; 2] = [0.5, 0.7];
/// Labels that are attacks on the model itself. One who asks for harm in plain words attacks somebody else.
const ATTACKS: [&str; 2] = ["jailbreak", "prompt_injection"];

/// Prompts of one label and origin.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    prompts: usize,
    /// With a score from each threshold on.
    found: [usize; THRESHOLDS.len()],
}

impl Tally {
    fn add(&mut self, score: f64) {
        self.prompts += 1;
        for (found, threshold) in self.found.iter_mut().zip(THRESHOLDS) {
            *found += usize::from(score >= threshold);
        }
    }

    fn join(&mut self, other: Tally) {
        self.prompts += other.prompts;
        self.found.iter_mut().zip(other.found).for_each(|(mine, theirs)| *mine += theirs);
    }
}

/// The table, as Markdown.
pub fn table(data: &Data, detector: &dyn Detector) -> anyhow::Result<String> {
    let mut tallies: BTreeMap<(String, String), Tally> = BTreeMap::new();
    for row in data.rows("labelled/prompts.jsonl")? {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let verdict = detector.look(&[&text("text")]);
        let score = Class::ALL.into_iter().map(|class| verdict.score(class)).fold(0.0, f64::max);
        // JailbreakBench says by which method an attack was made, and methods differ more than anything else.
        let (source, family) = (text("source"), text("family"));
        let origin = match family.strip_prefix("jbb:") {
            Some(method) => format!("{source} ({method})"),
            None => source,
        };
        tallies.entry((text("label"), origin)).or_default().add(score);
    }
    Ok(render(&tallies))
}

fn render(tallies: &BTreeMap<(String, String), Tally>) -> String {
    let of = |is_wanted: &dyn Fn(&str) -> bool| {
        let mut all = Tally::default();
        tallies.iter().filter(|((label, _), _)| is_wanted(label)).for_each(|(_, tally)| all.join(*tally));
        all
    };
    let (attacks, benign) = (of(&|label| ATTACKS.contains(&label)), of(&|label| label == "benign"));
    let mut text = String::from("| score | recall | precision | benign prompts with it |\n|--:|--:|--:|--:|\n");
    for (at, threshold) in THRESHOLDS.iter().enumerate() {
        let (found, wrong) = (attacks.found[at], benign.found[at]);
        text.push_str(&format!(
            "| ≥ {threshold} | {} of {} ({}) | {} | {wrong} of {} |\n",
            found,
            attacks.prompts,
            share(found, attacks.prompts),
            share(found, found + wrong),
            benign.prompts
        ));
    }
    text.push_str("\n| label | origin | prompts | score ≥ 0.5 | ≥ 0.7 |\n|---|---|--:|--:|--:|\n");
    for ((label, origin), tally) in tallies {
        let [hunt, alert] = tally.found.map(|found| format!("{found} ({})", share(found, tally.prompts)));
        text.push_str(&format!("| {label} | {origin} | {} | {hunt} | {alert} |\n", tally.prompts));
    }
    text
}

fn share(part: usize, of: usize) -> String {
    if of == 0 { "–".to_owned() } else { format!("{:.1} %", part as f64 * 100.0 / of as f64) }
}
