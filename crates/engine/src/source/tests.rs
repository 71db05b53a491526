use super::{LinkEnd, Source};

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
fn what_is_expected_of_its_records_is_read() {
    let says = "cadence: {silent_after: 1h, lag: 10m}\nvolume: {at_least: 60, per: 2h}\nrequired: {fields: [door, [who, badge]], at_least: 99.5%}\n";
    let (source, wrong) = Source::parse(&format!("{GOOD}{says}"));
    assert!(wrong.is_empty(), "{wrong:?}");
    let source = source.expect("it can be used");
    let volume = source.volume.expect("one is declared");
    assert_eq!((volume.at_least, volume.hours), (60, 2));
    assert_eq!(
        (&source.required.fields[1], source.required.at_least),
        (&vec!["who".to_owned(), "badge".to_owned()], 995)
    );
    let short = Source::parse(&format!("{GOOD}required: [door]\n")).0.expect("it can be used");
    assert_eq!(short.required.at_least, 950, "where nothing is said");
}

#[test]
fn what_cannot_be_expected_is_told() {
    let says = "volume: {at_least: many, per: 90m}\nrequired: {fields: [door], at_least: 0.95}\n";
    assert_eq!(codes(&format!("{GOOD}{says}")), ["7:20 bad-volume", "7:31 bad-volume", "8:38 bad-share"]);
    assert_eq!(
        codes(&format!("{GOOD}volume: {{per: 25h}}\nrequired: {{at_least: 9%}}\n")),
        ["7:15 bad-volume", "7:9 missing-key", "8:11 missing-key"]
    );
    let many: Vec<String> = (0..33).map(|at| format!("f{at}")).collect();
    assert_eq!(codes(&format!("{GOOD}required: [{}]\n", many.join(", "))), ["7:11 too-many-fields"]);
}

#[test]
fn a_class_belongs_to_its_category() {
    assert_eq!(codes(&GOOD.replace("category_uid: 6", "category_uid: 2")), ["6:7 ocsf-class"]);
}

const WHO: &str = "actor: {session: who}\nlinks:\n  - {means: assumed_by, when: {verb: open}, from: {session: next}, to: actor, \
    until: ends, lasts: 8h}\n  - {means: same_as, from: [{person: badge}, {person: name}], to: {person: mail}}\n";

#[test]
fn who_acts_and_who_is_behind_what_is_read() {
    let (source, wrong) = Source::parse(&format!("{GOOD}{WHO}"));
    assert!(wrong.is_empty(), "{wrong:?}");
    let source = source.expect("it can be used");
    let [assumed, same] = &source.links[..] else { panic!("{:?}", source.links) };
    assert_eq!((source.actor[0].kind.as_str(), source.actor[0].reading.to_string()), ("session", "who".to_owned()));
    assert_eq!((assumed.means.as_str(), assumed.lasts_ms, &assumed.to), ("assumed_by", 8 * 3_600_000, &LinkEnd::Actor));
    assert_eq!(assumed.when.when["verb"], ["open"]);
    let LinkEnd::Read(names) = &same.from else { panic!("{same:?}") };
    assert_eq!((names.len(), same.lasts_ms), (2, 12 * 3_600_000), "half a day where nothing is said");
}

#[test]
fn every_mistake_about_who_is_told_at_once_with_its_place_and_remedy() {
    let text = format!(
        "{GOOD}actor: who\nlinks:\n  - {{means: knows, from: {{ghost: a}}, to: actor}}\n  - {{from: {{session: a}}, to: {{}}, why: x}}\n\
         \x20 - {{means: issued_to, from: actor, to: actor, lasts: 900d}}\n  - assumed_by\n"
    );
    let (source, wrong) = Source::parse(&text);
    assert!(source.is_none());
    assert_eq!(
        codes(&text),
        [
            "7:8 wrong-type",
            "9:13 unknown-means",
            "9:27 unknown-entity",
            "10:34 unknown-key",
            "10:30 empty-link",
            "10:5 missing-key",
            "11:55 bad-duration",
            "11:5 empty-link",
            "12:5 wrong-type",
        ]
    );
    assert!(wrong.iter().all(|wrong| !wrong.remedy.is_empty()), "{wrong:#?}");
}

#[test]
fn a_link_to_the_actor_needs_an_actor() {
    let text = format!("{GOOD}links: [{{means: issued_to, from: {{session: a}}, to: actor}}]\n");
    assert_eq!(codes(&text), ["7:8 missing-key"]);
}
