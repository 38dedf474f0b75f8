//! Trust by swap: in a copy of an image, the authority that it carries is replaced by that of a scenario.
//!
//! What a firmware trusts is compiled into it, and nobody has the private key to that. So for each scenario a copy is made in
//! which every certificate of an authority is replaced by the one that the scenario's device trusts: with the same kind of key,
//! unless the scenario is about another one, and padded to the same length (`fitted`). The checksums that change with it are
//! mended. Everything else is what was shipped. It is no longer the image that was shipped, though, and every report says so.
//!
//! A bundle of roots holds keys and no certificates, a pin is a hash like any other bytes, and what is signed is not booted
//! when it was changed: in these a swap is impossible, which is said.

mod fitted;
mod refusal;

use std::fmt;

use firmware_image::{Mended, Unmendable, espressif, mend};
use pki::spec::KeyKind;
use scenario::Scenario;
use scenario::device::Encoding;

use super::anchors::{Anchors, Found};
pub use refusal::{Impossible, Misfit};

/// Where authorities lie in an image that can be swapped.
#[derive(Clone, Debug)]
pub struct Places {
    /// Each with what is mended when it is replaced.
    places: Vec<(Found, Mended)>,
    /// The kind of their keys.
    kind: KeyKind,
    /// There is a bundle of roots as well: if the firmware asks that, it still trusts nobody here.
    has_bundle: bool,
    /// What a flash is held against; an ELF file has nothing to be mended.
    target: Option<&'static espressif::Target>,
}

/// What stands in these places for one scenario: the bytes of each, as many as lie there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement(Vec<Vec<u8>>);

impl fmt::Display for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (found, mended)) in self.places.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}{} ({}, {}) at {:#x} in {mended}", found.subject, found.key, found.form(), found.at)?;
        }
        if self.has_bundle {
            f.write_str("; there is a bundle of roots besides, which is as it was")?;
        }
        Ok(())
    }
}

impl Places {
    /// The authorities in `image`, in which `anchors` were found, that are swapped: all of them, which have one kind of key, or
    /// those of the kind of the one that lies `at`. A flash is held against `target`.
    ///
    /// # Errors
    ///
    /// Why nothing can be swapped.
    pub fn find(
        image: &[u8],
        anchors: &Anchors,
        at: Option<usize>,
        target: Option<&'static espressif::Target>,
    ) -> Result<Self, Impossible> {
        if let Some(at) = anchors.signature_at {
            return Err(Impossible::Signed { at });
        }
        let (kind, chosen) = choose(anchors, at)?;
        let mut tried = image.to_vec();
        let (mut places, mut deleted) = (Vec::new(), None);
        for found in chosen {
            match target.map_or(Ok(Mended::Elsewhere), |target| mend(&mut tried, &found.range(), target)) {
                Ok(mended) => places.push((found, mended)),
                // What was deleted lies there until its page is used again, and nobody reads it.
                Err(why @ Unmendable::NoValue(_)) => deleted = Some(Impossible::Unmendable(found.into(), why)),
                Err(why) => return Err(Impossible::Unmendable(found.into(), why)),
            }
        }
        match deleted.filter(|_| places.is_empty()) {
            Some(why) => Err(why),
            None => Ok(Self { places, kind, has_bundle: anchors.bundle.is_some(), target }),
        }
    }

    /// `scenario` with an authority that fits in these places of `image`, and what is put there; its keys are those of `seed`.
    ///
    /// # Errors
    ///
    /// Why the scenario's authority cannot stand there.
    pub fn of(&self, image: &[u8], scenario: &Scenario, seed: u64) -> Result<(Scenario, Replacement), Misfit> {
        let device = &scenario.device;
        if device.trusts_as != Encoding::Pem {
            return Err(Misfit::Form);
        }
        let name = match device.trusts.as_slice() {
            [] => return Err(Misfit::TrustsNobody),
            [name] => name,
            several => return Err(Misfit::Several(several.len())),
        };
        let places: Vec<&Found> = self.places.iter().map(|(found, _)| found).collect();
        let fitted = fitted::fit(image, &places, self.kind, &scenario.pki, name, seed, scenario.date())?;
        let changed = Scenario { pki: fitted.certificates, ..scenario.clone() };
        Ok((changed, Replacement(fitted.texts)))
    }

    /// A copy of `image` with this in these places, and mended.
    ///
    /// # Errors
    ///
    /// If it is another image than the one in which the places were found.
    pub fn put(&self, image: &[u8], replacement: &Replacement) -> Result<Vec<u8>, Impossible> {
        let mut copy = image.to_vec();
        for ((found, _), text) in self.places.iter().zip(&replacement.0) {
            match copy.get_mut(found.range()) {
                Some(place) if place.len() == text.len() => place.copy_from_slice(text),
                _ => return Err(Impossible::NotThere { at: found.at, found: Vec::new() }),
            }
        }
        if let Some(target) = self.target {
            for (found, _) in &self.places {
                mend(&mut copy, &found.range(), target)
                    .map_err(|why| Impossible::Unmendable(found.clone().into(), why))?;
            }
        }
        Ok(copy)
    }
}

/// The authorities that are swapped, and the kind of their keys.
fn choose(anchors: &Anchors, at: Option<usize>) -> Result<(KeyKind, Vec<Found>), Impossible> {
    let authorities: Vec<Found> = anchors.certificates.iter().filter(|found| found.is_anchor()).cloned().collect();
    let Some(first) = authorities.first() else {
        return Err(match anchors.bundle {
            Some((at, roots)) => Impossible::Bundle { at, roots },
            None if !anchors.in_pieces.is_empty() => Impossible::InPieces(anchors.in_pieces.clone()),
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
