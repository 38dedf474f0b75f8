//! A plan for tests, of which each takes what it is about.

use std::net::Ipv4Addr;

use control::{Clock, Link, Mqtt, Network, Plan, Tls, Wifi};

/// A plan that joins a network whose name has to be quoted, and asks for nothing in particular.
pub(crate) fn plan() -> Plan {
    Plan {
        network: Network {
            ipv4: Ipv4Addr::new(192, 0, 2, 2),
            ipv4_prefix_bits: 24,
            ipv4_gateway: Ipv4Addr::new(192, 0, 2, 1),
            ipv6: None,
            ipv6_gateway: None,
            dns: Ipv4Addr::new(192, 0, 2, 53).into(),
            mtu_bytes: 1_500,
            wifi: Some(Wifi {
                ssid: "a \"home\"\n\u{4}".into(),
                passphrase: Some("correct horse".into()),
                power_save: false,
                join_timeout_ms: 30_000,
                lease_timeout_ms: 30_000,
            }),
        },
        broker_host: "broker.test".into(),
        broker_port: 8_883,
        link: Link::Ip,
        tls: Some(Tls::default()),
        mqtt: Mqtt { client_id: "device".into(), ..Mqtt::default() },
        clock: Clock::Unset,
        heap_cap_bytes: None,
        heap_block_max_bytes: None,
        failing_allocation: None,
        connect_timeout_ms: 10_000,
        handshake_timeout_ms: 10_000,
        reply_timeout_ms: 10_000,
        reconnects: 0,
        reconnect_pause_ms: 1_000,
        repeats: 0,
    }
}
