//! The `watchkeep` command: reads the configuration, wires the parts, runs a verb.
//!
//! Comes in: arguments, environment, `watchkeep.toml`. Goes out: results on standard output, everything said about them on
//! standard error, and an exit status. Each verb has its own module below [`verbs`].

mod args;
mod clock;
mod context;
mod globals;
mod progress;
mod status;
mod style;
mod table;
mod verbs;
mod windows;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Cli, Verb};
use context::Context;
use status::{Failure, Status};

/// Facts that wait for the frontier are many small things that come and go on different threads: with the system's allocator, a quarter of the
/// time of detection over time goes into joining free pieces, and a million groups hold a quarter more.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let context = Context::new(cli.global);
    let paint = context.paint_errors;
    let outcome = match cli.verb {
        Verb::Run(args) => verbs::run::run(context, args),
        Verb::Scan(args) => verbs::scan::run(&context, args),
        Verb::Check(args) => verbs::check::run(&context, &args),
        Verb::Test(args) => verbs::test::run(&context, &args),
        Verb::Explain(args) => verbs::explain::run(&context, &args),
        Verb::Convert(args) => verbs::convert::run(&context, &args),
        Verb::Inventory(args) => verbs::inventory::run(&context, &args),
        Verb::Sources(args) => verbs::sources::run(&context, &args),
        Verb::Content(args) => verbs::said::run(&context, args),
        Verb::Alert(args) => verbs::alert::run(&context, args),
        Verb::Soc(args) => verbs::soc::run(&context, args),
        Verb::Import(args) => verbs::import::run(&context, args),
        Verb::Config(args) => verbs::config::run(&context, &args),
        Verb::Completions(args) => verbs::completions::run(&args, &mut Cli::command()),
    };
    let status = outcome.unwrap_or_else(|failure| match failure {
        Failure::Pipe => Status::Fine,
        Failure::Silent(status) => status,
        Failure::Told { status, error } => {
            // When standard error is gone too there is nobody left to tell.
            let _ = writeln!(std::io::stderr(), "{}: {error:#}", paint.bad("error"));
            status
        }
    });
    status.into()
}
