//! The addresses of every run, from the blocks that are reserved for documentation (RFC 5737, RFC 3849), and its names
//! (RFC 2606 §2).

use std::net::{Ipv4Addr, Ipv6Addr};

/// The name under which the device finds the broker unless the scenario says otherwise.
pub const BROKER_NAME: &str = "broker.test";
/// The broker.
pub const BROKER_IPV4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);
/// The broker.
pub const BROKER_IPV6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x10);
/// The device.
pub const DEVICE_IPV4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
/// The device.
pub const DEVICE_IPV6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);
/// The device's modem, if it has one.
pub const MODEM_IPV4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 3);
/// The router, which is the bench's end of the serial line.
pub const GATEWAY_IPV4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// Who answers in everybody's place at a captive portal.
pub const PORTAL: std::net::IpAddr = std::net::IpAddr::V4(GATEWAY_IPV4);
/// The router, which is the bench's end of the serial line.
pub const GATEWAY_IPV6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
/// The resolver.
pub const DNS_IPV4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 53);
/// The name of the time server.
pub const SNTP_NAME: &str = "time.test";
/// The time server.
pub const SNTP_IPV4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 123);
/// The length of the IPv4 prefix that device, router and servers share, in bits.
pub const IPV4_PREFIX_BITS: u8 = 24;
/// MQTT over TLS (IANA service name `secure-mqtt`).
pub const SECURE_MQTT_PORT: u16 = 8883;
