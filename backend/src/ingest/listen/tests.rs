//! Over real sockets: what is sent is stored, also what comes before a stop, and what cannot be read is counted.

use super::*;
use std::fs;
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Listeners on free ports over a store in a folder of its own.
struct Site {
    store: Arc<Store>,
    counters: Arc<Counters>,
    stop: watch::Sender<bool>,
    bound: BoundListeners,
    dir: tempfile::TempDir,
}

impl Site {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(dir.path()).unwrap());
        let counters = Arc::<Counters>::default();
        let (stop, stopped) = watch::channel(false);
        let any = Some("127.0.0.1:0".parse().unwrap());
        let config = ListenConfig { carbon: any, carbon_pickle: any, syslog: any, ..ListenConfig::default() };
        let bound = spawn_listeners(&config, store.clone(), counters.clone(), stopped).await.unwrap();
        Self { store, counters, stop, bound, dir }
    }

    fn carbon(&self) -> SocketAddr {
        self.bound.carbon.unwrap()
    }

    fn carbon_pickle(&self) -> SocketAddr {
        self.bound.carbon_pickle.unwrap()
    }

    fn syslog(&self) -> SocketAddr {
        self.bound.syslog.unwrap()
    }

    /// Waits until a protocol has stored so many rows.
    async fn stored(&self, protocol: Protocol, rows: u64) {
        let reached = async {
            while self.counters.stored_total(protocol) < rows {
                sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(Duration::from_secs(10), reached).await.expect("everything is stored in time");
        assert_eq!(self.counters.stored_total(protocol), rows);
    }

    async fn stop(self) -> (Arc<Counters>, Arc<Store>, tempfile::TempDir) {
        self.stop.send(true).unwrap();
        timeout(Duration::from_secs(10), self.bound.drained()).await.expect("the listeners stop in time");
        (self.counters, self.store, self.dir)
    }
}

/// The text of all segments of a data folder.
fn lines_in(data: &Path) -> String {
    let folders = fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let files = folders.flat_map(|day| fs::read_dir(day).unwrap()).map(|entry| entry.unwrap().path());
    let texts = files.filter(|path| path.extension().is_some_and(|kind| kind == "ndjson"));
    texts.map(|path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()).collect()
}

async fn send_udp(to: SocketAddr, datagrams: &[&str]) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for datagram in datagrams {
        socket.send_to(datagram.as_bytes(), to).await.unwrap();
    }
}

#[tokio::test]
async fn points_come_in_over_tcp_and_udp_on_one_port() {
    let site = Site::start().await;
    let mut tcp = TcpStream::connect(site.carbon()).await.unwrap();
    tcp.write_all(b"a.b 1 1763647500\na.c 2 17636").await.unwrap();
    site.stored(Protocol::CarbonTcp, 1).await;
    tcp.write_all(b"47500\nnonsense\nx \xff 1\n\na.d 3 -1\r\n").await.unwrap();
    site.stored(Protocol::CarbonTcp, 3).await;
    assert_eq!(site.counters.refused_total(Protocol::CarbonTcp), 2);
    send_udp(site.carbon(), &["u.a 1 5\nu.b 2 5", "u.c nan 5", "u.d 4 5\n"]).await;
    site.stored(Protocol::CarbonUdp, 3).await;
    assert_eq!(site.counters.refused_total(Protocol::CarbonUdp), 1);
}

#[tokio::test]
async fn messages_come_in_over_tcp_and_udp_on_one_port() {
    let site = Site::start().await;
    let mut tcp = TcpStream::connect(site.syslog()).await.unwrap();
    tcp.write_all(b"<13>1 - h a - - - x\n20 <13>1 - h a - - - y\n<13>").await.unwrap();
    site.stored(Protocol::SyslogTcp, 2).await;
    tcp.write_all(b"a: the end").await.unwrap();
    drop(tcp);
    site.stored(Protocol::SyslogTcp, 3).await;
    send_udp(site.syslog(), &["<13>a: one\n<13>a: two", "three", "\n"]).await;
    site.stored(Protocol::SyslogUdp, 3).await;
}

#[tokio::test]
async fn the_stop_takes_in_what_was_sent_before_it() {
    let site = Site::start().await;
    let mut open = TcpStream::connect(site.carbon()).await.unwrap();
    open.write_all("a 1 5\n".repeat(100_000).as_bytes()).await.unwrap();
    let mut gone = TcpStream::connect(site.syslog()).await.unwrap();
    gone.write_all(b"<13>a: x\n<13>a: last").await.unwrap();
    drop(gone);
    send_udp(site.carbon(), &["b 1 5"; 50]).await;
    let (counters, store, dir) = site.stop().await;
    drop(store);
    assert!(
        lines_in(dir.path()).contains(
            "\"component\":\"syslog.a\",\"host\":\"127.0.0.1\",\"level\":\"info\",\"msg\":\"last\""
        )
    );
    assert_eq!(counters.stored_total(Protocol::CarbonTcp), 100_000);
    assert_eq!(counters.stored_total(Protocol::SyslogTcp), 2);
    assert_eq!(counters.stored_total(Protocol::CarbonUdp), 50);
}

#[tokio::test]
async fn a_line_that_is_cut_off_is_no_point() {
    let site = Site::start().await;
    let mut tcp = TcpStream::connect(site.carbon()).await.unwrap();
    tcp.write_all(b"a 1 5\na 1 17636").await.unwrap();
    drop(tcp);
    let (counters, ..) = site.stop().await;
    assert_eq!(counters.stored_total(Protocol::CarbonTcp), 1);
    assert_eq!(counters.refused_total(Protocol::CarbonTcp), 1);
}

#[tokio::test]
async fn a_sender_that_speaks_http_is_cut_off_and_nothing_of_it_is_stored() {
    let site = Site::start().await;
    for (address, body) in [(site.carbon(), "a.b 1 1763647500\n"), (site.syslog(), "<13>a: x\n")] {
        let request = format!("POST /{} HTTP/1.1\r\nHost: x\r\n\r\n{body}", "x".repeat(100_000));
        let mut tcp = TcpStream::connect(address).await.unwrap();
        // It may be closed, or reset, before all of the request is taken.
        drop(tcp.write_all(request.as_bytes()).await);
        let closed = timeout(Duration::from_secs(10), tcp.read_u8()).await.expect("it is closed in time");
        assert!(closed.is_err(), "nothing is answered");
    }
    let mut tcp = TcpStream::connect(site.carbon()).await.unwrap();
    tcp.write_all(b"a.b 1 1763647500\nGET / HTTP/1.1\na.c 1 1763647500\n").await.unwrap();
    site.stored(Protocol::CarbonTcp, 2).await;
    let (counters, ..) = site.stop().await;
    assert_eq!(counters.stored_total(Protocol::SyslogTcp), 0);
    let mut text = String::new();
    super::super::counters::render(&counters, &mut text);
    for refused in ["\"carbon_tcp\",reason=\"http\"} 1\n", "\"syslog_tcp\",reason=\"http\"} 1\n"] {
        assert!(text.contains(refused), "{refused}\n{text}");
    }
}

/// A frame of one point of `a`.
fn pickled(secs: u32) -> Vec<u8> {
    let pickle = [b"]X\x01\0\0\0aJ".as_slice(), &secs.to_le_bytes(), b"K\x01\x86\x86a."].concat();
    [&(pickle.len() as u32).to_be_bytes(), pickle.as_slice()].concat()
}

#[tokio::test]
async fn pickles_come_in_and_the_stop_takes_in_what_was_sent_before_it() {
    let site = Site::start().await;
    let mut tcp = TcpStream::connect(site.carbon_pickle()).await.unwrap();
    let frame = pickled(1_763_647_500);
    tcp.write_all(&[&frame, &frame[..20]].concat()).await.unwrap();
    site.stored(Protocol::CarbonPickle, 1).await;
    let many: Vec<u8> = (0..20_000).flat_map(pickled).collect();
    tcp.write_all(&[&frame[20..], &many, &frame[..10]].concat()).await.unwrap();
    let (counters, ..) = site.stop().await;
    assert_eq!(counters.stored_total(Protocol::CarbonPickle), 20_002);
    assert_eq!(counters.refused_total(Protocol::CarbonPickle), 1);
}

#[tokio::test]
async fn who_speaks_something_else_than_pickles_is_cut_off() {
    let site = Site::start().await;
    for text in ["a.b 1 1763647500\n", "POST / HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let mut tcp = TcpStream::connect(site.carbon_pickle()).await.unwrap();
        tcp.write_all(text.as_bytes()).await.unwrap();
        let closed = timeout(Duration::from_secs(10), tcp.read_u8()).await.expect("it is closed in time");
        assert!(closed.is_err(), "nothing is answered");
    }
    let (counters, ..) = site.stop().await;
    assert_eq!(counters.stored_total(Protocol::CarbonPickle), 0);
    assert_eq!(counters.refused_total(Protocol::CarbonPickle), 2);
}

#[tokio::test]
async fn a_port_that_is_taken_is_told() {
    let site = Site::start().await;
    let config = ListenConfig { carbon: Some(site.carbon()), ..ListenConfig::default() };
    let (_stop, stopped) = watch::channel(false);
    let error =
        spawn_listeners(&config, site.store.clone(), site.counters.clone(), stopped).await.unwrap_err();
    assert_eq!((error.protocol, error.source.kind()), ("carbon", io::ErrorKind::AddrInUse));
}
