//! A network that comes through the air: joined, and lent an address (RFC 2131), before anybody is dialled.

use alloc::format;
use alloc::string::String;
use core::net::IpAddr;

use control::{EarlyOrder, Network, Wifi};
use outcome::Stage;
use smoltcp::iface::{Interface, SocketHandle, SocketSet};
use smoltcp::socket::dhcpv4;
use smoltcp::wire::{IpAddress, IpCidr};

use crate::device::Device;
use crate::fault::Fault;
use crate::platform::{HeapLimits, HeapRecord, Platform};

/// The lease of an interface, and what the plan says of it beside.
pub(crate) struct Lease {
    socket: SocketHandle,
    ipv6: Option<IpCidr>,
    state: State,
}

/// How far the lease is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// It was asked for.
    Asked,
    /// It is there, with this resolver, if it names one.
    Held(Option<IpAddr>),
    /// It was there.
    Lost,
}

impl Lease {
    /// Asks for one, among the sockets of an interface.
    pub(crate) fn ask(sockets: &mut SocketSet<'static>, network: &Network) -> Self {
        let ipv6 = network.ipv6.map(|address| IpCidr::new(IpAddress::Ipv6(address), 64));
        Self { socket: sockets.add(dhcpv4::Socket::new()), ipv6, state: State::Asked }
    }

    /// Whether it was there, and is over.
    pub(crate) fn is_lost(&self) -> bool {
        self.state == State::Lost
    }

    /// What has become of it since; a sentence for people if anything has.
    pub(crate) fn poll(&mut self, interface: &mut Interface, sockets: &mut SocketSet<'static>) -> Option<String> {
        match sockets.get_mut::<dhcpv4::Socket>(self.socket).poll()? {
            dhcpv4::Event::Configured(lease) => {
                let routes = interface.routes_mut();
                routes.remove_default_ipv4_route();
                if let Some(router) = lease.router {
                    // There is room: smoltcp's least is two.
                    let _ = routes.add_default_ipv4_route(router);
                }
                let addresses = [Some(IpCidr::Ipv4(lease.address)), self.ipv6];
                set_addresses(interface, &addresses);
                let resolver = lease.dns_servers.first().map(|server| IpAddr::V4(*server));
                self.state = State::Held(resolver);
                let or_none = |address: Option<IpAddr>| address.map_or("none".into(), |address| format!("{address}"));
                let (router, resolver) = (or_none(lease.router.map(IpAddr::V4)), or_none(resolver));
                Some(format!("lease {}, router {router}, resolver {resolver}", lease.address))
            }
            dhcpv4::Event::Deconfigured => {
                interface.routes_mut().remove_default_ipv4_route();
                set_addresses(interface, &[self.ipv6]);
                // It says so at the start too, when there was none.
                if !matches!(self.state, State::Held(_)) {
                    return None;
                }
                self.state = State::Lost;
                Some("the lease is over".into())
            }
        }
    }
}

fn set_addresses(interface: &mut Interface, wanted: &[Option<IpCidr>]) {
    interface.update_ip_addrs(|addresses| {
        addresses.clear();
        for address in wanted.iter().flatten() {
            // There is room for two: smoltcp's least.
            let _ = addresses.push(*address);
        }
    });
}

/// Joins the plan's wireless network and waits for an address, unless the device has both already.
pub(crate) fn come_up<P: Platform>(device: &mut Device<'_, P>, network: &Network) -> Result<(), Fault> {
    let Some(wifi) = &network.wifi else { return Ok(()) };
    if device.network_fault().is_none() && device.resolver().is_some() {
        return Ok(());
    }
    join(device, network, wifi)?;
    device.enter(Stage::Lease);
    let until_us = device.now_us() + u64::from(wifi.lease_timeout_ms) * 1000;
    loop {
        match device.lease_state() {
            Some(State::Held(_)) => return Ok(()),
            Some(State::Lost) => return Err(Fault::LeaseLost),
            Some(State::Asked) | None => {}
        }
        if let Some(fault) = device.network_fault() {
            return Err(fault);
        }
        if !device.wait(until_us) {
            return Err(Fault::LeaseTimedOut);
        }
    }
}

/// Carries out an order that is older than the plan; `false` if it is none such.
///
/// Who could not join does so again when there is a plan.
pub(crate) fn obey_early<P: Platform>(device: &mut Device<'_, P>, order: &[u8]) -> bool {
    let Ok(EarlyOrder::Join(network)) = EarlyOrder::from_json(order) else { return false };
    device.platform.heap_watch(HeapLimits::default());
    if device.join(&network).is_err() || come_up(device, &network).is_err() {
        device.forget_network();
    }
    device.start_over();
    device.heap_of_network = device.platform.heap_record();
    true
}

fn join<P: Platform>(device: &mut Device<'_, P>, network: &Network, wifi: &Wifi) -> Result<(), Fault> {
    device.enter(Stage::Join);
    device.forget_network();
    let until_us = device.now_us() + u64::from(wifi.join_timeout_ms) * 1000;
    let radio = device.platform.radio().ok_or(Fault::PlanUnusable)?;
    radio.join(wifi, until_us).map_err(Fault::NotJoined)?;
    let mac_address = radio.mac_address();
    device.take_place_on_air(network, mac_address);
    Ok(())
}

impl<P: Platform> Device<'_, P> {
    /// The resolver of the lease: `None` without a lease, `Some(None)` with one that names no resolver.
    pub(crate) fn resolver(&self) -> Option<Option<IpAddr>> {
        match self.lease_state()? {
            State::Held(resolver) => Some(resolver),
            State::Asked | State::Lost => None,
        }
    }

    /// Why the network that was there is there no more.
    pub(crate) fn network_fault(&mut self) -> Option<Fault> {
        self.lease_state()?;
        if let Some(why) = self.platform.radio().and_then(|radio| radio.lost()) {
            return Some(Fault::NotJoined(why));
        }
        (self.lease_state() == Some(State::Lost)).then_some(Fault::LeaseLost)
    }

    /// The record of the heap since the plan started, with that of the network before.
    pub(crate) fn heap_with_network(&self, since: HeapRecord) -> HeapRecord {
        let before = self.heap_of_network;
        HeapRecord {
            peak_bytes: before.peak_bytes.max(before.held_bytes + since.peak_bytes),
            failures: before.failures + since.failures,
            held_bytes: since.held_bytes,
        }
    }

    fn lease_state(&self) -> Option<State> {
        self.lease().map(|lease| lease.state)
    }
}
