//! What an engineer expects of each type.

mod buckets;
mod events;
mod values;
