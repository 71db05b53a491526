//! What leaves the engine: events and findings as OCSF, and findings in Watchkeep's own wire shape.
//!
//! In: an [`Event`](crate::Event) or a [`Finding`](model::Finding). Out: JSON that is valid against the published schema, of which
//! [`schema`] holds an extract. [`Exporter`] converts events, [`Validator`] says what is wrong with an event of anybody.

mod complete;
mod event;
mod finding;
mod mapping;
pub mod schema;
pub(crate) mod tree;
mod validate;
mod value;

pub(crate) use event::activity_caption;
pub use event::{Exported, Exporter, Options};
pub use finding::{detection_finding, finding_wire};
pub use validate::{Validator, Violation};
pub(crate) use value::whole;

/// The OCSF schema version that Watchkeep writes.
pub const OCSF_VERSION: &str = "1.8.0";

/// Where the schema lets stand what it has no place for.
const UNMAPPED: &str = "unmapped";

/// OCSF's word for a `severity_id`.
pub(crate) fn severity(id: u32) -> &'static str {
    match id {
        1 => "Informational",
        2 => "Low",
        3 => "Medium",
        4 => "High",
        5 => "Critical",
        6 => "Fatal",
        _ => "Unknown",
    }
}
