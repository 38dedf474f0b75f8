use control::Network;

use super::*;
use crate::fixture;

fn preset() -> Plan {
    let plan = fixture::plan();
    let tls = Tls { server_name: Some("broker.test".into()), ..Tls::default() };
    Plan { network: Network { wifi: None, ..plan.network }, tls: Some(tls), clock: Clock::Set(7), ..plan }
}

/// What a device that asks for the time, or does not, cannot do of a plan.
fn refused(asks_time: bool, change: impl FnOnce(&mut Plan)) -> Option<&'static str> {
    let versions = Some((0x0303, 0x0303));
    let abilities = Abilities { versions, speaks_tls: true, asks_time, ..Abilities::default() };
    let mut plan = preset();
    // Its own broker.
    plan.broker_host = "mqtt.example".into();
    plan.tls = plan.tls.map(|tls| Tls { server_name: Some("mqtt.example".into()), ..tls });
    change(&mut plan);
    fit(plan, &preset(), &abilities).err().map(|conflict| conflict.key)
}

#[test]
fn what_asks_for_nothing_of_the_device_applies_at_its_own_broker() {
    assert_eq!(refused(false, |_| {}), None);
    assert_eq!(refused(false, |plan| plan.clock = Clock::Unset), None);
    assert_eq!(refused(true, |plan| plan.clock = Clock::Sntp("time.test".into())), None);
    let its_own = |plan: &mut Plan| {
        let tls = plan.tls.as_mut().expect("TLS");
        (tls.version_min, tls.version_max) = (Some(0x0303), Some(0x0303));
    };
    assert_eq!(refused(false, its_own), None);
}

#[test]
fn what_would_have_to_be_told_does_not() {
    let of_tls = |change: fn(&mut Tls)| refused(false, |plan| plan.tls.iter_mut().for_each(change));
    assert_eq!(refused(false, |plan| plan.tls = None), Some("device.tls"));
    assert_eq!(refused(false, |plan| plan.repeats = 1), Some("device.repeats"));
    assert_eq!(refused(false, |plan| plan.clock = Clock::Sntp("time.test".into())), Some("device.clock"));
    assert_eq!(refused(false, |plan| plan.clock = Clock::Set(8)), Some("device.clock"));
    assert_eq!(refused(true, |plan| plan.clock = Clock::Unset), Some("device.clock"));
    assert_eq!(refused(false, |plan| plan.mqtt.keep_alive_s = 9), Some("device.mqtt.keep_alive_s"));
    assert_eq!(of_tls(|tls| tls.server_name = None), Some("device.server_name"));
    assert_eq!(of_tls(|tls| tls.server_name = Some("another".into())), Some("device.server_name"));
    assert_eq!(of_tls(|tls| tls.client_key = Some(control::Blob::Pem(String::new()))), Some("device.certificates"));
    assert_eq!(of_tls(|tls| tls.version_max = Some(0x0304)), Some("device.versions"));
    assert_eq!(of_tls(|tls| tls.authorities = Some(control::Blob::Pem(String::new()))), Some("device.trusts"));
}
