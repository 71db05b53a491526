//! The lowest floors know no clock, file, socket, environment, process, thread sleep or `async`: they are handed their time.

use crate::tidy::{Fault, Text};

/// The crates that are pure.
const PURE: [&str; 4] = ["crates/model/src", "crates/engine/src", "crates/custody/src", "crates/remap/src"];

/// What a pure crate does not say, and what to do instead. Clippy holds the methods; this holds imports and types.
const IMPURE: [(&str, &str); 12] = [
    ("std::fs", "take bytes or a reader"),
    ("TcpStream", "the network belongs to pipeline and console"),
    ("UdpSocket", "the network belongs to pipeline and console"),
    ("std::env", "take what you need as an argument"),
    ("std::process", "programs are started by cli and xtask"),
    ("std::thread::sleep", "take the time as an argument"),
    ("SystemTime", "take a `Time` as an argument"),
    ("Instant::now", "take a `Time` as an argument"),
    ("Timestamp::now", "take a `Time` as an argument"),
    ("async fn", "pure code waits for nothing"),
    ("tokio", "pure code waits for nothing"),
    ("std::os::", "the engine runs alike everywhere"),
];

/// Impure words in pure crates, outside tests and comments.
pub fn faults(texts: &[Text]) -> Vec<Fault> {
    let pure =
        |text: &&Text| text.is("rs") && PURE.iter().any(|folder| text.starts_with(folder)) && !is_test_file(text);
    texts.iter().filter(pure).flat_map(in_file).collect()
}

fn is_test_file(text: &Text) -> bool {
    text.path.file_name().is_some_and(|name| name == "tests.rs") || text.path.iter().any(|part| part == "tests")
}

fn in_file(text: &Text) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (number, line) in text.lines() {
        // By the house's custom the tests of a module close its file.
        if line.trim() == "#[cfg(test)]" {
            break;
        }
        let code = line.split("//").next().unwrap_or_default();
        for (word, instead) in IMPURE {
            if code.contains(word) {
                faults.push(Fault::new(&text.path, number, format!("`{word}` in a pure crate: {instead}")));
            }
        }
    }
    faults
}
