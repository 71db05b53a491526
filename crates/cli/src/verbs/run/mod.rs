//! `watchkeep run`: the whole platform on this machine.
//!
//! Comes in: the configuration. Goes out: a running store, journal, line, router and console; a few lines on standard
//! output that say where everything is; the log on standard error. Ends in order on SIGINT or SIGTERM; a second signal
//! ends at once, and what was not settled is taken up at the next start.

mod banner;
mod serve;
mod views;

use std::fs::{File, TryLockError};
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use console::Auth;
use content::Catalogue;
use content::config::Config;
use engine::Engine;
use store::Store;
use tracing_subscriber::EnvFilter;

use super::check::{engine_limits, load};
use super::scan::tell_set_aside;
use super::sources::contracts;
use crate::context::Context;
use crate::status::{Blame, Failure, Outcome, Status};

pub const EXAMPLES: &str = "\
Without a configuration the shipped sample telemetry plays on a lane of its own, records are taken at
http://127.0.0.1:8787/v1/records, alerts go to watchkeep-data/alerts.ndjson, and the console is at
http://127.0.0.1:8786.

Examples:
  watchkeep run
  watchkeep run --config site/watchkeep.toml
  curl --data-binary @trail.ndjson http://127.0.0.1:8787/v1/records";

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Address and port of the console.
    #[arg(long, value_name = "ADDRESS")]
    console: Option<String>,
    /// No console.
    #[arg(long, conflicts_with = "console")]
    no_console: bool,
    /// Make a new console token; the old one ends.
    #[arg(long)]
    new_token: bool,
}

/// Everything that was opened before the platform starts.
struct Opened {
    config: Config,
    catalogue: Catalogue,
    engine: Arc<Engine>,
    store: Store,
    auth: Auth,
    /// The console's token, the time that it is made.
    token: Option<String>,
    _lock: File,
}

/// Runs the platform.
pub fn run(mut context: Context, args: RunArgs) -> Outcome {
    if let Some(address) = &args.console {
        context.set_flag("console.listen", "--console", address);
    }
    if args.no_console {
        context.set_flag("console.enabled", "--no-console", "false");
    }
    let config = context.config()?;
    start_log(&context)?;
    let opened = open(&context, config, args.new_token)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve::serve(&context, opened))?;
    Ok(Status::Fine)
}

/// Logs to standard error: for people on a terminal, as JSON lines elsewhere.
fn start_log(context: &Context) -> Result<(), Failure> {
    let level = match context.global.verbose {
        0 => "warn,pipeline=info,watchkeep=info",
        1 => "info,pipeline=debug,watchkeep=debug",
        _ => "debug",
    };
    let filter = match std::env::var("WATCHKEEP_LOG") {
        Ok(directives) => EnvFilter::try_new(directives).environment()?,
        Err(_) => EnvFilter::new(level),
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if std::io::stderr().is_terminal() {
        log.with_ansi(context.paint_errors.is_on()).compact().try_init()
    } else {
        log.json().flatten_event(true).try_init()
    };
    started.map_err(|error| Failure::environment(format!("the log cannot be started: {error}")))
}

fn open(context: &Context, config: Config, new_token: bool) -> Result<Opened, Failure> {
    let data_dir = &config.data_dir;
    std::fs::create_dir_all(data_dir).map_err(|error| {
        Failure::environment(format!("the data folder `{}` cannot be made: {error}", data_dir.display()))
    })?;
    let lock = lock(data_dir)?;
    let (catalogue, mut diagnostics) = load(&context.roots(&config, true, &[]));
    let (engine, wrong) = catalogue.compile(engine_limits(&config));
    let engine = engine.with_content_key(&pipeline::settings::content_key(data_dir).environment()?);
    diagnostics.extend(wrong);
    tell_set_aside(context, &diagnostics)?;
    contracts(&config, &catalogue)?;
    let store = Store::open(data_dir).environment()?;
    if new_token {
        let token = Auth::renew(data_dir).environment()?;
        let (auth, _) = Auth::open(data_dir).environment()?;
        return Ok(Opened {
            config,
            catalogue,
            engine: Arc::new(engine),
            store,
            auth,
            token: Some(token),
            _lock: lock,
        });
    }
    let (auth, token) = Auth::open(data_dir).environment()?;
    Ok(Opened { config, catalogue, engine: Arc::new(engine), store, auth, token, _lock: lock })
}

/// One platform at a time on a data folder. The system gives the lock back when the process ends, however it ends.
fn lock(data_dir: &Path) -> Result<File, Failure> {
    let path = data_dir.join("run.lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| Failure::environment(format!("`{}` cannot be opened: {error}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::environment(format!(
            "another watchkeep already runs on the data folder `{}`; stop it, or name another folder with --data-dir",
            data_dir.display()
        ))),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}
