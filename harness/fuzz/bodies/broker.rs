//! What is asked of a broker, whatever a device says: no panic, an end, and no more than it may hold.
//!
//! Run by libFuzzer (`fuzz_targets/broker_connection.rs`) and, over the seeds in `seeds/broker_connection` and what a few hundred
//! changes make of each, by `cargo test -p runner --test fuzz_seeds`.

use std::sync::LazyLock;

use broker::{Action, Broker, Close};
use clock::{Duration, Instant, UnixTime};
use scenario::device::Version;

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

/// A device that means harm talks to a broker, which neither panics nor sends more than it holds. The first byte is the broker's
/// number, and each turn is a pause in milliseconds (two bytes), what is said, and a count: below 128 that hello with so many
/// changes (two bytes of a place and one of a value each), else so many bytes.
pub fn connection(script: &[u8]) {
    let Some((number, mut rest)) = script.split_first() else { return };
    let mut broker = Broker::new(&told(*number), &MINTED, 0, DATE).expect("the scripts make sense");
    let mut now = Instant::ZERO;
    let mut connection = broker.accept(now, ([192, 0, 2, 2], 49_152).into());
    while let [high, low, what, count, after @ ..] = rest {
        let count = usize::from(*count) * if *what < 128 { 3 } else { 1 };
        let (said, next) = after.split_at(after.len().min(count));
        rest = next;
        now += Duration::from_millis(u16::from_be_bytes([*high, *low]).into());
        connection.received(now, &if *what < 128 { hello(*what, said) } else { said.to_vec() });
        while let Some(action) = connection.poll(now) {
            assert!(!matches!(action, Action::Send(bytes) if bytes.len() > 4 << 20));
        }
        assert!(connection.take_events().len() <= 4_097);
        assert!(connection.poll_at().is_none_or(|at| at >= now), "what is due has been done");
    }
    connection.peer_closed(now, Close::Fin);
    while connection.poll(now).is_some() {}
}

/// The hello of that number, with `changes`.
fn hello(number: u8, changes: &[u8]) -> Vec<u8> {
    let mut bytes = HELLOS[usize::from(number) % HELLOS.len()].clone();
    for change in changes.as_chunks::<3>().0 {
        let place = usize::from(u16::from_be_bytes([change[0], change[1]])) % bytes.len();
        bytes[place] = change[2];
    }
    bytes
}

/// The broker of that number: with TLS and without, polite and not.
fn told(number: u8) -> scenario::broker::Broker {
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
