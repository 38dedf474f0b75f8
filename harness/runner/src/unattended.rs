//! Firmware that nobody tells what to do (`driver = "none"`): the bench comes to it.
//!
//! It dials one broker, by one name or address and port, on one network, and trusts whom it was built to trust. So a scenario
//! is moved there (`moved`): the network has its name, the broker the host's certificates, address and port; and the chain
//! hangs on an authority that the firmware trusts. That is the owner's (`--authority`), or the scenario's own, which is swapped
//! into a copy of the image ([`crate::product::swap`]), or nobody's: then only scenarios are run in which the broker need not
//! be trusted (`trust`).

mod moved;
pub mod options;
mod trust;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use access_point::Description;
use judge::Judged;
use scenario::Scenario;

use crate::dialect::by_itself::ByItself;
use crate::product::swap::{Places, Replacement};
use crate::released::Firmware;

/// How a firmware comes to trust the bench's broker.
#[derive(Clone, Debug)]
pub enum Trust {
    /// It speaks no TLS.
    Plain,
    /// It takes any certificate.
    Anybody,
    /// The chains of this run hang on an authority that it trusts, with `--authority`.
    Given,
    /// In a copy of the image, made for each scenario, that scenario's authority stands in these places.
    Swapped(Box<Swap>),
    /// It does not.
    Nobody,
}

/// An image, and where in it authorities lie that are swapped.
#[derive(Clone, Debug)]
pub struct Swap {
    /// The firmware as it was shipped.
    pub firmware: Firmware,
    /// Where they lie.
    pub places: Places,
}

/// A scenario as a firmware meets it.
#[derive(Clone, Debug)]
pub struct Met {
    /// The scenario.
    pub scenario: Scenario,
    /// The copy of the firmware that meets it, if it is not as it was shipped.
    pub copy: Option<Firmware>,
}

impl Swap {
    /// The firmware with this in these places.
    fn copy(&self, replacement: &Replacement) -> Result<Firmware, NotMet> {
        let image = self.places.put(&self.firmware.bytes, replacement).map_err(|why| NotMet(why.to_string()))?;
        Ok(self.firmware.clone().changed(image, "authority swapped"))
    }
}

impl fmt::Display for Trust {
    /// As a report has it, behind the name of a product.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => f.write_str("no trust is needed: it speaks MQTT IN THE CLEAR"),
            Self::Anybody => f.write_str("it TRUSTS ANYBODY: it takes every certificate"),
            Self::Given => f.write_str("it trusts the authority that was given with --authority"),
            Self::Swapped(swap) => write!(
                f,
                "TRUST BY SWAP, not the image as it was shipped: for each scenario a copy of it is made, in which that \
                 scenario's authority stands for {}",
                swap.places
            ),
            Self::Nobody => f.write_str(
                "TRUST NONE: it trusts nobody that the bench can be, so only scenarios are run in which the broker need not be \
                 trusted (`--trust swap` or `--authority` give the others)",
            ),
        }
    }
}

/// Why a firmware does not meet a scenario, as the end of a sentence about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotMet(pub String);

impl fmt::Display for NotMet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotMet {}

impl From<String> for NotMet {
    fn from(why: String) -> Self {
        Self(why)
    }
}

impl From<&str> for NotMet {
    fn from(why: &str) -> Self {
        Self(why.to_owned())
    }
}

/// A firmware that nobody tells what to do, and how it comes to trust.
#[derive(Debug)]
pub struct Unattended {
    by_itself: ByItself,
    /// The network that it joins, if the owner has said more of it than its name.
    network: Option<Description>,
    trust: Trust,
    seed: u64,
    /// Scenarios as it meets them, or why it does not, as far as they were asked for.
    foreseen: Mutex<BTreeMap<String, Result<Arc<Scenario>, NotMet>>>,
}

impl Unattended {
    /// One that does this by itself.
    pub fn new(by_itself: ByItself, network: Option<Description>, trust: Trust, seed: u64) -> Self {
        Self { by_itself, network, trust, seed, foreseen: Mutex::default() }
    }

    /// What it does.
    pub const fn by_itself(&self) -> &ByItself {
        &self.by_itself
    }

    /// How it comes to trust the bench's broker.
    pub const fn trust(&self) -> &Trust {
        &self.trust
    }

    /// The scenario of that name as the firmware meets it. Chains are minted for that, so it is found out once; steps of a sweep
    /// share a name, and are for [`Self::meets`].
    ///
    /// # Errors
    ///
    /// Why it does not.
    pub fn foresees(&self, scenario: &Scenario) -> Result<Arc<Scenario>, NotMet> {
        let mut foreseen = self.foreseen.lock().unwrap_or_else(PoisonError::into_inner);
        let found = foreseen.entry(scenario.name.clone()).or_insert_with(|| {
            let moved = moved::to(scenario, &self.by_itself, self.network.as_ref())?;
            Ok(Arc::new(self.trusted(moved)?.0))
        });
        found.clone()
    }

    /// The scenario as the firmware meets it, and the copy of it that does.
    ///
    /// # Errors
    ///
    /// Why it does not.
    pub fn meets(&self, scenario: &Scenario) -> Result<Met, NotMet> {
        self.trusts(moved::to(scenario, &self.by_itself, self.network.as_ref())?)
    }

    /// A scenario that takes place where the firmware dials, with an authority that it trusts, and the copy of it that does.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn trusts(&self, moved: Scenario) -> Result<Met, NotMet> {
        let (scenario, replacement) = self.trusted(moved)?;
        let copy = match (&self.trust, replacement) {
            (Trust::Swapped(swap), Some(replacement)) => Some(swap.copy(&replacement)?),
            _ => None,
        };
        Ok(Met { scenario, copy })
    }

    fn trusted(&self, moved: Scenario) -> Result<(Scenario, Option<Replacement>), NotMet> {
        match &self.trust {
            Trust::Swapped(swap) => {
                let fitted = swap.places.of(&swap.firmware.bytes, &moved, self.seed);
                fitted.map(|(scenario, put)| (scenario, Some(put))).map_err(|why| NotMet(why.to_string()))
            }
            Trust::Nobody => trust::needs_none(&moved).map(|()| (moved, None)),
            Trust::Plain | Trust::Anybody | Trust::Given => Ok((moved, None)),
        }
    }

    /// Why what it did says nothing about the scenario all the same: it trusts nobody, and came so far that it mattered.
    pub fn is_about_trust(&self, judged: &Judged) -> Option<String> {
        matches!(self.trust, Trust::Nobody).then(|| trust::decided_it(&judged.account)).flatten()
    }
}
