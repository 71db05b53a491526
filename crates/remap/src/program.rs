//! A compiled program, and one run of it.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use model::Diagnostic;
use vrl::compiler::runtime::{Runtime, Terminate};
use vrl::compiler::{self, TargetValue, TimeZone};
use vrl::diagnostic::{Diagnostic as Told, DiagnosticList};
use vrl::value::{Secrets, Value};

use crate::functions;

/// Expressions that one record may take. A mapping of a hundred fields takes some hundreds.
pub const STEPS_MAX: u32 = 100_000;

/// Expressions after which it is asked whether there is still time.
const ASKED_EVERY: u32 = 16;
/// Characters of a program that a mistake shows.
const SHOWN_CHARS: usize = 60;
/// Where VRL is explained.
const REMEDY: &str = "see https://vrl.dev; functions that read a clock, chance, files or the network are not offered";

/// Why a record was not remapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It is not one JSON object.
    NotAnObject,
    /// The program gave it up: `abort`, or an error that it does not handle.
    GivenUp,
    /// The program took more than [`STEPS_MAX`] expressions.
    TooManySteps,
    /// There was no more time.
    TooLate,
    /// What it made is no object, or is longer than allowed.
    BadResult,
    /// The program's own library failed.
    Internal,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Failure::NotAnObject => "the record is not one JSON object",
            Failure::GivenUp => "the program gave the record up",
            Failure::TooManySteps => "the program took too many steps",
            Failure::TooLate => "the program took too long",
            Failure::BadResult => "the program made no object, or one that is too long",
            Failure::Internal => "the program's library failed",
        })
    }
}

/// A program that makes one record of another.
pub struct Program(compiler::Program);

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Program")
    }
}

impl Program {
    /// Compiles a program. Errors: every mistake, by the lines of `text`.
    ///
    /// Source: the VRL specification, <https://vrl.dev>. `.` is the record; what `.` is at the end is the record that comes out.
    pub fn compile(text: &str) -> Result<Program, Vec<Diagnostic>> {
        match compiler::compile(text, &functions::all()) {
            Ok(compiled) => Ok(Program(compiled.program)),
            Err(told) => Err(mistakes(text, told)),
        }
    }

    /// Makes another record of one; both are the text of a JSON object, and what is made has at most `bytes_max` bytes.
    ///
    /// `is_late` is asked now and then; the program is stopped where it says so. It is the last resort, since a slow machine is late earlier.
    pub fn run(&self, record: &str, bytes_max: usize, is_late: &dyn Fn() -> bool) -> Result<String, Failure> {
        let value: serde_json::Value = serde_json::from_str(record).map_err(|_| Failure::NotAnObject)?;
        if !value.is_object() {
            return Err(Failure::NotAnObject);
        }
        // A library of this size has bugs; one of them costs a record, not the line.
        let made =
            catch_unwind(AssertUnwindSafe(|| self.resolve(value.into(), is_late))).map_err(|_| Failure::Internal)??;
        let made = serde_json::to_string(&made).map_err(|_| Failure::BadResult)?;
        if made.starts_with('{') && made.len() <= bytes_max { Ok(made) } else { Err(Failure::BadResult) }
    }

    fn resolve(&self, value: Value, is_late: &dyn Fn() -> bool) -> Result<Value, Failure> {
        let metadata = Value::Object(BTreeMap::new());
        let mut target = TargetValue { value, metadata, secrets: Secrets::default() };
        let mut steps: u32 = 0;
        let mut control = || {
            steps += 1;
            let is_over = steps > STEPS_MAX || steps.is_multiple_of(ASKED_EVERY) && is_late();
            if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let zone = TimeZone::parse("UTC").ok_or(Failure::Internal)?;
        match Runtime::default().resolve_with_control(&mut target, &self.0, &zone, &mut control) {
            Ok(_) => Ok(target.value),
            Err(Terminate::Interrupted) if steps > STEPS_MAX => Err(Failure::TooManySteps),
            Err(Terminate::Interrupted) => Err(Failure::TooLate),
            Err(Terminate::Abort(_) | Terminate::Error(_)) => Err(Failure::GivenUp),
        }
    }
}

fn mistakes(text: &str, told: DiagnosticList) -> Vec<Diagnostic> {
    let wrong = told.into_iter().filter(Told::is_problem);
    wrong
        .map(|told| {
            let at = told.labels().iter().find(|label| label.primary).or_else(|| told.labels().first());
            let (line, column) = place(text, at.map_or(0, |label| label.span.start()));
            let span = at.and_then(|label| text.get(label.span.start()..label.span.end()));
            let here = span.map_or("", |span| span.lines().next().unwrap_or_default());
            let here: String = here.chars().take(SHOWN_CHARS).collect();
            let detail = at.map_or(String::new(), |label| format!(", at `{here}`: {}", label.message));
            Diagnostic::error(line, column, "bad-remap", format!("{}{detail}", told.message()), REMEDY)
        })
        .collect()
}

/// Line and column, from 1, of a byte of the text.
fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..byte.min(text.len())];
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    (before.iter().filter(|byte| **byte == b'\n').count() + 1, before.len() - start + 1)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const BYTES: usize = 1 << 20;

    fn run(program: &str, record: &serde_json::Value) -> Result<serde_json::Value, Failure> {
        let program = Program::compile(program).expect("a program");
        program.run(&record.to_string(), BYTES, &|| false).map(|made| serde_json::from_str(&made).expect("JSON"))
    }

    #[test]
    fn a_program_makes_a_record_of_an_odd_line() {
        let program = r#"
            parts = split!(.message, "|")
            . = parse_key_value!(parts[1])
            .who = downcase!(parts[0])
            .count = to_int!(.count)
        "#;
        let made = run(program, &json!({"message": "ANA|action=copy count=3"}));
        assert_eq!(made, Ok(json!({"action": "copy", "count": 3, "who": "ana"})));
    }

    #[test]
    fn numbers_that_do_not_fit_a_float_stay_what_they_are() {
        let made = run(".copy = .id", &json!({"id": 9_007_199_254_740_993_i64}));
        assert_eq!(made, Ok(json!({"copy": 9_007_199_254_740_993_i64, "id": 9_007_199_254_740_993_i64})));
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let wrong =
            Program::compile(".a = 1\n.b = nonesuch(.a)\n.c = now()\n").expect_err("two functions that are not there");
        let lines: Vec<usize> = wrong.iter().map(|wrong| wrong.line).collect();
        assert_eq!(lines, [2, 3], "{wrong:?}");
        assert!(wrong.iter().all(|wrong| wrong.is_error() && !wrong.message.is_empty()));
    }

    #[test]
    fn an_error_that_may_happen_must_be_handled_by_the_author() {
        let wrong = Program::compile(". = parse_json(.message)").expect_err("parse_json may fail");
        assert!(wrong[0].message.contains("unhandled"), "{wrong:?}");
    }

    #[test]
    fn a_record_that_a_program_cannot_read_is_given_up_and_not_lost_silently() {
        assert_eq!(run(". = parse_json!(.message)", &json!({"message": "{"})), Err(Failure::GivenUp));
        assert_eq!(run("abort", &json!({})), Err(Failure::GivenUp));
        assert_eq!(run(". = [.]", &json!({})), Err(Failure::BadResult));
        assert_eq!(Program::compile(".").expect("a program").run("[1]", BYTES, &|| false), Err(Failure::NotAnObject));
    }

    #[test]
    fn a_program_that_goes_on_and_on_is_stopped_at_the_same_step_everywhere() {
        let all: Vec<u32> = (0..400).collect();
        let program = r#"
            total = 0
            for_each(array!(.all)) -> |_i, _a| {
                for_each(array!(.all)) -> |_j, _b| { total = total + 1 }
            }
            .total = total
        "#;
        assert_eq!(run(program, &json!({"all": all})), Err(Failure::TooManySteps));
        assert_eq!(run(program, &json!({"all": all[..40]})).expect("in time")["total"], 1600);
    }

    #[test]
    fn a_program_for_which_there_is_no_time_is_stopped() {
        let program = Program::compile("for_each(array!(.all)) -> |_i, _a| { .x = 1 }").expect("a program");
        let record = json!({"all": vec![0; 100]}).to_string();
        assert_eq!(program.run(&record, BYTES, &|| true), Err(Failure::TooLate));
        assert!(program.run(&record, BYTES, &|| false).is_ok());
    }

    #[test]
    fn what_is_made_has_a_bound() {
        let program = Program::compile(".more = [.text, .text, .text]").expect("a program");
        let record = json!({"text": "x".repeat(100)}).to_string();
        assert_eq!(program.run(&record, 300, &|| false), Err(Failure::BadResult));
        assert!(program.run(&record, 1000, &|| false).is_ok());
    }

    proptest! {
        #[test]
        fn whatever_comes_it_answers_the_same_twice(text in "\\PC{0,200}", number in any::<i64>()) {
            static PROGRAM: LazyLock<Program> = LazyLock::new(|| Program::compile(r#"
                .parsed = parse_key_value(.message) ?? {}
                .more = parse_json(.message) ?? parse_cef(.message) ?? parse_xml(.message) ?? null
                .at = parse_timestamp(.message, "%F") ?? null
                .words = split(string!(.message), r'\s+')
            "#).expect("a program"));
            let record = json!({"message": text, "number": number}).to_string();
            let once = PROGRAM.run(&record, BYTES, &|| false);
            prop_assert!(once.is_ok());
            prop_assert_eq!(once, PROGRAM.run(&record, BYTES, &|| false));
        }
    }
}
