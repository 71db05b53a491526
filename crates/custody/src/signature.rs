//! Standard Webhooks signatures: made and checked.
//!
//! What is signed is `id.timestamp.payload`. A secret (`whsec_`) signs with HMAC-SHA256 (`v1`); a private key (`whsk_`) with ed25519 (`v1a`), which
//! its public key (`whpk_`) verifies. Keys are base64 after their prefix.
//!
//! Source: the Standard Webhooks specification, version 1; test vectors made with its Python library.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose::STANDARD};
use ed25519_dalek::Signer as _;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// Seconds that a message may be early or late, unless said otherwise.
pub const TOLERANCE_S: i64 = 300;

/// Signatures of one message that are looked at.
const SIGNATURES_MAX: usize = 16;

/// Secrets are written with padding and without.
const KEYS: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A key that signs: a secret, or an ed25519 private key. Its text is never shown.
#[derive(Clone)]
pub struct SigningKey(Signing);

#[derive(Clone)]
enum Signing {
    Secret(Vec<u8>),
    Private(Box<ed25519_dalek::SigningKey>),
}

/// A key that verifies: a secret, or an ed25519 public key. A secret's text is never shown.
#[derive(Clone)]
pub struct VerifyingKey(Verifying);

#[derive(Clone)]
enum Verifying {
    Secret(Vec<u8>),
    Public(Box<ed25519_dalek::VerifyingKey>),
}

/// Why a key cannot be read. The message never holds the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It begins with nothing known.
    #[error("a signing key begins with `whsec_` or `whsk_`, a verifying key with `whsec_` or `whpk_`")]
    Prefix,
    /// It is not base64.
    #[error("the key is not base64 after its prefix")]
    Base64,
    /// It has the wrong length.
    #[error("the key has {0} bytes; a secret has 24 to 64, an ed25519 private key 32 or 64, a public key 32")]
    Length(usize),
    /// It is no point of the curve, a weak one, or not the public half of its private key.
    #[error("the key is not a sound ed25519 key")]
    Point,
}

/// Why a message is not to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The timestamp header is not a number of seconds.
    #[error("the timestamp is not a number of seconds")]
    BadTimestamp,
    /// Too old.
    #[error("the message is too old")]
    TooOld,
    /// From the future.
    #[error("the message is from the future")]
    TooNew,
    /// No signature matches.
    #[error("no signature matches")]
    NoMatch,
}

impl SigningKey {
    /// Reads `whsec_…` (24 to 64 bytes) or `whsk_…` (32 bytes, or 64 with the public half).
    pub fn parse(text: &str) -> Result<SigningKey, KeyError> {
        let text = text.trim();
        if let Some(secret) = text.strip_prefix("whsec_") {
            return Ok(SigningKey(Signing::Secret(secret_bytes(secret)?)));
        }
        let bytes = key_bytes(text.strip_prefix("whsk_").ok_or(KeyError::Prefix)?)?;
        let key = match bytes.len() {
            32 => ed25519_dalek::SigningKey::from_bytes(&array(&bytes)),
            64 => ed25519_dalek::SigningKey::from_keypair_bytes(&array(&bytes)).map_err(|_| KeyError::Point)?,
            n => return Err(KeyError::Length(n)),
        };
        Ok(SigningKey(Signing::Private(Box::new(key))))
    }

    /// The `webhook-signature` of a message: `v1,…` or `v1a,…`.
    ///
    /// Shape: `id` must hold no full stop, which parts what is signed; `timestamp` is in seconds since the epoch.
    pub fn sign(&self, id: &str, timestamp: i64, payload: &[u8]) -> String {
        let signed = content(id, timestamp, payload);
        match &self.0 {
            Signing::Secret(secret) => format!("v1,{}", STANDARD.encode(mac(secret, &signed).finalize().into_bytes())),
            Signing::Private(key) => format!("v1a,{}", STANDARD.encode(key.sign(&signed).to_bytes())),
        }
    }

    /// The key with which a receiver verifies; `None` for a secret, which is shared and never published.
    pub fn public(&self) -> Option<String> {
        match &self.0 {
            Signing::Secret(_) => None,
            Signing::Private(key) => Some(format!("whpk_{}", STANDARD.encode(key.verifying_key().to_bytes()))),
        }
    }
}

impl VerifyingKey {
    /// Reads `whsec_…` or `whpk_…`.
    pub fn parse(text: &str) -> Result<VerifyingKey, KeyError> {
        let text = text.trim();
        if let Some(secret) = text.strip_prefix("whsec_") {
            return Ok(VerifyingKey(Verifying::Secret(secret_bytes(secret)?)));
        }
        let bytes = key_bytes(text.strip_prefix("whpk_").ok_or(KeyError::Prefix)?)?;
        if bytes.len() != 32 {
            return Err(KeyError::Length(bytes.len()));
        }
        let key = ed25519_dalek::VerifyingKey::from_bytes(&array(&bytes)).map_err(|_| KeyError::Point)?;
        if key.is_weak() { Err(KeyError::Point) } else { Ok(VerifyingKey(Verifying::Public(Box::new(key)))) }
    }

    /// Checks the three headers against the payload at `now` (seconds since the epoch).
    ///
    /// Shape: `signatures` may hold several, parted by spaces (keys being rotated); one match is enough. Comparison takes the same time
    /// wherever a signature goes wrong.
    pub fn verify(
        &self,
        id: &str,
        timestamp: &str,
        signatures: &str,
        payload: &[u8],
        now: i64,
        tolerance_s: i64,
    ) -> Result<(), VerifyError> {
        let at: i64 = timestamp.parse().map_err(|_| VerifyError::BadTimestamp)?;
        if at < now.saturating_sub(tolerance_s) {
            return Err(VerifyError::TooOld);
        }
        if at > now.saturating_add(tolerance_s) {
            return Err(VerifyError::TooNew);
        }
        let signed = content(id, at, payload);
        let matches = |signature: &str| self.matches(&signed, signature);
        if signatures.split(' ').take(SIGNATURES_MAX).any(matches) { Ok(()) } else { Err(VerifyError::NoMatch) }
    }

    fn matches(&self, signed: &[u8], signature: &str) -> bool {
        let Some((version, text)) = signature.split_once(',') else { return false };
        let Ok(bytes) = STANDARD.decode(text) else { return false };
        match (&self.0, version) {
            (Verifying::Secret(secret), "v1") => {
                mac(secret, signed).finalize().into_bytes().as_slice().ct_eq(&bytes).into()
            }
            (Verifying::Public(key), "v1a") => ed25519_dalek::Signature::from_slice(&bytes)
                .is_ok_and(|signature| key.verify_strict(signed, &signature).is_ok()),
            _ => false,
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyingKey(…)")
    }
}

/// Puts signatures of several keys into one header.
pub fn header(signatures: &[String]) -> String {
    signatures.join(" ")
}

fn content(id: &str, timestamp: i64, payload: &[u8]) -> Vec<u8> {
    let mut signed = format!("{id}.{timestamp}.").into_bytes();
    signed.extend_from_slice(payload);
    signed
}

fn mac(secret: &[u8], signed: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("an HMAC takes keys of any length");
    mac.update(signed);
    mac
}

fn key_bytes(text: &str) -> Result<Vec<u8>, KeyError> {
    KEYS.decode(text).map_err(|_| KeyError::Base64)
}

fn secret_bytes(text: &str) -> Result<Vec<u8>, KeyError> {
    let bytes = key_bytes(text)?;
    if (24..=64).contains(&bytes.len()) { Ok(bytes) } else { Err(KeyError::Length(bytes.len())) }
}

/// The caller has checked the length.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}
