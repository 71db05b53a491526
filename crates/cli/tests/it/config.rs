use crate::ran::{command, folder, repository, run, watchkeep};

#[test]
fn the_defaults_are_shown_and_read_back() {
    let folder = folder();
    let shown = watchkeep(folder.path(), &["config", "show"]).ended(0).out;
    insta::assert_snapshot!(shown);
    std::fs::write(folder.path().join("watchkeep.toml"), &shown).expect("written");
    let again = watchkeep(folder.path(), &["config", "show", "--format", "json"]).ended(0).json();
    assert_eq!(again["config"]["console"]["listen"], "127.0.0.1:8786");
    assert_eq!(again["origins"]["console.listen"], "file, line 11");
}

#[test]
fn every_mistake_of_the_file_is_told_at_once() {
    let folder = folder();
    let text = "[consle]\n[limits]\ndepth = \"deep\"\n[[inputs]]\nkind = \"http\"\n";
    std::fs::write(folder.path().join("watchkeep.toml"), text).expect("written");
    let ran = watchkeep(folder.path(), &["config", "show"]).ended(3);
    insta::assert_snapshot!(ran.err);
    assert_eq!(ran.out, "");
    for verb in [["check", "-q"], ["sources", "list"], ["alert", "list"]] {
        watchkeep(folder.path(), &verb).ended(3);
    }
}

#[test]
fn flags_win_over_the_environment_which_wins_over_the_file() {
    let folder = folder();
    std::fs::write(folder.path().join("own.toml"), "threads = 1\ndata_dir = \"a\"\n").expect("written");
    let mut command = command(folder.path());
    command.env("WATCHKEEP_THREADS", "2").env("WATCHKEEP_DATA_DIR", "b").env("WATCHKEEP_CONFIG", "own.toml");
    command.args(["config", "show", "--data-dir", "c", "--format", "json"]);
    let shown = run(&mut command, b"").ended(0).json();
    assert_eq!(shown["config"]["threads"], 2);
    assert_eq!(shown["config"]["data_dir"], "c");
    assert_eq!(shown["origins"]["data_dir"], "flag --data-dir");
    assert_eq!(shown["origins"]["threads"], "environment WATCHKEEP_THREADS");
}

#[test]
fn a_file_that_is_not_there_is_told() {
    let ran = watchkeep(folder().path(), &["config", "show", "--config", "gone.toml"]).ended(3);
    assert!(ran.err.contains("gone.toml"), "{}", ran.err);
}

#[test]
fn the_example_site_is_sound() {
    let site = repository().join("site");
    let file = site.join("watchkeep.toml").display().to_string();
    watchkeep(folder().path(), &["config", "show", "--config", &file]).ended(0);
    let ran = watchkeep(folder().path(), &["check", &site.display().to_string(), "--strict"]).ended(0);
    assert_eq!(ran.out, "");
}
