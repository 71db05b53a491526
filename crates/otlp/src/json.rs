//! OTLP's JSON: three levels of lists are walked through as text, and each record is written anew with what stands above it.

use sonic_rs::{JsonValueTrait, LazyValue, to_array_iter, to_object_iter};

use crate::{OtlpError, Signal, Writer, value};

/// The keys of the lists, from the outside in.
const GROUPS: [&str; 2] = ["resourceLogs", "resourceSpans"];
const SCOPES: [&str; 2] = ["scopeLogs", "scopeSpans"];
const RECORDS: [&str; 2] = ["logRecords", "spans"];

pub(crate) fn read(body: &[u8], writer: &mut Writer<'_>) -> Result<(), OtlpError> {
    let text = std::str::from_utf8(body).map_err(|_| malformed("it is not UTF-8"))?;
    let of = |keys: [&'static str; 2]| if writer.signal == Signal::Logs { keys[0] } else { keys[1] };
    let (groups, scopes, records) = (of(GROUPS), of(SCOPES), of(RECORDS));
    let request = Level::read(text, "", groups)?;
    each(&request, groups, |group| {
        let group = Level::read(group, "resource", scopes)?;
        each(&group, scopes, |scope| {
            let scope = Level::read(scope, "scope", records)?;
            each(&scope, records, |record| writer.record(record, group.above(), scope.above()))
        })
    })
}

fn malformed(why: &str) -> OtlpError {
    OtlpError::Malformed(why.to_owned())
}

/// One level: what is said of all that stands below, and the list below.
#[derive(Default)]
struct Level<'a> {
    above: Option<LazyValue<'a>>,
    below: Option<LazyValue<'a>>,
}

impl<'a> Level<'a> {
    fn read(text: &'a str, above: &str, below: &str) -> Result<Level<'a>, OtlpError> {
        let mut level = Level::default();
        if !text.trim_start().starts_with('{') {
            return Err(malformed(&format!("what holds `{below}` is no object")));
        }
        for entry in to_object_iter(text) {
            // The parser's own message quotes the body.
            let (key, value) = entry.map_err(|_| malformed(&format!("the object that holds `{below}` is not JSON")))?;
            if key == above && value.is_object() {
                level.above = Some(value);
            } else if key == below && !value.is_null() {
                level.below = Some(value);
            }
        }
        Ok(level)
    }

    /// What is said above, as JSON.
    fn above(&self) -> &str {
        self.above.as_ref().map_or("{}", LazyValue::as_raw_str)
    }
}

/// Calls `f` for each element of the list below, one at a time.
fn each(level: &Level<'_>, name: &str, mut f: impl FnMut(&str) -> Result<(), OtlpError>) -> Result<(), OtlpError> {
    let Some(list) = &level.below else { return Ok(()) };
    let list = list.as_raw_str();
    if !list.starts_with('[') {
        return Err(malformed(&format!("`{name}` is no list")));
    }
    to_array_iter(list).try_for_each(|element| {
        let element = element.map_err(|_| malformed(&format!("`{name}` is not JSON")))?;
        f(element.as_raw_str())
    })
}

/// Writes a record with its resource and its scope on one line; false, and something may have been written, when it is no object.
///
/// Fields stand as they stood, but for the body of a log record.
pub(crate) fn write(out: &mut Vec<u8>, signal: Signal, record: &str, resource: &str, scope: &str) -> bool {
    if !record.starts_with('{') {
        return false;
    }
    out.push(b'{');
    for entry in to_object_iter(record) {
        let Ok((key, value)) = entry else { return false };
        let raw = value.as_raw_str();
        // What stands above a record is said by what stands above it.
        if matches!(&*key, "resource" | "scope") {
            continue;
        }
        let body = (signal == Signal::Logs && key == "body").then(|| value::plain(raw)).flatten();
        field(out, &key, body.as_deref().unwrap_or(raw));
    }
    for (key, text) in [("resource", resource), ("scope", scope)] {
        if text != "{}" {
            field(out, key, text);
        }
    }
    out.push(b'}');
    true
}

/// Writes one field. In JSON a line feed stands between tokens only, so a space means the same.
fn field(out: &mut Vec<u8>, key: &str, raw: &str) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    out.extend(serde_json::to_vec(key).expect("a text is always JSON"));
    out.push(b':');
    out.extend(raw.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
}
