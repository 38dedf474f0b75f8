//! Trust by swap: in a copy of an image, the authority that it carries is replaced by one of the bench's.
//!
//! What a firmware trusts is compiled into it, and nobody has the private key to that. So a copy is made in which every
//! certificate of an authority is replaced by the bench's own, of the same kind of key and of the same length (`padded`),
//! and in which the checksums that change with it are mended. Everything else is what was shipped. It is no longer the image
//! that was shipped, though, and every report says so.
//!
//! A bundle of roots holds keys and no certificates, a pin is a hash like any other bytes, and what is signed is not booted
//! when it was changed: in these a swap is impossible, which is said.

mod padded;

use std::fmt;

use clock::UnixTime;
use firmware_image::{Mended, Unmendable, espressif, mend};
use pki::Authority;
use pki::spec::KeyKind;

use super::anchors::{Anchors, Found};

/// A copy of an image that trusts the bench.
#[derive(Clone, Debug)]
pub struct Swapped {
    /// The changed bytes, as many as there were.
    pub image: Vec<u8>,
    /// Who is trusted there now, with the private key.
    pub authority: Authority,
    /// What was replaced, and where that lies.
    pub replaced: Vec<(Found, Mended)>,
    /// There is a bundle of roots as well: if the firmware asks that, it still trusts nobody here.
    pub has_bundle: bool,
}

impl fmt::Display for Swapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (found, mended)) in self.replaced.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}{} ({}, {}) at {:#x} in {mended}", found.subject, found.key, found.form(), found.at)?;
        }
        if self.has_bundle {
            f.write_str("; there is a bundle of roots besides, which is as it was")?;
        }
        Ok(())
    }
}

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
    /// The certificate is shorter than any that the bench can make.
    TooShort(Box<Found>),
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
            Self::TooShort(found) => write!(f, "no certificate of the bench's is so short: {found}")?,
            Self::Unmendable(found, why) => write!(f, "{why}: {found}")?,
        }
        write!(f, ". {REMEDY}")
    }
}

impl std::error::Error for Impossible {}

/// Swaps the authorities in `image`, in which `anchors` were found, for the bench's own as of `date`: all of them, which have
/// one kind of key, or those of the kind of the one that lies `at`. `target` is what a flash is held against; an ELF file has
/// nothing to be mended.
///
/// # Errors
///
/// Why that is impossible.
pub fn swap(
    image: &[u8],
    anchors: &Anchors,
    at: Option<usize>,
    target: Option<&espressif::Target>,
    seed: u64,
    date: UnixTime,
) -> Result<Swapped, Impossible> {
    if let Some(at) = anchors.signature_at {
        return Err(Impossible::Signed { at });
    }
    let (kind, chosen) = choose(anchors, at)?;
    let minted = padded::mint(image, &chosen, kind, seed, date)?;
    let mut copy = image.to_vec();
    for (found, text) in chosen.iter().zip(&minted.texts) {
        if let Some(place) = copy.get_mut(found.range()).filter(|place| place.len() == text.len()) {
            place.copy_from_slice(text);
        }
    }
    let mended = match target {
        None => chosen.iter().map(|_| Mended::Elsewhere).collect(),
        Some(target) => mend_each(&mut copy, &chosen, target)?,
    };
    Ok(Swapped {
        image: copy,
        authority: minted.authority,
        replaced: chosen.into_iter().zip(mended).collect(),
        has_bundle: anchors.bundle.is_some(),
    })
}

fn mend_each(copy: &mut [u8], chosen: &[Found], target: &espressif::Target) -> Result<Vec<Mended>, Impossible> {
    let one = |found: &Found| {
        mend(copy, &found.range(), target).map_err(|why| Impossible::Unmendable(found.clone().into(), why))
    };
    chosen.iter().map(one).collect()
}

/// The authorities that are swapped, and the kind of their keys.
fn choose(anchors: &Anchors, at: Option<usize>) -> Result<(KeyKind, Vec<Found>), Impossible> {
    let authorities: Vec<Found> = anchors.certificates.iter().filter(|found| found.is_anchor()).cloned().collect();
    let Some(first) = authorities.first() else {
        return Err(match anchors.bundle {
            Some((at, roots)) => Impossible::Bundle { at, roots },
            None if anchors.certificates.is_empty() => Impossible::NoCertificate,
            None => Impossible::NoAuthority(anchors.certificates.clone()),
        });
    };
    let named = match at {
        Some(at) => authorities.iter().find(|found| found.at == at),
        None if authorities.iter().any(|other| other.kind != first.kind) => {
            return Err(Impossible::SeveralKinds(authorities));
        }
        None => Some(first),
    };
    let Some(named) = named.cloned() else {
        return Err(Impossible::NotThere { at: at.unwrap_or_default(), found: authorities });
    };
    match named.kind.filter(|kind| *kind != KeyKind::BrainpoolP256r1) {
        None => Err(Impossible::NoSuchKey(named.into())),
        Some(kind) => Ok((kind, authorities.into_iter().filter(|found| found.kind == Some(kind)).collect())),
    }
}

#[cfg(test)]
mod tests;
