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

/// Says whether the block reader took the text; what it took is what the library gives.
fn is_block(text: &str) -> bool {
    let Some(root) = block::read(text, 3) else { return false };
    let mut diagnostics = Vec::new();
    assert_eq!(build::read(text, 3, &mut diagnostics), Some(root), "{text}");
    assert_eq!(diagnostics, [], "{text}");
    true
}

#[test]
fn what_rules_are_written_in_is_read_without_the_library_and_gives_the_same_tree() {
    for text in [
        "a: 1\nb:\n- c\n- 'd': \"e\"\n  f: g # h\n# i\nj:\n    - - k\n      - -l\n    -\n        m: n\n",
        "---\n# a\ntitle: É é\n'|all': it''s\n\"x\\\\y\": \"\\\"q\\\"\"\nlist:\n  - a: |\n      one\n\n        two \n    b: |-\n      #c\n\n\nlast: :x\n",
        "a: [b, 'c, d', -e, f:g, http://h/i#j ,[], { k: l, 'm': n} ] # o\np: {q: [r, {}], s t: 1}\nu: \"v\\n\\tw\"\n",
        "é: é # é\nü ü|contains: 'ü: # ü'\n",
    ] {
        assert!(is_block(text), "{text}");
    }
}

#[test]
fn whatever_is_not_certain_is_left_to_the_library() {
    for text in [
        "a: &b c",
        "a: !t c",
        "a: b\n c",
        "a: 'b\n c'",
        "a: >\n  b\n",
        "a: b: c",
        "a: b\n  c: d",
        "a: |\n\n  b\n",
        "a:\n",
        "a: 1\na: 2",
        "? a\n: b",
        "a:\tb",
        "- a\nb: c",
        "a: \"\\x41\"",
        "a\n",
        "a: 'b' c",
        "a : b",
        "a: @b",
        "a:\n    - b\n  - c\n",
        "%YAML 1.2\n",
        "a: |\n  b",
        "a: b\n...\n",
        " a: b\n",
        "",
        "# a\n",
        "a: '",
        "a: |+\n  b\n",
        "a: |\n    b\n  c: d\n",
    ] {
        assert!(block::read(text, 0).is_none(), "{text}");
    }
}

#[test]
fn shipped_rules_and_their_tests_are_read_without_the_library() {
    for text in [
        include_str!("../../../../content/packs/identity/iam_custody_role_changed.yml"),
        include_str!("../../../../content/packs/identity/iam_custody_role_changed.test.yml"),
        include_str!("../../../../content/packs/cloud/lambda_code_replaced_by_person.yml"),
        include_str!("../../../../content/packs/cloud/lambda_invocable_from_outside.test.yml"),
        include_str!("../../../../content/packs/weights/kms_weights_key_endangered.test.yml"),
    ] {
        assert!(is_block(text), "{text}");
    }
}

/// A rule with everything that the block reader takes.
const RULE: &str = "---
title: A title # with a comment
description: |
    Several lines
      of text

    and more
tags: [attack.t1, 'a b', {k: v, l: \"w\\n\"}]
detection:
    sel:
        - Image|endswith: '\\\\cmd.exe'
          'Quoted''key': \"text: #1\"
        -   - -enc
            - a*b?
    '|all':
    - one
    - two: 2
    # a comment
    last: |-
        end
level: low
";

proptest! {
    #[test]
    fn the_block_reader_and_the_library_give_the_same_tree(
        text in "((\n|\n  |\n    |\n      |)(- |-|)(a|b|c d|'e'|\"f\"|-g|#|é|\\|all|)(: |:| #|: \\|-?| : ||)(x|'y''z'|\"\\\\\\\\n\"|-|- | |~|\\[|))+\n?"
    ) {
        is_block(&text);
    }

    #[test]
    fn a_slip_in_a_rule_gives_the_same_tree(
        slips in proptest::collection::vec((0usize..RULE.len(), 0usize..3, "(|\n|\n  | | #|#|:|: |-|- |'|\"|\\\\|,|\\[|\\]|\\{|\\}|\\||>|&|\\*|!|%|\\?|\t|é|x|---|\\.\\.\\.)"), 1..4)
    ) {
        let mut text = RULE.to_owned();
        for (at, length, slip) in slips {
            text.replace_range(at.min(text.len())..(at + length).min(text.len()), &slip);
            if !text.is_ascii() {
                break;
            }
        }
        is_block(&text);
    }

    #[test]
    fn lists_and_maps_in_brackets_give_the_same_tree(text in "a: (\\[|\\{|\\]|\\}|, ?|b|c d|: |:|-|#| |'e'|\"f\\\\n\"|é|\\[\\]|\\{b: c\\}|\\{'e': b, |g: |\\[b, ){0,14}") {
        is_block(&text);
    }

    #[test]
    fn lines_of_lists_and_maps_give_the_same_tree(
        lines in proptest::collection::vec((0usize..5, "(- ){0,2}", "([a-f]|'g'|h i)(: |:)", "(|x|'y'|z # w|\\|)"), 1..12)
    ) {
        let text: String = lines.iter().map(|(depth, dashes, key, value)| format!("{}{dashes}{key}{value}\n", "  ".repeat(*depth))).collect();
        is_block(&text);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC*") {
        parse(&text);
    }

    #[test]
    fn no_yaml_like_text_makes_it_panic(text in "([a-c]:|[ \n\t]|- |\\[|\\]|\\{|\\}|,|'|\"|&a|\\*a|---\n|\\||>|#|!|%|\\?|[0-9]){0,60}") {
        parse(&text);
    }
}
