//! Progress bars: on standard error, and only on a terminal.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar of things: files, cases.
pub fn things(what: &'static str, total: u64) -> ProgressBar {
    let bar = new(Some(total));
    bar.set_style(style("{msg} {bar:30} {pos}/{len}"));
    bar.set_message(what);
    bar
}

/// A bar of bytes; a spinner when nobody knows how many there are.
pub fn bytes(total: Option<u64>) -> ProgressBar {
    let bar = new(total);
    let template = match total {
        Some(_) => "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} eta {eta} {msg}",
        None => "{spinner} {bytes} {bytes_per_sec} {msg}",
    };
    bar.set_style(style(template));
    bar
}

fn new(total: Option<u64>) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr_with_hz(10)
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(total, target);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates above are well-formed").progress_chars("━╸ ")
}
