use std::fmt;
use std::path::PathBuf;

/// A secret by reference: the configuration names where it is and never holds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Secret {
    /// The contents of a file, without the newline at its end: `{ file = "/run/secrets/okta" }`.
    File(PathBuf),
    /// An environment variable: `{ env = "OKTA_TOKEN" }`.
    Env(String),
}

/// A secret's text. It is shown nowhere; [`SecretText::expose`] hands it to what must send or check it.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

/// Why a secret cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("the secret file `{}` cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The variable is not set, or is not text.
    #[error("the environment variable `{0}` is not set")]
    Env(String),
    /// There is nothing in it.
    #[error("the secret {0} is empty")]
    Empty(Secret),
}

impl Secret {
    /// Reads the secret.
    ///
    /// Errors: [`SecretError`] when it is absent, unreadable or empty.
    pub fn read(&self) -> Result<SecretText, SecretError> {
        let text = match self {
            Secret::File(path) => std::fs::read_to_string(path)
                .map_err(|source| SecretError::File { path: path.clone(), source })?
                .trim_end_matches(['\r', '\n'])
                .to_owned(),
            Secret::Env(name) => std::env::var(name).map_err(|_| SecretError::Env(name.clone()))?,
        };
        if text.is_empty() { Err(SecretError::Empty(self.clone())) } else { Ok(SecretText(text)) }
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Secret::File(path) => {
                write!(f, "{{ file = {} }}", super::show::quoted(&path.to_string_lossy()))
            }
            Secret::Env(name) => write!(f, "{{ env = {} }}", super::show::quoted(name)),
        }
    }
}

impl SecretText {
    /// Takes a text as a secret.
    pub fn new(text: impl Into<String>) -> SecretText {
        SecretText(text.into())
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}
