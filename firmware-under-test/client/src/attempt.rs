//! One attempt to do what the plan says, from the clock to the goodbye.

use core::net::IpAddr;

use control::{Act, Clock, Link, Plan, Report, Tls, Trust, Verify};
use outcome::Stage;
use wire::mqtt::PacketId;

use crate::device::Device;
use crate::fault::{Fault, Trouble};
use crate::platform::Platform;
use crate::session::Session;
use crate::stream::{self, Stream};
use crate::tls::{Probe, Stack};
use crate::{dns, modem, sntp};

/// What earlier attempts have achieved.
#[derive(Debug)]
pub(crate) struct Progress {
    is_clock_set: bool,
    acts_done: usize,
    /// Messages that have arrived and that no act has awaited yet.
    messages: u32,
    last_packet_id: PacketId,
    /// The message that was sent and never acknowledged.
    unacknowledged: Option<PacketId>,
}

impl Progress {
    pub(crate) const fn new() -> Self {
        Self { is_clock_set: false, acts_done: 0, messages: 0, last_packet_id: PacketId::MAX, unacknowledged: None }
    }

    fn next_packet_id(&mut self) -> PacketId {
        self.last_packet_id = self.last_packet_id.checked_add(1).unwrap_or(PacketId::MIN);
        self.last_packet_id
    }
}

/// Goes as far as it gets. Whatever the end, the TCP connection is the caller's to close.
pub(crate) fn attempt<P: Platform, T: Stack>(
    device: &mut Device<'_, P>,
    stack: &mut T,
    plan: &Plan,
    progress: &mut Progress,
) -> Result<(), Trouble> {
    let connect_timeout_us = u64::from(plan.connect_timeout_ms) * 1000;
    #[cfg(feature = "radio")]
    crate::air::come_up(device, &plan.network)?;
    if !progress.is_clock_set {
        device.enter(Stage::Clock);
        set_clock(device, plan, connect_timeout_us)?;
        progress.is_clock_set = true;
    }
    // Certificates that cannot be read are noticed before anybody is dialled.
    let tls = match &plan.tls {
        Some(tls) => match stack.probe(tls)? {
            Some(mut probe) => Some(stack.open(&answered(device, plan, tls, &mut *probe, connect_timeout_us))?),
            None => Some(stack.open(tls)?),
        },
        None => None,
    };
    dial(device, plan, connect_timeout_us)?;
    if plan.tls.as_ref().is_some_and(lacks_authority) {
        return Err(Fault::AuthorityMissing.into());
    }
    talk::<P, T>(device, tls, plan, progress)
}

/// Whether there is nothing to verify by, where nobody is greeted without (`set_client_config` of ESP-IDF's
/// components/esp-tls/esp_tls_mbedtls.c, which comes after the TCP connection).
fn lacks_authority(tls: &Tls) -> bool {
    tls.requires_authority
        && tls.authorities.is_none()
        && tls.trust == Trust::Authorities
        && tls.verify == Verify::Required
}

/// What is left of the plan when the broker has said what it thinks of it. Whatever goes wrong on the way there counts as
/// a no, and is left to the session to meet again (`WiFiClientSecure::probeMaxFragmentLength` of the ESP8266 core).
fn answered<P: Platform>(
    device: &mut Device<'_, P>,
    plan: &Plan,
    tls: &Tls,
    probe: &mut dyn Probe,
    connect_timeout_us: u64,
) -> Tls {
    let handshake_timeout_us = u64::from(plan.handshake_timeout_ms) * 1000;
    let is_honoured = dial(device, plan, connect_timeout_us).and_then(|()| {
        device.enter(Stage::Hello);
        stream::put(device, probe, handshake_timeout_us)
    });
    stream::hang_up(device);
    device.start_over();
    Tls {
        max_fragment_length_bytes: tls.max_fragment_length_bytes.filter(|_| is_honoured == Ok(true)),
        probes_fragment_length: false,
        ..tls.clone()
    }
}

/// Opens the TCP connection, the device's own or its modem's.
fn dial<P: Platform>(device: &mut Device<'_, P>, plan: &Plan, timeout_us: u64) -> Result<(), Fault> {
    match plan.link {
        Link::Ip => {
            let address = find(device, plan, &plan.broker_host, Some(Stage::Resolve), timeout_us)?;
            device.enter(Stage::Connect);
            stream::dial(device, address, plan.broker_port, timeout_us)
        }
        // A name is the modem's to look up.
        Link::Modem(control::Modem { reader }) => {
            device.enter(Stage::Connect);
            modem::open(device, reader, (&plan.broker_host, plan.broker_port), timeout_us)
        }
    }
}

fn set_clock<P: Platform>(device: &mut Device<'_, P>, plan: &Plan, timeout_us: u64) -> Result<(), Trouble> {
    match &plan.clock {
        Clock::Unset => {}
        Clock::Set(unix_s) => device.platform.set_calendar(*unix_s),
        Clock::Sntp(server) => {
            let address = find(device, plan, server, None, timeout_us)?;
            let unix_s = sntp::ask(device, address, timeout_us)?;
            device.platform.set_calendar(unix_s);
        }
    }
    Ok(())
}

/// The address of a host: itself, if it is a literal.
fn find<P: Platform>(
    device: &mut Device<'_, P>,
    plan: &Plan,
    host: &str,
    stage: Option<Stage>,
    timeout_us: u64,
) -> Result<IpAddr, Fault> {
    let literal = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = literal.parse() {
        return Ok(address);
    }
    if let Some(stage) = stage {
        device.enter(stage);
    }
    let resolver = resolver(device, plan)?;
    dns::resolve(device, resolver, host, plan.network.ipv6, timeout_us)
}

/// Whom to ask: the plan's resolver on the serial line, the lease's on the air.
#[cfg_attr(not(feature = "radio"), expect(clippy::unnecessary_wraps, reason = "with a radio there may be none"))]
#[cfg_attr(not(feature = "radio"), expect(unused_variables, reason = "with a radio the device knows"))]
fn resolver<P: Platform>(device: &Device<'_, P>, plan: &Plan) -> Result<IpAddr, Fault> {
    #[cfg(feature = "radio")]
    if let Some(resolver) = device.resolver() {
        return resolver.ok_or(Fault::NoResolver);
    }
    Ok(plan.network.dns)
}

/// Everything that happens on the open TCP connection.
fn talk<P: Platform, T: Stack>(
    device: &mut Device<'_, P>,
    tls: Option<T::Session>,
    plan: &Plan,
    progress: &mut Progress,
) -> Result<(), Trouble> {
    let stream = match tls {
        Some(session) => {
            device.enter(Stage::Hello);
            let (stream, agreed) = Stream::secure(device, session, u64::from(plan.handshake_timeout_ms) * 1000)?;
            let at_ms = device.now_ms();
            device.report(&Report::Secured {
                version: agreed.version,
                cipher_suite: agreed.cipher_suite,
                verify_flags: agreed.verify_flags,
                verify_flag_names: agreed.verify_flag_names,
                resumed: agreed.is_resumed,
                at_ms,
            });
            stream
        }
        None => Stream::<T::Session>::plain(),
    };
    device.enter(Stage::Login);
    let mut session = Session::log_in(device, stream, &plan.mqtt, u64::from(plan.reply_timeout_ms) * 1000)?;
    let result = act(device, &mut session, plan, progress);
    progress.messages += session.take_messages();
    result?;
    device.enter(Stage::Goodbye);
    session.say_goodbye(device)
}

/// Does the acts that are left, after renewing subscriptions that the broker has forgotten.
fn act<P: Platform, S: crate::tls::Session>(
    device: &mut Device<'_, P>,
    session: &mut Session<S>,
    plan: &Plan,
    progress: &mut Progress,
) -> Result<(), Trouble> {
    if !session.is_resumed {
        for done in plan.mqtt.acts.iter().take(progress.acts_done) {
            if let Act::Subscribe { topic, qos } = done {
                device.enter(Stage::Subscribe);
                session.subscribe(device, progress.next_packet_id(), topic, *qos)?;
            }
        }
    }
    while let Some(act) = plan.mqtt.acts.get(progress.acts_done) {
        match act {
            Act::Subscribe { topic, qos } => {
                device.enter(Stage::Subscribe);
                session.subscribe(device, progress.next_packet_id(), topic, *qos)?;
            }
            Act::Publish { topic, payload, qos: 0 } => {
                device.enter(Stage::Exchange);
                session.publish(device, topic, payload)?;
            }
            Act::Publish { topic, payload, qos: 1 } => {
                device.enter(Stage::Exchange);
                // A message of an earlier connection is sent again under its number (§4.4), unless that session is
                // meant to be forgotten.
                let again = progress.unacknowledged.filter(|_| !plan.mqtt.clean_session);
                let packet_id = again.unwrap_or_else(|| progress.next_packet_id());
                progress.unacknowledged = Some(packet_id);
                session.publish_surely(device, packet_id, again.is_some(), topic, payload)?;
                progress.unacknowledged = None;
            }
            Act::Publish { .. } => return Err(Fault::PlanUnusable.into()),
            Act::Await { messages } => {
                device.enter(Stage::Exchange);
                progress.messages += session.take_messages();
                while progress.messages < u32::from(*messages) {
                    session.await_message(device)?;
                    progress.messages += session.take_messages();
                }
                progress.messages -= u32::from(*messages);
            }
            Act::Idle { ms } => {
                device.enter(Stage::KeepAlive);
                session.idle(device, u64::from(*ms) * 1000)?;
            }
        }
        progress.acts_done += 1;
    }
    Ok(())
}
