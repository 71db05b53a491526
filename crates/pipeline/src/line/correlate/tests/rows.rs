use super::*;
use crate::line::correlate::log::{Said, decode, encode};

fn names(rules: &[&str], fields: &[&str]) -> Names {
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Names { rules: texts(rules), fields: texts(fields) }
}

fn one(rules: &[u32], fields: &[(u32, &str)]) -> Matched {
    let values = |(place, value): &(u32, &str)| (*place, Box::from([Arc::from(*value)]));
    Matched { rules: rules.into(), fields: fields.iter().map(values).collect(), ..matched("x") }
}

fn batch(matched: Vec<Matched>) -> Batch {
    Batch { matched, ..Batch::default() }
}

#[test]
fn a_row_is_read_as_it_was_written() {
    let known = names(&["a@1", "b@1"], &["user", "key"]);
    let progress = Progress {
        source: "things".into(),
        partition: "test".into(),
        lane: Lane::Test,
        time: Time::EPOCH,
        received: Time::EPOCH.plus_millis(7),
    };
    let small = Batch { progress: vec![progress], ..batch(vec![one(&[0, 1], &[(0, "ana"), (1, "k")])]) };
    let large = batch((0..100).map(|_| one(&[1], &[(1, "k")])).collect());
    for (tick, batch) in [(Some(Time::EPOCH), small), (None, large), (None, Batch::default())] {
        let bytes = encode(&known, tick, &batch);
        assert_eq!(decode(&known, &bytes), Ok(Said { tick, batch }));
    }
}

#[test]
fn many_facts_are_packed() {
    let known = names(&["a@1"], &[]);
    let many = batch((0..100).map(|_| one(&[0], &[])).collect());
    let bytes = encode(&known, None, &many);
    assert!(bytes.len() < postcard::to_stdvec(&many).unwrap().len() / 4, "{}", bytes.len());
}

#[test]
fn a_row_outlives_a_change_of_content() {
    let before = names(&["a@1", "b@1", "c@1"], &["key", "size", "user"]);
    let after = names(&["0@1", "b@2", "c@1", "a@1"], &["user", "key"]);
    let written = batch(vec![
        one(&[0, 2], &[(0, "k"), (1, "9"), (2, "ana")]),
        one(&[1], &[(2, "ben")]),
        one(&[1, 2], &[(2, "cyd")]),
    ]);
    let read = decode(&after, &encode(&before, None, &written)).unwrap().batch;
    let expected = [one(&[2, 3], &[(0, "ana"), (1, "k")]), one(&[2], &[(0, "cyd")])];
    assert_eq!(read.matched, expected, "what `b` meant before is not what it means now, and `size` is not read");
}

#[test]
fn damaged_rows_are_refused_with_a_reason() {
    let known = names(&["a@1"], &[]);
    let bytes = encode(&known, None, &batch((0..100).map(|_| one(&[0], &[])).collect()));
    assert_eq!(decode(&known, &[]), Err("it is empty".to_owned()));
    assert_eq!(decode(&known, &[9, 1, 2]), Err("version 9 is not known".to_owned()));
    assert!(decode(&known, &bytes[..bytes.len() - 3]).is_err());
    assert!(decode(&known, &[1, 255, 255]).is_err());
}
