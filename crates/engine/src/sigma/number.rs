//! Numbers of rules and records, compared by value: integers exactly, others as double precision.

use std::cmp::Ordering;

/// A number.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    /// An integer.
    Int(i128),
    /// Any other number.
    Float(f64),
}

impl Number {
    /// Reads a number as YAML or JSON writes it.
    pub(super) fn parse(lexeme: &str) -> Option<Number> {
        let lexeme = lexeme.strip_prefix('+').unwrap_or(lexeme);
        if let Some(digits) = lexeme.strip_prefix("0x") {
            return i128::from_str_radix(digits, 16).ok().map(Number::Int);
        }
        if let Some(digits) = lexeme.strip_prefix("0o") {
            return i128::from_str_radix(digits, 8).ok().map(Number::Int);
        }
        if let Ok(int) = lexeme.parse() {
            return Some(Number::Int(int));
        }
        // `parse` also reads `inf` and `nan`, which no rule or record means as numbers.
        let is_numeric = lexeme.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'));
        let float: f64 = if is_numeric { lexeme.parse().ok()? } else { return None };
        let is_whole = float.fract() == 0.0 && float.abs() < 9e15;
        Some(if is_whole { Number::Int(float as i128) } else { Number::Float(float) })
    }

    /// Compares by value.
    pub(super) fn compare(self, other: Number) -> Ordering {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => a.cmp(&b),
            (a, b) => a.float().total_cmp(&b.float()),
        }
    }

    /// In millionths, half away from zero; `None` beyond ±10^18.
    fn millionths(self) -> Option<i128> {
        let number = match self {
            Number::Int(int) => int.checked_mul(ONE)?,
            Number::Float(float) => (float * 1e6).round() as i128,
        };
        (number.abs() <= ONE * 10_i128.pow(18)).then_some(number)
    }

    /// Equal numbers have equal keys.
    pub(super) fn key(self) -> u64 {
        let float = self.float();
        if float == 0.0 { 0 } else { float.to_bits() }
    }

    fn float(self) -> f64 {
        match self {
            Number::Int(int) => int as f64,
            Number::Float(float) => float,
        }
    }
}

const ONE: i128 = 1_000_000;

/// Reads a number as a rule or record writes it, in millionths, half away from zero; `None` beyond ±10^18.
pub(crate) fn millionths(text: &str) -> Option<i128> {
    Number::parse(text)?.millionths()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value() {
        let compare = |a, b| Number::parse(a).expect("number").compare(Number::parse(b).expect("number"));
        assert_eq!(compare("1", "1.0"), Ordering::Equal);
        assert_eq!(compare("1", "1e0"), Ordering::Equal);
        assert_eq!(compare("0x10", "16"), Ordering::Equal);
        assert_eq!(compare("9007199254740993", "9007199254740992"), Ordering::Greater);
        assert_eq!(compare("0.5", "1"), Ordering::Less);
        assert_eq!(compare("1e400", "1e308"), Ordering::Greater);
        assert_eq!(compare("-0", "0"), Ordering::Equal);
        assert!(Number::parse("nan").is_none() && Number::parse("").is_none() && Number::parse("-").is_none());
    }
}
