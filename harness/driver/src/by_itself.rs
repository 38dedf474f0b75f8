//! What of a plan a firmware does that nobody tells anything: what it was built to do, and nothing else.
//!
//! It dials its own broker, under its own name, and has its own certificates, versions and time-outs. A scenario applies if it
//! asks for none of that: what is wrong is the network's or the broker's.

use control::{Clock, Mqtt, Plan, Tls};

use crate::{Abilities, Conflict, conflict};

const OWN: &str = "it does what it was built to do, and nobody tells it otherwise";

/// `plan`, if it asks for nothing that `preset` does not.
///
/// Every key of a plan is taken apart here, so that a new one does not compile until it is decided what becomes of it.
pub(crate) fn fit(plan: Plan, preset: &Plan, abilities: &Abilities) -> Result<Plan, Conflict> {
    let Plan {
        // Whoever moves a scenario to the firmware's own network and broker has seen to these.
        network: _,
        broker_host,
        broker_port: _,
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
    } = &plan;
    refuse(*link != preset.link, "device.link")?;
    refuse(*heap_cap_bytes != preset.heap_cap_bytes, "device.heap_cap_bytes")?;
    refuse(*heap_block_max_bytes != preset.heap_block_max_bytes, "device.heap_block_max_bytes")?;
    refuse(*failing_allocation != preset.failing_allocation, "device.failing_allocation")?;
    refuse(*connect_timeout_ms != preset.connect_timeout_ms, "device.connect_timeout_ms")?;
    refuse(*handshake_timeout_ms != preset.handshake_timeout_ms, "device.handshake_timeout_ms")?;
    refuse(*reply_timeout_ms != preset.reply_timeout_ms, "device.reply_timeout_ms")?;
    refuse(*reconnects != preset.reconnects, "device.reconnects")?;
    refuse(*reconnect_pause_ms != preset.reconnect_pause_ms, "device.reconnect_pause_ms")?;
    refuse(*repeats != preset.repeats, "device.repeats")?;
    of_clock(clock, &preset.clock, abilities.asks_time)?;
    of_mqtt(mqtt, &preset.mqtt)?;
    match (tls, &preset.tls) {
        (Some(tls), Some(preset)) => of_tls(tls, preset, broker_host, abilities)?,
        (None, _) if abilities.speaks_tls => {
            return Err(Conflict { key: "device.tls", why: "it speaks TLS, and nobody tells it otherwise" });
        }
        _ => {}
    }
    Ok(plan)
}

const fn refuse(is_asked: bool, key: &'static str) -> Result<(), Conflict> {
    conflict::refuse(is_asked, key, OWN)
}

fn of_clock(clock: &Clock, preset: &Clock, asks_time: bool) -> Result<(), Conflict> {
    let key = "device.clock";
    match clock {
        Clock::Unset if asks_time => Err(Conflict { key, why: "it asks for the time, and nobody tells it otherwise" }),
        Clock::Sntp(_) if !asks_time => Err(Conflict { key, why: "it asks nobody for the time" }),
        Clock::Set(_) => refuse(clock != preset, key),
        Clock::Unset | Clock::Sntp(_) => Ok(()),
    }
}

fn of_mqtt(mqtt: &Mqtt, preset: &Mqtt) -> Result<(), Conflict> {
    let Mqtt { client_id, user_name, password, will, keep_alive_s, clean_session, manners, acts } = mqtt;
    refuse(*client_id != preset.client_id, "device.mqtt.client_id")?;
    refuse(*user_name != preset.user_name, "device.mqtt.user_name")?;
    refuse(*password != preset.password, "device.mqtt.password")?;
    refuse(*will != preset.will, "device.mqtt.will")?;
    refuse(*keep_alive_s != preset.keep_alive_s, "device.mqtt.keep_alive_s")?;
    refuse(*clean_session != preset.clean_session, "device.mqtt.clean_session")?;
    refuse(*manners != preset.manners, "device.mqtt.manners")?;
    refuse(*acts != preset.acts, "device.mqtt.acts")
}

fn of_tls(tls: &Tls, preset: &Tls, dialled: &str, abilities: &Abilities) -> Result<(), Conflict> {
    let Tls {
        server_name,
        sends_server_name,
        checks_name,
        checks_dates,
        verify,
        trust,
        authorities,
        client_certificate,
        client_key,
        version_min,
        version_max,
        cipher_suites,
        groups,
        alpn,
        max_fragment_length_bytes,
        receive_buffer_bytes,
        send_buffer_bytes,
        probes_fragment_length,
        client_hello,
        keeps_session,
        requires_authority,
    } = tls;
    refuse(server_name.as_deref() != Some(dialled), "device.server_name")?;
    refuse(*sends_server_name != preset.sends_server_name, "device.sends_server_name")?;
    refuse(*checks_name != preset.checks_name, "device.checks_name")?;
    refuse(*checks_dates != preset.checks_dates, "device.checks_dates")?;
    refuse(*verify != preset.verify, "device.verify")?;
    refuse(*trust != preset.trust, "device.trust")?;
    refuse(*authorities != preset.authorities, "device.trusts")?;
    refuse(client_certificate.is_some() || client_key.is_some(), "device.certificates")?;
    refuse(!crate::are_its_own(*version_min, *version_max, abilities), "device.versions")?;
    refuse(!cipher_suites.is_empty(), "device.cipher_suites")?;
    refuse(!groups.is_empty(), "device.groups")?;
    refuse(*alpn != preset.alpn, "device.alpn")?;
    refuse(*max_fragment_length_bytes != preset.max_fragment_length_bytes, "device.max_fragment_length_bytes")?;
    refuse(*receive_buffer_bytes != preset.receive_buffer_bytes, "device.receive_buffer_bytes")?;
    refuse(*send_buffer_bytes != preset.send_buffer_bytes, "device.send_buffer_bytes")?;
    refuse(*probes_fragment_length != preset.probes_fragment_length, "device.probes_fragment_length")?;
    refuse(client_hello.is_some(), "device.client_hello")?;
    refuse(*keeps_session != preset.keeps_session, "device.keeps_session")?;
    refuse(*requires_authority != preset.requires_authority, "device.requires_authority")
}

#[cfg(test)]
mod tests;
