//! Numbered migrations.

/// The newest schema that this version knows.
pub const SCHEMA_VERSION: u32 = 1;

/// The schema as a Markdown page, made from the migrations.
pub fn schema_markdown() -> String {
    String::new()
}
