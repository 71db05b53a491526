//! Measures Watchkeep: its speed and memory (`bench`), and what its rules find in labelled telemetry (`eval`).
fn main() {}
