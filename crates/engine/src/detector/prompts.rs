//! The prompts of a record: which of its texts detectors look at, and where what they say is kept for rules to read.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Class, Detector, Verdict, sign_field};
use crate::extract::for_each_leaf;
use crate::field::{Field, FieldsBuilder};
use crate::record::{Record, Scalar, Scratch};
use crate::source::Source;

/// Of one text, so much of its start and end is looked at: what is to sway a model stands at one of them.
const START_BYTES: usize = 32 << 10;
const END_BYTES: usize = 8 << 10;
/// Of all texts of a record.
const RECORD_BYTES: usize = 256 << 10;

/// Where a source's prompts are.
#[derive(Debug)]
pub(crate) struct Prompts {
    paths: Vec<Field>,
    scores: [Field; Class::ALL.len()],
    sign: Field,
}

impl Prompts {
    /// `None` where the source has none.
    pub fn compile(source: &Source, fields: &mut FieldsBuilder) -> Option<Prompts> {
        let scores = Class::ALL.map(|class| fields.intern(&class.field()));
        let sign = fields.intern(&sign_field());
        let paths: Vec<Field> = source.prompts.iter().map(|path| fields.intern(path)).collect();
        (!paths.is_empty()).then_some(Prompts { paths, scores, sign })
    }

    /// Has the detectors look at the record's prompts, and gives it what they say as fields. What the record itself has under these names
    /// does not count: whoever writes it must not write its verdict.
    pub fn look(&self, detectors: &[Arc<dyn Detector>], text: &str, scratch: &mut Scratch) {
        self.scores.iter().chain([&self.sign]).for_each(|field| scratch.clear(*field));
        if detectors.is_empty() {
            return;
        }
        let texts = self.texts(&scratch.record(text, false));
        if texts.is_empty() {
            return;
        }
        let seen: Vec<&str> = texts.iter().map(|text| &**text).collect();
        let mut verdict = Verdict::default();
        detectors.iter().for_each(|detector| verdict.join(detector.look(&seen)));
        for (field, score) in self.scores.iter().zip(verdict.scores) {
            scratch.set_made(*field, text.len(), &format!("{score:.2}"));
        }
        verdict.signs.iter().for_each(|sign| scratch.set_made(self.sign, text.len(), sign));
    }

    fn texts<'r>(&self, record: &Record<'r>) -> Vec<Cow<'r, str>> {
        let (mut texts, mut left) = (Vec::new(), RECORD_BYTES);
        let mut take = |text: Cow<'r, str>| {
            let text = ends(text);
            if !text.trim().is_empty() && text.len() <= left {
                left -= text.len();
                texts.push(text);
            }
        };
        for value in self.paths.iter().flat_map(|path| record.values(*path)) {
            match value {
                Scalar::Str(text) => take(Cow::Borrowed(text)),
                Scalar::Composite(json) => for_each_leaf(json, &mut |leaf| take(Cow::Owned(leaf.to_owned()))),
                _ => {}
            }
        }
        texts
    }
}

/// The start and the end of a long text, on lines of their own.
fn ends(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.len() <= START_BYTES + END_BYTES {
        return text;
    }
    let start = text.floor_char_boundary(START_BYTES);
    let end = text.ceil_char_boundary(text.len() - END_BYTES);
    Cow::Owned(format!("{}\n{}", &text[..start], &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_text_both_ends_are_looked_at() {
        let long = format!("start {}end", "é".repeat(60_000));
        let seen = ends(Cow::Borrowed(&long));
        assert!(seen.starts_with("start ") && seen.ends_with("end") && seen.len() <= START_BYTES + END_BYTES + 1);
        assert_eq!(ends(Cow::Borrowed("short")), "short");
    }
}
