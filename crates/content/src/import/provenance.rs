//! `provenance.yml`: where an imported pack came from, file by file.

use std::collections::BTreeMap;
use std::fmt::Write;

use model::{Diagnostic, Digest};

use crate::yaml::Map;

/// What `provenance.yml` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackProvenance {
    /// Where the pack came from: an address or a folder.
    pub origin: String,
    /// Its version or commit.
    pub version: String,
    /// The licence of its rules, unless a rule names its own (SPDX where there is one).
    pub license: String,
    /// When it was imported, as the caller put it.
    pub imported: String,
    /// Its files by their paths below the pack's folder.
    pub files: BTreeMap<String, FileProvenance>,
}

/// Where one file came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileProvenance {
    /// SHA-256 of its bytes as imported.
    pub sha256: Digest,
    /// Who wrote its rules.
    pub author: Option<String>,
    /// The licence that the rule names itself.
    pub license: Option<String>,
}

const HEAD_KEYS: [&str; 5] = ["origin", "version", "license", "imported", "files"];

impl PackProvenance {
    /// Reads the head and leaves the list of files unread, which may be long.
    pub(crate) fn parse_head(text: &str) -> (Option<PackProvenance>, Vec<Diagnostic>) {
        let head = text.split_once("\nfiles:").map_or(text, |(head, _)| head);
        PackProvenance::parse(head)
    }

    /// Reads the whole file.
    pub fn parse(text: &str) -> (Option<PackProvenance>, Vec<Diagnostic>) {
        let (documents, mut wrong) = engine::yaml::parse(text);
        let Some(document) = documents.first() else { return (None, wrong) };
        let Some(map) = Map::of(&document.root, "the file", &mut wrong) else { return (None, wrong) };
        map.refuse_unknown(&HEAD_KEYS, &mut wrong);
        let files = parse_files(&map, &mut wrong);
        let mut required = |key| map.required_text(key, &mut wrong);
        let head = (required("origin"), required("version"), required("license"), required("imported"));
        let (Some(origin), Some(version), Some(license), Some(imported)) = head else { return (None, wrong) };
        (Some(PackProvenance { origin, version, license, imported, files }), wrong)
    }

    /// The file's text.
    pub fn to_yaml(&self) -> String {
        let mut out = String::from(
            "# Written by `watchkeep import`. The files stay as their authors wrote them; change them in a site's own pack.\n",
        );
        let head = [
            ("origin", &self.origin),
            ("version", &self.version),
            ("license", &self.license),
            ("imported", &self.imported),
        ];
        for (key, value) in head {
            let _ = writeln!(out, "{key}: {}", quoted(value));
        }
        out.push_str("files:\n");
        for (path, file) in &self.files {
            let _ = writeln!(out, "  {}:\n    sha256: {}", quoted(path), file.sha256.hex());
            if let Some(author) = &file.author {
                let _ = writeln!(out, "    author: {}", quoted(author));
            }
            if let Some(license) = &file.license {
                let _ = writeln!(out, "    license: {}", quoted(license));
            }
        }
        out
    }
}

fn parse_files(map: &Map<'_>, wrong: &mut Vec<Diagnostic>) -> BTreeMap<String, FileProvenance> {
    let mut files = BTreeMap::new();
    let Some(node) = map.get("files").filter(|node| !node.is_null()) else { return files };
    let Some(entries) = Map::of(node, "`files`", wrong) else { return files };
    for (path, node) in entries.entries() {
        let Some(entry) = Map::of(node, path, wrong) else { continue };
        entry.refuse_unknown(&["sha256", "author", "license"], wrong);
        let Some(sha256) = entry.required_text("sha256", wrong).and_then(|text| Digest::parse(&text)) else {
            wrong.push(entry.error("bad-value", format!("`{path}` has no SHA-256"), "import the pack again"));
            continue;
        };
        let (author, license) = (entry.text("author", wrong), entry.text("license", wrong));
        files.insert(path.to_owned(), FileProvenance { sha256, author, license });
    }
    files
}

/// A YAML double-quoted scalar: JSON strings are such.
fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}
