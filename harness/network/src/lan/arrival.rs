//! A packet of the device arrives: whose is it, and who answers?

use std::net::{IpAddr, SocketAddr};

use super::{Lan, Traffic, applies};
use crate::connection::Connection;
use crate::packet::{Headers, Tcp, Transport};
use crate::stream_faults::StreamFaults;
use crate::{ConnectionId, Happening, Port, Service, Teardown, dns, sntp, udp};

impl<S: Service> Lan<S> {
    /// A packet of the device has arrived at the gateway.
    pub(super) fn deliver(&mut self, packet: Vec<u8>) {
        let Some(headers) = Headers::parse(&packet).filter(|headers| is_host(headers.source)) else {
            self.log.note(self.now, Happening::Malformed { bytes: packet.len() });
            return;
        };
        if !self.owned.contains(&headers.destination) {
            self.log.note(self.now, Happening::NobodyThere { address: headers.destination });
            return;
        }
        match headers.transport {
            Transport::Tcp(tcp) => {
                let local = SocketAddr::new(headers.destination, tcp.destination_port);
                let peer = SocketAddr::new(headers.source, tcp.source_port);
                self.deliver_tcp(tcp, local, peer, packet);
            }
            Transport::Udp { source_port, destination_port } => {
                let local = SocketAddr::new(headers.destination, destination_port);
                let peer = SocketAddr::new(headers.source, source_port);
                self.deliver_udp(headers.transport_at, local, peer, packet);
            }
            Transport::Other => self.gateway.ingress(self.now, packet),
        }
    }

    fn deliver_udp(&mut self, transport_at: usize, local: SocketAddr, peer: SocketAddr, packet: Vec<u8>) {
        let dns = self.dns.as_mut().filter(|dns| local.port() == dns::PORT && dns.listens_at(local.ip()));
        let sntp = self.sntp.as_ref();
        let sntp = sntp.filter(|sntp| local.port() == sntp::PORT && sntp.addresses.contains(&local.ip()));
        if dns.is_none() && sntp.is_none() {
            // The stack answers that the port is unreachable.
            self.gateway.ingress(self.now, packet);
            return;
        }
        let question = udp::payload(&packet, transport_at, peer, local).filter(|_| peer.port() != 0);
        let answer = match (question, dns, sntp) {
            (Some(question), Some(dns), _) => dns.answer(question).map(|answered| {
                let asked = Happening::Asked { name: answered.name, family: answered.family, answer: answered.what };
                (asked, answered.after, answered.message)
            }),
            (Some(question), None, Some(sntp)) => {
                let message = sntp::answer(sntp, self.now, question);
                Some((Happening::AskedTime { answered: message.is_some() }, sntp.after, message))
            }
            _ => None,
        };
        let Some((asked, after, message)) = answer else {
            self.log.note(self.now, Happening::Malformed { bytes: packet.len() });
            return;
        };
        self.log.note(self.now, asked);
        if let Some(message) = message {
            self.send(self.now + after, udp::packet(local, peer, &message));
        }
    }

    fn deliver_tcp(&mut self, tcp: Tcp, local: SocketAddr, peer: SocketAddr, packet: Vec<u8>) {
        let opens = tcp.syn && !tcp.ack && !tcp.rst;
        if let Some(index) = self.vanished.iter().position(|ends| (ends.0, ends.1) == (local, peer)) {
            if !opens || self.vanished[index].2 == tcp.sequence {
                return;
            }
            self.vanished.remove(index);
        }
        if let Some(id) = self.find(local, peer) {
            let replaced = opens && self.connections[&id].may_be_replaced(&mut self.gateway);
            if !replaced {
                self.gateway.ingress(self.now, packet);
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.note_received(self.now, &tcp);
                }
                return;
            }
            self.forget(id);
        }
        if opens { self.open(tcp, local, peer, packet) } else { self.gateway.ingress(self.now, packet) }
    }

    /// Meets the SYN of a new connection.
    fn open(&mut self, tcp: Tcp, local: SocketAddr, peer: SocketAddr, packet: Vec<u8>) {
        let (id, number_at_port) = self.next_numbers(local.port());
        let traffic = Traffic { port: Some(local.port()), numbers: Some((id, number_at_port)) };
        let faults = self.faults.iter().filter(|fault| applies(&fault.scope, traffic));
        let faults = StreamFaults::new(faults.map(|fault| &fault.fault), self.now);
        let port = self.listeners.iter().find(|listener| listener.matches(local)).map(|listener| listener.state);
        let port = match (port, faults.at_syn()) {
            (Some(Port::Open), Some(Teardown::Reset)) => Port::Closed,
            (Some(Port::Open), Some(Teardown::BlackHole)) => Port::Dropped,
            (port, _) => port.unwrap_or(Port::Closed),
        };
        match port {
            Port::Dropped => {
                self.log.note(self.now, Happening::SynDropped { local });
                // The same SYN again is the same attempt.
                self.swallow((local, peer, tcp.sequence));
            }
            Port::Closed => {
                self.log.note(self.now, Happening::Refused { local });
                self.gateway.ingress(self.now, packet);
            }
            Port::Open => {
                self.make_room();
                let Some(socket) = self.gateway.listen(local, self.limits.window_bytes) else { return };
                self.gateway.ingress(self.now, packet);
                let connection =
                    Connection::new((id, number_at_port), (local, peer), tcp.sequence, socket, faults, self.now);
                if connection.is_over(&mut self.gateway) {
                    // The stack did not like the packet: a checksum was wrong, say.
                    self.gateway.remove(socket);
                    return;
                }
                self.log.note(self.now, Happening::Opening { connection: id, local, peer });
                self.connections.insert(id, connection);
            }
        }
        self.opened = id.0;
        self.opened_at_port.insert(local.port(), number_at_port);
    }

    /// The numbers that the next connection to `port` will have, in all and at its port.
    pub(super) fn next_numbers(&self, port: u16) -> (ConnectionId, u32) {
        let at_port = self.opened_at_port.get(&port).copied().unwrap_or(0);
        (ConnectionId(self.opened.saturating_add(1)), at_port.saturating_add(1))
    }

    fn make_room(&mut self) {
        while self.connections.len() >= self.limits.connections_max.max(1) {
            let oldest = self.connections.values().min_by_key(|connection| (connection.last_passed, connection.id));
            let Some(id) = oldest.map(|connection| connection.id) else { return };
            self.log.note(self.now, Happening::Evicted { connection: id });
            self.forget(id);
        }
    }
}

/// Whether somebody with this address can be answered.
fn is_host(address: IpAddr) -> bool {
    let is_broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    !(address.is_unspecified() || address.is_multicast() || is_broadcast)
}
