//! The README's tour, as a reader pastes it: every block is run by a shell, in order, beside a running platform. So are the guides' examples that
//! begin from nothing, without one.
//!
//! After a block, `<!-- shows: a | b -->` names what its output must hold.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

struct Block {
    line: usize,
    script: String,
    shows: Vec<String>,
}

#[test]
fn the_tour_of_the_readme_works() {
    let readme = std::fs::read_to_string(checkout().join("README.md")).expect("the README");
    let blocks = blocks(&readme, "## A tour");
    assert!(
        blocks.len() >= 4,
        "the tour has {} blocks; it scans, explains, acknowledges and adds a rule",
        blocks.len()
    );
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::os::unix::fs::symlink(checkout().join("content"), folder.path().join("content"))
        .expect("a link to the content");
    let running = Running::start(folder.path());
    walk("README.md", &blocks, &running.folder);
}

/// A source of one's own, its rule and its test, are files and nothing else.
#[test]
fn a_source_is_added_by_the_guide_without_code() {
    let guide = std::fs::read_to_string(checkout().join("docs/guide/add-a-source.md")).expect("the guide");
    let blocks = blocks(&guide, "## One from nothing");
    assert_eq!(blocks.len(), 3, "a source, what it makes of records, and a rule");
    walk("docs/guide/add-a-source.md", &blocks, tempfile::tempdir().expect("a temporary folder").path());
}

/// Runs each block in the folder, and holds what it prints against what it must show.
fn walk(file: &str, blocks: &[Block], folder: &Path) {
    for block in blocks {
        let output = shell(folder, &block.script);
        for wanted in &block.shows {
            assert!(output.contains(wanted.as_str()), "{file}:{}: no `{wanted}` in:\n{output}", block.line);
        }
    }
}

/// The `sh` blocks of the section with this heading.
fn blocks(readme: &str, heading: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut in_tour, mut open) = (false, false);
    for (index, line) in readme.lines().enumerate() {
        if line.starts_with("## ") && !open {
            in_tour = line == heading;
        } else if in_tour && line == "```sh" {
            open = true;
            blocks.push(Block { line: index + 1, script: String::new(), shows: Vec::new() });
        } else if open && line == "```" {
            open = false;
        } else if open {
            let script = &mut blocks.last_mut().expect("a block is open").script;
            script.push_str(line);
            script.push('\n');
        } else if let Some(words) = line.strip_prefix("<!-- shows: ").and_then(|rest| rest.strip_suffix(" -->"))
            && let Some(block) = blocks.last_mut()
            && in_tour
        {
            block.shows = words.split(" | ").map(str::to_owned).collect();
        }
    }
    blocks
}

/// `watchkeep run` on its defaults, but for the ports, which may be taken.
struct Running {
    folder: PathBuf,
    child: Child,
}

impl Running {
    fn start(folder: &Path) -> Running {
        let ports: Vec<TcpListener> = (0..2).map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
        let address = |index: usize| ports[index].local_addr().expect("it has an address");
        let (console, http) = (address(0), address(1));
        drop(ports);
        let config = format!(
            "[console]\nlisten = \"{console}\"\n\
             [[inputs]]\nname = \"samples\"\nkind = \"samples\"\nevery = \"1ms\"\n\
             [[inputs]]\nname = \"http\"\nkind = \"http\"\nlisten = \"{http}\"\n\
             [[routes]]\nname = \"alerts_file\"\nkind = \"ndjson_file\"\npath = \"alerts.ndjson\"\n\
             min_level = \"informational\"\nlanes = [\"live\", \"sample\"]\n"
        );
        std::fs::write(folder.join("watchkeep.toml"), config).expect("a configuration");
        let log = std::fs::File::create(folder.join("log")).expect("a log");
        let child = Command::new(env!("CARGO_BIN_EXE_watchkeep"))
            .arg("run")
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        let running = Running { folder: folder.to_owned(), child };
        running.wait_for_alerts();
        running
    }

    fn wait_for_alerts(&self) {
        let end = Instant::now() + Duration::from_secs(60);
        let file = self.folder.join("watchkeep-data/alerts.ndjson");
        while !std::fs::metadata(&file).is_ok_and(|about| about.len() > 0) {
            let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(Instant::now() < end, "the samples gave no alert within a minute:\n{log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What the script prints on both streams. Findings end `scan` with 1, which is no mistake.
fn shell(folder: &Path, script: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_watchkeep")).parent().expect("it lies in a folder");
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new("bash")
        .args(["-u", "-o", "pipefail", "-c", &format!("exec 2>&1\n{script}")])
        .current_dir(folder)
        .env("PATH", path)
        .env("USER", "ana")
        .output()
        .expect("bash starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{} from:\n{script}\n{text}", output.status);
    text
}

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
