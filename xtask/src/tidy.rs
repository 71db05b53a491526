//! The shape of the repository, held by reading it: what the compiler and clippy do not say.

mod content;
mod floors;
mod links;
mod purity;
mod shape;
mod words;

use std::path::{Path, PathBuf};

use crate::place::Place;
use crate::step::{Outcome, Step};

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, relative to the checkout.
    pub file: PathBuf,
    /// The line, from one; 0 speaks of the whole file.
    pub line: usize,
    /// What is wrong and what to do.
    pub what: String,
}

impl Fault {
    fn new(file: impl Into<PathBuf>, line: usize, what: impl Into<String>) -> Fault {
        Fault { file: file.into(), line, what: what.into() }
    }
}

/// A tracked text file.
pub struct Text {
    /// Its path, relative to the checkout.
    pub path: PathBuf,
    /// Its content.
    pub text: String,
}

impl Text {
    fn is(&self, extension: &str) -> bool {
        self.path.extension().is_some_and(|own| own == extension)
    }

    fn starts_with(&self, folder: &str) -> bool {
        self.path.starts_with(Path::new(folder))
    }

    /// Lines with their numbers from one.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

/// One step for each kind of fault.
pub fn steps(place: &Place) -> Vec<Step<'_>> {
    vec![
        Step::new("tidy: floors", || report(floors::faults(place)?)),
        Step::new("tidy: purity", || report(purity::faults(&texts(place)?))),
        Step::new("tidy: shape", || report(shape::faults(place, &texts(place)?))),
        Step::new("tidy: words", || report(words::faults(&texts(place)?))),
        Step::new("tidy: content", || report(content::faults(&place.files()?))),
        Step::new("tidy: links", || report(links::faults(place, &texts(place)?))),
    ]
}

fn report(faults: Vec<Fault>) -> anyhow::Result<Outcome> {
    for fault in &faults {
        println!("{}:{}: {}", fault.file.display(), fault.line, fault.what);
    }
    Ok(match faults.len() {
        0 => Outcome::passed(),
        count => Outcome::Failed(format!("{count} faults")),
    })
}

/// Every tracked file that is text.
fn texts(place: &Place) -> anyhow::Result<Vec<Text>> {
    let mut texts = Vec::new();
    for path in place.files()? {
        if let Ok(text) = String::from_utf8(std::fs::read(place.root.join(&path))?) {
            texts.push(Text { path, text });
        }
    }
    Ok(texts)
}

#[cfg(test)]
mod tests;
