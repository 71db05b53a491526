//! Trees with groups of ours, and what the linear engine can make of them.

use regex_syntax::hir::{Capture, Hir, HirKind, Look, Repetition};

use super::translate::{Mark, mark};

/// The tree without groups of ours, where the linear engine can say the same: nothing looks around, and `$` is the last thing.
pub(super) fn without_marks(tree: &Hir) -> Option<Hir> {
    plain(tree, true)
}

/// `is_last`: nothing of the expression stands behind this part.
fn plain(tree: &Hir, is_last: bool) -> Option<Hir> {
    Some(match tree.kind() {
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => tree.clone(),
        HirKind::Capture(capture) => match mark(capture) {
            None => plain(&capture.sub, is_last)?,
            Some(Mark::Dollar) if !is_end(&capture.sub) => Hir::clone(&capture.sub),
            Some(Mark::Dollar) if is_last => line_feed_and_end(),
            Some(_) => return None,
        },
        HirKind::Repetition(repetition) => {
            repeated(plain(&repetition.sub, is_last && repetition.max == Some(1))?, repetition)
        }
        HirKind::Concat(parts) => {
            let last = parts.iter().rposition(|part| !matches!(part.kind(), HirKind::Empty));
            let each = parts.iter().enumerate().map(|(at, part)| plain(part, is_last && Some(at) == last));
            Hir::concat(each.collect::<Option<_>>()?)
        }
        HirKind::Alternation(parts) => {
            Hir::alternation(parts.iter().map(|part| plain(part, is_last)).collect::<Option<_>>()?)
        }
    })
}

/// A tree without groups of ours, for more texts than those of this one: `$` and look-around hold everywhere.
pub(super) fn wider(tree: &Hir) -> Hir {
    match tree.kind() {
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => tree.clone(),
        HirKind::Capture(capture) if mark(capture).is_some() => Hir::empty(),
        HirKind::Capture(capture) => wider(&capture.sub),
        HirKind::Repetition(repetition) => repeated(wider(&repetition.sub), repetition),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(wider).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(wider).collect()),
    }
}

/// The tree, as often as `like` repeats another. What is written of a repetition within a repetition would be read as one of another
/// kind, `a+?`, if no group stood between them.
fn repeated(sub: Hir, like: &Repetition) -> Hir {
    let is_repetition = matches!(sub.kind(), HirKind::Repetition(_));
    let sub = if is_repetition { Hir::capture(Capture { index: 1, name: None, sub: Box::new(sub) }) } else { sub };
    Hir::repetition(Repetition { sub: Box::new(sub), ..like.clone() })
}

/// Is it the end of the text, and not of a line?
pub(super) fn is_end(tree: &Hir) -> bool {
    matches!(tree.kind(), HirKind::Look(Look::End))
}

fn line_feed_and_end() -> Hir {
    let line_feed = Repetition { min: 0, max: Some(1), greedy: true, sub: Box::new(Hir::literal(*b"\n")) };
    Hir::concat(vec![Hir::repetition(line_feed), Hir::look(Look::End)])
}
