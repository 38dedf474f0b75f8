//! What the device dials under another name: wherever that very text stands.

use pki::spec::{Attribute, Certificate, Name, Profile, Subject};
use scenario::{Scenario, lan};

use crate::unattended::NotMet;

/// What the device dials, and what it is called here.
pub(crate) struct Rename {
    /// As the scenario has it.
    pub(crate) from: String,
    /// What stands in its place.
    pub(crate) to: String,
    /// Whether what is written of that name is renamed with it: `*.test`, `BROKER.TEST`, `mqtts://broker.test`. Else only the
    /// text itself is, and whatever else stands there stays.
    pub(crate) also_relatives: bool,
}

impl Rename {
    /// Renames what is dialled, the certificates' names and common names, and the names that the broker answers to. A
    /// certificate for somebody else stays one.
    ///
    /// # Errors
    ///
    /// If a name is a pattern that nothing here stands for.
    pub(crate) fn scenario(&self, scenario: &mut Scenario) -> Result<(), NotMet> {
        scenario.device.dials.clone_from(&self.to);
        let names: Vec<String> = scenario.pki.names().map(str::to_owned).collect();
        for name in names {
            let certificate = scenario.pki.0.entry(name.clone()).or_default();
            if self.also_relatives && certificate.name_constraints.is_some() {
                return Err("its authorities may only sign names that the firmware does not dial".into());
            }
            self.certificate(&name, certificate)?;
        }
        for text in &mut scenario.broker.names {
            *text = self.text(std::mem::take(text))?;
        }
        let tenants = std::mem::take(&mut scenario.broker.tenants).into_iter();
        scenario.broker.tenants =
            tenants.map(|(name, chain)| Ok((self.text(name)?, chain))).collect::<Result<_, NotMet>>()?;
        Ok(())
    }

    fn text(&self, text: String) -> Result<String, NotMet> {
        if text == self.from {
            return Ok(self.to.clone());
        }
        if self.also_relatives { self.relative(text) } else { Ok(text) }
    }

    /// The name in other letters, with something behind or before it, or a pattern that fits it.
    fn relative(&self, text: String) -> Result<String, NotMet> {
        if text.eq_ignore_ascii_case(&self.from) {
            return Ok(self.to.to_ascii_uppercase());
        }
        if text.contains(&self.from) {
            return Ok(text.replace(&self.from, &self.to));
        }
        let Some((label, parent)) = text.split_once('.').filter(|(label, _)| label.contains('*')) else {
            return Ok(text);
        };
        if self.from.split_once('.').map(|(_, parent)| parent) != Some(parent) {
            return Ok(text);
        }
        match self.to.split_once('.') {
            Some((own, parent)) if parent.contains('.') => {
                let first = own.chars().next().unwrap_or('*');
                let label = if label == "*" { "*".to_owned() } else { format!("{first}*") };
                Ok(format!("{label}.{parent}"))
            }
            _ => Err(format!("it is about the pattern {text}, and no pattern stands for {}", self.to).into()),
        }
    }

    /// Writes down what the profile would have filled in, and renames in it.
    fn certificate(&self, name: &str, certificate: &mut Certificate) -> Result<(), NotMet> {
        if certificate.pem.is_some() {
            return Ok(());
        }
        let server = Profile::of(name, certificate) == Profile::Server;
        if server && certificate.names.is_none() {
            certificate.names = Some(vec![Name::Dns(lan::BROKER_NAME.into())]);
        }
        if server && certificate.subject.is_none() {
            certificate.subject = Some(Subject::from(lan::BROKER_NAME));
        }
        for name in certificate.names.iter_mut().flatten() {
            match name {
                Name::Dns(text) => *text = self.text(std::mem::take(text))?,
                Name::Ip(address) if address.to_string() == self.from => {
                    if let Ok(here) = self.to.parse() {
                        *address = here;
                    }
                }
                Name::Uri(text) | Name::Email(text) if self.also_relatives => {
                    *text = self.text(std::mem::take(text))?
                }
                Name::Ip(_) | Name::Uri(_) | Name::Email(_) => {}
            }
        }
        for (attribute, text) in certificate.subject.iter_mut().flat_map(|subject| &mut subject.0) {
            if *attribute == Attribute::CommonName {
                *text = self.text(std::mem::take(text))?;
            }
        }
        Ok(())
    }
}
