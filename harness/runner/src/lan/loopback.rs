//! A scenario as it can be met on a real network: its broker moved to an address of this machine, its dates to today.
//!
//! A host client resolves names by the host's resolver and reads the host's clock, and the bench is not root; a board with
//! a network of its own dials what it was built to dial. So what the scenario's device dials becomes a name or address of
//! this machine (for host clients `localhost`, 127.0.0.1 or ::1), wherever that very text stands: in what is dialled, in
//! the certificates' names and common names, in the names that the broker answers to. Whatever else stands there stays,
//! and a certificate for somebody else stays one. Certificates are minted for today, with the seed's keys.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use blame::Error;
use clock::UnixTime;
use pki::spec::{Certificate, Moment};
use scenario::device::Clock;
use scenario::{Date, Scenario};

use super::rename::Rename;

/// The name of the loopback (RFC 6761 §6.3).
const NAME: &str = "localhost";

/// Where the broker is to be met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// The name under which it is dialled, if its client can dial one.
    pub name: Option<String>,
    /// Its IPv4 address.
    pub ipv4: Option<Ipv4Addr>,
    /// Its IPv6 address.
    pub ipv6: Option<Ipv6Addr>,
}

impl Host {
    /// This machine, for its own processes.
    pub fn loopback() -> Self {
        Self { name: Some(NAME.into()), ipv4: Some(Ipv4Addr::LOCALHOST), ipv6: Some(Ipv6Addr::LOCALHOST) }
    }
}

/// A scenario on a real network.
#[derive(Debug)]
pub struct Moved {
    /// The scenario.
    pub scenario: Scenario,
    /// The address on which its broker listens.
    pub address: IpAddr,
}

/// Moves `scenario` to the loopback and to `today`.
///
/// # Errors
///
/// As [`moved_to`].
pub fn moved(scenario: &Scenario, today: UnixTime) -> blame::Result<Moved> {
    moved_to(scenario, today, &Host::loopback())
}

/// Moves `scenario` to `host` and to `today`.
///
/// # Errors
///
/// The reason why it cannot be moved: what it is about is the date, or a name that only its own network knows.
pub fn moved_to(scenario: &Scenario, today: UnixTime, host: &Host) -> blame::Result<Moved> {
    if scenario.device.clock != Clock::Set {
        return Err(Error::author("it is about the device's clock, and a client on a real network has the real time"));
    }
    let has_fixed_dates = |certificate: &Certificate| {
        let dates = [certificate.not_before, certificate.not_after];
        certificate.pem.is_some() || dates.iter().any(|date| matches!(date, Some(Moment::Absolute(_))))
    };
    if scenario.pki.0.values().any(has_fixed_dates) {
        return Err(Error::author(
            "its certificates have fixed dates, and a client on a real network has the real time",
        ));
    }
    if scenario.pki.0.values().any(|certificate| certificate.name_constraints.is_some()) {
        return Err(Error::author("its authorities may only sign names that this machine does not have"));
    }
    let dialled = scenario.device.dials.clone();
    let (ipv4, ipv6) = (host.ipv4.map(IpAddr::from), host.ipv6.map(IpAddr::from));
    let (address, here) = match dialled.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => (ipv4, ipv4.map(|address| address.to_string())),
        Ok(IpAddr::V6(_)) => (ipv6, ipv6.map(|address| address.to_string())),
        Err(_) => (ipv4.or(ipv6), host.name.clone()),
    };
    let (Some(address), Some(here)) = (address, here) else {
        return Err(Error::author(format!(
            "it dials {dialled}, and here the broker has nothing of that kind: no name, or no address"
        )));
    };
    let mut scenario = scenario.clone();
    scenario.date = Date(today);
    Rename { from: dialled, to: here, also_relatives: false }.scenario(&mut scenario).map_err(Error::author)?;
    Ok(Moved { scenario, address })
}

#[cfg(test)]
mod tests {
    use pki::spec::Name;

    use super::*;

    const TODAY: UnixTime = UnixTime::from_seconds(1_800_000_000);

    fn move_it(more: &str) -> blame::Result<Moved> {
        let text = format!(
            "title = 't'\nspecification = {{ demands = 'connect', rule = 'RFC 9525 §6', quote = 'q' }}\n{more}"
        );
        moved(&Scenario::parse("mqtt/x", "x.toml", &text).unwrap_or_else(|error| panic!("{error}")), TODAY)
    }

    fn names(moved: &Moved) -> Vec<String> {
        moved.scenario.pki.0["leaf"].names.iter().flatten().map(Name::to_string).collect()
    }

    #[test]
    fn the_default_broker_is_localhost() {
        let moved = move_it("").unwrap();
        assert_eq!(moved.scenario.device.dials, "localhost");
        assert_eq!(names(&moved), ["dns:localhost"]);
        assert_eq!(moved.scenario.pki.0["leaf"].subject.as_ref().unwrap().to_string(), "CN=localhost");
        assert_eq!(moved.scenario.date(), TODAY);
    }

    #[test]
    fn an_address_becomes_the_loopbacks_as_address_and_as_text_and_nothing_else_does() {
        let moved = move_it(
            "[device]\ndials = '192.0.2.10'\n[pki.leaf]\nsubject = 'CN=192.0.2.10,O=broker.test'\n\
             names = ['ip:192.0.2.10', 'dns:192.0.2.10', 'dns:raspberry', 'ip:192.0.2.11']\n",
        )
        .unwrap();
        assert_eq!(names(&moved), ["ip:127.0.0.1", "dns:127.0.0.1", "dns:raspberry", "ip:192.0.2.11"]);
        assert_eq!(moved.scenario.pki.0["leaf"].subject.as_ref().unwrap().to_string(), "CN=127.0.0.1,O=broker.test");
    }

    #[test]
    fn a_certificate_for_somebody_else_stays_one() {
        let moved = move_it("[device]\ndials = 'raspberry.local'\n[pki.leaf]\nnames = ['dns:raspberry']\n").unwrap();
        assert_eq!(moved.scenario.device.dials, "localhost");
        assert_eq!(names(&moved), ["dns:raspberry"]);
    }

    #[test]
    fn on_a_host_without_a_name_only_addresses_are_dialled() {
        let host = Host { ipv4: Some(Ipv4Addr::new(10, 0, 0, 7)), ..Host::default() };
        let scenario = |dials: &str| {
            let text = format!(
                "title = 't'\nspecification = {{ demands = 'connect', rule = 'RFC 9525 §6', quote = 'q' }}\n[device]\n\
                 dials = '{dials}'\n[pki.leaf]\nnames = ['ip:192.0.2.10']\n"
            );
            Scenario::parse("mqtt/x", "x.toml", &text).unwrap_or_else(|error| panic!("{error}"))
        };
        assert!(moved_to(&scenario("broker.test"), TODAY, &host).unwrap_err().message.contains("broker.test"));
        let moved = moved_to(&scenario("192.0.2.10"), TODAY, &host).unwrap();
        assert_eq!(moved.address, IpAddr::from([10, 0, 0, 7]));
        assert_eq!(names(&moved), ["ip:10.0.0.7"]);
    }

    #[test]
    fn what_is_about_dates_cannot_be_moved() {
        assert!(move_it("[device]\nclock = 'unset'\n").unwrap_err().message.contains("clock"));
        assert!(move_it("[pki.leaf]\nnot_after = '2026-05-02T10:08:31Z'\n").unwrap_err().message.contains("dates"));
        assert!(move_it("[pki.leaf]\nnot_after = '+1d'\n").is_ok());
    }
}
