//! SQLite with the functions of converted rules, and a table of events.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use engine::Source;
use engine::sigma::sql::functions::{self, Expression, Path};
use engine::sigma::sql::{Dialect, Query, convert};
use engine::sigma::{Filter, Inventory, LogSource, Rule};
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::{Connection, Result};

/// A database of events, numbered from 0.
pub struct Lent(Connection);

fn list(context: &Context<'_>, at: usize) -> Result<Vec<String>> {
    let text: String = context.get(at)?;
    Ok(serde_json::from_str(&text).expect("lists are JSON arrays of text"))
}

fn json(texts: &[String]) -> String {
    serde_json::to_string(texts).expect("text is JSON")
}

type OfPath<T> = fn(&mut Path, &str) -> T;

impl Lent {
    /// A database with these records of one source.
    pub fn new(source: &str, records: &[&str]) -> Lent {
        let lent = Lent(Connection::open_in_memory().expect("memory"));
        lent.lend().expect("functions can be made");
        lent.0
            .execute("CREATE TABLE events (event_id INTEGER, time TEXT, source TEXT, raw TEXT)", [])
            .expect("a table");
        for (at, record) in records.iter().enumerate() {
            let row = (i64::try_from(at).expect("few"), "2026-01-01", source, record);
            lent.0.execute("INSERT INTO events VALUES (?, ?, ?, ?)", row).expect("a row");
        }
        lent
    }

    /// The numbers of the events that a query finds.
    pub fn found(&self, sql: &str) -> BTreeSet<usize> {
        let mut statement = self.0.prepare(sql).unwrap_or_else(|error| panic!("{error}\n{sql}"));
        let rows = statement.query_map([], |row| row.get::<_, u32>(0)).expect("rows");
        rows.map(|row| row.unwrap_or_else(|error| panic!("{error}\n{sql}")) as usize).collect()
    }

    fn lend(&self) -> Result<()> {
        self.of_path("wk_values", |path, raw| json(&path.values(raw)))?;
        self.of_path("wk_elements", |path, raw| json(&path.elements(raw)))?;
        self.of_path("wk_numbers", |path, raw| json(&path.numbers(raw)))?;
        self.of_path("wk_has", |path, raw| path.has(raw))?;
        self.of_path("wk_is_null", |path, raw| path.is_null(raw))?;
        self.of("wk_leaves", 1, |context| Ok(json(&functions::leaves(&context.get::<String>(0)?))))?;
        self.of("wk_folded", 1, |context| Ok(json(&functions::folded(&list(context, 0)?))))?;
        for (name, relates) in [
            ("wk_is", functions::is as fn(&[String], &[String]) -> bool),
            ("wk_starts_with", functions::starts_with),
            ("wk_ends_with", functions::ends_with),
            ("wk_contains", functions::contains),
            ("wk_in_network", functions::in_network),
        ] {
            self.of(name, 2, move |context| Ok(relates(&list(context, 0)?, &list(context, 1)?)))?;
        }
        self.of("wk_matches", 2, |context| {
            let expression = Expression::new(&context.get::<String>(1)?).expect("what is converted compiles");
            Ok(expression.matches(&list(context, 0)?))
        })?;
        self.of("wk_compare", 3, |context| {
            Ok(functions::compare(&list(context, 0)?, &context.get::<String>(1)?, &context.get::<String>(2)?))
        })?;
        self.of("wk_time_parts", 2, |context| {
            Ok(json(&functions::time_parts(&list(context, 0)?, &context.get::<String>(1)?)))
        })
    }

    fn of<T: rusqlite::ToSql>(
        &self,
        name: &str,
        arguments: i32,
        f: impl Fn(&Context<'_>) -> Result<T> + Send + 'static,
    ) -> Result<()> {
        let f = std::panic::AssertUnwindSafe(f);
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
        self.0.create_scalar_function(name, arguments, flags, move |context| (f.0)(context))
    }

    fn of_path<T: rusqlite::ToSql + 'static>(&self, name: &str, f: OfPath<T>) -> Result<()> {
        let paths: Mutex<HashMap<String, Path>> = Mutex::default();
        self.of(name, 2, move |context| {
            let (raw, path): (String, String) = (context.get(0)?, context.get(1)?);
            let mut paths = paths.lock().expect("no test panics while it reads a path");
            Ok(f(paths.entry(path.clone()).or_insert_with(|| Path::new(&path)), &raw))
        })
    }
}

/// A source that carries these log sources on all its records.
pub fn source(id: &str, logsources: &[LogSource]) -> Source {
    let text = format!(
        "id: {id}\ntitle: Test\nrecognise: [{{has: [at]}}]\ntime: [at]\nocsf: {{class_uid: 6003, category_uid: 6}}\n\
         logsource: {{product: test}}\n"
    );
    let (source, wrong) = Source::parse(&text);
    let mut source = source.unwrap_or_else(|| panic!("{wrong:?}"));
    let route = source.routes[0].clone();
    let route = |logsource: &LogSource| engine::source::Route { logsource: logsource.clone(), ..route.clone() };
    source.routes = logsources.iter().map(route).collect();
    source.logsources = logsources.to_vec();
    source
}

/// The rule as a query over a source of its own, called `test`.
pub fn query(
    rule: &Rule,
    filters: &[Filter],
    inventory: &Inventory,
    dialect: Dialect,
) -> std::result::Result<Query, Vec<engine::Diagnostic>> {
    convert(rule, filters, inventory, &[source("lab_test", std::slice::from_ref(&rule.logsource))], dialect)
}
