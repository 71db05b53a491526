//! `eval`: each labelled set through our rules and through SigmaHQ's, by the engine that everything else uses.

mod complete;
mod prompts;
mod score;
mod sets;
mod table;

use std::path::PathBuf;

use engine::Limits;

use crate::data::{Data, SIGMA_OURS, catalogue};
use crate::page;

/// Scores every set, prints the tables and keeps them in `docs/evaluation.md` when asked to.
pub fn eval(data: Option<PathBuf>, write: bool) -> anyhow::Result<bool> {
    let data = Data::find(data)?;
    let sigma = data.sigma(&SIGMA_OURS)?;
    let all = catalogue(Some(sigma.path()));
    let ours = all.with_rules(|entry| entry.provenance.root == 0 && !entry.provenance.is_imported());
    let theirs = all.with_rules(|entry| entry.provenance.root == 1);
    let engines =
        score::Engines { ours: ours.compile(Limits::default()).0, theirs: theirs.compile(Limits::default()).0 };
    println!("{} rules of ours, {} of SigmaHQ", engines.ours.rules().len(), engines.theirs.rules().len());
    let mut scores = Vec::new();
    for set in sets::all(&data)? {
        let score = score::score(&engines, set);
        println!("{}: {} records, {} taken for another source's", score.name, score.records, score.misread);
        scores.push(score);
    }
    let text = table::render(&engines, &scores);
    println!("\n{text}");
    let detector = all.detectors.first().ok_or_else(|| anyhow::anyhow!("the content has no detector"))?;
    let prompts = prompts::table(&data, &**detector)?;
    println!("{prompts}");
    if write {
        page::write("evaluation.md", "tables", &text)?;
        page::write("evaluation.md", "prompts", &prompts)?;
    }
    // A set in which nothing decodes, or in which a record is taken for another feed's, is not a score but a fault.
    Ok(scores.iter().all(|score| score.decoded > 0 && score.misread == 0))
}
