//! The console as a browser meets it: over HTTP, with its cookies and headers, on a store with alerts in it.

#![allow(clippy::unwrap_used)]

mod over_time;
mod pages;
mod seed;
mod sign_in;
mod speed;
mod visitor;
