//! What of a rule the lake can answer: the sources whose events it holds, and what their redaction takes away.

use model::{Diagnostic, SourceId};

use super::item::plain;
use super::write::Part;
use super::{Dialect, list, text};
use crate::sigma::atom::Atom;
use crate::sigma::detection::Item;
use crate::sigma::fold::fold;
use crate::sigma::pattern::Piece;
use crate::sigma::rule::Rule;
use crate::source::{Route, Source};

/// The sources that a rule looks at, with the routes on which it does.
pub(super) struct Reach<'a> {
    sources: Vec<(&'a Source, Vec<&'a Route>)>,
}

impl<'a> Reach<'a> {
    pub(super) fn of(rule: &Rule, sources: &'a [Source]) -> Reach<'a> {
        let routes = |source: &'a Source| -> Vec<&'a Route> {
            source.routes.iter().filter(|route| rule.logsource.applies_to(&route.logsource)).collect()
        };
        let mut sources: Vec<(&Source, Vec<&Route>)> = sources.iter().map(|source| (source, routes(source))).collect();
        sources.retain(|(_, routes)| !routes.is_empty());
        sources.sort_by(|a, b| a.0.id.cmp(&b.0.id));
        Reach { sources }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    pub(super) fn ids(&self) -> Vec<SourceId> {
        self.sources.iter().map(|(source, _)| source.id.clone()).collect()
    }

    /// The sources among them whose fields stand elsewhere in their records than under the names that rules use.
    pub(super) fn reshaped(&self) -> Vec<&SourceId> {
        let is_reshaped = |(source, routes): &&(&Source, Vec<&Route>)| {
            !source.transparent.is_empty()
                || source.pairs.iter().any(|pairs| pairs.under.is_none())
                || !source.fields.is_empty()
                || routes.iter().any(|route| !route.fields.is_empty())
        };
        self.sources.iter().filter(is_reshaped).map(|(source, _)| &source.id).collect()
    }

    /// The condition that an event is one of those that the rule looks at.
    pub(super) fn part(&self, dialect: Dialect) -> Part {
        let ids: Vec<String> = self.sources.iter().map(|(source, _)| text(source.id.as_str(), dialect)).collect();
        let mut parts = vec![Part::call(format!("source IN ({})", ids.join(", ")))];
        let is_bound = |routes: &[&Route]| routes.iter().all(|route| !route.when.is_empty());
        if self.sources.iter().any(|(_, routes)| is_bound(routes)) {
            let each = self.sources.iter().map(|(source, routes)| {
                let here = Part::call(format!("source = {}", text(source.id.as_str(), dialect)));
                if !is_bound(routes) {
                    return here;
                }
                Part::all(vec![here, Part::any(routes.iter().map(|route| when(route, dialect)).collect())])
            });
            parts.push(Part::any(each.collect()));
        }
        Part::all(parts)
    }

    /// What redaction makes of an item: an error where its value is gone, a warning where part of what it reads is.
    ///
    /// Shape: messages go on from the rule's title.
    pub(super) fn reads<'t>(&self, item: &Item, atoms: impl Iterator<Item = &'t Atom>) -> Vec<Diagnostic> {
        let atoms: Vec<&Atom> = atoms.collect();
        let mut paths: Vec<String> = item.field.iter().map(|path| plain(path)).collect();
        paths.extend(
            atoms.iter().filter_map(|atom| if let Atom::Field { path, .. } = atom { Some(plain(path)) } else { None }),
        );
        let asks_value = atoms.iter().any(|atom| !matches!(atom, Atom::Null | Atom::Exists(_)));
        let takes_objects = atoms.iter().any(|atom| may_fit_object(atom));
        let mut told = Vec::new();
        for (source, _) in &self.sources {
            let sensitive: Vec<String> = source.sensitive.iter().map(|path| plain(path)).collect();
            let hiding = |is_hidden: &dyn Fn(&String) -> bool| -> Option<String> {
                let hidden: Vec<&str> = sensitive.iter().filter(|path| is_hidden(path)).map(String::as_str).collect();
                (!hidden.is_empty()).then(|| format!("`{}` of {}", hidden.join("`, `"), source.id))
            };
            let unders: Vec<String> =
                source.pairs.iter().filter_map(|pairs| pairs.under.as_deref().map(plain)).collect();
            for path in &paths {
                if unders.iter().any(|under| path == under || is_below(path, under)) {
                    told.push(elsewhere(item, path, &source.id));
                }
                if let Some(hidden) = hiding(&|hidden| (path == hidden && asks_value) || is_below(path, hidden)) {
                    told.push(gone(item, &hidden));
                } else if let Some(hidden) = hiding(&|hidden| takes_objects && is_below(hidden, path)) {
                    told.push(partly_gone(item, &format!("where `{path}` is an object"), &hidden));
                }
            }
            if let Some(hidden) = hiding(&|_| item.field.is_none()) {
                told.push(partly_gone(item, "keywords are looked for in the whole record", &hidden));
            }
        }
        if let Some(path) = paths.iter().find(|path| path.split('.').any(str::is_empty)) {
            let message = format!(" is not converted: a part of the path `{path}` is empty");
            let remedy = "write names between the dots".to_owned();
            told.push(Diagnostic::error(item.line, item.column, "sql-path", message, remedy));
        }
        told
    }
}

fn elsewhere(item: &Item, path: &str, source: &SourceId) -> Diagnostic {
    let message =
        format!(" is not converted: {source} keeps `{path}` in a list of pairs, which queries do not follow yet");
    let remedy = "scan the records themselves: `watchkeep scan --rules`";
    Diagnostic::error(item.line, item.column, "sql-reshaped", message, remedy)
}

fn gone(item: &Item, hidden: &str) -> Diagnostic {
    let message = format!(" is not converted: the lake keeps only a digest of {hidden}");
    let remedy = "hunt with another field; the rule itself reads records before they are redacted";
    Diagnostic::error(item.line, item.column, "sql-redacted", message, remedy)
}

fn partly_gone(item: &Item, why: &str, hidden: &str) -> Diagnostic {
    let message = format!(": {why}, and the lake keeps only a digest of {hidden}");
    let remedy = "name the field that is meant; what only a digest is kept of is not found";
    Diagnostic::warning(item.line, item.column, "sql-redacted", message, remedy)
}

fn when(route: &Route, dialect: Dialect) -> Part {
    let conditions = route.when.iter().map(|(path, values)| {
        let values: Vec<String> = values.iter().map(|value| fold(value)).collect();
        let values = list(values.iter().map(String::as_str), dialect);
        Part::call(format!("wk_is(wk_folded(wk_values(raw, {})), {values})", text(&plain(path), dialect)))
    });
    Part::all(conditions.collect())
}

fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.starts_with('.'))
}

/// Can the atom hold for the text of an object?
fn may_fit_object(atom: &Atom) -> bool {
    match atom {
        Atom::Text { pattern, .. } => match pattern.pieces().first() {
            Some(Piece::Literal(text)) => text.starts_with(['{', '[']),
            Some(_) => true,
            None => false,
        },
        Atom::Regex { .. } | Atom::Field { .. } => true,
        Atom::Null | Atom::Exists(_) | Atom::Number(_) => false,
        Atom::Network(_) | Atom::Compare { .. } | Atom::TimePart { .. } => false,
    }
}
