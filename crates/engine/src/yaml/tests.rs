use proptest::prelude::*;

use super::*;

fn one(text: &str) -> Node<'_> {
    let (mut documents, diagnostics) = parse(text);
    assert_eq!(diagnostics, [], "{text}");
    documents.remove(0).root
}

fn codes(text: &str) -> Vec<(String, usize, usize)> {
    parse(text).1.into_iter().map(|d| (d.code, d.line, d.column)).collect()
}

#[test]
fn every_node_knows_its_place() {
    let root = one("title: A\ndetection:\n    sel:\n        - x: 1\n");
    let list = root.get("detection").and_then(|d| d.get("sel")).expect("present");
    let entry = &list.as_list().expect("list")[0].as_map().expect("map")[0];
    assert_eq!((entry.line, entry.column), (4, 11));
    assert_eq!((entry.value.line, entry.value.column), (4, 14));
}

#[test]
fn unquoted_scalars_have_types_and_dates_stay_text() {
    let typed = |text| type_of(text);
    assert_eq!(typed("2024-01-02"), Typed::Text("2024-01-02"));
    assert_eq!(typed("12"), Typed::Number("12"));
    assert_eq!(typed("-1.5e3"), Typed::Number("-1.5e3"));
    assert_eq!(typed("0x1f"), Typed::Number("0x1f"));
    assert_eq!(typed("1_000"), Typed::Text("1_000"));
    assert_eq!(typed("22:22"), Typed::Text("22:22"));
    assert_eq!(typed("no"), Typed::Text("no"));
    assert_eq!(typed("."), Typed::Text("."));
    assert_eq!(typed("-"), Typed::Text("-"));
    assert_eq!(typed("True"), Typed::Bool(true));
    assert_eq!(one("a: '12'").get("a").and_then(Node::typed), Some(Typed::Text("12")));
    assert_eq!(one("a: ''").get("a").and_then(Node::typed), Some(Typed::Text("")));
    assert_eq!(one("a:").get("a").and_then(Node::typed), Some(Typed::Null));
    assert_eq!(one("a: !!str 12").get("a").and_then(Node::typed), Some(Typed::Text("12")));
}

#[test]
fn a_broken_document_does_not_hide_the_others() {
    let (documents, diagnostics) = parse("a: 1\n---\nb: [1\n---\nc: 3\n");
    let lines: Vec<usize> = documents.iter().map(|document| document.line).collect();
    assert_eq!(lines, [1, 5]);
    assert_eq!(diagnostics.len(), 1);
    assert!((3..=4).contains(&diagnostics[0].line), "{:?}", diagnostics[0]);
}

#[test]
fn a_key_stands_once() {
    assert_eq!(codes("a: 1\nb:\n  c: 1\n  c: 2\n"), [("duplicate-key".to_owned(), 4, 3)]);
}

#[test]
fn aliases_are_values_and_are_counted() {
    assert_eq!(one("a: &x [1, 2]\nb: *x\n").to_json(), serde_json::json!({"a": [1, 2], "b": [1, 2]}));
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let refs = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb += &format!("a{level}: &a{level} [{refs}]\n");
    }
    assert_eq!(codes(&bomb)[0].0, "too-many-values");
    assert_eq!(codes("a: &a [*a]")[0].0, "alias-cycle");
    assert_eq!(codes("a: *b")[0].0, "yaml-syntax");
}

#[test]
fn depth_has_an_end() {
    assert_eq!(codes(&"[".repeat(100))[0].0, "too-deep");
    assert_eq!(codes(&"[".repeat(100_000)).len(), 1);
    assert_eq!(codes(&"{a: ".repeat(100_000)).len(), 1);
    let mut text = String::new();
    for level in 0..200 {
        text += &format!("{}a:\n", " ".repeat(level));
    }
    assert_eq!(codes(&text)[0].0, "too-deep");
}

#[test]
fn numbers_become_json_numbers() {
    assert_eq!(
        one("[1, 1.5, 0x10, 18446744073709551615, 1e400, text]").to_json().to_string(),
        r#"[1,1.5,16,18446744073709551615,"1e400","text"]"#
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC*") {
        parse(&text);
    }

    #[test]
    fn no_yaml_like_text_makes_it_panic(text in "([a-c]:|[ \n\t]|- |\\[|\\]|\\{|\\}|,|'|\"|&a|\\*a|---\n|\\||>|#|!|%|\\?|[0-9]){0,60}") {
        parse(&text);
    }
}
