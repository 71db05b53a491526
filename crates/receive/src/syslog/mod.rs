//! Syslog over UDP, TCP and TLS: messages of RFC 3164 and RFC 5424 as lines of text, which sources read.
//!
//! In: datagrams (RFC 5426), and streams framed by octet counts or trailers (RFC 6587, RFC 5425). Out: one line a message. Bound:
//! [`SyslogOptions::connections`], [`SyslogOptions::message_bytes`], and what waits for the journal. When the journal is full: connections are
//! not read, and their senders wait; datagrams are dropped by the kernel, and how many is said aloud.
//!
//! Syslog has no acknowledgement: what a sender has handed to its own kernel it takes for delivered.

mod collect;
mod drops;
mod framing;
mod tls;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

pub use tls::TlsOptions;

use crate::intake::Intake;
use crate::trouble::Trouble;
use collect::{Messages, READ_BYTES, Sender};
use framing::{Framing, Whole};

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);
/// A peer that went away without a word is noticed, and its connection given to others.
const KEEPALIVE: Duration = Duration::from_secs(60);
/// Asked of the kernel; it gives as much as `net.core.rmem_max` allows.
const UDP_BUFFER_BYTES: usize = 8 << 20;
const DROPS_EVERY: Duration = Duration::from_secs(10);
/// The longest datagram.
const DATAGRAM_BYTES: usize = 65_535;

const TURNED_AWAY: &str = "A sender of syslog was turned away";
const DROPPED: &str = "Datagrams of syslog were dropped";

/// How messages come.
#[derive(Clone, Debug)]
pub enum Transport {
    /// One message a datagram.
    Udp,
    /// A stream.
    Tcp,
    /// A stream inside of TLS.
    Tls(TlsOptions),
}

/// A listener.
#[derive(Clone, Debug)]
pub struct SyslogOptions {
    /// How messages come.
    pub transport: Transport,
    /// Address and port.
    pub listen: SocketAddr,
    /// The networks from which senders are heard; empty hears all.
    pub networks: Vec<IpNet>,
    /// Connections at once; more wait to be accepted.
    pub connections: usize,
    /// The longest message, bytes. Of a longer one the first bytes are kept as a reject.
    pub message_bytes: usize,
}

/// Why a listener cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum SyslogError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The certificate, its key or the authority.
    #[error("tls: {0}")]
    Tls(String),
    /// Other machines can reach it, and nothing tells its senders from strangers.
    #[error("{0} can be reached from other machines: name `networks`, or a `client_ca` over tls")]
    Open(SocketAddr),
}

/// A listener that is open and not read yet.
pub struct Syslog {
    options: SyslogOptions,
    address: SocketAddr,
    socket: Socket,
}

enum Socket {
    Udp(UdpSocket),
    Stream(TcpListener, Option<TlsAcceptor>),
}

impl Syslog {
    /// Opens the address.
    ///
    /// Errors: [`SyslogError`].
    pub async fn open(options: SyslogOptions) -> Result<Syslog, SyslogError> {
        let address = options.listen;
        let knows_senders = matches!(&options.transport, Transport::Tls(tls) if tls.client_ca.is_some());
        if !address.ip().is_loopback() && options.networks.is_empty() && !knows_senders {
            return Err(SyslogError::Open(address));
        }
        let failed = |source| SyslogError::Listen { address, source };
        let socket = match &options.transport {
            Transport::Udp => Socket::Udp(UdpSocket::bind(address).await.map_err(failed)?),
            Transport::Tcp => Socket::Stream(TcpListener::bind(address).await.map_err(failed)?, None),
            Transport::Tls(tls) => {
                let acceptor = tls::acceptor(tls).map_err(SyslogError::Tls)?;
                Socket::Stream(TcpListener::bind(address).await.map_err(failed)?, Some(acceptor))
            }
        };
        let bound = match &socket {
            Socket::Udp(socket) => socket.local_addr(),
            Socket::Stream(listener, _) => listener.local_addr(),
        };
        Ok(Syslog { options, address: bound.map_err(failed)?, socket })
    }

    /// The address that is listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes messages in until `stop`; what was read by then is made durable before it ends.
    pub async fn run(self, intake: Arc<dyn Intake>, stop: CancellationToken) {
        let trouble = Trouble::of(intake.clone());
        let (sender, come) = collect::channel();
        let listener =
            Arc::new(Listener { options: self.options, address: self.address, sender, trouble: trouble.clone(), stop });
        let collecting = tokio::spawn(collect::collect(come, intake, trouble));
        match self.socket {
            Socket::Udp(socket) => listener.datagrams(&socket).await,
            Socket::Stream(socket, tls) => listener.clone().accept(&socket, tls).await,
        }
        // The last sender goes, and the collector ends when it has what came.
        drop(listener);
        let _ = collecting.await;
    }
}

struct Listener {
    options: SyslogOptions,
    address: SocketAddr,
    sender: Sender,
    trouble: Trouble,
    stop: CancellationToken,
}

impl Listener {
    fn is_heard(&self, sender: IpAddr) -> bool {
        let networks = &self.options.networks;
        networks.is_empty() || networks.iter().any(|network| network.contains(&sender.to_canonical()))
    }

    async fn turn_away(&self, sender: SocketAddr, why: &str) {
        let message = format!("{} at {}: {why}; further ones are only logged", sender.ip(), self.address);
        self.trouble.say(TURNED_AWAY, "", message).await;
    }

    async fn datagrams(&self, socket: &UdpSocket) {
        if let Err(error) = SockRef::from(socket).set_recv_buffer_size(UDP_BUFFER_BYTES) {
            tracing::debug!(%error, "the kernel's buffer stays as it is");
        }
        let mut buffer = vec![0; DATAGRAM_BYTES];
        let mut look = tokio::time::interval(DROPS_EVERY);
        let mut dropped = drops::dropped(self.address).unwrap_or(0);
        loop {
            let received = tokio::select! {
                () = self.stop.cancelled() => break,
                _ = look.tick() => { self.tell_drops(&mut dropped).await; continue }
                received = socket.recv_from(&mut buffer) => received,
            };
            let mut messages = Messages::default();
            let mut next = received;
            // What else has come already goes with it.
            while let Ok((length, sender)) = next {
                if self.is_heard(sender.ip()) {
                    let bytes = buffer[..length].trim_ascii();
                    let is_long = bytes.len() > self.options.message_bytes;
                    let cut = &bytes[..bytes.len().min(self.options.message_bytes)];
                    if !cut.is_empty() {
                        messages.push(cut, if is_long { Whole::TooLong } else { Whole::Yes });
                    }
                } else {
                    self.turn_away(sender, "its address is in none of the input's `networks`").await;
                }
                if messages.is_full() {
                    break;
                }
                next = socket.try_recv_from(&mut buffer);
            }
            if !messages.is_empty() && self.sender.send(messages).await.is_err() {
                break;
            }
        }
        self.tell_drops(&mut dropped).await;
    }

    async fn tell_drops(&self, known: &mut u64) {
        let Some(now) = drops::dropped(self.address).filter(|now| *now > *known) else { return };
        let count = now - *known;
        *known = now;
        let message = format!(
            "{count} at {}: they came faster than they could be made durable, and nobody sends them again; senders over tcp or tls wait instead",
            self.address
        );
        self.trouble.over(DROPPED, "");
        self.trouble.say(DROPPED, "", message).await;
    }

    async fn accept(self: Arc<Self>, listener: &TcpListener, tls: Option<TlsAcceptor>) {
        let places = Arc::new(Semaphore::new(self.options.connections.max(1)));
        let mut connections = JoinSet::new();
        loop {
            let next = async {
                let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
                (place, listener.accept().await)
            };
            let (place, accepted) = tokio::select! { () = self.stop.cancelled() => break, next = next => next };
            match accepted {
                Ok((stream, sender)) => {
                    let (own, tls) = (self.clone(), tls.clone());
                    connections.spawn(async move {
                        own.connection(stream, sender, tls).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
            while connections.try_join_next().is_some() {}
        }
        while connections.join_next().await.is_some() {}
    }

    async fn connection(&self, stream: TcpStream, sender: SocketAddr, tls: Option<TlsAcceptor>) {
        if !self.is_heard(sender.ip()) {
            return self.turn_away(sender, "its address is in none of the input's `networks`").await;
        }
        let _ = SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE));
        let Some(tls) = tls else { return self.read(stream, sender).await };
        let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream));
        let handshake = tokio::select! { () = self.stop.cancelled() => return, handshake = handshake => handshake };
        match handshake {
            Ok(Ok(stream)) => self.read(stream, sender).await,
            Ok(Err(error)) => self.turn_away(sender, &format!("tls: {error}")).await,
            Err(_) => self.turn_away(sender, "tls: it did not say hello in time").await,
        }
    }

    /// Reads a connection to its end. The next read waits until there is room for what the last one brought.
    async fn read(&self, mut stream: impl AsyncRead + Unpin, sender: SocketAddr) {
        let mut framing = Framing::new(self.options.message_bytes);
        let mut buffer = vec![0; READ_BYTES];
        let mut is_closed = false;
        loop {
            let read = tokio::select! { () = self.stop.cancelled() => break, read = stream.read(&mut buffer) => read };
            let length = match read {
                Ok(0) => {
                    is_closed = true;
                    break;
                }
                Ok(length) => length,
                Err(error) => {
                    tracing::debug!(%sender, %error, "a connection broke off");
                    break;
                }
            };
            let mut messages = Messages::default();
            framing.push(&buffer[..length], &mut |message, whole| messages.push(message, whole));
            if !messages.is_empty() && self.sender.send(messages).await.is_err() {
                return;
            }
        }
        let mut messages = Messages::default();
        framing.finish(is_closed, &mut |message, whole| messages.push(message, whole));
        if !messages.is_empty() {
            let _ = self.sender.send(messages).await;
        }
    }
}

#[cfg(test)]
mod tests;
