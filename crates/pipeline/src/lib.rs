//! The pipeline: inputs, the line from journal to settled alert, and outputs.
//!
//! Floor 3. This is where the world comes in: files, sockets, threads and clocks. What records mean is the engine's business, what
//! is true is the store's; the pipeline moves bytes between them and never loses one silently.
//!
//! | part | in → out | bound | when full |
//! |---|---|---|---|
//! | [`inputs`] | files, folders, pipes, samples → work | one batch each | stop reading |
//! | [`http`] | requests → journal | body bytes, requests at once, journal bytes | 413, 503 with `Retry-After` |
//! | [`mod@line`] | work → settled | batches and bytes on the line | inputs wait |
//! | [`router`] | outbox rows → [`outputs`] | sends at once per route | rows wait in the store |
//! | [`scan`] | files → findings | a few chunks | reading waits |

pub mod clock;
pub mod http;
pub mod inputs;
pub mod line;
pub mod outputs;
pub mod router;
pub mod run;
pub mod scan;
pub mod settings;
pub mod signals;

mod panics;

pub use receive::backoff;

pub use clock::{Clock, ManualClock, SystemClock};
pub use run::{RunError, Running, run, start};
pub use settings::{Settings, SettingsError};
