//! What a stateful type names exists: the inventory lists that it counts against.

use engine::sigma::Stateful;
use engine::sigma::stateful::KnownSet;
use model::Diagnostic;

use crate::catalogue::Catalogue;
use crate::nearest::nearest;

pub(super) fn lint(catalogue: &Catalogue, found: &mut Vec<Diagnostic>) {
    for correlation in &catalogue.correlations {
        let Some(Stateful::Coverage(coverage)) = correlation.stateful() else { continue };
        let KnownSet::List(name) = &coverage.of else { continue };
        let values = catalogue.inventory.get(name);
        let (code, message, remedy) = match values {
            Some([_, ..]) => continue,
            Some([]) => {
                let message = format!("the list `{name}` is empty: no share of it can be touched");
                ("empty-list", message, "fill it, or remove the correlation".to_owned())
            }
            None => {
                let near = nearest(name, catalogue.lists.keys().map(String::as_str));
                let remedy = near.map_or_else(
                    || "add the list to a file below `inventory/`".to_owned(),
                    |near| format!("did you mean `%{near}%`?"),
                );
                ("unknown-list", format!("there is no list `{name}`"), remedy)
            }
        };
        let wrong = Diagnostic::error(correlation.line, 0, code, message, remedy);
        found.push(wrong.in_file(correlation.file.clone()));
    }
}
