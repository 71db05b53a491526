//! Small drawings of one source, hour by hour: how much came, how late, how whole.
//!
//! In: figures by hour. Out: bars and marks in percent of a drawing, and a sentence for those who do not see it. Bound: the hours drawn, and
//! the required fields.

use model::Time;
use store::figures::{Fill, Hours, Sums, expectation};

use super::format;

const HOUR_MS: i64 = 3_600_000;
/// Least height of a bar that is not nothing, percent.
const LEAST: f64 = 3.0;
/// Room between bars, as a share of a bar's place.
const ROOM: f64 = 0.2;

/// Bars, with marks for what was to be expected.
#[derive(Debug, PartialEq)]
pub(crate) struct Drawing {
    pub bars: Vec<Bar>,
    pub marks: Vec<Mark>,
    /// What it shows, in words.
    pub told: String,
}

/// One value.
#[derive(Debug, PartialEq)]
pub(crate) struct Bar {
    pub x: String,
    pub y: String,
    pub width: String,
    pub height: String,
    /// Is it not as it should be?
    pub is_off: bool,
    pub says: String,
}

/// What was to be expected.
#[derive(Debug, PartialEq)]
pub(crate) struct Mark {
    pub from: String,
    pub to: String,
    pub y: String,
}

/// Where the drawing's places are.
struct Places {
    width: f64,
}

impl Places {
    fn of(count: usize) -> Places {
        Places { width: 100.0 / count.max(1) as f64 }
    }

    fn bar(&self, at: usize, share: f64, is_off: bool, says: String) -> Bar {
        let tall = if share > 0.0 { (share * 100.0).clamp(LEAST, 100.0) } else { 0.0 };
        Bar {
            x: format!("{:.2}", self.width * (at as f64 + ROOM / 2.0)),
            y: format!("{:.2}", 100.0 - tall),
            width: format!("{:.2}", self.width * (1.0 - ROOM)),
            height: format!("{tall:.2}"),
            is_off,
            says,
        }
    }

    fn mark(&self, at: usize, share: f64) -> Mark {
        Mark {
            from: format!("{:.2}", self.width * at as f64),
            to: format!("{:.2}", self.width * (at + 1) as f64),
            y: format!("{:.2}", 100.0 - (share * 100.0).clamp(0.0, 100.0)),
        }
    }
}

/// The starts of so many hours up to the one that runs.
pub(crate) fn hours_to(now: Time, count: i64) -> Vec<Time> {
    (0..count).rev().map(|ago| now.hour().plus_millis(-ago * HOUR_MS)).collect()
}

/// Records by hour, each beside what its past lets expect.
pub(crate) fn volume(hours: &Hours, first: Option<Time>, drawn: &[Time]) -> Drawing {
    let count = |hour: &Time| hours.get(hour).copied().unwrap_or(0);
    let usual: Vec<_> = drawn.iter().map(|hour| expectation(hours, first?, *hour)).collect();
    let medians = usual.iter().flatten().map(|usual| usual.median);
    let most = drawn.iter().map(|hour| count(hour) as f64).chain(medians).fold(1.0, f64::max);
    let places = Places::of(drawn.len());
    let (mut bars, mut marks) = (Vec::new(), Vec::new());
    for (at, (hour, usual)) in drawn.iter().zip(&usual).enumerate() {
        let n = count(hour) as f64;
        // The hour that runs is not over.
        let is_off = at + 1 < drawn.len() && usual.is_some_and(|usual| n < usual.least && n * 2.0 < usual.median);
        let mut says = format!("{}: {}", format::hour(hour), format::of(count(hour), "record"));
        if let Some(usual) = usual {
            says.push_str(&format!(", {} usual", format::count(usual.median.round() as u64)));
            marks.push(places.mark(at, usual.median / most));
        }
        bars.push(places.bar(at, n / most, is_off, says));
    }
    let (total, peak) = (drawn.iter().map(count).sum::<u64>(), drawn.iter().map(count).max().unwrap_or(0));
    let mut told =
        format!("{} in {} hours, at most {} in one", format::of(total, "record"), drawn.len(), format::count(peak));
    let off = bars.iter().filter(|bar| bar.is_off).count() as u64;
    if off > 0 {
        told.push_str(&format!("; {} far below what is usual", format::of(off, "hour")));
    }
    Drawing { bars, marks, told }
}

/// How late 95 % of the events of each hour came, on a logarithmic scale; `None` where no event says when it happened.
pub(crate) fn lags(day: &[(Time, Sums)], expected_ms: Option<i64>, drawn: &[Time]) -> Option<Drawing> {
    let of = |hour: &Time| {
        let sums = day.iter().find(|(at, _)| at == hour)?;
        sums.1.lag_ms(950)
    };
    let all: Vec<Option<i64>> = drawn.iter().map(of).collect();
    let most = all.iter().flatten().copied().max()?;
    let scale = |ms: i64| (1.0 + ms.max(0) as f64).ln();
    let top = scale(most.max(expected_ms.unwrap_or(0)).max(1));
    let places = Places::of(drawn.len());
    let bar = |(at, (hour, lag)): (usize, (&Time, &Option<i64>))| {
        let says = match lag {
            Some(lag) => format!("{}: 95 % within {}", format::hour(hour), format::gap(lag)),
            None => format!("{}: nothing", format::hour(hour)),
        };
        let is_off = lag.zip(expected_ms).is_some_and(|(lag, expected)| lag > expected);
        places.bar(at, lag.map_or(0.0, |lag| scale(lag) / top), is_off, says)
    };
    let bars: Vec<Bar> = drawn.iter().zip(&all).enumerate().map(bar).collect();
    let marks = expected_ms.map(|expected| Mark {
        from: "0".to_owned(),
        to: "100".to_owned(),
        y: places.mark(0, scale(expected) / top).y,
    });
    let off = bars.iter().filter(|bar| bar.is_off).count() as u64;
    let mut told = format!("the slowest hour: 95 % within {}", format::gap(most));
    if let Some(expected) = expected_ms {
        let expected = format::gap(expected);
        told.push_str(&format!("; {} over the expected {expected}", format::of(off, "hour")));
    }
    Some(Drawing { bars, marks: marks.into_iter().collect(), told })
}

/// How many records of the last day have each required field; `None` where none is required, or nothing came.
pub(crate) fn fields(day: &Sums, at_least: u32) -> Option<Drawing> {
    let fills: Vec<(&String, &Fill)> = day.filled.iter().filter(|(_, fill)| fill.of > 0).collect();
    let (least, fill) = day.least_filled()?;
    let places = Places::of(fills.len());
    let bar = |(at, (name, fill)): (usize, &(&String, &Fill))| {
        let share = fill.thousandths();
        let says = format!("{name}: {}", store::figures::percent(share));
        places.bar(at, f64::from(share) / 1000.0, share < at_least, says)
    };
    let bars = fills.iter().enumerate().map(bar).collect();
    let mark = Mark { from: "0".to_owned(), to: "100".to_owned(), y: places.mark(0, f64::from(at_least) / 1000.0).y };
    let told = format!(
        "{}; least: {least} in {}",
        format::of(fills.len() as u64, "required field"),
        store::figures::percent(fill.thousandths())
    );
    Some(Drawing { bars, marks: vec![mark], told })
}

#[cfg(test)]
mod tests {
    use store::figures::Lags;

    use super::*;

    fn now() -> Time {
        Time::parse("2026-11-22T02:51:07Z").unwrap()
    }

    #[test]
    fn an_hour_far_below_its_past_stands_out_and_the_one_that_runs_does_not() {
        let drawn = hours_to(now(), 24);
        let first = now().plus_millis(-900 * HOUR_MS);
        let mut hours: Hours = (0..800).map(|ago| (now().hour().plus_millis(-ago * HOUR_MS), 100)).collect();
        hours.insert(drawn[20], 10);
        hours.insert(drawn[23], 10);
        let drawing = volume(&hours, Some(first), &drawn);
        let off: Vec<usize> = drawing.bars.iter().enumerate().filter(|(_, bar)| bar.is_off).map(|(at, _)| at).collect();
        assert_eq!((off, drawing.marks.len()), (vec![20], 24));
        assert_eq!(drawing.bars[20].says, "21 Nov 23:00: 10 records, 100 usual");
        assert_eq!(drawing.told, "2,220 records in 24 hours, at most 100 in one; 1 hour far below what is usual");
    }

    #[test]
    fn lateness_is_drawn_against_what_is_declared() {
        let drawn = hours_to(now(), 2);
        let of = |ms| {
            let mut lags = Lags::default();
            lags.add(ms);
            Sums { records: 1, lags, lag_max_ms: ms, ..Sums::default() }
        };
        let day = [(drawn[0], of(1_000)), (drawn[1], of(3_600_000))];
        let drawing = lags(&day, Some(60_000), &drawn).unwrap();
        assert_eq!(drawing.bars.iter().map(|bar| bar.is_off).collect::<Vec<_>>(), [false, true]);
        assert!(drawing.told.ends_with("; 1 hour over the expected 1 m"), "{}", drawing.told);
        assert_eq!(lags(&[], Some(60_000), &drawn), None);
    }

    #[test]
    fn a_field_below_the_bar_stands_out() {
        let filled = [("id".to_owned(), Fill { n: 10, of: 10 }), ("who".to_owned(), Fill { n: 5, of: 10 })].into();
        let drawing = fields(&Sums { records: 10, filled, ..Sums::default() }, 950).unwrap();
        assert_eq!(drawing.bars.iter().map(|bar| bar.is_off).collect::<Vec<_>>(), [false, true]);
        assert_eq!(drawing.told, "2 required fields; least: who in 50 %");
        assert_eq!(fields(&Sums::default(), 950), None);
    }
}
