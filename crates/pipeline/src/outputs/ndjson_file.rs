use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Message, Output, Sending, Sent};

/// How every line of ours begins.
const LINE_HEAD: &[u8] = b"{\"key\":\"";
/// Bytes looked at in one step when searching backwards for a line end.
const BLOCK_BYTES: u64 = 64 << 10;

/// Appends each message as one line of JSON to a file, and syncs it. The file is never rotated here; a tool that moves it
/// away is noticed, and a new file is made.
///
/// Shape: `{"key", "kind", …payload}` on one line. A repeat (after a crash between sync and settling) has the same key.
pub struct NdjsonFile {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    file: Mutex<Option<File>>,
}

impl NdjsonFile {
    /// Appends to the file at `path`, making it and its folder when they are not there.
    pub fn new(path: &Path) -> NdjsonFile {
        NdjsonFile { shared: Arc::new(Shared { path: path.to_owned(), file: Mutex::new(None) }) }
    }
}

impl Output for NdjsonFile {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        let (shared, line) = (self.shared.clone(), line_of(message));
        Box::pin(async move {
            let outcome = tokio::task::spawn_blocking(move || shared.append(&line)).await;
            let failed = |error: String| Sent::Retry { after: None, error };
            match outcome {
                Ok(Ok(())) => Sent::Confirmed { receipt: None },
                Ok(Err((path, error))) => failed(format!("cannot append to `{}`: {error}", path.display())),
                Err(error) => failed(format!("appending failed: {error}")),
            }
        })
    }
}

impl Shared {
    fn append(&self, line: &[u8]) -> Result<(), (PathBuf, io::Error)> {
        let mut slot = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = self.try_append(&mut slot, line);
        if outcome.is_err() {
            // Whatever went wrong, the next attempt begins with a fresh look at the path.
            *slot = None;
        }
        outcome.map_err(|error| (self.path.clone(), error))
    }

    fn try_append(&self, slot: &mut Option<File>, line: &[u8]) -> io::Result<()> {
        if slot.as_ref().is_none_or(|file| !is_at(file, &self.path)) {
            *slot = Some(open(&self.path)?);
        }
        let file = slot.as_mut().expect("it was opened above");
        let before = file.metadata()?.len();
        let written = file.write_all(line).and_then(|()| file.sync_data());
        if written.is_err() {
            // Half a line would spoil the next one. What cannot be cut now is cut when the file is opened again.
            let _ = file.set_len(before);
        }
        written
    }
}

fn open(path: &Path) -> io::Result<File> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let is_new = !path.exists();
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    if is_new {
        // Without this a power cut could lose the file's name, and with it every line.
        File::open(folder)?.sync_all()?;
    } else if file.metadata()?.is_file() {
        mend(&mut file, path)?;
    }
    Ok(file)
}

/// Deals with a last line that has no end. One of ours was torn by a crash: it was never confirmed and comes again, so it is
/// cut off. Anything else is not ours to cut: it gets its line end.
fn mend(file: &mut File, path: &Path) -> io::Result<()> {
    let mut reader = File::open(path)?;
    let length = reader.metadata()?.len();
    let start = last_line(&mut reader, length)?;
    if start == length {
        return Ok(());
    }
    let mut head = Vec::new();
    reader.seek(SeekFrom::Start(start))?;
    reader.take(LINE_HEAD.len() as u64).read_to_end(&mut head)?;
    if LINE_HEAD.starts_with(&head) {
        tracing::warn!(path = %path.display(), bytes = length - start, "a torn last line was cut off; it is written again");
        file.set_len(start)?;
    } else {
        file.write_all(b"\n")?;
    }
    file.sync_data()
}

/// Where the line begins that the file ends with; the file's length when its last line has its end.
fn last_line(file: &mut File, length: u64) -> io::Result<u64> {
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(BLOCK_BYTES);
        let mut block = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        file.take(end - start).read_to_end(&mut block)?;
        if let Some(at) = block.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Is the open file still the one at the path?
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(mine), Ok(there)) = (file.metadata(), std::fs::metadata(path)) else { return false };
    (mine.dev(), mine.ino()) == (there.dev(), there.ino())
}

/// The payload on one line, with the key and kind in front; a payload that is not an object stands under `payload`.
fn line_of(message: &Message) -> Vec<u8> {
    use serde_json::{Map, Value};
    let mut object = Map::new();
    object.insert("key".into(), Value::from(message.key.as_str()));
    object.insert("kind".into(), Value::from(message.kind.as_str()));
    match serde_json::from_str(&message.payload) {
        Ok(Value::Object(payload)) => object.extend(payload),
        Ok(other) => drop(object.insert("payload".into(), other)),
        Err(_) => drop(object.insert("payload".into(), Value::from(message.payload.as_str()))),
    }
    let mut line = serde_json::to_vec(&object).expect("JSON values always serialise");
    line.push(b'\n');
    line
}
