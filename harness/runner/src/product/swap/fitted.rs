//! A scenario's authority, as long as the certificate whose place it takes.
//!
//! As text it is padded by ends of lines behind its last one, and is the scenario's own to the byte. As DER it is padded by an
//! extension that nobody knows and that is not critical (RFC 5280 §4.2). Where it is longer than the place, what the scenario
//! says nothing of is made shorter ([`Shorter`]). In several places it has several lengths, and one subject and one key, so that
//! a chain hangs on any of them.

use clock::UnixTime;
use pki::MintedCertificate;
use pki::spec::{Certificate, Certificates, Extension, KeyKind, ObjectIdentifier, Profile, Subject, UnknownExtension};

use super::Misfit;
use crate::product::anchors::Found;

/// Its subject, where its own does not fit.
const SHORT_SUBJECT: &str = "Shakedown";
/// For examples in documentation (ISO/IEC 9834-1 and ITU-T X.660, arc 2.999); behind it is a number.
const PADDING: [u64; 2] = [2, 999];
/// What an extension takes beside its content, at least: a SEQUENCE header, the identifier, an OCTET STRING header, in bytes.
const PADDING_OVERHEAD: i64 = 9;
/// A length is met within so many tries, or otherwise.
const TRIES_MAX: u8 = 24;
/// A serial number of the scenario grammar has so many bytes more than one.
const MORE_OF_SERIAL_BYTES: i64 = 7;
/// From BEGIN to END, a line of base64 has so many characters unless it is seen otherwise (RFC 7468 §2).
const LINE_CHARS: usize = 64;

const BEGINS: &str = "-----BEGIN CERTIFICATE-----";
const ENDS: &str = "-----END CERTIFICATE-----";

/// What takes the places.
pub(super) struct Fitted {
    /// The scenario's certificates, with the one that lies in the first place.
    pub(super) certificates: Certificates,
    /// The bytes for each place, each as long as the place.
    pub(super) texts: Vec<Vec<u8>>,
}

/// What is made shorter, if the scenario says nothing of it; each with those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shorter {
    Nothing,
    Serial,
    /// Nobody needs to find it by its key: it is the only one of its name.
    Identifier,
    Subject,
}

impl Shorter {
    const ALL: [Self; 4] = [Self::Nothing, Self::Serial, Self::Identifier, Self::Subject];
}

/// Fits what a scenario's `certificates` call `name` into `places` of `image`. The key of an authority is of `kind`, unless
/// the scenario says which it has.
///
/// # Errors
///
/// If it does not fit in one of them, or cannot be minted.
pub(super) fn fit(
    image: &[u8],
    places: &[&Found],
    kind: KeyKind,
    certificates: &Certificates,
    name: &str,
    seed: u64,
    date: UnixTime,
) -> Result<Fitted, Misfit> {
    let maker = Maker { kind, certificates, name, seed, date };
    let mut misfit = Misfit::TrustsNobody;
    'shorter: for shorter in Shorter::ALL {
        let (mut texts, mut first) = (Vec::new(), None);
        for place in places {
            let was = image.get(place.range()).unwrap_or_default();
            let Some((specification, text)) = maker.fitting(shorter, place, was)? else {
                misfit = maker.misfit(shorter, place)?;
                continue 'shorter;
            };
            first.get_or_insert(specification);
            texts.push(text);
        }
        if let Some(certificates) = first {
            return Ok(Fitted { certificates, texts });
        }
    }
    Err(misfit)
}

struct Maker<'a> {
    kind: KeyKind,
    certificates: &'a Certificates,
    name: &'a str,
    seed: u64,
    date: UnixTime,
}

impl Maker<'_> {
    /// The scenario's certificates with one that takes the place of what `was` there, and its bytes in that form.
    fn fitting(&self, shorter: Shorter, place: &Found, was: &[u8]) -> Result<Option<(Certificates, Vec<u8>)>, Misfit> {
        if !place.is_pem {
            let fitting = self.of_length(shorter, place.der_bytes)?;
            return Ok(fitting.map(|(specification, certificate)| (specification, certificate.der)));
        }
        let specification = self.variant(shorter, None, 0, 0);
        let text = Layout::of(was).write(&self.mint(&specification)?.pem(), was.len());
        Ok(text.map(|text| (specification, text)))
    }

    /// The scenario's certificates with one whose DER has this many bytes.
    fn of_length(&self, shorter: Shorter, length: usize) -> Result<Option<(Certificates, MintedCertificate)>, Misfit> {
        let (mut filler, mut more_of_serial) = (None::<u16>, 0);
        for salt in 0..TRIES_MAX {
            let specification = self.variant(shorter, filler, more_of_serial, salt);
            let certificate = self.mint(&specification)?;
            let missing = i64::try_from(length).unwrap_or(i64::MAX) - i64::try_from(certificate.der.len()).unwrap_or(0);
            // A signature by ECDSA is a byte longer or shorter as it happens, and with another number it is another one.
            match (missing, filler) {
                (0, _) => return Ok(Some((specification, certificate))),
                (PADDING_OVERHEAD.., None) => filler = u16::try_from(missing - PADDING_OVERHEAD).ok(),
                (_, None) if shorter < Shorter::Serial => return Ok(None),
                (1..=MORE_OF_SERIAL_BYTES, None) if more_of_serial == 0 => more_of_serial = missing,
                (_, None) => {}
                (missing, Some(bytes)) if salt % 2 == 0 => {
                    filler = Some(u16::try_from((i64::from(bytes) + missing).max(0)).unwrap_or(u16::MAX));
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// The scenario's certificates with this one changed: made shorter, with an extension of `filler` bytes, and with a serial
    /// number that has `more_of_serial` bytes more than one. `salt` makes it another one of the same length.
    fn variant(&self, shorter: Shorter, filler: Option<u16>, more_of_serial: i64, salt: u8) -> Certificates {
        let mut certificates = self.certificates.clone();
        let certificate = certificates.0.entry(self.name.to_owned()).or_default();
        if certificate.pem.is_some() {
            return certificates;
        }
        // The broker's own certificate, where a device trusts that, has the key that the scenario gives it.
        let is_authority = matches!(Profile::of(self.name, certificate), Profile::Root | Profile::Intermediate);
        if is_authority && certificate.key.is_none() && certificate.key_of.is_none() {
            certificate.key = Some(self.kind);
        }
        let number = i64::from(salt) + 1;
        if shorter >= Shorter::Serial && certificate.serial.is_none() {
            let more = if more_of_serial == 0 { 0 } else { 1_i64 << (8 * more_of_serial.min(MORE_OF_SERIAL_BYTES)) };
            certificate.serial = Some(number + more);
        }
        if shorter >= Shorter::Identifier && !speaks_of(certificate, Extension::AuthorityKeyIdentifier) {
            certificate.without.push(Extension::AuthorityKeyIdentifier);
        }
        if shorter >= Shorter::Subject && certificate.subject.is_none() {
            certificate.subject = Some(Subject::from(SHORT_SUBJECT));
        }
        if let Some(length) = filler {
            let oid = ObjectIdentifier(PADDING.into_iter().chain([u64::from(salt) + 1]).collect());
            certificate.unknown_extensions.push(UnknownExtension { oid, critical: false, length });
        }
        certificates
    }

    fn mint(&self, certificates: &Certificates) -> Result<MintedCertificate, Misfit> {
        let unminted = |why: &dyn std::fmt::Display| Misfit::Unminted(why.to_string());
        let mut minted = pki::mint(certificates, self.seed, self.date).map_err(|error| unminted(&error))?;
        minted.certificates.remove(self.name).ok_or_else(|| unminted(&format!("there is no `{}`", self.name)))
    }

    /// Why it does not fit there.
    fn misfit(&self, shorter: Shorter, place: &Found) -> Result<Misfit, Misfit> {
        let certificate = self.mint(&self.variant(shorter, None, 0, 0))?;
        let (name, place) = (format!("`{}` ({})", self.name, certificate.key.kind()), Box::new(place.clone()));
        let bytes = if place.is_pem { certificate.pem().trim_end().len() } else { certificate.der.len() };
        Ok(if bytes > place.length {
            Misfit::TooLong { certificate: name, bytes, place }
        } else {
            Misfit::Unpaddable { certificate: name, place }
        })
    }
}

/// Whether a scenario says anything of an extension.
fn speaks_of(certificate: &Certificate, extension: Extension) -> bool {
    let Certificate { extensions_first, without, critical, not_critical, duplicate, .. } = certificate;
    [extensions_first, without, critical, not_critical, duplicate].into_iter().any(|list| list.contains(&extension))
}

/// How a certificate's text is laid out: ends of lines may be two characters that a compiler or a reader makes one of.
struct Layout {
    line_end: &'static str,
    line_chars: usize,
}

impl Layout {
    fn of(was: &[u8]) -> Self {
        let behind = was.get(BEGINS.len()..).unwrap_or_default();
        let line_end = ["\r\n", "\n", "\\r\\n", "\\n", "\r"].into_iter().find(|end| behind.starts_with(end.as_bytes()));
        let line_end = line_end.unwrap_or("\n");
        let body = behind.get(line_end.len()..).unwrap_or_default();
        let is_base64 = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
        let line_chars = body.iter().take_while(is_base64).count();
        Self { line_end, line_chars: if line_chars == 0 { LINE_CHARS } else { line_chars } }
    }

    /// `pem` laid out so, filled up with ends of lines and spaces to `length` bytes; `None` if it is longer.
    fn write(&self, pem: &str, length: usize) -> Option<Vec<u8>> {
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let mut text = format!("{BEGINS}{}", self.line_end);
        for line in body.as_bytes().chunks(self.line_chars) {
            text.push_str(std::str::from_utf8(line).ok()?);
            text.push_str(self.line_end);
        }
        text.push_str(ENDS);
        let mut missing = length.checked_sub(text.len())?;
        while missing >= self.line_end.len() {
            text.push_str(self.line_end);
            missing -= self.line_end.len();
        }
        text.extend(std::iter::repeat_n(' ', missing));
        Some(text.into_bytes())
    }
}
