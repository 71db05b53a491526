use model::Time;
use proptest::prelude::*;

use super::*;
use crate::source::Source;

/// The fields of a line, as `name=value`, or why it has none.
fn read(format: &str, names: &[&str], line: &Line<'_>) -> Result<Vec<String>, Reject> {
    let format = parsed(format);
    let mut builder = FieldsBuilder::new();
    let wanted: Vec<Field> = names.iter().map(|name| builder.intern(name)).collect();
    format.intern(&mut builder);
    let fields = builder.build();
    let mut scratch = Scratch::new(&fields);
    scratch.reset(&fields);
    let reader = TextReader::new(&format, &fields);
    if !reader.recognises(line) {
        return Err(Reject::UnknownSource);
    }
    reader.read(line, &fields, &mut scratch)?;
    let record = scratch.record(line.raw, true);
    let shown = |(name, field): (&&str, &Field)| {
        record.values(*field).map(|value| format!("{name}={}", value.text())).collect::<Vec<_>>()
    };
    Ok(names.iter().zip(&wanted).flat_map(shown).collect())
}

fn parsed(format: &str) -> TextFormat {
    let text = format!(
        "id: x\ntitle: x\nlogsource: {{product: x}}\ntime: [at]\nocsf: {{class_uid: 6003, category_uid: 6}}\nformat: {format}\n"
    );
    let (source, wrong) = Source::parse(&text);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let source = source.expect("it can be used");
    source.text_formats().next().expect("it has lines").clone()
}

fn lines(format: &str, names: &[&str], line: &str) -> Result<Vec<String>, Reject> {
    read(format, names, &Line::of(line))
}

const ACCESS: &str = "{line: '^[a-z0-9]+ ', delimited: {separator: spaces, quotes: bare, brackets: true, columns: [who, [at, when], what, agent], at_least: 3}}";

#[test]
fn an_access_log_has_brackets_and_quotes_that_nobody_escaped() {
    let line = r#"ana  [06/May/2026:10:30:00 +0000] "GET /a b" "say "hi"!" later columns"#;
    assert_eq!(
        lines(ACCESS, &["who", "when", "what", "agent"], line).unwrap(),
        ["who=ana", "when=06/May/2026:10:30:00 +0000", "what=GET /a b", "agent=say \"hi\"!"]
    );
    for bad in ["ana [06/May", "ana [x] \"GET", "ana [x]"] {
        assert_eq!(lines(ACCESS, &["who"], bad), Err(Reject::BadLine), "{bad}");
    }
    assert_eq!(lines(ACCESS, &["who"], "[x] y z"), Err(Reject::UnknownSource));
}

#[test]
fn quotes_are_doubled_or_escaped_as_the_format_has_it() {
    let csv = "{line: ',', delimited: {separator: ',', quotes: doubled, columns: [a, b, c]}}";
    assert_eq!(lines(csv, &["a", "b", "c"], r#""say ""hi"", you",,x"#).unwrap(), [r#"a=say "hi", you"#, "b=", "c=x"]);
    assert_eq!(lines(csv, &["a"], r#""a"b,c,d"#), Err(Reject::BadLine), "text behind a quote");
    assert_eq!(lines(csv, &["a"], r#""a,b,c"#), Err(Reject::BadLine), "a quote that nobody closed");
    let escaped = r"{line: ',', delimited: {separator: ',', quotes: escaped, columns: [a, b]}}";
    assert_eq!(lines(escaped, &["a", "b"], r#""say \"hi\" \\",x"#).unwrap(), [r#"a=say "hi" \"#, "b=x"]);
}

#[test]
fn the_number_of_columns_tells_versions_apart() {
    let two = "{line: '^[0-9]+,', delimited: {separator: ',', columns: [a, b], at_most: 2}}";
    assert_eq!(lines(two, &["a", "b"], "1,2").unwrap(), ["a=1", "b=2"]);
    assert_eq!(lines(two, &["a"], "1,2,3"), Err(Reject::BadLine));
    assert_eq!(lines(two, &["a"], "1,"), Ok(vec!["a=1".into()]));
}

#[test]
fn a_header_names_the_columns_in_its_own_order() {
    let flow = "{delimited: {separator: spaces, header: '^(?:#Fields: )?((?:[a-z]+ )+end)$'}}";
    let raw = "#Fields: to from end\nb a 7";
    let line = Line { start: raw.find("\n").unwrap() + 1, head: raw.lines().next(), ..Line::of(raw) };
    assert_eq!(read(flow, &["from", "to", "end"], &line).unwrap(), ["from=a", "to=b", "end=7"]);
    for short in ["#Fields: to from end\nb a", "#Fields: to from end\nb a 7 8"] {
        let line = Line { start: 21, head: short.lines().next(), ..Line::of(short) };
        assert_eq!(read(flow, &["from"], &line), Err(Reject::BadLine));
    }
    let twice = "to to end\nb a 7";
    let line = Line { start: 10, head: Some("to to end"), ..Line::of(twice) };
    assert_eq!(read(flow, &["to"], &line), Err(Reject::DuplicateKey));
}

#[test]
fn pairs_have_quotes_and_bare_keys() {
    let logfmt = "{line: '^ts=', key_value: {}}";
    let line = r#"ts=2026 msg="a \"b\" \\ c" dry_run n=3 empty="#;
    assert_eq!(
        lines(logfmt, &["ts", "msg", "dry_run", "n", "empty"], line).unwrap(),
        ["ts=2026", r#"msg=a "b" \ c"#, "dry_run=true", "n=3", "empty="]
    );
    assert_eq!(lines(logfmt, &["n"], "ts=1 n=1 n=2"), Err(Reject::DuplicateKey));
    for bad in ["ts=1 =2", "ts=1 m=\"x", "ts=1 m=\"x\"y", "ts=1 \"q\"=1"] {
        assert_eq!(lines(logfmt, &["m"], bad), Err(Reject::BadLine), "{bad}");
    }
    let other = "{line: '^a:', key_value: {separator: ';', assign: ':'}}";
    assert_eq!(lines(other, &["a", "b"], "a:1 2; b:3;").unwrap(), ["a=1 2", "b=3"]);
}

#[test]
fn the_first_pattern_that_matches_names_its_groups() {
    let patterns = r"{patterns: ['^(?P<user>\w+) : COMMAND=(?P<command>.*)$', '^(?P<user>\w+) failed$']}";
    assert_eq!(
        lines(patterns, &["user", "command"], "ana : COMMAND=/bin/sh -c x").unwrap(),
        ["user=ana", "command=/bin/sh -c x"]
    );
    assert_eq!(lines(patterns, &["user", "command"], "bob failed").unwrap(), ["user=bob"]);
    assert_eq!(lines(patterns, &["user"], "nothing here"), Err(Reject::UnknownSource));
    let strict = r"{line: '^app ', patterns: ['^app (?P<user>\w+)$']}";
    assert_eq!(lines(strict, &["user"], "app !"), Err(Reject::BadLine));
}

#[test]
fn cef_has_a_header_with_escapes_and_values_with_spaces() {
    let cef = "{cef: {vendor: Lab, product: [Gate, 'Big|Gate']}}";
    let line = r"CEF:0|Lab|Gate|1.0|100|door \| opened|5|src=192.0.2.1 msg=it said a\=b and more  act=open";
    assert_eq!(
        lines(cef, &["deviceVendor", "name", "severity", "src", "msg", "act"], line).unwrap(),
        [
            "deviceVendor=Lab",
            "name=door | opened",
            "severity=5",
            "src=192.0.2.1",
            "msg=it said a=b and more",
            "act=open"
        ]
    );
    assert_eq!(lines(cef, &["name"], "CEF:0|Other|Gate|1|1|n|5|"), Err(Reject::UnknownSource));
    assert_eq!(lines(cef, &["name"], "CEF:0|Lab|Gate|1|1|n|5|").unwrap(), ["name=n"]);
    for bad in [
        "CEF:0|Lab|Gate|1|1|n",
        "CEF:0|Lab|Gate|1|1|n|5|no pairs",
        "CEF:0|Lab|Gate|1|1|n|5|lead a=1",
        r"CEF:0|Lab|Gate|\",
    ] {
        assert_eq!(lines(cef, &["name"], bad), Err(Reject::BadLine), "{bad}");
    }
    assert_eq!(lines(cef, &["a"], "CEF:0|Lab|Gate|1|1|n|5|a=1 a=2"), Err(Reject::DuplicateKey));
}

#[test]
fn leef_names_the_character_between_its_pairs() {
    let leef = "{leef: {vendor: Lab}}";
    let names = ["eventId", "src", "usrName"];
    let wanted = ["eventId=login", "src=192.0.2.1", "usrName=ana b"];
    for line in [
        "LEEF:1.0|Lab|Gate|1|login|src=192.0.2.1\tusrName=ana b",
        "LEEF:2.0|Lab|Gate|1|login|^|src=192.0.2.1^usrName=ana b",
        "LEEF:2.0|Lab|Gate|1|login|x5E|src=192.0.2.1^usrName=ana b",
        "LEEF:2.0|Lab|Gate|1|login|0x09|src=192.0.2.1\tusrName=ana b",
        "LEEF:2.0|Lab|Gate|1|login||src=192.0.2.1\tusrName=ana b",
        "LEEF:2.0|Lab|Gate|1|login|src=192.0.2.1\tusrName=ana b",
    ] {
        assert_eq!(lines(leef, &names, line).unwrap(), wanted, "{line}");
    }
    for bad in [
        "LEEF:2.0|Lab|Gate|1|login|xZZ|a=1",
        "LEEF:1.0|Lab|Gate|1|login|word",
        "LEEF:1.0|Lab|Gate|1",
        "LEEF:1.0|Lab|Gate|1|l|=1",
    ] {
        assert_eq!(lines(leef, &names, bad), Err(Reject::BadLine), "{bad}");
    }
}

#[test]
fn a_sample_is_a_name_with_labels_a_value_and_perhaps_a_time() {
    let dcgm = "{prometheus: [DCGM_]}";
    let names = ["name", "labels.gpu", "labels.pod", "value", "timestamp"];
    let line = r#"DCGM_FI_DEV_GPU_UTIL{gpu="0", pod="a \"b\"",} 97.5 1778063400000 # {trace_id="x"} 1 2"#;
    assert_eq!(
        lines(dcgm, &names, line).unwrap(),
        ["name=DCGM_FI_DEV_GPU_UTIL", "labels.gpu=0", r#"labels.pod=a "b""#, "value=97.5", "timestamp=1778063400000"]
    );
    assert_eq!(lines(dcgm, &names, "DCGM_UP 1e-3").unwrap(), ["name=DCGM_UP", "value=1e-3"]);
    assert_eq!(lines(dcgm, &names, "DCGM_UP NaN").unwrap(), ["name=DCGM_UP", "value=NaN"]);
    for bad in [
        "DCGM_A{gpu=\"0\"",
        "DCGM_A{gpu=0} 1",
        "DCGM_A{gpu=\"0\"} ",
        "DCGM_A 1x",
        "DCGM_A 1 soon",
        "DCGM_A 1 2 3",
        "DCGM_A{gpu=\"0\" pod=\"1\"} 1",
    ] {
        assert_eq!(lines(dcgm, &names, bad), Err(Reject::BadLine), "{bad}");
    }
    assert_eq!(lines(dcgm, &names, r#"DCGM_A{gpu="0",gpu="1"} 1"#), Err(Reject::DuplicateKey));
    let silent = expression::one(&parsed(dcgm).silent()).unwrap();
    let is_silent = |line: &str| silent.is_match(line.as_bytes());
    assert!(is_silent("# HELP DCGM_UP is it up") && is_silent("# EOF") && !is_silent("# HELP vllm:x"));
}

#[test]
fn a_value_may_be_text_of_a_format_of_its_own() {
    let nested = "{line: ',', delimited: {separator: ',', quotes: doubled, columns: [who, message]}, \
        inside: {message: {line: '^AUDIT: ', delimited: {separator: ',', quotes: doubled, columns: [class, statement]}}}}";
    let line = r#"ana,"AUDIT: READ,""select """"x"""" from t""""#;
    assert_eq!(
        lines(nested, &["who", "class", "statement"], line).unwrap(),
        ["who=ana", "class=AUDIT: READ", r#"statement=select "x" from t"#]
    );
    assert_eq!(lines(nested, &["who", "class"], "ana,hello").unwrap(), ["who=ana"]);
    assert_eq!(lines(nested, &["who", "class"], "ana,\"AUDIT: x,\"\"y\""), Err(Reject::BadLine));
}

fn open(line: &str) -> Option<(String, String, String)> {
    let received = Time::parse("2026-01-02T12:00:00Z").unwrap();
    let envelope = Envelope::open(line, received)?;
    let names = ["syslog.hostname", "syslog.appname", "syslog.structured_data.a@1.b"];
    let mut builder = FieldsBuilder::new();
    let wanted: Vec<Field> = names.iter().map(|name| builder.intern(name)).collect();
    let fields = builder.build();
    let mut scratch = Scratch::new(&fields);
    envelope.put(&fields, &mut scratch);
    let record = scratch.record(line, true);
    let says: Vec<&str> = wanted.iter().map(|field| record.first_str(*field).unwrap_or("-")).collect();
    let time = envelope.time.map_or("-".to_owned(), |time| time.to_string());
    Some((time, says.join(" "), envelope.message().to_owned()))
}

#[test]
fn syslog_of_either_standard_is_opened() {
    let cases = [
        ("<38>Dec 31 23:59:59 gpu-1 sudo[42]: ana : ok", "2025-12-31T23:59:59.000Z", "gpu-1 sudo -", "ana : ok"),
        ("<38>Jan  2 11:00:00 gpu-1 sudo: ana : ok", "2026-01-02T11:00:00.000Z", "gpu-1 sudo -", "ana : ok"),
        ("Jan  2 11:00:00 gpu-1 sudo: ana : ok", "2026-01-02T11:00:00.000Z", "gpu-1 sudo -", "ana : ok"),
        ("2026-01-02T11:00:00.5+01:00 gpu-1 sudo[1]: x", "2026-01-02T10:00:00.500Z", "gpu-1 sudo -", "x"),
        (
            "<165>1 2026-01-02T11:00:00Z gpu-1 app 42 ID7 [a@1 b=\"c \\\"d\\\"\"] hello",
            "2026-01-02T11:00:00.000Z",
            "gpu-1 app c \"d\"",
            "hello",
        ),
        ("<165>1 2026-01-02T11:00:00Z gpu-1 app - - - hello", "2026-01-02T11:00:00.000Z", "gpu-1 app -", "hello"),
        ("<134>CEF:0|a|b|", "-", "- - -", "CEF:0|a|b|"),
    ];
    for (line, time, says, message) in cases {
        let seen = open(line).unwrap_or_else(|| panic!("{line}"));
        assert_eq!((seen.0.as_str(), seen.1.as_str(), seen.2.as_str()), (time, says, message), "{line}");
    }
}

#[test]
fn prose_is_no_syslog() {
    for line in ["", "<", "<999>x", "<a>x", "Jan  2 is a day", "May I go", "2026-01-02T11:00:00Z ", "hello world", "{}"]
    {
        assert!(open(line).is_none(), "{line}: {:?}", open(line));
    }
}

#[test]
fn every_mistake_of_a_format_is_told() {
    let codes = |format: &str| {
        let text = format!(
            "id: x\ntitle: x\nlogsource: {{product: x}}\ntime: [at]\nocsf: {{class_uid: 6003, category_uid: 6}}\nformat: {format}\n"
        );
        let (source, wrong) = Source::parse(&text);
        assert!(source.is_none() && wrong.iter().all(|wrong| !wrong.remedy.is_empty()), "{format}");
        wrong.into_iter().map(|wrong| wrong.code.to_string()).collect::<Vec<_>>()
    };
    let deep = (0..5).fold("{line: x, key_value: {}}".to_owned(), |inner, _| {
        format!("{{line: x, key_value: {{}}, inside: {{a: {inner}}}}}")
    });
    for (format, code) in [
        ("xml", "unknown-format"),
        ("{line: x}", "empty-format"),
        ("{line: x, key_value: {}, cef: {vendor: y}}", "empty-format"),
        ("{key_value: {}}", "missing-key"),
        ("{line: '(', key_value: {}}", "bad-pattern"),
        ("{line: x, delimited: {}}", "missing-key"),
        ("{line: x, delimited: {columns: [a], separator: ab}}", "bad-separator"),
        ("{line: x, delimited: {columns: [a], quotes: odd}}", "bad-quotes"),
        ("{cef: {}}", "missing-key"),
        ("{patterns: []}", "empty-format"),
        ("{prometheus: []}", "empty-format"),
        ("{line: x, key_value: {}, colour: red}", "unknown-key"),
        (deep.as_str(), "too-deep"),
    ] {
        assert!(codes(format).contains(&code.to_owned()), "{format}: {:?}", codes(format));
    }
}

const EVERY: [&str; 8] = [
    "{line: '^', delimited: {separator: ',', quotes: doubled, columns: [a, b, c]}}",
    "{line: '^', delimited: {separator: spaces, quotes: bare, brackets: true, columns: [a, b, c]}}",
    "{line: '^', delimited: {separator: tab, quotes: escaped, columns: [a, b, c]}}",
    "{line: '^', key_value: {}}",
    "{line: '^', patterns: ['(?P<a>.*)=(?P<b>.*)']}",
    "{line: '^', cef: {vendor: Lab}}",
    "{line: '^', leef: {vendor: Lab}}",
    "{line: '^', prometheus: [a]}",
];

/// Lines, good and bad.
fn any_line() -> impl Strategy<Value = String> {
    let words = vec![
        "a",
        "b=1",
        " ",
        " ",
        ",",
        "\t",
        "\"",
        "\"\"",
        "\\",
        "\\\"",
        "[",
        "]",
        "{",
        "}",
        "=",
        "|",
        "CEF:0|Lab|G|1|2|n|3|",
        "LEEF:2.0|Lab|G|1|e|^|",
        "a{b=\"c\"} 1",
        "é",
        "\u{0}",
        "1.5",
        "^",
        "<34>",
        "Jan  2 11:00:00 h p: ",
        "-",
        "#",
    ];
    proptest::collection::vec(proptest::sample::select(words), 0..24).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_line_is_read_or_refused(line in any_line(), odd in "\\PC{0,40}") {
        for line in [line, odd] {
            for format in EVERY {
                let _ = lines(format, &["a", "b", "c", "labels.b", "name"], &line);
            }
            let _ = open(&line);
        }
    }

    #[test]
    fn what_the_csv_crate_writes_is_read_as_it_was(values in proptest::collection::vec("[a-z,\" \t\\\\|=]{0,8}", 3)) {
        let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
        writer.write_record(&values).unwrap();
        let line = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let seen = lines(EVERY[0], &["a", "b", "c"], line.trim_end_matches('\n')).unwrap();
        let wanted: Vec<String> = values.iter().zip(["a", "b", "c"]).map(|(value, name)| format!("{name}={value}")).collect();
        prop_assert_eq!(seen, wanted);
    }

    #[test]
    fn pairs_that_are_quoted_are_read_as_they_were(values in proptest::collection::vec("\\PC{0,10}", 3)) {
        let quoted = |value: &String| value.replace('\\', "\\\\").replace('"', "\\\"");
        let pairs: Vec<String> = values.iter().zip(["a", "b", "c"]).map(|(value, name)| format!("{name}=\"{}\"", quoted(value))).collect();
        let wanted: Vec<String> = values.iter().zip(["a", "b", "c"]).map(|(value, name)| format!("{name}={value}")).collect();
        prop_assert_eq!(lines(EVERY[3], &["a", "b", "c"], &pairs.join(" ")).unwrap(), wanted);
    }
}
