use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;

/// A token that a sender must present. It is compared in constant time and shown nowhere.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Takes a text as a token.
    pub fn new(text: impl Into<String>) -> Token {
        Token(text.into())
    }

    /// Is `presented` this token? The time that it takes tells only the length.
    pub fn is(&self, presented: &str) -> bool {
        self.0.as_bytes().ct_eq(presented.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// What an `Authorization` header presents: the text after `Splunk` or `Bearer`, or the password of `Basic` (RFC 7617;
/// the user name is ignored, as Splunk ignores it). Pure.
///
/// Errors: `None` when it is none of these.
pub fn presented(header: &str) -> Option<String> {
    let (scheme, rest) = header.trim().split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("splunk") || scheme.eq_ignore_ascii_case("bearer") {
        return (!rest.is_empty()).then(|| rest.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
    decoded.split_once(':').map(|(_, password)| password.to_owned())
}
