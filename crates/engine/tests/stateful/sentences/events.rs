//! What follows what, and what is missing.

use engine::correlate::stateful::{Joined, Sequence, Silence, StatefulOperator, Step, Unmatched};
use engine::correlate::{Fact, Members, Told, Values};

use crate::drive::{DAY, HOUR, MINUTE, SECOND, at, drive, fact, found};

fn event(ms: i64, member: usize) -> Fact {
    fact(ms, &format!("{ms} {member}"), &[member], Values::None)
}

fn decrypt_without_read() -> StatefulOperator {
    let (asking, missing) = (Members::one(0), Members::one(1));
    let what = "GetObject".to_owned();
    StatefulOperator::Unmatched(Unmatched { asking, missing, what, before_ms: 5 * SECOND, after_ms: 5 * SECOND })
}

#[test]
fn a_decrypt_without_a_read_within_five_seconds_is_found_when_that_is_certain() {
    let events = [event(0, 0), event(5 * SECOND, 1), event(MINUTE, 0), event(MINUTE + 5001, 1)];
    let [found] = &found(&decrypt_without_read(), &events, &[])[..] else { panic!("one") };
    assert_eq!((found.start, found.held), (at(MINUTE), at(MINUTE + 5 * SECOND)));
    assert_eq!(found.measure.threshold, "no `GetObject` within 5s before or after");
}

#[test]
fn a_read_just_before_the_decrypt_or_in_its_second_is_beside_it() {
    let events = [event(0, 1), event(5 * SECOND, 0), event(HOUR, 0), event(HOUR, 1)];
    assert!(found(&decrypt_without_read(), &events, &[]).is_empty());
}

#[test]
fn a_hundred_decrypts_without_reads_are_one_finding() {
    let events: Vec<Fact> = (0..100).map(|minute| event(minute * MINUTE, 0)).collect();
    let [found] = &found(&decrypt_without_read(), &events, &[])[..] else { panic!("one") };
    assert_eq!((found.opened_count, found.prolonged_count, found.prolonged.len()), (1, 99, 32));
    assert_eq!(found.measure.value, 100.0);
}

#[test]
fn a_deployment_without_an_evaluation_before_it_is_found_at_once() {
    let (asking, missing) = (Members::one(0), Members::one(1));
    let rule = Unmatched { asking, missing, what: "evaluation".to_owned(), before_ms: 30 * DAY, after_ms: 0 };
    let events = [event(0, 1), event(30 * DAY, 0), event(31 * DAY, 0), event(32 * DAY, 1)];
    let told = drive(&StatefulOperator::Unmatched(rule), &events, &[]);
    let Told::Opened(found) = &told[0] else { panic!("{told:?}") };
    assert_eq!((found.held, found.measure.threshold.as_str()), (at(31 * DAY), "no `evaluation` within 30d before"));
}

#[test]
fn a_source_that_falls_silent_is_found_once_and_again_when_it_falls_silent_again() {
    let rule = Silence { span_ms: 15 * MINUTE, least_events: 3, forget_ms: 7 * DAY };
    let mut events: Vec<Fact> = (0..10).map(|minute| event(minute * MINUTE, 0)).collect();
    events.extend((0..3).map(|minute| event(2 * HOUR + minute * MINUTE, 0)));
    let [one, two] = &found(&StatefulOperator::Silence(rule), &events, &[])[..] else { panic!("two") };
    assert_eq!((one.start, one.held), (at(9 * MINUTE), at(24 * MINUTE)));
    assert_eq!(one.measure.value, 111.0 * 60.0);
    assert_eq!((two.held, two.measure.value), (at(2 * HOUR + 17 * MINUTE), 7.0 * 86_400.0));
}

#[test]
fn a_source_that_was_heard_once_is_not_expected() {
    let rule = Silence { span_ms: 15 * MINUTE, least_events: 3, forget_ms: 7 * DAY };
    assert!(found(&StatefulOperator::Silence(rule), &[event(0, 0), event(MINUTE, 0)], &[]).is_empty());
}

#[test]
fn a_gate_override_beside_a_download_is_found_whichever_comes_first() {
    let rule = StatefulOperator::Joined(Joined { sides: [Members::one(0), Members::one(1)], span_ms: HOUR });
    let events = [event(0, 0), event(HOUR, 1), event(30 * HOUR, 1), event(31 * HOUR, 0), event(40 * HOUR, 0)];
    let found = found(&rule, &events, &[]);
    let times: Vec<_> = found.iter().map(|found| (found.start, found.held, found.opened_count)).collect();
    assert_eq!(times, [(at(0), at(HOUR), 2), (at(30 * HOUR), at(31 * HOUR), 2)]);
}

/// Recon, then five refusals, then an enabling within ten minutes of the last; a ticket excuses it.
fn chain() -> StatefulOperator {
    let step = |member, within_ms, at_least| Step { members: Members::one(member), within_ms, at_least };
    let steps = vec![step(0, None, 1), step(1, None, 5), step(2, Some(10 * MINUTE), 1)];
    StatefulOperator::Sequence(Sequence { steps, unless: Members::one(3), span_ms: HOUR })
}

fn refusals(from: i64) -> Vec<Fact> {
    (0..5).map(|place| event(from + place * SECOND, 1)).collect()
}

#[test]
fn steps_in_order_are_found_when_the_last_one_happens() {
    let events = [vec![event(0, 0)], refusals(MINUTE), vec![event(5 * MINUTE, 2)]].concat();
    let [found] = &found(&chain(), &events, &[])[..] else { panic!("one") };
    assert_eq!((found.start, found.held, found.opened_count), (at(0), at(5 * MINUTE), 7));
    assert_eq!(found.measure.threshold, "3 steps within 1h");
}

#[test]
fn steps_of_one_second_are_in_any_order_but_need_events_of_their_own() {
    let refused = (0..5).map(|place| fact(0, &format!("refused {place}"), &[1], Values::None));
    let events: Vec<Fact> = refused.chain([event(0, 0), event(0, 2)]).collect();
    assert_eq!(found(&chain(), &events, &[]).len(), 1);
    let few = (0..4).map(|place| fact(0, &format!("refused {place}"), &[1], Values::None));
    let both = fact(0, "both", &[0, 1], Values::None);
    let events: Vec<Fact> = few.chain([both, event(0, 2)]).collect();
    assert!(found(&chain(), &events, &[]).is_empty());
}

#[test]
fn too_late_too_few_or_excused_steps_are_no_sequence() {
    let late = [vec![event(0, 0)], refusals(MINUTE), vec![event(20 * MINUTE, 2)]].concat();
    let few = [vec![event(0, 0)], refusals(MINUTE)[1..].to_vec(), vec![event(5 * MINUTE, 2)]].concat();
    let excused = [vec![event(0, 0)], refusals(MINUTE), vec![event(2 * MINUTE, 3), event(5 * MINUTE, 2)]].concat();
    for events in [late, few, excused] {
        assert!(found(&chain(), &events, &[]).is_empty());
    }
}
