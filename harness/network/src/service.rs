//! What stands behind a TCP port: the seam between network and broker.

use std::fmt;
use std::net::SocketAddr;

use clock::Instant;

use crate::Trigger;

/// Names one TCP connection of a run; counted from 1 in the order in which the device tried to open them, refused
/// attempts included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u32);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connection {}", self.0)
    }
}

/// How the other end's side of a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Close {
    /// It will send no more (FIN); it may still listen.
    Fin,
    /// The connection is no more: the device sent RST, or the network broke it in the service's name.
    Reset,
}

/// What a service wants done with one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send these bytes. The bytes of one `Send` never share a TCP segment with those of another, unless they are
    /// sent again after a loss.
    Send(Vec<u8>),
    /// Send no more, keep listening: FIN, like `shutdown(SHUT_WR)`.
    Fin,
    /// Close like a process that called `close()`: FIN, and whatever the device still sends is answered with RST
    /// (RFC 1122 §4.2.2.13). The service hears no more of the connection.
    Close,
    /// Reset the connection as soon as what was sent before has been put on the wire, acknowledged or not. The
    /// service hears no more of the connection.
    Reset,
    /// From now on no packet of this connection passes, either way, and nobody is told.
    Vanish,
    /// The message of this moment, of which [`Service::watch`] told, is about to pass or has passed. Once what was sent
    /// before is on the wire, the network cuts the connection.
    Reached(Trigger),
}

/// A TCP service without I/O, behind one or more ports of the LAN. Tell ports apart by `local`.
pub trait Service {
    /// The device has opened a connection (the handshake is complete).
    fn connected(&mut self, now: Instant, connection: ConnectionId, local: SocketAddr, peer: SocketAddr);

    /// The network will cut `connection` at these moments, all of them [`Trigger::Before`] or [`Trigger::After`] a
    /// message. Only the service can tell where a message begins and ends: it does nothing more on the connection from
    /// there, and says [`Action::Reached`]. Told right after [`Service::connected`], if there are any. A service that
    /// cannot read what it sends ignores it.
    fn watch(&mut self, _connection: ConnectionId, _moments: &[Trigger]) {}

    /// Bytes of the device, in order, cut as TCP happened to deliver them.
    fn received(&mut self, now: Instant, connection: ConnectionId, bytes: &[u8]);

    /// The other side has ended; told at most once for each [`Close`].
    fn peer_closed(&mut self, now: Instant, connection: ConnectionId, how: Close);

    /// What the service wants to do with `connection` now; asked again until it wants nothing, or until the network
    /// has enough to send for the moment.
    fn poll(&mut self, now: Instant, connection: ConnectionId) -> Option<Action>;

    /// When, without hearing anything, the service may want to do something next. After that instant, every open
    /// connection is polled.
    fn poll_at(&self, now: Instant) -> Option<Instant>;
}

impl<S: Service + ?Sized> Service for Box<S> {
    fn connected(&mut self, now: Instant, connection: ConnectionId, local: SocketAddr, peer: SocketAddr) {
        (**self).connected(now, connection, local, peer);
    }

    fn watch(&mut self, connection: ConnectionId, moments: &[Trigger]) {
        (**self).watch(connection, moments);
    }

    fn received(&mut self, now: Instant, connection: ConnectionId, bytes: &[u8]) {
        (**self).received(now, connection, bytes);
    }

    fn peer_closed(&mut self, now: Instant, connection: ConnectionId, how: Close) {
        (**self).peer_closed(now, connection, how);
    }

    fn poll(&mut self, now: Instant, connection: ConnectionId) -> Option<Action> {
        (**self).poll(now, connection)
    }

    fn poll_at(&self, now: Instant) -> Option<Instant> {
        (**self).poll_at(now)
    }
}

/// Accepts, listens and never sends anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoService;

impl Service for NoService {
    fn connected(&mut self, _: Instant, _: ConnectionId, _: SocketAddr, _: SocketAddr) {}

    fn received(&mut self, _: Instant, _: ConnectionId, _: &[u8]) {}

    fn peer_closed(&mut self, _: Instant, _: ConnectionId, _: Close) {}

    fn poll(&mut self, _: Instant, _: ConnectionId) -> Option<Action> {
        None
    }

    fn poll_at(&self, _: Instant) -> Option<Instant> {
        None
    }
}
