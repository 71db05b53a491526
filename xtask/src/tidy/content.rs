//! Content folders have the files that they must.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::tidy::Fault;

/// Sources without contract or samples, rules without cases, cases without a rule.
pub fn faults(files: &[PathBuf]) -> Vec<Fault> {
    let mut faults = sources(files);
    faults.extend(packs(files));
    faults
}

fn sources(files: &[PathBuf]) -> Vec<Fault> {
    let home = Path::new("content/sources");
    let folders: BTreeSet<&Path> = files.iter().filter_map(|file| first_below(file, home)).collect();
    let mut faults = Vec::new();
    for name in folders {
        let folder = home.join(name);
        if !files.contains(&folder.join("source.yml")) {
            faults.push(Fault::new(&folder, 0, "the source has no `source.yml`"));
        }
        for needed in ["samples", "expected"] {
            if !files.iter().any(|file| file.starts_with(folder.join(needed))) {
                faults.push(Fault::new(&folder, 0, format!("the source has nothing in `{needed}/`")));
            }
        }
    }
    faults
}

fn packs(files: &[PathBuf]) -> Vec<Fault> {
    let home = Path::new("content/packs");
    let known: BTreeSet<&Path> = files.iter().map(PathBuf::as_path).collect();
    let mut faults = Vec::new();
    let is_rule_or_cases = |file: &&PathBuf| file.starts_with(home) && file.extension().is_some_and(|own| own == "yml");
    for file in files.iter().filter(is_rule_or_cases).filter(|file| !is_imported(file, &known)) {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let (other, what) = match name.strip_suffix(".test.yml") {
            Some(stem) => (format!("{stem}.yml"), "the cases have no rule beside them"),
            None => (format!("{}.test.yml", name.trim_end_matches(".yml")), "the rule has no cases beside it"),
        };
        if !known.contains(file.with_file_name(&other).as_path()) {
            faults.push(Fault::new(file, 0, format!("{what} (`{other}`)")));
        }
    }
    faults
}

/// Other people's rules, brought in by `watchkeep import`: their tests are their origin's.
fn is_imported(file: &Path, known: &BTreeSet<&Path>) -> bool {
    file.ancestors().skip(1).any(|folder| known.contains(folder.join("provenance.yml").as_path()))
}

/// The first folder of `file` below `home`.
fn first_below<'a>(file: &'a Path, home: &Path) -> Option<&'a Path> {
    let below = file.strip_prefix(home).ok()?;
    (below.components().count() > 1)
        .then(|| Path::new(below.iter().next().expect("a path with components has a first")))
}
