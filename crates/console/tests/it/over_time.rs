//! What the page of an alert shows of findings over time.

use axum::http::StatusCode;

use crate::seed::{HOSTILE, over_time};
use crate::visitor::Console;

/// An evening with findings over time.
fn evening() -> (Console, over_time::Told) {
    let dir = tempfile::tempdir().unwrap();
    let store = crate::seed::open(dir.path());
    let mut catalogue = crate::seed::evening(&store);
    let told = over_time::tell(&store, &mut catalogue);
    (Console::over(dir, catalogue), told)
}

/// The part of a page between two texts.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    page.split(from).nth(1).and_then(|rest| rest.split(to).next()).unwrap_or_else(|| panic!("no {from}"))
}

#[tokio::test]
async fn a_sequence_is_told_with_its_standing_its_events_in_order_and_a_drawing() {
    let (console, told) = evening();
    let page = console.visitor().await.get(&format!("/alerts/{}", told.sequence)).await.text;
    for text in [
        "What happened over time",
        "<b>final</b>: no event that comes in time can change it.",
        "4 m 12 s</span> later than in order",
        "all 3 in order within 30m",
        "35 more events are not kept with this finding; those above are the earliest.",
    ] {
        assert!(page.contains(text), "{text}");
    }
    let events = between(&page, "class=\"table-frame events\"", "</table>");
    let briefs = ["CreateAccessKey", "ListObjectsV2 of lab-weights by", "shard-00001", "shard-00008"];
    let places: Vec<Option<usize>> = briefs.iter().map(|brief| events.find(brief)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
    assert_eq!(events.matches("first held").count(), 1);
    insta::assert_snapshot!("strips", between(&page, "<div class=\"strips\"", "</div>\n<h3"));
    assert!(!page.contains("class=\"baseline\""), "there is none to be drawn");
}

#[tokio::test]
async fn the_page_of_a_rule_over_time_shows_what_it_took_in_and_what_it_let_go_of() {
    let (console, _) = evening();
    let visitor = console.visitor().await;
    let rule = console.catalogue.rules[0].id.clone();
    let page = visitor.get(&format!("/rules/{rule}")).await.text;
    assert!(!page.contains("id=\"h-time\""), "it has told of none");
    let counts = [("groups", 1200), ("taken", 45_000), ("too_late", 3), ("evicted", 0)];
    let counts = counts.into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
    let told = store::CorrelationCount { rule_id: rule.clone(), counts, at: crate::seed::now() };
    console.store.tell_correlations(&[told]).unwrap();
    let page = visitor.get(&format!("/rules/{rule}")).await.text;
    let shown = between(&page, "id=\"h-time\"", "</section>");
    for text in
        ["Groups kept</dt><dd class=\"num\">1,200<", "Too late to take part</dt><dd class=\"num\"><b class=\"bad\">3<"]
    {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(shown.contains("of too many</dt><dd class=\"num\">0<") && !shown.contains("Set aside"), "{shown}");
}

#[tokio::test]
async fn what_was_told_early_is_one_row_and_what_was_withdrawn_is_struck_with_the_reason() {
    let (console, told) = evening();
    let visitor = console.visitor().await;
    let page = visitor.get(&format!("/alerts/{}", told.sequence)).await.text;
    let rows = between(&page, "table-frame findings", "</table>");
    assert_eq!(rows.matches("<tr").count(), 3, "a head and two findings: early and final are one");
    assert_eq!((rows.matches(">final<").count(), rows.matches(">withdrawn<").count()), (1, 1));
    assert!(rows.contains("Withdrawn, since events that came late undo it <s>user/eli"), "{rows}");
    let withdrawn = rows.split("?finding=").nth(2).unwrap().split('#').next().unwrap();
    let page = visitor.get(&format!("/alerts/{}?finding={withdrawn}", told.sequence)).await.text;
    assert!(page.contains("what was told early is not so: events that came late undo it"));
}

#[tokio::test]
async fn a_deviation_shows_its_baseline_with_lines_for_what_was_expected_and_the_threshold() {
    let (console, told) = evening();
    let page = console.visitor().await.get(&format!("/alerts/{}", told.volume)).await.text;
    insta::assert_snapshot!("baseline", between(&page, "<svg class=\"baseline\"", "</svg>"));
    assert!(page.contains("<b>early</b>: told at once; events that may still come in time can change it."));
}

#[tokio::test]
async fn hostile_words_and_numbers_of_a_window_stay_text() {
    let console = Console::evening();
    let id = over_time::hostile(&console.store, &console.catalogue);
    let page = console.visitor().await.get(&format!("/alerts/{id}")).await;
    assert_eq!(page.status, StatusCode::OK);
    for text in [HOSTILE[0], "<img src=x", "<h1 id=broken", "\"NaN", "inf%", "NaN%"] {
        assert!(!page.text.contains(text), "{text}");
    }
}
