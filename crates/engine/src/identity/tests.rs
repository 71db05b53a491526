use model::{Entity, EntityKind, EventId, Time};

use super::{Bounds, Certainty, Graph, Link, Means, RestoreError};

fn entity(text: &str) -> Entity {
    let (kind, key) = text.split_once(' ').expect("kind and key");
    Entity { kind: EntityKind::parse(kind).expect("a kind"), key: key.to_owned() }
}

fn minute(minute: i64) -> Time {
    Time::from_millis(minute * 60_000)
}

fn event(name: &str) -> EventId {
    EventId::of(&[name.as_bytes()])
}

/// `credential k1 assumed_by session s1 0 60 e1`: times in minutes.
fn link(text: &str) -> Link {
    let words: Vec<&str> = text.split(' ').collect();
    let [kind, key, means, to_kind, to_key, since, until, evidence] = words[..] else { panic!("{text}") };
    let number = |text: &str| text.parse().expect("a number of minutes");
    Link {
        from: entity(&format!("{kind} {key}")),
        to: entity(&format!("{to_kind} {to_key}")),
        means: Means::parse(means).expect("a means"),
        since: minute(number(since)),
        until: minute(number(until)),
        evidence: event(evidence),
    }
}

fn graph_within(bounds: Bounds, links: &[&str]) -> Graph {
    let mut graph = Graph::new(bounds);
    for text in links {
        graph.learn(&link(text));
    }
    graph
}

fn graph(links: &[&str]) -> Graph {
    graph_within(Bounds::default(), links)
}

fn says(graph: &Graph, of: &str, at: i64) -> String {
    let resolution = graph.resolve(&entity(of), minute(at));
    let is_someone = matches!(resolution.certainty, Certainty::Known | Certainty::Claimed);
    assert_eq!(
        resolution.behind.is_some(),
        is_someone,
        "an answer names somebody if and only if one is known or claimed"
    );
    resolution.brief()
}

#[test]
fn a_chain_leads_to_the_person_and_every_hop_names_its_event() {
    let graph = graph(&[
        "credential k3 assumed_by credential k2 20 80 e3",
        "credential k2 assumed_by credential k1 10 70 e2",
        "credential k1 federated_as person alice 0 60 e1",
    ]);
    let resolution = graph.resolve(&entity("credential k3"), minute(75));
    assert_eq!((&resolution.certainty, &resolution.behind), (&Certainty::Known, &Some(entity("person alice"))));
    let hops: Vec<_> = resolution.chain.iter().map(|hop| (hop.to.key.as_str(), hop.evidence)).collect();
    assert_eq!(hops, [("k2", event("e3")), ("k1", event("e2")), ("alice", event("e1"))]);
}

#[test]
fn nothing_holds_before_its_event_or_after_its_end() {
    let graph = graph(&["credential k1 assumed_by principal alice 10 20 e1"]);
    let answers = [9, 10, 20, 21].map(|at| says(&graph, "credential k1", at));
    assert_eq!(answers, ["unknown", "known: principal alice", "known: principal alice", "unknown"]);
}

#[test]
fn a_caller_is_asked_about_as_of_the_moment_that_it_called() {
    // Bob takes over the session's name after Alice has gone on from it.
    let graph = graph(&[
        "session shared federated_as person alice 0 10 e1",
        "credential k2 assumed_by session shared 5 65 e2",
        "session shared federated_as person bob 20 30 e3",
    ]);
    assert_eq!(says(&graph, "credential k2", 25), "known: person alice");
    assert_eq!(says(&graph, "session shared", 25), "known: person bob");
}

#[test]
fn two_who_can_be_behind_one_name_are_both_said_with_their_evidence() {
    let graph = graph(&[
        "session shared assumed_by principal alice 0 60 e1",
        "session shared assumed_by principal bob 30 90 e2",
    ]);
    let answers = [10, 45, 80].map(|at| says(&graph, "session shared", at));
    assert_eq!(
        answers,
        ["known: principal alice", "ambiguous: principal alice or principal bob", "known: principal bob"]
    );
    let text = graph.resolve(&entity("session shared"), minute(45)).to_string();
    assert!(text.contains(&event("e1").to_string()) && text.contains(&event("e2").to_string()), "{text}");
}

#[test]
fn a_key_of_its_own_tells_apart_what_a_shared_name_does_not() {
    let graph = graph(&[
        "credential k1 assumed_by principal alice 0 60 e1",
        "session shared assumed_by principal alice 0 60 e1",
        "session shared assumed_by principal bob 0 60 e2",
        "credential k1 issued_to session shared 5 60 e3",
        "credential k9 issued_to session shared 5 60 e4",
    ]);
    assert_eq!(says(&graph, "credential k1", 10), "known: principal alice");
    assert_eq!(says(&graph, "credential k9", 10), "ambiguous: principal alice or principal bob");
}

#[test]
fn a_name_that_somebody_chose_is_a_claim_and_weaker_than_a_link() {
    let claim = "session s1 named_after person alice 0 60 e1";
    assert_eq!(says(&graph(&[claim]), "session s1", 5), "claimed: person alice");
    let known = graph(&[claim, "session s1 assumed_by principal bob 0 60 e2"]);
    assert_eq!(says(&known, "session s1", 5), "known: principal bob");
    let claims = known.resolve(&entity("session s1"), minute(5)).claims;
    assert_eq!(claims.iter().map(|claim| claim.entity.key.as_str()).collect::<Vec<_>>(), ["alice"]);
    assert!(claims[0].is_claim);
    let vouched = graph(&[claim, "session s1 federated_as person alice 0 60 e2"]);
    assert!(vouched.resolve(&entity("session s1"), minute(5)).claims.is_empty(), "what is vouched for is no claim");
    let two = graph(&[claim, "session s1 assumed_by session s0 0 60 e2", "session s0 named_after person bob 0 60 e3"]);
    assert_eq!(says(&two, "session s1", 5), "ambiguous: person alice or person bob");
}

#[test]
fn a_declared_person_stands_above_the_account_that_was_used() {
    let account = "credential k1 assumed_by principal deployer 0 60 e1";
    let declared = "credential k1 declared_as person alice 0 60 e2";
    assert_eq!(says(&graph(&[account, declared]), "credential k1", 5), "known: person alice");
    let workload = "credential k1 federated_as workload ci 0 60 e1";
    assert_eq!(says(&graph(&[workload, declared]), "credential k1", 5), "known: person alice");
}

#[test]
fn a_declared_person_chooses_between_those_that_a_shared_name_allows() {
    let links = [
        "credential k1 assumed_by session shared 5 60 e1",
        "session shared federated_as person alice 0 60 e2",
        "session shared federated_as workload ci 0 60 e3",
    ];
    assert_eq!(says(&graph(&links), "credential k1", 10), "ambiguous: person alice or workload ci");
    let declared = [&links[..], &["credential k1 declared_as person alice 5 60 e4"]].concat();
    assert_eq!(says(&graph(&declared), "credential k1", 10), "known: person alice");
}

#[test]
fn evidence_that_disagrees_about_people_is_ambiguous() {
    let graph =
        graph(&["credential k1 declared_as person bob 0 60 e1", "credential k1 federated_as person alice 0 60 e2"]);
    assert_eq!(says(&graph, "credential k1", 5), "ambiguous: person alice or person bob");
}

#[test]
fn two_names_of_one_person_are_one_person() {
    let graph = graph(&[
        "credential k1 federated_as person 906a 0 60 e1",
        "credential k1 declared_as person alice 0 60 e2",
        "person 906a same_as person alice 0 60 e3",
    ]);
    assert_eq!(says(&graph, "credential k1", 5), "known: person 906a");
    assert_eq!(says(&graph, "person alice", 5), "known: person 906a", "from either name");
    assert_eq!(says(&graph, "person alice", 90), "known: person alice", "while they are known to be one");
}

#[test]
fn what_a_platform_runs_is_behind_its_key_unless_somebody_asked_for_it() {
    let run =
        ["credential t1 pod_of workload pod/lab/a 0 60 e1", "workload pod/lab/a runs_as workload lab:train 0 60 e2"];
    assert_eq!(says(&graph(&run), "credential t1", 5), "known: workload lab:train");
    assert_eq!(graph(&run).resolve(&entity("credential t1"), minute(5)).chain.len(), 2, "the pod is on the way");
    let asked =
        ["credential t1 issued_to workload lab:train 0 60 e1", "credential t1 assumed_by principal alice 0 60 e1"];
    assert_eq!(says(&graph(&asked), "credential t1", 5), "known: principal alice");
}

#[test]
fn whose_key_it_is_does_not_answer_who_asked_for_it() {
    let graph = graph(&[
        "credential t1 issued_to workload lab:train 0 60 e1",
        "credential t1 assumed_by session s1 0 60 e1",
        "session s1 named_after person alice 0 60 e2",
    ]);
    assert_eq!(says(&graph, "credential t1", 5), "claimed: person alice");
}

#[test]
fn cycles_end() {
    let circle = graph(&[
        "session a assumed_by session b 0 60 e1",
        "session b assumed_by session c 0 60 e2",
        "session c assumed_by session a 0 60 e3",
    ]);
    assert_eq!(says(&circle, "session a", 5), "unknown");
    let with_exit = graph(&[
        "session a assumed_by session b 0 60 e1",
        "session b assumed_by session a 0 60 e2",
        "session b assumed_by principal alice 0 60 e3",
        "principal alice same_as principal alicia 0 60 e4",
    ]);
    assert_eq!(says(&with_exit, "session a", 5), "known: principal alice");
}

#[test]
fn a_chain_without_an_end_is_cut_and_says_so() {
    let mut long = Graph::new(Bounds::default());
    for at in 0..100 {
        long.learn(&link(&format!("session s{at} assumed_by session s{} 0 60 e{at}", at + 1)));
    }
    long.learn(&link("session s100 assumed_by principal alice 0 60 e"));
    let resolution = long.resolve(&entity("session s0"), minute(5));
    assert_eq!((&resolution.certainty, resolution.is_partial), (&Certainty::Unknown, true));
    assert_eq!(says(&long, "session s90", 5), "known: principal alice");
}

#[test]
fn a_tangle_of_names_takes_a_bounded_time() {
    let mut tangle = Graph::new(Bounds::default());
    for layer in 0..20 {
        for (from, to) in (0..8).flat_map(|from| (0..8).map(move |to| (from, to))) {
            let next = layer + 1;
            tangle.learn(&link(&format!(
                "session s{layer}.{from} assumed_by session s{next}.{to} 0 60 e{layer}.{from}.{to}"
            )));
        }
    }
    assert!(tangle.resolve(&entity("session s0.0"), minute(0)).is_partial);
}

#[test]
fn a_late_link_gives_the_better_answer_to_the_same_question() {
    let mut graph = graph(&["credential k2 assumed_by credential k1 10 70 e2"]);
    assert_eq!(says(&graph, "credential k2", 20), "unknown");
    assert_eq!(graph.resolve(&entity("credential k2"), minute(20)).chain.len(), 1, "as far as it goes");
    graph.learn(&link("credential k1 issued_to principal alice 0 60 e1"));
    assert_eq!(says(&graph, "credential k2", 20), "known: principal alice");
}

#[test]
fn a_key_that_is_used_every_minute_is_one_link_with_its_first_event() {
    let mut graph = Graph::new(Bounds::default());
    for at in (0..600).rev() {
        let end = at + 5;
        graph.learn(&link(&format!("credential k1 issued_to principal alice {at} {end} e{at}")));
    }
    assert_eq!((graph.len(), graph.counts().learned, graph.counts().repeated), (1, 1, 599));
    assert_eq!(graph.resolve(&entity("credential k1"), minute(300)).chain[0].evidence, event("e0"));
}

#[test]
fn one_crowded_name_does_not_push_out_the_others_and_is_never_sure_again() {
    let bounds = Bounds { links: 1000, links_of_one: 4 };
    let mut graph = graph_within(bounds, &["credential k1 assumed_by principal alice 0 60 e"]);
    (0..50).for_each(|at| {
        let end = 100 + at;
        graph.learn(&link(&format!("session shared assumed_by principal p{at} 0 {end} e{at}")));
    });
    assert_eq!((graph.len(), graph.counts().evicted), (5, 46));
    assert_eq!(says(&graph, "credential k1", 5), "known: principal alice");
    graph.learn(&link("credential k2 assumed_by session shared 5 60 f"));
    let resolution = graph.resolve(&entity("credential k2"), minute(5));
    assert!(resolution.is_partial && matches!(&resolution.certainty, Certainty::Ambiguous(of) if of.len() == 4));
    // After the end of all that was lost, what is left is all there was.
    assert_eq!(says(&graph, "session shared", 149), "known: principal p49");
}

#[test]
fn what_ends_first_goes_first_and_questions_about_that_time_are_told() {
    let bounds = Bounds { links: 2, links_of_one: 2 };
    let links = [
        "principal a same_as principal b 0 10 e1",
        "session s2 assumed_by principal c 0 90 e2",
        "session s3 assumed_by principal d 0 80 e3",
    ];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let graph = graph_within(bounds, &order.map(|at| links[at]));
        assert_eq!((graph.len(), graph.counts().evicted), (2, 2));
        let resolution = graph.resolve(&entity("session s2"), minute(5));
        assert!(resolution.is_partial && resolution.behind == Some(entity("principal c")));
    }
}

#[test]
fn what_has_ended_is_forgotten_when_nobody_asks_any_more() {
    let mut graph = graph(&["session s1 assumed_by principal a 0 10 e1", "session s2 assumed_by principal b 0 90 e2"]);
    graph.forget_before(minute(50));
    assert_eq!((graph.len(), graph.counts().forgotten), (1, 1));
    assert_eq!(says(&graph, "session s2", 60), "known: principal b");
}

#[test]
fn what_is_no_link_is_refused_and_counted() {
    let mut graph = graph(&["session s1 assumed_by session s1 0 10 e", "session s1 assumed_by principal a 10 9 e"]);
    let mut long = link("session s1 assumed_by principal a 0 9 e");
    long.from.key = "x".repeat(10_000);
    graph.learn(&long);
    long.from.key.clear();
    graph.learn(&long);
    assert_eq!((graph.is_empty(), graph.counts().refused), (true, 4));
}

#[test]
fn bytes_that_are_no_snapshot_are_refused_with_the_reason() {
    let graph = graph(&["session s1 assumed_by principal a 0 10 e1"]);
    let text = String::from_utf8(graph.snapshot()).expect("JSON");
    let restore = |text: &str| Graph::restore(text.as_bytes(), Bounds::default()).map(|graph| graph.len());
    assert_eq!(restore(&text).expect("it is one"), 1);
    assert!(matches!(restore(&text.replace("\"version\":1", "\"version\":7")), Err(RestoreError::Version(7))));
    for broken in [&text[..text.len() / 2], "", &text.replace("assumed_by", "eaten_by"), &text.replace("[[1,", "[[9,")]
    {
        assert!(matches!(restore(broken), Err(RestoreError::Unreadable(_))), "{broken}");
    }
}
