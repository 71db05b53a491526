//! Who may look: a token printed once, sessions kept here, a limit on attempts.

mod attempts;
mod session;
mod token;

use std::net::IpAddr;
use std::path::Path;

use model::{Digest, Time};

pub(crate) use session::{Flash, SESSION_MS_MAX, Session};
use token::TokenDigest;

/// Token, sessions and the limit on attempts.
pub struct Auth {
    token: TokenDigest,
    sessions: session::Sessions,
    attempts: attempts::Attempts,
}

/// Why the token's digest could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The operating system's random source failed.
    #[error("cannot draw random bytes: {0}")]
    Random(String),
    /// The file cannot be read or written.
    #[error("cannot use `{path}`")]
    File {
        /// The digest's file.
        path: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The file is there and is not a token's digest.
    #[error("`{path}` does not hold a console token's digest; remove it to have a new token made at the next start")]
    Malformed {
        /// The digest's file.
        path: String,
    },
}

/// What came of an attempt to sign in.
pub(crate) enum SignIn {
    /// The cookie's value.
    Begun(String),
    /// Not the token.
    Wrong,
    /// Too many mistakes; try again after so many milliseconds.
    Wait(i64),
}

impl Auth {
    /// Opens the token's digest in `data_dir`, or makes a token when there is none.
    ///
    /// Shape: the token itself comes back only the time it is made (`Some`); afterwards only its salted digest exists,
    /// in a file that its owner alone can read.
    /// Errors: [`AuthError`].
    pub fn open(data_dir: &Path) -> Result<(Auth, Option<String>), AuthError> {
        let (token, fresh) = TokenDigest::open(data_dir)?;
        Ok((Auth { token, sessions: Default::default(), attempts: Default::default() }, fresh))
    }

    /// Makes a new token in place of the old one and returns it.
    ///
    /// Shape: an [`Auth`] that is already open keeps the old token and its sessions until it is opened again.
    /// Errors: [`AuthError`].
    pub fn renew(data_dir: &Path) -> Result<String, AuthError> {
        TokenDigest::renew(data_dir)
    }

    pub(crate) fn sign_in(
        &self,
        peer: Option<IpAddr>,
        token: &str,
        user: &str,
        now: Time,
    ) -> Result<SignIn, AuthError> {
        let wait_ms = self.attempts.wait_ms(peer, now);
        if wait_ms > 0 {
            return Ok(SignIn::Wait(wait_ms));
        }
        if !self.token.matches(token) {
            self.attempts.mistake(peer, now);
            return Ok(SignIn::Wrong);
        }
        self.sessions.begin(user, now).map(SignIn::Begun)
    }

    pub(crate) fn session(&self, id: &str, now: Time, touch: bool) -> Option<Session> {
        self.sessions.get(id, now, touch)
    }

    pub(crate) fn sign_out(&self, key: &Digest) {
        self.sessions.end(key);
    }

    pub(crate) fn set_flash(&self, session: &Session, flash: Flash) {
        self.sessions.set_flash(&session.key, flash);
    }

    pub(crate) fn take_flash(&self, session: &Session) -> Option<Flash> {
        self.sessions.take_flash(&session.key)
    }
}

/// 256 random bits from the operating system.
pub(crate) fn random() -> Result<[u8; 32], AuthError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| AuthError::Random(error.to_string()))?;
    Ok(bytes)
}

/// Are two secrets equal? Takes the same time whatever they hold; lengths may show.
pub(crate) fn same(a: &str, b: &str) -> bool {
    subtle::ConstantTimeEq::ct_eq(a.as_bytes(), b.as_bytes()).into()
}

#[cfg(test)]
mod tests;
