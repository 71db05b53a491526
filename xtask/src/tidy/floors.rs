//! Imports go down, never sideways: the table of ARCHITECTURE.md against what cargo knows.

use std::collections::BTreeMap;

use crate::place::Place;
use crate::tidy::Fault;

const TABLE: &str = "ARCHITECTURE.md";

/// Edges that the table does not allow, and crates that it does not name.
pub fn faults(place: &Place) -> anyhow::Result<Vec<Fault>> {
    let text = std::fs::read_to_string(place.root.join(TABLE))?;
    Ok(check(&floors(&text), &edges(place)))
}

/// Crate name → floor, from rows such as ``| 2 | `content` `store` | … |``.
pub fn floors(text: &str) -> BTreeMap<String, u32> {
    let mut floors = BTreeMap::new();
    for line in text.lines() {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let Some(floor) = cells.next().and_then(|cell| cell.parse::<u32>().ok()) else { continue };
        let Some(names) = cells.next() else { continue };
        floors.extend(names.split('`').skip(1).step_by(2).map(|name| (name.to_owned(), floor)));
    }
    floors
}

/// Each crate under `crates/` with the crates there that it imports. Development dependencies count: tests are code too.
fn edges(place: &Place) -> BTreeMap<String, Vec<String>> {
    let home = place.root.join("crates");
    let crates: BTreeMap<&str, String> = place
        .metadata
        .packages
        .iter()
        .filter_map(|package| {
            let folder = package.manifest_path.parent()?;
            let inside = folder.as_std_path().strip_prefix(&home).ok()?;
            Some((package.name.as_str(), inside.to_string_lossy().into_owned()))
        })
        .collect();
    place
        .metadata
        .packages
        .iter()
        .filter_map(|package| {
            let own = crates.get(package.name.as_str())?;
            let imports = package.dependencies.iter().filter_map(|import| crates.get(import.name.as_str()).cloned());
            Some((own.clone(), imports.collect()))
        })
        .collect()
}

/// The faults of `edges` against `floors`.
pub fn check(floors: &BTreeMap<String, u32>, edges: &BTreeMap<String, Vec<String>>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, imports) in edges {
        let manifest = format!("crates/{name}/Cargo.toml");
        let Some(floor) = floors.get(name) else {
            faults.push(Fault::new(TABLE, 0, format!("the table of floors does not name `{name}`")));
            continue;
        };
        for import in imports {
            if floors.get(import).is_some_and(|below| below >= floor) {
                faults.push(Fault::new(
                    &manifest,
                    0,
                    format!(
                        "`{name}` (floor {floor}) imports `{import}` (floor {}); imports go down, never sideways",
                        floors[import]
                    ),
                ));
            }
        }
    }
    for name in floors.keys().filter(|name| !edges.contains_key(*name)) {
        faults.push(Fault::new(TABLE, 0, format!("the table of floors names `{name}`, which is not a crate")));
    }
    faults
}
