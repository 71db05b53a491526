//! A platform that runs in a folder of its own, on ports that the system gives.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::ran::{Ran, command, fixture, watchkeep};

const PATIENCE: Duration = Duration::from_secs(60);

/// A running platform. It is killed when it is dropped.
pub struct Platform {
    pub folder: PathBuf,
    pub banner: Vec<String>,
    child: Child,
}

impl Platform {
    /// Starts in `folder` with these lines of configuration besides free ports and the rules of the fixtures.
    pub fn start(folder: &Path, more: &str) -> Platform {
        let text = format!(
            "data_dir = \"data\"\n[content]\nembedded = true\nroots = [\"{}\"]\n[console]\nlisten = \"127.0.0.1:0\"\n\
             [[inputs]]\nname = \"push\"\nkind = \"http\"\nlisten = \"127.0.0.1:0\"\n{more}",
            fixture("rules").display()
        );
        std::fs::write(folder.join("watchkeep.toml"), text).expect("written");
        Platform::start_as_configured(folder)
    }

    /// Starts in `folder` with the configuration that is there.
    pub fn start_as_configured(folder: &Path) -> Platform {
        let log = std::fs::File::create(folder.join("log.ndjson")).expect("made");
        let mut child = command(folder).arg("run").stdout(Stdio::piped()).stderr(log).spawn().expect("starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut banner = Vec::new();
        for line in &mut lines {
            banner.push(line.expect("text"));
            if banner.last().is_some_and(|line| line.starts_with("Ctrl-C")) {
                return Platform { folder: folder.to_owned(), banner, child };
            }
        }
        let status = child.wait().expect("it ended");
        let log = std::fs::read_to_string(folder.join("log.ndjson")).unwrap_or_default();
        panic!("the platform ended early with {status}: {banner:?}\n{log}");
    }

    /// The rest of the banner's first line that begins so.
    pub fn line(&self, start: &str) -> Option<&str> {
        self.banner.iter().find_map(|line| line.strip_prefix(start)).map(str::trim)
    }

    /// `127.0.0.1:…` of the first address in a line of the banner.
    pub fn address(&self, start: &str) -> String {
        let line = self.line(start).unwrap_or_else(|| panic!("no `{start}` in {:?}", self.banner));
        let after = line.split_once("http://").expect("an address").1;
        after.split('/').next().expect("a host").to_owned()
    }

    /// Sends records; gives the answer's status line and body.
    pub fn push(&self, body: &[u8]) -> String {
        let address = self.address("input     push");
        let head = format!(
            "POST /v1/records HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/x-ndjson\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        exchange(&address, &[head.as_bytes(), body].concat())
    }

    /// Asks the console.
    pub fn get(&self, path: &str) -> String {
        let address = self.address("console");
        exchange(&address, format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes())
    }

    /// Runs another command beside the platform.
    pub fn watchkeep(&self, args: &[&str]) -> Ran {
        watchkeep(&self.folder, args)
    }

    /// Asks until the answer fits.
    pub fn wait<T>(&self, what: &str, ask: impl Fn(&Platform) -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(answer) = ask(self) {
                return answer;
            }
            assert!(started.elapsed() < PATIENCE, "waited too long for {what}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log.ndjson")).unwrap_or_default()
    }

    /// Ends it as an operator does; gives its exit status.
    pub fn terminate(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("known") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the platform does not end\n{}", self.log());
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        // One that has ended already is what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn exchange(address: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    stream.write_all(request).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer
}
