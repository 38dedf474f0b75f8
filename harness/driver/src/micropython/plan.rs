//! What of a plan can be said at MicroPython's REPL.
//!
//! Sources: `extmod/modtls_mbedtls.c`, `extmod/modussl_axtls.c` and `ports/esp32/network_wlan.c` of MicroPython,
//! `umqtt.simple` and `ssl` of micropython-lib.
//!
//! A MicroPython that cannot verify is one over axTLS, as the port for the ESP8266 was: its `ussl` has one function, and takes a
//! name, a certificate and a key.

use control::{Blob, ConnectStyle, Link, Mqtt, Network, Plan, Tls, Trust, Verify};
use wire::tls::CipherSuite;

use crate::conflict::{refuse, refuse_settings_of_builds};
use crate::{Abilities, Conflict, says_the_same_hello};

/// `umqtt.simple` opens its socket without a time-out.
const ENDLESS_MS: u32 = u32::MAX;
const NO_TIMEOUT: &str = "umqtt.simple opens its socket without a time-out";
const NAME_REQUIRED: &str = "it says no hello without one: `ValueError: CERT_REQUIRED requires server_hostname`";
const NAME_AND_CHECK: &str = "`server_hostname` is both the name that is sent and the one that is checked";

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
    let heap = "the heap is MicroPython's and ESP-IDF's own";
    refuse(heap_cap_bytes.is_some(), "device.heap_cap_bytes", heap)?;
    refuse(heap_block_max_bytes.is_some(), "device.heap_block_max_bytes", heap)?;
    refuse(failing_allocation.is_some(), "device.failing_allocation", heap)?;
    refuse(connect_timeout_ms != preset.connect_timeout_ms, "device.connect_timeout_ms", NO_TIMEOUT)?;
    refuse(handshake_timeout_ms != preset.handshake_timeout_ms, "device.handshake_timeout_ms", NO_TIMEOUT)?;
    refuse(reply_timeout_ms != preset.reply_timeout_ms, "device.reply_timeout_ms", NO_TIMEOUT)?;
    Ok(Plan {
        network: of_network(network),
        broker_host,
        broker_port,
        link,
        tls: tls.map(|tls| of_tls(tls, preset.tls.as_ref(), abilities)).transpose()?,
        mqtt: of_mqtt(mqtt)?,
        clock,
        heap_cap_bytes,
        heap_block_max_bytes,
        failing_allocation,
        connect_timeout_ms: ENDLESS_MS,
        handshake_timeout_ms: ENDLESS_MS,
        reply_timeout_ms: ENDLESS_MS,
        reconnects,
        reconnect_pause_ms,
        repeats,
    })
}

/// Addresses are those of the lease.
fn of_network(network: Network) -> Network {
    network
}

fn of_tls(tls: Tls, preset: Option<&Tls>, abilities: &Abilities) -> Result<Tls, Conflict> {
    let Tls {
        server_name,
        sends_server_name,
        checks_name,
        checks_dates,
        verify,
        trust,
        authorities: _,
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
    let checks = *verify != Verify::None && !abilities.cannot_verify;
    if server_name.is_some() && checks {
        refuse(!sends_server_name && *checks_name, "device.sends_server_name", NAME_AND_CHECK)?;
        refuse(*sends_server_name && !checks_name, "device.checks_name", NAME_AND_CHECK)?;
    }
    let is_named = server_name.is_some() && (*sends_server_name || *checks_name);
    refuse(*verify == Verify::Required && checks && !is_named, "device.server_name", NAME_REQUIRED)?;
    refuse(checks && !checks_dates, "device.checks_dates", "Mbed TLS is built with a clock there")?;
    refuse(*trust != Trust::Authorities, "device.trust", "it trusts authorities alone")?;
    refuse(!says_the_same_hello(*version_min, *version_max, abilities), "device.versions", "")?;
    if abilities.cannot_verify {
        let is_pem = |blob: &Option<Blob>| matches!(blob, Some(Blob::Pem(_)));
        let shows_pem = [client_certificate, client_key].into_iter().any(is_pem);
        refuse(shows_pem, "device.certificates", "axTLS takes a certificate and its key in DER")?;
        refuse(!cipher_suites.is_empty(), "device.cipher_suites", "axTLS offers what it has")?;
    }
    let has_name = |suite: &u16| mbedtls_name(*suite).is_some();
    refuse(!cipher_suites.iter().all(has_name), "device.cipher_suites", "Mbed TLS has no such suite")?;
    refuse_settings_of_builds(&tls, preset)?;
    refuse(client_hello.is_some(), "device.client_hello", "its hello is its own")?;
    refuse(*keeps_session, "device.keeps_session", "an SSLContext keeps no session")?;
    refuse(*requires_authority, "device.requires_authority", "it says hello without one")?;
    let tls = Tls { alpn: Vec::new(), ..tls };
    Ok(if abilities.cannot_verify {
        Tls { verify: Verify::None, checks_name: false, checks_dates: false, authorities: None, ..tls }
    } else {
        tls
    })
}

fn of_mqtt(mqtt: Mqtt) -> Result<Mqtt, Conflict> {
    match mqtt.manners {
        ConnectStyle::WaitsOut => Err(Conflict { key: "device.mqtt.manners", why: "umqtt.simple's are its own" }),
        ConnectStyle::Plain | ConnectStyle::Piecemeal => Ok(Mqtt { manners: ConnectStyle::Piecemeal, ..mqtt }),
    }
}

/// A cipher suite of TLS 1.2 as Mbed TLS calls it; those of TLS 1.3 have other names there.
pub(super) fn mbedtls_name(suite: u16) -> Option<String> {
    let name = CipherSuite(suite).name()?;
    name.contains("_WITH_").then(|| name.replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axtls_verifies_nothing_and_takes_no_pem_and_no_suites() {
        let axtls = Abilities { cannot_verify: true, ..Abilities::default() };
        let fitted = of_tls(Tls::default(), None, &axtls).expect("nothing was asked for that it has not");
        assert_eq!((fitted.verify, fitted.checks_name, fitted.authorities), (Verify::None, false, None));
        let shows = Tls { client_certificate: Some(Blob::Pem(String::new())), ..Tls::default() };
        let suites = Tls { cipher_suites: vec![0x2f], ..Tls::default() };
        let keys = [shows, suites].map(|tls| of_tls(tls, None, &axtls).expect_err("it cannot be said").key);
        assert_eq!(keys, ["device.certificates", "device.cipher_suites"]);
    }
}
