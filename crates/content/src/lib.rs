//! The catalogue: rules, sources, inventories and their tests, from the binary and from folders; and the configuration.
//!
//! Floor 2. Reads files, and the secrets that the configuration names; knows no clock and no socket.
//! [`mod@load`] reads roots into a [`Catalogue`], [`mod@lint`] looks for what parsing cannot see, [`run_cases`] runs the tests of
//! rules, [`import()`] takes other people's rules in with their provenance, and [`config`] reads `watchkeep.toml`.

mod cases;
mod catalogue;
pub mod config;
pub mod feeds;
mod import;
pub mod inventory;
mod lint;
mod load;
mod nearest;
mod remap;
mod root;
mod things;
mod yaml;

pub use cases::{Case, CaseKind, CaseOutcome, Expectation, RuleCases, junit, run_cases, run_cases_with};
pub use catalogue::{Catalogue, CatalogueRule, InventoryList, Provenance};
pub use import::{
    FileProvenance, ImportError, ImportOptions, ImportReport, LoadedFile, PackProvenance, SetAside, import,
};
pub use lint::{lint, ownerless};
pub use load::{load, load_with};
pub use root::{EMBEDDED_STAMP, FILE_BYTES_MAX, FileKind, Root, embedded_file, embedded_samples};

#[cfg(test)]
mod tests;
