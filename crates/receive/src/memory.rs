//! An intake in memory, for tests.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use engine::Format;
use model::Reject;

use crate::intake::{Intake, IntakeError};

#[derive(Default)]
pub struct Memory {
    pub taken: Mutex<Vec<Vec<u8>>>,
    pub kept: Mutex<Vec<(String, Reject)>>,
    /// Positions, by key.
    pub positions: Mutex<BTreeMap<String, String>>,
    troubles: Mutex<Vec<String>>,
    /// Answers instead of taking in, while it is set.
    pub refusal: Mutex<Option<String>>,
    /// Called before anything is taken in; it may block.
    pub before: Mutex<Option<Before>>,
}

pub type Before = std::sync::Arc<dyn Fn() + Send + Sync>;

impl Memory {
    pub fn troubles(&self) -> Vec<String> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn texts(&self) -> Vec<String> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
    }

    fn admit(&self) -> Result<(), IntakeError> {
        let before = self.before.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(before) = before {
            before();
        }
        match self.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            Some(why) => Err(IntakeError::Refused(why)),
            None => Ok(()),
        }
    }
}

impl Intake for Memory {
    fn stream(&self, stream: &mut (dyn Read + Send)) -> Result<u64, IntakeError> {
        self.admit()?;
        let mut all = Vec::new();
        stream.read_to_end(&mut all)?;
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).push(all);
        Ok(1)
    }

    fn payloads(&self, payloads: &[Bytes], _format: Format) -> Result<u64, IntakeError> {
        self.admit()?;
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.extend(payloads.iter().map(|payload| payload.to_vec()));
        Ok(payloads.len() as u64)
    }

    fn keep(&self, bytes: &[u8], reason: Reject) -> Result<(), IntakeError> {
        self.admit()?;
        let text = String::from_utf8_lossy(bytes).into_owned();
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push((text, reason));
        Ok(())
    }

    fn remember(&self, key: &str, position: &str) -> Result<(), IntakeError> {
        let mut positions = self.positions.lock().unwrap_or_else(PoisonError::into_inner);
        positions.insert(key.to_owned(), position.to_owned());
        Ok(())
    }

    fn recall(&self, key: &str) -> Result<Option<String>, IntakeError> {
        Ok(self.positions.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned())
    }

    fn trouble(&self, title: &str, message: &str) {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{title}: {message}"));
    }
}
