//! Looks a name up (RFC 1035), over UDP and with retries.
//!
//! By hand rather than with smoltcp's DNS socket, because that one answers "failed" to a name that does not exist and
//! to a resolver that is silent alike, and the bench wants to know which.

use alloc::vec;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr};

use smoltcp::wire::{
    DnsFlags, DnsOpcode, DnsPacket, DnsQueryType, DnsQuestion, DnsRcode, DnsRecord, DnsRecordData, DnsRepr,
};

use crate::device::Device;
use crate::fault::Fault;
use crate::platform::Platform;

const PORT: u16 = 53;
/// A longer name does not fit a packet (RFC 1035 §2.3.4).
const NAME_BYTES_MAX: usize = 255;
const LABEL_BYTES_MAX: usize = 63;

/// The first address of `name`: IPv4 if it has one, else IPv6 if the device itself has one.
pub(crate) fn resolve<P: Platform>(
    device: &mut Device<'_, P>,
    resolver: IpAddr,
    name: &str,
    own_ipv6: Option<Ipv6Addr>,
    timeout_us: u64,
) -> Result<IpAddr, Fault> {
    let name = encode_name(name).ok_or(Fault::PlanUnusable)?;
    let until_us = device.now_us() + timeout_us;
    let kinds = [Some(DnsQueryType::A), own_ipv6.map(|_| DnsQueryType::Aaaa)];
    for kind in kinds.into_iter().flatten() {
        let id = device.random_u64() as u16;
        let question = encode_question(id, &name, kind);
        let answer = device.ask(resolver, PORT, &question, until_us, |answer| read_answer(answer, id, kind))?;
        match answer.ok_or(Fault::DnsTimedOut)? {
            Err(Fault::DnsNoAddress) => {}
            answer => return answer,
        }
    }
    Err(Fault::DnsNoAddress)
}

fn encode_question(id: u16, name: &[u8], kind: DnsQueryType) -> Vec<u8> {
    let question = DnsRepr {
        transaction_id: id,
        opcode: DnsOpcode::Query,
        flags: DnsFlags::RECURSION_DESIRED,
        question: DnsQuestion { name, type_: kind },
    };
    let mut packet = vec![0; question.buffer_len()];
    question.emit(&mut DnsPacket::new_unchecked(&mut packet[..]));
    packet
}

/// `None` if this is not the answer to that question.
fn read_answer(answer: &[u8], id: u16, kind: DnsQueryType) -> Option<Result<IpAddr, Fault>> {
    let packet = DnsPacket::new_checked(answer).ok()?;
    if packet.transaction_id() != id || !packet.flags().contains(DnsFlags::RESPONSE) || packet.question_count() != 1 {
        return None;
    }
    match packet.rcode() {
        DnsRcode::NoError => {}
        DnsRcode::NXDomain => return Some(Err(Fault::DnsNxdomain)),
        other => return Some(Err(Fault::DnsServerFailure(other.into()))),
    }
    if packet.flags().contains(DnsFlags::TRUNCATED) {
        return Some(Err(Fault::DnsTruncated));
    }
    let (mut rest, asked) = DnsQuestion::parse(packet.payload()).ok()?;
    if asked.type_ != kind {
        return None;
    }
    // An alias (CNAME) comes with the records of what it stands for, so the first address is the answer.
    for _ in 0..packet.answer_record_count() {
        let Ok((next, record)) = DnsRecord::parse(rest) else { break };
        rest = next;
        match record.data {
            DnsRecordData::A(address) if kind == DnsQueryType::A => return Some(Ok(IpAddr::V4(address))),
            DnsRecordData::Aaaa(address) if kind == DnsQueryType::Aaaa => return Some(Ok(IpAddr::V6(address))),
            _ => {}
        }
    }
    Some(Err(Fault::DnsNoAddress))
}

/// Length-prefixed labels (RFC 1035 §3.1).
fn encode_name(name: &str) -> Option<Vec<u8>> {
    let mut encoded = Vec::new();
    for label in name.strip_suffix('.').unwrap_or(name).split('.') {
        if label.is_empty() || label.len() > LABEL_BYTES_MAX {
            return None;
        }
        encoded.push(u8::try_from(label.len()).ok()?);
        encoded.extend_from_slice(label.as_bytes());
    }
    encoded.push(0);
    (encoded.len() <= NAME_BYTES_MAX).then_some(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_labels() {
        assert_eq!(encode_name("broker.test").as_deref(), Some(&b"\x06broker\x04test\0"[..]));
        assert_eq!(encode_name("broker.test."), encode_name("broker.test"));
        assert_eq!(encode_name(""), None);
        assert_eq!(encode_name("a..b"), None);
        assert_eq!(encode_name(&"x".repeat(64)), None);
        assert_eq!(encode_name(&["x"; 128].join(".")), None);
    }

    /// RFC 1035 §4.1: header, the question for broker.test A, one answer by way of a pointer to the name.
    const ANSWER: &[u8] = b"\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0\x06broker\x04test\0\0\x01\0\x01\
                            \xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\x00\x00\x02";

    #[test]
    fn answers_are_read() {
        let address = IpAddr::from([10, 0, 0, 2]);
        assert_eq!(read_answer(ANSWER, 0x1234, DnsQueryType::A), Some(Ok(address)));
        assert_eq!(read_answer(ANSWER, 0x1235, DnsQueryType::A), None);
        assert_eq!(read_answer(ANSWER, 0x1234, DnsQueryType::Aaaa), None);
        let mut refused = ANSWER.to_vec();
        refused[3] = 0x83;
        assert_eq!(read_answer(&refused, 0x1234, DnsQueryType::A), Some(Err(Fault::DnsNxdomain)));
        refused[3] = 0x82;
        assert_eq!(read_answer(&refused, 0x1234, DnsQueryType::A), Some(Err(Fault::DnsServerFailure(2))));
    }

    #[test]
    fn no_answer_however_damaged_panics() {
        for cut in 0..ANSWER.len() {
            read_answer(&ANSWER[..cut], 0x1234, DnsQueryType::A);
        }
        for at in 0..ANSWER.len() {
            for value in 0..=255 {
                let mut answer = ANSWER.to_vec();
                answer[at] = value;
                read_answer(&answer, 0x1234, DnsQueryType::A);
            }
        }
    }
}
