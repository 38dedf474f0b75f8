//! Certificates of the bench's authority, each as long as the one whose place it takes.
//!
//! As DER it is padded by an extension that nobody knows and that is not critical (RFC 5280 §4.2); what text is shorter then is
//! padded by ends of lines behind its last one. All of them have one subject and one key, so that a chain hangs on any of
//! them.

use clock::UnixTime;
use pki::spec::{Certificate, Certificates, Extension, KeyKind, ObjectIdentifier, Subject, UnknownExtension};
use pki::{Authority, MintedCertificate};

use super::Impossible;
use crate::product::anchors::Found;

/// The authority's name under `[pki]`, from which its key is drawn.
const ROOT: &str = "root";
/// Its subject; letters are added where a length cannot be met otherwise.
const SUBJECT: &str = "Shakedown";
const MORE_OF_SUBJECT: &str = " test authority";
/// For examples in documentation (ISO/IEC 9834-1 and ITU-T X.660, arc 2.999).
const PADDING: [u64; 3] = [2, 999, 1];
/// What an extension takes beside its content, at most: two SEQUENCE headers, the identifier, an OCTET STRING header.
const PADDING_OVERHEAD: i64 = 9;
/// A length is met within so many tries, or with another subject.
const TRIES_MAX: i64 = 24;
/// From BEGIN to END, a line of base64 has so many characters unless it is seen otherwise (RFC 7468 §2).
const LINE_CHARS: usize = 64;

const BEGINS: &str = "-----BEGIN CERTIFICATE-----";
const ENDS: &str = "-----END CERTIFICATE-----";

/// What takes the places.
pub(super) struct Minted {
    /// Who it is, with the key.
    pub(super) authority: Authority,
    /// The bytes for each place, each as long as the place.
    pub(super) texts: Vec<Vec<u8>>,
}

/// Mints a certificate for each of `places` in `image`.
///
/// # Errors
///
/// If one of the places is too short, or there is no such key.
pub(super) fn mint(
    image: &[u8],
    places: &[Found],
    kind: KeyKind,
    seed: u64,
    date: UnixTime,
) -> Result<Minted, Impossible> {
    let mut misfit = None;
    for letters in 0..MORE_OF_SUBJECT.len() {
        let maker = Maker { kind, subject: format!("{SUBJECT}{}", &MORE_OF_SUBJECT[..letters]), seed, date };
        let mut texts = Vec::new();
        let mut first = None;
        for place in places {
            let was = image.get(place.range()).unwrap_or_default();
            match maker.fitting(place, was) {
                Some((certificate, text)) => {
                    first.get_or_insert(certificate);
                    texts.push(text);
                }
                None => {
                    misfit = Some(place.clone());
                    break;
                }
            }
        }
        if let Some(certificate) = first.filter(|_| texts.len() == places.len()) {
            let unfit = || Impossible::NoSuchKey(places[0].clone().into());
            let authority = Authority::read(&certificate.pem(), &certificate.key_pem(), date).map_err(|_| unfit())?;
            return Ok(Minted { authority, texts });
        }
    }
    Err(misfit.map_or(Impossible::NoCertificate, |place| Impossible::TooShort(place.into())))
}

struct Maker {
    kind: KeyKind,
    subject: String,
    seed: u64,
    date: UnixTime,
}

impl Maker {
    /// A certificate that takes the place of what `was` there, and its bytes in that form.
    fn fitting(&self, place: &Found, was: &[u8]) -> Option<(MintedCertificate, Vec<u8>)> {
        let length = place.der_bytes;
        if !place.is_pem {
            let certificate = self.of_length(length)?;
            let der = certificate.der.clone();
            return Some((certificate, der));
        }
        let layout = Layout::of(was);
        // As text it may be shorter: whoever wrote the other may have had a space at the end of each line.
        for shorter in [0, 3, 6, 12, 24, 48] {
            let Some(certificate) = self.of_length(length.saturating_sub(shorter)) else { continue };
            if let Some(text) = layout.write(&certificate.pem(), was.len()) {
                return Some((certificate, text));
            }
        }
        None
    }

    /// A certificate whose DER has this many bytes.
    fn of_length(&self, length: usize) -> Option<MintedCertificate> {
        let bare = self.mint(None, 1)?;
        let gap = i64::try_from(length).ok()? - i64::try_from(bare.der.len()).ok()?;
        if gap == 0 {
            return Some(bare);
        }
        let mut filler = gap - PADDING_OVERHEAD;
        // A signature by ECDSA is a byte longer or shorter as it happens: another serial number is another signature.
        for serial in 1..=TRIES_MAX {
            let filled = u16::try_from(filler).ok();
            let certificate = self.mint(filled, serial)?;
            let missing = i64::try_from(length).ok()? - i64::try_from(certificate.der.len()).ok()?;
            match (missing, filled) {
                (0, _) => return Some(certificate),
                (_, None) => filler = 0,
                (missing, Some(_)) if serial % 2 == 1 => filler += missing,
                _ => {}
            }
        }
        None
    }

    fn mint(&self, filler: Option<u16>, serial: i64) -> Option<MintedCertificate> {
        let extension = |length| UnknownExtension { oid: ObjectIdentifier(PADDING.to_vec()), critical: false, length };
        let certificate = Certificate {
            subject: Some(Subject::from(self.subject.as_str())),
            key: Some(self.kind),
            serial: Some(serial),
            unknown_extensions: filler.map(extension).into_iter().collect(),
            // Nobody needs to find it by its key: it is the only one of its name.
            without: vec![Extension::AuthorityKeyIdentifier],
            ..Certificate::default()
        };
        let specification = Certificates([(ROOT.to_owned(), certificate)].into());
        let mut minted = pki::mint(&specification, self.seed, self.date).ok()?;
        minted.certificates.remove(ROOT)
    }
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
