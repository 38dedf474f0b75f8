//! What the owner says about a firmware that nobody tells what to do.

use std::sync::Arc;

use access_point::Description;
use blame::Error;
use clap::{Args, ValueEnum};

use super::{Swap, Trust, Unattended};
use crate::dialect::Dialect;
use crate::dialect::by_itself::ByItself;
use crate::product::anchors;
use crate::product::passphrase::{self, Place};
use crate::product::swap::Places;
use crate::released::Firmware;
use crate::wifi::options;

/// The options.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Firmware that nobody tells what to do (driver = \"none\" in its description)")]
pub struct UnattendedOptions {
    /// How it comes to trust the bench's broker, without --authority [default: none]
    #[arg(long, value_enum)]
    pub trust: Option<Way>,
    /// Swap the authority that lies at this address of the image, in hexadecimal, if there are several kinds
    #[arg(long, value_name = "ADDRESS", value_parser = crate::cli::hexadecimal, requires = "trust")]
    pub swap_at: Option<u64>,
    /// The network that it joins: ssid=NAME,psk=PASSPHRASE [default: an open one of the name in its description]
    #[arg(long, value_name = "NETWORK", value_parser = options::parse)]
    pub wifi: Option<Description>,
    /// Whether the run is under an authority of the owner's.
    #[arg(skip)]
    pub is_authority_given: bool,
    /// The seed of the run.
    #[arg(skip)]
    pub seed: u64,
}

/// A way to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Way {
    /// In a copy of the image, the authority that is found there is replaced by the bench's own
    Swap,
    /// It trusts nobody here: only scenarios in which the broker need not be trusted are run
    None,
}

/// Why the options are none for a firmware with this description.
fn for_others(dialect: &Dialect) -> Error {
    const FOR: &str = "`--trust`, `--swap-at` and `--wifi` are for firmware that nobody tells what to do";
    Error::usage(match dialect.driver {
        Some(driver) => format!(
            "{FOR}, and this one's description says `driver = \"{}\"`: leave them out, it is told its network and whom to trust",
            driver.name()
        ),
        None => format!(
            "{FOR}: its description says `driver = \"none\"` (`cargo xtask product init IMAGE` writes one), and is given with \
             `--dialect`. A description of `product init` without that line is of a firmware that dialled nobody: describe it \
             again, with its network (`--wifi`) or more time (`--virtual-s`)"
        ),
    })
}

impl UnattendedOptions {
    /// The same, for a run with this seed.
    #[must_use]
    pub fn of_seed(&self, seed: u64) -> Self {
        Self { seed, ..self.clone() }
    }

    /// Whether the owner has said anything.
    const fn says_anything(&self) -> bool {
        self.trust.is_some() || self.swap_at.is_some() || self.wifi.is_some()
    }

    /// The firmware with its description, which does by itself what that says; and how it comes to trust.
    ///
    /// # Errors
    ///
    /// If the options are for another kind of firmware, or the authority cannot be swapped.
    pub fn apply(&self, firmware: Firmware, dialect: &Dialect) -> blame::Result<(Firmware, Option<Arc<Unattended>>)> {
        let Some(by_itself) = dialect.by_itself.clone() else {
            if self.says_anything() {
                return Err(for_others(dialect));
            }
            return Ok((firmware, None));
        };
        let network = self.network(&firmware, &by_itself)?;
        let wants_swap = self.trust == Some(Way::Swap);
        if wants_swap && self.is_authority_given {
            return Err(Error::usage("`--authority` or `--trust swap`: it is trusted already, or it is swapped"));
        }
        let trust = match (by_itself.tls, by_itself.trusts_anybody) {
            (true, false) if wants_swap => self.swapped(&firmware)?,
            (false, _) | (_, true) if wants_swap => {
                return Err(Error::usage("`--trust swap`: as its description says, it looks at no certificate"));
            }
            (false, _) => Trust::Plain,
            (true, true) => Trust::Anybody,
            (true, false) if self.is_authority_given => Trust::Given,
            (true, false) => Trust::Nobody,
        };
        let unattended = Unattended::new(by_itself, network, trust, self.seed);
        Ok((firmware, Some(Arc::new(unattended))))
    }

    /// The network that it joins: as its owner says, or with the passphrase that lies in the image.
    fn network(&self, firmware: &Firmware, by_itself: &ByItself) -> blame::Result<Option<Description>> {
        let (None, Some(ssid), Some(place)) = (&self.wifi, &by_itself.ssid, by_itself.passphrase) else {
            return Ok(self.wifi.clone());
        };
        let place = Place { at: place.at, length: place.bytes };
        let found = passphrase::read(&firmware.bytes, place).map(|text| Description::wpa2(ssid, text));
        found.map(Some).ok_or_else(|| {
            Error::author(format!(
                "{}: no passphrase lies at {:#x}: the description is of another image. `cargo xtask product init` describes \
                 this one, or give the network with `--wifi 'ssid={ssid},psk=…'`",
                firmware.elf.display(),
                place.at
            ))
        })
    }

    fn swapped(&self, firmware: &Firmware) -> blame::Result<Trust> {
        let at = self.swap_at.map(|at| usize::try_from(at).unwrap_or(usize::MAX));
        let anchors = anchors::find(&firmware.bytes);
        let places = Places::find(&firmware.bytes, &anchors, at, firmware.flash_target())
            .map_err(|why| Error::author(format!("{}: {why}", firmware.elf.display())))?;
        Ok(Trust::Swapped(Box::new(Swap { firmware: firmware.clone(), places })))
    }
}
