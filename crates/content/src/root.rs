//! Where content comes from: the folder that is built into the binary, and folders or files on disk.
//!
//! Comes in: roots. Goes out: files, each with what it is by its place, in the order of their names. Bound: a content
//! file holds at most [`FILE_BYTES_MAX`]; a longer one is reported and set aside.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use model::Diagnostic;
use walkdir::WalkDir;

static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../content");

/// Changes when the embedded content does; naming it makes the crate depend on what the build script saw.
pub const EMBEDDED_STAMP: &str = env!("WATCHKEEP_CONTENT_STAMP");

/// The longest content file.
pub const FILE_BYTES_MAX: u64 = 4 << 20;

/// A place that content is loaded from. Later roots win over earlier ones: a site's overlay comes last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// The `content/` folder that is built into the binary.
    Embedded,
    /// A folder in content's shape (`packs/`, `sources/`, `inventory/`, `feeds/`), any folder of Sigma rules, or one rule file.
    Dir(PathBuf),
    /// Only the sources and the inventory of a place, without its rules.
    WithoutRules(Box<Root>),
}

/// What a content file is, by its place and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// `sources/<id>/source.yml`.
    Source,
    /// `inventory/*.yml`: the lists behind `|expand`, and the lab's things.
    Inventory,
    /// `inventory/*.csv`: things whose columns a YAML file beside it maps.
    InventoryTable,
    /// `detectors/*.yml`: signs in prompts.
    Detector,
    /// `feeds/*.yml`: how APIs of vendors are walked.
    Feed,
    /// Sigma documents.
    Rules,
    /// `<rule>.test.yml`.
    Cases,
    /// `provenance.yml` of an imported pack.
    Provenance,
}

/// One content file, not yet read.
#[derive(Clone, Debug)]
pub struct ContentFile {
    /// The file as its author would name it.
    pub name: String,
    /// Position of its root among the roots.
    pub root: usize,
    /// What it is.
    pub kind: FileKind,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    Embedded(&'static [u8]),
    Disk(PathBuf),
}

impl ContentFile {
    /// The file's text.
    ///
    /// Errors: a diagnostic when it cannot be read, is longer than [`FILE_BYTES_MAX`], or is not UTF-8.
    pub fn text(&self) -> Result<Cow<'static, str>, Diagnostic> {
        let wrong = |message: String, remedy: &str| {
            Diagnostic::error(0, 0, "unreadable", message, remedy).in_file(self.name.clone())
        };
        let not_utf8 = || wrong("the file is not UTF-8".into(), "save it as UTF-8");
        match &self.place {
            Place::Embedded(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| not_utf8()),
            Place::Disk(path) => {
                let length = std::fs::metadata(path).map(|metadata| metadata.len());
                match length {
                    Ok(length) if length > FILE_BYTES_MAX => {
                        let message =
                            format!("the file has {length} bytes; a content file has at most {FILE_BYTES_MAX}");
                        return Err(wrong(message, "split it, or move data files out of the content folder"));
                    }
                    Err(error) => return Err(wrong(format!("the file cannot be read: {error}"), "make it readable")),
                    Ok(_) => {}
                }
                let bytes = std::fs::read(path)
                    .map_err(|error| wrong(format!("the file cannot be read: {error}"), "make it readable"))?;
                String::from_utf8(bytes).map(Cow::Owned).map_err(|_| not_utf8())
            }
        }
    }
}

impl Root {
    /// The content files below this root, in the order of their names.
    pub fn files(&self, position: usize) -> (Vec<ContentFile>, Vec<Diagnostic>) {
        match self {
            Root::Embedded => (embedded_files(position), Vec::new()),
            Root::Dir(path) if path.is_file() => (single_file(path, position), Vec::new()),
            Root::Dir(path) => folder_files(path, position),
            Root::WithoutRules(root) => {
                let (mut files, diagnostics) = root.files(position);
                files.retain(|file| {
                    matches!(
                        file.kind,
                        FileKind::Source
                            | FileKind::Inventory
                            | FileKind::InventoryTable
                            | FileKind::Detector
                            | FileKind::Feed
                    )
                });
                (files, diagnostics)
            }
        }
    }

    /// Is it the content that is built in?
    pub fn is_embedded(&self) -> bool {
        match self {
            Root::Embedded => true,
            Root::Dir(_) => false,
            Root::WithoutRules(root) => root.is_embedded(),
        }
    }

    /// The root as a person would name it.
    pub fn label(&self) -> String {
        match self {
            Root::Embedded => "embedded".to_owned(),
            Root::Dir(path) => path.display().to_string(),
            Root::WithoutRules(root) => root.label(),
        }
    }
}

/// The sample telemetry that is built into the binary: path below `content/samples/` and bytes, in the order of the paths.
/// Notices about the samples are no samples.
/// Pages about it (`.md`) are no telemetry.
pub fn embedded_samples() -> Vec<(String, &'static [u8])> {
    let mut samples = Vec::new();
    if let Some(folder) = EMBEDDED.get_dir("samples") {
        walk_embedded(folder, &mut |path, bytes| {
            let name = path.strip_prefix("samples").unwrap_or(path).display().to_string();
            if !name.ends_with(".md") {
                samples.push((name, bytes));
            }
        });
    }
    samples.sort();
    samples
}

/// An embedded file by its path below `content/`.
pub fn embedded_file(path: &str) -> Option<&'static [u8]> {
    EMBEDDED.get_file(path).map(|file| file.contents())
}

fn embedded_files(position: usize) -> Vec<ContentFile> {
    let mut files = Vec::new();
    walk_embedded(&EMBEDDED, &mut |path, bytes| {
        if let Some(kind) = kind_of(path, true) {
            let name = format!("content/{}", path.display());
            files.push(ContentFile { name, root: position, kind, place: Place::Embedded(bytes) });
        }
    });
    files.sort_by(|left, right| left.name.cmp(&right.name));
    files
}

fn walk_embedded(folder: &'static Dir<'static>, each: &mut dyn FnMut(&'static Path, &'static [u8])) {
    for file in folder.files() {
        each(file.path(), file.contents());
    }
    for inner in folder.dirs() {
        walk_embedded(inner, each);
    }
}

/// A rule file with its cases, or a file of cases with its rule.
fn single_file(path: &Path, position: usize) -> Vec<ContentFile> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.trim_end_matches(".yaml").trim_end_matches(".yml").trim_end_matches(".test").to_owned();
    let mut paths = vec![path.to_owned()];
    for beside in [format!("{stem}.yml"), format!("{stem}.test.yml")] {
        let beside = path.with_file_name(beside);
        if beside != path && beside.is_file() {
            paths.push(beside);
        }
    }
    let files = paths.into_iter().filter_map(|path| {
        let kind = kind_of(Path::new(path.file_name()?), false).unwrap_or(FileKind::Rules);
        Some(ContentFile { name: path.display().to_string(), root: position, kind, place: Place::Disk(path) })
    });
    files.collect()
}

fn folder_files(folder: &Path, position: usize) -> (Vec<ContentFile>, Vec<Diagnostic>) {
    let mut files = Vec::new();
    let mut diagnostics = Vec::new();
    let shaped = ["packs", "sources", "inventory", "detectors", "feeds"].iter().any(|name| folder.join(name).is_dir());
    let walk = WalkDir::new(folder).follow_links(true).sort_by_file_name();
    let visible =
        |entry: &walkdir::DirEntry| entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.');
    for entry in walk.into_iter().filter_entry(visible) {
        match entry {
            Ok(entry) if entry.file_type().is_file() => {
                let path = entry.into_path();
                let relative = path.strip_prefix(folder).unwrap_or(&path);
                if let Some(kind) = kind_of(relative, shaped) {
                    files.push(ContentFile {
                        name: path.display().to_string(),
                        root: position,
                        kind,
                        place: Place::Disk(path),
                    });
                }
            }
            Ok(_) => {}
            Err(error) => {
                let file = error.path().unwrap_or(folder).display().to_string();
                let message = format!(
                    "cannot be read: {}",
                    error.io_error().map_or_else(|| error.to_string(), |e| e.to_string())
                );
                let remedy = "name a folder that exists and is readable";
                diagnostics.push(Diagnostic::error(0, 0, "unreadable", message, remedy).in_file(file));
            }
        }
    }
    (files, diagnostics)
}

/// What a file is by its path below the root; `None` for what is no content. In a folder of content's shape rules lie
/// only below `packs/`; elsewhere every YAML file is taken for Sigma.
fn kind_of(path: &Path, shaped: bool) -> Option<FileKind> {
    let name = path.file_name()?.to_string_lossy();
    let top = path.iter().next().map(|part| part.to_string_lossy().into_owned()).unwrap_or_default();
    let nested = path.iter().count() > 1;
    if name.ends_with(".csv") && nested && top == "inventory" {
        return Some(FileKind::InventoryTable);
    }
    if !(name.ends_with(".yml") || name.ends_with(".yaml")) {
        return None;
    }
    match name.as_ref() {
        "provenance.yml" => Some(FileKind::Provenance),
        "source.yml" if !shaped || top == "sources" => Some(FileKind::Source),
        _ if nested && top == "inventory" => Some(FileKind::Inventory),
        _ if nested && top == "detectors" => Some(FileKind::Detector),
        _ if nested && top == "feeds" => Some(FileKind::Feed),
        _ if shaped && top != "packs" => None,
        name if name.ends_with(".test.yml") || name.ends_with(".test.yaml") => Some(FileKind::Cases),
        _ => Some(FileKind::Rules),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_place_says() {
        let kind = |path: &str, shaped| kind_of(Path::new(path), shaped);
        assert_eq!(kind("packs/weights/a.yml", true), Some(FileKind::Rules));
        assert_eq!(kind("packs/weights/a.test.yml", true), Some(FileKind::Cases));
        assert_eq!(kind("sources/aws_cloudtrail/source.yml", true), Some(FileKind::Source));
        assert_eq!(kind("sources/aws_cloudtrail/expected/a.yml", true), None);
        assert_eq!(kind("inventory/estate.yml", true), Some(FileKind::Inventory));
        assert_eq!(kind("inventory/roles.csv", true), Some(FileKind::InventoryTable));
        assert_eq!(kind("packs/weights/roles.csv", true), None);
        assert_eq!(kind("detectors/signs.yml", true), Some(FileKind::Detector));
        assert_eq!(kind("feeds/lab_audit.yml", true), Some(FileKind::Feed));
        assert_eq!(kind("cloud/aws/a.yml", false), Some(FileKind::Rules));
        assert_eq!(kind("provenance.yml", false), Some(FileKind::Provenance));
        assert_eq!(kind("README.md", false), None);
    }
}
