//! The MQTT of the controls that bring none of their own: log in, publish one message, leave. Without I/O.

use blame::Error;
use wire::mqtt::{Connect, ConnectCode, Decoder, Delivery, Packet, PacketId, Publish};

use crate::controls::task::Task;

/// A broker that sends a longer packet to a client that has subscribed to nothing is no broker.
const PACKET_BYTES_MAX: usize = 64 * 1024;

/// One session.
#[derive(Debug)]
pub struct Login {
    decoder: Decoder,
    awaits: Awaits,
    publish: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaits {
    ConnAck,
    PubAck,
    Nothing,
}

impl Login {
    /// The session of `task`, and the CONNECT with which it begins.
    ///
    /// # Errors
    ///
    /// If a field is longer than MQTT can say.
    pub fn new(task: &Task) -> blame::Result<(Self, Vec<u8>)> {
        let encoded = |packet: Packet<'_>| {
            let mut bytes = Vec::new();
            packet.encode(&mut bytes).map_err(Error::bench).map(|()| bytes)
        };
        let connect = encoded(Packet::Connect(Connect {
            client_id: &task.client_id,
            clean_session: task.clean_session,
            keep_alive_s: task.keep_alive_s,
            user_name: task.user_name.as_deref(),
            password: task.password.as_deref().map(str::as_bytes),
            ..Connect::default()
        }))?;
        let publish = encoded(Packet::Publish(Publish {
            topic: &task.topic,
            payload: task.payload.as_bytes(),
            delivery: Delivery::AtLeastOnce { packet_id: PacketId::MIN, duplicate: false },
            retain: false,
        }))?;
        Ok((Self { decoder: Decoder::new(PACKET_BYTES_MAX), awaits: Awaits::ConnAck, publish }, connect))
    }

    /// Takes what the broker says, and gives what is to be said next.
    ///
    /// # Errors
    ///
    /// A sentence, if the broker refuses or breaks the protocol.
    pub fn hear(&mut self, bytes: &[u8]) -> blame::Result<Vec<u8>> {
        self.decoder.extend(bytes);
        let mut answer = Vec::new();
        while let Some(view) = self.decoder.next_packet() {
            let view = view.map_err(Error::bench)?;
            match (self.awaits, Packet::parse(&view).map_err(Error::bench)?) {
                (Awaits::ConnAck, Packet::ConnAck(connack)) if connack.code == ConnectCode::ACCEPTED => {
                    self.awaits = Awaits::PubAck;
                    answer.append(&mut self.publish);
                }
                (Awaits::ConnAck, Packet::ConnAck(connack)) => {
                    return Err(Error::bench(format!("CONNACK: {}", connack.code)));
                }
                (Awaits::PubAck, Packet::PubAck(PacketId::MIN)) => {
                    self.awaits = Awaits::Nothing;
                    let _ = Packet::Disconnect.encode(&mut answer);
                }
                // A broker may publish what it likes to whom it likes.
                (_, Packet::Publish(_)) => {}
                (_, packet) => {
                    return Err(Error::bench(format!("the broker says {} where it should not", packet.kind().name())));
                }
            }
        }
        Ok(answer)
    }

    /// Whether the message has arrived and DISCONNECT is all that is left to say.
    pub fn is_done(&self) -> bool {
        self.awaits == Awaits::Nothing
    }
}
