//! From what a packet means to its bytes.

use alloc::vec::Vec;

use super::view::BODY_BYTES_MAX;
use super::{Connect, Kind, Packet, PacketId, Publish, QoS, Violation};

impl Packet<'_> {
    /// Appends the packet to `out`. Lengths are checked, other rules are not: a crooked broker has its reasons.
    ///
    /// # Errors
    /// [`Violation::StringTooLong`] if a field does not fit its length field; `out` is then as it was.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), Violation> {
        let mut body = Vec::new();
        let mut flags = self.kind().fixed_flags().unwrap_or_default();
        match self {
            Self::Connect(repr) => connect(repr, &mut body)?,
            Self::ConnAck(repr) => body.extend_from_slice(&[u8::from(repr.session_present), repr.code.0]),
            Self::Publish(repr) => {
                flags = publish_flags(repr);
                string(repr.topic.as_bytes(), &mut body)?;
                if let Some(id) = repr.delivery.packet_id() {
                    packet_id(id, &mut body);
                }
                body.extend_from_slice(repr.payload);
            }
            Self::PubAck(id) | Self::PubRec(id) | Self::PubRel(id) | Self::PubComp(id) | Self::UnsubAck(id) => {
                packet_id(*id, &mut body);
            }
            Self::Subscribe(repr) => {
                packet_id(repr.packet_id, &mut body);
                for (filter, qos) in &repr.filters {
                    string(filter.as_bytes(), &mut body)?;
                    body.push(*qos as u8);
                }
            }
            Self::SubAck(repr) => {
                packet_id(repr.packet_id, &mut body);
                body.extend(repr.granted.iter().map(|granted| granted.map_or(0x80, |qos| qos as u8)));
            }
            Self::Unsubscribe(repr) => {
                packet_id(repr.packet_id, &mut body);
                for filter in &repr.filters {
                    string(filter.as_bytes(), &mut body)?;
                }
            }
            Self::PingReq | Self::PingResp | Self::Disconnect => {}
        }
        whole(self.kind(), flags, &body, out)
    }
}

fn whole(kind: Kind, flags: u8, body: &[u8], out: &mut Vec<u8>) -> Result<(), Violation> {
    if body.len() > BODY_BYTES_MAX {
        return Err(Violation::StringTooLong);
    }
    out.reserve(body.len() + 5);
    out.push((kind as u8) << 4 | flags);
    let mut length = body.len();
    loop {
        let more = if length > 0x7f { 0x80 } else { 0 };
        out.push((length & 0x7f) as u8 | more);
        length >>= 7;
        if length == 0 {
            break;
        }
    }
    out.extend_from_slice(body);
    Ok(())
}

fn connect(repr: &Connect<'_>, body: &mut Vec<u8>) -> Result<(), Violation> {
    let (name, level) = repr.protocol.on_the_wire();
    let (will_qos, will_retain) = repr.will.as_ref().map_or((QoS::AtMostOnce, false), |will| (will.qos, will.retain));
    let flags = u8::from(repr.user_name.is_some()) << 7
        | u8::from(repr.password.is_some()) << 6
        | u8::from(will_retain) << 5
        | (will_qos as u8) << 3
        | u8::from(repr.will.is_some()) << 2
        | u8::from(repr.clean_session) << 1;
    string(name.as_bytes(), body)?;
    body.extend_from_slice(&[level, flags]);
    body.extend_from_slice(&repr.keep_alive_s.to_be_bytes());
    string(repr.client_id.as_bytes(), body)?;
    if let Some(will) = &repr.will {
        string(will.topic.as_bytes(), body)?;
        string(will.payload, body)?;
    }
    if let Some(user_name) = repr.user_name {
        string(user_name.as_bytes(), body)?;
    }
    if let Some(password) = repr.password {
        string(password, body)?;
    }
    Ok(())
}

fn publish_flags(repr: &Publish<'_>) -> u8 {
    u8::from(repr.delivery.is_duplicate()) << 3 | (repr.delivery.qos() as u8) << 1 | u8::from(repr.retain)
}

fn packet_id(id: PacketId, body: &mut Vec<u8>) {
    body.extend_from_slice(&id.get().to_be_bytes());
}

/// Two bytes of length, then the bytes (§1.5.3).
fn string(bytes: &[u8], body: &mut Vec<u8>) -> Result<(), Violation> {
    let length = u16::try_from(bytes.len()).map_err(|_| Violation::StringTooLong)?;
    body.extend_from_slice(&length.to_be_bytes());
    body.extend_from_slice(bytes);
    Ok(())
}
