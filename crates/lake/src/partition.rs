use std::path::{Path, PathBuf};

use model::{SourceId, Time};

const MILLIS_PER_DAY: i64 = 86_400_000;

/// The folder of one source and UTC day below the lake's root.
pub(crate) fn folder(root: &Path, source: &SourceId, day: &str) -> PathBuf {
    root.join("events").join(source_folder(source)).join(format!("day={day}"))
}

/// The name of a source's folder. Source ids are folder names already; anything else is replaced, so that no id can
/// lead out of the lake. The column `source` keeps the true id.
pub(crate) fn source_folder(source: &SourceId) -> String {
    format!("source={}", file_name(source.as_str()))
}

/// The name without what could lead elsewhere.
pub(crate) fn file_name(name: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
    name.chars().map(safe).collect()
}

/// The UTC day of `time`, as `yyyy-mm-dd`.
pub(crate) fn day_of(time: Time) -> String {
    time.to_string().chars().take(10).collect()
}

/// May the folder `day=…` hold events in `since..until`?
pub(crate) fn day_overlaps(folder_name: &str, since: Time, until: Time) -> bool {
    let Some(day) = folder_name.strip_prefix("day=") else { return false };
    let Ok(start) = Time::parse(&format!("{day}T00:00:00Z")) else { return false };
    start < until && since < start.plus_millis(MILLIS_PER_DAY)
}

/// A time as part of a file name: `20261122T024100123456`.
pub(crate) fn stamp(time: Time) -> String {
    let digits: String = time.to_string().chars().filter(|c| c.is_ascii_digit() || *c == 'T').collect();
    format!("{digits:0<21}")
}
