use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;
use crate::field::FieldsBuilder;
use crate::record::Scalar;

const PATHS: [&str; 9] = ["a", "b", "a.b", "a.b.c", "c", "b.c", "a.a", "c.\"q\"", "b.a.b.c"];

fn fields() -> Fields {
    let mut builder = FieldsBuilder::new();
    PATHS.iter().for_each(|path| {
        builder.intern(path);
    });
    builder.build()
}

fn outcome(text: &str) -> Result<(), Reject> {
    let fields = fields();
    extract(&fields, text, &mut Scratch::new(&fields), &Limits::default()).map(|_| ())
}

/// What a plain walk over the parsed value finds under `path`.
fn plain(value: &Value, path: &str, found: &mut Vec<Value>) {
    match value {
        Value::Array(list) if !list.is_empty() => list.iter().for_each(|value| plain(value, path, found)),
        _ if path.is_empty() => found.push(value.clone()),
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            if key == path {
                plain(value, "", found);
            } else if let Some(rest) = path.strip_prefix(key.as_str()).and_then(|rest| rest.strip_prefix('.')) {
                plain(value, rest, found);
            }
        }),
        _ => {}
    }
}

fn agrees(scalar: Scalar<'_>, value: &Value) -> bool {
    match (scalar, value) {
        (Scalar::Null, Value::Null) => true,
        (Scalar::Bool(ours), Value::Bool(theirs)) => ours == *theirs,
        (Scalar::Number(ours), Value::Number(theirs)) => ours == theirs.to_string(),
        (Scalar::Str(ours), Value::String(theirs)) => ours == theirs,
        (Scalar::Composite(raw), value) => serde_json::from_str::<Value>(raw).ok().as_ref() == Some(value),
        _ => false,
    }
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z\"\\\\\n\u{1}é😀{}\\[\\]:, ]{0,12}".prop_map(Value::from),
    ];
    let key = prop::sample::select(vec!["a", "b", "c", "a.b", "b.c", "a.b.c", "\"q\"", "other", "é"]);
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(|entries| {
                Value::Object(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
            }),
        ]
    })
}

#[test]
fn a_number_keeps_its_lexeme_and_a_string_loses_its_escapes() {
    let fields = fields();
    let mut scratch = Scratch::new(&fields);
    let text = r#"{"a":1.50E+2,"b":"\u00e9\ud83d\ude00\/\ud800","\u0063":-0}"#;
    let record = extract(&fields, text, &mut scratch, &Limits::default()).unwrap();
    let value = |path: &str| record.first_str(fields.get(path).unwrap()).unwrap().to_owned();
    assert_eq!((value("a"), value("b"), value("c")), ("1.50E+2".into(), "é😀/\u{fffd}".into(), "-0".into()));
}

#[test]
fn only_keys_that_are_read_may_not_stand_twice() {
    assert_eq!(outcome(r#"{"a":1,"a":2}"#), Err(Reject::DuplicateKey));
    assert_eq!(outcome(r#"{"a":{"b":1,"\u0062":2}}"#), Err(Reject::DuplicateKey));
    assert_eq!(outcome(r#"{"z":1,"z":2}"#), Ok(()));
    assert_eq!(
        outcome(r#"{"a":[{"b":1},{"b":2}],"z":{"a":1,"a":1}}"#),
        Ok(()),
        "two objects, and a subtree that is not read"
    );
}

#[test]
fn depth_is_bounded_without_recursion() {
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(outcome(&deep(128)), Ok(()));
    assert_eq!(outcome(&deep(129)), Err(Reject::TooDeep));
    let wide = Limits { depth: usize::MAX, ..Limits::default() };
    let fields = fields();
    let mut scratch = Scratch::new(&fields);
    for text in [deep(1_000_000), format!("{}1{}", "{\"a\":".repeat(1_000_000), "}".repeat(1_000_000))] {
        assert!(extract(&fields, &text, &mut scratch, &wide).is_ok(), "a million levels need no stack");
    }
}

#[test]
fn leaves_are_strings_and_numbers_but_not_keys() {
    let fields = fields();
    let mut scratch = Scratch::new(&fields);
    let text = r#"{"k":"a\"b","n":[1,-2.5e3,{"x":"y"}],"t":true,"e":""}"#;
    let record = extract(&fields, text, &mut scratch, &Limits::default()).unwrap();
    let mut leaves = Vec::new();
    record.for_each_leaf(&mut |leaf| leaves.push(leaf.to_owned()));
    assert_eq!(leaves, ["a\"b", "1", "-2.5e3", "y", ""]);
}

#[test]
fn every_cut_of_a_record_is_truncated_and_never_a_record() {
    let text = r#"{"a":[1.5e-3,true,null,"x\u0041y"],"b":{"c":-0.1},"z":[]}"#;
    for end in 1..text.len() {
        assert_eq!(outcome(&text[..end]), Err(Reject::Truncated), "{}", &text[..end]);
    }
    assert_eq!(outcome(text), Ok(()));
}

proptest! {
    #[test]
    fn one_pass_finds_what_a_plain_walk_finds(value in json(), is_pretty in any::<bool>()) {
        let text = if is_pretty { format!("{value:#}") } else { value.to_string() };
        let fields = fields();
        let mut scratch = Scratch::new(&fields);
        // A scratch that has held another record must not show it.
        let _ = extract(&fields, r#"{"a":{"b":"old"},"c":[1,2,"\u0041"]}"#, &mut scratch, &Limits::default());
        let record = extract(&fields, &text, &mut scratch, &Limits::default()).expect("it is JSON");
        for path in PATHS {
            let mut expected = Vec::new();
            plain(&value, path, &mut expected);
            let found: Vec<Scalar<'_>> = record.values(fields.get(path).expect("declared")).collect();
            prop_assert_eq!(found.len(), expected.len(), "{} in {}", path, &text);
            for (ours, theirs) in found.iter().zip(&expected) {
                prop_assert!(agrees(*ours, theirs), "{} in {}: {:?}", path, &text, ours);
            }
        }
    }

    #[test]
    fn what_another_parser_takes_or_refuses_is_taken_or_refused(text in "[\\[\\]{}:,\"a0-9.eE+\\- \\\\untrufalsn]{0,24}") {
        // A value that is ignored is checked and not built, so no f64 has to hold its numbers.
        let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        let ours = matches!(outcome(&text), Ok(()) | Err(Reject::DuplicateKey));
        prop_assert_eq!(ours, theirs, "{}", text);
    }

    #[test]
    fn no_bytes_make_it_panic(text in "\\PC{0,60}") {
        let _ = outcome(&text);
        for_each_leaf(&text, &mut |_| {});
    }
}
