//! Parts of a time, as the record writes it: the specification leaves time zones and formats alone.

use super::modifier::Modifier;
use super::number::Number;

/// The part of the time in `text` that `part` names.
///
/// Shape: `2024-05-01T23:10:00+02:00` has hour 23, in whatever zone it stands; weeks are ISO weeks. A number (or text that is
/// one) counts seconds, milliseconds, microseconds or nanoseconds since 1970, by its size, and is read in UTC.
/// Errors: `None` where the text is no time.
pub(super) fn part(text: &str, part: Modifier) -> Option<i64> {
    let text = text.trim();
    let moment = if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && !text.is_empty() {
        of_epoch(text)?
    } else {
        as_written(text)?
    };
    Some(match part {
        Modifier::Minute => moment.minute().into(),
        Modifier::Hour => moment.hour().into(),
        Modifier::Day => moment.day().into(),
        Modifier::Week => moment.date().iso_week_date().week().into(),
        Modifier::Month => moment.month().into(),
        Modifier::Year => moment.year().into(),
        _ => return None,
    })
}

fn of_epoch(text: &str) -> Option<jiff::civil::DateTime> {
    let whole: i64 = match Number::parse(text)? {
        Number::Int(int) => int.try_into().ok()?,
        Number::Float(float) => float as i64,
    };
    let millis = match whole {
        0..100_000_000_000 => whole * 1000,
        100_000_000_000..100_000_000_000_000 => whole,
        100_000_000_000_000..100_000_000_000_000_000 => whole / 1000,
        _ => whole / 1_000_000,
    };
    let stamp = jiff::Timestamp::from_millisecond(millis).ok()?;
    Some(jiff::tz::Offset::UTC.to_datetime(stamp))
}

fn as_written(text: &str) -> Option<jiff::civil::DateTime> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i16> {
        let digits = bytes.get(from..to)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        text.get(from..to)?.parse().ok()
    };
    if !matches!((bytes.get(4)?, bytes.get(7)?), (b'-', b'-') | (b'/', b'/')) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let has_time = matches!(bytes.get(10), Some(b'T' | b't' | b' '));
    let (hour, minute) = if has_time { (number(11, 13)?, number(14, 16)?) } else { (0, 0) };
    let small = |part: i16| i8::try_from(part).ok();
    jiff::civil::DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(minute)?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_as_written() {
        let at = "2024-12-30T23:10:59.5+02:00";
        let parts = [Modifier::Minute, Modifier::Hour, Modifier::Day, Modifier::Week, Modifier::Month, Modifier::Year];
        assert_eq!(parts.map(|p| part(at, p)), [Some(10), Some(23), Some(30), Some(1), Some(12), Some(2024)]);
        assert_eq!(part("2024-12-30", Modifier::Day), Some(30));
        assert_eq!(part("1714600000", Modifier::Year), Some(2024));
        assert_eq!(part("1714600000123", Modifier::Hour), Some(21));
        assert_eq!(part("yesterday", Modifier::Hour), None);
        assert_eq!(part("2024-13-30", Modifier::Month), None);
        assert_eq!(part("2024-0é-30", Modifier::Month), None);
        assert_eq!(part("", Modifier::Year), None);
    }
}
