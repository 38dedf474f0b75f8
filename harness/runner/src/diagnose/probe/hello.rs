//! ClientHellos of the bench's own: one question each. Nobody goes on with the handshake, so no key is needed: a hello for
//! TLS 1.3 comes without key shares, which makes the broker name the group that it wants (RFC 9846 §4.2.4).

use wire::tls::{CipherSuite, ContentType, ExtensionType, HandshakeType, ProtocolVersion, Record};

/// What a hello offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// One version, or TLS 1.2 and 1.3.
    pub versions: Vec<ProtocolVersion>,
    /// Suites, best first.
    pub suites: Vec<u16>,
    /// Groups, best first.
    pub groups: Vec<u16>,
    /// Signature schemes, best first.
    pub schemes: Vec<u16>,
    /// The name for SNI; none is sent if there is none.
    pub server_name: Option<String>,
    /// The longest fragment that is asked for, as RFC 6066 §4 codes it: 1 is 512 bytes, 4 is 4096.
    pub fragment_code: Option<u8>,
}

/// The suites of TLS 1.2 and below that devices have, and that brokers are asked about.
const SUITES: &[&str] = &[
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CCM",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8",
    "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
    "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_RSA_WITH_AES_128_CCM",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_RC4_128_SHA",
];

/// The suites of TLS 1.3 (RFC 9846 §B.4).
pub const SUITES_OF_TLS_1_3: [u16; 5] = [0x1301, 0x1302, 0x1303, 0x1304, 0x1305];

/// The groups that brokers are asked about, by their IANA numbers: what devices have, and the hybrid that comes.
pub const GROUPS: [u16; 10] = [29, 23, 24, 25, 30, 26, 27, 28, 256, 4588];

/// The signature schemes that brokers are asked about.
pub const SCHEMES: [u16; 13] =
    [0x0403, 0x0503, 0x0603, 0x0807, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201, 0x0808];

/// The suites of TLS 1.2 and below, by their numbers.
pub fn suites() -> Vec<u16> {
    SUITES.iter().filter_map(|name| CipherSuite::from_name(name)).map(|suite| suite.0).collect()
}

impl Offer {
    /// Everything that there is for `versions`, with this name.
    pub fn everything(versions: &[ProtocolVersion], server_name: Option<&str>) -> Self {
        let has_1_3 = versions.contains(&ProtocolVersion::TLS_1_3);
        let has_older = versions.iter().any(|version| *version < ProtocolVersion::TLS_1_3);
        let mut all = if has_1_3 { SUITES_OF_TLS_1_3.to_vec() } else { Vec::new() };
        if has_older {
            all.extend(suites());
        }
        Self {
            versions: versions.to_vec(),
            suites: all,
            groups: GROUPS.to_vec(),
            schemes: SCHEMES.to_vec(),
            server_name: server_name.map(str::to_owned),
            fragment_code: None,
        }
    }

    /// The hello as a record, with these 64 bytes of randomness: for the hello and for the session that it makes believe of.
    pub fn record(&self, randomness: &[u8; 64]) -> Vec<u8> {
        let has_1_3 = self.versions.contains(&ProtocolVersion::TLS_1_3);
        let highest = self.versions.iter().max().copied().unwrap_or(ProtocolVersion::TLS_1_2);
        let (random, session) = randomness.split_at(32);
        let mut body = Vec::new();
        body.extend(highest.min(ProtocolVersion::TLS_1_2).0.to_be_bytes());
        body.extend(random);
        vector8(&mut body, if has_1_3 { session } else { &[] });
        vector16(&mut body, &numbers(&self.suites));
        vector8(&mut body, &[0]);
        vector16(&mut body, &self.extensions(has_1_3));
        let length = u32::try_from(body.len()).unwrap_or(0).to_be_bytes();
        let mut fragment = vec![HandshakeType::CLIENT_HELLO.0, length[1], length[2], length[3]];
        fragment.append(&mut body);
        // RFC 9846 §5.1: 1.0 on the record, whatever is meant, for the sake of old servers.
        let record = Record { content_type: ContentType::HANDSHAKE, version: ProtocolVersion::TLS_1_0, fragment };
        let mut out = Vec::new();
        record.encode(&mut out);
        out
    }

    fn extensions(&self, has_1_3: bool) -> Vec<u8> {
        let mut out = Vec::new();
        let mut add = |kind: ExtensionType, data: &[u8]| {
            out.extend(kind.0.to_be_bytes());
            vector16(&mut out, data);
        };
        if let Some(name) = &self.server_name {
            let mut entry = vec![0];
            vector16(&mut entry, name.as_bytes());
            add(ExtensionType::SERVER_NAME, &listed16(&entry));
        }
        if let Some(code) = self.fragment_code {
            add(ExtensionType::MAX_FRAGMENT_LENGTH, &[code]);
        }
        add(ExtensionType::SUPPORTED_GROUPS, &listed16(&numbers(&self.groups)));
        add(ExtensionType::EC_POINT_FORMATS, &[1, 0]);
        // Before TLS 1.2 nobody knows this one, and everybody passes over it.
        add(ExtensionType::SIGNATURE_ALGORITHMS, &listed16(&numbers(&self.schemes)));
        add(ExtensionType::EXTENDED_MAIN_SECRET, &[]);
        add(ExtensionType::RENEGOTIATION_INFO, &[0]);
        if has_1_3 {
            let versions: Vec<u16> = self.versions.iter().map(|version| version.0).collect();
            let mut list = Vec::new();
            vector8(&mut list, &numbers(&versions));
            add(ExtensionType::SUPPORTED_VERSIONS, &list);
            // An empty list of shares: "the server is to choose".
            add(ExtensionType::KEY_SHARE, &[0, 0]);
        }
        out
    }
}

fn numbers(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

fn vector8(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(u8::try_from(bytes.len()).unwrap_or(0));
    out.extend(bytes.iter().take(usize::from(u8::MAX)));
}

fn vector16(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(u16::try_from(bytes.len()).unwrap_or(0).to_be_bytes());
    out.extend(bytes.iter().take(usize::from(u16::MAX)));
}

fn listed16(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    vector16(&mut out, bytes);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::tls::{ClientHello, ClientHelloView, RecordView};

    fn read(offer: &Offer) -> ClientHello {
        let bytes = offer.record(&[7; 64]);
        let (record, length) = RecordView::parse(&bytes).expect("a record").expect("whole");
        assert_eq!(length, bytes.len());
        let view = ClientHelloView::parse(&record.fragment[4..]).expect("a hello");
        ClientHello::parse(&view).expect("suites")
    }

    #[test]
    fn a_hello_is_read_back_as_it_was_meant() {
        let both = [ProtocolVersion::TLS_1_3, ProtocolVersion::TLS_1_2];
        let offer = Offer { fragment_code: Some(2), ..Offer::everything(&both, Some("broker.test")) };
        let hello = read(&offer);
        assert_eq!(hello.server_name(), Some("broker.test"));
        assert_eq!(hello.versions(), both);
        assert_eq!(hello.cipher_suites.len(), SUITES_OF_TLS_1_3.len() + SUITES.len());
        assert_eq!((hello.groups().len(), hello.signature_schemes().len()), (GROUPS.len(), SCHEMES.len()));
        assert!(hello.key_shares().is_empty() && hello.malformed.is_empty() && !hello.is_cut);
        let old = read(&Offer::everything(&[ProtocolVersion::TLS_1_0], None));
        assert_eq!((old.version, old.server_name(), old.session_id_bytes), (ProtocolVersion::TLS_1_0, None, 0));
    }

    #[test]
    fn every_suite_is_registered() {
        assert_eq!(suites().len(), SUITES.len());
    }
}
