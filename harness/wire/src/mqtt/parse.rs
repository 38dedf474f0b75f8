//! From a view to what it means, strictly.

use alloc::vec::Vec;

use super::{
    ConnAck, Connect, ConnectCode, Delivery, Kind, Packet, PacketId, Protocol, Publish, QoS, SubAck, Subscribe,
    Unsubscribe, View, Violation, Will, topic,
};

impl<'a> Packet<'a> {
    /// What the packet in `view` says.
    ///
    /// # Errors
    /// The first rule of MQTT 3.1.1 that it breaks.
    pub fn parse<B: AsRef<[u8]>>(view: &'a View<B>) -> Result<Self, Violation> {
        let kind = view.kind().ok_or(Violation::ReservedKind)?;
        if kind.fixed_flags().is_some_and(|flags| flags != view.flags()) {
            return Err(Violation::FixedFlags);
        }
        let mut fields = Fields { rest: view.body() };
        let packet = match kind {
            Kind::Connect => Self::Connect(connect(&mut fields)?),
            Kind::ConnAck => Self::ConnAck(conn_ack(&mut fields)?),
            Kind::Publish => Self::Publish(publish(view.flags(), &mut fields)?),
            Kind::PubAck => Self::PubAck(fields.packet_id()?),
            Kind::PubRec => Self::PubRec(fields.packet_id()?),
            Kind::PubRel => Self::PubRel(fields.packet_id()?),
            Kind::PubComp => Self::PubComp(fields.packet_id()?),
            Kind::Subscribe => Self::Subscribe(subscribe(&mut fields)?),
            Kind::SubAck => Self::SubAck(sub_ack(&mut fields)?),
            Kind::Unsubscribe => Self::Unsubscribe(unsubscribe(&mut fields)?),
            Kind::UnsubAck => Self::UnsubAck(fields.packet_id()?),
            Kind::PingReq => Self::PingReq,
            Kind::PingResp => Self::PingResp,
            Kind::Disconnect => Self::Disconnect,
        };
        if fields.rest.is_empty() { Ok(packet) } else { Err(Violation::TooLong) }
    }
}

/// §3.1.2, §3.1.3. The connect flags, from bit 7 down: user name, password, will retain, will QoS (two bits), will,
/// clean session, reserved.
fn connect<'a>(fields: &mut Fields<'a>) -> Result<Connect<'a>, Violation> {
    let name = fields.string()?;
    let protocol = match (name, fields.u8()?) {
        ("MQTT", 4) => Protocol::V3_1_1,
        ("MQIsdp", 3) => Protocol::V3_1,
        ("MQTT", level) => return Err(Violation::ProtocolLevel(level)),
        _ => return Err(Violation::ProtocolName),
    };
    let flags = fields.u8()?;
    let is_set = |bit: u8| flags >> bit & 1 == 1;
    let [has_user_name, has_password, will_retain, has_will, clean_session] = [7, 6, 5, 2, 1].map(is_set);
    let will_qos = QoS::from_bits(flags >> 3 & 0b11).ok_or(Violation::WillQosIsThree)?;
    match () {
        () if is_set(0) => return Err(Violation::ConnectReservedFlag),
        () if !has_will && will_qos != QoS::AtMostOnce => return Err(Violation::WillQosWithoutWill),
        () if !has_will && will_retain => return Err(Violation::WillRetainWithoutWill),
        () if has_password && !has_user_name => return Err(Violation::PasswordWithoutUserName),
        () => {}
    }
    let keep_alive_s = fields.u16()?;
    let client_id = fields.string()?;
    if client_id.is_empty() && !clean_session {
        return Err(Violation::NoClientIdAndNoCleanSession);
    }
    let will = match has_will {
        true => Some(Will {
            topic: fields.topic_name()?,
            payload: fields.bytes_with_length()?,
            qos: will_qos,
            retain: will_retain,
        }),
        false => None,
    };
    let user_name = has_user_name.then(|| fields.string()).transpose()?;
    let password = has_password.then(|| fields.bytes_with_length()).transpose()?;
    Ok(Connect { protocol, client_id, clean_session, keep_alive_s, will, user_name, password })
}

fn conn_ack(fields: &mut Fields<'_>) -> Result<ConnAck, Violation> {
    let (flags, code) = (fields.u8()?, ConnectCode(fields.u8()?));
    match flags {
        0 => Ok(ConnAck { session_present: false, code }),
        1 if code == ConnectCode::ACCEPTED => Ok(ConnAck { session_present: true, code }),
        1 => Err(Violation::SessionPresentThoughRefused),
        _ => Err(Violation::ConnAckReservedFlags),
    }
}

/// §3.3.1: flags from bit 3 down: DUP, QoS (two bits), RETAIN.
fn publish<'a>(flags: u8, fields: &mut Fields<'a>) -> Result<Publish<'a>, Violation> {
    let duplicate = flags & 0b1000 != 0;
    let qos = QoS::from_bits(flags >> 1 & 0b11).ok_or(Violation::PublishQosIsThree)?;
    if qos == QoS::AtMostOnce && duplicate {
        return Err(Violation::DuplicateOfQosZero);
    }
    let topic = fields.topic_name()?;
    let delivery = match qos {
        QoS::AtMostOnce => Delivery::AtMostOnce,
        QoS::AtLeastOnce => Delivery::AtLeastOnce { packet_id: fields.packet_id()?, duplicate },
        QoS::ExactlyOnce => Delivery::ExactlyOnce { packet_id: fields.packet_id()?, duplicate },
    };
    Ok(Publish { topic, payload: core::mem::take(&mut fields.rest), delivery, retain: flags & 1 == 1 })
}

fn subscribe<'a>(fields: &mut Fields<'a>) -> Result<Subscribe<'a>, Violation> {
    let packet_id = fields.packet_id()?;
    let mut filters = Vec::new();
    while !fields.rest.is_empty() {
        let filter = fields.topic_filter()?;
        filters.push((filter, QoS::from_bits(fields.u8()?).ok_or(Violation::SubscribeQos)?));
    }
    if filters.is_empty() { Err(Violation::SubscribeWithoutFilter) } else { Ok(Subscribe { packet_id, filters }) }
}

fn sub_ack(fields: &mut Fields<'_>) -> Result<SubAck, Violation> {
    let packet_id = fields.packet_id()?;
    let codes = core::mem::take(&mut fields.rest);
    let granted = codes
        .iter()
        .map(|&code| match code {
            0x80 => Ok(None),
            _ => QoS::from_bits(code).map(Some).ok_or(Violation::SubAckCode(code)),
        })
        .collect::<Result<_, _>>()?;
    Ok(SubAck { packet_id, granted })
}

fn unsubscribe<'a>(fields: &mut Fields<'a>) -> Result<Unsubscribe<'a>, Violation> {
    let packet_id = fields.packet_id()?;
    let mut filters = Vec::new();
    while !fields.rest.is_empty() {
        filters.push(fields.topic_filter()?);
    }
    if filters.is_empty() { Err(Violation::UnsubscribeWithoutFilter) } else { Ok(Unsubscribe { packet_id, filters }) }
}

/// What is left of a packet's body.
struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn take(&mut self, bytes: usize) -> Result<&'a [u8], Violation> {
        let (taken, rest) = self.rest.split_at_checked(bytes).ok_or(Violation::TooShort)?;
        self.rest = rest;
        Ok(taken)
    }

    fn u8(&mut self) -> Result<u8, Violation> {
        Ok(self.take(1)?[0])
    }

    fn u16(&mut self) -> Result<u16, Violation> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn packet_id(&mut self) -> Result<PacketId, Violation> {
        PacketId::new(self.u16()?).ok_or(Violation::PacketIdIsZero)
    }

    fn bytes_with_length(&mut self) -> Result<&'a [u8], Violation> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    /// §1.5.3. Surrogates are no well-formed UTF-8 for Rust either.
    fn string(&mut self) -> Result<&'a str, Violation> {
        let string = core::str::from_utf8(self.bytes_with_length()?).map_err(|_| Violation::StringNotUtf8)?;
        if string.contains('\0') { Err(Violation::StringHasNul) } else { Ok(string) }
    }

    fn topic_name(&mut self) -> Result<&'a str, Violation> {
        let name = self.string()?;
        topic::check_name(name).map(|()| name)
    }

    fn topic_filter(&mut self) -> Result<&'a str, Violation> {
        let filter = self.string()?;
        topic::check_filter(filter).map(|()| filter)
    }
}
