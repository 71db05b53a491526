//! Every input that once broke something, and every seed, through its target again.

use std::path::{Path, PathBuf};

fn inputs(folder: &str) -> Vec<(String, PathBuf)> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz").join(folder);
    let mut found = Vec::new();
    for target in std::fs::read_dir(home).into_iter().flatten().filter_map(Result::ok) {
        let name = target.file_name().to_string_lossy().into_owned();
        for input in std::fs::read_dir(target.path()).into_iter().flatten().filter_map(Result::ok) {
            found.push((name.clone(), input.path()));
        }
    }
    found.sort();
    found
}

fn replay(folder: &str) {
    for (target, path) in inputs(folder) {
        let bytes = std::fs::read(&path).expect("a listed file can be read");
        assert!(harness::run(&target, &bytes), "no target is called `{target}`, as {} has it", path.display());
    }
}

#[test]
fn nothing_that_once_broke_breaks_again() {
    replay("regressions");
}

#[test]
fn seeds_hold() {
    replay("seeds");
}

#[test]
fn every_target_file_names_a_target() {
    let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/targets");
    for target in std::fs::read_dir(targets).expect("fuzz/targets").filter_map(Result::ok) {
        let path = target.path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(harness::run(&name, b""), "`{name}` is no target of the harness");
    }
}
