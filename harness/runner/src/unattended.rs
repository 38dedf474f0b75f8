//! Firmware that nobody tells what to do (`driver = "none"`): the bench comes to it.
//!
//! It dials one broker, by one name or address and port, on one network, and trusts whom it was built to trust. So a scenario
//! is moved there (`moved`): the network has its name, the broker the host's certificates, address and port; and the chain
//! hangs on an authority that the firmware trusts. That is the owner's (`--authority`), or one of the bench's that was swapped
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
use pki::Authority;
use scenario::Scenario;

use crate::authority;
use crate::dialect::by_itself::ByItself;

/// How a firmware comes to trust the bench's broker.
#[derive(Clone, Debug)]
pub enum Trust {
    /// It speaks no TLS.
    Plain,
    /// It takes any certificate.
    Anybody,
    /// The chains of this run hang on an authority that it trusts, with `--authority`.
    Given,
    /// In a copy of the image its authority is the bench's: what was done, and who it is.
    Swapped {
        /// What was replaced, and where; and what the copy's SHA-256 is.
        what: String,
        /// Who is trusted instead.
        authority: Box<Authority>,
    },
    /// It does not.
    Nobody,
}

impl fmt::Display for Trust {
    /// As a report has it, behind the name of a product.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => f.write_str("no trust is needed: it speaks MQTT IN THE CLEAR"),
            Self::Anybody => f.write_str("it TRUSTS ANYBODY: it takes every certificate"),
            Self::Given => f.write_str("it trusts the authority that was given with --authority"),
            Self::Swapped { what, .. } => {
                write!(f, "TRUST BY SWAP, not the image as it was shipped: in a copy of it {what}")
            }
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
        let found = foreseen.entry(scenario.name.clone()).or_insert_with(|| self.meets(scenario).map(Arc::new));
        found.clone()
    }

    /// The scenario as the firmware meets it.
    ///
    /// # Errors
    ///
    /// Why it does not.
    pub fn meets(&self, scenario: &Scenario) -> Result<Scenario, NotMet> {
        let moved = moved::to(scenario, &self.by_itself, self.network.as_ref())?;
        match &self.trust {
            Trust::Swapped { authority, .. } => authority::under(authority, &moved, self.seed)
                .map_err(|why| NotMet(format!("{}: {}", authority::NOT_APPLICABLE, why.message))),
            Trust::Nobody => trust::needs_none(&moved).map(|()| moved),
            Trust::Plain | Trust::Anybody | Trust::Given => Ok(moved),
        }
    }

    /// Why what it did says nothing about the scenario all the same: it trusts nobody, and came so far that it mattered.
    pub fn is_about_trust(&self, judged: &Judged) -> Option<String> {
        matches!(self.trust, Trust::Nobody).then(|| trust::decided_it(&judged.account)).flatten()
    }
}
