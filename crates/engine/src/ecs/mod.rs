//! Events as fields of the Elastic Common Schema (ECS).
//!
//! In: an [`Event`](crate::Event). Out: JSON whose fields are those of the published list, of which [`schema`] holds an extract; what has no
//! field there stands below `watchkeep`. How columns become fields is data: `mapping.yml` here, and `ecs:` of a `source.yml`.

mod event;
mod mapping;
pub mod schema;
mod validate;

pub use event::Exporter;
pub use validate::check;

/// The ECS version that Watchkeep writes.
pub const ECS_VERSION: &str = "9.4.0";
