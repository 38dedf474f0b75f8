//! Names that do not lie: a scenario's name may only claim what its content says.
//!
//! A name is read word by word. Some words, alone or several in a row, are claims: `expired`, `unknown_ca`,
//! `connack_5`. Each claim has a predicate over the scenario's content, and a name whose claim does not hold is refused.
//! Words that claim nothing are free.

mod claim;
mod facts;
mod vocabulary;

use crate::Scenario;
use crate::problem::Complaint;
use vocabulary::CLAIMS;

/// The folders of `scenarios/`, and the groups of the fault catalogue that belong in each.
pub const FOLDERS: &[(&str, &[char])] = &[
    ("identity", &['A']),
    ("trust", &['B']),
    ("validity", &['C']),
    ("versions", &['D', 'E']),
    ("certificate", &['F']),
    ("chain", &['G']),
    ("records", &['H']),
    ("client_authentication", &['I']),
    ("sni", &['J']),
    ("transport", &['K']),
    ("resumption", &['L']),
    ("mqtt", &['M']),
    ("memory", &['N']),
    ("configuration", &['O']),
    ("modem", &['P']),
    ("wifi", &['Q']),
];

/// The words of names that claim something, each with what it means. A `*` stands for a number, an alert's name, a
/// group or a kind of key.
pub fn claims() -> impl Iterator<Item = (&'static str, &'static str)> {
    CLAIMS.iter().map(|claim| (claim.words, claim.means))
}

pub(crate) fn check(scenario: &Scenario) -> Result<(), Complaint> {
    let name = scenario.name.as_str();
    let (folder, stem) = name.split_once('/').unwrap_or(("", name));
    if stem.is_empty() || !name.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_' | '/')) {
        return Err(Complaint::at(
            &["title"],
            format!("`{name}` is no name for a scenario"),
            "use lower-case letters, digits and `_`: `san_ip_dialled_by_address.toml`",
        ));
    }
    check_claims(scenario, stem)?;
    check_catalogue(scenario, folder)
}

fn check_claims(scenario: &Scenario, stem: &str) -> Result<(), Complaint> {
    let words: Vec<&str> = stem.split(['_', '/']).collect();
    for made in claim::made(&words, CLAIMS) {
        if !(made.claim.holds)(scenario, &made.value) {
            return Err(Complaint::at(
                &["title"],
                format!("the name says `{}`, but the content does not", made.words),
                format!("either rename the file, or make it true: {}", made.claim.means),
            ));
        }
    }
    Ok(())
}

fn check_catalogue(scenario: &Scenario, folder: &str) -> Result<(), Complaint> {
    if let Some((_, groups)) = FOLDERS.iter().find(|(known, _)| *known == folder) {
        for id in &scenario.catalogue {
            if !id.starts_with(*groups) {
                return Err(Complaint::at(
                    &["catalogue"],
                    format!("`{id}` does not belong in `{folder}/`"),
                    format!("that folder holds group {groups:?}: move the file, or correct the id"),
                ));
            }
        }
    }
    for id in &scenario.catalogue {
        let well_formed = id.len() == 3
            && id.starts_with(|c: char| c.is_ascii_uppercase())
            && id[1..].chars().all(|c| c.is_ascii_digit());
        if !well_formed {
            return Err(Complaint::at(
                &["catalogue"],
                format!("`{id}` is no row of the catalogue"),
                "write a letter and two digits: `A01`",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
