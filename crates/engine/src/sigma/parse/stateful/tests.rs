use super::super::super::stateful::{
    Absence, Beyond, Coverage, Expectation, FirstSeen, Join, KnownSet, Learn, Measured, PeerGroup, Points, Rarity,
    Ratio, Risk, Season, Sequence, Side, Stateful, Step, Volume,
};
use super::super::super::{Bound, Comparison, Correlation, Document};
use super::super::parse;

const DAY_MS: i64 = 86_400_000;

/// A document without `detection`.
fn alone(stateful: &str) -> String {
    format!("title: T\nlevel: high\nwatchkeep:\n  stateful:\n    {}\n", stateful.replace('\n', "\n    "))
}

/// A rule that is judged over time.
fn beside(stateful: &str) -> String {
    let head = "title: R\nid: 9f8c1d2e-0000-4000-8000-000000000001\nname: r\nlogsource: {product: test}\nlevel: high\ntags: [attack.t1530]\ndetection: {s: {x: 1}, condition: s}\n";
    format!("{head}watchkeep:\n  stateful:\n    {}\n", stateful.replace('\n', "\n    "))
}

fn codes(text: &str) -> Vec<String> {
    let told = parse(text).1.into_iter();
    told.map(|told| {
        assert!(!told.remedy.is_empty() && told.line > 0, "{told:?}");
        format!("{} {}:{}", told.code, told.line, told.column)
    })
    .collect()
}

fn correlation(text: &str) -> Correlation {
    assert_eq!(codes(text), [""; 0], "{text}");
    let found = parse(text).0.into_iter().find_map(|document| match document {
        Document::Correlation(correlation) => Some(correlation),
        _ => None,
    });
    found.expect("a correlation")
}

fn stateful(text: &str) -> Stateful {
    correlation(text).stateful().expect("a stateful type").clone()
}

fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

#[test]
fn a_rule_with_stateful_is_a_rule_and_what_speaks_for_it() {
    let text = beside("type: first_seen\ngroup-by: [u]\ntimespan: 30d\nlearn: 14d\ncondition: {field: [a, b]}");
    assert_eq!(codes(&text), [""; 0]);
    let (documents, _) = parse(&text);
    let [Document::Rule(rule), Document::Correlation(voice)] = &documents[..] else { panic!("{documents:?}") };
    assert_eq!(voice.voice_of.as_ref(), Some(&rule.id));
    assert_eq!(voice.id.as_deref(), Some(rule.id.as_str()));
    assert_eq!((&voice.title, &voice.name, voice.level), (&rule.title, &rule.name, Some(rule.level)));
    assert_eq!((&voice.tags, &voice.watchkeep, voice.generate), (&rule.tags, &rule.watchkeep, false));
    assert_eq!(voice.rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), [rule.id.as_str()]);
    assert_eq!((voice.timespan_ms, &voice.group_by), (30 * DAY_MS, &texts(["u"])));
    assert_eq!(voice.fields(), ["a", "b"]);
}

#[test]
fn values_that_are_new_or_rare() {
    let first = |learn: &str| {
        stateful(&beside(&format!(
            "type: first_seen\ngroup-by: []\ntimespan: 30d\ncondition: {{field: a}}\nlearn: {learn}"
        )))
    };
    let wanted = |learn| Stateful::FirstSeen(FirstSeen { fields: texts(["a"]), learn, values_max: 10_000 });
    assert_eq!(first("14d"), wanted(Learn { span_ms: 14 * DAY_MS, events: 0 }));
    assert_eq!(first("{for: 1d, events: 50}"), wanted(Learn { span_ms: DAY_MS, events: 50 }));
    assert_eq!(first("none"), wanted(Learn::default()));
    let rarity = "type: rarity\nrules: [a]\ngroup-by: [h]\ntimespan: 7d\ncondition: {field: p, lt: 1%}\nleast_events: 500\nmost_values: 20";
    let wanted = Rarity { fields: texts(["p"]), share: 0.01, least_events: 500, values_max: 20 };
    assert_eq!(stateful(&alone(rarity)), Stateful::Rarity(wanted));
}

#[test]
fn volumes_have_a_baseline() {
    let text = "type: volume\ngroup-by: [u]\ntimespan: 1h\nmeasure: sum\ncondition: {field: bytes}\nat_least: 53687091200\nbaseline: {quantile: 99%, factor: 3, season: hour_of_week, learn: 200, history: 12}";
    let wanted = Volume {
        measured: Measured::Sum("bytes".to_owned()),
        expectation: Expectation::Quantile { quantile: 0.99, factor: 3.0 },
        season: Season::HourOfWeek,
        learn: 200,
        history: 12,
        at_least: 53_687_091_200.0,
        beyond: Beyond::Above,
    };
    assert_eq!(stateful(&beside(text)), Stateful::Volume(wanted));
    let usual = |season: &str| {
        let text =
            format!("type: volume\ngroup-by: []\ntimespan: 1h\nbeyond: below\nbaseline: {{k: 4, season: {season}}}");
        match stateful(&beside(&text)) {
            Stateful::Volume(volume) => {
                assert_eq!((volume.expectation, volume.beyond), (Expectation::Mad { k: 4.0 }, Beyond::Below));
                (volume.learn, volume.history)
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(usual("none"), (30, 256));
    assert_eq!(usual("hour_of_day"), (168, 30));
    assert_eq!(usual("hour_of_week"), (336, 8));
}

#[test]
fn peers_are_compared() {
    let text = "type: peer_group\nrules: [a]\ngroup-by: [team]\nentity: [user]\ntimespan: 7d\nmeasure: distinct\ncondition: {field: [model, version]}\nbaseline: {factor: 3}\nleast_peers: 8\nat_least: 5";
    let wanted = PeerGroup {
        entity: texts(["user"]),
        measured: Measured::Distinct(texts(["model", "version"])),
        expectation: Expectation::Quantile { quantile: 0.5, factor: 3.0 },
        least_peers: 8,
        at_least: 5.0,
    };
    let read = correlation(&alone(text));
    assert_eq!(read.fields(), ["user", "model", "version"]);
    assert_eq!(read.stateful(), Some(&Stateful::PeerGroup(wanted)));
}

#[test]
fn coverage_is_of_a_known_set() {
    let of = |of: &str| {
        let text =
            format!("type: coverage\ngroup-by: [u]\ntimespan: 14d\ncondition: {{field: shard, gte: 90%}}\nof: {of}");
        correlation(&beside(&text))
    };
    let wanted = |of| Coverage {
        fields: texts(["shard"]),
        of,
        bounds: vec![Bound { comparison: Comparison::Gte, value: 0.9 }],
        at_least: 1,
    };
    assert_eq!(of("30").stateful(), Some(&Stateful::Coverage(wanted(KnownSet::Size(30)))));
    assert_eq!(of("'%shards%'").stateful(), Some(&Stateful::Coverage(wanted(KnownSet::List("shards".to_owned())))));
    let by_field = of("{field: total}");
    assert_eq!(by_field.stateful(), Some(&Stateful::Coverage(wanted(KnownSet::Field("total".to_owned())))));
    assert_eq!(by_field.fields(), ["shard", "total"]);
}

#[test]
fn ratios_set_rules_against_rules() {
    let text = |to: &str| {
        format!(
            "type: ratio\nrules: [a, b, c]\ngroup-by: [k]\ntimespan: 1d\nof: c\nto: {to}\ncondition: {{gt: 0.5}}\nat_least: 500"
        )
    };
    let wanted = |to| Ratio {
        of: vec![2],
        to,
        measured: Measured::Count,
        bounds: vec![Bound { comparison: Comparison::Gt, value: 0.5 }],
        at_least: 500.0,
    };
    assert_eq!(stateful(&alone(&text("all"))), Stateful::Ratio(wanted(None)));
    assert_eq!(stateful(&alone(&text("[b, a]"))), Stateful::Ratio(wanted(Some(vec![0, 1]))));
    let unlisted = alone(&text("[b, a]").replace("rules: [a, b, c]\n", ""));
    assert_eq!(correlation(&unlisted).rules.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["c", "b", "a"]);
}

#[test]
fn absences_are_of_a_follower_or_of_anything() {
    let follow = "type: absence\nrules: [deploy, gate]\ngroup-by: [digest]\ntimespan: 30d\nmissing: gate\nside: before";
    let wanted = Absence::Unfollowed { missing: vec![1], side: Side::Before };
    assert_eq!(stateful(&alone(follow)), Stateful::Absence(wanted));
    let silent = "type: absence\ngroup-by: [host]\ntimespan: 10m";
    let wanted = Absence::Silent { least_events: 2, forget_ms: 7 * DAY_MS };
    assert_eq!(stateful(&beside(silent)), Stateful::Absence(wanted));
    let wanted = Absence::Silent { least_events: 20, forget_ms: 2 * DAY_MS };
    assert_eq!(stateful(&beside(&format!("{silent}\nleast_events: 20\nforget: 2d"))), Stateful::Absence(wanted));
}

#[test]
fn joins_are_of_two() {
    let text = "type: join\nrules: [decrypt, read]\ngroup-by: [who, object]\ntimespan: 5s\naliases: {who: {decrypt: a, read: b}, object: {decrypt: c, read: d}}";
    assert_eq!(stateful(&alone(text)), Stateful::Join(Join { missing: None }));
    assert_eq!(stateful(&alone(&format!("{text}\nmissing: read"))), Stateful::Join(Join { missing: Some(1) }));
}

#[test]
fn sequences_have_steps_with_gaps_and_counts() {
    let text = "type: sequence\ngroup-by: [watchkeep.who]\ntimespan: 4h\nsteps:\n- {rule: fail, at_least: 10}\n- {rule: [login, sso], within: 1h}\n- use\nunless: [reset]";
    let read = correlation(&alone(text));
    assert!(read.groups_by_who());
    assert_eq!(
        read.rules.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(),
        ["fail", "login", "sso", "use", "reset"]
    );
    let step = |members: &[usize], within_ms, at_least| Step { members: members.to_vec(), within_ms, at_least };
    let steps = vec![step(&[0], None, 10), step(&[1, 2], Some(3_600_000), 1), step(&[3], None, 1)];
    assert_eq!(read.stateful(), Some(&Stateful::Sequence(Sequence { steps, unless: vec![4] })));
}

#[test]
fn risks_add_up_points() {
    let text = "type: risk\nrules: [a, b]\ngroup-by: [u]\ntimespan: 14d\ncondition: {gte: 100}\nleast_tactics: 2\nleast_rules: 2";
    let wanted = |points| {
        let bounds = vec![Bound { comparison: Comparison::Gte, value: 100.0 }];
        Stateful::Risk(Risk { points, bounds, least_tactics: 2, least_rules: 2 })
    };
    assert_eq!(stateful(&alone(text)), wanted(Points::Level));
    assert_eq!(stateful(&alone(&format!("{text}\npoints: {{b: 40}}"))), wanted(Points::Given(vec![None, Some(40)])));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let own = |text: &str| codes(&beside(text)).join(", ");
    let alone = |text: &str| codes(&self::alone(text)).join(", ");
    let first = "type: first_seen\ngroup-by: [u]\ntimespan: 30d\nlearn: 14d\ncondition: {field: a}\n";
    for (told, wanted) in [
        (own("group-by: [u]"), "missing-type 9:3"),
        (own("type: first_sen"), "bad-stateful-type 10:11"),
        (own("type: event_count"), "bad-stateful-type 10:11"),
        (own(&format!("{first}lern: 1d")), "unknown-key 15:5"),
        (own(&format!("{first}steps: [a]")), "unknown-key 15:5"),
        (own(&format!("{first}rules: [a]")), "rules-beside-detection 15:5"),
        (own(&first.replace("learn: 14d\n", "")), "missing-learn 9:3"),
        (own(&first.replace("timespan: 30d\n", "")), "missing-timespan 9:3"),
        (own(&first.replace("{field: a}", "{gte: 1}")), "missing-field 14:5, unknown-key 14:17"),
        (own(&first.replace("[u]", "[watchkeep.whom]")), "unknown-field 11:15"),
        (own(&first.replace("{field: a}", "{field: watchkeep.who}")), "unknown-field 14:16"),
        (own("type: sequence\ngroup-by: [u]\ntimespan: 1h\nsteps: [a]"), "single-rule 9:3"),
        (own("type: volume\ngroup-by: [u]\ntimespan: 1h\nbaseline: {k: 4}"), "missing-at_least 9:3"),
        (
            own("type: volume\ngroup-by: [u]\ntimespan: 7m\nat_least: 1\nbaseline: {k: 4, season: hour_of_day}"),
            "season-does-not-fit 14:30",
        ),
        (
            own("type: volume\ngroup-by: [u]\ntimespan: 1h\nat_least: 1\nbaseline: {k: 4, factor: 2}"),
            "two-baselines 14:16",
        ),
        (
            own("type: volume\ngroup-by: [u]\ntimespan: 1h\nat_least: 1\nmeasure: sum\nbaseline: {k: 4}"),
            "missing-field 14:5",
        ),
        (
            own("type: coverage\ngroup-by: [u]\ntimespan: 1h\nof: none\ncondition: {field: a, gte: 2}"),
            "bad-set 13:9, bad-share 14:32",
        ),
        (own("type: absence\ngroup-by: [u]\ntimespan: 1h\nforget: 1m"), "forget-too-soon 13:13"),
        (alone("type: absence\ngroup-by: [u]\ntimespan: 1h\nrules: [a, b]\nmissing: c"), "unknown-member 9:14"),
        (alone("type: absence\ngroup-by: [u]\ntimespan: 1h\nrules: [a, b]\nmissing: [a, b]"), "nothing-to-follow 9:5"),
        (alone("type: join\ngroup-by: [u]\ntimespan: 1h\nrules: [a, b, c]"), "join-of-two 8:5"),
        (
            alone("type: ratio\ngroup-by: [u]\ntimespan: 1h\nrules: [a]\nof: a\ncondition: {gt: 1}\nat_least: 1"),
            "always-one 4:3",
        ),
        (
            alone("type: sequence\ngroup-by: [u]\ntimespan: 1h\nsteps: [{rule: a, within: 1m}, b]"),
            "within-of-the-first 8:23",
        ),
        (alone("type: sequence\ngroup-by: [u]\ntimespan: 1h\nsteps: [a, b]\nunless: b"), "step-and-unless 9:5"),
        (alone("type: sequence\ngroup-by: [u]\ntimespan: 1h\nrules: [a, b, c]\nsteps: [a, b]"), "unused-rule 8:19"),
        (
            alone("type: risk\ngroup-by: [u]\ntimespan: 1h\nrules: [a]\nleast_rules: 2\ncondition: {gte: 1}"),
            "bad-count 9:18",
        ),
        (
            alone("type: first_seen\ntimespan: 1h\nlearn: none\ncondition: {field: a}"),
            "missing-rules 4:3, missing-group-by 4:3",
        ),
    ] {
        assert_eq!(told, wanted);
    }
}

#[test]
fn a_document_is_judged_in_one_way() {
    let text = "title: T\ncorrelation: {type: event_count, rules: [a], group-by: [u], timespan: 1h, condition: {gte: 2}}\nwatchkeep:\n  stateful: {type: join}\n";
    assert_eq!(codes(text), ["correlation-and-stateful 4:3"]);
    let text = "title: T\ncorrelation: {type: event_count, rules: [a], group-by: [u], timespan: 1h, condition: {gte: 2}}\nwatchkeep:\n  owner: us\n  expect: {late_data: 30m}\n";
    let read = correlation(text);
    assert_eq!((read.watchkeep.owner.as_deref(), read.late_data_ms()), (Some("us"), Some(1_800_000)));
}

#[test]
fn claims_are_read_with_their_places() {
    let text = "title: T\nwatchkeep:\n  claims: {order: [a, b], window: 10m, entity: [u], threshold: 90%, events: x}\n  stateful: {type: sequence, group-by: [u], timespan: 10m, steps: [a, b]}\n";
    let claims = correlation(text).watchkeep.claims.expect("claims");
    assert_eq!(claims.order.map(|it| (it.value, it.line, it.column)), Some((texts(["a", "b"]), 3, 12)));
    assert_eq!(claims.window_ms.map(|it| it.value), Some(600_000));
    assert_eq!(claims.entity.map(|it| it.value), Some(texts(["u"])));
    assert_eq!(claims.threshold.map(|it| it.value), Some(0.9));
    assert_eq!(claims.events.map(|it| it.value), Some(texts(["x"])));
    assert_eq!(codes(&text.replace("window", "windw")), ["unknown-key 3:27"]);
}

const PAGE: &str = include_str!("../../../../../../docs/reference/stateful.md");

/// The examples of the page.
fn examples() -> Vec<String> {
    let parts = PAGE.split("```yaml\n").skip(1);
    parts.map(|part| part.split("```").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_examples_of_the_page_are_read_and_can_be_joined() {
    let mut seen = Vec::new();
    for text in examples() {
        assert_eq!(codes(&text), [""; 0], "{text}");
        let (mut rules, mut correlations) = (Vec::new(), Vec::new());
        for document in parse(&text).0 {
            match document {
                Document::Rule(rule) => rules.push(rule),
                Document::Correlation(correlation) => correlations.push(correlation),
                Document::Filter(_) => panic!("no filter"),
            }
        }
        for (nth, name) in correlations.iter().flat_map(|it| &it.rules).map(|it| &it.name).enumerate() {
            let id = format!("9f8c1d2e-0000-4000-8000-{nth:012}");
            let text = format!(
                "title: {name}\nname: {name}\nid: {id}\nlogsource: {{product: t}}\ndetection: {{s: {{x: 1}}, condition: s}}\n"
            );
            if !rules.iter().any(|rule| rule.id.as_str() == name) {
                rules.extend(parse(&text).0.into_iter().filter_map(|document| match document {
                    Document::Rule(rule) => Some(rule),
                    _ => None,
                }));
            }
        }
        let (linked, told) = super::super::super::link(&rules, &correlations);
        assert!(told.is_empty() && linked.len() == correlations.len(), "{told:?}");
        seen.extend(linked.iter().map(|linked| linked.correlation.kind));
    }
    let all = super::super::super::CorrelationKind::STATEFUL;
    assert!(all.iter().all(|(_, kind)| seen.contains(kind)), "{seen:?}");
}

#[test]
fn the_page_tells_of_every_key() {
    for (word, kind) in super::super::super::CorrelationKind::STATEFUL {
        let section = PAGE.split(&format!("### {word}\n")).nth(1).unwrap_or_else(|| panic!("no section `{word}`"));
        let section = section.split("\n### ").next().unwrap_or_default();
        for key in super::own_keys(kind).iter().chain(&["timespan"]) {
            assert!(section.contains(&format!("`{key}")), "`{key}` of `{word}`");
        }
    }
}
