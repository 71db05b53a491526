//! What parsing cannot see.

use model::Diagnostic;

use crate::Catalogue;

/// Mistakes across files.
pub fn lint(catalogue: &Catalogue) -> Vec<Diagnostic> {
    let _ = catalogue;
    Vec::new()
}
