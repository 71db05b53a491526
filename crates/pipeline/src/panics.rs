//! Panics that are contained: where they happened goes out, and nothing of what they say.
//!
//! A panic's message may quote the record that caused it, and records are not for logs. While [`contain`] runs, the hook that
//! would print the message is silent on this thread; all other panics are printed as before.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `work`; where it panicked (file and line of the program), if it did.
pub(crate) fn contain<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    listen();
    DEPTH.set(DEPTH.get() + 1);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    DEPTH.set(DEPTH.get() - 1);
    outcome.map_err(|_| PLACE.take().unwrap_or_else(|| "a place that is not known".to_owned()))
}

fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if DEPTH.try_with(Cell::get).unwrap_or(0) == 0 {
                return before(info);
            }
            let place = info.location().map(|place| format!("{}:{}", place.file(), place.line()));
            let _ = PLACE.try_with(|slot| *slot.borrow_mut() = place);
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_says_where_and_nothing_else() {
        let record = "secret";
        let place = contain(|| panic!("cannot read {record}")).map(|()| "nothing").unwrap_err();
        assert!(place.starts_with(file!()) && !place.contains(record), "{place}");
        assert_eq!(contain(|| 7), Ok(7));
    }
}
