//! The console's token: drawn once, shown once, kept only as a salted digest.
//!
//! In: the data directory. Out: a check of what somebody typed. Bound: one file of 130 bytes, readable by its owner alone.
//!
//! A plain salted SHA-256 is enough here, because the token is 256 random bits and not a word that a person chose.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use model::Digest;
use subtle::ConstantTimeEq as _;

use super::AuthError;

const FILE: &str = "console-token.sha256";
const PREFIX: &str = "wk_";

/// What is kept of a token.
pub(super) struct TokenDigest {
    salt: [u8; 32],
    digest: Digest,
}

impl TokenDigest {
    /// The digest in `data_dir`, or a new token's; the token itself only when it is new.
    pub(super) fn open(data_dir: &Path) -> Result<(TokenDigest, Option<String>), AuthError> {
        let path = data_dir.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => {
                let kept = TokenDigest::parse(&text);
                kept.map(|kept| (kept, None)).ok_or(AuthError::Malformed { path: path.display().to_string() })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let (kept, token) = TokenDigest::draw()?;
                kept.write(data_dir)?;
                Ok((kept, Some(token)))
            }
            Err(source) => Err(AuthError::File { path: path.display().to_string(), source }),
        }
    }

    /// A new token in place of any old one.
    pub(super) fn renew(data_dir: &Path) -> Result<String, AuthError> {
        let (kept, token) = TokenDigest::draw()?;
        kept.write(data_dir)?;
        Ok(token)
    }

    /// Is this the token? Takes the same time whatever was typed.
    pub(super) fn matches(&self, typed: &str) -> bool {
        Digest::of_parts(&[&self.salt, typed.trim().as_bytes()]).0.ct_eq(&self.digest.0).into()
    }

    fn draw() -> Result<(TokenDigest, String), AuthError> {
        let token = format!("{PREFIX}{}", hex::encode(super::random()?));
        let salt = super::random()?;
        let digest = Digest::of_parts(&[&salt, token.as_bytes()]);
        Ok((TokenDigest { salt, digest }, token))
    }

    fn parse(text: &str) -> Option<TokenDigest> {
        let (salt_hex, digest_hex) = text.trim().split_once(' ')?;
        let mut salt = [0; 32];
        hex::decode_to_slice(salt_hex, &mut salt).ok()?;
        Some(TokenDigest { salt, digest: Digest::parse(digest_hex)? })
    }

    /// Written beside and renamed, so that a crash leaves the old file or the new one.
    fn write(&self, data_dir: &Path) -> Result<(), AuthError> {
        let path = data_dir.join(FILE);
        let wrong = |source| AuthError::File { path: path.display().to_string(), source };
        fs::create_dir_all(data_dir).map_err(wrong)?;
        let beside = data_dir.join(format!("{FILE}.new"));
        remove_if_there(&beside).map_err(wrong)?;
        let mut file = open_private(&beside).map_err(wrong)?;
        let text = format!("{} {}\n", hex::encode(self.salt), self.digest);
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(wrong)?;
        fs::rename(&beside, &path).map_err(wrong)
    }
}

fn remove_if_there(path: &PathBuf) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn open_private(path: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}
