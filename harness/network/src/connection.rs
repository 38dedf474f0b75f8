//! One TCP connection between the device and the service, and the faults of its two streams.
//!
//! The service's bytes are handed to the TCP stack piece by piece, the next one only when the one before has been put
//! on the wire: so the service's cuts become segments, and a stream can be broken at an exact byte.

use std::collections::VecDeque;
use std::net::SocketAddr;

use clock::Instant;
use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp::{self, State};

use crate::event::Log;
use crate::gateway::Gateway;
use crate::packet::Tcp;
use crate::stream_faults::StreamFaults;
use crate::{Action, Close, ConnectionId, Cut, Direction, Happening, Service, Teardown, Trigger};

/// The service is asked for more when less than this is waiting to be sent.
const PENDING_BYTES_ENOUGH: usize = 64 * 1024;
/// Actions taken from a service at once, so that one that never stops wanting cannot hold up time.
const ACTIONS_AT_ONCE_MAX: usize = 1_024;

/// What a connection needs of the world while it is served.
pub(crate) struct World<'a, S> {
    pub(crate) now: Instant,
    pub(crate) gateway: &'a mut Gateway,
    pub(crate) service: &'a mut S,
    pub(crate) log: &'a mut Log,
}

/// What waits to be sent.
#[derive(Debug)]
enum Piece {
    Bytes {
        bytes: Vec<u8>,
        taken: usize,
    },
    End(Teardown),
    /// The service holds still at a message.
    Reached(Trigger),
}

/// What the service may still do on the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SendState {
    /// It hears and may speak.
    Talking,
    /// It hears and has said that it will say no more.
    Listening,
    /// It is not told anything any more.
    Done,
}

/// One connection. It is over when [`Connection::is_over`] says so.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    /// Its number among the connections to its port.
    pub(crate) number_at_port: u32,
    pub(crate) local: SocketAddr,
    pub(crate) peer: SocketAddr,
    /// The sequence number of the device's SYN: tells a repeated SYN from a new connection.
    pub(crate) peer_initial_sequence: u32,
    /// None once the connection has vanished from the network.
    socket: Option<SocketHandle>,
    faults: StreamFaults,
    accepted: Option<Instant>,
    /// When a packet of the connection last passed, either way.
    pub(crate) last_passed: Instant,
    /// Sequence number of the first byte of our stream.
    first_sequence: Option<u32>,
    /// Bytes of our stream that the TCP stack was given.
    queued_bytes: u64,
    /// Bytes of our stream that were on the wire at least once.
    sent_bytes: u64,
    /// Bytes of the device's stream that were taken from the TCP stack.
    heard_bytes: u64,
    pending: VecDeque<Piece>,
    pending_bytes: usize,
    /// No byte is sent before this instant.
    gate: Instant,
    send_state: SendState,
    told_fin: bool,
    /// Bytes of the device are answered with RST.
    refuses_data: bool,
    heard_reset: bool,
    /// The device knows nothing of this connection any more.
    pub(crate) abandoned: bool,
}

impl Connection {
    /// A connection whose SYN `socket` is about to see.
    pub(crate) fn new(
        (id, number_at_port): (ConnectionId, u32),
        (local, peer): (SocketAddr, SocketAddr),
        peer_initial_sequence: u32,
        socket: SocketHandle,
        faults: StreamFaults,
        now: Instant,
    ) -> Self {
        Self {
            id,
            number_at_port,
            local,
            peer,
            peer_initial_sequence,
            socket: Some(socket),
            faults,
            accepted: None,
            last_passed: now,
            first_sequence: None,
            queued_bytes: 0,
            sent_bytes: 0,
            heard_bytes: 0,
            pending: VecDeque::new(),
            pending_bytes: 0,
            gate: Instant::ZERO,
            send_state: SendState::Talking,
            told_fin: false,
            refuses_data: false,
            heard_reset: false,
            abandoned: false,
        }
    }

    pub(crate) fn has_vanished(&self) -> bool {
        self.socket.is_none()
    }

    /// The socket to be removed with the connection.
    pub(crate) fn socket(&self) -> Option<SocketHandle> {
        self.socket
    }

    /// Whether nothing can come of this connection any more.
    pub(crate) fn is_over(&self, gateway: &mut Gateway) -> bool {
        match self.socket {
            Some(handle) => is_finished(gateway.socket(handle)),
            None => self.send_state == SendState::Done,
        }
    }

    /// Whether a new SYN of the same two ends may take this connection's place (RFC 9293 §3.10.7.4, TIME-WAIT).
    pub(crate) fn may_be_replaced(&self, gateway: &mut Gateway) -> bool {
        self.abandoned || self.socket.is_none_or(|handle| gateway.socket(handle).state() == State::TimeWait)
    }

    /// A packet of the device has reached the TCP stack.
    pub(crate) fn note_received(&mut self, now: Instant, tcp: &Tcp) {
        self.last_passed = now;
        self.heard_reset |= tcp.rst;
    }

    /// The TCP stack has sent a packet.
    pub(crate) fn note_sent(&mut self, now: Instant, tcp: &Tcp) {
        self.last_passed = now;
        if tcp.syn {
            self.first_sequence = Some(tcp.sequence.wrapping_add(1));
        } else if let Some(first) = self.first_sequence {
            let end = tcp.sequence.wrapping_sub(first).wrapping_add(tcp.payload_bytes as u32);
            let ahead = end.wrapping_sub(self.sent_bytes as u32) as i32;
            if tcp.payload_bytes > 0 && ahead > 0 {
                self.sent_bytes += u64::from(ahead.unsigned_abs());
            }
        }
    }

    /// When the connection wants to be served though nothing arrived.
    pub(crate) fn poll_at(&self, now: Instant) -> Option<Instant> {
        let accepted = self.accepted?;
        self.socket?;
        let cuts = self.faults.cuts.iter().filter_map(|cut| self.due(cut.when, accepted));
        let has_bytes = matches!(self.pending.front(), Some(Piece::Bytes { .. }));
        let gate = Some(self.gate).filter(|&gate| has_bytes && self.queued_bytes == self.sent_bytes && gate > now);
        cuts.chain(gate).min()
    }

    /// When a trigger that is a matter of time falls due.
    fn due(&self, when: Trigger, accepted: Instant) -> Option<Instant> {
        match when {
            Trigger::Syn | Trigger::Accepted => Some(accepted),
            Trigger::Age(age) => Some(accepted + age),
            Trigger::Idle(silence) => Some(self.last_passed + silence),
            Trigger::At(at) => Some(at),
            Trigger::Passed { .. } | Trigger::FirstData(_) | Trigger::Before(_) | Trigger::After(_) => None,
        }
    }

    /// Moves what can be moved between service and socket; true if anything was.
    pub(crate) fn serve<S: Service>(&mut self, world: &mut World<'_, S>) -> bool {
        if self.socket.is_none() {
            self.ask(world);
            self.discard_pending(world);
            return false;
        }
        let mut progress = self.accept(world);
        if self.accepted.is_some() {
            progress |= self.cut_due(world);
            progress |= self.hear(world);
            progress |= self.notice_end(world);
            progress |= self.ask(world);
            progress |= self.speak(world);
        }
        for fault in self.faults.take_acted() {
            world.log.note(world.now, Happening::Enacted { fault });
        }
        progress
    }

    fn accept<S: Service>(&mut self, world: &mut World<'_, S>) -> bool {
        let Some(handle) = self.socket.filter(|_| self.accepted.is_none()) else { return false };
        if !world.gateway.socket(handle).may_send() {
            return false;
        }
        self.accepted = Some(world.now);
        world.service.connected(world.now, self.id, self.local, self.peer);
        let moments = self.faults.at_messages();
        if !moments.is_empty() {
            world.service.watch(self.id, &moments);
        }
        true
    }

    /// Makes the cuts that are due by time or by the count of bytes.
    fn cut_due<S: Service>(&mut self, world: &mut World<'_, S>) -> bool {
        let Some(accepted) = self.accepted else { return false };
        let mut is_cut = false;
        while let Some(index) = self.faults.cuts.iter().position(|cut| match cut.when {
            Trigger::Passed { direction: Direction::FromDevice, bytes } => self.heard_bytes >= bytes,
            Trigger::Passed { direction: Direction::ToDevice, bytes } => self.sent_bytes >= bytes,
            Trigger::FirstData(Direction::FromDevice) => self.heard_bytes > 0,
            Trigger::FirstData(Direction::ToDevice) => self.sent_bytes > 0,
            when => self.due(when, accepted).is_some_and(|due| due <= world.now),
        }) {
            let Cut { how, .. } = self.faults.cuts.remove(index);
            self.tear_down(how, world);
            is_cut = true;
        }
        is_cut
    }

    /// A fault ends the connection in the service's name.
    fn tear_down<S: Service>(&mut self, how: Teardown, world: &mut World<'_, S>) {
        if self.socket.is_none() {
            return;
        }
        world.log.note(world.now, Happening::Cut { connection: self.id, how });
        self.pending.clear();
        self.pending_bytes = 0;
        self.enact(how, world);
        if how != Teardown::BlackHole {
            self.tell_reset(world);
        }
    }

    fn enact<S>(&mut self, how: Teardown, world: &mut World<'_, S>) {
        let Some(handle) = self.socket else { return };
        match how {
            Teardown::Fin => world.gateway.socket(handle).close(),
            Teardown::Close => {
                world.gateway.socket(handle).close();
                self.refuses_data = true;
            }
            Teardown::Reset => world.gateway.socket(handle).abort(),
            Teardown::BlackHole => {
                world.gateway.remove(handle);
                self.socket = None;
            }
        }
    }

    /// The service is told, once, that there is no connection any more.
    pub(crate) fn tell_reset<S: Service>(&mut self, world: &mut World<'_, S>) {
        if self.send_state != SendState::Done && self.accepted.is_some() {
            world.service.peer_closed(world.now, self.id, Close::Reset);
        }
        self.send_state = SendState::Done;
    }

    /// The connection leaves the LAN's memory: the service is told, unless both sides have ended in good order.
    pub(crate) fn tell_reset_unless_ended<S: Service>(&mut self, world: &mut World<'_, S>) {
        if !(self.told_fin && self.send_state == SendState::Listening) {
            self.tell_reset(world);
        }
    }

    fn hear<S: Service>(&mut self, world: &mut World<'_, S>) -> bool {
        let mut progress = false;
        while let Some(handle) = self.socket {
            let socket = world.gateway.socket(handle);
            let next_cut = self.faults.next_cut_bytes(Direction::FromDevice, self.heard_bytes);
            if !socket.can_recv() {
                break;
            }
            let readable = self.faults.readable(self.heard_bytes);
            let bytes_max = next_cut.map_or(readable, |at| readable.min(at - self.heard_bytes));
            if bytes_max == 0 {
                break;
            }
            if self.refuses_data {
                socket.abort();
                return true;
            }
            let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
            let taken = socket.recv(|received| {
                let taken = received.len().min(bytes_max);
                (taken, received[..taken].to_vec())
            });
            let Ok(mut bytes) = taken else { break };
            self.faults.garble(Direction::FromDevice, self.heard_bytes, &mut bytes);
            self.heard_bytes += bytes.len() as u64;
            if self.send_state != SendState::Done {
                world.service.received(world.now, self.id, &bytes);
            }
            self.cut_due(world);
            progress = true;
        }
        progress
    }

    /// Notices that the device ended its stream or the connection.
    fn notice_end<S: Service>(&mut self, world: &mut World<'_, S>) -> bool {
        let Some(handle) = self.socket else { return false };
        let socket = world.gateway.socket(handle);
        if self.heard_reset && socket.state() == State::Closed {
            let is_news = self.send_state != SendState::Done;
            self.tell_reset(world);
            return is_news;
        }
        let ended = matches!(socket.state(), State::CloseWait | State::LastAck | State::Closing | State::TimeWait);
        if !ended || self.told_fin || socket.recv_queue() > 0 {
            return false;
        }
        self.told_fin = true;
        if self.send_state != SendState::Done {
            world.service.peer_closed(world.now, self.id, Close::Fin);
        }
        true
    }

    /// Asks the service what it wants to do.
    fn ask<S: Service>(&mut self, world: &mut World<'_, S>) -> bool {
        let mut progress = false;
        for _ in 0..ACTIONS_AT_ONCE_MAX {
            if self.send_state == SendState::Done
                || self.accepted.is_none()
                || self.pending_bytes >= PENDING_BYTES_ENOUGH
            {
                break;
            }
            let Some(action) = world.service.poll(world.now, self.id) else { break };
            let piece = match action {
                Action::Send(bytes) if bytes.is_empty() || self.send_state == SendState::Listening => continue,
                Action::Send(bytes) => Piece::Bytes { bytes, taken: 0 },
                Action::Fin if self.send_state == SendState::Listening => continue,
                Action::Fin => Piece::End(Teardown::Fin),
                Action::Close => Piece::End(Teardown::Close),
                Action::Reset => Piece::End(Teardown::Reset),
                Action::Vanish => Piece::End(Teardown::BlackHole),
                Action::Reached(moment) => Piece::Reached(moment),
            };
            match &piece {
                Piece::Bytes { bytes, .. } => self.pending_bytes += bytes.len(),
                Piece::End(Teardown::Fin) => self.send_state = SendState::Listening,
                // A service whose connection vanished does not know, and speaks on.
                Piece::End(Teardown::BlackHole) | Piece::Reached(_) => {}
                Piece::End(Teardown::Close | Teardown::Reset) => self.send_state = SendState::Done,
            }
            self.pending.push_back(piece);
            progress = true;
        }
        progress
    }

    /// Hands the TCP stack the next piece, unless it has not sent the one before.
    fn speak<S: Service>(&mut self, world: &mut World<'_, S>) -> bool {
        let Some(handle) = self.socket.filter(|_| self.queued_bytes == self.sent_bytes) else { return false };
        match self.pending.front() {
            None => false,
            Some(&Piece::End(how)) => {
                self.pending.pop_front();
                if how == Teardown::BlackHole {
                    // No packet will tell.
                    world.log.note(world.now, Happening::Cut { connection: self.id, how });
                }
                self.enact(how, world);
                true
            }
            Some(&Piece::Reached(moment)) => {
                self.pending.pop_front();
                let index = self.faults.cuts.iter().position(|cut| cut.when == moment);
                if let Some(Cut { how, .. }) = index.map(|index| self.faults.cuts.remove(index)) {
                    self.tear_down(how, world);
                }
                true
            }
            Some(Piece::Bytes { .. }) => {
                let socket = world.gateway.socket(handle);
                if !socket.may_send() {
                    // The stream was ended, by a fault or by the device's reset.
                    self.discard_pending(world);
                    return false;
                }
                self.may_speak_at(world.now) && self.send_some(world)
            }
        }
    }

    /// Whether neither a drip nor a stall forbids to send now; sets the gate if one does.
    fn may_speak_at(&mut self, now: Instant) -> bool {
        if let Some(until) = self.faults.stalled_until(self.queued_bytes, now) {
            self.gate = self.gate.max(until);
        }
        self.gate <= now
    }

    fn send_some<S>(&mut self, world: &mut World<'_, S>) -> bool {
        let (Some(handle), Some(Piece::Bytes { bytes, taken })) = (self.socket, self.pending.front_mut()) else {
            return false;
        };
        let socket = world.gateway.socket(handle);
        let stops = [
            self.faults.next_stall_bytes(self.queued_bytes),
            self.faults.next_cut_bytes(Direction::ToDevice, self.queued_bytes),
        ];
        let stop = stops.into_iter().flatten().min();
        let until_stop = stop.map_or(usize::MAX, |at| usize::try_from(at - self.queued_bytes).unwrap_or(usize::MAX));
        let count = (bytes.len() - *taken)
            .min(until_stop)
            .min(self.faults.segment_bytes_max.unwrap_or(usize::MAX))
            .min(self.faults.drip.map_or(usize::MAX, |(bytes, _)| bytes));
        let mut chunk = bytes[*taken..*taken + count].to_vec();
        self.faults.garble(Direction::ToDevice, self.queued_bytes, &mut chunk);
        let count = socket.send_slice(&chunk).unwrap_or(0);
        if count == 0 {
            return false;
        }
        *taken += count;
        self.queued_bytes += count as u64;
        self.pending_bytes -= count;
        if *taken == bytes.len() {
            self.pending.pop_front();
        }
        if let Some((_, every)) = self.faults.drip {
            self.gate = world.now + every;
        }
        true
    }

    /// What was to be said is lost; what the service wanted to do after it is done.
    fn discard_pending<S>(&mut self, world: &mut World<'_, S>) {
        self.pending_bytes = 0;
        for piece in std::mem::take(&mut self.pending) {
            if let Piece::End(how) = piece {
                self.enact(how, world);
            }
        }
    }
}

/// Whether the TCP stack is through with a connection. A passive socket whose SYN was taken back listens again.
fn is_finished(socket: &tcp::Socket<'_>) -> bool {
    match socket.state() {
        State::Closed => socket.remote_endpoint().is_none(),
        State::Listen => true,
        _ => false,
    }
}
