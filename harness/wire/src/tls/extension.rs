//! Hello extensions (RFC 9846 §4.3, RFC 6066, and one RFC each for many others).

use alloc::string::String;
use alloc::vec::Vec;

use super::cursor::{Cursor, numbers};
use super::{ExtensionType, HandshakeType, Malformed, NamedGroup, ProtocolVersion, SignatureScheme};

/// A block of extensions as it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extensions<'a> {
    /// The block without its length field.
    pub bytes: &'a [u8],
}

/// One extension as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtensionView<'a> {
    /// Which extension.
    pub kind: ExtensionType,
    /// Its contents.
    pub data: &'a [u8],
}

impl<'a> Extensions<'a> {
    /// The extensions in the order in which they came. The last item is an error if the block breaks off.
    pub fn iter(self) -> impl Iterator<Item = Result<ExtensionView<'a>, Malformed>> {
        let mut cursor = Cursor::new(self.bytes);
        core::iter::from_fn(move || {
            if cursor.is_empty() {
                return None;
            }
            let extension = (|| Ok(ExtensionView { kind: ExtensionType(cursor.u16()?), data: cursor.vector16()? }))();
            if extension.is_err() {
                cursor = Cursor::new(&[]);
            }
            Some(extension)
        })
    }
}

/// What we understand of an extension. Which message it came in matters: the same type has different contents there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extension {
    /// The name that the client wants to talk to (RFC 6066 §3). A server answers with an empty one: `None`.
    ServerName(Option<String>),
    /// The longest fragment that the client can take, in bytes (RFC 6066 §4).
    MaxFragmentLength(u16),
    /// Groups for key agreement, in preference order (RFC 9846 §4.3.7).
    SupportedGroups(Vec<NamedGroup>),
    /// Encodings of curve points (RFC 8422 §5.1.2).
    EcPointFormats(Vec<u8>),
    /// Signatures that the sender can check (RFC 9846 §4.3.3).
    SignatureAlgorithms(Vec<SignatureScheme>),
    /// Application protocols offered, or the one chosen (RFC 7301). Bytes that are no UTF-8 are replaced.
    Alpn(Vec<Vec<u8>>),
    /// RFC 7366.
    EncryptThenMac,
    /// RFC 7627.
    ExtendedMainSecret,
    /// The longest record that the sender can take, in bytes (RFC 8449).
    RecordSizeLimit(u16),
    /// A ticket to resume with, of this many bytes; 0 asks for one (RFC 5077).
    SessionTicket(usize),
    /// Versions that the client speaks, or the one chosen (RFC 9846 §4.3.1).
    SupportedVersions(Vec<ProtocolVersion>),
    /// Groups for which key shares came; a HelloRetryRequest names one (RFC 9846 §4.3.8).
    KeyShare(Vec<NamedGroup>),
    /// How a pre-shared key may be used: 0 alone, 1 with (EC)DHE (RFC 9846 §4.3.9).
    PskKeyExchangeModes(Vec<u8>),
    /// Identities offered, or the index of the one chosen (RFC 9846 §4.3.11).
    PreSharedKey(usize),
    /// A cookie of this many bytes (RFC 9846 §4.3.2).
    Cookie(usize),
    /// Secure renegotiation, with this many bytes of verify data; 0 in a first handshake (RFC 5746).
    RenegotiationInfo(usize),
    /// An extension that is not looked into.
    Other(ExtensionType),
}

impl Extension {
    /// What `view` says in a message of type `within`.
    ///
    /// # Errors
    /// If its contents are not what its RFC says.
    pub fn parse(view: ExtensionView<'_>, within: HandshakeType) -> Result<Self, Malformed> {
        let mut data = Cursor::new(view.data);
        let from_client = within == HandshakeType::CLIENT_HELLO;
        let extension = match view.kind {
            ExtensionType::SERVER_NAME => Self::ServerName(server_name(&mut data)?),
            ExtensionType::MAX_FRAGMENT_LENGTH => Self::MaxFragmentLength(match data.u8()? {
                code @ 1..=4 => 256 << code,
                _ => return Err(Malformed::BadValue),
            }),
            ExtensionType::SUPPORTED_GROUPS => {
                Self::SupportedGroups(numbers(data.vector16()?)?.map(NamedGroup).collect())
            }
            ExtensionType::EC_POINT_FORMATS => Self::EcPointFormats(data.vector8()?.to_vec()),
            ExtensionType::SIGNATURE_ALGORITHMS => {
                Self::SignatureAlgorithms(numbers(data.vector16()?)?.map(SignatureScheme).collect())
            }
            ExtensionType::ALPN => Self::Alpn(protocols(data.vector16()?)?),
            ExtensionType::ENCRYPT_THEN_MAC => Self::EncryptThenMac,
            ExtensionType::EXTENDED_MAIN_SECRET => Self::ExtendedMainSecret,
            ExtensionType::RECORD_SIZE_LIMIT => Self::RecordSizeLimit(data.u16()?),
            ExtensionType::SESSION_TICKET => Self::SessionTicket(data.take(view.data.len())?.len()),
            ExtensionType::SUPPORTED_VERSIONS if from_client => {
                Self::SupportedVersions(numbers(data.vector8()?)?.map(ProtocolVersion).collect())
            }
            ExtensionType::SUPPORTED_VERSIONS => Self::SupportedVersions([ProtocolVersion(data.u16()?)].into()),
            ExtensionType::KEY_SHARE if from_client => Self::KeyShare(key_shares(data.vector16()?)?),
            ExtensionType::KEY_SHARE => {
                let group = NamedGroup(data.u16()?);
                if !data.is_empty() {
                    data.vector16()?;
                }
                Self::KeyShare([group].into())
            }
            ExtensionType::PSK_KEY_EXCHANGE_MODES => Self::PskKeyExchangeModes(data.vector8()?.to_vec()),
            ExtensionType::PRE_SHARED_KEY if from_client => Self::PreSharedKey(identities(&mut data)?),
            ExtensionType::PRE_SHARED_KEY => Self::PreSharedKey(usize::from(data.u16()?)),
            ExtensionType::COOKIE => Self::Cookie(data.vector16()?.len()),
            ExtensionType::RENEGOTIATION_INFO => Self::RenegotiationInfo(data.vector8()?.len()),
            other => return Ok(Self::Other(other)),
        };
        data.finish().map(|()| extension)
    }
}

fn server_name(data: &mut Cursor<'_>) -> Result<Option<String>, Malformed> {
    if data.is_empty() {
        return Ok(None);
    }
    let mut list = Cursor::new(data.vector16()?);
    let mut host_name = None;
    while !list.is_empty() {
        let (name_type, name) = (list.u8()?, list.vector16()?);
        if name_type == 0 && host_name.is_none() {
            host_name = Some(String::from_utf8_lossy(name).into_owned());
        }
    }
    host_name.map(Some).ok_or(Malformed::BadValue)
}

fn protocols(list: &[u8]) -> Result<Vec<Vec<u8>>, Malformed> {
    let mut list = Cursor::new(list);
    let mut protocols = Vec::new();
    while !list.is_empty() {
        protocols.push(list.vector8()?.to_vec());
    }
    Ok(protocols)
}

fn key_shares(list: &[u8]) -> Result<Vec<NamedGroup>, Malformed> {
    let mut list = Cursor::new(list);
    let mut groups = Vec::new();
    while !list.is_empty() {
        groups.push(NamedGroup(list.u16()?));
        list.vector16()?;
    }
    Ok(groups)
}

/// Identities with their ticket ages, then binders.
fn identities(data: &mut Cursor<'_>) -> Result<usize, Malformed> {
    let mut list = Cursor::new(data.vector16()?);
    let mut count = 0;
    while !list.is_empty() {
        list.vector16()?;
        list.u32()?;
        count += 1;
    }
    data.vector16()?;
    Ok(count)
}
