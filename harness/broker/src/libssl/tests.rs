//! The engine meets a client on OpenSSL, in memory.

use super::engine::Pipe;
use super::library;
use crate::tls::ConnectionRng;
use crate::{Action, Broker, Connection, Happening, Secured};
use clock::{Instant, UnixTime};
use openssl::ssl::{Ssl, SslContext, SslMethod, SslOptions, SslSession, SslStream, SslVerifyMode, SslVersion};
use std::io::{Read as _, Write as _};

/// 2026-01-01T00:00:00Z.
const DATE: UnixTime = UnixTime::from_seconds(1_767_225_600);

fn broker(pki: &str, script: &str, seed: u64) -> (Broker, pki::Minted) {
    let minted = pki::mint(&toml::from_str(pki).expect(pki), 1, DATE).expect(pki);
    let script = format!("engine = 'openssl'\n{script}");
    let script: scenario::broker::Broker = toml::from_str(&script).expect(&script);
    (Broker::new(&script, &minted, seed, DATE).expect("the script makes sense"), minted)
}

/// How the client speaks.
#[derive(Clone, Copy)]
struct Client<'a> {
    version: SslVersion,
    suites: &'a str,
    groups: &'a str,
    /// max_fragment_length, as OpenSSL numbers it.
    fragment: u8,
    with_certificate: bool,
}

impl Default for Client<'_> {
    fn default() -> Self {
        Self {
            version: SslVersion::TLS1_2,
            suites: "ALL:COMPLEMENTOFALL",
            groups: "",
            fragment: 0,
            with_certificate: false,
        }
    }
}

/// What came of it.
#[derive(Debug, Default)]
struct Met {
    secured: Option<Secured>,
    /// All that the broker sent.
    wire: Vec<u8>,
    /// What the client understood.
    heard: Vec<u8>,
    error: Option<String>,
    session: Option<Vec<u8>>,
    happenings: Vec<Happening>,
}

/// A client connects, says CONNECT and listens.
fn meet(broker: &mut Broker, minted: &pki::Minted, client: Client<'_>, session: Option<&[u8]>) -> Met {
    library::initialise().unwrap();
    let mut randomness = Some(ConnectionRng::new(99, 1));
    let context = ConnectionRng::during(&mut randomness, || context(minted, client));
    let mut connection = broker.accept(Instant::ZERO, "192.0.2.2:49152".parse().unwrap());
    let mut stream = ConnectionRng::during(&mut randomness, || {
        let mut ssl = Ssl::new(&context).unwrap();
        if let Some(session) = session {
            let session = SslSession::from_der(session).unwrap();
            // SAFETY: the session was made by a context that was made in the same way.
            unsafe { ssl.set_session(&session).unwrap() };
        }
        SslStream::new(ssl, Pipe::default()).unwrap()
    });
    let mut met = Met::default();
    let mut connected = false;
    for _ in 0..20 {
        ConnectionRng::during(&mut randomness, || {
            if !connected {
                match stream.connect() {
                    Ok(()) => {
                        connected = true;
                        stream.write_all(CONNECT).unwrap();
                    }
                    Err(error) if error.code() == openssl::ssl::ErrorCode::WANT_READ => {}
                    // What follows the first error only follows from it.
                    Err(error) => _ = met.error.get_or_insert(error.to_string()),
                }
            }
            if connected {
                let mut piece = [0; 1_024];
                while let Ok(count @ 1..) = stream.read(&mut piece) {
                    met.heard.extend_from_slice(&piece[..count]);
                }
            }
        });
        pass(&mut stream, &mut connection, &mut met);
    }
    // OpenSSL forgets the sessions of connections that end without a goodbye.
    let said_goodbye = ConnectionRng::during(&mut randomness, || stream.shutdown().is_ok());
    pass(&mut stream, &mut connection, &mut met);
    assert!(said_goodbye || met.error.is_some(), "{:?}", met.error);
    met.session = stream.ssl().session().and_then(|session| session.to_der().ok());
    met
}

const CONNECT: &[u8] = &[0x10, 14, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0, 2, b'm', b'e'];

fn context(minted: &pki::Minted, client: Client<'_>) -> SslContext {
    let mut context = SslContext::builder(SslMethod::tls_client()).unwrap();
    context.set_security_level(0);
    context.set_verify(SslVerifyMode::NONE);
    context.set_options(SslOptions::ALLOW_UNSAFE_LEGACY_RENEGOTIATION);
    context.set_min_proto_version(Some(client.version)).unwrap();
    context.set_max_proto_version(Some(client.version)).unwrap();
    if client.version == SslVersion::TLS1_3 {
        context.set_ciphersuites(client.suites).unwrap();
    } else {
        context.set_cipher_list(client.suites).unwrap();
    }
    if !client.groups.is_empty() {
        context.set_groups_list(client.groups).unwrap();
    }
    if client.fragment > 0 {
        // SAFETY: the context is a live one.
        let set = unsafe { SSL_CTX_set_tlsext_max_fragment_length(context.as_ptr(), client.fragment) };
        assert_eq!(set, 1);
    }
    if client.with_certificate {
        let names = ["client".to_owned()];
        let certificates = super::certificates::Certificates { field: "", names: &names, key_of: None };
        certificates.install(&mut context, minted).unwrap();
    }
    context.build()
}

unsafe extern "C" {
    fn SSL_CTX_set_tlsext_max_fragment_length(context: *mut openssl_sys::SSL_CTX, mode: u8) -> std::ffi::c_int;
}

fn pass(stream: &mut SslStream<Pipe>, connection: &mut Connection, met: &mut Met) {
    let bytes = std::mem::take(&mut stream.get_mut().outgoing);
    if !bytes.is_empty() {
        connection.received(Instant::ZERO, &bytes);
    }
    while let Some(action) = connection.poll(Instant::ZERO) {
        if let Action::Send(bytes) = action {
            met.wire.extend_from_slice(&bytes);
            stream.get_mut().incoming.extend_from_slice(&bytes);
        }
    }
    for event in connection.take_events() {
        if let Happening::Secured(secured) = &event.happening {
            met.secured = Some(secured.clone());
        }
        met.happenings.push(event.happening);
    }
}

fn assert_served(met: &Met, what: &str) -> Secured {
    assert_eq!(met.heard, [0x20, 2, 0, 0], "{what}: {:?} {:?}", met.error, met.happenings);
    met.secured.clone().expect(what)
}

#[test]
fn every_version_and_suite_serves_a_client() {
    for suite in scenario::broker::Engine::Openssl.cipher_suites() {
        let pki = if suite.contains("ECDSA") || !suite.contains("_WITH_") { "" } else { "leaf.key = 'rsa2048'" };
        let versions: &[_] = if !suite.contains("_WITH_") {
            &[("1.3", SslVersion::TLS1_3, 0x304)]
        } else if suite.ends_with("_SHA") || suite.ends_with("_MD5") {
            &[("1.0", SslVersion::TLS1, 0x301), ("1.1", SslVersion::TLS1_1, 0x302), ("1.2", SslVersion::TLS1_2, 0x303)]
        } else {
            &[("1.2", SslVersion::TLS1_2, 0x303)]
        };
        for (name, version, number) in versions {
            let what = format!("{name} {suite}");
            let (mut broker, minted) = broker(pki, &format!("versions = ['{name}']\ncipher_suites = ['{suite}']"), 1);
            let suites = if *number == 0x304 { suite } else { "ALL:COMPLEMENTOFALL" };
            let met = meet(&mut broker, &minted, Client { version: *version, suites, ..Client::default() }, None);
            let secured = assert_served(&met, &what);
            assert_eq!(secured.version, *number, "{what}");
            assert_eq!(wire::tls::CipherSuite(secured.cipher_suite).name(), Some(*suite), "{what}");
            assert!(broker.key_log().lines().all(|line| line.split(' ').count() == 3), "{what}");
            let label = if *number == 0x304 { "SERVER_TRAFFIC_SECRET_0 " } else { "CLIENT_RANDOM " };
            assert!(broker.key_log().contains(label), "{what}");
        }
    }
}

#[test]
fn every_group_serves_a_client() {
    for (name, number, theirs, _) in super::groups::GROUPS {
        let (mut broker, minted) =
            broker("leaf.key = 'rsa2048'", &format!("versions = ['1.2']\ngroups = ['{name}']"), 1);
        let met = meet(&mut broker, &minted, Client { suites: "ECDHE", groups: theirs, ..Client::default() }, None);
        assert_eq!(assert_served(&met, name).group, Some(*number), "{name}");
    }
    for bits in scenario::broker::Broker::DH_BITS {
        let (mut broker, minted) = broker("leaf.key = 'rsa2048'", &format!("versions = ['1.2']\ndh_bits = {bits}"), 1);
        let met = meet(&mut broker, &minted, Client { suites: "DHE", ..Client::default() }, None);
        assert_served(&met, &format!("{bits} bits"));
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_thread() {
    let run = |pki: &str, script: &str, version, seed| {
        let (mut broker, minted) = broker(pki, script, seed);
        let suites = if version == SslVersion::TLS1_3 { "TLS_AES_128_GCM_SHA256" } else { "ALL" };
        let client = Client { version, suites, ..Client::default() };
        let first = meet(&mut broker, &minted, client, None);
        let again = meet(&mut broker, &minted, client, first.session.as_deref());
        assert_served(&first, script);
        (first.wire, again.wire, broker.key_log())
    };
    for (pki, script, version) in [
        (
            "leaf.key = 'rsa2048'",
            "versions = ['1.1']\ncipher_suites = ['TLS_RSA_WITH_AES_128_CBC_SHA']",
            SslVersion::TLS1_1,
        ),
        (
            "leaf.key = 'rsa2048'",
            "versions = ['1.2']\ncipher_suites = ['TLS_DHE_RSA_WITH_AES_128_CBC_SHA']",
            SslVersion::TLS1_2,
        ),
        ("leaf.key = 'p521'", "versions = ['1.2']\nsession_tickets = 1\nresumption = true", SslVersion::TLS1_2),
        ("", "versions = ['1.3']\nsession_tickets = 2\nresumption = true", SslVersion::TLS1_3),
        ("", "versions = ['1.2']\nresumption = true\nafterwards = { certificates = ['client'] }", SslVersion::TLS1_2),
        ("leaf.key = 'ed25519'", "versions = ['1.3']\ngroups = ['x448', 'x25519']", SslVersion::TLS1_3),
    ] {
        let here = run(pki, script, version, 1);
        let elsewhere = std::thread::scope(|scope| {
            let threads = [1, 1, 2].map(|seed| scope.spawn(move || run(pki, script, version, seed)));
            threads.map(|thread| thread.join().unwrap())
        });
        assert!(here == elsewhere[0] && here == elsewhere[1], "{script}");
        assert_ne!(here, elsewhere[2], "{script}: another seed");
    }
}

#[test]
fn sessions_are_resumed_when_the_script_says_so() {
    for (script, resumed) in [
        ("session_tickets = 1\nresumption = true\nticket_padding_bytes = 4000", true),
        ("session_tickets = 1", false),
        ("resumption = true", true),
        ("", false),
    ] {
        for (name, version) in [("1.1", SslVersion::TLS1_1), ("1.2", SslVersion::TLS1_2), ("1.3", SslVersion::TLS1_3)] {
            let (mut broker, minted) = broker("leaf.key = 'rsa2048'", &format!("versions = ['{name}']\n{script}"), 1);
            let is_tls13 = version == SslVersion::TLS1_3;
            let suites = if is_tls13 { "TLS_AES_128_GCM_SHA256" } else { "ALL" };
            let client = Client { version, suites, ..Client::default() };
            let first = meet(&mut broker, &minted, client, None);
            assert_served(&first, script);
            let second = meet(&mut broker, &minted, client, first.session.as_deref());
            // Without tickets, TLS 1.3 has no session to resume.
            let resumed = resumed && (script.contains("tickets") || !is_tls13);
            assert_eq!(assert_served(&second, script).resumed, resumed, "{name} {script}");
            assert!(!first.wire.windows(100).any(|window| window == [b'.'; 100]), "tickets are encrypted");
            assert_eq!(first.wire.len() > 4_000 + 1_200, script.contains("4000"), "{name} {script}");
        }
    }
}

/// Two connections with one session, to a broker that has changed in between.
fn meet_again(script: &str, version: SslVersion, later: SslVersion) -> [Met; 2] {
    let (mut broker, minted) = broker("stranger.profile = 'root'\nreplaced.issuer = 'stranger'", script, 1);
    let suites = if version == SslVersion::TLS1_3 { "TLS_AES_128_GCM_SHA256" } else { "ALL" };
    let client = Client { version, suites, ..Client::default() };
    let first = meet(&mut broker, &minted, client, None);
    assert_served(&first, script);
    let second = meet(&mut broker, &minted, Client { version: later, ..client }, first.session.as_deref());
    [first, second]
}

#[test]
fn sessions_outlive_a_new_certificate_and_no_restart() {
    for (name, version) in [("1.2", SslVersion::TLS1_2), ("1.3", SslVersion::TLS1_3)] {
        for tickets in ["", "session_tickets = 1"] {
            for (forgets_sessions, resumed) in [(false, true), (true, false)] {
                let script = format!(
                    "versions = ['{name}']\nresumption = true\n{tickets}\n\
                     afterwards = {{ certificates = ['replaced'], forgets_sessions = {forgets_sessions} }}"
                );
                let [first, second] = meet_again(&script, version, version);
                // Without tickets, TLS 1.3 has no session to resume.
                let resumed = resumed && !(name == "1.3" && tickets.is_empty());
                assert_eq!(assert_served(&second, &script).resumed, resumed, "{script}");
                assert_ne!(first.wire, second.wire, "{script}");
            }
        }
    }
}

/// OpenSSL looks for the session's suite in the client's list and not in its own: a scenario in which a suite is dropped is
/// for rustls.
#[test]
fn a_session_outlives_its_suite() {
    let script = "versions = ['1.2']\nresumption = true\n\
                  cipher_suites = ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256']\n\
                  afterwards = { cipher_suites = ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'] }";
    let [_, second] = meet_again(script, SslVersion::TLS1_2, SslVersion::TLS1_2);
    let second = assert_served(&second, script);
    assert_eq!((second.resumed, second.cipher_suite), (true, 0xc02b));
}

#[test]
fn a_session_is_resumed_under_what_it_was_not_made_under_and_openssl_as_the_client_notices() {
    for tickets in ["", "session_tickets = 1\n"] {
        let script = format!(
            "versions = ['1.2']\nresumption = true\n{tickets}\
             cipher_suites = ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256']\n\
             afterwards = {{ cipher_suites = ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'], \
             resumes_under = {{ cipher_suite = 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384' }} }}"
        );
        let [_, second] = meet_again(&script, SslVersion::TLS1_2, SslVersion::TLS1_2);
        let error = second.error.unwrap_or_default();
        assert!(error.contains("old session cipher not returned"), "{script}: {error}");
    }
}

#[test]
fn records_are_as_short_as_the_client_asks() {
    let (mut broker, minted) = broker("leaf.key = 'rsa4096'", "versions = ['1.2']", 1);
    // RFC 6066 §4: 1 stands for 512 bytes.
    let met = meet(&mut broker, &minted, Client { fragment: 1, ..Client::default() }, None);
    assert_served(&met, "max_fragment_length");
    let mut records = wire::tls::RecordDecoder::new();
    records.extend(&met.wire);
    let mut count = 0;
    while let Some(Ok(record)) = records.next_record() {
        // What encryption adds is not counted.
        assert!(record.fragment.len() <= 512 + 64, "{}", record.fragment.len());
        count += 1;
    }
    assert!(count > 4, "{count}");
}

#[test]
fn clients_show_certificates_which_are_judged_at_the_runs_date() {
    let script = "client_certificates = { request = 'required' }\nversions = ['1.2']";
    let client = Client { with_certificate: true, ..Client::default() };
    let (mut broker, minted) = self::broker("", script, 1);
    let secured = assert_served(&meet(&mut broker, &minted, client, None), "good");
    assert_eq!(secured.client_certificates[0], minted.certificates["client"].der);
    for (pki, with_certificate) in [("client.not_after = '-1d'", true), ("", false), ("client.issuer = 'self'", true)] {
        let (mut broker, minted) = self::broker(pki, script, 1);
        let met = meet(&mut broker, &minted, Client { with_certificate, ..client }, None);
        assert!(met.happenings.iter().any(|h| matches!(h, Happening::TlsFailed { alert: None, .. })), "{pki}");
    }
}

#[test]
fn a_new_handshake_is_made_when_the_script_asks_for_one() {
    let script = "versions = ['1.2']\non_finished = 'hello_request'";
    let (mut broker, minted) = broker("", script, 1);
    assert_served(&meet(&mut broker, &minted, Client::default(), None), script);
    assert_eq!(broker.key_log().lines().count(), 2, "two handshakes, two secrets");
}

#[test]
fn the_extended_main_secret_is_agreed_to_or_not() {
    const EXTENSION: [u8; 4] = [0, 23, 0, 0];
    for (script, expected) in [("", true), ("extended_main_secret = false", false)] {
        let (mut broker, minted) = broker("", &format!("versions = ['1.2']\n{script}"), 1);
        let met = meet(&mut broker, &minted, Client::default(), None);
        assert_served(&met, script);
        // ServerHello is in the first record, with some hundred bytes.
        assert_eq!(met.wire[..110].windows(4).any(|window| window == EXTENSION), expected, "{script}");
    }
}

#[test]
fn outside_of_a_connection_there_is_no_randomness() {
    library::initialise().unwrap();
    assert!(openssl::rand::rand_bytes(&mut [0; 8]).is_err());
}
