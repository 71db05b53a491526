//! CloudTrail in bulk: the generated sample, again and again, each time with event ids of its own.

use std::io::{BufRead, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::data::Data;

/// A file of CloudTrail records, one a line.
pub struct Corpus {
    folder: TempDir,
    records: u64,
    bytes: u64,
}

impl Corpus {
    /// At least `bytes` of records.
    pub fn of(data: &Data, bytes: u64) -> anyhow::Result<Corpus> {
        let lines: Vec<String> = data.open("generated_sample.ndjson.gz")?.lines().collect::<Result<_, _>>()?;
        let folder = tempfile::tempdir()?;
        let mut out =
            BufWriter::with_capacity(1 << 20, std::fs::File::create(folder.path().join("cloudtrail.ndjson"))?);
        let (mut written, mut records) = (0, 0);
        for round in 0u64.. {
            if written >= bytes {
                break;
            }
            for line in &lines {
                let line = with_own_id(line, "eventID", round);
                out.write_all(line.as_bytes())?;
                out.write_all(b"\n")?;
                written += line.len() as u64 + 1;
                records += 1;
            }
        }
        out.flush()?;
        Ok(Corpus { folder, records, bytes: written })
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("cloudtrail.ndjson")
    }

    /// Records in it.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Bytes in it.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The first lines of the file, up to `bytes` of them.
    pub fn head(path: &Path, bytes: usize) -> anyhow::Result<Vec<String>> {
        let mut taken = 0;
        let mut lines = Vec::new();
        for line in std::io::BufReader::new(std::fs::File::open(path)?).lines() {
            let line = line?;
            taken += line.len();
            lines.push(line);
            if taken >= bytes {
                break;
            }
        }
        Ok(lines)
    }
}

/// Writes the round into the first eight digits of the id under `key`, so that no two records are the same event.
pub fn with_own_id(line: &str, key: &str, round: u64) -> String {
    let key = format!("\"{key}\":");
    let Some(value) = line.find(&key).map(|at| line[at + key.len()..].trim_start()) else { return line.to_owned() };
    if round == 0 || !value.starts_with('"') {
        return line.to_owned();
    }
    let begin = line.len() - value.len() + 1;
    let mut own = line.to_owned();
    // An id that is no hexadecimal number stays: it came from somebody's test, and does not matter.
    let Some(digits) = own.get(begin..begin + 8).and_then(|digits| u32::from_str_radix(digits, 16).ok()) else {
        return own;
    };
    let mixed = digits.wrapping_add(round as u32 * 0x9e37_79b1);
    own.replace_range(begin..begin + 8, &format!("{mixed:08x}"));
    own
}

#[cfg(test)]
mod tests {
    use super::with_own_id;

    #[test]
    fn each_round_has_ids_of_its_own_and_the_same_length() {
        let line = r#"{"a":1,"eventID": "51b96389-fc2a","b":2}"#;
        assert_eq!(with_own_id(line, "eventID", 0), line);
        assert_ne!(with_own_id(line, "eventID", 1), line);
        assert_eq!(with_own_id(line, "eventID", 1).len(), line.len());
        let without = r#"{"eventID":null,"b":"51b96389-fc2a"}"#;
        assert_eq!(with_own_id(without, "eventID", 1), without);
    }
}
