//! Who dials whom, with what: the devices' side of every connection that `diagnose` makes.

use std::net::IpAddr;

use clap::ValueEnum;
use clock::UnixTime;
use control::Act;
use host::own_network::Endpoint;
use outcome::Demand;
use pki::spec::Certificate;
use pki::to_pem;
use scenario::device::ServerName;
use scenario::{Date, Scenario, lan};

use super::verifier::Expected;

/// The name under which transcripts know the scenario. Explanations that hold for names in general hold in its folder.
const NAME: &str = "identity/given";

/// What every such scenario says; the rest is put in.
const SCENARIO: &str = r#"
title = "A broker that was given"

[specification]
demands = "connect"
rule = "RFC 9525 §6"
quote = "the client MUST check the server's identity"
"#;

/// What devices dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DialBy {
    /// The literal of its address
    Address,
    /// A name, which they look up
    Name,
}

/// A certificate of the devices' own, with its key.
pub struct Own {
    /// DER, leaf first.
    pub chain: Vec<Vec<u8>>,
    /// PEM. It is never printed.
    pub key: String,
}

/// The devices' side. It has secrets, and is therefore not to be printed.
pub struct Setup {
    /// What devices dial: a name or the literal of an address.
    pub dialled: String,
    /// The port that they dial.
    pub port: u16,
    /// Where the broker really is.
    pub broker: Endpoint,
    /// The name for SNI and for the check, if it is not what is dialled.
    pub server_name: Option<String>,
    /// Whom they trust, DER.
    pub authorities: Vec<Vec<u8>>,
    /// What they show if they are asked.
    pub own: Option<Own>,
    /// The user name.
    pub user_name: Option<String>,
    /// The password.
    pub password: Option<String>,
    /// Where they publish; nowhere, if there is none.
    pub topic: Option<String>,
}

impl Setup {
    /// The name or address that the broker's certificate has to have.
    pub fn checked_name(&self) -> &str {
        self.server_name.as_deref().unwrap_or(&self.dialled)
    }

    /// The scenario in which a device meets this broker, `today`.
    ///
    /// # Errors
    ///
    /// If the grammar refuses it, which is a fault of the bench.
    pub fn scenario(&self, expected: &Expected, today: UnixTime) -> blame::Result<Scenario> {
        let mut scenario = Scenario::parse(NAME, "diagnose", SCENARIO).map_err(blame::Error::bench)?;
        scenario.date = Date(today);
        scenario.specification.demands = match expected {
            Expected::Accepts => Demand::Connect,
            Expected::Refuses(_) => Demand::Refuse,
            Expected::Undecided(_) => Demand::Either,
        };
        self.reach(&mut scenario);
        self.trust(&mut scenario);
        let mqtt = &mut scenario.device.plan.mqtt;
        mqtt.user_name.clone_from(&self.user_name);
        mqtt.password.clone_from(&self.password);
        mqtt.clean_session = true;
        mqtt.will = None;
        let publish = |topic: &String| Act::Publish { topic: topic.clone(), payload: "shakedown".into(), qos: 1 };
        mqtt.acts = self.topic.iter().map(publish).collect();
        Ok(scenario)
    }

    fn reach(&self, scenario: &mut Scenario) {
        scenario.device.dials.clone_from(&self.dialled);
        scenario.device.port = self.port;
        if let Some(name) = &self.server_name {
            scenario.device.server_name = ServerName::Other(name.clone());
        }
        // An address that is dialled is the LAN's anyway ([`crate::world::lan_config`]).
        if self.dialled.parse::<IpAddr>().is_err() {
            scenario.network.hosts.insert(self.dialled.clone(), vec![lan::BROKER_IPV4.into()]);
        }
    }

    fn trust(&self, scenario: &mut Scenario) {
        scenario.device.trusts = Vec::new();
        for (index, der) in self.authorities.iter().enumerate() {
            let name = format!("authority_{index}");
            scenario.pki.0.insert(name.clone(), Certificate::given(to_pem("CERTIFICATE", der)));
            scenario.device.trusts.push(name);
        }
        let Some(own) = &self.own else { return };
        scenario.device.certificates = Vec::new();
        for (index, der) in own.chain.iter().enumerate() {
            let name = format!("own_{index}");
            let key = if index == 0 { own.key.as_str() } else { "" };
            scenario.pki.0.insert(name.clone(), Certificate::given(format!("{}{key}", to_pem("CERTIFICATE", der))));
            scenario.device.certificates.push(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    const TODAY: UnixTime = UnixTime::from_seconds(1_800_000_000);

    fn setup() -> Setup {
        Setup {
            dialled: "10.1.2.3".into(),
            port: 8884,
            broker: SocketAddr::from(([127, 0, 0, 1], 1)).into(),
            server_name: None,
            authorities: vec![vec![1; 100]],
            own: None,
            user_name: Some("u".into()),
            password: Some("p".into()),
            topic: None,
        }
    }

    #[test]
    fn nobodys_device_is_thrown_out_and_nothing_is_left_behind() {
        let scenario = setup().scenario(&Expected::Accepts, TODAY).expect("a scenario");
        let mqtt = &scenario.device.plan.mqtt;
        assert!(mqtt.clean_session && mqtt.will.is_none() && mqtt.acts.is_empty());
        assert_eq!(mqtt.user_name.as_deref(), Some("u"));
        assert_eq!(scenario.device.trusts, ["authority_0"]);
        assert!(scenario.network.hosts.is_empty());
        assert_eq!(scenario.date(), TODAY);
        let topic = Setup { topic: Some("a/b".into()), dialled: "b.example".into(), ..setup() };
        let scenario = topic.scenario(&Expected::Refuses("x".into()), TODAY).expect("a scenario");
        assert_eq!(scenario.device.plan.mqtt.acts.len(), 1);
        assert_eq!(scenario.specification.demands, Demand::Refuse);
        assert!(scenario.network.hosts.contains_key("b.example"));
    }
}
