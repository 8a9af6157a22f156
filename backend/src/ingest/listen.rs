//! Carbon and syslog over TCP and UDP, pickles over TCP.
//!
//! What arrives is gathered for at most 50 ms and handed to the store in one batch. When the store's queue is full a
//! connection is not read, so that TCP holds the sender back; datagrams wait in the socket's buffer, and the kernel
//! counts those that find no place. Idle connections keep no buffer and are never closed. When the store takes no
//! writes, what was read is counted as refused and the connection closed, so that the sender keeps its own queue.

use super::Clock;
use super::counters::{Counters, Protocol};
use super::first_line::FirstLine;
use super::pickle_wire::PickleWire;
use super::refused::Refused;
use super::syslog::SyslogRules;
use super::udp_drops;
use super::wire::{CarbonWire, DatagramWire, SyslogWire, Wire};
use crate::store::Store;
use socket2::{SockRef, TcpKeepalive};
use sonde_shared::time::Timestamp;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// How long what has arrived may wait for more.
const GATHER: Duration = Duration::from_millis(50);
/// A batch of this size waits for nothing more.
const BATCH_BYTES: usize = 1 << 20;
/// How much is read at once; more than the largest datagram.
const READ_BYTES: usize = 64 << 10;
/// The buffer that is asked of the kernel for datagrams; it may give less.
const UDP_BUFFER_BYTES: usize = 8 << 20;
/// Connections a listener holds; more wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 10_000;
/// When a silent connection is first probed.
const KEEPALIVE: Duration = Duration::from_mins(1);
/// How long a connection that keeps sending is still read after the stop.
const DRAIN: Duration = Duration::from_secs(1);
/// How long the stop waits for what the kernel has received but not yet told.
const LAST_WAIT: Duration = Duration::from_millis(20);
/// The sender of datagrams before there was one.
const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
/// How often a free port is sought that is free for TCP and UDP.
const PORT_TRIES: usize = 20;

/// Where to listen; each address but that for pickles is opened for TCP and UDP.
#[derive(Clone, Debug, Default)]
pub struct ListenConfig {
    /// Graphite plaintext.
    pub carbon: Option<SocketAddr>,
    /// Points in Python pickles.
    pub carbon_pickle: Option<SocketAddr>,
    /// Syslog.
    pub syslog: Option<SocketAddr>,
    /// How syslog messages are read.
    pub syslog_rules: SyslogRules,
}

/// Where is listened; port 0 is replaced by the port that was found.
#[derive(Debug)]
pub struct BoundListeners {
    /// Graphite plaintext.
    pub carbon: Option<SocketAddr>,
    /// Points in Python pickles.
    pub carbon_pickle: Option<SocketAddr>,
    /// Syslog.
    pub syslog: Option<SocketAddr>,
    tasks: JoinSet<()>,
}

impl BoundListeners {
    /// Returns once everything that was received before the stop is with the store.
    pub async fn drained(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

/// What all tasks share.
#[derive(Clone)]
struct Shared {
    store: Arc<Store>,
    counters: Arc<Counters>,
    stop: watch::Receiver<bool>,
}

/// An address that could not be listened on.
#[derive(Debug, thiserror::Error)]
#[error("could not listen for {protocol} on {address}")]
pub struct ListenError {
    /// `carbon`, `carbon-pickle` or `syslog`.
    pub protocol: &'static str,
    /// The address.
    pub address: SocketAddr,
    /// What the system said.
    pub source: io::Error,
}

/// Opens the listeners and serves them until `stop` holds `true` or its sender is gone.
pub async fn spawn_listeners(
    config: &ListenConfig,
    store: Arc<Store>,
    counters: Arc<Counters>,
    stop: watch::Receiver<bool>,
) -> Result<BoundListeners, ListenError> {
    let shared = Shared { store, counters, stop };
    let mut bound = BoundListeners { carbon: None, carbon_pickle: None, syslog: None, tasks: JoinSet::new() };
    if let Some(address) = config.carbon {
        let opened = spawn_carbon(&mut bound.tasks, address, &shared).await;
        bound.carbon = Some(opened.map_err(|source| ListenError { protocol: "carbon", address, source })?);
    }
    if let Some(address) = config.carbon_pickle {
        let opened = spawn_pickle(&mut bound.tasks, address, &shared).await;
        let refused = |source| ListenError { protocol: "carbon-pickle", address, source };
        bound.carbon_pickle = Some(opened.map_err(refused)?);
    }
    if let Some(address) = config.syslog {
        let rules = Arc::new(config.syslog_rules.clone());
        let opened = spawn_syslog(&mut bound.tasks, address, rules, &shared).await;
        bound.syslog = Some(opened.map_err(|source| ListenError { protocol: "syslog", address, source })?);
    }
    Ok(bound)
}

async fn spawn_carbon(tasks: &mut JoinSet<()>, addr: SocketAddr, shared: &Shared) -> io::Result<SocketAddr> {
    let (tcp, udp, addr) = bind(addr, Protocol::CarbonUdp, &shared.counters).await?;
    let counters = shared.counters.clone();
    let datagrams = CarbonWire::new(Protocol::CarbonUdp, counters.clone(), NOBODY);
    tasks.spawn(serve_datagrams(udp, datagrams, shared.clone()));
    tasks.spawn(accept(
        tcp,
        move |peer| CarbonWire::new(Protocol::CarbonTcp, counters.clone(), peer),
        shared.clone(),
    ));
    Ok(addr)
}

async fn spawn_pickle(tasks: &mut JoinSet<()>, addr: SocketAddr, shared: &Shared) -> io::Result<SocketAddr> {
    let tcp = TcpListener::bind(addr).await?;
    let addr = tcp.local_addr()?;
    let counters = shared.counters.clone();
    tasks.spawn(accept(tcp, move |peer| PickleWire::new(counters.clone(), peer), shared.clone()));
    Ok(addr)
}

async fn spawn_syslog(
    tasks: &mut JoinSet<()>,
    addr: SocketAddr,
    rules: Arc<SyslogRules>,
    shared: &Shared,
) -> io::Result<SocketAddr> {
    let (tcp, udp, addr) = bind(addr, Protocol::SyslogUdp, &shared.counters).await?;
    let counters = shared.counters.clone();
    let datagrams = SyslogWire::new(Protocol::SyslogUdp, counters.clone(), rules.clone(), NOBODY);
    tasks.spawn(serve_datagrams(udp, datagrams, shared.clone()));
    let connection = move |peer| SyslogWire::new(Protocol::SyslogTcp, counters.clone(), rules.clone(), peer);
    tasks.spawn(accept(tcp, connection, shared.clone()));
    Ok(addr)
}

/// Opens one address for TCP and UDP; port 0 becomes one that is free for both.
async fn bind(
    addr: SocketAddr,
    protocol: Protocol,
    counters: &Counters,
) -> io::Result<(TcpListener, UdpSocket, SocketAddr)> {
    let mut tries = 1;
    loop {
        let tcp = TcpListener::bind(addr).await?;
        let bound = tcp.local_addr()?;
        match UdpSocket::bind(bound).await {
            Ok(udp) => {
                // Less than was asked for is what the system allows; the drops are counted either way.
                if let Err(error) = SockRef::from(&udp).set_recv_buffer_size(UDP_BUFFER_BYTES) {
                    tracing::debug!(%error, "the receive buffer keeps its size");
                }
                counters.watch_drops(protocol, udp_drops::inode_of(&udp));
                return Ok((tcp, udp, bound));
            }
            Err(error) if addr.port() != 0 || tries == PORT_TRIES => return Err(error),
            Err(_) => tries += 1,
        }
    }
}

async fn accept<W: Wire>(listener: TcpListener, wire: impl Fn(IpAddr) -> W, shared: Shared) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    let mut stop = shared.stop.clone();
    loop {
        let accepted = tokio::select! {
            accepted = accept_one(&listener, &permits) => accepted,
            Some(_) = connections.join_next() => continue,
            () = stopped(&mut stop) => break,
        };
        let Ok((stream, peer, permit)) = accepted else {
            // Out of file descriptors, most likely: those that close will free some.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (wire, shared) = (wire(peer), shared.clone());
        connections.spawn(async move {
            serve_stream(stream, wire, shared).await;
            drop(permit);
        });
    }
    // Whoever connected before the stop may have sent and gone already.
    while let Ok(Ok((stream, peer, _permit))) = timeout(LAST_WAIT, accept_one(&listener, &permits)).await {
        connections.spawn(serve_stream(stream, wire(peer), shared.clone()));
    }
    while connections.join_next().await.is_some() {}
}

type Accepted = (TcpStream, IpAddr, tokio::sync::OwnedSemaphorePermit);

async fn accept_one(listener: &TcpListener, permits: &Arc<Semaphore>) -> io::Result<Accepted> {
    let permit = permits.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) =
        listener.accept().await.inspect_err(|error| tracing::warn!(%error, "no connection taken"))?;
    if let Err(error) = SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE)) {
        tracing::debug!(%error, "no keep-alive");
    }
    Ok((stream, peer.ip(), permit))
}

/// Returns when the stop is asked for.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is a stop too.
    drop(stop.wait_for(|stop| *stop).await);
}

fn clock(store: &Store) -> Clock {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    Clock::of(store, Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)))
}

/// Says when the next burst is to be read, and when none is any more.
struct Bell {
    stop: watch::Receiver<bool>,
    last_call: Option<Instant>,
}

impl Bell {
    fn new(stop: watch::Receiver<bool>) -> Self {
        Self { stop, last_call: None }
    }

    /// Waits until something can be read. After the stop only what is there already counts, and for a second at most.
    async fn rings<F: Future<Output = io::Result<()>>>(&mut self, readable: impl Fn() -> F) -> bool {
        if self.last_call.is_none() {
            tokio::select! {
                ready = readable() => return ready.is_ok(),
                () = stopped(&mut self.stop) => self.last_call = Some(Instant::now() + DRAIN),
            }
        }
        let in_time = self.last_call.is_some_and(|until| Instant::now() < until);
        in_time && timeout(LAST_WAIT, readable()).await.is_ok_and(|ready| ready.is_ok())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Burst {
    /// More may come.
    Open,
    /// The sender has closed, or the connection broke.
    Ended,
    /// The stream is an HTTP request; nothing of it was taken.
    Http,
}

async fn serve_stream<W: Wire>(stream: TcpStream, mut wire: W, shared: Shared) {
    let (mut bell, mut first_line) = (Bell::new(shared.stop), FirstLine::default());
    while bell.rings(|| stream.readable()).await {
        let burst = read_burst(&stream, &mut wire, &mut first_line, &shared.store).await;
        if burst == Burst::Http {
            return wire.refuse(&Refused::Http);
        }
        if let Err(error) = wire.flush(&shared.store).await {
            tracing::warn!(%error, "a connection is closed because nothing can be stored");
            return;
        }
        if burst == Burst::Ended {
            break;
        }
    }
    wire.finish(clock(&shared.store));
    if let Err(error) = wire.flush(&shared.store).await {
        tracing::warn!(%error, "the end of a connection could not be stored");
    }
}

/// Reads what there is and what comes shortly after.
async fn read_burst<W: Wire>(
    stream: &TcpStream,
    wire: &mut W,
    first_line: &mut FirstLine,
    store: &Store,
) -> Burst {
    let deadline = Instant::now() + GATHER;
    let mut buffer = vec![0; READ_BYTES];
    while wire.batch_bytes() < BATCH_BYTES {
        match stream.try_read(&mut buffer) {
            Ok(0) => return Burst::Ended,
            Ok(len) if first_line.is_request(&buffer[..len]) => return Burst::Http,
            Ok(len) => {
                wire.feed(&buffer[..len], clock(store));
                if wire.is_lost() {
                    return Burst::Ended;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if timeout_at(deadline, stream.readable()).await.is_err() {
                    break;
                }
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_broken) => return Burst::Ended,
        }
        if Instant::now() >= deadline {
            break;
        }
    }
    Burst::Open
}

async fn serve_datagrams<W: DatagramWire>(socket: UdpSocket, mut wire: W, shared: Shared) {
    let mut bell = Bell::new(shared.stop);
    let mut buffer = vec![0; READ_BYTES];
    let mut is_failing = false;
    while bell.rings(|| socket.readable()).await {
        receive_burst(&socket, &mut wire, &mut buffer, &shared.store).await;
        let flushed = wire.flush(&shared.store).await;
        if let (Err(error), false) = (&flushed, is_failing) {
            tracing::warn!(%error, "datagrams are lost because nothing can be stored");
        }
        is_failing = flushed.is_err();
    }
}

/// Takes the datagrams that are there and that come shortly after.
async fn receive_burst<W: DatagramWire>(socket: &UdpSocket, wire: &mut W, buffer: &mut [u8], store: &Store) {
    let deadline = Instant::now() + GATHER;
    while wire.batch_bytes() < BATCH_BYTES {
        match socket.try_recv_from(buffer) {
            Ok((len, from)) => wire.datagram(&buffer[..len], from.ip(), clock(store)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if timeout_at(deadline, socket.readable()).await.is_err() {
                    break;
                }
                continue;
            }
            // Such as an ICMP answer to something that was never sent from here; the next datagram is not its fault.
            Err(_) => break,
        }
        if Instant::now() >= deadline {
            break;
        }
    }
}

#[cfg(test)]
mod tests;
