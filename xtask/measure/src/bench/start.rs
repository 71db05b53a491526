//! From start to the first accepted connection, with all of SigmaHQ's rules loaded.

use crate::bench::process::{Running, free_address, wait_for};
use crate::bench::{Row, median};
use crate::data::{Data, SIGMA_CURRENT, catalogue};

const ROUNDS: usize = 5;

/// The start of `watchkeep run`.
pub fn rows() -> anyhow::Result<Vec<Row>> {
    let data = Data::find(None)?;
    let sigma = data.sigma(&SIGMA_CURRENT)?;
    let rules = catalogue(Some(sigma.path())).rules.len();
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir()?;
        let address = free_address()?;
        let config = folder.path().join("watchkeep.toml");
        let text = format!(
            "data_dir = \"{}\"\n[content]\nroots = [\"{}\"]\n[console]\nenabled = false\n\
             [[inputs]]\nname = \"http\"\nkind = \"http\"\nlisten = \"{address}\"\n",
            folder.path().join("data").display(),
            sigma.path().display()
        );
        std::fs::write(&config, text)?;
        let _running = Running::platform(&config)?;
        times.push(wait_for(address, 60)?);
    }
    let seconds = median(times);
    let what = format!("`watchkeep run` with {rules} rules, until the HTTP input listens");
    Ok(vec![Row::of(what, format!("{seconds:.2} s"), "< 1 s", Some(seconds < 1.0))])
}
