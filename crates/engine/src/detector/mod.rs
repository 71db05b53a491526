//! Detectors: what the texts of a prompt show of an attack on a model, as scores that rules and analysts read.
//!
//! In: the texts that a source's `prompts:` name. Out: a score for each class of attack, from 0 to 1, and the signs that were seen; as the
//! fields `watchkeep.detector.<class>` and `watchkeep.detector.sign` of the record. The texts themselves go no further. Bound: 32 KiB of
//! each text's start and 8 KiB of its end, 256 KiB of a record.

mod ending;
mod folded;
mod parse;
mod prompts;
mod signs;

use std::fmt;

pub use signs::Signs;

pub(crate) use prompts::Prompts;

/// What a prompt is used for against a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The text tries to take over the instructions of the model (OWASP LLM01, ATLAS AML.T0051).
    PromptInjection,
    /// The text tries to make the model answer against its rules (OWASP LLM01, ATLAS AML.T0054).
    Jailbreak,
    /// The text asks for the instructions that the model was given (OWASP LLM07, ATLAS AML.T0056).
    PromptExtraction,
}

impl Class {
    /// Every class.
    pub const ALL: [Class; 3] = [Class::PromptInjection, Class::Jailbreak, Class::PromptExtraction];

    /// The word for it, as fields and files have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::PromptInjection => "prompt_injection",
            Class::Jailbreak => "jailbreak",
            Class::PromptExtraction => "prompt_extraction",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Class> {
        Class::ALL.into_iter().find(|class| class.as_str() == text)
    }

    /// The field that has its score.
    pub fn field(self) -> String {
        format!("{FIELDS}.{}", self.as_str())
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What stands before the names of detectors' fields.
pub const FIELDS: &str = "watchkeep.detector";

/// The field that has the signs.
pub fn sign_field() -> String {
    format!("{FIELDS}.sign")
}

/// What some texts show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// For each class, in the order of [`Class::ALL`], how sure the detector is that a text is of it: 0 to 1.
    pub scores: [f64; Class::ALL.len()],
    /// What was seen, by the names that the detector has for it, in order.
    pub signs: Vec<String>,
}

impl Verdict {
    /// The score of a class.
    pub fn score(&self, class: Class) -> f64 {
        self.scores[class as usize]
    }

    /// Takes in what another detector says, or the same of another text: the higher score counts, and every sign.
    pub fn join(&mut self, other: Verdict) {
        for (mine, theirs) in self.scores.iter_mut().zip(other.scores) {
            *mine = mine.max(theirs);
        }
        self.signs.extend(other.signs);
        self.signs.sort_unstable();
        self.signs.dedup();
    }
}

/// Looks at the texts of prompts. The same texts give the same verdict each time.
pub trait Detector: Send + Sync + fmt::Debug {
    /// Its name.
    fn id(&self) -> &str;
    /// What the texts of one record show.
    fn look(&self, texts: &[&str]) -> Verdict;
}
