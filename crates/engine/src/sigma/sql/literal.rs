//! Literals: text of rules as text of SQL, whatever it holds.

use super::Dialect;

/// A text.
///
/// Shape: quotes are doubled, and nothing else has a meaning between them. A NUL, which parsers of SQL take for the end, is written
/// as a call.
pub(super) fn text(value: &str, dialect: Dialect) -> String {
    let quoted = |part: &str| format!("'{}'", part.replace('\'', "''"));
    if !value.contains('\0') {
        return quoted(value);
    }
    let nul = match dialect {
        Dialect::DuckDb => " || chr(0) || ",
        Dialect::Sqlite => " || char(0) || ",
        // Its parser reads to the end of the text.
        Dialect::DataFusion => return quoted(value),
    };
    format!("({})", value.split('\0').map(quoted).collect::<Vec<_>>().join(nul))
}

/// A list of texts.
pub(super) fn list<'t>(values: impl IntoIterator<Item = &'t str>, dialect: Dialect) -> String {
    let values: Vec<&str> = values.into_iter().collect();
    match dialect {
        Dialect::Sqlite => {
            let json = serde_json::Value::from(values);
            text(&json.to_string(), dialect)
        }
        _ => format!("[{}]", values.into_iter().map(|value| text(value, dialect)).collect::<Vec<_>>().join(", ")),
    }
}
