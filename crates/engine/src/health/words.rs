use model::Time;

/// A span of time in words: the two largest units.
pub fn span(millis: i64) -> String {
    let seconds = millis / 1000;
    let parts = [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let first = parts.iter().position(|(n, _)| *n > 0);
    let Some(first) = first else { return format!("{millis} ms") };
    let words: Vec<String> =
        parts[first..].iter().take(2).filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    words.join(" ")
}

/// A time to the minute: `2026-11-22 02:51 UTC`.
pub fn minute(time: Time) -> String {
    let text = time.to_string();
    text.get(..16).map_or_else(|| text.clone(), |stamp| format!("{} UTC", stamp.replace('T', " ")))
}

/// Thousandths as a percentage: whole ones without a point.
pub fn percent(thousandths: u32) -> String {
    match thousandths % 10 {
        0 => format!("{} %", thousandths / 10),
        tenths => format!("{}.{tenths} %", thousandths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_shares_are_short() {
        let spans = [(250, "250 ms"), (61_000, "1m 1s"), (3_600_000, "1h"), (3_601_000, "1h"), (90_061_000, "1d 1h")];
        spans.iter().for_each(|(millis, words)| assert_eq!(span(*millis), *words));
        assert_eq!((percent(950).as_str(), percent(999).as_str(), percent(0).as_str()), ("95 %", "99.9 %", "0 %"));
    }
}
