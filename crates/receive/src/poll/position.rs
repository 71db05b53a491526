//! How far an API was read.

use engine::feed::Order;
use model::Time;
use serde::{Deserialize, Serialize};

/// Where a walk through the pages of an API stands. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// What is older was taken in by walks before this one, but for late records.
    pub from: i64,
    /// The newest time that a record of this walk had; `from` while there is none.
    pub seen: i64,
    /// When this walk began.
    pub began: i64,
    /// The page that is asked for next, as the last one named it; `None` for the first.
    pub next: Option<String>,
}

impl Position {
    /// Nothing was read, and what is newer than `from` is wanted.
    pub fn first(from: Time) -> Position {
        let from = from.millis();
        Position { from, seen: from, began: from, next: None }
    }

    /// Another walk begins.
    pub fn begin(&mut self, now: Time) {
        self.began = now.millis();
        self.seen = self.from;
        self.next = None;
    }

    /// A page was taken in, whose newest record is of `newest`, and which names `next`. A record of the future does not move the
    /// position beyond `now`.
    pub fn page(&mut self, newest: Option<Time>, now: Time, next: Option<String>) {
        let newest = newest.map_or(self.seen, |newest| newest.millis().min(now.millis()));
        self.seen = self.seen.max(newest);
        self.next = next;
    }

    /// The walk came to its end: everything is taken in that was there when it began.
    pub fn end(&mut self) {
        self.from = self.from.max(self.seen.min(self.began));
        self.next = None;
    }

    /// The walk cannot go on where it was; another one takes in what it left. Newest first, that is everything.
    pub fn abandon(&mut self, order: Order) {
        if order == Order::OldestFirst {
            self.from = self.from.max(self.seen);
        }
        self.next = None;
    }

    /// From when on records are asked for.
    pub fn since(&self, overlap_ms: i64) -> Time {
        Time::from_millis(self.from.saturating_sub(overlap_ms).max(1000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Time {
        Time::from_millis(millis)
    }

    #[test]
    fn newest_first_only_a_whole_walk_moves_the_position() {
        let mut position = Position::first(at(10_000));
        position.begin(at(90_000));
        position.page(Some(at(80_000)), at(90_000), Some("2".to_owned()));
        assert_eq!(position.since(0), at(10_000));
        let mut broken = position.clone();
        broken.abandon(Order::NewestFirst);
        assert_eq!((broken.since(0), broken.next), (at(10_000), None));
        position.page(Some(at(20_000)), at(91_000), None);
        position.end();
        assert_eq!((position.since(0), position.since(5_000)), (at(80_000), at(75_000)));
    }

    #[test]
    fn oldest_first_a_walk_that_breaks_goes_on_at_its_last_record() {
        let mut position = Position::first(at(10_000));
        position.begin(at(90_000));
        position.page(Some(at(50_000)), at(90_000), Some("2".to_owned()));
        position.abandon(Order::OldestFirst);
        assert_eq!(position.since(0), at(50_000));
    }

    #[test]
    fn what_comes_while_a_walk_runs_and_what_is_of_the_future_is_asked_for_again() {
        let mut position = Position::first(at(10_000));
        position.begin(at(90_000));
        position.page(Some(at(95_000)), at(96_000), None);
        position.end();
        assert_eq!(position.since(0), at(90_000));
        position.begin(at(100_000));
        position.page(Some(at(9_000_000)), at(100_000), None);
        position.end();
        assert_eq!(position.since(0), at(100_000));
    }

    #[test]
    fn a_walk_without_records_moves_nothing() {
        let mut position = Position::first(at(10_000));
        position.begin(at(90_000));
        position.page(None, at(90_000), None);
        position.end();
        assert_eq!(position.since(0), at(10_000));
    }
}
