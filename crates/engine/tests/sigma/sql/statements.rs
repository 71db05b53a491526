//! The queries themselves, for people who read what they paste.

use engine::sigma::sql::Dialect;
use engine::sigma::{Inventory, Rule};

use super::lent::query;
use crate::data::rules;

const DETECTIONS: [(&str, &str); 13] = [
    ("exact", "{s: {eventSource: sts.amazonaws.com, eventName: [AssumeRole, GetSessionToken]}, condition: s}"),
    ("affixes", "{s: {a|contains: [x, Y], b|startswith: \"it's\", c|endswith: '.exe'}, condition: s}"),
    ("not", "{s: {a: x}, f: {b: y}, condition: s and not f}"),
    ("not_of_several", "{s: {a: x}, f1: {b: y, c: z}, f2: {b: null}, condition: s and not 1 of f*}"),
    ("two_of", "{s1: {a: x}, s2: {b: y}, s3: {c: z}, condition: 2 of s*}"),
    ("numbers", "{s: {code: 4104, size|gte: 1024, n: '7'}, condition: s}"),
    ("wildcards", "{s: {a: ['prog?.exe', '*a*b', '*'], b|cased: 'C:\\\\*\\x'}, condition: s}"),
    ("expressions", "{s: {a|re: '^[a-f\\d]{8}$', b|re|i: 'key|tok.n'}, condition: s}"),
    ("networks", "{s: {ip|cidr: [10.0.0.0/8, '2001:db8::/32']}, f: {ip|cidr|neq: 10.1.0.0/16}, condition: s and f}"),
    ("times", "{s: {at|hour|lt: 6, at|year: 2026}, condition: s}"),
    ("other_fields", "{s: {a|fieldref: b, c|fieldref|contains: d.e, f|fieldref|cased: g}, condition: s}"),
    ("presence", "{s: {a|exists: true, b|exists: false, c: null, d: ''}, condition: s}"),
    ("keywords", "{s: [whoami, 'a*b'], condition: s}"),
];

fn rule(detection: &str) -> Rule {
    rules(&format!("title: T\nlogsource: {{product: test}}\ndetection: {detection}\n")).remove(0)
}

#[test]
fn statements_read_as_the_rule_reads() {
    let mut page = String::new();
    for (name, detection) in DETECTIONS {
        let query = query(&rule(detection), &[], &Inventory::new(), Dialect::DuckDb)
            .unwrap_or_else(|e| panic!("{name}: {e:?}"));
        page.push_str(&format!("-- {name}: {detection}\n{}\n\n", query.sql));
    }
    insta::assert_snapshot!(page);
}

#[test]
fn dialects_differ_in_expressions_lists_and_nul() {
    let detection = "{s: {\"a\": \"x\\0y\", b|re|i: 'a(?!b)', c: [p, q]}, condition: s}";
    let mut page = String::new();
    for dialect in [Dialect::DataFusion, Dialect::Sqlite] {
        let query = query(&rule(detection), &[], &Inventory::new(), dialect).expect("converts");
        page.push_str(&format!("-- {}\n{}\n\n", dialect.as_str(), query.sql.replace('\0', "<NUL>")));
    }
    let plain = rule("{s: {\"a\": \"x\\0y\"}, condition: s}");
    page.push_str(&query(&plain, &[], &Inventory::new(), Dialect::DuckDb).expect("converts").sql);
    insta::assert_snapshot!(page);
}
