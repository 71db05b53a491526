use std::sync::{Condvar, Mutex};

use tokio::io::AsyncWriteExt;
use tokio::task::JoinHandle;

use super::*;
use crate::memory::Memory;

struct Bench {
    address: SocketAddr,
    memory: Arc<Memory>,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Bench {
    async fn start(transport: Transport, change: impl FnOnce(&mut SyslogOptions)) -> Bench {
        let mut options = options(transport);
        change(&mut options);
        let syslog = Syslog::open(options).await.unwrap();
        let (address, memory, stop) = (syslog.address(), Arc::new(Memory::default()), CancellationToken::new());
        let running = tokio::spawn(syslog.run(memory.clone(), stop.clone()));
        Bench { address, memory, stop, running }
    }

    async fn send(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream
    }

    async fn until(&self, is: impl Fn(&Memory) -> bool) {
        for _ in 0..2000 {
            if is(&self.memory) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("it never came to that: {:?} {:?}", self.memory.texts(), self.memory.troubles());
    }

    /// Ends the listener; gives what it took in.
    async fn end(self) -> Vec<String> {
        self.stop.cancel();
        self.running.await.unwrap();
        let mut texts = self.memory.texts();
        texts.sort();
        texts
    }
}

fn options(transport: Transport) -> SyslogOptions {
    let listen = "127.0.0.1:0".parse().unwrap();
    SyslogOptions { transport, listen, networks: Vec::new(), connections: 8, message_bytes: 1024 }
}

#[tokio::test]
async fn messages_of_several_connections_are_taken_in_whatever_their_framing() {
    let bench = Bench::start(Transport::Tcp, |_| {}).await;
    let first = bench.send(b"<13>one\n<13>two\n").await;
    let _open = bench.send(b"8 <13>four9 <13>fi\nve").await;
    drop(first);
    bench.until(|memory| memory.texts().len() == 4).await;
    assert_eq!(bench.end().await, ["<13>fi#012ve", "<13>four", "<13>one", "<13>two"]);
}

#[tokio::test]
async fn each_datagram_is_a_message() {
    let bench = Bench::start(Transport::Udp, |options| options.message_bytes = 8).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for message in ["<13>one", "<13>two\n", "", "<13>too long"] {
        socket.send_to(message.as_bytes(), bench.address).await.unwrap();
    }
    bench.until(|memory| !memory.kept.lock().unwrap().is_empty() && memory.texts().len() == 2).await;
    assert_eq!(*bench.memory.kept.lock().unwrap(), [("<13>too ".to_owned(), model::Reject::TooLarge)]);
    assert_eq!(bench.end().await, ["<13>one", "<13>two"]);
}

#[tokio::test]
async fn an_address_that_others_can_reach_needs_networks_or_certificates() {
    for transport in [Transport::Tcp, Transport::Udp] {
        let open = SyslogOptions { listen: "0.0.0.0:0".parse().unwrap(), ..options(transport) };
        assert!(matches!(Syslog::open(open.clone()).await, Err(SyslogError::Open(_))));
        let known = SyslogOptions { networks: vec!["192.0.2.0/24".parse().unwrap()], ..open };
        assert!(Syslog::open(known).await.is_ok());
    }
}

#[tokio::test]
async fn a_stranger_is_turned_away_and_told_of_once() {
    let elsewhere = |options: &mut SyslogOptions| options.networks = vec!["192.0.2.0/24".parse().unwrap()];
    let bench = Bench::start(Transport::Tcp, elsewhere).await;
    for _ in 0..2 {
        let mut stream = TcpStream::connect(bench.address).await.unwrap();
        let _ = stream.write_all(b"<13>one\n").await;
        // It is closed without an answer, or reset because what was sent was not read.
        assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0);
    }
    let troubles = bench.memory.troubles();
    assert!(
        troubles.len() == 1 && troubles[0].contains("127.0.0.1") && troubles[0].contains("`networks`"),
        "{troubles:?}"
    );
    assert_eq!(bench.end().await, [""; 0]);
}

#[tokio::test]
async fn while_the_journal_is_full_the_sender_waits_and_nothing_is_lost() {
    let bench = Bench::start(Transport::Tcp, |_| {}).await;
    let has_room = Arc::new((Mutex::new(false), Condvar::new()));
    let waiting = has_room.clone();
    *bench.memory.before.lock().unwrap() = Some(Arc::new(move || {
        let room = waiting.0.lock().unwrap();
        drop(waiting.1.wait_while(room, |room| !*room).unwrap());
    }));
    let message = format!("<13>{}\n", "x".repeat(1000));
    let count = 64 << 10;
    let stream = TcpStream::connect(bench.address).await.unwrap();
    let (_read, mut write) = stream.into_split();
    let writing = tokio::spawn(async move {
        for _ in 0..count {
            write.write_all(message.as_bytes()).await.unwrap();
        }
    });
    // What would be written at once without a full journal is not, however long one waits.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!writing.is_finished());
    *has_room.0.lock().unwrap() = true;
    has_room.1.notify_all();
    writing.await.unwrap();
    bench.until(|memory| memory.taken.lock().unwrap().len() == count).await;
    bench.end().await;
}

#[tokio::test]
async fn what_was_read_before_the_end_is_durable_at_the_end_and_half_a_message_says_so() {
    let bench = Bench::start(Transport::Tcp, |_| {}).await;
    let _open = bench.send(b"<13>one\n<13>ha").await;
    bench.until(|memory| memory.texts().len() == 1).await;
    let memory = bench.memory.clone();
    assert_eq!(bench.end().await, ["<13>one"]);
    assert_eq!(*memory.kept.lock().unwrap(), [("<13>ha".to_owned(), model::Reject::Truncated)]);
}

#[tokio::test]
async fn certificates_that_are_none_are_told_by_name() {
    let tls = TlsOptions { certificate: "/dev/null".into(), key: "no key".to_owned(), client_ca: None };
    assert!(!format!("{tls:?}").contains("no key"));
    let Err(SyslogError::Tls(why)) = Syslog::open(options(Transport::Tls(tls))).await else { panic!("it opened") };
    assert!(why.contains("`/dev/null` holds no certificate"), "{why}");
}
