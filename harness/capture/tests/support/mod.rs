//! Captures to read: rustls talks to rustls in memory, and a make-believe cable puts what they say into TCP segments.
#![allow(clippy::print_stdout, reason = "whoever runs this reads it")]
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{Read, Write};
use std::process::Command;
use std::sync::{Arc, Mutex};

use capture::transcript::{Conversation, Said};
use capture::{Side, Tap, read};
use clock::{Instant, UnixTime};
use etherparse::PacketBuilder;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, KeyLog, RootCertStore, ServerConfig, ServerConnection};

/// 2026-01-01T00:00:00Z.
pub const POWER_ON: UnixTime = UnixTime::from_seconds(1_767_225_600);

/// A TCP connection that exists only as packets on a tap.
pub struct Cable {
    pub tap: Tap,
    now_ms: u64,
    sequence: [u32; 2],
    client_port: u16,
    segment_bytes_max: usize,
}

const ADDRESSES: [[u8; 4]; 2] = [[10, 0, 0, 2], [10, 0, 0, 1]];
const BROKER_PORT: u16 = 8883;

impl Cable {
    /// A cable with nothing on it yet.
    pub fn new() -> Self {
        Self {
            tap: Tap::new(POWER_ON),
            now_ms: 0,
            sequence: [0xffff_ff00, 7_000],
            client_port: 49_152,
            segment_bytes_max: 536,
        }
    }

    /// The three segments that open a connection.
    pub fn open(&mut self) {
        self.segment(Side::Client, "S", &[]);
        self.segment(Side::Server, "SA", &[]);
        self.segment(Side::Client, "A", &[]);
    }

    /// Some bytes, a millisecond later, in segments of the usual size.
    pub fn send(&mut self, from: Side, bytes: &[u8]) {
        self.now_ms += 1;
        for part in bytes.chunks(self.segment_bytes_max) {
            self.segment(from, "AP", part);
        }
    }

    /// The end of one side's data.
    pub fn fin(&mut self, from: Side) {
        self.now_ms += 1;
        self.segment(from, "AF", &[]);
    }

    /// The end of everything.
    pub fn rst(&mut self, from: Side) {
        self.now_ms += 1;
        self.segment(from, "AR", &[]);
    }

    /// The client is about to open another connection, from its next port.
    pub fn come_back_at(&mut self, ms: u64) {
        self.now_ms = ms;
        self.client_port += 1;
    }

    /// A segment that nobody receives: it is counted as sent.
    pub fn lose(&mut self, from: Side, bytes: usize) {
        let lost = u32::try_from(bytes).expect("few");
        self.sequence[from as usize] = self.sequence[from as usize].wrapping_add(lost);
    }

    /// One segment with the flags that `flags` names.
    pub fn segment(&mut self, from: Side, flags: &str, payload: &[u8]) {
        let to = from.other();
        let ports =
            if from == Side::Client { [self.client_port, BROKER_PORT] } else { [BROKER_PORT, self.client_port] };
        let sequence = self.sequence[from as usize];
        let mut builder = PacketBuilder::ipv4(ADDRESSES[from as usize], ADDRESSES[to as usize], 64)
            .tcp(ports[0], ports[1], sequence, 4_096);
        for flag in flags.chars() {
            builder = match flag {
                'S' => builder.syn(),
                'A' => builder.ack(self.sequence[to as usize]),
                'F' => builder.fin(),
                'R' => builder.rst(),
                _ => builder.psh(),
            };
        }
        let mut packet = vec![];
        builder.write(&mut packet, payload).expect("a vector takes it");
        self.tap.packet(Instant::from_millis(self.now_ms), &packet);
        let occupies = payload.len() as u32 + u32::from(flags.contains(['S', 'F']));
        self.sequence[from as usize] = sequence.wrapping_add(occupies);
    }
}

/// Hands key log lines to whoever holds the other end.
#[derive(Debug, Default)]
struct Keys(Mutex<Vec<String>>);

impl KeyLog for Keys {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        self.0.lock().expect("one thread").push(format!("{label} {} {}", hex(client_random), hex(secret)));
    }
}

/// A certificate authority and a leaf for `broker.test`.
pub struct Identity {
    pub roots: RootCertStore,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// A leaf that is good for the given years, the first inclusive.
    pub fn valid(years: std::ops::Range<i32>) -> Self {
        let ca_key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("ring makes P-256");
        let mut ca = rcgen::CertificateParams::new(vec![]).expect("no names");
        ca.distinguished_name.push(rcgen::DnType::CommonName, "Test CA");
        ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let ca_certificate = ca.self_signed(&ca_key).expect("signs");
        let issuer = rcgen::Issuer::new(ca, ca_key);

        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("ring makes P-256");
        let mut leaf =
            rcgen::CertificateParams::new(vec!["broker.test".to_string(), "10.0.0.1".to_string()]).expect("names");
        leaf.distinguished_name.push(rcgen::DnType::CommonName, "broker");
        leaf.not_before = rcgen::date_time_ymd(years.start, 1, 1);
        leaf.not_after = rcgen::date_time_ymd(years.end, 1, 1);
        let leaf = leaf.signed_by(&key, &issuer).expect("signs");

        let mut roots = RootCertStore::empty();
        roots.add(ca_certificate.der().clone()).expect("a CA");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("PKCS #8");
        Self { roots, chain: vec![leaf.der().clone()], key }
    }
}

/// How a connection is to be.
pub struct Plan {
    pub versions: &'static [&'static rustls::SupportedProtocolVersion],
    /// Only this suite, by name; all if empty.
    pub suite: &'static str,
    pub client_groups: Vec<&'static dyn rustls::crypto::SupportedKxGroup>,
    pub server_groups: Vec<&'static dyn rustls::crypto::SupportedKxGroup>,
    pub identity: Identity,
    /// The client changes its keys before each question and asks the server to do so too (TLS 1.3).
    pub updates_keys: bool,
    /// How often the client comes; it offers to resume its session if it comes again.
    pub times: usize,
    /// What the client says once connected, and what the server answers to each.
    pub dialogue: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Plan {
    /// Everything as usual, and nothing to say.
    pub fn new(versions: &'static [&'static rustls::SupportedProtocolVersion]) -> Self {
        let groups = rustls::crypto::ring::default_provider().kx_groups;
        Self {
            versions,
            suite: "",
            client_groups: groups.clone(),
            server_groups: groups,
            identity: Identity::valid(2020..3000),
            updates_keys: false,
            times: 1,
            dialogue: vec![],
        }
    }

    /// Lets rustls talk to rustls and records it. The connection is opened before and left open after.
    pub fn record(self, cable: &mut Cable) {
        let provider = |groups| {
            let mut provider = rustls::crypto::ring::default_provider();
            provider
                .cipher_suites
                .retain(|suite| self.suite.is_empty() || format!("{:?}", suite.suite()).ends_with(self.suite));
            Arc::new(CryptoProvider { kx_groups: groups, ..provider })
        };
        let keys = Arc::new(Keys::default());
        let mut client = ClientConfig::builder_with_provider(provider(self.client_groups.clone()))
            .with_protocol_versions(self.versions)
            .expect("versions fit suites")
            .with_root_certificates(self.identity.roots)
            .with_no_client_auth();
        if self.times == 1 {
            client.resumption = rustls::client::Resumption::disabled();
        }
        let mut server = ServerConfig::builder_with_provider(provider(self.server_groups.clone()))
            .with_protocol_versions(self.versions)
            .expect("versions fit suites")
            .with_no_client_auth()
            .with_single_cert(self.identity.chain, self.identity.key)
            .expect("key fits certificate");
        server.key_log = keys.clone();
        let (client, server) = (Arc::new(client), Arc::new(server));
        for time in 0..self.times {
            if time > 0 {
                cable.rst(Side::Server);
            }
            let name = ServerName::try_from("broker.test").expect("a name");
            let mut client = ClientConnection::new(client.clone(), name).expect("a client");
            let mut server = ServerConnection::new(server.clone()).expect("a server");
            cable.open();
            pump(&mut client, &mut server, cable);
            for (question, answer) in &self.dialogue {
                if self.updates_keys {
                    client.refresh_traffic_keys().expect("TLS 1.3");
                }
                client.writer().write_all(question).expect("room");
                pump(&mut client, &mut server, cable);
                server.writer().write_all(answer).expect("room");
                pump(&mut client, &mut server, cable);
            }
            client.send_close_notify();
            pump(&mut client, &mut server, cable);
        }
        for line in keys.0.lock().expect("one thread").iter() {
            cable.tap.key_log_line(line);
        }
    }
}

/// Carries bytes to and fro until both are silent.
fn pump(client: &mut ClientConnection, server: &mut ServerConnection, cable: &mut Cable) {
    loop {
        let (mut from_client, mut from_server) = (vec![], vec![]);
        while client.wants_write() {
            client.write_tls(&mut from_client).expect("a vector takes it");
        }
        if !from_client.is_empty() {
            cable.send(Side::Client, &from_client);
            let _ = server.read_tls(&mut &from_client[..]).map(|_| server.process_new_packets());
            let _ = server.reader().read_to_end(&mut vec![]);
        }
        while server.wants_write() {
            server.write_tls(&mut from_server).expect("a vector takes it");
        }
        if !from_server.is_empty() {
            cable.send(Side::Server, &from_server);
            let _ = client.read_tls(&mut &from_server[..]).map(|_| client.process_new_packets());
            let _ = client.reader().read_to_end(&mut vec![]);
        }
        if from_client.is_empty() && from_server.is_empty() {
            return;
        }
    }
}

/// What tshark says about a capture: for every packet, the values of these fields. `None` where it is not installed.
pub fn tshark(file: &[u8], name: &str, fields: &[&str]) -> Option<Vec<Vec<String>>> {
    let path = std::env::temp_dir().join(format!("capture-{}-{name}.pcapng", std::process::id()));
    std::fs::write(&path, file).expect("a temporary file");
    let mut command = Command::new("tshark");
    command.arg("-r").arg(&path).args(["-o", "tcp.check_checksum:true"]);
    command.args(["-T", "fields", "-E", "separator=|", "-E", "occurrence=a"]);
    fields.iter().for_each(|field| {
        command.args(["-e", field]);
    });
    let output = command.output();
    let _ = std::fs::remove_file(&path);
    match output {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            Some(text.lines().map(|line| line.split('|').map(str::to_string).collect()).collect())
        }
        Ok(output) => panic!("tshark cannot read our file: {}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => {
            println!("skipped: no tshark here");
            None
        }
    }
}

/// The values of one field over all packets, in order.
pub fn column(rows: &[Vec<String>], index: usize) -> Vec<String> {
    rows.iter()
        .filter_map(|row| row.get(index))
        .flat_map(|values| values.split(',').map(str::to_string).collect::<Vec<_>>())
        .filter(|value| !value.is_empty())
        .collect()
}

/// tshark sees the same handshake messages, alerts, MQTT packets and JA3.
pub fn agrees_with_tshark(file: &[u8], name: &str, conversation: &Conversation) {
    let fields =
        ["tls.handshake.type", "tls.alert_message.desc", "mqtt.msgtype", "tls.handshake.ja3", "tcp.checksum.status"];
    let Some(rows) = tshark(file, name, &fields) else { return };
    let ours = |pick: fn(Said) -> Option<u8>| -> Vec<String> {
        conversation.lines.iter().filter_map(|line| pick(line.said)).map(|number| number.to_string()).collect()
    };
    let messages = ours(|said| match said {
        Said::Handshake(kind) => Some(kind.0),
        Said::HelloRetryRequest => Some(2),
        _ => None,
    });
    // The one message that says nothing is not told.
    let theirs: Vec<String> = column(&rows, 0).into_iter().filter(|kind| kind != "14").collect();
    assert_eq!(messages, theirs, "{name}");
    let alerts = ours(|said| match said {
        Said::Alert { description, .. } => Some(description.0),
        _ => None,
    });
    assert_eq!(alerts, column(&rows, 1), "{name}");
    let packets = ours(|said| match said {
        Said::Mqtt(kind) => Some(kind as u8),
        _ => None,
    });
    assert_eq!(packets, column(&rows, 2), "{name}");
    assert_eq!(conversation.facts.ja3.as_ref(), column(&rows, 3).first(), "{name}");
    assert!(column(&rows, 4).iter().all(|status| status == "1"), "{name}: the cable's own checksums");
}

/// One connection in which these say these bytes.
pub fn conversation(said: &[(Side, &[u8])]) -> Conversation {
    let mut cable = Cable::new();
    cable.open();
    for (side, bytes) in said {
        cable.send(*side, bytes);
    }
    let mut transcript = read(&cable.tap.to_pcapng(), "").expect("our own file");
    assert_eq!(transcript.conversations.len(), 1);
    transcript.conversations.remove(0)
}

/// What was said, with its details, line by line.
pub fn lines(conversation: &Conversation) -> Vec<String> {
    conversation.lines.iter().map(|line| format!("{} {}", line.said, line.details).trim_end().to_owned()).collect()
}

/// A TLS record of version 1.2.
pub fn record(content_type: u8, fragment: &[u8]) -> Vec<u8> {
    let length = u16::try_from(fragment.len()).expect("a record's length").to_be_bytes();
    [&[content_type, 3, 3], &length[..], fragment].concat()
}

/// A handshake message.
pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = (body.len() as u32).to_be_bytes();
    [&[kind][..], &length, body].concat()
}

/// A recorded connection, as OpenSSL spoke it when `fixtures/record.py` listened.
pub fn fixture(name: &str) -> Cable {
    let path = format!("{}/tests/fixtures/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("a fixture");
    let mut cable = Cable::new();
    cable.open();
    for line in text.lines() {
        match line.split_once(' ') {
            Some(("client", hex)) => cable.send(Side::Client, &unhex(hex)),
            Some(("server", hex)) => cable.send(Side::Server, &unhex(hex)),
            Some(("key", line)) => cable.tap.key_log_line(line),
            _ => assert!(line.starts_with('#'), "{line}"),
        }
    }
    cable.fin(Side::Client);
    cable
}

/// Bytes of hexadecimal digits.
pub fn unhex(hex: &str) -> Vec<u8> {
    let (pairs, _) = hex.as_bytes().as_chunks::<2>();
    pairs.iter().map(|pair| u8::from_str_radix(str::from_utf8(pair).expect("ASCII"), 16).expect("hex")).collect()
}
