//! Why nothing in an image can be swapped, and why one scenario's authority cannot stand there.

use std::fmt;

use firmware_image::Unmendable;

use crate::product::anchors::Found;

/// Why nothing can be swapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Impossible {
    /// The image is signed.
    Signed {
        /// Where the signature lies.
        at: usize,
    },
    /// What it trusts is a bundle of roots.
    Bundle {
        /// Where it lies.
        at: usize,
        /// How many roots it has.
        roots: usize,
    },
    /// It lies in NVS, in several pieces.
    InPieces(Vec<String>),
    /// There is no certificate in it.
    NoCertificate,
    /// There are certificates, and none is an authority's.
    NoAuthority(Vec<Found>),
    /// There are authorities with different kinds of keys, and a chain hangs on one.
    SeveralKinds(Vec<Found>),
    /// None lies where the owner says.
    NotThere {
        /// Where that is.
        at: usize,
        /// Where authorities lie.
        found: Vec<Found>,
    },
    /// The bench has no key of this kind that signs.
    NoSuchKey(Box<Found>),
    /// What lies around it has a checksum that cannot be mended.
    Unmendable(Box<Found>, Unmendable),
}

/// What to do instead.
const REMEDY: &str = "give the authority that it trusts with `--authority CERT.pem --authority-key KEY.pem`, build it with \
    one of yours, or use `--trust none`: then what does not depend on trust is asked";

impl fmt::Display for Impossible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |found: &[Found]| found.iter().map(Found::to_string).collect::<Vec<_>>().join("; ");
        f.write_str("its authority cannot be swapped: ")?;
        match self {
            Self::Signed { at } => {
                write!(f, "the image is signed for secure boot (at {at:#x}), and what is changed in it is not booted")?;
            }
            Self::Bundle { at, roots } => {
                write!(f, "it trusts a bundle of {roots} roots (at {at:#x}), which holds keys and no certificates")?;
            }
            Self::InPieces(found) => write!(f, "it lies in NVS in several pieces: {}", found.join("; "))?,
            Self::NoCertificate => f.write_str(
                "there is no certificate in it. It trusts a pinned hash, a certificate that is compressed or encrypted, one \
                 that it is given when it is set up, or anybody",
            )?,
            Self::NoAuthority(found) => {
                write!(f, "none of its certificates is an authority's: {}", list(found))?;
            }
            Self::SeveralKinds(found) => {
                let words = "its authorities have different kinds of keys, and a broker's chain hangs on one";
                return write!(f, "{words}: say which with `--swap-at ADDRESS`. {}", list(found));
            }
            Self::NotThere { at, found } => {
                return write!(f, "no authority lies at {at:#x} (`--swap-at`). There is {}", list(found));
            }
            Self::NoSuchKey(found) => write!(f, "the bench has no authority with such a key: {found}")?,
            Self::Unmendable(found, why) => write!(f, "{why}: {found}")?,
        }
        write!(f, ". {REMEDY}")
    }
}

impl std::error::Error for Impossible {}

/// Why the authority of one scenario cannot stand in the place of those that lie in an image, as the end of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The scenario is about a device without a trust anchor.
    TrustsNobody,
    /// The scenario is about a device with several trust anchors.
    Several(usize),
    /// The scenario is about the form in which a device is given its trust anchor.
    Form,
    /// It takes more room than there is.
    TooLong {
        /// Its name under `[pki]`, with the kind of its key.
        certificate: String,
        /// How long it is in the form of the place, in bytes.
        bytes: usize,
        /// The place.
        place: Box<Found>,
    },
    /// It cannot be padded to the length of the place: somebody else has made it, say.
    Unpaddable {
        /// Its name under `[pki]`, with the kind of its key.
        certificate: String,
        /// The place.
        place: Box<Found>,
    },
    /// Nothing can be minted so.
    Unminted(String),
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TrustsNobody => {
                f.write_str("it is about a device that trusts nobody, and an authority cannot be swapped for none")
            }
            Self::Several(count) => {
                write!(f, "it is about a device that trusts {count} authorities, and a swap puts one in the image")
            }
            Self::Form => f.write_str("it is about the form in which a device is given its authority (trust by swap)"),
            Self::TooLong { certificate, bytes, place } => write!(
                f,
                "what its device trusts, {certificate}, takes {bytes} bytes as {}, and in the place of {} are {}",
                place.form(),
                place.subject,
                place.length
            ),
            Self::Unpaddable { certificate, place } => write!(
                f,
                "what its device trusts, {certificate}, cannot be padded to the {} bytes of {}",
                place.length, place.subject
            ),
            Self::Unminted(why) => write!(f, "nothing can be minted so (trust by swap): {why}"),
        }
    }
}

impl std::error::Error for Misfit {}
