//! Standard Webhooks signatures.
//!
//! Source: the Standard Webhooks specification, version 1.

/// A key that signs, a secret or an ed25519 private key.
#[derive(Clone)]
pub struct SigningKey(());

/// A key that verifies, a secret or an ed25519 public key.
#[derive(Clone)]
pub struct VerifyingKey(());

/// Why a key cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It begins with nothing known.
    #[error("a signing key begins with `whsec_` or `whsk_`, a verifying key with `whsec_` or `whpk_`")]
    Prefix,
    /// It is not base64.
    #[error("the key is not base64")]
    Base64,
    /// It has the wrong length.
    #[error("the key has {0} bytes; a secret has 24 to 64, an ed25519 private key 32 or 64, a public key 32")]
    Length(usize),
    /// It is no point of the curve.
    #[error("the key is not an ed25519 public key")]
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
    /// Reads `whsec_…` or `whsk_…`.
    pub fn parse(text: &str) -> Result<SigningKey, KeyError> {
        let _ = text;
        unimplemented!()
    }

    /// The `webhook-signature` of a message: `v1,…` or `v1a,…`.
    pub fn sign(&self, id: &str, timestamp: i64, payload: &[u8]) -> String {
        let _ = (id, timestamp, payload);
        unimplemented!()
    }
}

impl VerifyingKey {
    /// Reads `whsec_…` or `whpk_…`.
    pub fn parse(text: &str) -> Result<VerifyingKey, KeyError> {
        let _ = text;
        unimplemented!()
    }

    /// Checks the three headers against the payload at `now` (seconds since the epoch).
    pub fn verify(
        &self,
        id: &str,
        timestamp: &str,
        signatures: &str,
        payload: &[u8],
        now: i64,
        tolerance_s: i64,
    ) -> Result<(), VerifyError> {
        let _ = (id, timestamp, signatures, payload, now, tolerance_s);
        unimplemented!()
    }
}

/// Puts signatures of several keys into one header.
pub fn header(signatures: &[String]) -> String {
    signatures.join(" ")
}
