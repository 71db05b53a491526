//! Lengths and habits: files that a reader can hold, crates that say what they are, lints that every package takes.
//! The length of functions is clippy's (`too-many-lines-threshold` in `clippy.toml`).

use crate::place::Place;
use crate::tidy::{Fault, Text};

/// Lines of a source file.
const LINES_MAX: usize = 600;
/// The languages that people write here.
const SOURCES: [&str; 5] = ["rs", "js", "mjs", "py", "sh"];

/// Files that are too long, and packages without documentation or lints.
pub fn faults(place: &Place, texts: &[Text]) -> Vec<Fault> {
    let mut faults: Vec<Fault> = texts.iter().filter_map(too_long).collect();
    faults.extend(packages(place, texts));
    faults
}

/// A vendored file is other people's and keeps its length.
fn too_long(text: &Text) -> Option<Fault> {
    let is_ours = SOURCES.iter().any(|extension| text.is(extension)) && !text.path.iter().any(|part| part == "vendor");
    let count = text.text.lines().count();
    (is_ours && count > LINES_MAX).then(|| {
        Fault::new(&text.path, count, format!("{count} lines; split the file at its second idea ({LINES_MAX} at most)"))
    })
}

fn packages(place: &Place, texts: &[Text]) -> Vec<Fault> {
    let read = |path: &std::path::Path| texts.iter().find(|text| text.path == path).map(|text| text.text.as_str());
    let mut faults = Vec::new();
    for package in &place.metadata.packages {
        let Ok(manifest) = package.manifest_path.as_std_path().strip_prefix(&place.root) else { continue };
        if !read(manifest).is_some_and(|text| text.contains("[lints]\nworkspace = true")) {
            faults.push(Fault::new(
                manifest,
                0,
                "the package does not take the workspace's lints: add `[lints] workspace = true`",
            ));
        }
        for target in package.targets.iter().filter(|target| target.is_lib() || target.is_bin()) {
            let Ok(root) = target.src_path.as_std_path().strip_prefix(&place.root) else { continue };
            if !read(root).is_some_and(|text| text.starts_with("//!")) {
                faults.push(Fault::new(root, 1, "the crate does not open by saying what it is (`//!`)"));
            }
        }
    }
    faults
}
