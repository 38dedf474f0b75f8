use super::*;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use proptest::prelude::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let (pairs, _) = digits.as_chunks::<2>();
    pairs.iter().map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// The hello that an ESP8266 with axTLS sent, from source document 000.
const AXTLS: &str = "16 0302 0033 01 00002f 0302
    00000000d0b1a13a071c1b3ef2fc0391d618b5ae5d776537f5071045d17e1aea
    00 0008 002f 0035 0005 0004 01 00";

fn hello(record: &[u8]) -> ClientHello {
    let (view, length) = RecordView::parse(record).expect("a record").expect("whole");
    assert_eq!(length, record.len());
    let mut handshake = HandshakeDecoder::new(20_000);
    handshake.extend(view.fragment);
    let message = handshake.next_message().expect("whole").expect("short");
    assert_eq!(message.kind, HandshakeType::CLIENT_HELLO);
    ClientHello::parse(&ClientHelloView::parse(&message.body).expect("well-formed")).expect("even lists")
}

#[test]
fn the_hello_of_source_000_reads_as_its_decoding_says() {
    let record = bytes(AXTLS);
    assert_eq!(record.len(), 56);
    let hello = hello(&record);
    assert_eq!(hello.version, ProtocolVersion::TLS_1_1);
    assert_eq!(hello.session_id_bytes, 0);
    assert_eq!(hello.extension_types, None);
    let names: Vec<String> = hello.cipher_suites.iter().map(ToString::to_string).collect();
    assert_eq!(
        names,
        [
            "TLS_RSA_WITH_AES_128_CBC_SHA",
            "TLS_RSA_WITH_AES_256_CBC_SHA",
            "TLS_RSA_WITH_RC4_128_SHA",
            "TLS_RSA_WITH_RC4_128_MD5",
        ]
    );
    assert_eq!(Ja3::of(&hello).full, "770,47-53-5-4,,,");
    // t: TCP, 11: TLS 1.1, i: no SNI, 04 suites, 00 extensions, no ALPN. The hash is sha256sum's.
    assert_eq!(Ja4::of(&hello).raw(), "t11i040000_0004,0005,002f,0035_");
    assert_eq!(Ja4::of(&hello).to_string(), "t11i040000_0b751be0765d_000000000000");
}

/// A hello made of lists, as a record.
fn build(version: u16, suites: &[u16], extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let list = |numbers: &[u16]| numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
    let mut body = version.to_be_bytes().to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend((suites.len() as u16 * 2).to_be_bytes());
    body.extend(list(suites));
    body.extend([1, 0]);
    let block: Vec<u8> = extensions
        .iter()
        .flat_map(|(kind, data)| [&kind.to_be_bytes()[..], &(data.len() as u16).to_be_bytes(), data].concat())
        .collect();
    body.extend((block.len() as u16).to_be_bytes());
    body.extend(block);
    let mut fragment = vec![1, 0];
    fragment.extend((body.len() as u16).to_be_bytes());
    fragment.extend(body);
    let mut record = vec![];
    let content_type = ContentType::HANDSHAKE;
    Record { content_type, version: ProtocolVersion::TLS_1_0, fragment }.encode(&mut record);
    record
}

fn list16(numbers: &[u16]) -> Vec<u8> {
    let mut data = (numbers.len() as u16 * 2).to_be_bytes().to_vec();
    data.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
    data
}

/// The worked example of FoxIO's JA4.md.
#[test]
fn ja4_of_the_specification_s_example() {
    let suites = [
        0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d,
        0x002f, 0x0035,
    ];
    let types = [
        0x2a2a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b, 0xff01,
        0x000b, 0x000a, 0x0015,
    ];
    let extensions = types.map(|kind| {
        let data = match kind {
            0x0000 => bytes("0006 00 0003 616263"),
            0x0010 => bytes("000c 02 6832 08 687474702f312e31"),
            0x000d => list16(&[0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601]),
            0x002b => bytes("06 3a3a 0304 0303"),
            _ => vec![],
        };
        (kind, data)
    });
    let fingerprint = Ja4::of(&hello(&build(0x0303, &suites, &extensions)));
    assert_eq!(fingerprint.to_string(), "t13d1516h2_8daaf6152771_e5627efa2ab1");
    assert_eq!(
        fingerprint.raw(),
        "t13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9_0005,000a,000b,000d,\
         0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01_0403,0804,0401,0503,0805,0501,0806,0601"
    );
    let without_schemes = extensions.map(|(kind, data)| (kind, if kind == 0x000d { vec![] } else { data }));
    let fingerprint = Ja4::of(&hello(&build(0x0303, &suites, &without_schemes)));
    assert_eq!(fingerprint.to_string(), "t13d1516h2_8daaf6152771_6d807ffa2a79");
}

/// The examples of the README of salesforce/ja3.
#[test]
fn ja3_of_the_published_examples() {
    let suites = [47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4];
    let extensions = [(0, bytes("0006 00 0003 616263")), (10, list16(&[23, 24, 25])), (11, vec![1, 0])];
    let ja3 = Ja3::of(&hello(&build(769, &suites, &extensions)));
    assert_eq!(ja3.full, "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0");
    assert_eq!(ja3.hash(), "ada70206e40642a3e4461f35503241d5");

    let ja3 = Ja3::of(&hello(&build(769, &[4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99], &[])));
    assert_eq!(ja3.full, "769,4-5-10-9-100-98-3-6-19-18-99,,,");
    assert_eq!(ja3.hash(), "de350869b8c85de67a350c8d186f11e6");
}

#[test]
fn every_extension_that_we_know_is_understood() {
    let parse = |kind, data: &str, within| {
        Extension::parse(ExtensionView { kind: ExtensionType(kind), data: &bytes(data) }, within)
    };
    let (client, server) = (HandshakeType::CLIENT_HELLO, HandshakeType::SERVER_HELLO);
    for (kind, data, within, expected) in [
        (0, "0006 00 0003 616263", client, Extension::ServerName(Some("abc".to_string()))),
        (0, "", server, Extension::ServerName(None)),
        (1, "01", client, Extension::MaxFragmentLength(512)),
        (1, "04", client, Extension::MaxFragmentLength(4096)),
        (10, "0004 001d 0017", client, Extension::SupportedGroups(vec![NamedGroup(29), NamedGroup(23)])),
        (11, "01 00", client, Extension::EcPointFormats(vec![0])),
        (13, "0002 0403", client, Extension::SignatureAlgorithms(vec![SignatureScheme(0x0403)])),
        (16, "0005 04 6d717474", client, Extension::Alpn(vec![b"mqtt".to_vec()])),
        (22, "", client, Extension::EncryptThenMac),
        (23, "", server, Extension::ExtendedMainSecret),
        (28, "4001", client, Extension::RecordSizeLimit(16_385)),
        (35, "010203", client, Extension::SessionTicket(3)),
        (41, "0009 0003 616263 00000000 0004 03 010203", client, Extension::PreSharedKey(1)),
        (41, "0002", server, Extension::PreSharedKey(2)),
        (
            43,
            "04 0304 0303",
            client,
            Extension::SupportedVersions(vec![ProtocolVersion(0x304), ProtocolVersion(0x303)]),
        ),
        (43, "0304", server, Extension::SupportedVersions(vec![ProtocolVersion::TLS_1_3])),
        (44, "0002 0102", server, Extension::Cookie(2)),
        (45, "01 01", client, Extension::PskKeyExchangeModes(vec![1])),
        (51, "0007 001d 0003 010203", client, Extension::KeyShare(vec![NamedGroup(29)])),
        (51, "001d 0003 010203", server, Extension::KeyShare(vec![NamedGroup(29)])),
        (51, "0017", server, Extension::KeyShare(vec![NamedGroup(23)])),
        (65281, "00", client, Extension::RenegotiationInfo(0)),
        (57, "0102", client, Extension::Other(ExtensionType(57))),
    ] {
        assert_eq!(parse(kind, data, within), Ok(expected), "extension {kind}");
    }
    for (kind, data) in
        [(0, "0006 00 0004 616263"), (1, "05"), (1, "0101"), (10, "0003 001d00"), (16, "0005 05 6d717474")]
    {
        assert!(parse(kind, data, client).is_err(), "extension {kind} {data}");
    }
}

#[test]
fn a_malformed_extension_does_not_hide_the_others() {
    let extensions = [(10, bytes("0003 001d00")), (0, bytes("0006 00 0003 616263")), (0x5a5a, vec![])];
    let hello = hello(&build(0x0303, &[0x1301], &extensions));
    assert_eq!(hello.malformed, [ExtensionType::SUPPORTED_GROUPS]);
    assert_eq!(hello.server_name(), Some("abc"));
    assert_eq!(hello.extension_types.unwrap()[2].to_string(), "GREASE");
}

#[test]
fn a_retry_request_is_told_from_a_hello() {
    // SHA-256 of "HelloRetryRequest" (RFC 9846 §4.2.3), computed here by the crate sha2.
    use sha2::Digest;
    assert_eq!(ServerHelloView::RETRY_RANDOM[..], sha2::Sha256::digest(b"HelloRetryRequest")[..]);

    let body =
        [bytes("0303"), ServerHelloView::RETRY_RANDOM.to_vec(), bytes("00 1301 00 000c 002b 0002 0304 0033 0002 0017")]
            .concat();
    let hello = ServerHello::parse(&ServerHelloView::parse(&body).expect("well-formed"));
    assert!(hello.is_retry_request);
    assert_eq!(hello.version, ProtocolVersion::TLS_1_3);
    assert_eq!(hello.group(), Some(NamedGroup(23)));
}

#[test]
fn messages_between_hello_and_finished_are_read_in_both_versions() {
    let (v1_2, v1_3) = (ProtocolVersion::TLS_1_2, ProtocolVersion::TLS_1_3);
    let two = bytes("00000b 000003 616263 000002 6465");
    assert_eq!(CertificateChain::parse(&two, v1_2).unwrap().certificates, [&b"abc"[..], b"de"]);
    let two = bytes("00 00000f 000003 616263 0000 000002 6465 0000");
    assert_eq!(CertificateChain::parse(&two, v1_3).unwrap().certificates, [&b"abc"[..], b"de"]);
    assert_eq!(CertificateChain::parse(&bytes("00000b 000003 61"), v1_2), Err(Malformed::Truncated));

    let request = bytes("02 01 40 0004 0403 0804 0005 0003 616263");
    let request = CertificateRequest::parse(&request, v1_2).unwrap();
    assert_eq!(request.certificate_types, [1, 64]);
    assert_eq!(request.signature_schemes, [SignatureScheme(0x0403), SignatureScheme(0x0804)]);
    assert_eq!(request.authorities, [b"abc"]);
    let request = bytes("00 0013 000d 0004 0002 0403 002f 0007 0005 0003 616263");
    let request = CertificateRequest::parse(&request, v1_3).unwrap();
    assert_eq!(request.signature_schemes, [SignatureScheme(0x0403)]);
    assert_eq!(request.authorities, [b"abc"]);

    let exchange = |body: &str, suite| ServerKeyExchange::parse(&bytes(body), v1_2, CipherSuite(suite)).unwrap();
    let ecdhe = exchange("03 0017 03 040102 0403 0002 3000", 0xc02b);
    assert_eq!(ecdhe.exchange, KeyExchange::Ecdhe(NamedGroup(23)));
    assert_eq!(ecdhe.scheme, Some(SignatureScheme(0x0403)));
    let dhe = exchange("0003 00ff03 0001 02 0001 05 0401 0002 3000", 0x009e);
    assert_eq!(dhe.exchange, KeyExchange::Dhe { prime_bits: 16 });

    let verify = CertificateVerify::parse(&bytes("0804 0003 010203"), v1_3).unwrap();
    assert_eq!((verify.scheme, verify.signature_bytes), (Some(SignatureScheme(0x0804)), 3));
    let ticket = NewSessionTicket::parse(&bytes("00001c20 01020304 01 00 0002 0102 0000"), v1_3).unwrap();
    assert_eq!(ticket, NewSessionTicket { lifetime_s: 7200, ticket_bytes: 2 });
    let ticket = NewSessionTicket::parse(&bytes("0000012c 0003 010203"), v1_2).unwrap();
    assert_eq!(ticket, NewSessionTicket { lifetime_s: 300, ticket_bytes: 3 });
}

#[test]
fn records_and_messages_are_joined_however_they_are_cut() {
    let record = bytes(AXTLS);
    let mut split = vec![];
    for part in record[5..].chunks(7) {
        let version = ProtocolVersion::TLS_1_1;
        Record { content_type: ContentType::HANDSHAKE, version, fragment: part.to_vec() }.encode(&mut split);
    }
    let mut records = RecordDecoder::new();
    let mut messages = HandshakeDecoder::new(100);
    let mut found = vec![];
    for byte in split {
        records.extend(&[byte]);
        while let Some(record) = records.next_record() {
            messages.extend(&record.expect("a record").fragment);
            found.extend(messages.next_message());
        }
    }
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].as_ref().unwrap().body, record[9..]);
}

#[test]
fn what_is_no_tls_is_said_to_be_none() {
    for garbage in [&b"HTTP/1.1 400 Bad Request"[..], b"\x16\x02", &[0x16, 3, 9], &[0x80, 0x2e, 1]] {
        let mut records = RecordDecoder::new();
        records.extend(garbage);
        assert_eq!(records.next_record(), Some(Err(NotARecord)));
        assert_eq!(records.next_record(), None);
        assert_eq!(records.pending(), garbage);
    }
    let mut messages = HandshakeDecoder::new(100);
    messages.extend(&[11, 0xff, 0xff, 0xff]);
    let too_long = TooLong { kind: HandshakeType::CERTIFICATE, body_bytes: 0xff_ffff };
    assert_eq!(messages.next_message(), Some(Err(too_long)));
    messages.extend(&[0; 100]);
    assert_eq!(messages.next_message(), None);
}

/// Wireshark's tables against ours, where tshark is installed.
#[test]
fn names_agree_with_wireshark() {
    extern crate std;
    use std::process::Command;
    let Ok(values) = Command::new("tshark").args(["-G", "values"]).output() else {
        std::println!("skipped: no tshark here");
        return;
    };
    let values = String::from_utf8_lossy(&values.stdout);
    let mut compared = 0;
    for line in values.lines() {
        let mut columns = line.split('\t').skip(1);
        let (Some(field), Some(number), Some(theirs)) = (columns.next(), columns.next(), columns.next()) else {
            continue;
        };
        let number = match number.strip_prefix("0x") {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        let Ok(Ok(number)) = number.map(u16::try_from) else { continue };
        let ours = match field {
            "tls.handshake.extension.type" => ExtensionType(number).name(),
            "tls.handshake.extensions_supported_group" if !(512..768).contains(&number) => NamedGroup(number).name(),
            "tls.handshake.sig_hash_alg" => SignatureScheme(number).name(),
            "tls.handshake.ciphersuite" => CipherSuite(number).name(),
            _ => None,
        };
        // Renamed since Wireshark 4.0 was made: RFC 9847, RFC 9345.
        let renamed = ["extended_master_secret", "delegated_credentials"];
        if let Some(ours) = ours.filter(|_| !renamed.contains(&theirs)) {
            assert_eq!(ours, theirs, "{field} {number}");
            compared += 1;
        }
    }
    assert!(compared == 0 || compared > 300, "only {compared} names compared: has the format of the tables changed?");
}

fn drawn_hello() -> impl Strategy<Value = Vec<u8>> {
    let number = || prop_oneof![any::<u16>(), 0..60u16];
    let extension = prop_oneof![
        (number(), proptest::collection::vec(any::<u8>(), 0..40)),
        proptest::collection::vec(number(), 0..9).prop_map(|groups| (10, list16(&groups))),
        proptest::collection::vec(number(), 0..9).prop_map(|schemes| (13, list16(&schemes))),
        "[a-z.]{1,30}".prop_map(|name| {
            let length = name.len() as u16;
            let mut data = (length + 3).to_be_bytes().to_vec();
            data.push(0);
            data.extend(length.to_be_bytes());
            data.extend(name.bytes());
            (0, data)
        }),
    ];
    (0x0300..0x0305u16, proptest::collection::vec(number(), 1..40), proptest::collection::vec(extension, 0..12))
        .prop_map(|(version, suites, extensions)| build(version, &suites, &extensions))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3_000,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(0x5eed),
        ..ProptestConfig::default()
    })]

    #[test]
    fn hellos_read_as_the_crate_tls_parser_reads_them(record in drawn_hello()) {
        let ours = hello(&record);
        let (_, theirs) = tls_parser::parse_tls_plaintext(&record).expect("the oracle reads it");
        let tls_parser::TlsMessage::Handshake(tls_parser::TlsMessageHandshake::ClientHello(theirs)) = &theirs.msg[0] else {
            return Err(TestCaseError::fail("no hello"));
        };
        prop_assert_eq!(ours.version.0, theirs.version.0);
        let suites: Vec<u16> = theirs.ciphers.iter().map(|suite| suite.0).collect();
        prop_assert_eq!(ours.cipher_suites.iter().map(|suite| suite.0).collect::<Vec<_>>(), suites);
        if let Ok((_, extensions)) = tls_parser::parse_tls_client_hello_extensions(theirs.ext.unwrap_or_default()) {
            for extension in extensions {
                match extension {
                    tls_parser::TlsExtension::EllipticCurves(groups) => {
                        let groups = groups.iter().map(|group| NamedGroup(group.0)).collect();
                        prop_assert!(ours.extensions.contains(&Extension::SupportedGroups(groups)));
                    }
                    tls_parser::TlsExtension::SignatureAlgorithms(schemes) => {
                        let schemes = schemes.iter().map(|scheme| SignatureScheme(*scheme)).collect();
                        prop_assert!(ours.extensions.contains(&Extension::SignatureAlgorithms(schemes)));
                    }
                    _ => {}
                }
            }
        }
    }

    /// Whatever comes, reading it ends, and with a value.
    #[test]
    fn damaged_hellos_are_read_without_panic(
        record in drawn_hello(),
        damage in proptest::collection::vec((any::<u16>(), any::<u8>()), 0..5),
        cut in any::<u16>(),
    ) {
        let mut record = record;
        for (at, value) in damage {
            let at = usize::from(at) % record.len();
            record[at] = value;
        }
        record.truncate(usize::from(cut) % (record.len() + 1));
        let mut records = RecordDecoder::new();
        records.extend(&record);
        let mut messages = HandshakeDecoder::new(1_000);
        while let Some(Ok(record)) = records.next_record() {
            messages.extend(&record.fragment);
        }
        while let Some(Ok(message)) = messages.next_message() {
            if let Ok(Ok(hello)) = ClientHelloView::parse(&message.body).map(|view| ClientHello::parse(&view)) {
                let _ = format!("{:?} {} {}", Ja3::of(&hello), Ja3::of(&hello).hash(), Ja4::of(&hello));
            }
            if let Ok(view) = ServerHelloView::parse(&message.body) {
                let _ = ServerHello::parse(&view).group();
            }
            for version in [0x0302, 0x0303, 0x0304].map(ProtocolVersion) {
                let _ = CertificateChain::parse(&message.body, version);
                let _ = CertificateRequest::parse(&message.body, version);
                let _ = ServerKeyExchange::parse(&message.body, version, CipherSuite(0xc02b));
                let _ = ServerKeyExchange::parse(&message.body, version, CipherSuite(0x009e));
                let _ = CertificateVerify::parse(&message.body, version);
                let _ = NewSessionTicket::parse(&message.body, version);
                let _ = EncryptedExtensions::parse(&message.body);
            }
        }
    }
}
