//! Identity: who is behind a session, a key or a token, as of a time.
//!
//! In: dated [`Link`]s, which events teach as their sources declare (`links:` of a `source.yml`), and the question "who was behind
//! this entity then". Out: a [`Resolution`] that names the person or workload, every hop with the event that shows it, and how
//! certain it is. Bound: [`Bounds`]; what is let go of is counted. The same links give the same answers in any order of arrival, as
//! long as they fit. Nothing here knows a vendor: what AWS or Kubernetes means by a name is content.

mod answer;
mod graph;
mod link;
mod resolve;
mod snapshot;

pub use graph::{Bounds, Counts, Graph};
pub use link::{Link, Means};
pub use resolve::{Candidate, Certainty, Hop, Resolution};
pub use snapshot::RestoreError;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
