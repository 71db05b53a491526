use std::time::Duration;

const DURATIONS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
const SIZES: [(&str, u64); 8] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1000),
    ("B", 1),
];

/// Reads a duration: a whole number and `ms`, `s`, `m`, `h` or `d`; several may follow each other (`1h30m`).
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut millis: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, after) = leading_number(rest)?;
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at(letters);
        let factor = DURATIONS.iter().find(|(name, _)| *name == unit)?.1;
        millis = millis.checked_add(number.checked_mul(factor)?)?;
        rest = next.trim_start();
    }
    Some(Duration::from_millis(millis))
}

/// Reads a size in bytes: a whole number and `B`, `kB`, `MB`, `GB`, `KiB`, `MiB`, `GiB` or `TiB`.
pub fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = leading_number(text.trim())?;
    let factor = SIZES.iter().find(|(name, _)| *name == unit.trim())?.1;
    number.checked_mul(factor)
}

/// Writes a duration so that [`parse_duration`] reads it back.
pub fn print_duration(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    print_whole(millis, &DURATIONS, "0s")
}

/// Writes a size so that [`parse_size`] reads it back.
pub fn print_size(bytes: u64) -> String {
    print_whole(bytes, &SIZES, "0B")
}

fn print_whole(value: u64, units: &[(&str, u64)], zero: &str) -> String {
    if value == 0 {
        return zero.to_owned();
    }
    let largest = units.iter().filter(|(_, factor)| value.is_multiple_of(*factor)).max_by_key(|(_, factor)| *factor);
    let (unit, factor) = largest.expect("every value is a multiple of the unit 1");
    format!("{}{unit}", value / factor)
}

fn leading_number(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(digits);
    Some((number.parse().ok()?, rest))
}
