//! Exit statuses, and the failures that lead to them.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Everything is fine.
    Fine,
    /// Findings, or checks that failed.
    Findings,
    /// The author's or the data's error: a rule that does not exist, a record that cannot be read.
    Author,
    /// The configuration's or the environment's error.
    Environment,
}

impl Status {
    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Status::Fine => 0,
            Status::Findings => 1,
            Status::Author => 2,
            Status::Environment => 3,
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> ExitCode {
        ExitCode::from(status.code())
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub enum Failure {
    /// The reader of our output went away: nothing to say, and to nobody.
    Pipe,
    /// Something to tell a person.
    Told {
        /// How to end.
        status: Status,
        /// What went wrong.
        error: anyhow::Error,
    },
    /// Already told; only the status is left.
    Silent(Status),
}

/// What every verb gives back.
pub type Outcome = Result<Status, Failure>;

impl Failure {
    /// The author's or the data's error.
    pub fn author(message: impl Display) -> Failure {
        Failure::Told { status: Status::Author, error: anyhow::anyhow!("{message}") }
    }

    /// The configuration's or the environment's error.
    pub fn environment(message: impl Display) -> Failure {
        Failure::Told { status: Status::Environment, error: anyhow::anyhow!("{message}") }
    }
}

/// What the world refuses is the environment's error; a reader that went away is none.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Failure::Pipe;
        }
        Failure::Told { status: Status::Environment, error: error.into() }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Failure {
        Failure::Told { status: Status::Environment, error }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Failure {
        Failure::from(io::Error::from(error))
    }
}

/// Says that it is the configuration's or the environment's error.
pub trait Blame<T> {
    /// The failure with [`Status::Environment`].
    fn environment(self) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> Blame<T> for Result<T, E> {
    fn environment(self) -> Result<T, Failure> {
        self.map_err(|error| Failure::Told { status: Status::Environment, error: error.into() })
    }
}
