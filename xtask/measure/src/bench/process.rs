//! The built binary as a child: its time, its memory, its configuration.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;

/// The release binary, as `cargo xtask bench` names it.
pub fn binary() -> anyhow::Result<PathBuf> {
    let path =
        std::env::var_os("WATCHKEEP_BIN").context("`WATCHKEEP_BIN` is not set; start this by `cargo xtask bench`")?;
    Ok(PathBuf::from(path))
}

/// A port that nobody has.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// A child that is killed when it goes out of scope.
pub struct Running {
    child: Child,
}

impl Running {
    /// `watchkeep run` on a configuration.
    pub fn platform(config: &Path) -> anyhow::Result<Running> {
        let log = std::fs::File::create(config.with_extension("log"))?;
        let mut command = Command::new(binary()?);
        command.args(["run", "--config"]).arg(config).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(Running { child: command.spawn()? })
    }

    /// Megabytes resident at most so far.
    pub fn peak_mb(&self) -> Option<f64> {
        peak_mb(self.child.id())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Runs to the end and gives the peak of resident memory in megabytes and the seconds that it took.
pub fn measured(mut command: Command) -> anyhow::Result<(f64, f64)> {
    let began = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let mut peak = 0.0_f64;
    let status = loop {
        // The kernel keeps the high-water mark, so a reading just before the end misses little.
        peak = peak.max(peak_mb(child.id()).unwrap_or(0.0));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    // 1 says that there were findings.
    anyhow::ensure!(matches!(status.code(), Some(0 | 1)), "the child ended with {status}");
    Ok((peak, began.elapsed().as_secs_f64()))
}

/// What this process holds now, bytes.
pub fn resident_bytes() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: f64 = pages.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0.0);
    pages * rustix::param::page_size() as f64
}

fn peak_mb(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024.0 / 1e6)
}

/// Waits until something accepts connections at `address`.
pub fn wait_for(address: SocketAddr, seconds: u64) -> anyhow::Result<f64> {
    let began = Instant::now();
    while std::net::TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_err() {
        anyhow::ensure!(
            began.elapsed() < Duration::from_secs(seconds),
            "nobody listens on {address} after {seconds} s"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(began.elapsed().as_secs_f64())
}
