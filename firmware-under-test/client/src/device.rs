//! The device as its software sees it: a serial line that carries reports and orders, and an IP stack on top of it or of a
//! radio.

use alloc::vec;
use alloc::vec::Vec;
use core::net::IpAddr;

use control::Report;
use outcome::Stage;
use smoltcp::iface::{Config, Interface, PollResult, SocketHandle, SocketSet};
use smoltcp::socket::{tcp, udp};
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr};
use wire::slipmux::{self, Frame};

use crate::fault::Fault;
use crate::modem::Modem;
use crate::packets::Packets;
#[cfg(feature = "radio")]
use crate::platform::HeapRecord;
use crate::platform::Platform;

/// The TCP receive window, in bytes: what a sender may have under way while this device computes.
const TCP_RECEIVE_BYTES: usize = 8 * 1024;
/// The TCP send buffer, in bytes: a client's certificate chain, and then some.
const TCP_SEND_BYTES: usize = 4 * 1024;
/// DNS answers without EDNS are at most 512 bytes (RFC 1035 §2.3.4), SNTP's 68.
const UDP_BYTES: usize = 1024;
/// The least that every IPv4 host takes (RFC 791 §3.2), in bytes.
const MTU_BYTES_MIN: u16 = 68;

/// The device, the platform below included.
pub(crate) struct Device<'p, P: Platform> {
    pub(crate) platform: &'p mut P,
    /// The modem on the second serial line, if the plan has one.
    pub(crate) modem: Modem,
    decoder: slipmux::Decoder,
    order: Option<Vec<u8>>,
    network: Option<Network>,
    stage: Stage,
    /// What the heap has seen of a network that was joined before there was a plan.
    #[cfg(feature = "radio")]
    pub(crate) heap_of_network: HeapRecord,
}

struct Network {
    interface: Interface,
    sockets: SocketSet<'static>,
    packets: Packets,
    tcp: SocketHandle,
    udp: SocketHandle,
    #[cfg(feature = "radio")]
    lease: Option<crate::air::Lease>,
}

impl Network {
    /// Sockets on an interface.
    fn new(interface: Interface, packets: Packets) -> Self {
        let mut sockets = SocketSet::new(Vec::new());
        let mut socket = tcp::Socket::new(
            tcp::SocketBuffer::new(vec![0; TCP_RECEIVE_BYTES]),
            tcp::SocketBuffer::new(vec![0; TCP_SEND_BYTES]),
        );
        socket.set_nagle_enabled(false);
        let tcp = sockets.add(socket);
        let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 4], vec![0; UDP_BYTES]);
        let udp = sockets.add(udp::Socket::new(buffer(), buffer()));
        Self {
            interface,
            sockets,
            packets,
            tcp,
            udp,
            #[cfg(feature = "radio")]
            lease: None,
        }
    }
}

impl<'p, P: Platform> Device<'p, P> {
    pub(crate) fn new(platform: &'p mut P) -> Self {
        Self {
            platform,
            modem: Modem::default(),
            // The type byte and the check sequence come on top.
            decoder: slipmux::Decoder::new(control::FRAME_MAX_BYTES + 3),
            order: None,
            network: None,
            stage: Stage::Boot,
            #[cfg(feature = "radio")]
            heap_of_network: HeapRecord::default(),
        }
    }

    pub(crate) fn now_us(&mut self) -> u64 {
        self.platform.now_us()
    }

    /// The device's clock as reports give it: it wraps after 49 days, and no plan lasts so long.
    pub(crate) fn now_ms(&mut self) -> u32 {
        (self.platform.now_us() / 1000) as u32
    }

    pub(crate) fn report(&mut self, report: &Report) {
        let mut line = Vec::new();
        match report.to_json() {
            Ok(json) => slipmux::encode_configuration(&json, &mut line),
            Err(_) => slipmux::encode_diagnostic(b"a report could not be written", &mut line),
        }
        self.platform.line_write(&line);
    }

    /// The stage that was entered last.
    pub(crate) fn stage(&self) -> Stage {
        self.stage
    }

    /// Enters a stage and says so, unless the device is in it already.
    pub(crate) fn enter(&mut self, stage: Stage) {
        if self.stage != stage {
            self.stage = stage;
            let at_ms = self.now_ms();
            self.report(&Report::Stage { stage, at_ms });
        }
    }

    /// A new attempt enters every stage anew.
    pub(crate) fn start_over(&mut self) {
        self.stage = Stage::Boot;
    }

    /// Takes the order that has arrived.
    pub(crate) fn take_order(&mut self) -> Option<Vec<u8>> {
        self.order.take()
    }

    pub(crate) fn random_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.platform.random(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// A port of the dynamic range (RFC 6335 §6).
    pub(crate) fn random_port(&mut self) -> u16 {
        0xc000 | (self.random_u64() as u16 & 0x3fff)
    }

    /// Takes the plan's place in the network: at once on the serial line; on the air, when it has been joined.
    pub(crate) fn join(&mut self, plan: &control::Network) -> Result<(), &'static str> {
        if !IpAddress::from(plan.ipv4).is_unicast() {
            return Err("the IPv4 address is no host's");
        }
        if plan.ipv6.is_some_and(|address| !IpAddress::from(address).is_unicast()) {
            return Err("the IPv6 address is no host's");
        }
        if plan.mtu_bytes < MTU_BYTES_MIN {
            return Err("the MTU is too small for IP");
        }
        if plan.wifi.is_some() {
            return self.platform.radio().map(|_| ()).ok_or("this device has no radio");
        }
        let mut packets = Packets::line(plan.mtu_bytes);
        let mut interface = self.interface(HardwareAddress::Ip, &mut packets);
        interface.update_ip_addrs(|addresses| {
            // There is room for both: smoltcp's least is two.
            let _ = addresses.push(IpCidr::new(IpAddress::Ipv4(plan.ipv4), plan.ipv4_prefix_bits.min(32)));
            if let Some(ipv6) = plan.ipv6 {
                let _ = addresses.push(IpCidr::new(IpAddress::Ipv6(ipv6), 128));
            }
        });
        // There is room for both again.
        let _ = interface.routes_mut().add_default_ipv4_route(plan.ipv4_gateway);
        if let Some(gateway) = plan.ipv6_gateway {
            let _ = interface.routes_mut().add_default_ipv6_route(gateway);
        }
        self.network = Some(Network::new(interface, packets));
        Ok(())
    }

    fn interface(&mut self, address: HardwareAddress, packets: &mut Packets) -> Interface {
        let mut config = Config::new(address);
        config.random_seed = self.random_u64();
        let now = self.instant();
        Interface::new(config, packets, now)
    }

    /// Takes a place in a wireless network that was joined; the addresses are still to come.
    #[cfg(feature = "radio")]
    pub(crate) fn take_place_on_air(&mut self, plan: &control::Network, mac_address: [u8; 6]) {
        let mut packets = Packets::radio(plan.mtu_bytes);
        let address = smoltcp::wire::EthernetAddress(mac_address);
        let mut interface = self.interface(HardwareAddress::Ethernet(address), &mut packets);
        if let Some(gateway) = plan.ipv6_gateway {
            // There is room: smoltcp's least is two.
            let _ = interface.routes_mut().add_default_ipv6_route(gateway);
        }
        let mut network = Network::new(interface, packets);
        network.lease = Some(crate::air::Lease::ask(&mut network.sockets, plan));
        self.network = Some(network);
    }

    /// The network is gone, with everything that was under way.
    #[cfg(feature = "radio")]
    pub(crate) fn forget_network(&mut self) {
        self.network = None;
    }

    #[cfg(feature = "radio")]
    pub(crate) fn lease(&self) -> Option<&crate::air::Lease> {
        self.network.as_ref()?.lease.as_ref()
    }

    /// Lets frames pass between radio and interface, and the lease be renewed; `true` if that has changed something.
    #[cfg(feature = "radio")]
    fn poll_air(&mut self) -> bool {
        let Some((network, radio)) = self.network.as_mut().zip(self.platform.radio()) else { return false };
        for frame in network.packets.take_frames() {
            radio.transmit(&frame);
        }
        let Some(lease) = &mut network.lease else { return false };
        let remark = lease.poll(&mut network.interface, &mut network.sockets);
        // A connection does not outlive the network that it was made on.
        let is_gone = lease.is_lost() || radio.lost().is_some();
        let socket = network.sockets.get_mut::<tcp::Socket>(network.tcp);
        let is_cut = is_gone && socket.is_open();
        if is_cut {
            socket.abort();
        }
        if let Some(sentence) = &remark {
            self.remark(sentence);
        }
        is_cut || remark.is_some()
    }

    #[cfg(feature = "radio")]
    fn read_air(&mut self) {
        let Some((network, radio)) = self.network.as_mut().zip(self.platform.radio()) else { return };
        while let Some(frame) = radio.receive() {
            if !network.packets.receive_frame(frame) {
                return;
            }
        }
    }

    #[cfg(not(feature = "radio"))]
    fn poll_air(&mut self) -> bool {
        false
    }

    #[cfg(not(feature = "radio"))]
    fn read_air(&mut self) {}

    /// Handles everything that has arrived and sends everything that is due. `true` if that may have changed
    /// something.
    pub(crate) fn poll(&mut self) -> bool {
        self.read_line();
        self.read_air();
        let has_modem_spoken = self.read_modem();
        let now = self.instant();
        let Some(network) = &mut self.network else { return self.order.is_some() };
        let result = network.interface.poll(now, &mut network.packets, &mut network.sockets);
        if let Some(line) = network.packets.take_line() {
            self.platform.line_write(&line);
        }
        let has_lease_changed = self.poll_air();
        has_modem_spoken || has_lease_changed || result == PollResult::SocketStateChanged
    }

    /// If the deadline has not passed, waits until something may have changed. `false` once it has passed.
    pub(crate) fn wait(&mut self, until_us: u64) -> bool {
        let has_changed = self.poll();
        let now_us = self.now_us();
        if now_us >= until_us {
            return false;
        }
        // What has just arrived wants to be looked at before anybody sleeps.
        if has_changed {
            return true;
        }
        let now = self.instant();
        let network_due_us = self.network.as_mut().and_then(|network| {
            let due = network.interface.poll_at(now, &network.sockets)?;
            Some(u64::try_from(due.total_micros()).unwrap_or(0))
        });
        let until_us = network_due_us.into_iter().chain(self.modem.due_us()).fold(until_us, u64::min);
        if until_us > now_us {
            self.platform.sleep(until_us);
        }
        self.poll();
        true
    }

    /// The one TCP socket.
    pub(crate) fn tcp(&mut self) -> Result<&mut tcp::Socket<'static>, Fault> {
        let network = self.network.as_mut().ok_or(Fault::PlanUnusable)?;
        Ok(network.sockets.get_mut(network.tcp))
    }

    /// Starts a connection attempt.
    pub(crate) fn tcp_dial(&mut self, address: IpAddr, port: u16) -> Result<(), Fault> {
        let local_port = self.random_port();
        let network = self.network.as_mut().ok_or(Fault::PlanUnusable)?;
        let socket = network.sockets.get_mut::<tcp::Socket>(network.tcp);
        socket.abort();
        socket
            .connect(network.interface.context(), (IpAddress::from(address), port), local_port)
            .map_err(|_| Fault::PlanUnusable)
    }

    /// Asks a question over UDP until `read` has understood an answer that comes from there, or time is up (`None`).
    /// Asks again after one second, after two more, and so on.
    pub(crate) fn ask<T>(
        &mut self,
        server: IpAddr,
        port: u16,
        question: &[u8],
        until_us: u64,
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        let server = IpAddress::from(server);
        let local_port = self.random_port();
        let socket = self.udp()?;
        socket.close();
        socket.bind(local_port).map_err(|_| Fault::PlanUnusable)?;
        let mut pause_us = 1_000_000;
        while self.now_us() < until_us {
            let again_us = self.now_us().saturating_add(pause_us).min(until_us);
            pause_us *= 2;
            self.udp()?.send_slice(question, (server, port)).map_err(|_| Fault::PlanUnusable)?;
            while self.wait(again_us) {
                while let Ok((answer, from)) = self.udp()?.recv() {
                    let is_from_there = from.endpoint.addr == server && from.endpoint.port == port;
                    if let Some(understood) = is_from_there.then(|| read(answer)).flatten() {
                        return Ok(Some(understood));
                    }
                }
            }
        }
        Ok(None)
    }

    fn udp(&mut self) -> Result<&mut udp::Socket<'static>, Fault> {
        let network = self.network.as_mut().ok_or(Fault::PlanUnusable)?;
        Ok(network.sockets.get_mut(network.udp))
    }

    fn instant(&mut self) -> Instant {
        Instant::from_micros(i64::try_from(self.platform.now_us()).unwrap_or(i64::MAX))
    }

    fn read_line(&mut self) {
        let mut bytes = [0; 256];
        loop {
            let count = self.platform.line_read(&mut bytes);
            if count == 0 {
                return;
            }
            for &byte in bytes.get(..count).unwrap_or(&bytes) {
                match self.decoder.push(byte) {
                    Some(Ok(frame)) => self.sort(frame),
                    Some(Err(error)) => self.complain(&error),
                    None => {}
                }
            }
        }
    }

    /// Takes what the modem has said; `true` if that was anything.
    fn read_modem(&mut self) -> bool {
        let mut has_spoken = false;
        let mut bytes = [0; 256];
        while self.modem.is_fitted() {
            let count = self.platform.modem_read(&mut bytes);
            if count == 0 {
                break;
            }
            has_spoken = true;
            self.modem.inbox.extend(bytes.get(..count).unwrap_or(&bytes));
        }
        has_spoken
    }

    fn sort(&mut self, frame: Frame) {
        match (frame, &mut self.network) {
            (Frame::Ip(packet), Some(network)) => network.packets.receive_line(packet),
            (Frame::Configuration(order), _) => self.order = Some(order),
            // Packets for nobody, text.
            _ => {}
        }
    }

    fn complain(&mut self, error: &slipmux::FrameError) {
        self.remark(&alloc::format!("line: {error}"));
    }

    /// Says something to whoever listens.
    pub(crate) fn remark(&mut self, text: &str) {
        let mut line = Vec::new();
        slipmux::encode_diagnostic(text.as_bytes(), &mut line);
        self.platform.line_write(&line);
    }
}
