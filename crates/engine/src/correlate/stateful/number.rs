//! Numbers in millionths: exact, and the same in any order of adding.

/// One, in millionths.
pub(super) const ONE: i128 = 1_000_000;

/// A number of a rule in millionths, half away from zero.
pub(super) fn millionths(value: f64) -> i128 {
    (value * ONE as f64).round() as i128
}

/// For people: the nearest number to so many millionths.
pub(super) fn shown(millionths: i128) -> f64 {
    millionths as f64 / ONE as f64
}

/// A number in words: whole ones without a point, others with at most three places.
pub(super) fn words(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A time span in words, such as `30d` or `90s`.
pub(super) fn span_words(span_ms: i64) -> String {
    for (unit_ms, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")] {
        if span_ms % unit_ms == 0 {
            return format!("{}{unit}", span_ms / unit_ms);
        }
    }
    format!("{span_ms}ms")
}
