//! Where things are: the checkout, the build folder and the cache outside the checkout.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use cargo_metadata::{Metadata, MetadataCommand};

/// The folders that every step needs, and what cargo knows of the workspace.
pub struct Place {
    /// The checkout.
    pub root: PathBuf,
    /// Where cargo builds.
    pub target: PathBuf,
    /// Tools and virtual environments, outside the checkout: `WATCHKEEP_CACHE`, else `$HOME/.cache/watchkeep`.
    pub cache: PathBuf,
    /// The packages of the workspace and their dependencies on each other.
    pub metadata: Metadata,
}

impl Place {
    /// Finds the checkout from the place where xtask was built.
    pub fn find() -> anyhow::Result<Place> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let metadata = MetadataCommand::new()
            .manifest_path(manifest.join("Cargo.toml"))
            .no_deps()
            .exec()
            .context("cargo metadata failed")?;
        let root = metadata.workspace_root.clone().into_std_path_buf();
        let target = metadata.target_directory.clone().into_std_path_buf();
        Ok(Place { root, target, cache: cache()?, metadata })
    }

    /// The binary that the checks drive, built in the same profile as the tests.
    pub fn binary(&self) -> PathBuf {
        self.target.join("debug").join("watchkeep")
    }

    /// A program of the Python environment for interoperability.
    pub fn python(&self) -> PathBuf {
        self.cache.join("python/bin/python")
    }

    /// The folder of `sigma`, which has an environment of its own.
    pub fn sigma_cli(&self) -> PathBuf {
        self.cache.join("sigma-cli/bin")
    }

    /// The folder into which cargo tools are installed.
    pub fn tools(&self) -> PathBuf {
        self.cache.join("tools")
    }

    /// The files that git tracks or would track, relative to the checkout, in order.
    pub fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let listed = std::process::Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(&self.root)
            .output()
            .context("git could not be started")?;
        anyhow::ensure!(listed.status.success(), "git ls-files failed: {}", String::from_utf8_lossy(&listed.stderr));
        let mut files: Vec<PathBuf> = String::from_utf8_lossy(&listed.stdout)
            .split('\0')
            .filter(|name| !name.is_empty())
            .map(PathBuf::from)
            .filter(|name| self.root.join(name).is_file())
            .collect();
        files.sort();
        files.dedup();
        Ok(files)
    }
}

fn cache() -> anyhow::Result<PathBuf> {
    if let Some(given) = std::env::var_os("WATCHKEEP_CACHE") {
        return Ok(PathBuf::from(given));
    }
    let home = std::env::var_os("HOME").context("neither `WATCHKEEP_CACHE` nor `HOME` is set")?;
    Ok(Path::new(&home).join(".cache/watchkeep"))
}

/// Is this continuous integration? Then a step that cannot run is a failure, not a skip.
pub fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// Is `program` on the path?
pub fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// A cargo command, with the cargo that started us.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    // What `cargo run` sets for us would be wrong for the packages that the inner cargo builds.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}
