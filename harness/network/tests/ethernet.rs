//! A device with a network interface: smoltcp's own interface, DHCP client and ARP in its place.

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use clock::{Duration, Instant};
use network::{AddressEvent, AddressFault, Lease, Segment, SegmentConfig};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::{dhcpv4, udp};
use smoltcp::time::Instant as SmolInstant;
use smoltcp::wire::{EthernetAddress, HardwareAddress, IpCidr, IpEndpoint, Ipv4Cidr};

const ROUTER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const DEVICE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const NAMES: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 53);

fn config(faults: &[AddressFault]) -> SegmentConfig {
    SegmentConfig {
        router_mac: [0x02, 0x53, 0x48, 0x44, 0x01, 0x01],
        addresses: vec![ROUTER.into(), NAMES.into(), "2001:db8::1".parse().expect("an address")],
        lease: Lease {
            address: DEVICE,
            prefix_bits: 24,
            router: ROUTER,
            name_servers: vec![NAMES],
            seconds: 3_600,
            mtu_bytes: None,
        },
        faults: faults.to_vec(),
    }
}

#[derive(Default)]
struct Wire {
    incoming: VecDeque<Vec<u8>>,
    outgoing: VecDeque<Vec<u8>>,
}

struct Incoming(Vec<u8>);
struct Outgoing<'a>(&'a mut VecDeque<Vec<u8>>);

impl RxToken for Incoming {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl TxToken for Outgoing<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut frame = vec![0; length];
        let result = f(&mut frame);
        self.0.push_back(frame);
        result
    }
}

impl Device for Wire {
    type RxToken<'a> = Incoming;
    type TxToken<'a> = Outgoing<'a>;

    fn receive(&mut self, _: SmolInstant) -> Option<(Incoming, Outgoing<'_>)> {
        let frame = self.incoming.pop_front()?;
        Some((Incoming(frame), Outgoing(&mut self.outgoing)))
    }

    fn transmit(&mut self, _: SmolInstant) -> Option<Outgoing<'_>> {
        Some(Outgoing(&mut self.outgoing))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = 1_514;
        capabilities
    }
}

/// A device with a DHCP client, on an Ethernet.
struct Bench {
    wire: Wire,
    interface: Interface,
    sockets: SocketSet<'static>,
    dhcp: SocketHandle,
    segment: Segment,
    now: Instant,
    lease: Option<dhcpv4::Config<'static>>,
    /// What came out for the LAN.
    packets: Vec<Vec<u8>>,
}

impl Bench {
    fn new(faults: &[AddressFault]) -> Self {
        let mut wire = Wire::default();
        let mac = EthernetAddress([0x60, 0x55, 0xf9, 0, 0, 1]);
        let interface = Interface::new(Config::new(HardwareAddress::Ethernet(mac)), &mut wire, SmolInstant::ZERO);
        let mut sockets = SocketSet::new(Vec::new());
        let dhcp = sockets.add(dhcpv4::Socket::new());
        Self {
            wire,
            interface,
            sockets,
            dhcp,
            segment: Segment::new(config(faults)),
            now: Instant::ZERO,
            lease: None,
            packets: Vec::new(),
        }
    }

    /// Lets ten milliseconds pass at a time, until `ms` have.
    fn live(&mut self, ms: u64) {
        let until = self.now + Duration::from_millis(ms);
        while self.now < until {
            let smol = SmolInstant::from_micros(i64::try_from(self.now.as_micros()).expect("soon"));
            self.interface.poll(smol, &mut self.wire, &mut self.sockets);
            match self.sockets.get_mut::<dhcpv4::Socket<'_>>(self.dhcp).poll() {
                Some(dhcpv4::Event::Configured(lease)) => {
                    let cidr = IpCidr::Ipv4(Ipv4Cidr::new(lease.address.address(), lease.address.prefix_len()));
                    self.interface.update_ip_addrs(|addresses| {
                        addresses.clear();
                        addresses.push(cidr).expect("room for one");
                    });
                    self.lease = Some(dhcpv4::Config { packet: None, ..lease });
                }
                Some(dhcpv4::Event::Deconfigured) => self.lease = None,
                None => {}
            }
            while let Some(frame) = self.wire.outgoing.pop_front() {
                self.packets.extend(self.segment.receive(self.now, &frame));
            }
            while let Some(frame) = self.segment.transmit(self.now) {
                self.wire.incoming.push_back(frame);
            }
            self.now += Duration::from_millis(10);
        }
    }

    fn events(&mut self) -> Vec<AddressEvent> {
        self.segment.take_events().into_iter().map(|(_, event)| event).collect()
    }
}

#[test]
fn a_device_is_lent_an_address_and_finds_its_name_server() {
    let mut bench = Bench::new(&[]);
    bench.live(500);
    let lease = bench.lease.clone().expect("a lease");
    assert_eq!((lease.address.address(), lease.address.prefix_len()), (DEVICE, 24));
    assert_eq!((lease.router, lease.dns_servers.as_slice()), (Some(ROUTER), &[NAMES][..]));
    assert_eq!(bench.events(), [AddressEvent::Offered, AddressEvent::Leased]);
    let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 2], vec![0; 128]);
    let mut socket = udp::Socket::new(buffer(), buffer());
    socket.bind(1_000).expect("a free port");
    socket.send_slice(b"hello", IpEndpoint::new(NAMES.into(), 53)).expect("room");
    bench.sockets.add(socket);
    bench.live(500);
    // ARP was answered, so the packet came; and what the LAN has for the device arrives as it is.
    assert_eq!(bench.packets.len(), 1);
    assert_eq!(bench.packets[0][12..20], [192, 0, 2, 2, 192, 0, 2, 53]);
    let packet = bench.packets[0].clone();
    bench.segment.send_ip(bench.now, &packet);
    let frame = bench.segment.transmit(bench.now).expect("a frame");
    assert_eq!(
        (&frame[..6], &frame[12..14], &frame[14..]),
        (&[0x60, 0x55, 0xf9, 0, 0, 1][..], &[8, 0][..], &packet[..])
    );
}

#[test]
fn a_server_that_is_silent_or_refuses_is_asked_again() {
    let mut bench = Bench::new(&[AddressFault::DhcpSilent { times: Some(1) }]);
    bench.live(500);
    assert_eq!(bench.lease, None);
    bench.live(20_000);
    assert!(bench.lease.is_some());
    let mut bench = Bench::new(&[AddressFault::DhcpNak { times: Some(1) }]);
    bench.live(20_000);
    assert!(bench.lease.is_some());
    assert!(bench.events().contains(&AddressEvent::Refused));
    let mut bench = Bench::new(&[AddressFault::DhcpSilent { times: None }]);
    bench.live(20_000);
    assert_eq!(bench.lease, None);
}

#[test]
fn a_lease_may_lack_what_a_device_needs() {
    let mut bench = Bench::new(&[AddressFault::NoNameServer {}, AddressFault::NoRouter {}]);
    bench.live(500);
    let lease = bench.lease.expect("a lease");
    assert_eq!((lease.router, lease.dns_servers.len()), (None, 0));
}

#[test]
fn an_address_that_is_taken_is_answered_for_by_somebody_else() {
    // A probe as RFC 5227 §2.1.1 wants it: from no address at all.
    let mut segment = Segment::new(config(&[AddressFault::AddressTaken {}]));
    let device = [0x60, 0x55, 0xf9, 0, 0, 1];
    let mut probe = [&[0xff; 6][..], &device, &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1], &device, &[0; 10]].concat();
    probe.extend(DEVICE.octets());
    assert_eq!(segment.receive(Instant::ZERO, &probe), None);
    let answer = segment.transmit(Instant::ZERO).expect("an answer");
    assert_ne!(answer[6..12], [0x02, 0x53, 0x48, 0x44, 0x01, 0x01]);
    assert_eq!(answer[28..32], DEVICE.octets());
    let mut without = Segment::new(config(&[]));
    assert_eq!(without.receive(Instant::ZERO, &probe), None);
    assert_eq!(without.transmit(Instant::ZERO), None);
}

#[test]
fn whatever_a_device_sends_is_survived() {
    let mut segment = Segment::new(config(&[]));
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as u8
    };
    for length in 0..2_000 {
        let mut frame: Vec<u8> = (0..length % 400).map(|_| next()).collect();
        if frame.len() > 14 {
            frame[..6].fill(0xff);
            frame[6] = 0x60;
            let ether_type = [[8, 0], [8, 6], [0x86, 0xdd]][length % 3];
            frame[12..14].copy_from_slice(&ether_type);
            frame[14] = if length % 3 == 0 { 0x45 } else { 0x60 };
        }
        segment.receive(Instant::ZERO, &frame);
        segment.send_ip(Instant::ZERO, &frame);
    }
    let frames = std::iter::from_fn(|| segment.transmit(Instant::ZERO)).count();
    assert!(frames <= 256, "{frames}");
}
