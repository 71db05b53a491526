//! Imported files are as their authors wrote them.

use model::{Diagnostic, Digest};

use crate::import::PackProvenance;
use crate::root::{FileKind, Root};

/// Compares the files of imported packs with the digests that their `provenance.yml` holds.
pub(super) fn lint(roots: &[Root], found: &mut Vec<Diagnostic>) {
    for (position, root) in roots.iter().enumerate() {
        let (files, _) = root.files(position);
        for manifest in files.iter().filter(|file| file.kind == FileKind::Provenance) {
            let Some((folder, _)) = manifest.name.rsplit_once('/') else { continue };
            let Ok(text) = manifest.text() else { continue };
            let (Some(pack), _) = PackProvenance::parse(&text) else { continue };
            let prefix = format!("{folder}/");
            for file in files.iter().filter(|file| file.kind == FileKind::Rules) {
                let Some(path) = file.name.strip_prefix(&prefix) else { continue };
                compare(&pack, path, file, found);
            }
        }
    }
}

fn compare(pack: &PackProvenance, path: &str, file: &crate::root::ContentFile, found: &mut Vec<Diagnostic>) {
    let Ok(text) = file.text() else { return };
    let (code, message) = match pack.files.get(path) {
        None => ("unlisted-import", "the file lies in an imported pack, and its provenance does not name it"),
        Some(listed) if listed.sha256 != Digest::of(text.as_bytes()) => {
            ("edited-import", "the file is not as it was imported")
        }
        Some(_) => return,
    };
    let remedy = "keep changed rules in a pack of your own, with an id of their own, and import this one again";
    found.push(Diagnostic::warning(0, 0, code, message, remedy).in_file(file.name.clone()));
}
