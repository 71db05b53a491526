//! RSigma in a process of its own, told by `cargo xtask bench engine` what to do: one command a line on standard input, one answer a
//! line on standard output. It takes its own time, so that nothing but the work is counted.
//!
//! | command | answer |
//! |---|---|
//! | `["rules", slot, file, options]` | `{"rules": n, "refused": [why]}`; the file holds `[[text, category or null]]` |
//! | `["events", slot, file, tags, told]` | `{"events": n}`; `tags` says for each line which of `told`, `[product, category, service]`, it carries |
//! | `["forget", slot]` | `{}`; rules |
//! | `["run", rules, events, what]` | `{"seconds": s, "pairs": n}`; `what` is `routed`, `all` or `parse` |
//! | `["matches", rules, events, what]` | `{id: n}` |
//!
//! `rival load FOLDER` loads a folder of rule files and tells: rules, seconds, processor seconds, resident and peak megabytes.

#![allow(clippy::print_stdout)]

mod lane;
mod load;

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};

use crate::lane::{Events, Rules, What};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    keeps_its_speed()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["load", folder] => load::tell(Path::new(folder)),
        [] => serve(),
        _ => anyhow::bail!("known: `load FOLDER`, or nothing, and then commands on standard input"),
    }
}

/// Errors: objects keep the order of insertion.
fn keeps_its_speed() -> anyhow::Result<()> {
    let value: Value = serde_json::from_str(r#"{"b":1,"a":2}"#)?;
    let first = value.as_object().and_then(|object| object.keys().next());
    anyhow::ensure!(
        first.is_some_and(|key| key == "a"),
        "serde_json was built with `preserve_order`, which makes RSigma slow"
    );
    Ok(())
}

fn serve() -> anyhow::Result<()> {
    let (mut rules, mut events) = (BTreeMap::<u64, Rules>::new(), BTreeMap::<u64, Events>::new());
    let mut answers = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let command: Value = serde_json::from_str(&line?)?;
        let answer = answer(&command, &mut rules, &mut events).with_context(|| format!("the command {command}"))?;
        writeln!(answers, "{answer}")?;
        answers.flush()?;
    }
    Ok(())
}

fn answer(
    command: &Value,
    rules: &mut BTreeMap<u64, Rules>,
    events: &mut BTreeMap<u64, Events>,
) -> anyhow::Result<Value> {
    let text = |at: usize| command[at].as_str().context("a text is missing");
    let slot = |at: usize| command[at].as_u64().context("a number is missing");
    let (name, first) = (text(0)?, slot(1)?);
    match name {
        "rules" => {
            let loaded = Rules::load(Path::new(text(2)?), text(3)?)?;
            let told = json!({"rules": loaded.count(), "refused": loaded.refused});
            rules.insert(first, loaded);
            Ok(told)
        }
        "events" => {
            let loaded = Events::load(Path::new(text(2)?), &command[3], &command[4])?;
            let told = json!({"events": loaded.count()});
            events.insert(first, loaded);
            Ok(told)
        }
        "forget" => {
            rules.remove(&first);
            Ok(json!({}))
        }
        "run" | "matches" => {
            let events = events.get(&slot(2)?).context("no such events")?;
            let what = What::of(text(3)?)?;
            let rules = rules.get(&first).context("no such rules")?;
            if name == "matches" { rules.matches(events, what) } else { rules.run(events, what) }
        }
        _ => anyhow::bail!("unknown"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "title: A\nid: one\nlogsource: {product: windows, category: process_creation}\n\
        detection:\n    sel: {Image|endswith: .exe}\n    condition: sel\n";

    #[test]
    fn rules_and_events_are_kept_and_held_against_each_other() {
        let place = tempfile::tempdir().expect("a folder");
        let (rules_file, events_file) = (place.path().join("rules.json"), place.path().join("events.ndjson"));
        std::fs::write(&rules_file, json!([[RULE, null], [RULE, "other"], ["title: [", null]]).to_string()).unwrap();
        std::fs::write(&events_file, "{\"Image\":\"a.exe\"}\n{\"Image\":\"b.exe\"}\n{\"Image\":\"c\"}\n").unwrap();
        let (mut rules, mut events) = (BTreeMap::new(), BTreeMap::new());
        let mut ask = |command: Value| answer(&command, &mut rules, &mut events);
        let loaded = ask(json!(["rules", 0, rules_file, "plain"])).unwrap();
        assert_eq!((&loaded["rules"], loaded["refused"].as_array().map(Vec::len)), (&json!(2), Some(1)));
        let told = json!([["windows", "process_creation", null], ["linux", null, null]]);
        assert_eq!(ask(json!(["events", 0, events_file, [0, 1, 0], told])).unwrap(), json!({"events": 3}));
        assert_eq!(ask(json!(["matches", 0, 0, "routed"])).unwrap(), json!({"one": 1}));
        assert_eq!(ask(json!(["matches", 0, 0, "all"])).unwrap(), json!({"one": 4}));
        let ran = ask(json!(["run", 0, 0, "all"])).unwrap();
        assert!(ran["pairs"] == 4 && ran["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{ran}");
        assert_eq!(ask(json!(["run", 0, 0, "parse"])).unwrap()["pairs"], 0);
        ask(json!(["forget", 0])).unwrap();
        assert!(ask(json!(["run", 0, 0, "all"])).is_err());
    }

    #[test]
    fn it_is_built_without_the_feature_that_makes_it_slow() {
        keeps_its_speed().unwrap();
    }
}
