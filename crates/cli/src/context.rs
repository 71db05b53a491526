//! What every verb is given: how to print, the configuration, the content.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use content::config::{Config, Overrides};
use content::{Catalogue, Root};
use model::Diagnostic;
use serde::Serialize;
use store::Store;

use crate::globals::{Format, Global};
use crate::status::{Blame, Failure, Status};
use crate::style::Paint;

/// The configuration file of a folder, when nobody names one.
const CONFIG_FILE: &str = "watchkeep.toml";

/// What every verb is given.
pub struct Context {
    /// The flags of every verb.
    pub global: Global,
    /// Colours of standard output.
    pub paint: Paint,
    /// Colours of standard error.
    pub paint_errors: Paint,
    overrides: Overrides,
}

impl Context {
    /// Reads the environment.
    pub fn new(global: Global) -> Context {
        let mut overrides = Overrides::from_environment(std::env::vars());
        if let Some(folder) = &global.data_dir {
            overrides.set_flag("data_dir", "--data-dir", folder.to_string_lossy());
        }
        let paint = Paint::for_stream(&io::stdout(), global.no_color);
        let paint_errors = Paint::for_stream(&io::stderr(), global.no_color);
        Context { global, paint, paint_errors, overrides }
    }

    /// Sets a key of the configuration, as `flag` asks.
    pub fn set_flag(&mut self, path: &str, flag: &str, value: impl Into<String>) {
        self.overrides.set_flag(path, flag, value);
    }

    /// How to print lists: as asked, else a table on a terminal and `otherwise` elsewhere.
    pub fn format_or(&self, otherwise: Format) -> Format {
        let on_terminal = if io::stdout().is_terminal() { Format::Table } else { otherwise };
        self.global.format.unwrap_or(on_terminal)
    }

    /// How to print what reads as lines everywhere: as asked, else for people.
    pub fn format_or_text(&self) -> Format {
        self.global.format.unwrap_or(Format::Table)
    }

    /// The configuration file in use.
    pub fn config_file(&self) -> Option<PathBuf> {
        let named = self.global.config.clone();
        named.or_else(|| Path::new(CONFIG_FILE).is_file().then(|| PathBuf::from(CONFIG_FILE)))
    }

    /// The configuration; every mistake of it is told at once.
    pub fn config(&self) -> Result<Config, Failure> {
        let file = self.config_file();
        let (config, diagnostics) = Config::load(file.as_deref(), &self.overrides);
        self.tell(&diagnostics)?;
        config.ok_or(Failure::Silent(Status::Environment))
    }

    /// The roots that the configuration names, and further ones.
    pub fn roots(&self, config: &Config, embedded: bool, more: &[PathBuf]) -> Vec<Root> {
        let mut roots = Vec::new();
        if embedded && config.content.embedded {
            roots.push(Root::Embedded);
        }
        if embedded {
            roots.extend(config.content.roots.iter().cloned().map(Root::Dir));
        }
        // A folder that the configuration names and the command line too is one folder.
        let named: Vec<PathBuf> =
            config.content.roots.iter().filter(|_| embedded).filter_map(|root| root.canonicalize().ok()).collect();
        let is_new = |root: &&PathBuf| root.canonicalize().is_ok_and(|root| !named.contains(&root)) || !root.exists();
        roots.extend(more.iter().filter(is_new).cloned().map(Root::Dir));
        roots
    }

    /// The content of the configuration alone.
    pub fn catalogue(&self, config: &Config) -> (Catalogue, Vec<Diagnostic>) {
        content::load(&self.roots(config, true, &[]))
    }

    /// The store of the data folder.
    pub fn store(&self, config: &Config) -> Result<Store, Failure> {
        if !config.data_dir.is_dir() {
            let message = format!(
                "there is no data folder `{}`: start `watchkeep run`, or name the folder with --data-dir",
                config.data_dir.display()
            );
            return Err(Failure::environment(message));
        }
        Store::open(&config.data_dir).environment()
    }

    /// Tells diagnostics on standard error.
    pub fn tell(&self, diagnostics: &[Diagnostic]) -> io::Result<()> {
        let mut errors = io::stderr().lock();
        for diagnostic in diagnostics {
            writeln!(errors, "{}", render(diagnostic, self.paint_errors))?;
        }
        Ok(())
    }
}

/// A diagnostic for people: place, what is wrong, what to do.
pub fn render(diagnostic: &Diagnostic, paint: Paint) -> String {
    let mut place = diagnostic.file.clone();
    if diagnostic.line > 0 {
        place.push_str(&format!(":{}", diagnostic.line));
        if diagnostic.column > 0 {
            place.push_str(&format!(":{}", diagnostic.column));
        }
    }
    if !place.is_empty() {
        place.push_str(": ");
    }
    let word = if diagnostic.is_error() { paint.bad("error") } else { paint.warn("warning") };
    let code = paint.dim(format!("[{}]", diagnostic.code));
    let mut text = format!("{}{word}{code}: {}", paint.bold(place), diagnostic.message);
    if !diagnostic.remedy.is_empty() {
        text.push_str(&format!("\n  remedy: {}", diagnostic.remedy));
    }
    text
}

/// Standard output, buffered.
pub fn stdout() -> io::BufWriter<io::StdoutLock<'static>> {
    io::BufWriter::with_capacity(64 << 10, io::stdout().lock())
}

/// One JSON document, indented.
pub fn write_json(value: &impl Serialize) -> Result<(), Failure> {
    let mut out = stdout();
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)?;
    out.flush()?;
    Ok(())
}

/// One JSON object a line.
pub fn write_ndjson(values: &[impl Serialize]) -> Result<(), Failure> {
    let mut out = stdout();
    for value in values {
        serde_json::to_writer(&mut out, value)?;
        writeln!(out)?;
    }
    out.flush()?;
    Ok(())
}

/// Lines of text.
pub fn write_lines(lines: impl IntoIterator<Item = String>) -> Result<(), Failure> {
    let mut out = stdout();
    for line in lines {
        writeln!(out, "{line}")?;
    }
    out.flush()?;
    Ok(())
}
