//! The server: connections in, requests out to the paths.
//!
//! Bound: [`HttpOptions::connections_max`] connections, each of which has [`HttpOptions::header_timeout`] to send a request's head. When
//! full: a new connection waits until one ends, and those that say nothing do end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::HttpOptions;

/// Pause after a connection could not be accepted (no file descriptors, for example).
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// Serves until `stop` resolves; requests that have begun are finished. Dropping the future ends every connection.
pub async fn serve(listener: TcpListener, router: Router, options: HttpOptions, stop: impl Future<Output = ()> + Send) {
    let mut server = Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(options.header_timeout);
    let ending = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(options.connections_max.max(1)));
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let (stream, place) = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let service = TowerToHyperService::new(router.clone());
        let connection = server.serve_connection(TokioIo::new(stream), service);
        let connection = ending.watch(connection);
        connections.spawn(async move {
            // How a connection ends is its sender's business; what was accepted was answered.
            let _ = connection.await;
            drop(place);
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    ending.shutdown().await;
}

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true);
                return (stream, place);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
