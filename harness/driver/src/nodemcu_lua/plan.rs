//! What of a plan can be said at NodeMCU's prompt.
//!
//! Sources: `app/modules/mqtt.c`, `wifi.c` and `tls.c` of NodeMCU (tags 1.4.0, 2.2.0 and 3.0-master_20190907) and its
//! documentation of them.

use control::{Blob, Clock, ConnectStyle, Link, Mqtt, Plan, Tls, Trust, Verify};

use crate::conflict::{refuse, refuse_settings_of_builds};
use crate::{Abilities, Conflict, says_the_same_hello};

/// The 28 random bytes of a ClientHello (RFC 5246 §7.4.1.2), in digits of its hexadecimal form: behind record and message
/// header, version and time.
const RANDOM_DIGITS: core::ops::Range<usize> = 2 * 15..2 * 43;

/// The plan as it is carried out, where `preset` asks for nothing.
///
/// Every key of a plan is taken apart here, so that a new one does not compile until it is decided what becomes of it.
pub(crate) fn fit(plan: Plan, preset: &Plan, abilities: &Abilities) -> Result<Plan, Conflict> {
    let Plan {
        network,
        broker_host,
        broker_port,
        link,
        tls,
        mqtt,
        clock,
        heap_cap_bytes,
        heap_block_max_bytes,
        failing_allocation,
        connect_timeout_ms,
        handshake_timeout_ms,
        reply_timeout_ms,
        reconnects,
        reconnect_pause_ms,
        repeats,
    } = plan;
    refuse(link != Link::Ip, "device.link", "its network is the chip's radio")?;
    let heap = "the heap is that of Espressif's SDK";
    refuse(heap_block_max_bytes.is_some(), "device.heap_block_max_bytes", heap)?;
    refuse(failing_allocation.is_some(), "device.failing_allocation", heap)?;
    refuse(matches!(clock, Clock::Sntp(_)), "device.clock", "its TLS is built without a clock")?;
    Ok(Plan {
        network,
        broker_host,
        broker_port,
        link,
        tls: tls.map(|tls| of_tls(tls, preset.tls.as_ref(), abilities)).transpose()?,
        mqtt: of_mqtt(mqtt)?,
        clock: Clock::Unset,
        // A script takes memory until no more is free.
        heap_cap_bytes,
        heap_block_max_bytes,
        failing_allocation,
        // A timer of the script's gives up.
        connect_timeout_ms,
        handshake_timeout_ms,
        reply_timeout_ms,
        reconnects,
        reconnect_pause_ms,
        repeats,
    })
}

fn of_tls(tls: Tls, preset: Option<&Tls>, abilities: &Abilities) -> Result<Tls, Conflict> {
    let Tls {
        server_name: _,
        sends_server_name: _,
        checks_name: _,
        checks_dates: _,
        verify,
        trust,
        authorities,
        client_certificate,
        client_key,
        version_min,
        version_max,
        cipher_suites,
        groups: _,
        alpn: _,
        max_fragment_length_bytes: _,
        receive_buffer_bytes: _,
        send_buffer_bytes: _,
        probes_fragment_length: _,
        client_hello,
        keeps_session,
        requires_authority,
    } = &tls;
    let optional = "`tls.cert.verify` is on or off";
    refuse(*verify == Verify::Optional, "device.verify", optional)?;
    refuse(*trust != Trust::Authorities, "device.trust", "it trusts authorities alone")?;
    let is_der = |blob: &Option<Blob>| matches!(blob, Some(Blob::DerHex(_)));
    let pem = "`tls.cert.verify` takes PEM";
    refuse([authorities, client_certificate, client_key].into_iter().any(is_der), "device.trusts_as", pem)?;
    let shows = abilities.cannot_verify && client_certificate.is_some();
    refuse(shows, "device.certificates", "this version has no `tls.cert`")?;
    refuse(!says_the_same_hello(*version_min, *version_max, abilities), "device.versions", "")?;
    refuse(!cipher_suites.is_empty(), "device.cipher_suites", "")?;
    refuse_settings_of_builds(&tls, preset)?;
    let is_another_s = client_hello.as_ref().is_some_and(|asked| !is_same_hello(asked, abilities));
    refuse(is_another_s, "device.client_hello", "its hello is its own")?;
    refuse(*keeps_session, "device.keeps_session", "no session outlives its handshake")?;
    refuse(*requires_authority, "device.requires_authority", "it says hello without one")?;
    let verify = if abilities.cannot_verify { Verify::None } else { *verify };
    // No name is sent and none is checked, and no date is.
    Ok(Tls {
        server_name: None,
        sends_server_name: false,
        checks_name: false,
        checks_dates: false,
        verify,
        alpn: Vec::new(),
        client_hello: None,
        ..tls
    })
}

/// Whether a hello is the device's own, but for its random bytes.
fn is_same_hello(asked: &str, abilities: &Abilities) -> bool {
    let fixed = |hello: &str| {
        let (head, tail) = (hello.get(..RANDOM_DIGITS.start)?, hello.get(RANDOM_DIGITS.end..)?);
        Some((head.to_ascii_lowercase(), tail.to_ascii_lowercase()))
    };
    abilities.client_hello.as_deref().is_some_and(|own| fixed(own).is_some() && fixed(own) == fixed(asked))
}

fn of_mqtt(mqtt: Mqtt) -> Result<Mqtt, Conflict> {
    refuse(mqtt.manners == ConnectStyle::Piecemeal, "device.mqtt.manners", "it sends CONNECT whole")?;
    refuse(mqtt.manners == ConnectStyle::WaitsOut, "device.mqtt.manners", "it notices a lost connection")?;
    Ok(mqtt)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &str = "16030200330100002f030200000000d0b1a13a071c1b3ef2fc0391d618b5ae5d776537f5071045d17e1aea000008002f0035000500040100";

    #[test]
    fn a_hello_is_the_same_with_other_random_bytes_and_not_with_another_suite() {
        let own = Abilities { client_hello: Some(HELLO.to_owned()), ..Abilities::default() };
        let other_random = HELLO.replace("d0b1a13a", "00112233");
        assert!(is_same_hello(&other_random, &own));
        assert!(!is_same_hello(&HELLO.replace("002f0035", "002f0036"), &own));
        assert!(!is_same_hello("16", &own) && !is_same_hello(HELLO, &Abilities::default()));
        let tls = |hello: &str| Tls { client_hello: Some(hello.to_owned()), ..Tls::default() };
        assert!(of_tls(tls(HELLO), None, &own).is_ok());
        let conflict = of_tls(tls(HELLO), None, &Abilities::default()).expect_err("it is not its own");
        assert_eq!(conflict.key, "device.client_hello");
    }

    #[test]
    fn a_version_that_cannot_verify_does_not() {
        let abilities = Abilities { cannot_verify: true, ..Abilities::default() };
        assert_eq!(of_tls(Tls::default(), None, &abilities).map(|tls| tls.verify), Ok(Verify::None));
        assert_eq!(of_tls(Tls::default(), None, &Abilities::default()).map(|tls| tls.verify), Ok(Verify::Required));
    }
}
