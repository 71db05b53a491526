//! The platform while it runs: pipeline and console side by side, until a signal.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use console::{ConsoleConfig, ConsoleState};
use content::config::{InputConfig, InputKind};
use pipeline::{Settings, SystemClock};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Opened, banner, views};
use crate::clock;
use crate::context::Context;
use crate::status::{Blame, Failure};

/// How long open pages may take to end.
const CONSOLE_DRAIN: Duration = Duration::from_secs(3);

/// The console while it is served.
struct Served {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

/// Starts everything, says where it is, waits for a signal, ends in order.
pub async fn serve(context: &Context, opened: Opened) -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    let Opened { config, catalogue, engine, store, auth, token, _lock } = opened;
    let console = match config.console.enabled {
        true => Some(bind(config.console.listen).await?),
        false => None,
    };
    let mut settings = Settings::read(config.clone()).environment()?;
    settings.feeds.clone_from(&catalogue.feeds);
    let running =
        pipeline::start(settings, engine.clone(), store.clone(), Arc::new(SystemClock)).await.environment()?;
    let is_sample = |input: &InputConfig| matches!(input.kind, InputKind::Samples { .. });
    let asked = pipeline::run::contracts(engine.sources(), &config);
    let state = ConsoleState {
        store,
        catalogue: Arc::new(views::catalogue(&catalogue, &engine, asked)),
        auth: Arc::new(auth),
        clock: clock::now,
        config: Arc::new(ConsoleConfig {
            sample_notice: config.inputs.iter().any(is_sample),
            any_host: config.console.remote,
            secure_cookies: config.console.remote,
            ..ConsoleConfig::default()
        }),
    };
    let console = console.map(|listener| start_console(listener, state)).transpose()?;
    let address = console.as_ref().map(|served| served.address);
    banner::print(context, &config, &engine, address, token.as_deref(), running.addresses())?;
    signals.wait().await;
    tracing::info!("stopping; a second signal stops at once");
    tokio::select! {
        () = stop(console, running) => Ok(()),
        () = signals.wait() => {
            tracing::warn!("stopped at once; what was not settled is taken up at the next start");
            Ok(())
        }
    }
}

async fn stop(console: Option<Served>, running: pipeline::Running) {
    let stop_console = async {
        let Some(served) = console else { return };
        // When the receiver is gone the console has ended already.
        let _ = served.stop.send(());
        if tokio::time::timeout(CONSOLE_DRAIN, served.task).await.is_err() {
            tracing::debug!("open pages were cut off");
        }
    };
    let ((), settled) = tokio::join!(stop_console, running.stop());
    if !settled {
        tracing::warn!("not everything was settled in time; it is kept for the next start");
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let remedy = "stop what listens there, or choose another with --console";
    TcpListener::bind(address)
        .await
        .map_err(|error| Failure::environment(format!("the console cannot listen on {address}: {error}; {remedy}")))
}

fn start_console(listener: TcpListener, state: ConsoleState) -> Result<Served, Failure> {
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let app = console::router(state).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, app).with_graceful_shutdown(async {
        // A sender that is gone means the same as one that spoke.
        let _ = stopped.await;
    });
    Ok(Served { address, stop, task: tokio::spawn(async move { server.await }) })
}

/// SIGINT and SIGTERM.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> Result<Signals, Failure> {
        Ok(Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
