//! Counts single tests in the output of test runners.

/// Tests that passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many passed.
    pub passed: u64,
    /// How many failed.
    pub failed: u64,
}

impl Tally {
    /// Adds another count.
    pub fn add(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// Reads one line of a runner's output and adds what it totals; other lines add nothing.
    ///
    /// Known: `cargo test`, `cargo nextest`, `node --test`, Python's `unittest`, and lines that end with `N passed, N failed`.
    pub fn read(&mut self, line: &str) {
        let line = line.trim();
        let runner_total = line.starts_with("test result:")
            || (line.starts_with("Summary [") && line.contains("tests run:"))
            || is_plain_total(line);
        if runner_total {
            self.passed += number_before(line, "passed");
            self.failed += number_before(line, "failed") + number_before(line, "timed out");
        } else if let Some(count) = after(line, &["# pass ", "ℹ pass "]) {
            self.passed += count;
        } else if let Some(count) = after(line, &["# fail ", "ℹ fail "]) {
            self.failed += count;
        } else if let Some(count) = after(line, &["Ran "])
            && line.contains(" test")
        {
            self.passed += count;
        } else if line.starts_with("FAILED (") {
            let failed = number_after(line, "failures=") + number_after(line, "errors=");
            self.failed += failed;
            self.passed = self.passed.saturating_sub(failed);
        }
    }
}

/// A line that ends with `12 passed, 0 failed`.
fn is_plain_total(line: &str) -> bool {
    let mut words = line.split_whitespace().rev();
    let is_number = |word: Option<&str>| word.is_some_and(|word| word.parse::<u64>().is_ok());
    words.next() == Some("failed")
        && is_number(words.next())
        && words.next() == Some("passed,")
        && is_number(words.next())
}

/// The number that stands before `word`, or none.
fn number_before(line: &str, word: &str) -> u64 {
    let Some(at) = line.find(word) else { return 0 };
    line[..at].split_whitespace().last().and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn number_after(line: &str, word: &str) -> u64 {
    let Some(at) = line.find(word) else { return 0 };
    line[at + word.len()..].chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0)
}

fn after(line: &str, heads: &[&str]) -> Option<u64> {
    let rest = heads.iter().find_map(|head| line.strip_prefix(head))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// The text without terminal colours.
pub fn strip_colour(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            characters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> (u64, u64) {
        let mut tally = Tally::default();
        text.lines().for_each(|line| tally.read(&strip_colour(line)));
        (tally.passed, tally.failed)
    }

    #[test]
    fn cargo_test_binaries_add_up() {
        let text = "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
                    test result: FAILED. 3 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(count(text), (15, 2));
    }

    #[test]
    fn nextest_counts_failures_and_timeouts() {
        assert_eq!(
            count("     Summary [   1.520s] 20 tests run: 17 passed (1 slow), 2 failed, 1 timed out, 3 skipped"),
            (17, 3)
        );
    }

    #[test]
    fn node_and_unittest_totals_are_read() {
        assert_eq!(count("# pass 7\n# fail 1"), (7, 1));
        assert_eq!(count("Ran 5 tests in 1.2s\n\nFAILED (failures=1, errors=1)"), (3, 2));
    }

    #[test]
    fn colours_do_not_hide_a_total_and_prose_does_not_make_one() {
        assert_eq!(count("\u{1b}[32;1m4 passed, 0 failed\u{1b}[0m"), (4, 0));
        assert_eq!(count("424 tests of 70 rules: 422 passed, 2 failed"), (422, 2));
        assert_eq!(count("the check passed, as it should"), (0, 0));
    }
}
