//! The air round a device with a radio: the `[wifi]` table.
//!
//! What can go wrong is the vocabulary of the crates that enact it: [`access_point::Misbehaviour`] on the air, and
//! [`network::AddressFault`] before the device has an address.

use access_point::{Description, Misbehaviour};
use network::AddressFault;
use serde::Deserialize;

use crate::problem::Complaint;

/// The name of the network unless the scenario says otherwise.
const SSID: &str = "shakedown";
/// Its passphrase.
const PASSPHRASE: &str = "correct horse battery";

/// What happens on the air and with addresses, as `[fault]` names it.
pub const HAPPENINGS: &[&str] = &[
    "looks for",
    "authenticated",
    "authentication refused",
    "associated",
    "association refused",
    "wrong passphrase",
    "strange message",
    "joined",
    "group key renewed",
    "sent away",
    "left",
    "not acknowledged",
    "not decrypted",
    "enacted",
    "kept",
    "dropped",
    "declined",
    "lost",
    "offered",
    "leased",
    "address refused",
    "address declined",
    "address released",
];

/// Those by which a network lets a device in: a refusal before one of them has been made good.
pub const WELCOMES: &[&str] = &["joined", "leased"];

/// The `[wifi]` table. The default air is a good one: one access point, whose passphrase the device knows. A device
/// without a radio does not notice it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wifi {
    /// The network that the device is told to join.
    pub ssid: String,
    /// The passphrase that it is told; empty: none, an open network.
    pub passphrase: String,
    /// Whether its radio sleeps between beacons.
    pub power_save: bool,
    /// How long it tries to join, in milliseconds.
    pub join_timeout_ms: u32,
    /// How long it waits for an address, in milliseconds.
    pub lease_timeout_ms: u32,
    /// The access points. Absent: one, of the network that the device is told to join.
    pub access_points: Option<Vec<Description>>,
    /// What every access point does wrong, beside what is said of each.
    pub faults: Vec<Misbehaviour>,
    /// What goes wrong with DHCP and ARP.
    pub address_faults: Vec<AddressFault>,
    /// For how many seconds an address is lent; absent: a day.
    pub lease_s: Option<u32>,
}

impl Default for Wifi {
    fn default() -> Self {
        Self {
            ssid: SSID.into(),
            passphrase: PASSPHRASE.into(),
            power_save: false,
            join_timeout_ms: 30_000,
            lease_timeout_ms: 30_000,
            access_points: None,
            faults: Vec::new(),
            address_faults: Vec::new(),
            lease_s: None,
        }
    }
}

impl Wifi {
    /// The access points, each with all that it does wrong.
    pub fn access_points(&self) -> Vec<Description> {
        let told = match self.passphrase.as_str() {
            "" => Description::open(&self.ssid),
            passphrase => Description::wpa2(&self.ssid, passphrase),
        };
        let mut all = self.access_points.clone().unwrap_or_else(|| vec![told]);
        all.iter_mut().for_each(|one| one.faults.extend(self.faults.iter().cloned()));
        all
    }

    pub(crate) fn check(&self) -> Result<(), Complaint> {
        for (index, one) in self.access_points().iter().enumerate() {
            if let Err(error) = one.check() {
                return Err(Complaint::at(
                    &["wifi"],
                    format!("access point {}: {error}", index + 1),
                    "see the keys of an access point in `scenarios/README.md`",
                ));
            }
        }
        if self.lease_s == Some(0) {
            return Err(Complaint::at(&["wifi", "lease_s"], "no lease at all", "use `dhcp_silent` or `dhcp_nak`"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::Scenario;

    fn read(rest: &str) -> Result<Scenario, String> {
        let text =
            format!("title = 'x'\n[specification]\ndemands = 'fail'\nrule = 'RFC 2131 §4.4'\nquote = 'x'\n{rest}\n");
        Scenario::parse("x/y", "y.toml", &text).map_err(|problem| problem.to_string())
    }

    #[test]
    fn the_network_that_the_device_is_told_to_join_is_there_unless_it_is_said_otherwise() {
        let scenario = read("").unwrap_or_else(|why| panic!("{why}"));
        assert!(!scenario.is_about_radio());
        let there = scenario.wifi.access_points();
        assert_eq!((there.len(), there[0].ssid.as_str()), (1, "shakedown"));
        let absent = read("[wifi]\naccess_points = []").unwrap_or_else(|why| panic!("{why}"));
        assert!(absent.is_about_radio() && absent.wifi.access_points().is_empty());
        let faulty = read("[wifi]\nfaults = [{ fault = 'no_authentication' }]").unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(faulty.wifi.access_points()[0].faults.len(), 1);
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_place() {
        for (rest, why) in [
            ("[wifi]\nssid = ''", "access point 1"),
            ("[wifi]\npassphrase = 'short'", "8 to 63"),
            ("[[wifi.access_points]]\nssid = 'a'\nchannel = 14", "channel 14"),
            ("[wifi]\nlease_s = 0", "no lease at all"),
            ("[wifi]\nfaults = [{ fault = 'no_such_thing' }]", "no_such_thing"),
            ("[fault]\nwho = 'air'\nsaid = 'thunder'", "`thunder`"),
        ] {
            let problem = read(rest).expect_err(rest);
            assert!(problem.contains(why) && problem.contains("y.toml:"), "{rest}: {problem}");
        }
        assert!(read("[fault]\nwho = 'air'\nsaid = 'sent away'").is_ok());
    }
}
