//! The name server: answers A and AAAA questions over UDP from a zone (RFC 1035, RFC 3596).

use std::fmt;
use std::net::IpAddr;

use clock::Duration;
use simple_dns::rdata::{A, AAAA, RData};
use simple_dns::{CLASS, OPCODE, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, ResourceRecord, TYPE};

/// The port of DNS over UDP.
pub(crate) const PORT: u16 = 53;
/// The longest answer without EDNS (RFC 1035 §4.2.1); the rest of it is cut off, and TC says so.
const ANSWER_BYTES_MAX: usize = 512;

/// A name server and what it knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dns {
    /// Where it listens, UDP port 53.
    pub addresses: Vec<IpAddr>,
    /// The names that it knows.
    pub names: Vec<Name>,
    /// What it says of every other name.
    pub otherwise: Answer,
}

impl Dns {
    /// A server at `addresses` that knows no name: NXDOMAIN for all.
    pub const fn new(addresses: Vec<IpAddr>) -> Self {
        Self { addresses, names: Vec::new(), otherwise: Answer::new(Resolution::NxDomain) }
    }

    /// The same with one more name, answered with `addresses`.
    #[must_use]
    pub fn with(mut self, name: &str, addresses: Vec<IpAddr>) -> Self {
        self.names.push(Name { name: name.into(), answers: vec![Answer::new(Resolution::Addresses(addresses))] });
        self
    }
}

/// A name and what is said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name, in any case, with or without the last dot.
    pub name: String,
    /// The first question gets the first answer, and so on; the last one serves for all further questions. Questions
    /// for A and for AAAA are counted apart. Without answers, the server is silent.
    pub answers: Vec<Answer>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What is said.
    pub what: Resolution,
    /// How long the server takes to say it.
    pub after: Duration,
    /// For how long the device may remember it.
    pub ttl_seconds: u32,
}

impl Answer {
    /// `what`, at once, to be remembered for a minute.
    pub const fn new(what: Resolution) -> Self {
        Self { what, after: Duration::ZERO, ttl_seconds: 60 }
    }
}

/// What a name server says of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// These addresses, in this order; of them, the ones of the family that was asked for. None of that family: the
    /// name exists, but has no such record.
    Addresses(Vec<IpAddr>),
    /// There is no such name (RCODE 3).
    NxDomain,
    /// The server could not find out (RCODE 2).
    ServFail,
    /// The server does not want to say (RCODE 5).
    Refused,
    /// Come back with TCP: no answer and the bit TC (RFC 1035 §4.1.1). Nobody listens there unless told to.
    Truncated,
    /// An answer to a question with another ID, as a forger who must guess would send: to be ignored.
    WrongId(Vec<IpAddr>),
    /// No answer at all.
    Silence,
}

impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Addresses(addresses) if addresses.is_empty() => f.write_str("no address"),
            Self::Addresses(addresses) => write_list(addresses, f),
            Self::NxDomain => f.write_str("NXDOMAIN"),
            Self::ServFail => f.write_str("SERVFAIL"),
            Self::Refused => f.write_str("REFUSED"),
            Self::Truncated => f.write_str("truncated"),
            Self::WrongId(_) => f.write_str("forged, with a wrong ID"),
            Self::Silence => f.write_str("no answer"),
        }
    }
}

fn write_list(addresses: &[IpAddr], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, address) in addresses.iter().enumerate() {
        write!(f, "{}{address}", if index == 0 { "" } else { ", " })?;
    }
    Ok(())
}

/// What somebody wanted to know of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// A: IPv4 addresses.
    V4,
    /// AAAA: IPv6 addresses.
    V6,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "A",
            Self::V6 => "AAAA",
        })
    }
}

/// A question, what was said, and how it is put on the wire.
pub(crate) struct Answered {
    pub(crate) name: String,
    pub(crate) family: Family,
    pub(crate) what: Resolution,
    pub(crate) after: Duration,
    /// None for silence.
    pub(crate) message: Option<Vec<u8>>,
}

/// The server and how often each name was asked for.
#[derive(Debug)]
pub(crate) struct Server {
    dns: Dns,
    /// For each name: questions for A and for AAAA.
    asked: Vec<[usize; 2]>,
}

impl Server {
    pub(crate) fn new(mut dns: Dns) -> Self {
        for name in &mut dns.names {
            name.name = canonical(&name.name);
        }
        let asked = vec![[0; 2]; dns.names.len()];
        Self { dns, asked }
    }

    pub(crate) fn listens_at(&self, address: IpAddr) -> bool {
        self.dns.addresses.contains(&address)
    }

    /// Answers a message; `None` if it is no question of the kind that is answered here.
    pub(crate) fn answer(&mut self, message: &[u8]) -> Option<Answered> {
        let query = Packet::parse(message).ok()?;
        if query.has_flags(PacketFlag::RESPONSE) || query.opcode() != OPCODE::StandardQuery {
            return None;
        }
        let [question] = query.questions.as_slice() else { return None };
        let family = match (question.qclass, question.qtype) {
            (QCLASS::CLASS(CLASS::IN), QTYPE::TYPE(TYPE::A)) => Family::V4,
            (QCLASS::CLASS(CLASS::IN), QTYPE::TYPE(TYPE::AAAA)) => Family::V6,
            _ => return None,
        };
        let name = question.qname.to_string();
        let Answer { what, after, ttl_seconds } = self.look_up(&canonical(&name), family);
        let message = reply(&query, question, family, &what, ttl_seconds);
        Some(Answered { name, family, what, after, message })
    }

    fn look_up(&mut self, name: &str, family: Family) -> Answer {
        let Some(index) = self.dns.names.iter().position(|known| known.name == name) else {
            return self.dns.otherwise.clone();
        };
        let asked = &mut self.asked[index][family as usize];
        let answers = &self.dns.names[index].answers;
        let answer = answers.get((*asked).min(answers.len().saturating_sub(1)));
        *asked = asked.saturating_add(1);
        answer.cloned().unwrap_or(Answer::new(Resolution::Silence))
    }
}

/// Names are compared without regard to case (RFC 4343).
fn canonical(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn reply(
    query: &Packet<'_>,
    question: &Question<'_>,
    family: Family,
    what: &Resolution,
    ttl_seconds: u32,
) -> Option<Vec<u8>> {
    let id = if matches!(what, Resolution::WrongId(_)) { query.id().wrapping_add(1) } else { query.id() };
    let mut reply = Packet::new_reply(id);
    reply.set_flags(PacketFlag::RECURSION_AVAILABLE);
    if query.has_flags(PacketFlag::RECURSION_DESIRED) {
        reply.set_flags(PacketFlag::RECURSION_DESIRED);
    }
    reply.questions.push(question.clone());
    let addresses = match what {
        Resolution::Addresses(addresses) | Resolution::WrongId(addresses) => addresses.as_slice(),
        Resolution::NxDomain => {
            *reply.rcode_mut() = RCODE::NameError;
            &[]
        }
        Resolution::ServFail => {
            *reply.rcode_mut() = RCODE::ServerFailure;
            &[]
        }
        Resolution::Refused => {
            *reply.rcode_mut() = RCODE::Refused;
            &[]
        }
        Resolution::Truncated => {
            reply.set_flags(PacketFlag::TRUNCATION);
            &[]
        }
        Resolution::Silence => return None,
    };
    let records = addresses.iter().filter_map(|address| match (address, family) {
        (IpAddr::V4(v4), Family::V4) => Some(RData::A(A { address: u32::from(*v4) })),
        (IpAddr::V6(v6), Family::V6) => Some(RData::AAAA(AAAA { address: u128::from(*v6) })),
        _ => None,
    });
    let records = records.map(|data| ResourceRecord::new(question.qname.clone(), CLASS::IN, ttl_seconds, data));
    reply.answers.extend(records);
    let mut message = reply.build_bytes_vec_compressed().ok()?;
    while message.len() > ANSWER_BYTES_MAX && reply.answers.pop().is_some() {
        reply.set_flags(PacketFlag::TRUNCATION);
        message = reply.build_bytes_vec_compressed().ok()?;
    }
    Some(message)
}

#[cfg(test)]
mod tests;
