//! ClientHello and ServerHello (RFC 9846 §4.2, RFC 5246 §7.4.1).

use alloc::vec::Vec;

use super::cursor::{Cursor, numbers};
use super::{
    CipherSuite, Extension, ExtensionType, Extensions, HandshakeType, Malformed, NamedGroup, ProtocolVersion,
    SignatureScheme,
};

/// A ClientHello as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientHelloView<'a> {
    /// `legacy_version`: the highest version, for clients that know no better way to say it.
    pub version: ProtocolVersion,
    /// 32 bytes of randomness; the first four were once the time (RFC 5246 §7.4.1.2).
    pub random: &'a [u8; 32],
    /// A session to resume, or the make-believe of TLS 1.3.
    pub session_id: &'a [u8],
    /// Two bytes each.
    pub cipher_suites: &'a [u8],
    /// One byte each.
    pub compression_methods: &'a [u8],
    /// `None` if the hello ends before its extensions, as hellos before TLS 1.2 may.
    pub extensions: Option<Extensions<'a>>,
}

impl<'a> ClientHelloView<'a> {
    /// The hello in the body of a handshake message.
    ///
    /// # Errors
    /// If its outer structure does not hold.
    pub fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut body = Cursor::new(body);
        let view = Self {
            version: ProtocolVersion(body.u16()?),
            random: body.array()?,
            session_id: body.vector8()?,
            cipher_suites: body.vector16()?,
            compression_methods: body.vector8()?,
            extensions: optional_extensions(&mut body)?,
        };
        body.finish().map(|()| view)
    }
}

fn optional_extensions<'a>(body: &mut Cursor<'a>) -> Result<Option<Extensions<'a>>, Malformed> {
    if body.is_empty() { Ok(None) } else { Ok(Some(Extensions { bytes: body.vector16()? })) }
}

/// What we understand of a ClientHello. GREASE values are still among the lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    /// `legacy_version`.
    pub version: ProtocolVersion,
    /// Length of the session identifier.
    pub session_id_bytes: usize,
    /// Suites offered, in preference order.
    pub cipher_suites: Vec<CipherSuite>,
    /// The types of its extensions, in the order in which they came; `None` if it has no extensions block.
    pub extension_types: Option<Vec<ExtensionType>>,
    /// The extensions that we understand.
    pub extensions: Vec<Extension>,
    /// The types of those whose contents are not what their RFC says.
    pub malformed: Vec<ExtensionType>,
    /// The extensions block breaks off inside an extension.
    pub is_cut: bool,
}

impl ClientHello {
    /// What `view` says.
    ///
    /// # Errors
    /// If the list of suites is no list of two-byte numbers.
    pub fn parse(view: &ClientHelloView<'_>) -> Result<Self, Malformed> {
        let understood = Understood::new(view.extensions.unwrap_or_default(), HandshakeType::CLIENT_HELLO);
        Ok(Self {
            version: view.version,
            session_id_bytes: view.session_id.len(),
            cipher_suites: numbers(view.cipher_suites)?.map(CipherSuite).collect(),
            extension_types: view.extensions.map(|_| understood.types),
            extensions: understood.extensions,
            malformed: understood.malformed,
            is_cut: understood.is_cut,
        })
    }

    /// The name that the client asks for (SNI).
    pub fn server_name(&self) -> Option<&str> {
        self.find(|extension| match extension {
            Extension::ServerName(name) => name.as_deref(),
            _ => None,
        })
    }

    /// The versions that the client speaks, highest first and GREASE left out. Without the extension, TLS 1.2 and
    /// older clients speak their version and, so they imply, all below it: only the highest is told.
    pub fn versions(&self) -> Vec<ProtocolVersion> {
        let listed = self.find(|extension| match extension {
            Extension::SupportedVersions(versions) => Some(versions.clone()),
            _ => None,
        });
        let mut versions = listed.unwrap_or_else(|| [self.version].into());
        versions.retain(|version| !super::is_grease(version.0));
        versions.sort_unstable_by(|a, b| b.cmp(a));
        versions
    }

    /// The groups that the client can agree on keys in.
    pub fn groups(&self) -> &[NamedGroup] {
        self.find(|extension| match extension {
            Extension::SupportedGroups(groups) => Some(&groups[..]),
            _ => None,
        })
        .unwrap_or_default()
    }

    /// The groups for which it sends key shares.
    pub fn key_shares(&self) -> &[NamedGroup] {
        self.find(|extension| match extension {
            Extension::KeyShare(groups) => Some(&groups[..]),
            _ => None,
        })
        .unwrap_or_default()
    }

    /// The signatures that it can check.
    pub fn signature_schemes(&self) -> &[SignatureScheme] {
        self.find(|extension| match extension {
            Extension::SignatureAlgorithms(schemes) => Some(&schemes[..]),
            _ => None,
        })
        .unwrap_or_default()
    }

    /// The application protocols that it offers (ALPN).
    pub fn alpn(&self) -> &[Vec<u8>] {
        self.find(|extension| match extension {
            Extension::Alpn(protocols) => Some(&protocols[..]),
            _ => None,
        })
        .unwrap_or_default()
    }

    /// The first extension that `pick` makes something of.
    pub fn find<'a, T>(&'a self, pick: impl Fn(&'a Extension) -> Option<T>) -> Option<T> {
        self.extensions.iter().find_map(pick)
    }
}

/// A ServerHello as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerHelloView<'a> {
    /// `legacy_version`.
    pub version: ProtocolVersion,
    /// 32 bytes of randomness, or the sign of a HelloRetryRequest.
    pub random: &'a [u8; 32],
    /// The session that is resumed, or the client's make-believe sent back.
    pub session_id: &'a [u8],
    /// The suite chosen.
    pub cipher_suite: CipherSuite,
    /// The compression chosen: none, one hopes.
    pub compression_method: u8,
    /// `None` if the hello ends before its extensions.
    pub extensions: Option<Extensions<'a>>,
}

impl<'a> ServerHelloView<'a> {
    /// SHA-256 of "HelloRetryRequest": the `random` that makes a ServerHello one (RFC 9846 §4.2.3).
    pub const RETRY_RANDOM: [u8; 32] = [
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2,
        0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
    ];

    /// The hello in the body of a handshake message.
    ///
    /// # Errors
    /// If its outer structure does not hold.
    pub fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut body = Cursor::new(body);
        let view = Self {
            version: ProtocolVersion(body.u16()?),
            random: body.array()?,
            session_id: body.vector8()?,
            cipher_suite: CipherSuite(body.u16()?),
            compression_method: body.u8()?,
            extensions: optional_extensions(&mut body)?,
        };
        body.finish().map(|()| view)
    }

    /// Whether this is a HelloRetryRequest.
    pub fn is_retry_request(&self) -> bool {
        *self.random == Self::RETRY_RANDOM
    }

    /// The version that the server could have spoken, if its random says that somebody made it speak a lower one
    /// (RFC 9846 §4.2.3).
    pub fn downgraded_from(&self) -> Option<ProtocolVersion> {
        match self.random {
            [.., b'D', b'O', b'W', b'N', b'G', b'R', b'D', 1] => Some(ProtocolVersion::TLS_1_3),
            [.., b'D', b'O', b'W', b'N', b'G', b'R', b'D', 0] => Some(ProtocolVersion::TLS_1_2),
            _ => None,
        }
    }
}

/// What we understand of a ServerHello or HelloRetryRequest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerHello {
    /// The version chosen, wherever it stood.
    pub version: ProtocolVersion,
    /// It is a HelloRetryRequest.
    pub is_retry_request: bool,
    /// The suite chosen.
    pub cipher_suite: CipherSuite,
    /// Length of the session identifier.
    pub session_id_bytes: usize,
    /// The types of its extensions, in the order in which they came.
    pub extension_types: Vec<ExtensionType>,
    /// The extensions that we understand.
    pub extensions: Vec<Extension>,
    /// The types of those whose contents are not what their RFC says.
    pub malformed: Vec<ExtensionType>,
    /// The extensions block breaks off inside an extension.
    pub is_cut: bool,
}

impl ServerHello {
    /// What `view` says.
    pub fn parse(view: &ServerHelloView<'_>) -> Self {
        let understood = Understood::new(view.extensions.unwrap_or_default(), HandshakeType::SERVER_HELLO);
        let selected = understood.extensions.iter().find_map(|extension| match extension {
            Extension::SupportedVersions(versions) => versions.first().copied(),
            _ => None,
        });
        Self {
            version: selected.unwrap_or(view.version),
            is_retry_request: view.is_retry_request(),
            cipher_suite: view.cipher_suite,
            session_id_bytes: view.session_id.len(),
            extension_types: understood.types,
            extensions: understood.extensions,
            malformed: understood.malformed,
            is_cut: understood.is_cut,
        }
    }

    /// The group of the server's key share, or the one it asks for.
    pub fn group(&self) -> Option<NamedGroup> {
        self.extensions.iter().find_map(|extension| match extension {
            Extension::KeyShare(groups) => groups.first().copied(),
            _ => None,
        })
    }

    /// Whether an extension of this type is there.
    pub fn has(&self, kind: ExtensionType) -> bool {
        self.extension_types.contains(&kind)
    }
}

/// A block of extensions, sorted into what is understood and what is not.
pub(super) struct Understood {
    pub types: Vec<ExtensionType>,
    pub extensions: Vec<Extension>,
    pub malformed: Vec<ExtensionType>,
    pub is_cut: bool,
}

impl Understood {
    pub fn new(block: Extensions<'_>, within: HandshakeType) -> Self {
        let mut understood = Self { types: Vec::new(), extensions: Vec::new(), malformed: Vec::new(), is_cut: false };
        for extension in block.iter() {
            let Ok(view) = extension else {
                understood.is_cut = true;
                break;
            };
            understood.types.push(view.kind);
            match Extension::parse(view, within) {
                Ok(extension) => understood.extensions.push(extension),
                Err(_) => understood.malformed.push(view.kind),
            }
        }
        understood
    }
}
