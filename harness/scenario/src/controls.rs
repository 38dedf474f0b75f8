//! Host clients that meet the same broker as the device: the `controls` of a scenario.
//!
//! Most people who cannot get a device to connect have a program at hand that can. A control is such a program, well
//! configured: of the `[device]` table it takes what is dialled, the trust anchors, its own certificate and the MQTT
//! login, and none of the device's peculiarities.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer};

/// A host client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// `mosquitto_pub` of Eclipse mosquitto, over OpenSSL.
    MosquittoPub,
    /// Eclipse Paho for Python, over Python's `ssl`.
    Paho,
    /// `openssl s_client`, with the bytes of MQTT on its standard input.
    Openssl,
    /// A client over rustls, inside the bench.
    Rustls,
}

impl Control {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::MosquittoPub, Self::Paho, Self::Openssl, Self::Rustls];

    /// As a scenario writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MosquittoPub => "mosquitto_pub",
            Self::Paho => "paho",
            Self::Openssl => "openssl",
            Self::Rustls => "rustls",
        }
    }
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a control does when it meets the broker, by the document that the scenario replays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// It connects, logs in and publishes.
    #[default]
    Accepts,
    /// It does not get that far: it refuses the broker, or the broker refuses it.
    Refuses,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accepts => "accepts",
            Self::Refuses => "refuses",
        })
    }
}

/// The controls of a scenario. A list names those that get through, a table says it of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Controls(pub BTreeMap<Control, Expected>);

impl<'de> Deserialize<'de> for Controls {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "a list of `mosquitto_pub`, `paho`, `openssl` and `rustls`, or a table that says `accepts` \
                         or `refuses` of each"
        )]
        enum Written {
            List(Vec<Control>),
            Table(BTreeMap<Control, Expected>),
        }
        Ok(Self(match Written::deserialize(deserializer)? {
            Written::List(list) => list.into_iter().map(|control| (control, Expected::default())).collect(),
            Written::Table(table) => table,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct File {
        controls: Controls,
    }

    fn read(text: &str) -> Result<Vec<(Control, Expected)>, String> {
        toml::from_str(text).map(|file: File| file.controls.0.into_iter().collect()).map_err(|e| e.to_string())
    }

    #[test]
    fn a_list_names_those_that_get_through_and_a_table_says_it_of_each() {
        let listed = read("controls = [\"paho\", \"openssl\"]").unwrap();
        assert_eq!(listed, [(Control::Paho, Expected::Accepts), (Control::Openssl, Expected::Accepts)]);
        let table = read("controls = { paho = \"refuses\", rustls = \"accepts\" }").unwrap();
        assert_eq!(table, [(Control::Paho, Expected::Refuses), (Control::Rustls, Expected::Accepts)]);
    }

    #[test]
    fn a_control_that_nobody_knows_is_refused_with_those_that_there_are() {
        for wrong in ["controls = [\"mqttx\"]", "controls = { paho = \"works\" }", "controls = true"] {
            let error = read(wrong).unwrap_err();
            assert!(Control::ALL.iter().all(|control| error.contains(control.name())), "{error}");
        }
    }
}
