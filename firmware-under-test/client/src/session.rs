//! An MQTT 3.1.1 session as a client leads it.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use control::{ConnectStyle, Report};
use wire::mqtt::{
    Connect, ConnectCode, DecodeError, Decoder, Delivery, Packet, PacketId, Publish, QoS, Subscribe, Violation, Will,
};

use crate::device::Device;
use crate::fault::{Fault, Trouble};
use crate::platform::Platform;
use crate::stream::Stream;
use crate::tls;

/// The largest packet that this device takes, header included, in bytes.
const PACKET_BYTES_MAX: usize = 8 * 1024;
/// How much is decrypted at once, in bytes.
const READ_BYTES: usize = 512;

/// What the broker said.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Heard {
    Connack { code: u8, session_present: bool },
    Suback { packet_id: PacketId, is_granted: bool },
    Puback { packet_id: PacketId },
    Message,
    Pong,
}

/// A session whose CONNECT has been accepted.
pub(crate) struct Session<S> {
    stream: Stream<S>,
    decoder: Decoder,
    reply_timeout_us: u64,
    /// A PINGREQ is due when nothing was sent for so long; `None`: never.
    ping_after_us: Option<u64>,
    sent_us: u64,
    /// The PINGRESP that is owed has to come before this.
    pong_until_us: Option<u64>,
    messages: u32,
    /// The broker still holds state of an earlier session.
    pub(crate) is_resumed: bool,
}

impl<S: tls::Session> Session<S> {
    /// Sends CONNECT and awaits CONNACK. On failure the stream is gone; the TCP connection is the caller's to close.
    pub(crate) fn log_in<P: Platform>(
        device: &mut Device<'_, P>,
        stream: Stream<S>,
        plan: &control::Mqtt,
        reply_timeout_us: u64,
    ) -> Result<Self, Trouble> {
        let mut session = Self {
            stream,
            decoder: Decoder::new(PACKET_BYTES_MAX),
            reply_timeout_us,
            // A quarter of the promised time is left for the packet's journey (§3.1.2.10).
            ping_after_us: (plan.keep_alive_s != 0).then(|| u64::from(plan.keep_alive_s) * 750_000),
            sent_us: 0,
            pong_until_us: None,
            messages: 0,
            is_resumed: false,
        };
        let will = match &plan.will {
            Some(will) => Some(Will {
                topic: &will.topic,
                payload: will.payload.as_bytes(),
                qos: quality(will.qos)?,
                retain: will.retain,
            }),
            None => None,
        };
        let connect = Packet::Connect(Connect {
            client_id: &plan.client_id,
            clean_session: plan.clean_session,
            keep_alive_s: plan.keep_alive_s,
            will,
            user_name: plan.user_name.as_deref(),
            password: plan.password.as_deref().map(str::as_bytes),
            ..Connect::default()
        });
        match plan.manners {
            ConnectStyle::Plain | ConnectStyle::WaitsOut => session.send(device, &connect)?,
            ConnectStyle::Piecemeal => session.send_piecemeal(device, &connect)?,
        }
        let answer = match plan.manners {
            ConnectStyle::Plain | ConnectStyle::Piecemeal => session.answer(device),
            ConnectStyle::WaitsOut => session.answer_at_leisure(device),
        };
        match answer? {
            Heard::Connack { code, session_present } => {
                let at_ms = device.now_ms();
                device.report(&Report::Connack { code, session_present, at_ms });
                if code != ConnectCode::ACCEPTED.0 {
                    return Err(Fault::ConnackRefused(code).into());
                }
                session.is_resumed = session_present;
                Ok(session)
            }
            // Nothing else may come first [MQTT-3.2.0-1].
            _ => Err(Fault::UnexpectedPacket.into()),
        }
    }

    /// Subscribes and awaits SUBACK.
    pub(crate) fn subscribe<P: Platform>(
        &mut self,
        device: &mut Device<'_, P>,
        packet_id: PacketId,
        topic: &str,
        qos: u8,
    ) -> Result<(), Trouble> {
        let filters = vec![(topic, quality(qos)?)];
        self.send(device, &Packet::Subscribe(Subscribe { packet_id, filters }))?;
        loop {
            match self.answer(device)? {
                Heard::Suback { packet_id: about, is_granted } if about == packet_id => {
                    return if is_granted { Ok(()) } else { Err(Fault::SubscribeRefused.into()) };
                }
                // Retained messages may overtake SUBACK (§3.8.4).
                Heard::Message | Heard::Pong => {}
                _ => return Err(Fault::UnexpectedPacket.into()),
            }
        }
    }

    /// Publishes with quality of service 0.
    pub(crate) fn publish<P: Platform>(
        &mut self,
        device: &mut Device<'_, P>,
        topic: &str,
        payload: &str,
    ) -> Result<(), Trouble> {
        let payload = payload.as_bytes();
        self.send(device, &Packet::Publish(Publish { topic, payload, ..Publish::default() }))
    }

    /// Publishes with quality of service 1 and awaits PUBACK.
    pub(crate) fn publish_surely<P: Platform>(
        &mut self,
        device: &mut Device<'_, P>,
        packet_id: PacketId,
        is_duplicate: bool,
        topic: &str,
        payload: &str,
    ) -> Result<(), Trouble> {
        let delivery = Delivery::AtLeastOnce { packet_id, duplicate: is_duplicate };
        let payload = payload.as_bytes();
        self.send(device, &Packet::Publish(Publish { topic, payload, delivery, retain: false }))?;
        loop {
            match self.answer(device)? {
                Heard::Puback { packet_id: about } if about == packet_id => return Ok(()),
                Heard::Message | Heard::Pong => {}
                _ => return Err(Fault::UnexpectedPacket.into()),
            }
        }
    }

    /// Takes the messages that have arrived since this was last asked.
    pub(crate) fn take_messages(&mut self) -> u32 {
        core::mem::take(&mut self.messages)
    }

    /// Awaits one more message.
    pub(crate) fn await_message<P: Platform>(&mut self, device: &mut Device<'_, P>) -> Result<(), Trouble> {
        let until_us = device.now_us() + self.reply_timeout_us;
        while self.messages == 0 {
            match self.hear(device, until_us)?.ok_or(Fault::ReplyTimedOut)? {
                Heard::Message | Heard::Pong => {}
                _ => return Err(Fault::UnexpectedPacket.into()),
            }
        }
        Ok(())
    }

    /// Stays connected for so long.
    pub(crate) fn idle<P: Platform>(&mut self, device: &mut Device<'_, P>, duration_us: u64) -> Result<(), Trouble> {
        let until_us = device.now_us() + duration_us;
        while let Some(heard) = self.hear(device, until_us)? {
            if !matches!(heard, Heard::Message | Heard::Pong) {
                return Err(Fault::UnexpectedPacket.into());
            }
        }
        Ok(())
    }

    /// Sends DISCONNECT and says goodbye to the TLS peer.
    pub(crate) fn say_goodbye<P: Platform>(mut self, device: &mut Device<'_, P>) -> Result<(), Trouble> {
        self.send(device, &Packet::Disconnect)?;
        self.stream.close(device);
        Ok(())
    }

    fn send<P: Platform>(&mut self, device: &mut Device<'_, P>, packet: &Packet<'_>) -> Result<(), Trouble> {
        let mut bytes = Vec::new();
        packet.encode(&mut bytes).map_err(|_: Violation| Fault::PlanUnusable)?;
        self.stream.write(device, &bytes, self.reply_timeout_us)?;
        self.sent_us = device.now_us();
        Ok(())
    }

    /// As umqtt.simple sends CONNECT: the fixed header, the variable header, and each string of the payload, its length
    /// and then itself (`MQTTClient.connect` and `_send_str`, micropython-lib). Over TLS each is a record.
    fn send_piecemeal<P: Platform>(&mut self, device: &mut Device<'_, P>, connect: &Packet<'_>) -> Result<(), Trouble> {
        let mut bytes = Vec::new();
        connect.encode(&mut bytes).map_err(|_: Violation| Fault::PlanUnusable)?;
        let mut rest = bytes.as_slice();
        for piece_bytes in connect_pieces(&bytes) {
            let (piece, after) = rest.split_at_checked(piece_bytes).ok_or(Fault::PlanUnusable)?;
            self.stream.write(device, piece, self.reply_timeout_us)?;
            rest = after;
        }
        self.stream.write(device, rest, self.reply_timeout_us)?;
        self.sent_us = device.now_us();
        Ok(())
    }

    /// As PubSubClient 2.8 awaits CONNACK: `while (!_client->available())` until the time is up, without a look at
    /// whether the connection is still there.
    fn answer_at_leisure<P: Platform>(&mut self, device: &mut Device<'_, P>) -> Result<Heard, Trouble> {
        let until_us = device.now_us() + self.reply_timeout_us;
        match self.hear(device, until_us) {
            Ok(heard) => heard.ok_or(Fault::ReplyTimedOut.into()),
            // Bytes did arrive, and were none that it takes.
            Err(trouble @ Trouble::Own(Fault::MalformedPacket | Fault::PacketTooLarge | Fault::UnexpectedPacket)) => {
                Err(trouble)
            }
            Err(_) => {
                while device.wait(until_us) {}
                Err(Fault::ReplyTimedOut.into())
            }
        }
    }

    /// What the broker says next; it has the reply timeout to say it.
    fn answer<P: Platform>(&mut self, device: &mut Device<'_, P>) -> Result<Heard, Trouble> {
        let until_us = device.now_us() + self.reply_timeout_us;
        self.hear(device, until_us)?.ok_or(Fault::ReplyTimedOut.into())
    }

    /// What the broker says before `until_us`, if anything. Meanwhile the connection is kept alive.
    fn hear<P: Platform>(&mut self, device: &mut Device<'_, P>, until_us: u64) -> Result<Option<Heard>, Trouble> {
        loop {
            if let Some(heard) = self.next_packet(device)? {
                return Ok(Some(heard));
            }
            let mut bytes = [0; READ_BYTES];
            let count = self.stream.read(device, &mut bytes)?;
            if count > 0 {
                self.decoder.extend(bytes.get(..count).unwrap_or(&bytes));
                continue;
            }
            let wake_us = self.keep_alive(device)?.map_or(until_us, |wake_us| wake_us.min(until_us));
            if !device.wait(wake_us) && wake_us == until_us {
                return Ok(None);
            }
        }
    }

    /// Sends PINGREQ if it is time. Returns when to look again.
    fn keep_alive<P: Platform>(&mut self, device: &mut Device<'_, P>) -> Result<Option<u64>, Trouble> {
        let now_us = device.now_us();
        if let Some(pong_until_us) = self.pong_until_us {
            return if now_us < pong_until_us { Ok(Some(pong_until_us)) } else { Err(Fault::ReplyTimedOut.into()) };
        }
        let Some(ping_after_us) = self.ping_after_us else { return Ok(None) };
        if now_us < self.sent_us + ping_after_us {
            return Ok(Some(self.sent_us + ping_after_us));
        }
        self.send(device, &Packet::PingReq)?;
        let pong_until_us = now_us + self.reply_timeout_us;
        self.pong_until_us = Some(pong_until_us);
        Ok(Some(pong_until_us))
    }

    fn next_packet<P: Platform>(&mut self, device: &mut Device<'_, P>) -> Result<Option<Heard>, Trouble> {
        let Some(view) = self.decoder.next_packet() else { return Ok(None) };
        let view = view.map_err(|error| match error {
            DecodeError::Violation(_) => Fault::MalformedPacket,
            DecodeError::TooLong { .. } => Fault::PacketTooLarge,
        })?;
        let heard = match Packet::parse(&view).map_err(|_| Fault::MalformedPacket)? {
            Packet::ConnAck(connack) => {
                Heard::Connack { code: connack.code.0, session_present: connack.session_present }
            }
            Packet::SubAck(suback) => Heard::Suback {
                packet_id: suback.packet_id,
                is_granted: matches!(suback.granted.as_slice(), [Some(_)]),
            },
            Packet::PubAck(packet_id) => Heard::Puback { packet_id },
            Packet::Publish(publish) => self.take(device, &publish)?,
            Packet::PingResp if self.pong_until_us.take().is_some() => Heard::Pong,
            _ => return Err(Fault::UnexpectedPacket.into()),
        };
        Ok(Some(heard))
    }

    fn take<P: Platform>(&mut self, device: &mut Device<'_, P>, publish: &Publish<'_>) -> Result<Heard, Trouble> {
        let at_ms = device.now_ms();
        device.report(&Report::Message {
            topic: String::from(publish.topic),
            payload_bytes: u32::try_from(publish.payload.len()).unwrap_or(u32::MAX),
            qos: publish.delivery.qos() as u8,
            at_ms,
        });
        match publish.delivery {
            Delivery::AtMostOnce => {}
            Delivery::AtLeastOnce { packet_id, .. } => self.send(device, &Packet::PubAck(packet_id))?,
            // Never asked for.
            Delivery::ExactlyOnce { .. } => return Err(Fault::UnexpectedPacket.into()),
        }
        self.messages += 1;
        Ok(Heard::Message)
    }
}

/// The qualities of service that a plan may ask for.
/// The sizes of the pieces in which umqtt.simple writes an encoded CONNECT, in bytes.
fn connect_pieces(packet: &[u8]) -> Vec<usize> {
    /// "MQTT" with its length, the level, the flags and the keep-alive (MQTT 3.1.1 §3.1.2).
    const VARIABLE_HEADER_BYTES: usize = 10;
    let length_bytes = packet.iter().skip(1).take_while(|byte| **byte & 0x80 != 0).count() + 1;
    let mut pieces = vec![1 + length_bytes, VARIABLE_HEADER_BYTES];
    let mut at = 1 + length_bytes + VARIABLE_HEADER_BYTES;
    while let Some(&[high, low]) = packet.get(at..at + 2) {
        let string_bytes = usize::from(u16::from_be_bytes([high, low]));
        pieces.extend([2, string_bytes]);
        at += 2 + string_bytes;
    }
    pieces
}

fn quality(qos: u8) -> Result<QoS, Fault> {
    match QoS::from_bits(qos) {
        Some(qos @ (QoS::AtMostOnce | QoS::AtLeastOnce)) => Ok(qos),
        _ => Err(Fault::PlanUnusable),
    }
}
