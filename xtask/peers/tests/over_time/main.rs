//! RSigma and Watchkeep over the same streams in order: which groups fire, and when first. RSigma fires anew at each further event; ours is one
//! finding for each burst, so later firings are counted and not compared.
//!
//! Each difference has a class, which `docs/reference/correlation-divergences.md` explains. `WATCHKEEP_DIFFERENTIAL_WRITE=<file>` writes the
//! differing conformance cases in the form of the list, without classes.

mod cases;
mod classes;
mod generated;
mod page;
mod promises;
mod reading;
mod sides;
mod telemetry;
