//! `watchkeep completions`: a completion script for a shell.

use std::io::Write;

use clap::{Args, Command};
use clap_complete::Shell;

use crate::context::stdout;
use crate::status::{Outcome, Status};

pub const EXAMPLES: &str = "\
Examples:
  watchkeep completions bash > ~/.local/share/bash-completion/completions/watchkeep
  watchkeep completions zsh > ~/.zfunc/_watchkeep";

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

/// Prints the script that completes `command`.
pub fn run(args: &CompletionsArgs, command: &mut Command) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "watchkeep", &mut script);
    let mut out = stdout();
    out.write_all(&script)?;
    out.flush()?;
    Ok(Status::Fine)
}
