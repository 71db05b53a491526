//! What holds for all links: order of arrival, bounds, snapshots, evidence.

use model::{Entity, EntityKind, EventId, Time};
use proptest::prelude::*;

use super::{Bounds, Certainty, Graph, Link, Means, Resolution};

const KINDS: [EntityKind; 5] =
    [EntityKind::Person, EntityKind::Principal, EntityKind::Session, EntityKind::Credential, EntityKind::Workload];
const TIMES: i64 = 12;

fn entity() -> impl Strategy<Value = Entity> {
    (0..KINDS.len(), 0..3).prop_map(|(kind, key)| Entity { kind: KINDS[kind], key: format!("{key}") })
}

fn link() -> impl Strategy<Value = Link> {
    let means = (0..Means::ALL.len()).prop_map(|at| Means::ALL[at]);
    (entity(), entity(), means, 0..TIMES, 0..6i64, 0..40u8).prop_map(|(from, to, means, since, length, evidence)| {
        Link {
            from,
            to,
            means,
            since: Time::from_millis(since),
            until: Time::from_millis(since + length),
            evidence: EventId::of(&[&[evidence]]),
        }
    })
}

fn links() -> impl Strategy<Value = Vec<Link>> {
    prop::collection::vec(link(), 0..24)
}

/// The same links in two orders, some of them delivered again in the second.
fn two_orders() -> impl Strategy<Value = (Vec<Link>, Vec<Link>)> {
    links().prop_flat_map(|links| {
        let again = prop::sample::subsequence(links.clone(), 0..=links.len());
        let other = again.prop_map({
            let links = links.clone();
            move |again| [links.clone(), again].concat()
        });
        (Just(links), other.prop_shuffle())
    })
}

fn learned(links: &[Link], bounds: Bounds) -> Graph {
    let mut graph = Graph::new(bounds);
    for link in links {
        graph.learn(link);
    }
    graph
}

/// Every question that can be asked of the small world of these links.
fn answers(graph: &Graph) -> Vec<Resolution> {
    let keys = KINDS.iter().flat_map(|kind| (0..3).map(|key| Entity { kind: *kind, key: format!("{key}") }));
    let times = -1..TIMES + 7;
    keys.flat_map(|of| times.clone().map(move |at| (of.clone(), at)))
        .map(|(of, at)| graph.resolve(&of, Time::from_millis(at)))
        .collect()
}

/// Everybody who can be behind it.
fn who(resolution: &Resolution) -> Vec<Entity> {
    match &resolution.certainty {
        Certainty::Ambiguous(candidates) => candidates.iter().map(|candidate| candidate.entity.clone()).collect(),
        _ => resolution.behind.iter().cloned().collect(),
    }
}

proptest! {
    #[test]
    fn any_order_of_arrival_gives_the_same_answers((one, other) in two_orders()) {
        let bounds = Bounds::default();
        prop_assert_eq!(answers(&learned(&one, bounds)), answers(&learned(&other, bounds)));
    }

    #[test]
    fn links_that_are_joined_before_they_are_learned_give_the_same_answers(links in links()) {
        let mut batch = crate::correlate::Batch::default();
        batch.link(links.clone());
        prop_assert!(batch.links.len() <= links.len());
        prop_assert_eq!(answers(&learned(&links, Bounds::default())), answers(&learned(&batch.links, Bounds::default())));
    }

    #[test]
    fn a_link_changes_no_answer_about_a_time_before_it_says_so(links in links()) {
        let mut graph = Graph::new(Bounds::default());
        for link in &links {
            let before = answers(&graph);
            let from = graph.learn(link);
            for (before, after) in before.iter().zip(answers(&graph)) {
                let is_same = (&before.certainty, &before.behind) == (&after.certainty, &after.behind);
                prop_assert!(is_same || from.is_some_and(|from| before.at >= from), "{link:?}: {before:?}, {after:?}");
            }
        }
    }

    #[test]
    fn an_answer_stays_for_all_of_the_span_that_it_is_given_with(links in links(), of_one in 1..5usize) {
        let graph = learned(&links, Bounds { links_of_one: of_one, ..Bounds::default() });
        let all = answers(&graph);
        for asked in &all {
            let (_, (first, last)) = graph.resolve_by(&asked.of, asked.at, &mut |_| {});
            prop_assert!(first <= asked.at && asked.at <= last);
            for other in all.iter().filter(|other| other.of == asked.of && first <= other.at && other.at <= last) {
                prop_assert_eq!((other.brief(), &other.behind), (asked.brief(), &asked.behind));
            }
        }
    }

    #[test]
    fn a_snapshot_answers_as_the_graph_does(links in links()) {
        let graph = learned(&links, Bounds::default());
        let bytes = graph.snapshot();
        let restored = Graph::restore(&bytes, Bounds::default()).expect("a snapshot of its own");
        prop_assert_eq!(answers(&graph), answers(&restored));
        prop_assert_eq!(bytes, restored.snapshot());
    }

    #[test]
    fn what_happens_later_changes_no_answer_about_before(links in links(), at in 0..TIMES) {
        let at = Time::from_millis(at);
        let before: Vec<Link> = links.iter().filter(|link| link.since <= at).cloned().collect();
        let (all, before) = (learned(&links, Bounds::default()), learned(&before, Bounds::default()));
        for of in links.iter().map(|link| &link.from) {
            let (mut all, before) = (all.resolve(of, at), before.resolve(of, at));
            // A later event can make what held then hold for longer; who and why stay.
            all.is_partial = before.is_partial;
            prop_assert_eq!(all, before);
        }
    }

    #[test]
    fn every_hop_is_a_link_that_was_learned_and_began_before_the_question(links in links()) {
        let shows = |hop: &super::Hop| links.iter().any(|link| {
            let is_either = (&link.from, &link.to) == (&hop.from, &hop.to)
                || (link.means == Means::SameAs && (&link.to, &link.from) == (&hop.from, &hop.to));
            is_either && (link.means, link.since, link.evidence) == (hop.means, hop.since, hop.evidence)
        });
        for answer in answers(&learned(&links, Bounds::default())) {
            for hop in &answer.chain {
                prop_assert!(shows(hop) && hop.since <= answer.at, "{hop:?}");
            }
            if let Some(behind) = &answer.behind {
                prop_assert_eq!(answer.chain.last().map_or(&answer.of, |hop| &hop.to), behind);
            }
            prop_assert!(answer.chain.windows(2).all(|hops| hops[0].to == hops[1].from));
        }
    }

    #[test]
    fn a_graph_stays_within_its_bounds_and_counts_what_it_lets_go(links in links(), total in 1..12usize, of_one in 1..5usize) {
        let graph = learned(&links, Bounds { links: total, links_of_one: of_one });
        prop_assert!(graph.len() <= total);
        let counts = graph.counts();
        prop_assert_eq!(counts.learned + counts.repeated + counts.refused, links.len() as u64);
        let all = learned(&links, Bounds::default());
        prop_assert!(counts.evicted > 0 || graph.len() == all.len());
        // What it says without reserve is what one without bounds says; where nothing was lost, it has no reserve.
        for (bounded, free) in answers(&graph).into_iter().zip(answers(&all)).filter(|(bounded, _)| !bounded.is_partial) {
            prop_assert_eq!((who(&bounded), bounded.behind), (who(&free), free.behind));
        }
        prop_assert!(counts.evicted > 0 || answers(&graph) == answers(&all));
    }
}
