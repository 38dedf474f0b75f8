//! Distinguished names as text (RFC 4514).

use serde::{Deserialize, Serialize};
use std::fmt;

use super::Malformed;

/// A distinguished name: `"CN=broker.test,O=Shakedown"`, written into the certificate in this order, one attribute a
/// set. A comma or a backslash in a value is written `\,` or `\\`. `""` is the empty name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subject(pub Vec<(Attribute, String)>);

/// The kinds of attribute that a name may hold (RFC 5280 appendix A.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attribute {
    /// `CN`, commonName.
    CommonName,
    /// `O`, organizationName.
    Organization,
    /// `OU`, organizationalUnitName.
    OrganizationalUnit,
    /// `C`, countryName.
    Country,
    /// `ST`, stateOrProvinceName.
    StateOrProvince,
    /// `L`, localityName.
    Locality,
    /// `DC`, domainComponent.
    DomainComponent,
    /// `SERIALNUMBER`, serialNumber: the device's, not the certificate's.
    SerialNumber,
    /// `EMAIL`, emailAddress.
    Email,
}

impl Attribute {
    /// Each kind with its short name and its object identifier.
    pub const ALL: &'static [(Self, &'static str, &'static [u64])] = &[
        (Self::CommonName, "CN", &[2, 5, 4, 3]),
        (Self::Organization, "O", &[2, 5, 4, 10]),
        (Self::OrganizationalUnit, "OU", &[2, 5, 4, 11]),
        (Self::Country, "C", &[2, 5, 4, 6]),
        (Self::StateOrProvince, "ST", &[2, 5, 4, 8]),
        (Self::Locality, "L", &[2, 5, 4, 7]),
        (Self::DomainComponent, "DC", &[0, 9, 2342, 19200300, 100, 1, 25]),
        (Self::SerialNumber, "SERIALNUMBER", &[2, 5, 4, 5]),
        (Self::Email, "EMAIL", &[1, 2, 840, 113549, 1, 9, 1]),
    ];

    /// The short name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(attribute, ..)| *attribute == self).map_or("?", |(_, name, _)| name)
    }

    /// The object identifier's arcs.
    pub fn arcs(self) -> &'static [u64] {
        Self::ALL.iter().find(|(attribute, ..)| *attribute == self).map_or(&[], |(.., arcs)| arcs)
    }
}

impl TryFrom<String> for Subject {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        split_unescaped(&text).into_iter().map(|pair| parse_attribute(&pair)).collect::<Result<_, _>>().map(Self)
    }
}

impl From<&str> for Subject {
    /// The name of one commonName.
    fn from(common_name: &str) -> Self {
        Self(vec![(Attribute::CommonName, common_name.to_owned())])
    }
}

/// Splits at commas that no backslash precedes, and takes the backslashes away.
fn split_unescaped(text: &str) -> Vec<String> {
    let mut pairs = Vec::new();
    let mut pair = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            ',' => pairs.push(core::mem::take(&mut pair)),
            '\\' => pair.extend(characters.next()),
            other => pair.push(other),
        }
    }
    if !text.is_empty() {
        pairs.push(pair);
    }
    pairs
}

fn parse_attribute(pair: &str) -> Result<(Attribute, String), Malformed> {
    let known = || Attribute::ALL.iter().map(|(_, name, _)| *name).collect::<Vec<_>>().join(", ");
    let (name, value) =
        pair.split_once('=').ok_or_else(|| Malformed::new(pair, "no part of a name", "e.g. `CN=broker.test`"))?;
    let name = name.trim();
    match Attribute::ALL.iter().find(|(_, short, _)| short.eq_ignore_ascii_case(name)) {
        Some((attribute, ..)) => Ok((*attribute, value.to_owned())),
        None => Err(Malformed::new(name, "no attribute of a name", format!("one of {}", known()))),
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (attribute, value)) in self.0.iter().enumerate() {
            let value = value.replace('\\', "\\\\").replace(',', "\\,");
            write!(f, "{}{}={value}", if index == 0 { "" } else { "," }, attribute.name())?;
        }
        Ok(())
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.to_string()
    }
}
