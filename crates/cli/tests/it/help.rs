use crate::ran::{folder, watchkeep};

/// Every verb and verb of a verb, from `--help` itself.
fn verbs() -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![Vec::<String>::new()];
    while let Some(verb) = open.pop() {
        for child in children(&verb) {
            let mut path = verb.clone();
            path.push(child);
            open.push(path.clone());
            found.push(path);
        }
    }
    found.sort();
    found
}

fn help_of(verb: &[String]) -> String {
    let mut args: Vec<&str> = verb.iter().map(String::as_str).collect();
    args.push("--help");
    watchkeep(folder().path(), &args).ended(0).out
}

fn children(verb: &[String]) -> Vec<String> {
    let help = help_of(verb);
    let Some((_, after)) = help.split_once("Commands:\n") else { return Vec::new() };
    let names = after.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.strip_prefix("  "));
    let names = names.filter(|line| !line.starts_with(' ')).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn every_verb_has_an_example_that_names_itself() {
    let verbs = verbs();
    let named: Vec<String> = verbs.iter().map(|verb| verb.join(" ")).collect();
    for verb in [
        "run",
        "scan",
        "check",
        "test",
        "explain",
        "convert",
        "sources describe",
        "inventory stale",
        "alert close",
        "soc replay",
        "import",
        "config show",
    ] {
        assert!(named.iter().any(|name| name == verb), "{verb} is not among {named:?}");
    }
    for verb in verbs {
        let help = help_of(&verb);
        let examples = help.split_once("Examples:").unwrap_or_else(|| panic!("{verb:?} has no example")).1;
        let name = format!("watchkeep {}", verb[0]);
        assert!(examples.contains(&name), "{verb:?}: {examples}");
    }
}

#[test]
fn the_exit_statuses_stand_in_the_help() {
    let help = help_of(&[]);
    for line in ["0  fine", "1  findings", "2  the author's", "3  the configuration's"] {
        assert!(help.contains(line), "{line}: {help}");
    }
}

#[test]
fn a_wrong_flag_is_the_authors_error() {
    let ran = watchkeep(folder().path(), &["scan", "--treads", "2", "x"]).ended(2);
    assert!(ran.err.contains("--threads"), "{}", ran.err);
    assert_eq!(ran.out, "");
}

#[test]
fn there_are_completions_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = watchkeep(folder().path(), &["completions", shell]).ended(0);
        assert!(ran.out.contains("watchkeep") && ran.out.contains("acknowledge"), "{shell}");
    }
}

#[test]
fn the_version_is_told() {
    assert_eq!(
        watchkeep(folder().path(), &["--version"]).ended(0).out,
        format!("watchkeep {}\n", env!("CARGO_PKG_VERSION"))
    );
}
