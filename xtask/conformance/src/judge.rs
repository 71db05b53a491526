//! What an engine's answers to one case come to.

use std::fmt;

use crate::case::{Case, Expected};
use crate::question::Answer;

/// How an engine does in one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As the specification says.
    Pass,
    /// Otherwise, where the specification leaves room; what it did.
    Differs(String),
    /// It refuses what it should run; its reason.
    Refuses(String),
    /// Otherwise than the specification says; what it did.
    Fails(String),
}

impl Verdict {
    /// The verdict's word.
    pub fn word(&self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Differs(_) => "differs",
            Verdict::Refuses(_) => "refuses",
            Verdict::Fails(_) => "fails",
        }
    }

    /// What the engine did instead.
    pub fn why(&self) -> Option<&str> {
        match self {
            Verdict::Pass => None,
            Verdict::Differs(why) | Verdict::Refuses(why) | Verdict::Fails(why) => Some(why),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Judges the answers to the questions of `case`, in their order.
///
/// A wrong answer weighs more than a refusal: an engine that says no is better than one that misses an attack in silence.
pub fn judge(case: &Case, answers: &[Answer]) -> Verdict {
    let mut refusal = None;
    let mut wrong = None;
    for ((question, expected), answer) in case.expectations().into_iter().zip(answers) {
        let event = question.event.as_deref().unwrap_or_default();
        match told(&expected, answer, event) {
            Ok(()) => {}
            Err(why) if matches!(answer, Answer::Refused(_)) => refusal = refusal.or(Some(why)),
            Err(why) => wrong = wrong.or(Some(why)),
        }
    }
    match (wrong, refusal) {
        (None, None) => Verdict::Pass,
        (Some(why), _) | (None, Some(why)) if case.has_room() => Verdict::Differs(why),
        (Some(why), _) => Verdict::Fails(why),
        (None, Some(why)) => Verdict::Refuses(why),
    }
}

/// Does the answer meet what is expected? If not, what it is instead.
fn told(expected: &Expected, answer: &Answer, event: &str) -> Result<(), String> {
    let event = excerpt(event);
    match (expected, answer) {
        (_, Answer::Died(how)) => Err(how.clone()),
        (Expected::Refused, Answer::Refused(_)) => Ok(()),
        (Expected::Refused, Answer::Matches(_)) => Err("accepts it".to_owned()),
        (_, Answer::Refused(why)) => Err(format!("refuses: {}", excerpt(why))),
        (Expected::Match, Answer::Matches(rules)) if rules.is_empty() => Err(format!("does not match {event}")),
        (Expected::NoMatch, Answer::Matches(rules)) if !rules.is_empty() => Err(format!("matches {event}")),
        (Expected::Match | Expected::NoMatch, _) => Ok(()),
        (Expected::Rules(wanted), Answer::Matches(rules)) => {
            let missing: Vec<&str> = wanted.iter().filter(|id| !rules.contains(id)).map(String::as_str).collect();
            let spare: Vec<&str> = rules.iter().filter(|id| !wanted.contains(id)).map(String::as_str).collect();
            match (missing.is_empty(), spare.is_empty()) {
                (true, true) => Ok(()),
                (false, _) => Err(format!("{} should match {event}", missing.join(", "))),
                (true, false) => Err(format!("{} should not match {event}", spare.join(", "))),
            }
        }
    }
}

fn excerpt(text: &str) -> String {
    const LENGTH_MAX: usize = 160;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LENGTH_MAX) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}
