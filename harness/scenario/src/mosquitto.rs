//! A real broker in the place of the scripted one: the `[mosquitto]` table.

pub mod line;
pub mod options;

use serde::Deserialize;

use crate::Scenario;
use crate::broker::{Broker, ClientCertificates, Mqtt, Request};
use crate::problem::Complaint;

/// The `[mosquitto]` table: how mosquitto is configured, where `broker.real` asks for it.
///
/// Files that a configuration names are made by the bench, whatever their paths: the broker's chain and key
/// (`broker.certificates`), the authorities of its clients (`broker.client_certificates.trusts`), passwords
/// (`broker.mqtt.users`). Ports are moved to free ones of the loopback, and paths below the run's own folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mosquitto {
    /// The text of its mosquitto.conf(5). Absent: it is written from the `[broker]` table.
    pub conf: Option<String>,
    /// Lines that are added to the configuration, below everything else.
    pub options: Vec<String>,
}

impl Mosquitto {
    /// Whether a line of the configuration sets `option`.
    pub fn has_option(&self, option: &str) -> bool {
        self.lines().any(|line| line.split_whitespace().next() == Some(option))
    }

    fn lines(&self) -> impl Iterator<Item = &str> {
        self.conf.iter().flat_map(|conf| conf.lines()).chain(self.options.iter().map(String::as_str))
    }
}

/// The configuration's length at most, in bytes: the longest that people post have a tenth of that.
pub const CONF_BYTES_MAX: usize = 64 * 1024;

pub(crate) fn check(scenario: &Scenario) -> Result<(), Complaint> {
    let Some(mosquitto) = &scenario.mosquitto else { return Ok(()) };
    if scenario.broker.real.is_none() {
        return Err(Complaint::at(
            &["mosquitto"],
            "nobody reads this table: the broker is scripted",
            "set `real = \"mosquitto\"` in `[broker]`, or remove the table",
        ));
    }
    let conf = mosquitto.conf.as_deref().unwrap_or_default();
    if conf.len() > CONF_BYTES_MAX {
        return Err(Complaint::at(&["mosquitto", "conf"], "longer than 64 KiB", "leave out the comments"));
    }
    let remedy = "leave the line out: harness/scenario/src/mosquitto/options.rs has the options there are";
    for (index, text) in conf.lines().enumerate() {
        line::setting(text)
            .map_err(|why| Complaint::at(&["mosquitto", "conf"], format!("line {} of it: {why}", index + 1), remedy))?;
    }
    for text in &mosquitto.options {
        // One line each: what hides behind a line end would be another.
        line::setting(text).map_err(|why| Complaint::at(&["mosquitto", "options"], why.to_string(), remedy))?;
    }
    Ok(())
}

/// What `[broker]` may say of a broker that is no script of ours.
pub(crate) fn check_broker(broker: &Broker) -> Result<(), Complaint> {
    let good = Broker::default();
    let told = Broker {
        real: broker.real,
        tls: broker.tls,
        versions: broker.versions.clone(),
        certificates: broker.certificates.clone(),
        key_of: broker.key_of.clone(),
        client_certificates: ClientCertificates {
            request: broker.client_certificates.request,
            trusts: broker.client_certificates.trusts.clone(),
            identity_is_user_name: broker.client_certificates.identity_is_user_name,
            ..good.client_certificates.clone()
        },
        mqtt: Mqtt {
            allow_anonymous: broker.mqtt.allow_anonymous,
            users: broker.mqtt.users.clone(),
            ..good.mqtt.clone()
        },
        ..good
    };
    if broker.client_certificates.request == Request::Optional {
        return Err(Complaint::at(
            &["broker", "client_certificates"],
            "mosquitto either requires a certificate or does not ask for one",
            "write `request = \"required\"`, or leave it out",
        ));
    }
    if told == *broker {
        return Ok(());
    }
    Err(Complaint::at(
        &["broker", "real"],
        "a real broker does not act a script",
        "of a real broker say only `tls`, `versions`, `certificates`, `key_of`, `client_certificates` (`request`, \
         `trusts`, `identity_is_user_name`) and `mqtt` (`allow_anonymous`, `users`)",
    ))
}
