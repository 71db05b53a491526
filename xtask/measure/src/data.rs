//! The folder of labelled telemetry and SigmaHQ's rules, which lies outside the repository.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::Context;
use content::{Catalogue, Root};
use serde_json::Value;
use tempfile::TempDir;

/// The labelled telemetry.
pub struct Data {
    folder: PathBuf,
}

impl Data {
    /// `given`, else `WATCHKEEP_DATA`, else `../shared/data` beside the checkout.
    pub fn find(given: Option<PathBuf>) -> anyhow::Result<Data> {
        let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
        let folder = given.or_else(|| std::env::var_os("WATCHKEEP_DATA").map(PathBuf::from)).unwrap_or(beside);
        anyhow::ensure!(
            folder.join("labelled").is_dir(),
            "`{}` holds no `labelled/`; name the folder of labelled telemetry with --data or WATCHKEEP_DATA",
            folder.display()
        );
        Ok(Data { folder })
    }

    /// A file, decompressed by its ending.
    pub fn open(&self, name: &str) -> anyhow::Result<Box<dyn BufRead>> {
        let path = self.folder.join(name);
        let file = std::fs::File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
        let bytes: Box<dyn Read> = match path.extension().and_then(|ending| ending.to_str()) {
            Some("gz") => Box::new(flate2::read::MultiGzDecoder::new(file)),
            Some("zst") => Box::new(zstd::Decoder::new(file)?),
            _ => Box::new(file),
        };
        Ok(Box::new(BufReader::with_capacity(1 << 20, bytes)))
    }

    /// The files of a folder, in order.
    pub fn names(&self, folder: &str) -> anyhow::Result<Vec<String>> {
        let place = self.folder.join(folder);
        let entries = std::fs::read_dir(&place).with_context(|| format!("cannot list {}", place.display()))?;
        let mut names = Vec::new();
        for entry in entries {
            names.push(format!("{folder}/{}", entry?.file_name().to_string_lossy()));
        }
        names.sort();
        Ok(names)
    }

    /// The rows of a file of one JSON object a line.
    pub fn rows(&self, name: &str) -> anyhow::Result<Vec<Value>> {
        self.open(name)?
            .lines()
            .map(|line| serde_json::from_str(&line?).with_context(|| format!("a line of {name} is not JSON")))
            .collect()
    }

    /// SigmaHQ's rule files below any of `folders`, written out to a temporary folder.
    pub fn sigma(&self, folders: &[&str]) -> anyhow::Result<TempDir> {
        let place = tempfile::tempdir()?;
        let mut archive = tar::Archive::new(self.open("sigma_rules.tar.zst")?);
        for entry in archive.entries()? {
            let mut entry = entry?;
            let path = entry.path()?.into_owned();
            let is_rule = path.extension().is_some_and(|ending| ending == "yml");
            if is_rule && folders.iter().any(|folder| path.starts_with(folder)) {
                let target = place.path().join(&path);
                std::fs::create_dir_all(target.parent().expect("a rule lies in a folder"))?;
                std::io::copy(&mut entry, &mut std::fs::File::create(target)?)?;
            }
        }
        Ok(place)
    }
}

/// The rules whose log sources our sources carry, as SigmaHQ files them.
pub const SIGMA_OURS: [&str; 4] =
    ["rules/cloud/aws", "rules/application/kubernetes", "rules/application/github", "rules/identity/okta"];

/// The folders of SigmaHQ's current rules; deprecated and unsupported ones are left out.
pub const SIGMA_CURRENT: [&str; 6] =
    ["rules", "rules-emerging-threats", "rules-threat-hunting", "rules-compliance", "rules-dfir", "rules-placeholder"];

/// Embedded content and the rules below `sigma`: root 0 is ours, root 1 is SigmaHQ's.
pub fn catalogue(sigma: Option<&Path>) -> Catalogue {
    let mut roots = vec![Root::Embedded];
    roots.extend(sigma.map(|folder| Root::Dir(folder.to_owned())));
    content::load(&roots).0
}
