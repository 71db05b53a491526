//! What an answer holds: the records as they were sent, and where the next page is.

use std::collections::BTreeMap;

use bytes::Bytes;
use engine::feed::{CursorAt, Feed, Next, at};
use model::Time;
use serde_json::Value;
use serde_json::value::RawValue;

/// The longest name of a page, bytes.
const NEXT_BYTES_MAX: usize = 16 << 10;

/// One answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// The records, each as it stands in the answer, without those that are passed over.
    pub records: Vec<Bytes>,
    /// How many records the answer had.
    pub count: usize,
    /// The newest time of a record.
    pub newest: Option<Time>,
    /// The name of the next page: its address, or its cursor.
    pub next: Option<String>,
}

/// Reads an answer to `feed`, whose header named `link` as the next page. What is older than `since` is passed over.
///
/// Errors: why the answer is none, as text.
pub(super) fn read(feed: &Feed, body: &Bytes, link: Option<String>, since: Option<Time>) -> Result<Page, String> {
    let whole: &RawValue =
        serde_json::from_slice(body).map_err(|error| format!("the answer is no JSON: {}", kind(&error)))?;
    let list =
        descend(whole, &feed.records).ok_or_else(|| format!("the answer has no `{}`", feed.records.join(".")))?;
    let raw: Vec<&RawValue> = serde_json::from_str(list.get()).map_err(|_| match feed.records.join(".").as_str() {
        "" => "the answer is not a list of records".to_owned(),
        path => format!("`{path}` of the answer is not a list of records"),
    })?;
    let mut page = Page { count: raw.len(), ..Page::default() };
    let mut last = Value::Null;
    for record in raw {
        // A record that is too deep to be looked into is taken as it is.
        last = serde_json::from_str(record.get()).unwrap_or_default();
        let time = at(&last, &feed.newer.time).and_then(|value| feed.newer.unit.read(value));
        page.newest = page.newest.max(time);
        let is_old = |since: Time| time.is_some_and(|time| time < since);
        if !since.is_some_and(is_old) {
            page.records.push(body.slice_ref(record.get().as_bytes()));
        }
    }
    page.next = next(feed, whole, &last, link)?;
    if page.next.as_ref().is_some_and(|next| next.len() > NEXT_BYTES_MAX) {
        return Err(format!("the name of the next page is longer than {NEXT_BYTES_MAX} bytes"));
    }
    Ok(page)
}

/// What is wrong with a text that is no JSON, without any of it.
fn kind(error: &serde_json::Error) -> String {
    let what = if error.is_eof() { "it ends too early" } else { "it is something else" };
    format!("{what}, line {} column {}", error.line(), error.column())
}

fn next(feed: &Feed, whole: &RawValue, last: &Value, link: Option<String>) -> Result<Option<String>, String> {
    let (place, more) = match &feed.next {
        Next::None => return Ok(None),
        Next::Link { .. } => return Ok(link),
        Next::Cursor { at, more, .. } => (at, more),
    };
    let value = |keys: &[String]| -> Value {
        descend(whole, keys).and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
    };
    let has_more = more.as_ref().map(|keys| value(keys) == Value::Bool(true));
    if has_more == Some(false) {
        return Ok(None);
    }
    let cursor = match place {
        CursorAt::Answer(keys) => value(keys),
        CursorAt::LastRecord(keys) => at(last, keys).cloned().unwrap_or_default(),
    };
    let cursor = match cursor {
        Value::String(text) if !text.is_empty() => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    match (cursor, has_more) {
        (None, Some(true)) => Err("the answer says that more follows, and names no cursor".to_owned()),
        (cursor, _) => Ok(cursor),
    }
}

/// The value at the end of `keys`, as it was sent.
fn descend<'b>(whole: &'b RawValue, keys: &[String]) -> Option<&'b RawValue> {
    let step = |value: &'b RawValue, key: &String| {
        let map: BTreeMap<String, &'b RawValue> = serde_json::from_str(value.get()).ok()?;
        map.get(key).copied()
    };
    keys.iter().try_fold(whole, step)
}

/// The target of the first link with `rel="next"` in headers `Link` (RFC 8288).
pub(super) fn next_link<'h>(headers: impl IntoIterator<Item = &'h str>) -> Option<&'h str> {
    headers.into_iter().find_map(|header| {
        let mut rest = header;
        while let Some((_, inside)) = rest.split_once('<') {
            let (target, behind) = inside.split_once('>')?;
            let end = end_of_link(behind);
            if behind[..end].split(';').any(is_next) {
                return Some(target);
            }
            rest = &behind[end..];
        }
        None
    })
}

/// Where the comma stands that ends a link: outside of quotes.
fn end_of_link(text: &str) -> usize {
    let mut is_quoted = false;
    let end = text.char_indices().find(|(_, c)| {
        is_quoted ^= *c == '"';
        *c == ',' && !is_quoted
    });
    end.map_or(text.len(), |(at, _)| at)
}

fn is_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
    name.trim().eq_ignore_ascii_case("rel") && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poll::tests::feed;

    const CURSOR: &str = "records: data\nnext: {cursor: last_id, as: after, while: has_more}\n";

    fn answer(feed: &Feed, body: &'static str) -> Result<Page, String> {
        read(feed, &Bytes::from_static(body.as_bytes()), None, None)
    }

    #[test]
    fn records_stay_as_they_were_sent() {
        let page = answer(
            &feed(CURSOR),
            r#"{"data": [{"n":1.50, "at":"2026-01-02T00:00:00Z"} , {"n":12345678901234567890123}],"has_more":false}"#,
        );
        let page = page.unwrap();
        assert_eq!(
            page.records,
            [&br#"{"n":1.50, "at":"2026-01-02T00:00:00Z"}"#[..], br#"{"n":12345678901234567890123}"#]
        );
        assert_eq!(page.newest, Some(Time::parse("2026-01-02T00:00:00Z").unwrap()));
        assert_eq!((page.count, page.next), (2, None));
    }

    #[test]
    fn the_cursor_is_where_the_feed_says() {
        let page = answer(&feed(CURSOR), r#"{"data":[],"has_more":true,"last_id":"x7"}"#).unwrap();
        assert_eq!(page.next.as_deref(), Some("x7"));
        assert_eq!(answer(&feed(CURSOR), r#"{"data":[],"has_more":false,"last_id":"x7"}"#).unwrap().next, None);
        let last = feed("records: $\nnext: {last_record: id.n, as: after}\n");
        assert_eq!(answer(&last, r#"[{"id":{"n":1}},{"id":{"n":2}}]"#).unwrap().next.as_deref(), Some("2"));
        assert_eq!(answer(&last, "[]").unwrap().next, None);
    }

    #[test]
    fn what_is_no_page_is_told_without_any_of_it() {
        for (body, expected) in [
            ("<html>secret</html>", "the answer is no JSON: it is something else, line 1 column 1"),
            (r#"{"data":[{"a":1}"#, "the answer is no JSON: it ends too early, line 1 column 16"),
            ("", "the answer is no JSON: it ends too early, line 1 column 0"),
            (r#"{"data":{"a":1}}"#, "`data` of the answer is not a list of records"),
            (r#"{"items":[]}"#, "the answer has no `data`"),
            (r#"{"data":[],"has_more":true,"last_id":null}"#, "the answer says that more follows, and names no cursor"),
        ] {
            assert_eq!(answer(&feed(CURSOR), body), Err(expected.to_owned()), "{body}");
        }
    }

    #[test]
    fn what_is_older_is_passed_over_and_what_has_no_time_is_not() {
        let body = Bytes::from_static(br#"[{"at":"2026-01-01T00:00:00Z"},{"at":"2026-01-03T00:00:00Z"},{"at":null}]"#);
        let since = Time::parse("2026-01-02T00:00:00Z").unwrap();
        let page = read(&feed("records: $\nnext: none\n"), &body, None, Some(since)).unwrap();
        assert_eq!((page.count, page.records.len()), (3, 2));
    }

    #[test]
    fn a_link_to_the_next_page_is_found_among_others() {
        let one = r#"<https://a.example/x?after=1,2&b=;c>; rel="next", <https://a.example/x>; rel="first""#;
        assert_eq!(next_link([one]), Some("https://a.example/x?after=1,2&b=;c"));
        assert_eq!(
            next_link(["<https://a.example/s>; rel=\"self\"", "<https://a.example/n>; rel=next"]),
            Some("https://a.example/n")
        );
        assert_eq!(next_link([r#"<a>; title="x, y"; REL="prev Next""#]), Some("a"));
        for none in ["", "<", "<a>; rel=\"prev\"", "<a>; rel=\"next-archive\"", "a; rel=next"] {
            assert_eq!(next_link([none]), None, "{none}");
        }
    }
}
