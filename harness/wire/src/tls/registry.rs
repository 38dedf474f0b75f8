//! Numbers and their names, as IANA registers them ("Transport Layer Security Parameters", "TLS ExtensionType
//! Values"). A number without a name is shown as itself. The names of alerts live in the crate `outcome`, because the
//! device's report uses them too.

use core::fmt;

/// Values that a sender strews in to keep receivers tolerant (RFC 8701 §2): 0x0a0a, 0x1a1a, … 0xfafa.
pub const fn is_grease(number: u16) -> bool {
    number & 0x0f0f == 0x0a0a && number >> 8 == number & 0xff
}

macro_rules! registry {
    ($(#[$doc:meta])* $name:ident($number:ty) { $($code:literal => $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $number);

        impl $name {
            /// Every number that has a name here.
            pub const REGISTERED: &'static [($number, &'static str)] = &[$(($code, $text),)*];

            /// The registered name, if there is one.
            pub fn name(self) -> Option<&'static str> {
                Self::REGISTERED.iter().find(|(code, _)| *code == self.0).map(|(_, name)| *name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None if is_grease(u16::from(self.0)) => f.write_str("GREASE"),
                    None => write!(f, "{:#x}", self.0),
                }
            }
        }
    };
}

registry! {
    /// What a record carries (RFC 9846 §5.1).
    ContentType(u8) {
        20 => "change_cipher_spec",
        21 => "alert",
        22 => "handshake",
        23 => "application_data",
        24 => "heartbeat",
    }
}

impl ContentType {
    /// RFC 5246 §7.1; in TLS 1.3 sent for the sake of middleboxes only.
    pub const CHANGE_CIPHER_SPEC: Self = Self(20);
    /// RFC 9846 §6.
    pub const ALERT: Self = Self(21);
    /// RFC 9846 §4.
    pub const HANDSHAKE: Self = Self(22);
    /// In TLS 1.3 also whatever else is encrypted.
    pub const APPLICATION_DATA: Self = Self(23);
    /// RFC 6520.
    pub const HEARTBEAT: Self = Self(24);
}

registry! {
    /// A protocol version in the short form that transcripts use (RFC 9846 §4.3.1).
    ProtocolVersion(u16) {
        0x0300 => "ssl3.0",
        0x0301 => "1.0",
        0x0302 => "1.1",
        0x0303 => "1.2",
        0x0304 => "1.3",
    }
}

impl ProtocolVersion {
    /// SSL 3.0 (RFC 6101).
    pub const SSL_3_0: Self = Self(0x0300);
    /// TLS 1.0 (RFC 2246).
    pub const TLS_1_0: Self = Self(0x0301);
    /// TLS 1.1 (RFC 4346).
    pub const TLS_1_1: Self = Self(0x0302);
    /// TLS 1.2 (RFC 5246).
    pub const TLS_1_2: Self = Self(0x0303);
    /// TLS 1.3 (RFC 9846).
    pub const TLS_1_3: Self = Self(0x0304);
}

registry! {
    /// A handshake message's type, spelt as the messages are called in the RFCs' figures.
    HandshakeType(u8) {
        0 => "HelloRequest",
        1 => "ClientHello",
        2 => "ServerHello",
        3 => "HelloVerifyRequest",
        4 => "NewSessionTicket",
        5 => "EndOfEarlyData",
        8 => "EncryptedExtensions",
        11 => "Certificate",
        12 => "ServerKeyExchange",
        13 => "CertificateRequest",
        14 => "ServerHelloDone",
        15 => "CertificateVerify",
        16 => "ClientKeyExchange",
        20 => "Finished",
        21 => "CertificateURL",
        22 => "CertificateStatus",
        23 => "SupplementalData",
        24 => "KeyUpdate",
        25 => "CompressedCertificate",
        254 => "MessageHash",
    }
}

#[allow(missing_docs, reason = "named as in the registry; RFC 8446 §4, RFC 5246 §7.4")]
impl HandshakeType {
    pub const HELLO_REQUEST: Self = Self(0);
    pub const CLIENT_HELLO: Self = Self(1);
    pub const SERVER_HELLO: Self = Self(2);
    pub const NEW_SESSION_TICKET: Self = Self(4);
    pub const ENCRYPTED_EXTENSIONS: Self = Self(8);
    pub const CERTIFICATE: Self = Self(11);
    pub const SERVER_KEY_EXCHANGE: Self = Self(12);
    pub const CERTIFICATE_REQUEST: Self = Self(13);
    pub const SERVER_HELLO_DONE: Self = Self(14);
    pub const CERTIFICATE_VERIFY: Self = Self(15);
    pub const CLIENT_KEY_EXCHANGE: Self = Self(16);
    pub const FINISHED: Self = Self(20);
    pub const CERTIFICATE_STATUS: Self = Self(22);
    pub const KEY_UPDATE: Self = Self(24);
}

registry! {
    /// A group for key agreement (RFC 9846 §4.3.7, RFC 8422 §5.1.1).
    NamedGroup(u16) {
        1 => "sect163k1",
        2 => "sect163r1",
        3 => "sect163r2",
        4 => "sect193r1",
        5 => "sect193r2",
        6 => "sect233k1",
        7 => "sect233r1",
        8 => "sect239k1",
        9 => "sect283k1",
        10 => "sect283r1",
        11 => "sect409k1",
        12 => "sect409r1",
        13 => "sect571k1",
        14 => "sect571r1",
        15 => "secp160k1",
        16 => "secp160r1",
        17 => "secp160r2",
        18 => "secp192k1",
        19 => "secp192r1",
        20 => "secp224k1",
        21 => "secp224r1",
        22 => "secp256k1",
        23 => "secp256r1",
        24 => "secp384r1",
        25 => "secp521r1",
        26 => "brainpoolP256r1",
        27 => "brainpoolP384r1",
        28 => "brainpoolP512r1",
        29 => "x25519",
        30 => "x448",
        31 => "brainpoolP256r1tls13",
        32 => "brainpoolP384r1tls13",
        33 => "brainpoolP512r1tls13",
        41 => "curveSM2",
        256 => "ffdhe2048",
        257 => "ffdhe3072",
        258 => "ffdhe4096",
        259 => "ffdhe6144",
        260 => "ffdhe8192",
        512 => "MLKEM512",
        513 => "MLKEM768",
        514 => "MLKEM1024",
        4587 => "SecP256r1MLKEM768",
        4588 => "X25519MLKEM768",
        4589 => "SecP384r1MLKEM1024",
        65281 => "arbitrary_explicit_prime_curves",
        65282 => "arbitrary_explicit_char2_curves",
    }
}

registry! {
    /// A signature scheme (RFC 9846 §4.3.3); the pairs of TLS 1.2 that 1.3 dropped have no name there and go by
    /// algorithm and hash.
    SignatureScheme(u16) {
        0x0101 => "rsa_md5",
        0x0201 => "rsa_pkcs1_sha1",
        0x0202 => "dsa_sha1",
        0x0203 => "ecdsa_sha1",
        0x0301 => "rsa_sha224",
        0x0302 => "dsa_sha224",
        0x0303 => "ecdsa_sha224",
        0x0401 => "rsa_pkcs1_sha256",
        0x0402 => "dsa_sha256",
        0x0403 => "ecdsa_secp256r1_sha256",
        0x0420 => "rsa_pkcs1_sha256_legacy",
        0x0501 => "rsa_pkcs1_sha384",
        0x0502 => "dsa_sha384",
        0x0503 => "ecdsa_secp384r1_sha384",
        0x0520 => "rsa_pkcs1_sha384_legacy",
        0x0601 => "rsa_pkcs1_sha512",
        0x0602 => "dsa_sha512",
        0x0603 => "ecdsa_secp521r1_sha512",
        0x0620 => "rsa_pkcs1_sha512_legacy",
        0x0708 => "sm2sig_sm3",
        0x0804 => "rsa_pss_rsae_sha256",
        0x0805 => "rsa_pss_rsae_sha384",
        0x0806 => "rsa_pss_rsae_sha512",
        0x0807 => "ed25519",
        0x0808 => "ed448",
        0x0809 => "rsa_pss_pss_sha256",
        0x080a => "rsa_pss_pss_sha384",
        0x080b => "rsa_pss_pss_sha512",
        0x081a => "ecdsa_brainpoolP256r1tls13_sha256",
        0x081b => "ecdsa_brainpoolP384r1tls13_sha384",
        0x081c => "ecdsa_brainpoolP512r1tls13_sha512",
        0x0904 => "mldsa44",
        0x0905 => "mldsa65",
        0x0906 => "mldsa87",
    }
}

registry! {
    /// A hello extension's type.
    ExtensionType(u16) {
        0 => "server_name",
        1 => "max_fragment_length",
        2 => "client_certificate_url",
        3 => "trusted_ca_keys",
        4 => "truncated_hmac",
        5 => "status_request",
        6 => "user_mapping",
        7 => "client_authz",
        8 => "server_authz",
        9 => "cert_type",
        10 => "supported_groups",
        11 => "ec_point_formats",
        12 => "srp",
        13 => "signature_algorithms",
        14 => "use_srtp",
        15 => "heartbeat",
        16 => "application_layer_protocol_negotiation",
        17 => "status_request_v2",
        18 => "signed_certificate_timestamp",
        19 => "client_certificate_type",
        20 => "server_certificate_type",
        21 => "padding",
        22 => "encrypt_then_mac",
        23 => "extended_main_secret",
        24 => "token_binding",
        25 => "cached_info",
        27 => "compress_certificate",
        28 => "record_size_limit",
        34 => "delegated_credential",
        35 => "session_ticket",
        41 => "pre_shared_key",
        42 => "early_data",
        43 => "supported_versions",
        44 => "cookie",
        45 => "psk_key_exchange_modes",
        47 => "certificate_authorities",
        48 => "oid_filters",
        49 => "post_handshake_auth",
        50 => "signature_algorithms_cert",
        51 => "key_share",
        52 => "transparency_info",
        54 => "connection_id",
        55 => "external_id_hash",
        56 => "external_session_id",
        57 => "quic_transport_parameters",
        58 => "ticket_request",
        59 => "dnssec_chain",
        17513 => "application_settings",
        17613 => "application_settings_new",
        65037 => "encrypted_client_hello",
        65281 => "renegotiation_info",
    }
}

#[allow(missing_docs, reason = "named as in the registry")]
impl ExtensionType {
    pub const SERVER_NAME: Self = Self(0);
    pub const MAX_FRAGMENT_LENGTH: Self = Self(1);
    pub const STATUS_REQUEST: Self = Self(5);
    pub const SUPPORTED_GROUPS: Self = Self(10);
    pub const EC_POINT_FORMATS: Self = Self(11);
    pub const SIGNATURE_ALGORITHMS: Self = Self(13);
    pub const ALPN: Self = Self(16);
    pub const ENCRYPT_THEN_MAC: Self = Self(22);
    pub const EXTENDED_MAIN_SECRET: Self = Self(23);
    pub const RECORD_SIZE_LIMIT: Self = Self(28);
    pub const SESSION_TICKET: Self = Self(35);
    pub const PRE_SHARED_KEY: Self = Self(41);
    pub const EARLY_DATA: Self = Self(42);
    pub const SUPPORTED_VERSIONS: Self = Self(43);
    pub const COOKIE: Self = Self(44);
    pub const PSK_KEY_EXCHANGE_MODES: Self = Self(45);
    pub const CERTIFICATE_AUTHORITIES: Self = Self(47);
    pub const KEY_SHARE: Self = Self(51);
    pub const RENEGOTIATION_INFO: Self = Self(65281);
}

/// A cipher suite. Names and properties come from the crate `tls-parser`, which generates them from IANA's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CipherSuite(pub u16);

impl CipherSuite {
    /// "I can do secure renegotiation" for clients without extensions (RFC 5746 §3.3).
    pub const EMPTY_RENEGOTIATION_INFO_SCSV: Self = Self(0x00ff);
    /// "This is a retry with a lower version" (RFC 7507).
    pub const FALLBACK_SCSV: Self = Self(0x5600);

    /// The registered name, if there is one.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::EMPTY_RENEGOTIATION_INFO_SCSV => Some("TLS_EMPTY_RENEGOTIATION_INFO_SCSV"),
            Self::FALLBACK_SCSV => Some("TLS_FALLBACK_SCSV"),
            _ => self.parameters().map(|suite| suite.name),
        }
    }

    /// The suite that is registered under `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        tls_parser::TlsCipherSuite::from_name(name).map(|suite| Self(suite.id.0))
    }

    /// What the suite is made of.
    pub fn parameters(self) -> Option<&'static tls_parser::TlsCipherSuite> {
        tls_parser::TlsCipherSuite::from_id(self.0)
    }

    /// A signal rather than a suite: nobody can choose it.
    pub const fn is_signal(self) -> bool {
        matches!(self, Self::EMPTY_RENEGOTIATION_INFO_SCSV | Self::FALLBACK_SCSV)
    }
}

impl fmt::Display for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None if is_grease(self.0) => f.write_str("GREASE"),
            None => write!(f, "{:#06x}", self.0),
        }
    }
}
