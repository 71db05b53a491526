//! Rebuilds the crate when the embedded content changes: `include_dir!` alone does not watch its folder.

use std::path::Path;

fn main() {
    let content = Path::new("../../content");
    println!("cargo:rerun-if-changed={}", content.display());
    let mut stamp: u64 = 0xcbf2_9ce4_8422_2325;
    walk(content, &mut stamp);
    println!("cargo:rustc-env=WATCHKEEP_CONTENT_STAMP={stamp:016x}");
}

/// Names and sizes of all files, folded into a number (FNV-1a): a changed one is a changed crate.
fn walk(folder: &Path, stamp: &mut u64) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        println!("cargo:rerun-if-changed={}", path.display());
        if path.is_dir() {
            walk(&path, stamp);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        for byte in path.to_string_lossy().bytes().chain(bytes) {
            *stamp = (*stamp ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
