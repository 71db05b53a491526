use engine::context::{AssetKind, DISCOVERED_MAX, Discovered, Seen};
use model::{EventId, SourceId};

use super::{at, store};
use crate::{ProposalError, Settlement, Store};

fn seen(source: &str, from: i64, to: i64, count: u64) -> Seen {
    let (sources, example) = ([SourceId::from(source)].into(), EventId::of(&[source.as_bytes(), &from.to_be_bytes()]));
    Seen { first: at(from), last: at(to), count, sources, example }
}

fn show(store: &Store, things: impl IntoIterator<Item = (AssetKind, String, Seen)>, left_out: u64) {
    let things = things.into_iter().map(|(kind, name, seen)| ((kind, name), seen)).collect();
    let discovered = Discovered { things, left_out };
    store.settle(Settlement { input: "http".into(), discovered, now: at(60), ..Settlement::default() }, &[]).unwrap();
}

fn bucket(name: &str, seen: Seen) -> (AssetKind, String, Seen) {
    (AssetKind::Bucket, name.to_owned(), seen)
}

#[test]
fn sightings_of_batches_add_up() {
    let (_dir, store) = store();
    show(&store, [bucket("scratch", seen("aws_cloudtrail", 5, 9, 3))], 0);
    show(&store, [bucket("scratch", seen("aws_s3_access", 2, 7, 2)), bucket("other", seen("a", 1, 1, 1))], 4);
    let proposals = store.proposals(false).unwrap();
    assert_eq!(proposals.left_out, 4);
    let [scratch, other] = &proposals.rows[..] else { panic!("{proposals:?}") };
    assert_eq!((scratch.kind, scratch.name.as_str(), scratch.count), ("bucket", "scratch", 5), "the most seen first");
    assert_eq!((scratch.first, scratch.last), (at(2), at(9)));
    let sources: Vec<&str> = scratch.sources.iter().map(SourceId::as_str).collect();
    assert_eq!(sources, ["aws_cloudtrail", "aws_s3_access"]);
    assert_eq!(scratch.example, seen("aws_cloudtrail", 5, 9, 3).example, "the first example stays");
    assert_eq!(other.count, 1);
}

#[test]
fn what_was_dismissed_is_proposed_no_more_and_the_audit_log_says_why() {
    let (_dir, store) = store();
    show(&store, [bucket("scratch", seen("a", 1, 1, 1))], 0);
    let dismiss = |name: &str, who, why| store.dismiss_proposal(AssetKind::Bucket, name, (who, why), at(61));
    assert!(matches!(dismiss("scratch", "ana", " "), Err(ProposalError::NoReason)));
    assert!(matches!(dismiss("scratch", "", "no"), Err(ProposalError::Nobody)));
    assert!(matches!(dismiss("none", "ana", "no"), Err(ProposalError::Unknown("bucket", _))));
    assert!(store.audit(0, 10).unwrap().is_empty(), "what was refused leaves nothing");
    dismiss("scratch", "ana", "a vendor's bucket").unwrap();
    assert!(matches!(dismiss("scratch", "ana", "again"), Err(ProposalError::Unknown(..))));
    show(&store, [bucket("scratch", seen("a", 2, 2, 1))], 0);
    assert!(store.proposals(false).unwrap().rows.is_empty());
    let all = store.proposals(true).unwrap().rows;
    assert_eq!((all[0].count, all[0].dismissed_by.as_deref()), (2, Some("ana")));
    let entry = &store.audit(0, 10).unwrap()[0];
    assert_eq!((entry.action.as_str(), entry.subject.as_str()), ("proposal.dismissed", "bucket:scratch"));
    assert_eq!(entry.detail, r#"{"reason":"a vendor's bucket"}"#);
    assert!(store.verify_audit().unwrap().broken.is_none());
}

#[test]
fn what_there_is_no_room_for_is_counted_and_what_became_known_makes_room() {
    let (_dir, store) = store();
    let many = (0..DISCOVERED_MAX).map(|n| bucket(&format!("b{n}"), seen("a", 1, 1, 1)));
    show(&store, many, 0);
    show(&store, [bucket("late", seen("a", 2, 2, 7)), bucket("b1", seen("a", 3, 3, 1))], 0);
    let full = store.proposals(false).unwrap();
    assert_eq!((full.rows.len(), full.left_out), (DISCOVERED_MAX, 7));
    assert_eq!((full.rows[0].name.as_str(), full.rows[0].count), ("b1", 2), "what is there goes on");
    let knows = |kind, name: &str| kind == AssetKind::Bucket && name == "b2";
    assert_eq!(store.forget_known_proposals(knows).unwrap(), 1);
    show(&store, [bucket("late", seen("a", 4, 4, 1))], 0);
    let after = store.proposals(false).unwrap();
    assert_eq!((after.rows.len(), after.left_out), (DISCOVERED_MAX, 0));
    assert!(after.rows.iter().any(|row| row.name == "late") && after.rows.iter().all(|row| row.name != "b2"));
}
