//! Names and values of a query string or a posted form.
//!
//! In: `a=1&b=2&b=3`, as browsers write it. Out: the pairs, in order; a name may stand several times.
//! Bound: `PAIRS_MAX` pairs, `VALUE_CHARS_MAX` characters each; what is beyond is left out. Nothing here fails.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

const PAIRS_MAX: usize = 1024;
const VALUE_CHARS_MAX: usize = 4096;
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Pairs of a query or form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads the pairs.
    pub(crate) fn parse(text: &str) -> Params {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).take(PAIRS_MAX);
        Params(
            pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(k, v)| (decode(k), decode(v))).collect(),
        )
    }

    /// The first value of `name`, if it is there and not blank.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every value of `name` that is not blank.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, value)| key == name && !value.trim().is_empty()).map(|(_, value)| value.trim())
    }

    /// A number from the first value of `name`.
    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        self.get(name).and_then(|text| text.parse().ok())
    }

    /// The same pairs with every `name` replaced by one `value`, or taken out when it is empty.
    pub(crate) fn with(&self, name: &str, value: &str) -> Params {
        let mut pairs: Vec<_> = self.0.iter().filter(|(key, _)| key != name).cloned().collect();
        if !value.is_empty() {
            pairs.push((name.to_owned(), value.to_owned()));
        }
        Params(pairs)
    }

    /// The same pairs with `name=value` added when it was not there, or taken out when it was.
    pub(crate) fn toggled(&self, name: &str, value: &str) -> Params {
        let mut pairs = self.0.clone();
        let before = pairs.len();
        pairs.retain(|(key, held)| !(key == name && held == value));
        if pairs.len() == before {
            pairs.push((name.to_owned(), value.to_owned()));
        }
        Params(pairs)
    }

    /// Only the pairs with one of these names, and no blank ones.
    pub(crate) fn only(&self, names: &[&str]) -> Params {
        let kept = self.0.iter().filter(|(key, value)| names.contains(&key.as_str()) && !value.trim().is_empty());
        Params(kept.cloned().collect())
    }

    /// No pairs?
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Written as a query string, without `?`.
    pub(crate) fn to_query(&self) -> String {
        let pair = |(key, value): &(String, String)| format!("{}={}", encode(key), encode(value));
        self.0.iter().map(pair).collect::<Vec<_>>().join("&")
    }

    /// The pairs for a reader: `source aws_cloudtrail, reason not_json`.
    pub(crate) fn to_words(&self) -> String {
        self.0.iter().map(|(key, value)| format!("{key} {value}")).collect::<Vec<_>>().join(", ")
    }

    /// `path`, with these pairs behind it.
    pub(crate) fn on(&self, path: &str) -> String {
        if self.is_empty() { path.to_owned() } else { format!("{path}?{}", self.to_query()) }
    }
}

/// `text` as one part of a path or query.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, KEPT).to_string()
}

fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().chars().take(VALUE_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_as_browsers_write_them() {
        let params = Params::parse("state=open&state=delivered&text=a%26b+c%3D%C3%A9&blank=&%FF=x&lone");
        assert_eq!(params.all("state").collect::<Vec<_>>(), ["open", "delivered"]);
        assert_eq!(params.get("text"), Some("a&b c=é"));
        assert_eq!(params.get("blank"), None);
        assert_eq!(params.get("lone"), None);
    }

    #[test]
    fn filters_are_switched_on_and_off_in_the_address() {
        let params = Params::parse("state=open&page=3");
        assert_eq!(params.toggled("state", "open").to_query(), "page=3");
        assert_eq!(params.toggled("state", "closed").to_query(), "state=open&page=3&state=closed");
        assert_eq!(params.with("page", "").on("/"), "/?state=open");
        assert_eq!(params.only(&["page"]).on("/"), "/?page=3");
        assert_eq!(Params::default().on("/"), "/");
    }

    #[test]
    fn what_is_written_is_read_back() {
        let params = Params::default().with("text", "<script>'\"&=+ %é\u{202e}\n");
        assert_eq!(Params::parse(&params.to_query()).0[0].1, "<script>'\"&=+ %é\u{202e}\n");
    }
}
