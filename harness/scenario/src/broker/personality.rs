//! Brokers that people know, as presets.

use serde::Deserialize;

use super::{Broker, Engine, OnMissingName};
use crate::device::Version;

/// Whose broker it is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Personality {
    /// IBM's Internet of Things Foundation in 2016: OpenSSL with `versions = ["1.2"]` and suites with AES, and
    /// `sends_alerts = false`.
    IbmIotf,
    /// HiveMQ Cloud: many tenants behind SNI, `on_missing_name = "login_refused"`, TLS 1.2 and 1.3.
    HivemqCloud,
    /// Eclipse Mosquitto 2 with `tls_version tlsv1.2`, which is a minimum: OpenSSL, TLS 1.2 and 1.3, two tickets.
    Mosquitto,
}

/// The suites with AES of OpenSSL's defaults in 2016, those with elliptic curves first.
const SUITES_OF_2016: &[&str] = &[
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
];

impl Broker {
    /// Fills in what the personality is known for. `says` tells whether the scenario itself says something about a key.
    pub(crate) fn take_personality(&mut self, says: &dyn Fn(&str) -> bool) {
        let Some(personality) = self.personality else { return };
        let good = Self::default();
        let known = match personality {
            Personality::IbmIotf => Self {
                engine: Engine::Openssl,
                versions: vec![Version::Tls12],
                cipher_suites: SUITES_OF_2016.iter().map(|&suite| suite.into()).collect(),
                sends_alerts: false,
                ..good
            },
            Personality::HivemqCloud => Self {
                versions: vec![Version::Tls12, Version::Tls13],
                on_missing_name: OnMissingName::LoginRefused,
                ..good
            },
            Personality::Mosquitto => Self {
                engine: Engine::Openssl,
                versions: vec![Version::Tls12, Version::Tls13],
                session_tickets: 2,
                ..good
            },
        };
        let preset = |key: &str| !says(key);
        if preset("engine") {
            self.engine = known.engine;
        }
        if preset("versions") {
            self.versions = known.versions;
        }
        if preset("cipher_suites") {
            self.cipher_suites = known.cipher_suites;
        }
        if preset("sends_alerts") {
            self.sends_alerts = known.sends_alerts;
        }
        if preset("on_missing_name") {
            self.on_missing_name = known.on_missing_name;
        }
        if preset("session_tickets") {
            self.session_tickets = known.session_tickets;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scenario;

    fn broker(keys: &str) -> Broker {
        let text = format!(
            "title = 't'\nspecification = {{ demands = 'fail', rule = 'RFC 1 §1', quote = 'q' }}\n\n[broker]\n{keys}"
        );
        Scenario::parse("sni/somebody", "somebody.toml", &text).expect(keys).broker
    }

    #[test]
    fn a_personality_fills_in_what_the_scenario_leaves_out() {
        let ibm = broker("personality = 'ibm_iotf'\n");
        assert_eq!((ibm.engine, ibm.sends_alerts, &ibm.versions[..]), (Engine::Openssl, false, &[Version::Tls12][..]));
        assert_eq!(broker("personality = 'hivemq_cloud'\n").on_missing_name, OnMissingName::LoginRefused);
        let louder = broker("personality = 'ibm_iotf'\nsends_alerts = true\nversions = ['1.2', '1.3']\n");
        assert!(louder.sends_alerts && louder.versions == Broker::default().versions);
        assert_eq!(louder.cipher_suites.len(), SUITES_OF_2016.len());
    }
}
