use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use engine::context::Discovered;
use engine::sigma::RuleCost;
use model::{Reject, SourceId};

use framing::decompress::Packing;

const EXCERPT_BYTES: usize = 120;

/// What one file came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSummary {
    /// The file; `-` for standard input.
    pub file: PathBuf,
    /// How it was packed.
    pub packing: Packing,
    /// Plain bytes read.
    pub bytes: u64,
    /// Records: evaluated and rejected.
    pub records: u64,
    /// Records that became events and met every rule of their source.
    pub evaluated: u64,
    /// Findings.
    pub findings: u64,
    /// Events by source.
    pub sources: BTreeMap<SourceId, u64>,
    /// Rejects by reason.
    pub rejects: BTreeMap<Reject, RejectSummary>,
    /// Why the file could not be read to its end. What came before counts.
    pub error: Option<String>,
}

/// The rejects of one file and reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RejectSummary {
    /// How many.
    pub count: u64,
    /// The first few.
    pub first: Vec<RejectSample>,
}

/// Where a reject is, and how it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectSample {
    /// Byte offset of its frame in the plain bytes of the file.
    pub offset: u64,
    /// Length of what is known of it, bytes.
    pub bytes: usize,
    /// Its first characters, without control characters.
    pub excerpt: String,
}

/// What a scan came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScanReport {
    /// Each file, in order.
    pub files: Vec<FileSummary>,
    /// Did the sink end the scan before its end?
    pub stopped: bool,
    /// What evaluation cost, if the scan was given a clock.
    pub profile: Option<ScanProfile>,
    /// What became of the facts for correlations, if there is one.
    pub over_time: Option<OverTimeSummary>,
    /// Things that were seen, of kinds that the inventory keeps, and that it does not know.
    pub discovered: Discovered,
}

/// What became of the facts for correlations, over all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OverTimeSummary {
    /// Correlations.
    pub correlations: usize,
    /// Findings about many events.
    pub findings: u64,
    /// Records that a feeding rule matches.
    pub events: u64,
    /// Of these, records of an event that was there already.
    pub duplicates: u64,
    /// Facts that came too late and took no part.
    pub too_late: u64,
    /// Values and events that a group let go of because it had too many.
    pub shed: u64,
    /// Groups that were let go of because there were too many.
    pub evicted: u64,
    /// Facts that went with them.
    pub lost: u64,
    /// Times at which facts were settled before all had come, because too many were waiting.
    pub forced: u64,
}

/// What evaluation cost, in nanoseconds, summed over all threads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScanProfile {
    /// Events that met rules.
    pub events: u64,
    /// Evaluation as a whole: records are read, mapped and met by rules, and findings are made.
    pub time: u64,
    /// Of it, finding the rules that an event can be about.
    pub witness_time: u64,
    /// Of it, each rule: by the order of the engine's rules. Rules at the end that no event could be about may be missing.
    pub rules: Vec<RuleCost>,
}

impl ScanProfile {
    /// Adds what another thread measured.
    pub(crate) fn add(&mut self, other: &ScanProfile) {
        self.events += other.events;
        self.time += other.time;
        self.witness_time += other.witness_time;
        if self.rules.len() < other.rules.len() {
            self.rules.resize(other.rules.len(), RuleCost::default());
        }
        for (mine, theirs) in self.rules.iter_mut().zip(&other.rules) {
            mine.evaluations += theirs.evaluations;
            mine.hits += theirs.hits;
            mine.time += theirs.time;
        }
    }
}

impl FileSummary {
    pub(crate) fn of(file: &Path) -> FileSummary {
        FileSummary {
            file: file.to_owned(),
            packing: Packing::Plain,
            bytes: 0,
            records: 0,
            evaluated: 0,
            findings: 0,
            sources: BTreeMap::new(),
            rejects: BTreeMap::new(),
            error: None,
        }
    }

    /// Rejects of all reasons.
    pub fn rejected(&self) -> u64 {
        self.rejects.values().map(|reject| reject.count).sum()
    }

    pub(crate) fn reject(&mut self, reason: Reject, offset: u64, raw: &[u8], samples_max: usize) {
        self.records += 1;
        let rejects = self.rejects.entry(reason).or_default();
        rejects.count += 1;
        if rejects.first.len() < samples_max {
            rejects.first.push(RejectSample { offset, bytes: raw.len(), excerpt: excerpt(raw) });
        }
    }

    /// Counts an event of `source`; the id is cloned once for each source, not for each event.
    pub(crate) fn see(&mut self, source: &SourceId) {
        match self.sources.get_mut(source) {
            Some(count) => *count += 1,
            None => {
                self.sources.insert(source.clone(), 1);
            }
        }
    }

    /// Adds what a later stretch of the same file came to.
    pub(crate) fn merge(&mut self, later: FileSummary, samples_max: usize) {
        self.records += later.records;
        self.evaluated += later.evaluated;
        self.findings += later.findings;
        for (source, count) in later.sources {
            *self.sources.entry(source).or_default() += count;
        }
        for (reason, rejects) in later.rejects {
            let mine = self.rejects.entry(reason).or_default();
            mine.count += rejects.count;
            let room = samples_max.saturating_sub(mine.first.len());
            mine.first.extend(rejects.first.into_iter().take(room));
        }
    }
}

impl ScanReport {
    /// The sums of all files. `file` is empty, `packing` plain.
    pub fn total(&self) -> FileSummary {
        let mut total = FileSummary::of(Path::new(""));
        for file in &self.files {
            total.bytes += file.bytes;
            total.merge(file.clone(), 0);
        }
        total
    }

    /// Was every file read to its end?
    pub fn is_whole(&self) -> bool {
        !self.stopped && self.files.iter().all(|file| file.error.is_none())
    }
}

fn excerpt(raw: &[u8]) -> String {
    let head = &raw[..raw.len().min(EXCERPT_BYTES)];
    String::from_utf8_lossy(head).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
