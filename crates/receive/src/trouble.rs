use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::intake::Intake;

/// Troubles at once that are told apart; beyond it they are told again rather than held.
const TOLD_MAX: usize = 1024;

/// Says each trouble once, until it is over. Every further time it is only logged.
#[derive(Clone)]
pub struct Trouble {
    intake: Arc<dyn Intake>,
    told: Arc<Mutex<BTreeSet<String>>>,
}

impl Trouble {
    /// Trouble of the input behind `intake`.
    pub fn of(intake: Arc<dyn Intake>) -> Trouble {
        Trouble { intake, told: Arc::default() }
    }

    /// Says that `title` befell `what` (a queue, a bucket, an address). `message` says what, where, and whether it is tried again.
    pub async fn say(&self, title: &'static str, what: &str, message: String) {
        let is_new = {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.len() >= TOLD_MAX {
                told.clear();
            }
            told.insert(key(title, what))
        };
        if !is_new {
            tracing::debug!(message, "{title}");
            return;
        }
        let intake = self.intake.clone();
        // An alert about ourselves is a write to the disk. When it panics there is nobody left to tell.
        let _ = tokio::task::spawn_blocking(move || intake.trouble(title, &message)).await;
    }

    /// `title` does not befall `what` any more: the next time is told again.
    pub fn over(&self, title: &'static str, what: &str) {
        let was = self.told.lock().unwrap_or_else(PoisonError::into_inner).remove(&key(title, what));
        if was {
            tracing::info!(what, "over: {title}");
        }
    }
}

/// An error and what lies below it, on one line. The clients' own way of telling adds whole responses.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(error) = below {
        text.push_str(&format!(": {error}"));
        below = error.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(600).collect()
}

fn key(title: &str, what: &str) -> String {
    format!("{title}\n{what}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;

    #[tokio::test]
    async fn a_trouble_is_said_once_until_it_is_over() {
        let memory = Arc::new(Memory::default());
        let trouble = Trouble::of(memory.clone());
        for what in ["a", "a", "b"] {
            trouble.say("It is away", what, format!("{what} is away")).await;
        }
        assert_eq!(memory.troubles(), ["It is away: a is away", "It is away: b is away"]);
        trouble.over("It is away", "a");
        trouble.say("It is away", "a", "again".to_owned()).await;
        assert_eq!(memory.troubles().len(), 3);
    }
}
