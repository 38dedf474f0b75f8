//! A device that means harm talks to brokers: they neither panic nor send more than they hold.
#![no_main]

use broker::{Action, Broker, DeviceEnd};
use clock::{Duration, Instant, UnixTime};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use scenario::device::Version;
use std::sync::LazyLock;

const DATE: UnixTime = UnixTime::from_seconds(1_767_225_600);
static MINTED: LazyLock<pki::Minted> =
    LazyLock::new(|| pki::mint(&pki::spec::Certificates::default(), 0, DATE).expect("the defaults can be minted"));

/// What clients of OpenSSL and GnuTLS said first: no amount of chance gets past a broker's parser as far as these.
static HELLOS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    [
        include_str!("../../capture/tests/fixtures/tls1_0_aes256_cbc_sha.txt"),
        include_str!("../../capture/tests/fixtures/tls1_2_aes128_cbc_sha.txt"),
        include_str!("../../capture/tests/fixtures/tls1_2_client_certificate.txt"),
        include_str!("../../capture/tests/fixtures/tls1_2_camellia128_gcm.txt"),
        include_str!("../../capture/tests/fixtures/tls1_3_client_certificate.txt"),
    ]
    .iter()
    .map(|text| {
        let hex = text.lines().find_map(|line| line.strip_prefix("client ")).expect("a client's line");
        capture::hexadecimal::read(hex).expect("hexadecimal")
    })
    .collect()
});

/// What the device says at once.
#[derive(Debug, Arbitrary)]
enum Said {
    Anything(Vec<u8>),
    /// A hello, with some bytes changed.
    Hello { which: u8, changes: Vec<(u16, u8)> },
}

impl Said {
    fn bytes(self) -> Vec<u8> {
        match self {
            Self::Anything(bytes) => bytes,
            Self::Hello { which, changes } => {
                let mut bytes = HELLOS[usize::from(which) % HELLOS.len()].clone();
                for (place, value) in changes {
                    let place = usize::from(place) % bytes.len();
                    bytes[place] = value;
                }
                bytes
            }
        }
    }
}

/// The broker of that number: with TLS and without, polite and not.
fn script(number: u8) -> scenario::broker::Broker {
    use scenario::broker::{Broker, Mqtt, OnConnect, OnPublish, Packing, Request};
    let mut script = Broker { tls: number & 1 != 0, ..Broker::default() };
    if number & 2 != 0 {
        script.client_certificates.request = Request::Optional;
        script.alpn = vec!["mqtt".to_owned()];
        script.session_tickets = 2;
        script.resumption = true;
    }
    if number & 4 != 0 {
        script.mqtt = Mqtt {
            on_connect: OnConnect::SessionPresent,
            on_publish: OnPublish::LoseOne,
            packing: Packing::Together,
            ..Mqtt::default()
        };
    }
    if number & 8 != 0 {
        script.engine = scenario::broker::Engine::Openssl;
        script.versions = vec![Version::Tls10, Version::Tls11, Version::Tls12, Version::Tls13];
    }
    script
}

libfuzzer_sys::fuzz_target!(|input: (u8, Vec<(u16, Said)>)| {
    let (number, said) = input;
    let mut broker = Broker::new(&script(number), &MINTED, 0, DATE).expect("the scripts make sense");
    let mut now = Instant::ZERO;
    let mut connection = broker.accept(now, ([192, 0, 2, 2], 49_152).into());
    for (pause_ms, said) in said {
        now += Duration::from_millis(pause_ms.into());
        connection.received(now, &said.bytes());
        while let Some(action) = connection.poll(now) {
            assert!(!matches!(action, Action::Send(bytes) if bytes.len() > 4 << 20));
        }
        assert!(connection.take_events().len() <= 4_097);
        assert!(connection.poll_at().is_none_or(|at| at >= now), "what is due has been done");
    }
    connection.peer_closed(now, DeviceEnd::Fin);
    while connection.poll(now).is_some() {}
});
