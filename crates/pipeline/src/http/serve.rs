//! The server: connections in, requests out to the paths.
//!
//! Bound: [`HttpOptions::connections_max`] connections, each of which has [`HttpOptions::header_timeout`] to send a request's head (in HTTP/2, to
//! begin the connection, and then to answer each ping). When full: a new connection waits until one ends, and those that say nothing do end.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::HttpOptions;

/// Pause after a connection could not be accepted (no file descriptors, for example).
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);
/// Requests of one connection of HTTP/2 at once.
const STREAMS_MAX: u32 = 64;
/// What a client says first in HTTP/2 (RFC 9113, 3.4).
const PREFACE_BYTES: usize = 24;

/// How requests come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2 in clear text, from the first byte on, as gRPC has it.
    Http2,
}

/// Serves until `stop` resolves; requests that have begun are finished. Dropping the future ends every connection.
pub async fn serve(listener: TcpListener, router: Router, options: HttpOptions, stop: impl Future<Output = ()> + Send) {
    let (ending, unbegun) = (GracefulShutdown::new(), CancellationToken::new());
    let places = Arc::new(Semaphore::new(options.connections_max.max(1)));
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let (stream, place) = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let (service, watcher) = (TowerToHyperService::new(router.clone()), ending.watcher());
        let unbegun = unbegun.clone();
        connections.spawn(async move {
            // How a connection ends is its sender's business; what was accepted was answered.
            match options.protocol {
                Protocol::Http1 => {
                    let server = one(options).serve_connection(TokioIo::new(stream), service);
                    let _ = watcher.watch(server).await;
                }
                Protocol::Http2 => {
                    let beginning = unbegun.run_until_cancelled_owned(begun(stream, options.header_timeout));
                    if let Some(Some(stream)) = beginning.await {
                        let server = two(options).serve_connection(TokioIo::new(stream), service);
                        let _ = watcher.watch(server).await;
                    }
                }
            }
            drop(place);
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    unbegun.cancel();
    ending.shutdown().await;
}

fn one(options: HttpOptions) -> http1::Builder {
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(options.header_timeout);
    server
}

fn two(options: HttpOptions) -> http2::Builder<TokioExecutor> {
    let mut server = http2::Builder::new(TokioExecutor::new());
    server
        .timer(TokioTimer::new())
        .keep_alive_interval(options.header_timeout)
        .keep_alive_timeout(options.header_timeout)
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(16 << 10);
    server
}

/// A connection whose client said in time what it says first; the words are read again by the server.
async fn begun(
    stream: TcpStream,
    timeout: Duration,
) -> Option<impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin> {
    let (mut reading, writing) = stream.into_split();
    let mut preface = [0; PREFACE_BYTES];
    tokio::time::timeout(timeout, reading.read_exact(&mut preface)).await.ok()?.ok()?;
    Some(tokio::io::join(Cursor::new(preface).chain(reading), writing))
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
