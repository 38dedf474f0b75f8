//! The handshake messages between hello and Finished.

use alloc::vec::Vec;

use super::cursor::{Cursor, numbers};
use super::hello::Understood;
use super::{
    CipherSuite, Extension, ExtensionType, Extensions, HandshakeType, Malformed, NamedGroup, ProtocolVersion,
    SignatureScheme,
};
use tls_parser::TlsCipherKx;

/// EncryptedExtensions (RFC 9846 §4.4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptedExtensions {
    /// The types of its extensions, in the order in which they came.
    pub extension_types: Vec<ExtensionType>,
    /// The extensions that we understand.
    pub extensions: Vec<Extension>,
    /// The types of those whose contents are not what their RFC says.
    pub malformed: Vec<ExtensionType>,
}

impl EncryptedExtensions {
    /// What the message's body says.
    ///
    /// # Errors
    /// If its outer structure does not hold.
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let mut body = Cursor::new(body);
        let block = Extensions { bytes: body.vector16()? };
        body.finish()?;
        let understood = Understood::new(block, HandshakeType::ENCRYPTED_EXTENSIONS);
        if understood.is_cut {
            return Err(Malformed::Truncated);
        }
        Ok(Self {
            extension_types: understood.types,
            extensions: understood.extensions,
            malformed: understood.malformed,
        })
    }
}

/// Certificate: a chain, leaf first (RFC 9846 §4.5.1, RFC 5246 §7.4.2). The certificates are not looked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateChain<'a> {
    /// DER, leaf first. Empty if a client has none to show.
    pub certificates: Vec<&'a [u8]>,
}

impl<'a> CertificateChain<'a> {
    /// What the message's body says in a connection of the given version.
    ///
    /// # Errors
    /// If its outer structure does not hold.
    pub fn parse(body: &'a [u8], version: ProtocolVersion) -> Result<Self, Malformed> {
        let is_1_3 = version >= ProtocolVersion::TLS_1_3;
        let mut body = Cursor::new(body);
        if is_1_3 {
            body.vector8()?;
        }
        let mut list = Cursor::new(body.vector24()?);
        body.finish()?;
        let mut certificates = Vec::new();
        while !list.is_empty() {
            certificates.push(list.vector24()?);
            if is_1_3 {
                list.vector16()?;
            }
        }
        Ok(Self { certificates })
    }
}

/// CertificateRequest (RFC 9846 §4.4.2, RFC 5246 §7.4.4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateRequest<'a> {
    /// `ClientCertificateType`s, before TLS 1.3.
    pub certificate_types: &'a [u8],
    /// Signatures that the server can check, since TLS 1.2.
    pub signature_schemes: Vec<SignatureScheme>,
    /// Names of authorities that the server trusts, DER.
    pub authorities: Vec<&'a [u8]>,
}

impl<'a> CertificateRequest<'a> {
    /// What the message's body says in a connection of the given version.
    ///
    /// # Errors
    /// If its structure does not hold.
    pub fn parse(body: &'a [u8], version: ProtocolVersion) -> Result<Self, Malformed> {
        let mut body = Cursor::new(body);
        let mut request = Self::default();
        if version >= ProtocolVersion::TLS_1_3 {
            body.vector8()?;
            for extension in (Extensions { bytes: body.vector16()? }).iter() {
                let view = extension?;
                let mut data = Cursor::new(view.data);
                match view.kind {
                    ExtensionType::SIGNATURE_ALGORITHMS => request.signature_schemes = schemes(data.vector16()?)?,
                    ExtensionType::CERTIFICATE_AUTHORITIES => request.authorities = names(data.vector16()?)?,
                    _ => {}
                }
            }
        } else {
            request.certificate_types = body.vector8()?;
            if version == ProtocolVersion::TLS_1_2 {
                request.signature_schemes = schemes(body.vector16()?)?;
            }
            request.authorities = names(body.vector16()?)?;
        }
        body.finish().map(|()| request)
    }
}

fn schemes(list: &[u8]) -> Result<Vec<SignatureScheme>, Malformed> {
    Ok(numbers(list)?.map(SignatureScheme).collect())
}

fn names(list: &[u8]) -> Result<Vec<&[u8]>, Malformed> {
    let mut list = Cursor::new(list);
    let mut names = Vec::new();
    while !list.is_empty() {
        names.push(list.vector16()?);
    }
    Ok(names)
}

/// ServerKeyExchange (RFC 8422 §5.4, RFC 5246 §7.4.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerKeyExchange {
    /// How keys are agreed on.
    pub exchange: KeyExchange,
    /// How that is signed; `None` if it is not, or before TLS 1.2.
    pub scheme: Option<SignatureScheme>,
}

/// The parameters of a key exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyExchange {
    /// On a named curve.
    Ecdhe(NamedGroup),
    /// Modulo a prime of so many bits.
    Dhe {
        /// Length of the prime.
        prime_bits: usize,
    },
    /// One that is not looked into.
    Other,
}

impl ServerKeyExchange {
    /// What the message's body says, given the version and the suite that were chosen.
    ///
    /// # Errors
    /// If its structure does not hold.
    pub fn parse(body: &[u8], version: ProtocolVersion, suite: CipherSuite) -> Result<Self, Malformed> {
        let mut body = Cursor::new(body);
        let exchange = match suite.parameters().map(|parameters| parameters.kx) {
            Some(TlsCipherKx::Ecdhe) => {
                // 3: named_curve. The explicit curves have been deprecated by everybody.
                if body.u8()? != 3 {
                    return Ok(Self { exchange: KeyExchange::Other, scheme: None });
                }
                let group = NamedGroup(body.u16()?);
                body.vector8()?;
                KeyExchange::Ecdhe(group)
            }
            Some(TlsCipherKx::Dhe) => {
                let prime_bits = bits(body.vector16()?);
                body.vector16()?;
                body.vector16()?;
                KeyExchange::Dhe { prime_bits }
            }
            _ => return Ok(Self { exchange: KeyExchange::Other, scheme: None }),
        };
        let scheme = match version {
            ProtocolVersion::TLS_1_2 if !body.is_empty() => Some(SignatureScheme(body.u16()?)),
            _ => None,
        };
        Ok(Self { exchange, scheme })
    }
}

fn bits(big_endian: &[u8]) -> usize {
    let leading = big_endian.iter().take_while(|byte| **byte == 0).count();
    big_endian.get(leading).map_or(0, |first| (big_endian.len() - leading) * 8 - first.leading_zeros() as usize)
}

/// CertificateVerify (RFC 9846 §4.5.2, RFC 5246 §7.4.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateVerify {
    /// How the transcript is signed; `None` before TLS 1.2.
    pub scheme: Option<SignatureScheme>,
    /// Length of the signature.
    pub signature_bytes: usize,
}

impl CertificateVerify {
    /// What the message's body says in a connection of the given version.
    ///
    /// # Errors
    /// If its structure does not hold.
    pub fn parse(body: &[u8], version: ProtocolVersion) -> Result<Self, Malformed> {
        let mut body = Cursor::new(body);
        let scheme = match version >= ProtocolVersion::TLS_1_2 {
            true => Some(SignatureScheme(body.u16()?)),
            false => None,
        };
        let signature_bytes = body.vector16()?.len();
        body.finish().map(|()| Self { scheme, signature_bytes })
    }
}

/// NewSessionTicket (RFC 9846 §4.7.1, RFC 5077 §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewSessionTicket {
    /// For how long the ticket is good, in seconds.
    pub lifetime_s: u32,
    /// Length of the ticket.
    pub ticket_bytes: usize,
}

impl NewSessionTicket {
    /// What the message's body says in a connection of the given version.
    ///
    /// # Errors
    /// If its structure does not hold.
    pub fn parse(body: &[u8], version: ProtocolVersion) -> Result<Self, Malformed> {
        let mut body = Cursor::new(body);
        let lifetime_s = body.u32()?;
        let is_1_3 = version >= ProtocolVersion::TLS_1_3;
        if is_1_3 {
            body.u32()?;
            body.vector8()?;
        }
        let ticket_bytes = body.vector16()?.len();
        if is_1_3 {
            body.vector16()?;
        }
        body.finish().map(|()| Self { lifetime_s, ticket_bytes })
    }
}
