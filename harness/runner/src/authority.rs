//! An authority of one's own: `--authority CERT.pem --authority-key KEY.pem`, also in a board's file of the rack.
//!
//! A firmware that trusts one authority and nobody else meets a scenario if the broker's chain is minted under that
//! authority: it takes the place of the scenario's `root`. Where the root itself is what a scenario bends, where it would
//! have to be handed out, or where nothing can be minted under its key, the scenario is *not applicable under this
//! authority*.
//!
//! The key is read once. It stays in memory, is never written to a file, and is not shown.

mod der;
mod export;
mod foreign;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use blame::Error;
use clap::Args;
use pki::Authority;
use scenario::Scenario;

pub use export::{Export, run};
pub use foreign::under;

/// What follows every reason, so that whoever counts finds them.
pub const NOT_APPLICABLE: &str = "not applicable under this authority";

/// The authority under which brokers' chains are minted.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "An authority of one's own")]
pub struct OwnAuthority {
    /// Mint the brokers' chains under this authority, a test's, in the place of the bench's own root
    #[arg(long, value_name = "CERT.pem", requires = "authority_key")]
    pub authority: Option<PathBuf>,
    /// Its private key, unencrypted: PKCS#8, PKCS#1 or SEC 1
    #[arg(long, value_name = "KEY.pem", requires = "authority")]
    pub authority_key: Option<PathBuf>,
}

impl OwnAuthority {
    /// The authority, if one is wanted.
    ///
    /// # Errors
    ///
    /// A sentence that names the file, what is wrong with it, and the remedy.
    pub fn read(&self) -> blame::Result<Option<Authority>> {
        match (&self.authority, &self.authority_key) {
            (Some(certificate), Some(key)) => read(certificate, key).map(Some),
            _ => Ok(None),
        }
    }
}

/// Reads an authority from its two files.
///
/// # Errors
///
/// A sentence that names the file, what is wrong with it, and the remedy.
pub fn read(certificate: &Path, key: &Path) -> blame::Result<Authority> {
    use pki::Refusal;
    let texts = (text(certificate, der::certificate)?, text(key, der::key)?);
    Authority::read(&texts.0, &texts.1, crate::controls::today()).map_err(|why| {
        let is_about_the_key = matches!(why, Refusal::NoKey(_) | Refusal::EncryptedKey | Refusal::KeyOfAnother);
        let file = if is_about_the_key { key } else { certificate };
        Error::authors_file(file, why)
    })
}

/// The text of a file, of which no more is read than an authority needs; of one in DER, `as_text` makes it.
fn text(file: &Path, as_text: fn(&[u8]) -> Option<String>) -> blame::Result<String> {
    let bytes = host::read(file, &host::limit::PEM).map_err(|error| Error::authors_file(file, error))?;
    Ok(as_text(&bytes).unwrap_or_else(|| String::from_utf8_lossy(&bytes).into_owned()))
}

/// Scenarios under an authority of one's own.
#[derive(Debug)]
pub struct Foreign {
    /// Those that can be run so, changed; the others as they are.
    pub scenarios: Vec<Scenario>,
    /// Why the others cannot, by their names.
    pub reasons: BTreeMap<String, String>,
}

impl Foreign {
    /// `scenarios` under `authority`, with the keys of `seed`; all as they are if there is none.
    pub fn new(scenarios: Vec<Scenario>, authority: Option<&Authority>, seed: u64) -> Self {
        let Some(authority) = authority else { return Self { scenarios, reasons: BTreeMap::new() } };
        let mut reasons = BTreeMap::new();
        let scenarios = scenarios.into_iter().map(|scenario| match under(authority, &scenario, seed) {
            Ok(changed) => changed,
            Err(why) => {
                reasons.insert(scenario.name.clone(), format!("{NOT_APPLICABLE}: {why}"));
                scenario
            }
        });
        let scenarios = scenarios.collect();
        Self { scenarios, reasons }
    }

    /// What is to be said of it before a run; empty if there is nothing.
    pub fn told(&self, authority: Option<&Authority>) -> String {
        let Some(authority) = authority else { return String::new() };
        let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
        for reason in self.reasons.values() {
            let why = reason.strip_prefix(NOT_APPLICABLE).unwrap_or(reason).trim_start_matches(": ");
            *classes.entry(why).or_default() += 1;
        }
        let (all, excused) = (self.scenarios.len(), self.reasons.len());
        let (kind, subject) = (authority.kind(), authority.subject());
        let mut told = format!(
            "chains are minted under {} ({kind}); {excused} of {all} scenarios are not applicable under it\n",
            terminal::clean::line(subject)
        );
        for (why, count) in classes {
            told.push_str(&format!("  {count} {why}\n"));
        }
        told
    }
}
