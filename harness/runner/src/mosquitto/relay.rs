//! A broker of this machine behind the LAN of an emulated chip: TCP streams of the LAN go on over real sockets.
//!
//! The chip's time is virtual and jumps when the chip waits; the broker's is the wall's. While a connection is open,
//! virtual time therefore **keeps step with the wall**: it advances in short steps, and if it is ahead of the wall after
//! one, the bench waits for the difference, or until the broker says something. So a broker that answers in a
//! millisecond has answered in a millisecond of the device's time too, and one that never answers costs as much of ours
//! as of the device's. A machine too slow for the chip only makes the broker look quick. Before and after connections,
//! virtual time runs free.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time;

use board::lateness::{self, Late, Lateness};
use clock::{Duration, Instant};
use host::own_network::Endpoint;
use network::{Action, Close, ConnectionId, Service};

use crate::world::Counterpart;

/// How far virtual time goes at once while a connection is open.
const STEP: Duration = Duration::from_millis(1);
/// How long a broker on the same machine may take to accept, or to make room for what the device says.
const SOCKET_LIMIT: Duration = Duration::from_secs(5);
/// What is read from a socket at once, in bytes.
const READ_BYTES_MAX: usize = 16 * 1024;
/// What readers may be ahead of the LAN, in reads.
const READS_AHEAD_MAX: usize = 64;

/// Bridges the LAN's ports to sockets.
pub struct Relay {
    ports: BTreeMap<u16, Endpoint>,
    links: BTreeMap<ConnectionId, Connection>,
    heard: Receiver<(ConnectionId, Heard)>,
    hear: mpsc::SyncSender<(ConnectionId, Heard)>,
    /// Of this machine, while a connection is open: the broker waits by the wall.
    lateness: Option<Lateness>,
    late: Option<Late>,
    /// An instant of the run and of the machine that are the same.
    anchor: Option<(Instant, time::Instant)>,
    findings: Vec<(Instant, String)>,
}

struct Connection {
    stream: TcpStream,
    waiting: VecDeque<Action>,
    broker_speaks: bool,
    device_speaks: bool,
}

/// What came of a socket.
enum Heard {
    Bytes(Vec<u8>),
    End,
    Broken,
}

impl Relay {
    /// Bridges each port to where the broker listens.
    pub fn new(ports: BTreeMap<u16, Endpoint>) -> Self {
        let (hear, heard) = mpsc::sync_channel(READS_AHEAD_MAX);
        Self {
            ports,
            links: BTreeMap::new(),
            heard,
            hear,
            lateness: None,
            late: None,
            anchor: None,
            findings: Vec::new(),
        }
    }

    fn open(&self, id: ConnectionId, port: u16) -> io::Result<TcpStream> {
        let endpoint = self.ports.get(&port).ok_or_else(|| io::Error::other("the broker has no such port"))?;
        let stream = endpoint.connect(SOCKET_LIMIT)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(SOCKET_LIMIT))?;
        let (reader, hear) = (stream.try_clone()?, self.hear.clone());
        thread::spawn(move || listen(reader, id, &hear));
        Ok(stream)
    }

    fn take(&mut self, (id, heard): (ConnectionId, Heard)) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.waiting.push_back(match heard {
            Heard::Bytes(bytes) => Action::Send(bytes),
            Heard::End => {
                link.broker_speaks = false;
                Action::Fin
            }
            Heard::Broken => {
                link.broker_speaks = false;
                link.device_speaks = false;
                Action::Reset
            }
        });
    }

    fn is_open(&self) -> bool {
        self.links.values().any(|link| link.broker_speaks)
    }
}

/// Reads a socket to its end. Ends too when nobody listens any more.
fn listen(mut stream: TcpStream, id: ConnectionId, hear: &mpsc::SyncSender<(ConnectionId, Heard)>) {
    let mut buffer = vec![0; READ_BYTES_MAX];
    loop {
        let heard = match stream.read(&mut buffer) {
            Ok(0) => Heard::End,
            Ok(count) => Heard::Bytes(buffer.get(..count).unwrap_or_default().to_vec()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => Heard::Broken,
        };
        let over = !matches!(heard, Heard::Bytes(_));
        if hear.send((id, heard)).is_err() || over {
            return;
        }
    }
}

impl Service for Relay {
    fn connected(&mut self, now: Instant, id: ConnectionId, local: SocketAddr, _peer: SocketAddr) {
        match self.open(id, local.port()) {
            Ok(stream) => {
                let link = Connection { stream, waiting: VecDeque::new(), broker_speaks: true, device_speaks: true };
                self.links.insert(id, link);
            }
            Err(error) => {
                // The LAN has accepted already; a device that is reset right away is told as much as can be told.
                self.findings.push((now, format!("the bench could not reach the real broker: {error}")));
            }
        }
    }

    fn received(&mut self, _now: Instant, id: ConnectionId, bytes: &[u8]) {
        if let Some(link) = self.links.get_mut(&id)
            && link.device_speaks
            && link.stream.write_all(bytes).is_err()
        {
            link.device_speaks = false;
        }
    }

    fn peer_closed(&mut self, _now: Instant, id: ConnectionId, how: Close) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.device_speaks = false;
        // A socket that is gone cannot be shut.
        let _ = match how {
            Close::Fin => link.stream.shutdown(Shutdown::Write),
            Close::Reset => {
                link.broker_speaks = false;
                link.stream.shutdown(Shutdown::Both)
            }
        };
    }

    fn poll(&mut self, _now: Instant, id: ConnectionId) -> Option<Action> {
        match self.links.get_mut(&id) {
            Some(link) => link.waiting.pop_front(),
            None => Some(Action::Reset),
        }
    }

    fn poll_at(&self, now: Instant) -> Option<Instant> {
        self.links.values().any(|link| !link.waiting.is_empty()).then_some(now)
    }
}

impl Counterpart for Relay {
    fn key_log(&self) -> String {
        // mosquitto writes none; what it has to say is in its log.
        String::new()
    }

    fn findings(&self) -> Vec<(Instant, String)> {
        self.findings.clone()
    }

    fn pace(&self, now: Instant, deadline: Instant) -> Instant {
        if self.is_open() { deadline.min(now + STEP) } else { deadline }
    }

    fn late(&self) -> Option<Late> {
        self.late
    }

    fn keep_step(&mut self, now: Instant) {
        if self.is_open() {
            let wall = lateness::now();
            let late = self.lateness.get_or_insert_with(|| Lateness::new(lateness::LIMIT, wall)).turn(wall);
            self.late = self.late.max(late);
            let (virtual_then, wall_then) = *self.anchor.get_or_insert_with(|| (now, time::Instant::now()));
            match now.since(virtual_then).checked_sub(wall_then.elapsed()) {
                Some(ahead) => {
                    if let Ok(heard) = self.heard.recv_timeout(ahead) {
                        self.take(heard);
                    }
                }
                // The wall is ahead: what the chip did not have time for it must not be made to skip.
                None => self.anchor = Some((now, time::Instant::now())),
            }
        } else {
            self.anchor = None;
            self.lateness = None;
        }
        while let Ok(heard) = self.heard.try_recv() {
            self.take(heard);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// The broker waited by the wall, and this machine did not come to its turn.
    #[test]
    fn time_that_this_machine_loses_over_an_open_connection_is_told() {
        let broker = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = broker.local_addr().expect("it is bound");
        let mut relay = Relay::new(BTreeMap::from([(8883, address.into())]));
        let ahead = Instant::from_millis(1);
        relay.lateness = Some(Lateness::new(lateness::LIMIT, time::Duration::ZERO));
        relay.keep_step(ahead);
        assert_eq!(relay.late(), None, "nobody is connected");
        relay.connected(ahead, ConnectionId(1), ([192, 0, 2, 10], 8883).into(), ([192, 0, 2, 2], 49_152).into());
        relay.keep_step(ahead);
        assert_eq!(relay.late(), None, "the first turn");
        // As if the last turn had been when the machine was switched on.
        relay.lateness = Some(Lateness::new(lateness::LIMIT, time::Duration::ZERO));
        relay.keep_step(ahead);
        assert!(relay.late().is_some_and(|Late(late)| late > lateness::LIMIT));
    }
}
