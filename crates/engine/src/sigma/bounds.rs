//! How large a rule may be. A document beyond a bound is refused with a diagnostic; nothing grows without an end.

/// Bytes of one Sigma file.
pub const FILE_BYTES_MAX: usize = 4 << 20;
/// Values of one rule, after expansion of placeholders, dashes and encodings.
pub const VALUES_MAX: usize = 100_000;
/// Bytes of one value.
pub const VALUE_BYTES_MAX: usize = 64 << 10;
/// Tokens of one condition.
pub const CONDITION_TOKENS_MAX: usize = 4096;
/// Levels of brackets and `not` in a condition.
pub const CONDITION_DEPTH_MAX: usize = 64;
/// Bytes that one regular expression may take, compiled.
pub const REGEX_BYTES_MAX: usize = 4 << 20;
/// Steps of an expression with look-around: at most so many are taken at each character of a value.
pub const REGEX_LOOKING_MAX: usize = 1000;
/// Dashes that `windash` may vary in one value.
pub const DASHES_MAX: usize = 4;
/// Characters of a value that an explanation or a matched term shows.
pub const SHOWN_CHARS_MAX: usize = 256;
/// Rules that one correlation joins.
pub const CORRELATED_MAX: usize = 64;
/// Fields that one correlation groups by or counts.
pub const CORRELATION_FIELDS_MAX: usize = 16;
/// The longest time span of a correlation, milliseconds: 366 days.
pub const TIMESPAN_MS_MAX: i64 = 366 * 86_400_000;
/// Correlations that stand one on the other.
pub const CORRELATION_DEPTH_MAX: usize = 8;
