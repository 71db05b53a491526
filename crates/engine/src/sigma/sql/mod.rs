//! SQL: a rule as a query over the lake's events, so that a rule and its hunt agree.
//!
//! In: a [`Rule`] with the filters, inventory and sources that it is compiled with. Out: a [`Query`], or every reason why there is none.
//! The query comes from the same atoms as the compiled rule, so both have one meaning. What a dialect cannot say is refused, never
//! said otherwise.
//! A query asks functions about `raw`, the record in the lake: [`functions`] says what each means and is what a host lends to its
//! database; for DuckDB they are macros in plain SQL ([`setup()`]).
//! Bound: [`SQL_BYTES_MAX`]. A rule whose query would be longer is refused.

mod expression;
pub mod functions;
mod item;
mod line;
mod literal;
mod reach;
mod setup;
mod write;

use std::collections::BTreeSet;

use model::{Diagnostic, SourceId};

use super::atom::{self, Problem};
use super::detection::{Condition, Detection, Group, Item, Of, Value};
use super::document::Filter;
use super::inventory::Inventory;
use super::modifier::Modifier;
use super::rule::Rule;
use crate::source::Source;
use item::Translation;
use literal::{list, text};
use reach::Reach;
pub use setup::setup;
use write::Part;

/// Bytes of one query.
pub const SQL_BYTES_MAX: usize = 8 << 20;

/// A database's SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// DuckDB 1.4 or later: the functions are macros.
    DuckDb,
    /// Apache DataFusion: the host registers the functions; lists are lists of text.
    DataFusion,
    /// SQLite: the host registers the functions; lists are JSON arrays in text.
    Sqlite,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Dialect; 3] = [Dialect::DuckDb, Dialect::DataFusion, Dialect::Sqlite];

    /// The dialect's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Dialect::DuckDb => "duckdb",
            Dialect::DataFusion => "datafusion",
            Dialect::Sqlite => "sqlite",
        }
    }
}

/// A rule as a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// One statement without its semicolon: the events of the rule, each once.
    pub sql: String,
    /// The sources whose events it looks at, in order.
    pub sources: Vec<SourceId>,
    /// Where the lake holds less than the rule saw.
    pub warnings: Vec<Diagnostic>,
}

/// Translates a rule, narrowed by the filters that take it and filled from the inventory.
///
/// Shape: `SELECT DISTINCT event_id, time, source, raw FROM events WHERE …`, over a relation with the lake's columns.
/// Errors: every reason why the rule has no query that means the same, with line and remedy.
pub fn convert(
    rule: &Rule,
    filters: &[Filter],
    inventory: &Inventory,
    sources: &[Source],
    dialect: Dialect,
) -> Result<Query, Vec<Diagnostic>> {
    let reach = Reach::of(rule, sources);
    let mut converter = Converter { inventory, dialect, reach: &reach, title: "", file: "", told: Vec::new() };
    converter.place(&rule.title, &rule.file);
    if reach.is_empty() {
        converter.no_source(rule);
    }
    for source in reach.reshaped() {
        let what = format!(
            "{source} keeps fields elsewhere in its records than under their names, which queries do not follow yet"
        );
        converter.refuse_rule(rule, "sql-reshaped", what, "scan the records themselves: `watchkeep scan --rules`");
    }
    let mut parts = vec![converter.detection(&rule.detection)];
    for filter in filters.iter().filter(|filter| filter.takes(rule)) {
        converter.place(&filter.title, &filter.file);
        parts.push(converter.detection(&filter.detection));
    }
    let (errors, warnings): (Vec<Diagnostic>, Vec<Diagnostic>) =
        converter.told.into_iter().partition(Diagnostic::is_error);
    if !errors.is_empty() {
        return Err(errors);
    }
    parts.insert(0, reach.part(dialect));
    let sql = write::query(parts).ok_or_else(|| vec![too_long(rule)])?;
    Ok(Query { sql, sources: reach.ids(), warnings })
}

fn too_long(rule: &Rule) -> Diagnostic {
    let message = format!("`{}` is not converted: its query would have more than {SQL_BYTES_MAX} bytes", rule.title);
    let remedy = "shorten its lists, or split the rule";
    Diagnostic::error(rule.line, 0, "sql-too-long", message, remedy).in_file(rule.file.clone())
}

struct Converter<'a> {
    inventory: &'a Inventory,
    dialect: Dialect,
    reach: &'a Reach<'a>,
    title: &'a str,
    file: &'a str,
    told: Vec<Diagnostic>,
}

impl<'a> Converter<'a> {
    fn place(&mut self, title: &'a str, file: &'a str) {
        (self.title, self.file) = (title, file);
    }

    fn no_source(&mut self, rule: &Rule) {
        let logsource = &rule.logsource;
        let parts =
            [("product", &logsource.product), ("category", &logsource.category), ("service", &logsource.service)];
        let named: Vec<String> =
            parts.iter().filter_map(|(name, part)| Some(format!("{name}: {}", part.as_ref()?))).collect();
        let what = format!("no source carries {{{}}}", named.join(", "));
        let remedy = "the lake holds events of known sources only; `watchkeep sources` lists them";
        self.refuse_rule(rule, "sql-no-source", what, remedy);
    }

    fn refuse_rule(&mut self, rule: &Rule, code: &'static str, what: String, remedy: &str) {
        let message = format!("`{}` is not converted: {what}", rule.title);
        self.tell(Diagnostic::error(rule.line, 0, code, message, remedy));
    }

    fn refuse(&mut self, item: &Item, problem: Problem) {
        let Problem { code, message, remedy, .. } = problem;
        let message = format!("`{}` is not converted: {message}", self.title);
        self.tell(Diagnostic::error(item.line, item.column, code, message, remedy));
    }

    fn tell(&mut self, diagnostic: Diagnostic) {
        let diagnostic = diagnostic.in_file(self.file);
        if !self.told.contains(&diagnostic) {
            self.told.push(diagnostic);
        }
    }

    fn detection(&mut self, detection: &Detection) -> Part {
        let searches: Vec<Part> = detection.searches.iter().map(|search| self.group(&search.body)).collect();
        Part::any(detection.conditions.iter().map(|condition| joined(condition, &searches)).collect())
    }

    fn group(&mut self, group: &Group) -> Part {
        match group {
            Group::All(parts) => Part::all(parts.iter().map(|part| self.group(part)).collect()),
            Group::Any(parts) => Part::any(parts.iter().map(|part| self.group(part)).collect()),
            Group::Item(item) => self.item(item),
        }
    }

    fn item(&mut self, item: &Item) -> Part {
        let unknown = self.unknown_placeholders(item);
        let is_known = unknown.is_empty();
        unknown.into_iter().for_each(|problem| self.refuse(item, problem));
        if !is_known {
            return Part::Constant(false);
        }
        if !atom::ends_of(item, self.inventory).is_empty() {
            let (code, message) = ("list-with-ends", "a list that it names has values that end".to_owned());
            let remedy = "remove `until` from the list, or hunt with `watchkeep scan`".to_owned();
            self.refuse(item, Problem { code, message, remedy, at: None });
            return Part::Constant(false);
        }
        let lists = match atom::of_item(item, self.inventory) {
            Ok(lists) => lists,
            Err(problem) => {
                self.refuse(item, problem);
                return Part::Constant(false);
            }
        };
        for told in self.reach.reads(item, lists.iter().flatten()) {
            let message = format!("`{}`{}", self.title, told.message);
            self.tell(Diagnostic { message, ..told });
        }
        let mut translation = Translation::new(self.dialect, item.field.as_deref());
        let part = if item.modifiers.has(Modifier::All) {
            Part::all(lists.into_iter().map(|atoms| translation.any(atoms)).collect())
        } else {
            translation.any(lists.into_iter().flatten().collect())
        };
        translation.problems.into_iter().for_each(|problem| self.refuse(item, problem));
        if item.modifiers.has(Modifier::Neq) { Part::Not(Box::new(part)) } else { part }
    }

    fn unknown_placeholders(&self, item: &Item) -> Vec<Problem> {
        let texts = item.values.iter().filter_map(Value::as_text).filter(|_| item.modifiers.has(Modifier::Expand));
        let names: BTreeSet<&str> = texts.flat_map(atom::placeholders).map(|(_, name)| name).collect();
        names.into_iter().filter(|name| self.inventory.get(name).is_none()).map(atom::unknown).collect()
    }
}

fn joined(condition: &Condition, searches: &[Part]) -> Part {
    let several = |parts: &[Condition]| parts.iter().map(|part| joined(part, searches)).collect();
    match condition {
        Condition::Search(search) => searches[*search].clone(),
        Condition::Not(part) => Part::Not(Box::new(joined(part, searches))),
        Condition::And(parts) => Part::all(several(parts)),
        Condition::Or(parts) => Part::any(several(parts)),
        Condition::Of(Of { least, searches: named, .. }) => {
            let parts: Vec<Part> = named.iter().map(|search| searches[*search].clone()).collect();
            match least {
                None => Part::all(parts),
                Some(1) => Part::any(parts),
                Some(least) => Part::AtLeast(*least, parts),
            }
        }
    }
}
