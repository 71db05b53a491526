//! Imports a folder of Sigma rules as a pack: the files as their authors wrote them, and where they came from.
//!
//! Comes in: a folder. Goes out: a pack folder with the same relative paths, `provenance.yml` and the licence file, and a
//! report of what was set aside and why. A rule that does not load is never copied; a file that somebody changed after an
//! earlier import is never overwritten. Bound: one file at a time in memory, besides the report.

mod license;
mod provenance;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use engine::FieldsBuilder;
use engine::sigma::{self, Document, Filter, Inventory, LogSource, Rule};
use model::{Diagnostic, Digest, Severity};
use walkdir::WalkDir;

pub use provenance::{FileProvenance, PackProvenance};

/// How to import.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// Only rules of these products (`aws`, `github`, …); all when empty.
    pub products: Vec<String>,
    /// Where the rules came from: an address.
    pub origin: String,
    /// The origin's version or commit.
    pub version: String,
    /// The licence, where no licence file says it.
    pub license: Option<String>,
    /// Today's date, as it shall stand in the provenance.
    pub date: String,
    /// Report only; write nothing.
    pub dry_run: bool,
    /// The lists that rules with placeholders are compiled with. A rule that needs another one is imported with a warning.
    pub inventory: Inventory,
}

/// What an import did, or would do.
#[derive(Clone, Debug, Default)]
pub struct ImportReport {
    /// Files that were copied, or are already there unchanged, by relative path.
    pub loaded: Vec<LoadedFile>,
    /// Files that were not copied, with every reason.
    pub set_aside: Vec<SetAside>,
    /// Files of other products.
    pub other_products: usize,
    /// Files of an earlier import that the origin no longer has, and that were removed.
    pub removed: Vec<String>,
    /// Files of an earlier import that somebody changed: left as they are.
    pub kept_edited: Vec<String>,
    /// The licence of the pack.
    pub license: String,
}

/// A file that was imported.
#[derive(Clone, Debug)]
pub struct LoadedFile {
    /// Its path below the folder and below the pack.
    pub path: String,
    /// Its first rule's title.
    pub title: String,
    /// Warnings about it.
    pub warnings: Vec<Diagnostic>,
}

/// A file that was not imported.
#[derive(Clone, Debug)]
pub struct SetAside {
    /// Its path below the folder.
    pub path: String,
    /// Why.
    pub reasons: Vec<Diagnostic>,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There is no such folder.
    #[error("`{}` is no folder", .0.display())]
    NoFolder(PathBuf),
    /// The licence is not known.
    #[error("no licence file of `{}` says under which licence its rules are; name it with --license", .0.display())]
    UnknownLicense(PathBuf),
    /// The destination holds the folder, or the other way round.
    #[error("`{}` lies inside the folder that is imported; choose another destination", .0.display())]
    Inside(PathBuf),
    /// An earlier `provenance.yml` cannot be read.
    #[error("`{}` cannot be read: {why}", path.display())]
    Provenance {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A file cannot be read or written.
    #[error("`{}` cannot be {doing}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        doing: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// A file that parsed, with its bytes' digest.
struct Candidate {
    path: String,
    sha256: Digest,
    rules: Vec<Rule>,
    filters: Vec<Filter>,
    warnings: Vec<Diagnostic>,
}

/// Imports the Sigma rules below `from` into the pack folder `to`; `progress` is told files done and in all.
pub fn import(
    from: &Path,
    to: &Path,
    options: &ImportOptions,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<ImportReport, ImportError> {
    if !from.is_dir() {
        return Err(ImportError::NoFolder(from.to_owned()));
    }
    refuse_nesting(from, to)?;
    let licence_file = license::detect(from);
    let found = licence_file.as_ref().map(|file| file.name.to_owned());
    let license = options.license.clone().or(found).ok_or_else(|| ImportError::UnknownLicense(from.to_owned()))?;
    let earlier = read_earlier(to)?;
    let mut report = ImportReport { license: license.clone(), ..ImportReport::default() };
    let candidates = read_candidates(from, options, &mut report, progress)?;
    let candidates = set_aside_uncompilable(candidates, options, &mut report);
    let mut pack = PackProvenance {
        origin: options.origin.clone(),
        version: options.version.clone(),
        license,
        imported: options.date.clone(),
        files: BTreeMap::new(),
    };
    for candidate in candidates {
        take(from, to, candidate, &earlier, options.dry_run, &mut pack, &mut report)?;
    }
    remove_gone(to, &earlier, &mut pack, options.dry_run, &mut report)?;
    if !options.dry_run {
        write_pack(to, &pack, licence_file.as_ref().map(|file| file.path.as_path()))?;
    }
    Ok(report)
}

fn refuse_nesting(from: &Path, to: &Path) -> Result<(), ImportError> {
    let existing = to.ancestors().find(|above| above.exists()).and_then(|above| above.canonicalize().ok());
    match (existing, from.canonicalize()) {
        (Some(to_above), Ok(from)) if to_above.starts_with(&from) => Err(ImportError::Inside(to.to_owned())),
        _ => Ok(()),
    }
}

fn read_earlier(to: &Path) -> Result<PackProvenance, ImportError> {
    let path = to.join("provenance.yml");
    if !path.exists() {
        return Ok(PackProvenance::default());
    }
    let text = std::fs::read_to_string(&path).map_err(|source| io(&path, "read", source))?;
    let (pack, wrong) = PackProvenance::parse(&text);
    pack.ok_or_else(|| {
        let why = wrong.iter().map(|diagnostic| diagnostic.message.as_str()).collect::<Vec<_>>().join("; ");
        ImportError::Provenance { path, why }
    })
}

/// Every file that parses and is of a wanted product; the others go to the report.
fn read_candidates(
    from: &Path,
    options: &ImportOptions,
    report: &mut ImportReport,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Vec<Candidate>, ImportError> {
    let paths = rule_files(from)?;
    let mut candidates = Vec::new();
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    for (i, path) in paths.iter().enumerate() {
        progress(i + 1, paths.len());
        let relative = relative(from, path);
        let bytes = std::fs::read(path).map_err(|source| io(path, "read", source))?;
        match read_candidate(&relative, &bytes, options) {
            Read::Wanted(candidate) => match repeated_id(&candidate, &mut ids) {
                None => candidates.push(*candidate),
                Some(reason) => report.set_aside.push(SetAside { path: relative, reasons: vec![reason] }),
            },
            Read::OtherProduct => report.other_products += 1,
            Read::Broken(reasons) => report.set_aside.push(SetAside { path: relative, reasons }),
        }
    }
    Ok(candidates)
}

enum Read {
    Wanted(Box<Candidate>),
    OtherProduct,
    Broken(Vec<Diagnostic>),
}

fn read_candidate(relative: &str, bytes: &[u8], options: &ImportOptions) -> Read {
    let Ok(text) = std::str::from_utf8(bytes) else {
        let wrong = Diagnostic::error(0, 0, "unreadable", "the file is not UTF-8", "save it as UTF-8");
        return Read::Broken(vec![wrong.in_file(relative)]);
    };
    let (documents, diagnostics) = sigma::parse(text);
    let diagnostics: Vec<Diagnostic> = diagnostics.into_iter().map(|wrong| wrong.in_file(relative)).collect();
    let mut candidate = Candidate {
        path: relative.to_owned(),
        sha256: Digest::of(bytes),
        rules: Vec::new(),
        filters: Vec::new(),
        warnings: Vec::new(),
    };
    for document in documents {
        match document {
            Document::Rule(rule) => candidate.rules.push(Rule { file: relative.to_owned(), ..rule }),
            Document::Filter(filter) => candidate.filters.push(Filter { file: relative.to_owned(), ..filter }),
            Document::Correlation(_) => {}
        }
    }
    let logsources = || {
        let rules = candidate.rules.iter().map(|rule| &rule.logsource);
        rules.chain(candidate.filters.iter().map(|filter| &filter.logsource))
    };
    let known = logsources().next().is_some();
    if known && !logsources().any(|logsource| is_wanted(logsource, &options.products)) {
        return Read::OtherProduct;
    }
    if !known && !options.products.is_empty() && !mentions(text, &options.products) {
        return Read::OtherProduct;
    }
    if !known || diagnostics.iter().any(Diagnostic::is_error) {
        return Read::Broken(diagnostics);
    }
    candidate.warnings = diagnostics;
    Read::Wanted(Box::new(candidate))
}

fn is_wanted(logsource: &LogSource, products: &[String]) -> bool {
    products.is_empty()
        || logsource
            .product
            .as_ref()
            .is_some_and(|product| products.iter().any(|wanted| wanted.eq_ignore_ascii_case(product)))
}

/// Does a file that cannot be read as a rule say that it is of one of the products? Then its errors are of interest.
fn mentions(text: &str, products: &[String]) -> bool {
    text.lines().filter_map(|line| line.trim().strip_prefix("product:")).any(|product| {
        products.iter().any(|wanted| wanted.eq_ignore_ascii_case(product.trim().trim_matches(['"', '\''])))
    })
}

fn repeated_id(candidate: &Candidate, ids: &mut BTreeMap<String, String>) -> Option<Diagnostic> {
    for rule in &candidate.rules {
        let id = rule.id.as_str().to_ascii_lowercase();
        if let Some(other) = ids.get(&id) {
            let message = format!("rule id `{id}` stands in `{other}` too");
            let wrong = Diagnostic::error(rule.line, 0, "duplicate-id", message, "give each rule its own UUID");
            return Some(wrong.in_file(candidate.path.clone()));
        }
    }
    for rule in &candidate.rules {
        ids.insert(rule.id.as_str().to_ascii_lowercase(), candidate.path.clone());
    }
    None
}

/// Compiles all candidates at once; files with a rule that cannot be compiled go to the report.
fn set_aside_uncompilable(
    candidates: Vec<Candidate>,
    options: &ImportOptions,
    report: &mut ImportReport,
) -> Vec<Candidate> {
    let rules: Vec<Rule> = candidates.iter().flat_map(|candidate| candidate.rules.iter().cloned()).collect();
    let filters: Vec<Filter> = candidates.iter().flat_map(|candidate| candidate.filters.iter().cloned()).collect();
    let (_, diagnostics) = sigma::compile(&rules, &filters, &options.inventory, &mut FieldsBuilder::new());
    let mut by_file: BTreeMap<String, Vec<Diagnostic>> = BTreeMap::new();
    for mut diagnostic in diagnostics {
        // The rule is sound; the lab has yet to say what is in the list.
        if diagnostic.code == "unknown-placeholder" {
            diagnostic.severity = Severity::Warning;
        }
        by_file.entry(diagnostic.file.clone()).or_default().push(diagnostic);
    }
    let mut kept = Vec::new();
    for mut candidate in candidates {
        let wrong = by_file.remove(&candidate.path).unwrap_or_default();
        if wrong.iter().any(Diagnostic::is_error) {
            report.set_aside.push(SetAside { path: candidate.path, reasons: wrong });
        } else {
            candidate.warnings.extend(wrong);
            kept.push(candidate);
        }
    }
    report.set_aside.sort_by(|left, right| left.path.cmp(&right.path));
    kept
}

/// Copies one file, unless somebody changed the earlier copy.
fn take(
    from: &Path,
    to: &Path,
    candidate: Candidate,
    earlier: &PackProvenance,
    dry_run: bool,
    pack: &mut PackProvenance,
    report: &mut ImportReport,
) -> Result<(), ImportError> {
    let target = to.join(&candidate.path);
    let there = digest_of(&target)?;
    let imported = earlier.files.get(&candidate.path);
    let is_edited =
        there.is_some_and(|there| there != candidate.sha256 && imported.is_none_or(|file| file.sha256 != there));
    if is_edited {
        report.kept_edited.push(candidate.path.clone());
        if let Some(file) = imported {
            pack.files.insert(candidate.path, file.clone());
        }
        return Ok(());
    }
    if !dry_run && there != Some(candidate.sha256) {
        copy(&from.join(&candidate.path), &target)?;
    }
    let authors: BTreeSet<&str> = candidate.rules.iter().filter_map(|rule| rule.author.as_deref()).collect();
    let file = FileProvenance {
        sha256: candidate.sha256,
        author: (!authors.is_empty()).then(|| authors.into_iter().collect::<Vec<_>>().join("; ")),
        license: candidate.rules.iter().find_map(|rule| rule.license.clone()),
    };
    pack.files.insert(candidate.path.clone(), file);
    let title = candidate.rules.first().map(|rule| rule.title.clone());
    let title = title.or_else(|| candidate.filters.first().map(|filter| filter.title.clone())).unwrap_or_default();
    report.loaded.push(LoadedFile { path: candidate.path, title, warnings: candidate.warnings });
    Ok(())
}

/// Removes files of an earlier import that the origin no longer has; changed ones stay.
fn remove_gone(
    to: &Path,
    earlier: &PackProvenance,
    pack: &mut PackProvenance,
    dry_run: bool,
    report: &mut ImportReport,
) -> Result<(), ImportError> {
    let gone: Vec<_> = earlier.files.iter().filter(|(path, _)| !pack.files.contains_key(*path)).collect();
    for (path, file) in gone {
        let target = to.join(path);
        match digest_of(&target)? {
            Some(there) if there == file.sha256 => {
                if !dry_run {
                    std::fs::remove_file(&target).map_err(|source| io(&target, "removed", source))?;
                }
                report.removed.push(path.clone());
            }
            Some(_) if !report.kept_edited.contains(path) => report.kept_edited.push(path.clone()),
            _ => {}
        }
    }
    Ok(())
}

fn write_pack(to: &Path, pack: &PackProvenance, licence_file: Option<&Path>) -> Result<(), ImportError> {
    std::fs::create_dir_all(to).map_err(|source| io(to, "written", source))?;
    if let Some(licence_file) = licence_file {
        copy(licence_file, &to.join("LICENSE"))?;
    }
    let path = to.join("provenance.yml");
    std::fs::write(&path, pack.to_yaml()).map_err(|source| io(&path, "written", source))
}

fn copy(from: &Path, to: &Path) -> Result<(), ImportError> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(|source| io(folder, "written", source))?;
    }
    let bytes = std::fs::read(from).map_err(|source| io(from, "read", source))?;
    std::fs::write(to, bytes).map_err(|source| io(to, "written", source))
}

fn digest_of(path: &Path) -> Result<Option<Digest>, ImportError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(Digest::of(&bytes))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(io(path, "read", source)),
    }
}

/// The YAML files below `from`, in the order of their paths; hidden folders are left out.
fn rule_files(from: &Path) -> Result<Vec<PathBuf>, ImportError> {
    let mut paths = Vec::new();
    let visible =
        |entry: &walkdir::DirEntry| entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.');
    for entry in WalkDir::new(from).sort_by_file_name().into_iter().filter_entry(visible) {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(from).to_owned();
            io(&path, "read", error.into_io_error().unwrap_or_else(|| std::io::Error::other("a loop of links")))
        })?;
        let name = entry.file_name().to_string_lossy();
        let is_rule = (name.ends_with(".yml") || name.ends_with(".yaml")) && name != "provenance.yml";
        if entry.file_type().is_file() && is_rule {
            paths.push(entry.into_path());
        }
    }
    Ok(paths)
}

/// The path below `from`, with `/` between its parts.
fn relative(from: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(from).unwrap_or(path);
    relative.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn io(path: &Path, doing: &'static str, source: std::io::Error) -> ImportError {
    ImportError::Io { path: path.to_owned(), doing, source }
}
