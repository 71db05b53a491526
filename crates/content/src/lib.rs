//! The catalogue: rules, sources, inventories and their tests, from the binary and from folders; and the configuration.
//!
//! Floor 2. Reads files and the secrets that the configuration names; knows no clock and no socket.

pub mod config;
mod nearest;
