use model::Reject;
use proptest::prelude::*;

use super::{Format, Frame, Framer};
use crate::limits::Limits;

const SMALL: Limits = Limits { record_bytes: 64, depth: 8, reject_bytes: 16 };

type Seen = (String, u64, Result<(), Reject>);

fn cut(format: Format, limits: Limits, pieces: &[&[u8]]) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut each = |frame: Frame<'_>| {
        seen.push((String::from_utf8_lossy(frame.bytes).into_owned(), frame.offset, frame.outcome));
    };
    let mut framer = Framer::new(format, limits);
    for piece in pieces {
        framer.push(piece, &mut each);
    }
    framer.finish(&mut each);
    seen
}

fn texts(text: &str) -> Vec<String> {
    cut(Format::Auto, Limits::default(), &[text.as_bytes()]).into_iter().map(|(bytes, ..)| bytes).collect()
}

#[test]
fn lines_of_json_are_records() {
    let text = "\u{feff}{\"a\":1}\r\n\n  {\"b\":\"x}{\"}\n{\"c\":{}}";
    assert_eq!(texts(text), ["{\"a\":1}", "{\"b\":\"x}{\"}", "{\"c\":{}}"]);
}

#[test]
fn offsets_say_where_a_record_starts() {
    let seen = cut(Format::Auto, Limits::default(), &[b"\n {\"a\":1}\n{\"b\":2}\nplain\n"]);
    let offsets: Vec<u64> = seen.iter().map(|(_, offset, _)| *offset).collect();
    assert_eq!(offsets, [2, 10, 18]);
}

#[test]
fn values_on_one_line_are_several_records() {
    assert_eq!(texts("{\"a\":1}{\"b\":2} {\"c\":3}\n"), ["{\"a\":1}", "{\"b\":2}", "{\"c\":3}"]);
}

#[test]
fn pretty_json_is_one_record() {
    assert_eq!(texts("{\n  \"a\": {\n \"b\": 1 }\n}\n{\n\"c\": 2\n}\n").len(), 2);
    assert_eq!(texts("{\"a\": {}\n, \"b\": {}\n}\n"), ["{\"a\": {}\n, \"b\": {}\n}"]);
}

#[test]
fn known_containers_give_their_elements() {
    let cases = [
        "{\"Records\":[{\"a\":1},{\"a\":2}]}",
        "{\"Records\": [\n {\"a\":1} ,\n {\"a\":2}\n]\n}\n",
        "[{\"a\":1},{\"a\":2}]",
        "{\"kind\":\"EventList\",\"apiVersion\":\"audit.k8s.io/v1\",\"items\":[{\"a\":1},{\"a\":2}]}",
        "{\"owner\":\"1\",\"logEvents\":[{\"a\":1},{\"a\":2}],\"x\":{\"y\":[]}}",
        "{\"Records\":[{\"a\":1}],\"Records\":[{\"a\":2}]}",
        "{\"Records\":[{\"a\":1}]}{\"Records\":[{\"a\":2}]}",
    ];
    for case in cases {
        assert_eq!(texts(case), ["{\"a\":1}", "{\"a\":2}"], "{case}");
    }
    assert_eq!(texts("{\"x\":{\"Records\":[{\"a\":1}]}}").len(), 1, "only the outermost key counts");
    assert_eq!(texts("{\"items\":[1,2]}").len(), 1, "`items` needs its kind");
    assert!(texts("{\"Records\":[]}\n[]").is_empty());
}

#[test]
fn a_broken_element_takes_no_other_with_it() {
    let seen = texts("{\"Records\":[{\"a\":NaN},{\"a\":2},NaN,{\"a\":3}}]}");
    assert_eq!(seen, ["{\"a\":NaN}", "{\"a\":2}", "NaN", "{\"a\":3}}"]);
}

#[test]
fn a_cut_off_line_takes_no_other_with_it() {
    let whole = "{\"z\":0}\n";
    for broken in ["{\"a\":\"b", "{\"a\":{\"b\":1}", "{\"a\":1,", "{\"a\":", "{\"a\":\"b\"", "{", "{\"a\":[1,2]"] {
        let text = format!("{whole}{broken}\n{whole}");
        assert_eq!(texts(&text), ["{\"z\":0}", broken, "{\"z\":0}"]);
    }
}

#[test]
fn text_lines_are_records_and_blank_lines_are_not() {
    assert_eq!(texts("a b c\r\n\n[x] y\nlast"), ["a b c", "[x] y", "last"]);
    let seen = cut(Format::Lines, Limits::default(), &[b"{\"Records\":[{}]}\n[1]\n"]);
    assert_eq!(seen.len(), 2);
}

#[test]
fn a_record_cut_off_at_the_end_is_truncated() {
    for text in ["{\"a\":1", "{\"Records\":[{\"a\":1},{\"b\"", "{\"Records\":[{\"a\":1},", "{\"Records\":[{\"a\":1}]"] {
        let seen = cut(Format::Auto, Limits::default(), &[text.as_bytes()]);
        assert_eq!(seen.last().unwrap().2, Err(Reject::Truncated), "{text}");
    }
}

#[test]
fn a_record_too_long_keeps_its_first_bytes_and_the_next_line_goes_on() {
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(500));
    for text in [format!("{long}\n{{\"b\":1}}\n"), format!("{}\n{{\"b\":1}}\n", "y".repeat(500))] {
        let seen = cut(Format::Auto, SMALL, &[text.as_bytes()]);
        assert_eq!((seen[0].0.len(), seen[0].2), (16, Err(Reject::TooLarge)));
        assert_eq!((seen[1].0.as_str(), seen.len()), ("{\"b\":1}", 2));
    }
    let text = format!("{{\"Records\":[{long},{{\"b\":1}}]}}");
    let seen = cut(Format::Auto, SMALL, &[text.as_bytes()]);
    assert_eq!((seen[0].2, seen[1].0.as_str(), seen.len()), (Err(Reject::TooLarge), "{\"b\":1}", 2));
}

#[test]
fn memory_stays_bounded_over_an_endless_line() {
    let mut framer = Framer::new(Format::Auto, SMALL);
    framer.push(b"{\"a\":\"", &mut |_| {});
    for _ in 0..10_000 {
        framer.push(&[b'x'; 100], &mut |_| {});
        assert!(framer.held.len() <= 2 * SMALL.record_bytes + 100);
    }
}

#[test]
fn a_million_brackets_do_not_recurse() {
    let text = "[".repeat(1_000_000);
    let seen = cut(Format::Auto, Limits::default(), &[text.as_bytes()]);
    assert_eq!(seen.len(), 1);
    let text = format!("{}{}\n{{\"b\":1}}\n", "{\"a\":".repeat(1_000_000), "}".repeat(1_000_000));
    let seen = cut(Format::Auto, Limits::default(), &[text.as_bytes()]);
    assert_eq!((seen.len(), seen[1].0.as_str()), (2, "{\"b\":1}"));
}

#[test]
fn no_stream_takes_more_than_linear_time() {
    // Each of these would take minutes if something were searched again and again.
    let flood = |piece: &str| piece.repeat((256 << 10) / piece.len());
    for text in [flood("{}"), format!("{{{}", flood("\n")), format!("[{}", flood("\n{},")), flood("}\n"), flood("{\n")]
    {
        for chunk in [4 << 10, text.len()] {
            let mut framer = Framer::new(Format::Auto, Limits::default());
            text.as_bytes().chunks(chunk).for_each(|piece| framer.push(piece, &mut |_| {}));
            framer.finish(&mut |_| {});
        }
    }
}

#[test]
fn hec_envelopes_are_opened_and_bad_ones_are_numbered() {
    let text = r#"{"event":{"a":1},"time":1.5,"host":"h"}{"event":"line \"x\""}
        {"host":"none"} {"event":""} nonsense"#;
    let mut seen = Vec::new();
    let mut framer = Framer::new(Format::Hec, Limits::default());
    let mut each = |frame: Frame<'_>| {
        let meta = frame.hec.expect("an HEC frame says where it comes from");
        seen.push((String::from_utf8_lossy(frame.bytes).into_owned(), meta.number, meta.time, frame.outcome));
    };
    framer.push(text.as_bytes(), &mut each);
    framer.finish(&mut each);
    assert_eq!(seen[0], ("{\"a\":1}".into(), 0, Some("1.5".into()), Ok(())));
    assert_eq!(seen[1], ("line \"x\"".into(), 1, None, Ok(())));
    let outcomes: Vec<_> = seen[2..].iter().map(|(_, number, _, outcome)| (*number, *outcome)).collect();
    assert_eq!(outcomes, [(2, Err(Reject::BadLine)), (3, Err(Reject::NotJson))]);
}

/// Pieces of streams, good and bad.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<&'static str> = vec![
        "{\"a\":1}",
        "{\"Records\":[",
        "]",
        "}",
        "{",
        "[",
        ",",
        "\n",
        "\n",
        "\r\n",
        " ",
        "\"",
        "\\\"",
        "\\",
        "text",
        ":",
        "\"logEvents\":[",
        "{\"b\":\"x}{\"}",
        "null",
        "\u{feff}",
        "{\"c\":{\"d\":[1,2]}}",
        "\n{",
        "}\n",
        "audit.k8s.io",
        "{\"kind\":\"audit.k8s.io\",\"items\":[",
        "\u{1e}",
        "1.5",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ];
    proptest::collection::vec(proptest::sample::select(words), 0..40).prop_map(|words| words.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn frames_do_not_depend_on_how_the_stream_is_split(bytes in stream(), cuts in proptest::collection::vec(0usize..400, 0..6)) {
        let whole = cut(Format::Auto, SMALL, &[&bytes]);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|at| at.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        prop_assert_eq!(&cut(Format::Auto, SMALL, &pieces), &whole);
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(&cut(Format::Auto, SMALL, &single), &whole);
    }

    #[test]
    fn joined_lines_come_apart_again(numbers in proptest::collection::vec("[a-z{}\\[\\],: ]{0,12}", 0..20)) {
        let lines: Vec<String> = numbers.iter().map(|text| format!("{{\"k\":\"{text}\"}}")).collect();
        prop_assert_eq!(texts(&lines.join("\n")), lines);
    }
}
