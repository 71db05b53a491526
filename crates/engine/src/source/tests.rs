use super::Source;

fn codes(text: &str) -> Vec<String> {
    Source::parse(text).1.into_iter().map(|wrong| format!("{}:{} {}", wrong.line, wrong.column, wrong.code)).collect()
}

const GOOD: &str = "id: lab_door\ntitle: Doors\nlogsource: {product: lab, service: door}\n\
    recognise: [{has: [door]}]\ntime: [at]\nocsf: {class_uid: 6003, category_uid: 6}\n";

#[test]
fn a_small_source_is_read() {
    let (source, wrong) = Source::parse(GOOD);
    assert!(wrong.is_empty(), "{wrong:?}");
    let source = source.expect("it can be used");
    assert_eq!(source.logsources[0].service.as_deref(), Some("door"));
    assert_eq!(source.time[0].path, "at");
}

#[test]
fn every_mistake_is_told_at_once_with_its_place() {
    let text = format!(
        "{GOOD}colour: red\ncadence: {{silent_after: soon}}\nentities: {{ghost: who}}\ncolumns:\n  a.b: {{matches: '('}}\n"
    );
    let (source, _) = Source::parse(&text);
    assert!(source.is_none());
    assert_eq!(
        codes(&text),
        ["7:1 unknown-key", "8:25 bad-duration", "9:12 unknown-entity", "11:18 bad-pattern", "11:8 empty-reading"]
    );
}

#[test]
fn what_is_missing_is_named() {
    assert_eq!(codes("id: x\n").len(), 5, "title, logsource, time, ocsf, recognise");
    assert_eq!(codes(""), ["1:1 empty-file"]);
    assert!(codes("[1, 2]").len() == 1);
}

#[test]
fn a_class_belongs_to_its_category() {
    assert_eq!(codes(&GOOD.replace("category_uid: 6", "category_uid: 2")), ["6:7 ocsf-class"]);
}
