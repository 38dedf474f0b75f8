//! A process of this machine meets a broker on a socket of the loopback, with a tap on it.

use std::cell::RefCell;
use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use board::lateness::{self, Late, Lateness};
use broker::{Action, Broker, Close};
use clock::{Duration, Instant, UnixTime};
use host::own_network::Endpoint;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinSet, LocalSet};
use tokio::time;

use crate::lan::recorder::{ConnectionId, Recorder, Side};
use crate::world;

/// Once the client is done, what it has sent still has to arrive.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(500);
/// How long a broker on the same machine may take to accept.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// What is read from a socket at once, in bytes.
const READ_BYTES_MAX: usize = 16 * 1024;
/// Events of the scripted broker that are kept.
const FINDINGS_MAX: usize = 1_024;

/// Who stands behind the port.
pub enum Counterpart {
    /// The scripted broker.
    Scripted(Broker),
    /// A broker of this machine.
    Real(Endpoint),
}

/// What came of an exchange.
#[derive(Debug)]
pub struct Held {
    /// Everything that passed the socket, with the secrets that the broker knows.
    pub recorder: Recorder,
    /// What the scripted broker found wrong with the client's MQTT.
    pub findings: Vec<(Instant, String)>,
    /// Whether the scripted broker did anything wrong, because it was told to.
    pub has_misbehaved: bool,
    /// By how much this machine was late, if that may have decided what the client did.
    pub late: Option<Late>,
}

/// What the tasks of an exchange share.
struct Shared {
    recorder: Recorder,
    findings: Vec<(Instant, String)>,
    has_misbehaved: bool,
}

/// Lets `client` meet `counterpart` at `listener` until the client is done. In the recording the broker's port is
/// `port`, as the scenario has it.
///
/// # Errors
///
/// If the listener fails: the bench's fault.
pub async fn run<T>(
    counterpart: Counterpart,
    listener: TcpListener,
    port: u16,
    today: UnixTime,
    comment: String,
    client: impl Future<Output = T>,
) -> io::Result<(T, Held)> {
    let recorder = Recorder::new(today, comment);
    let shared = Rc::new(RefCell::new(Shared { recorder, findings: Vec::new(), has_misbehaved: false }));
    let shown = SocketAddr::new(listener.local_addr()?.ip(), port);
    let mut lateness = Lateness::new(lateness::LIMIT, lateness::now());
    let mut late = None;
    let mut turns = time::interval(lateness.turn_max());
    let mut counterpart = counterpart;
    let mut tasks = JoinSet::new();
    let local = LocalSet::new();
    let done = local
        .run_until(async {
            let mut client = std::pin::pin!(client);
            let done = loop {
                tokio::select! {
                    // Connections first: one that was opened before the client ended belongs to the recording. So does time
                    // that was lost before it.
                    biased;
                    accepted = listener.accept() => {
                        let (stream, peer) = accepted?;
                        stream.set_nodelay(true)?;
                        let id = shared.borrow_mut().recorder.opened(peer, shown);
                        let wire = Wire { shared: Rc::clone(&shared), id, stream };
                        match &mut counterpart {
                            Counterpart::Scripted(broker) => {
                                let connection = broker.accept(wire.now(), peer);
                                tasks.spawn_local(enact(wire, connection));
                            }
                            Counterpart::Real(endpoint) => {
                                tasks.spawn_local(relay(wire, endpoint.clone()));
                            }
                        }
                    }
                    _ = turns.tick() => late = late.max(lateness.turn(lateness::now())),
                    done = &mut client => break done,
                }
            };
            // What lasts longer than that lasts for ever: a silent broker with nobody to be silent to.
            let _ = time::timeout(DRAIN_TIMEOUT, async { while tasks.join_next().await.is_some() {} }).await;
            tasks.shutdown().await;
            Ok::<T, io::Error>(done)
        })
        .await?;
    late = late.max(lateness.turn(lateness::now()));
    let mut shared =
        Rc::into_inner(shared).ok_or_else(|| io::Error::other("a connection outlived its exchange"))?.into_inner();
    if let Counterpart::Scripted(broker) = &counterpart {
        shared.recorder.key_log(&broker.key_log());
    }
    let Shared { recorder, findings, has_misbehaved } = shared;
    Ok((done, Held { recorder, findings, has_misbehaved, late }))
}

/// A tapped connection.
struct Wire {
    shared: Rc<RefCell<Shared>>,
    id: ConnectionId,
    stream: TcpStream,
}

impl Wire {
    fn now(&self) -> Instant {
        self.shared.borrow().recorder.now()
    }

    fn said(&self, side: Side, bytes: &[u8]) {
        self.shared.borrow_mut().recorder.said(self.id, side, bytes);
    }

    fn ended(&self, side: Side) {
        self.shared.borrow_mut().recorder.ended(self.id, side);
    }

    fn reset(&self, side: Side) {
        self.shared.borrow_mut().recorder.reset(self.id, side);
    }

    fn find(&self, connection: &mut broker::Connection) {
        let shared = &mut *self.shared.borrow_mut();
        let findings = &mut shared.findings;
        for event in connection.take_events() {
            shared.has_misbehaved |= matches!(event.happening, broker::Happening::Misbehaves(_));
            if let Some(words) = world::broker_finding(&event.happening)
                && findings.len() < FINDINGS_MAX
            {
                findings.push((event.at, words));
            }
        }
    }

    fn wall(&self, at: Instant) -> time::Instant {
        self.shared.borrow().recorder.wall(at).into()
    }
}

/// Completes at `at`; never, if there is no such instant.
async fn until(at: Option<time::Instant>) {
    match at {
        Some(at) => time::sleep_until(at).await,
        None => pending().await,
    }
}

/// The scripted broker's side of one connection.
async fn enact(mut wire: Wire, mut connection: broker::Connection) {
    let mut buffer = vec![0; READ_BYTES_MAX];
    let mut hears = true;
    let mut speaks = true;
    loop {
        while let Some(action) = connection.poll(wire.now()) {
            match action {
                Action::Send(bytes) => {
                    if wire.stream.write_all(&bytes).await.is_err() {
                        wire.reset(Side::Client);
                        connection.peer_closed(wire.now(), Close::Reset);
                        wire.find(&mut connection);
                        return;
                    }
                    wire.said(Side::Broker, &bytes);
                }
                Action::Fin => {
                    speaks = false;
                    wire.ended(Side::Broker);
                    if wire.stream.shutdown().await.is_err() {
                        return;
                    }
                }
                // Nobody has asked for these moments on a socket of this machine.
                Action::Reached(_) => {}
                Action::Reset | Action::Close | Action::Vanish => {
                    wire.reset(Side::Broker);
                    // Closing with a linger of zero sends RST (RFC 9293 §3.10.5: ABORT). If it cannot be set, the
                    // client sees a FIN, which is what it gets from brokers that crash.
                    let _ = wire.stream.set_zero_linger();
                    wire.find(&mut connection);
                    return;
                }
            }
        }
        wire.find(&mut connection);
        let wakes_at = connection.poll_at().map(|at| wire.wall(at));
        if !hears && (!speaks || wakes_at.is_none()) {
            return;
        }
        tokio::select! {
            read = wire.stream.read(&mut buffer), if hears => match read {
                Ok(0) => {
                    hears = false;
                    wire.ended(Side::Client);
                    connection.peer_closed(wire.now(), Close::Fin);
                }
                Ok(count) => {
                    let bytes = buffer.get(..count).unwrap_or_default();
                    wire.said(Side::Client, bytes);
                    connection.received(wire.now(), bytes);
                }
                Err(_) => {
                    wire.reset(Side::Client);
                    connection.peer_closed(wire.now(), Close::Reset);
                    wire.find(&mut connection);
                    return;
                }
            },
            () = until(wakes_at) => {}
        }
    }
}

/// Passes on what client and broker say to each other.
async fn relay(mut wire: Wire, broker: Endpoint) {
    let Ok(mut upstream) = connect(broker).await else {
        wire.reset(Side::Broker);
        let _ = wire.stream.set_zero_linger();
        return;
    };
    let _ = upstream.set_nodelay(true);
    let mut from_client = vec![0; READ_BYTES_MAX];
    let mut from_broker = vec![0; READ_BYTES_MAX];
    let (mut client_speaks, mut broker_speaks) = (true, true);
    while client_speaks || broker_speaks {
        let (side, read) = tokio::select! {
            read = wire.stream.read(&mut from_client), if client_speaks => (Side::Client, read),
            read = upstream.read(&mut from_broker), if broker_speaks => (Side::Broker, read),
        };
        let passed = match (side, read) {
            (Side::Client, Ok(0)) => {
                client_speaks = false;
                wire.ended(side);
                upstream.shutdown().await.map_err(|_| Side::Broker)
            }
            (Side::Broker, Ok(0)) => {
                broker_speaks = false;
                wire.ended(side);
                wire.stream.shutdown().await.map_err(|_| Side::Client)
            }
            (Side::Client, Ok(count)) => {
                let bytes = from_client.get(..count).unwrap_or_default();
                wire.said(side, bytes);
                upstream.write_all(bytes).await.map_err(|_| Side::Broker)
            }
            (Side::Broker, Ok(count)) => {
                let bytes = from_broker.get(..count).unwrap_or_default();
                wire.said(side, bytes);
                wire.stream.write_all(bytes).await.map_err(|_| Side::Client)
            }
            (side, Err(_)) => Err(side),
        };
        if let Err(broke_off) = passed {
            if broke_off == Side::Broker {
                last_words(&mut wire, &mut upstream, &mut from_broker).await;
            }
            // Whoever broke off, the other one learns it the same way.
            wire.reset(broke_off);
            let _ = upstream.set_zero_linger();
            let _ = wire.stream.set_zero_linger();
            return;
        }
    }
}

/// A connection to a broker, which may be in a network of its own: only a thread that waits can open a socket there.
async fn connect(broker: Endpoint) -> io::Result<TcpStream> {
    let stream =
        tokio::task::spawn_blocking(move || broker.connect(CONNECT_TIMEOUT)).await.map_err(io::Error::other)??;
    stream.set_nonblocking(true)?;
    TcpStream::from_std(stream)
}

/// Passes on what a broker said before it reset the connection: an alert, most often. It lies in the socket's queue still,
/// in front of the error (a client that logs in before it hears that it was refused makes the broker reset; RFC 9846
/// §4.5.3).
async fn last_words(wire: &mut Wire, upstream: &mut TcpStream, buffer: &mut [u8]) {
    while let Ok(count @ 1..) = upstream.read(buffer).await {
        let bytes = buffer.get(..count).unwrap_or_default();
        wire.said(Side::Broker, bytes);
        if wire.stream.write_all(bytes).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(client: impl Future<Output = ()>) -> Held {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let nobody = listener.local_addr().expect("it is bound");
            let today = UnixTime::from_seconds(0);
            let done = run(Counterpart::Real(nobody.into()), listener, 8883, today, String::new(), client).await;
            done.expect("it is held").1
        })
    }

    #[test]
    fn time_that_the_bench_loses_is_told() {
        assert_eq!(held(async {}).late, None);
        // Nothing but time is waited for: it is what the whole process loses when it is stopped.
        let late = held(async { std::thread::sleep(lateness::LIMIT + 2 * lateness::TURN) }).late;
        assert!(late.is_some_and(|Late(late)| late > lateness::LIMIT), "{late:?}");
    }
}
