//! What comes out of a device's ports, and what goes in, byte by byte.

use chip::Chip;
use network::NoService;
use wire::slipmux;

use super::*;

const NIC: PortId = PortId::new("eth0");
const UART: PortId = PortId::new("uart0");
const DEVICE_MAC: [u8; 6] = [0x60, 0x55, 0xf9, 0, 0, 1];

/// An Ethernet and a console, and no serial line for the bench.
static WITH_NIC: Chip = Chip {
    name: "nic32",
    serial_ports: &[SerialPort { id: UART, title: "UART0", role: PortRole::Console }],
    nics: &[Nic { id: NIC, title: "EMAC" }],
    radio: None,
    ..chip::ESP32C3
};

fn scenario(device: &str) -> Scenario {
    let text = "title = 'A test'\nspecification = { demands = 'connect', rule = 'RFC 1 §1', quote = 'q' }\n";
    Scenario::parse("x/y", "y.toml", &format!("{text}{device}")).unwrap_or_else(|problem| panic!("{problem}"))
}

fn ports(chip: &'static Chip, device: &str) -> Result<Ports, BenchFault> {
    Ports::new(&scenario(device), &Target { chip, emulated: true }, Wiring::default(), Box::new(NoService), 1)
}

/// An Ethernet frame of the device.
fn frame(to: [u8; 6], ethertype: u16, payload: &[u8]) -> Vec<u8> {
    [&to, &DEVICE_MAC[..], &ethertype.to_be_bytes(), payload].concat()
}

/// A question for the broker's address, as an IPv4 packet (RFC 791, RFC 768 without a checksum, RFC 1035).
fn question() -> Vec<u8> {
    let dns = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x06broker\x04test\0\0\x01\0\x01";
    let udp = [&[0x9c, 0x40, 0, 53, 0, 8 + dns.len() as u8, 0, 0], &dns[..]].concat();
    let mut ip = vec![0x45, 0, 0, 20 + udp.len() as u8, 0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 2, 192, 0, 2, 53];
    let sum: u32 = ip.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(word[1])).sum();
    let sum = !(((sum & 0xffff) + (sum >> 16)) as u16);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    ip.extend(udp);
    ip
}

/// What the ports have for the device after `heard` was taken in, within a second.
fn answers(ports: &mut Ports, heard: Vec<Heard>, tap: &mut Tap) -> Vec<(PortId, Vec<u8>)> {
    let mut now = Instant::from_millis(10);
    for one in heard {
        let Heard::Ip(packet) = one else { panic!("{one:?}") };
        ports.lan.receive(now, &packet);
    }
    let mut output = Vec::new();
    while now < Instant::from_millis(1_000) && output.is_empty() {
        ports.exchange(now, tap);
        output = ports.take_output(now, tap);
        now = ports.poll_at(now).unwrap_or(Instant::FAR_FUTURE);
    }
    output
}

#[test]
fn a_device_with_a_network_interface_meets_the_lan_on_an_ethernet() {
    let mut ports = ports(&WITH_NIC, "").expect("it has a port");
    let mut tap = Tap::new(scenario("").date());
    // Who has 192.0.2.53? (RFC 826)
    let who_has = [0, 1, 8, 0, 6, 4, 0, 1, 0x60, 0x55, 0xf9, 0, 0, 1, 192, 0, 2, 2, 0, 0, 0, 0, 0, 0, 192, 0, 2, 53];
    let heard = ports.receive(Instant::ZERO, NIC, &frame([0xff; 6], 0x0806, &who_has));
    assert_eq!(heard, [], "ARP ends at the router");
    let output = answers(&mut ports, heard, &mut tap);
    let [(NIC, is_at)] = &output[..] else { panic!("{output:?}") };
    assert_eq!(
        (&is_at[..6], &is_at[12..14], is_at[21], &is_at[28..32]),
        (&DEVICE_MAC[..], &[8, 6][..], 2, &[192, 0, 2, 53][..])
    );
    let router: [u8; 6] = is_at[22..28].try_into().expect("an address");
    assert_eq!(tap.packets().len(), 0, "ARP is no IP packet");

    let heard = ports.receive(Instant::ZERO, NIC, &frame(router, 0x0800, &question()));
    let output = answers(&mut ports, heard, &mut tap);
    let [(NIC, answer)] = &output[..] else { panic!("{output:?}") };
    assert_eq!((&answer[..6], &answer[6..12]), (&DEVICE_MAC[..], &router[..]));
    assert!(answer.ends_with(&[192, 0, 2, 10]), "the broker's address: {answer:02x?}");
    assert_eq!(tap.packets().len(), 2, "question and answer");
}

#[test]
fn a_device_is_answered_where_it_was_heard_in_a_whole_frame() {
    let mut ports = ports(&chip::ESP32C3, "").expect("it has a port");
    let mut tap = Tap::new(scenario("").date());
    let usb = chip::ESP32C3.bench_port().expect("it has one");
    let mut sent = Vec::new();
    slipmux::encode_ip(&question(), &mut sent);
    for port in [usb, UART, usb] {
        let heard = ports.receive(Instant::ZERO, port, &sent);
        let output = answers(&mut ports, heard, &mut tap);
        assert_eq!(output.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [port]);
    }
    // Text moves nothing.
    assert_eq!(ports.receive(Instant::ZERO, UART, b"ESP-ROM:esp32c3-20200918\r\n").len(), 1);
    ports.send_order(b"{}");
    assert_eq!(ports.take_output(Instant::ZERO, &mut tap).first().map(|(at, _)| *at), Some(usb));
}

#[test]
fn what_is_typed_goes_to_the_console_that_spoke_last_and_is_framed_by_nobody() {
    let mut tap = Tap::new(scenario("").date());
    let usb = chip::ESP32C3.bench_port().expect("it has one");
    let mut ports = ports(&chip::ESP32C3, "").expect("it has a port");
    for (port, prompt) in [(UART, "login: "), (usb, ">>> ")] {
        assert_eq!(ports.receive(Instant::ZERO, port, prompt.as_bytes()), [], "the line has not ended");
        assert_eq!(ports.unended_text(), prompt.as_bytes());
        ports.send_text(b"root\r");
        assert_eq!(ports.take_output(Instant::ZERO, &mut tap), [(port, b"root\r".to_vec())]);
        assert_eq!(ports.receive(Instant::ZERO, port, b"root\r\n").len(), 1);
    }
}

#[test]
fn a_chip_without_the_port_is_refused_by_name() {
    let why = ports(&WITH_NIC, "device.link = 'modem'\n").err().expect("it has none for a modem").to_string();
    assert_eq!(why, "the chip nic32 has no serial port for a modem");
    static DEAF: Chip = Chip { name: "deaf32", serial_ports: &[], nics: &[], ..chip::ESP32C3 };
    let why = ports(&DEAF, "").err().expect("it has none").to_string();
    assert_eq!(why, "the chip deaf32 has no port for the bench");
}
