//! Expressions that look around: what the linear engine's syntax has no word for, still in time linear in the value.
//!
//! In: a tree in which groups of ours stand for look-around and `$`. Out: is the expression in a text?
//! A look-around says something of each place of a text, whatever led there. So every one of them is answered for all places first,
//! inner ones before outer ones: one that looks ahead by a run from the end to the start, one that looks behind by a run from the start to
//! the end. Then the expression itself runs once, and asks the answers.
//! Bound: each run passes each character once, with at most [`REGEX_LOOKING_MAX`] steps at it for all runs together; memory for a bit
//! a byte and look-around.
//! Source: R. Cox, "Regular Expression Matching: the Virtual Machine Approach" for a run.

use std::collections::BTreeMap;

use regex_syntax::hir::{Capture, Class, Hir, HirKind, Look, Repetition};

use super::super::bounds::REGEX_LOOKING_MAX;
use super::translate::{Mark, mark};
use super::tree::is_end;

/// An expression with look-around, ready to run.
#[derive(Debug)]
pub(super) struct Looking {
    /// Inner ones stand before outer ones.
    around: Vec<Around>,
    program: Vec<Step>,
}

/// What is looked for around a place.
#[derive(Debug)]
struct Around {
    program: Vec<Step>,
    is_ahead: bool,
}

#[derive(Clone, Debug)]
enum Step {
    /// A character of these ranges, then the next step.
    Char(Box<[(char, char)]>),
    Look(Look),
    /// The end, or a line feed and the end.
    Dollar,
    /// The look-around holds here, or does not.
    Around(usize, bool),
    /// The next step, and the other one.
    Split(usize),
    Jump(usize),
    Accept,
}

impl Looking {
    /// Makes the expression ready; says what stands against it otherwise.
    pub(super) fn new(tree: &Hir) -> Result<Looking, String> {
        let mut builder = Builder::default();
        let program = builder.program(tree, false)?;
        Ok(Looking { around: builder.around, program })
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        let mut answers: Vec<Bits> = Vec::with_capacity(self.around.len());
        for around in &self.around {
            let mut holds = Bits::new(text.len() + 1);
            let run = Run::new(&around.program, text, &answers);
            run.run(around.is_ahead, &mut |at| {
                holds.set(at);
                false
            });
            answers.push(holds);
        }
        Run::new(&self.program, text, &answers).run(false, &mut |_| true)
    }
}

#[derive(Default)]
struct Builder {
    around: Vec<Around>,
    /// Where the look-around of a group stands.
    known: BTreeMap<u32, usize>,
    steps: usize,
}

impl Builder {
    /// The steps of a tree; backwards, they meet what it matches from its end on.
    fn program(&mut self, tree: &Hir, is_backward: bool) -> Result<Vec<Step>, String> {
        let mut program = Vec::new();
        self.add(tree, is_backward, &mut program)?;
        self.push(Step::Accept, &mut program)?;
        Ok(program)
    }

    fn push(&mut self, step: Step, program: &mut Vec<Step>) -> Result<(), String> {
        self.steps += 1;
        program.push(step);
        if self.steps > REGEX_LOOKING_MAX {
            return Err(format!("an expression with look-around takes more than {REGEX_LOOKING_MAX} steps"));
        }
        Ok(())
    }

    fn add(&mut self, tree: &Hir, is_backward: bool, program: &mut Vec<Step>) -> Result<(), String> {
        match tree.kind() {
            HirKind::Empty => {}
            HirKind::Literal(literal) => {
                let text = std::str::from_utf8(&literal.0).map_err(|_| "it matches bytes that are no text")?;
                let one = |c: char| Step::Char(Box::new([(c, c)]));
                let steps: Vec<Step> =
                    if is_backward { text.chars().rev().map(one).collect() } else { text.chars().map(one).collect() };
                steps.into_iter().try_for_each(|step| self.push(step, program))?;
            }
            HirKind::Class(class) => self.push(Step::Char(ranges(class)?), program)?,
            HirKind::Look(look) => {
                is_known(*look)?;
                self.push(Step::Look(*look), program)?;
            }
            HirKind::Capture(capture) => self.group(capture, is_backward, program)?,
            HirKind::Repetition(repetition) => self.repetition(repetition, is_backward, program)?,
            HirKind::Concat(parts) if is_backward => {
                parts.iter().rev().try_for_each(|part| self.add(part, is_backward, program))?;
            }
            HirKind::Concat(parts) => parts.iter().try_for_each(|part| self.add(part, is_backward, program))?,
            HirKind::Alternation(parts) => self.alternation(parts, is_backward, program)?,
        }
        Ok(())
    }

    fn group(&mut self, capture: &Capture, is_backward: bool, program: &mut Vec<Step>) -> Result<(), String> {
        let (is_ahead, is_negated) = match mark(capture) {
            None => return self.add(&capture.sub, is_backward, program),
            Some(Mark::Dollar) if is_end(&capture.sub) => return self.push(Step::Dollar, program),
            Some(Mark::Dollar) => return self.add(&capture.sub, is_backward, program),
            Some(Mark::Ahead { is_negated }) => (true, is_negated),
            Some(Mark::Behind { is_negated }) => (false, is_negated),
        };
        let at = match self.known.get(&capture.index) {
            Some(at) => *at,
            None => {
                let around = Around { program: self.program(&capture.sub, is_ahead)?, is_ahead };
                self.around.push(around);
                self.known.insert(capture.index, self.around.len() - 1);
                self.around.len() - 1
            }
        };
        self.push(Step::Around(at, is_negated), program)
    }

    fn repetition(
        &mut self,
        repetition: &Repetition,
        is_backward: bool,
        program: &mut Vec<Step>,
    ) -> Result<(), String> {
        for _ in 0..repetition.min {
            self.add(&repetition.sub, is_backward, program)?;
        }
        let Some(max) = repetition.max else {
            let split = program.len();
            self.push(Step::Split(0), program)?;
            self.add(&repetition.sub, is_backward, program)?;
            self.push(Step::Jump(split), program)?;
            program[split] = Step::Split(program.len());
            return Ok(());
        };
        let mut splits = Vec::new();
        for _ in repetition.min..max {
            splits.push(program.len());
            self.push(Step::Split(0), program)?;
            self.add(&repetition.sub, is_backward, program)?;
        }
        for split in splits {
            program[split] = Step::Split(program.len());
        }
        Ok(())
    }

    fn alternation(&mut self, parts: &[Hir], is_backward: bool, program: &mut Vec<Step>) -> Result<(), String> {
        let mut jumps = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            let split = program.len();
            let is_last = at + 1 == parts.len();
            if !is_last {
                self.push(Step::Split(0), program)?;
            }
            self.add(part, is_backward, program)?;
            if !is_last {
                jumps.push(program.len());
                self.push(Step::Jump(0), program)?;
                program[split] = Step::Split(program.len());
            }
        }
        for jump in jumps {
            program[jump] = Step::Jump(program.len());
        }
        Ok(())
    }
}

fn ranges(class: &Class) -> Result<Box<[(char, char)]>, String> {
    let class = match class {
        Class::Unicode(class) => class.clone(),
        Class::Bytes(class) => class.to_unicode_class().ok_or("it matches bytes that are no text")?,
    };
    Ok(class.ranges().iter().map(|range| (range.start(), range.end())).collect())
}

fn is_known(look: Look) -> Result<(), String> {
    match look {
        Look::Start | Look::End | Look::StartLF | Look::EndLF | Look::WordAscii | Look::WordAsciiNegate => Ok(()),
        _ => Err("this kind of boundary cannot stand beside look-around".to_owned()),
    }
}

/// One run of a program over a text, begun anew at every place.
struct Run<'r> {
    program: &'r [Step],
    text: &'r str,
    answers: &'r [Bits],
}

impl<'r> Run<'r> {
    fn new(program: &'r [Step], text: &'r str, answers: &'r [Bits]) -> Run<'r> {
        Run { program, text, answers }
    }

    /// Calls `found` at each place where the program ends, until it says that it has seen enough; says whether it did.
    fn run(&self, is_backward: bool, found: &mut dyn FnMut(usize) -> bool) -> bool {
        let mut at = if is_backward { self.text.len() } else { 0 };
        // The place at which each step was last reached, plus one: a step is taken once at a place.
        let mut reached = vec![0; self.program.len()];
        let (mut ready, mut waiting) = (Vec::new(), Vec::new());
        loop {
            ready.push(0);
            let is_found = self.follow(at, &mut ready, &mut waiting, &mut reached);
            if is_found && found(at) {
                return true;
            }
            let c = if is_backward { self.text[..at].chars().next_back() } else { self.text[at..].chars().next() };
            let Some(c) = c else { return false };
            at = if is_backward { at - c.len_utf8() } else { at + c.len_utf8() };
            let fits = |step: &usize| matches!(&self.program[*step], Step::Char(ranges) if has(ranges, c));
            ready.extend(waiting.drain(..).filter(fits).map(|step| step + 1));
        }
    }

    /// Takes the steps that take no character; says whether the program ends here.
    fn follow(&self, at: usize, ready: &mut Vec<usize>, waiting: &mut Vec<usize>, reached: &mut [usize]) -> bool {
        let mut is_found = false;
        while let Some(step) = ready.pop() {
            if std::mem::replace(&mut reached[step], at + 1) == at + 1 {
                continue;
            }
            match &self.program[step] {
                Step::Char(_) => waiting.push(step),
                Step::Accept => is_found = true,
                Step::Jump(to) => ready.push(*to),
                Step::Split(other) => ready.extend([step + 1, *other]),
                Step::Look(look) => ready.extend(self.stands(*look, at).then_some(step + 1)),
                Step::Dollar => {
                    let is_end = matches!(&self.text.as_bytes()[at..], [] | [b'\n']);
                    ready.extend(is_end.then_some(step + 1));
                }
                Step::Around(around, is_negated) => {
                    ready.extend((self.answers[*around].has(at) != *is_negated).then_some(step + 1));
                }
            }
        }
        is_found
    }

    fn stands(&self, look: Look, at: usize) -> bool {
        let bytes = self.text.as_bytes();
        let before = at.checked_sub(1).map(|before| bytes[before]);
        let behind = bytes.get(at).copied();
        let is_word = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        match look {
            Look::Start => before.is_none(),
            Look::End => behind.is_none(),
            Look::StartLF => before.is_none_or(|byte| byte == b'\n'),
            Look::EndLF => behind.is_none_or(|byte| byte == b'\n'),
            Look::WordAscii => is_word(before) != is_word(behind),
            Look::WordAsciiNegate => is_word(before) == is_word(behind),
            _ => false,
        }
    }
}

fn has(ranges: &[(char, char)], c: char) -> bool {
    let behind = ranges.partition_point(|(start, _)| *start <= c);
    behind.checked_sub(1).is_some_and(|at| c <= ranges[at].1)
}

/// A set of places.
struct Bits(Box<[u64]>);

impl Bits {
    fn new(count: usize) -> Bits {
        Bits(vec![0; count.div_ceil(64)].into_boxed_slice())
    }

    fn set(&mut self, at: usize) {
        self.0[at / 64] |= 1 << (at % 64);
    }

    fn has(&self, at: usize) -> bool {
        self.0[at / 64] >> (at % 64) & 1 == 1
    }
}
