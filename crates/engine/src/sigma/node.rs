//! What a program is made of: conditions over other conditions, and tests of the event.

use model::Time;

use super::folds::Buffers;
use super::test::Test;
use crate::field::Field;
use crate::record::Record;

/// A node's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct NodeId(pub(super) u32);

/// A condition over other nodes, or a test of the event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Node {
    /// The predicate of this number.
    Predicate(u32),
    Not(NodeId),
    All(Box<[NodeId]>),
    Any(Box<[NodeId]>),
    AtLeast(usize, Box<[NodeId]>),
    /// The event is older than this: a value of a list that ends then.
    Before(Time),
}

/// A test of one field, or of every value of the event.
#[derive(Debug)]
pub(super) struct Predicate {
    pub(super) field: Option<Field>,
    pub(super) test: Test,
}

impl Predicate {
    pub(super) fn holds(&self, record: &Record<'_>, buffers: &mut Buffers) -> bool {
        match self.field {
            Some(field) => self.test.holds(field, record, buffers),
            None => self.test.holds_anywhere(record, buffers),
        }
    }
}
