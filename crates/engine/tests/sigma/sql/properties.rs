//! Generated rules on generated events, and texts with everything in them that SQL could take for its own.

use std::collections::BTreeSet;

use engine::sigma::sql::{Dialect, setup};
use engine::sigma::{Inventory, Value};
use proptest::prelude::*;
use serde_json::json;

use super::lent::{Lent, query};
use crate::data::{Bench, rules};
use crate::plain::{NAMES, inventory, write};
use crate::reference::{condition, event, search};

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn queries_find_what_the_engine_finds(
        searches in proptest::collection::vec(search(), NAMES.len()),
        condition in condition(),
        events in proptest::collection::vec(event(), 1..8),
    ) {
        let text = write(&searches, &condition);
        let rule = &rules(&text)[0];
        let (mut bench, _) = Bench::new(std::slice::from_ref(rule), &[], &inventory());
        let events: Vec<String> = events.iter().map(|event| event.text()).collect();
        let records: Vec<&str> = events.iter().map(String::as_str).collect();
        let query = query(rule, &[], &inventory(), Dialect::Sqlite).expect("nothing here is refused");
        let found = Lent::new("lab_test", &records).found(&query.sql);
        let held: BTreeSet<usize> = (0..records.len()).filter(|at| !bench.hits(records[*at]).is_empty()).collect();
        prop_assert_eq!(found, held, "{}\n{:?}\n{}", text, records, query.sql);
    }

    /// Whatever a rule says is text: it finds itself, and the statement around it stays one statement.
    #[test]
    fn no_value_and_no_field_gets_out_of_its_quotes(
        value in "[a'\"\\\\%_\\[\\](){};,:|&$é\u{0}\u{1}\n\r\t\u{2028}😀 -]{0,12}",
        field in "[a'\"\\\\%_é😀 /~$@-]{1,6}",
        other in "['\"\\\\;a-]{0,6}",
    ) {
        prop_assume!(!field.is_empty() && field == field.trim());
        let mut rule = rules("title: T\nlogsource: {product: test}\ndetection: {s: {a|cased: x, a|contains: x}, condition: s}\n").remove(0);
        rule.title = format!("{value}{other}");
        rule.detection.searches[0].body = literal(rule.detection.searches[0].body.clone(), &field, &value);
        let (mut bench, told) = Bench::new(std::slice::from_ref(&rule), &[], &Inventory::new());
        prop_assert!(told.is_empty(), "{told:?}");
        let records = [json!({field.as_str(): value}).to_string(), json!({field.as_str(): other}).to_string()];
        let records: Vec<&str> = records.iter().map(String::as_str).collect();
        let query = query(&rule, &[], &Inventory::new(), Dialect::Sqlite).expect("nothing here is refused");
        let found = Lent::new("lab_test", &records).found(&query.sql);
        prop_assert!(found.contains(&0), "{}", query.sql);
        let held: BTreeSet<usize> = (0..records.len()).filter(|at| !bench.hits(records[*at]).is_empty()).collect();
        prop_assert_eq!(found, held, "{}\n{:?}", query.sql, records);
    }
}

/// The same search for `value` itself in `field`, without wildcards.
fn literal(body: engine::sigma::Group, field: &str, value: &str) -> engine::sigma::Group {
    use engine::sigma::Group;
    match body {
        Group::All(parts) => Group::All(parts.into_iter().map(|part| literal(part, field, value)).collect()),
        Group::Any(parts) => Group::Any(parts.into_iter().map(|part| literal(part, field, value)).collect()),
        Group::Item(mut item) => {
            item.field = Some(field.to_owned());
            item.values = vec![Value::Text(value.replace('\\', "\\\\"))];
            Group::Item(item)
        }
    }
}

#[test]
fn a_field_name_is_trimmed_as_the_engine_trims_it() {
    let rule = &rules("title: T\nlogsource: {product: test}\ndetection: {s: {'a[].b ': x}, condition: s}\n")[0];
    let query = query(rule, &[], &Inventory::new(), Dialect::DuckDb).expect("converts");
    assert!(query.sql.contains("wk_values(raw, 'a.b')"), "{}", query.sql);
}

#[test]
fn only_duckdb_needs_statements_before_the_queries() {
    let text = setup(Dialect::DuckDb).expect("macros");
    assert!(!text.contains("{FOLD") && !text.contains("{LINE") && !text.contains("{SPACES}"));
    assert!(text.contains("'bucket_owner', 'bucketowner', 'bucket'") && text.contains("[1, 1, 2, 2, 3, 3"));
    assert_eq!((setup(Dialect::DataFusion), setup(Dialect::Sqlite)), (None, None));
}
