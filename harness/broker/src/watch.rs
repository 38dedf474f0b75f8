//! Holds a connection still where a message begins or ends at which the network is going to cut it.
//!
//! Messages of TLS are told apart by their records as they pass on the wire. What is sealed is known from outside where
//! only one message can stand there: after ChangeCipherSpec of TLS 1.2 and older, Finished; in TLS 1.3, the client's
//! Finished by its length. `scenario` refuses cuts at other sealed messages. Packets of MQTT are seen by the session.

use network::{Direction, Message, Trigger};
use wire::tls::{ContentType, RecordView};

/// The moments that are waited for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Moments(Vec<Trigger>);

impl Moments {
    /// These moments.
    pub(crate) fn new(moments: &[Trigger]) -> Self {
        Self(moments.to_vec())
    }

    /// The moment before the message of this name, if it is waited for.
    pub(crate) fn before(&self, direction: Direction, name: &str) -> Option<Trigger> {
        self.find(Trigger::Before(Message::named(direction, name)?))
    }

    /// The moment after the message of this name, if it is waited for.
    pub(crate) fn after(&self, direction: Direction, name: &str) -> Option<Trigger> {
        self.find(Trigger::After(Message::named(direction, name)?))
    }

    fn find(&self, moment: Trigger) -> Option<Trigger> {
        self.0.contains(&moment).then_some(moment)
    }

    /// Whether a message of TLS is waited for that travels this way.
    fn has_tls(&self, way: Direction) -> bool {
        let is_meant = |message: &Message| message.direction == way && message.kind.is_of_tls();
        self.0
            .iter()
            .any(|moment| matches!(moment, Trigger::Before(message) | Trigger::After(message) if is_meant(message)))
    }
}

/// Where both streams of a connection of TLS are.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) moments: Moments,
    from_device: Stream,
    to_device: Stream,
}

/// What is to become of bytes of one stream.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Passage {
    /// These pass.
    pub(crate) passed: Vec<u8>,
    /// Then this moment has come. Nothing passes any more, but the message of a [`Trigger::After`]: these last bytes.
    pub(crate) reached: Option<(Trigger, Vec<u8>)>,
}

impl Watch {
    /// Waits for these moments.
    pub(crate) fn new(moments: &[Trigger]) -> Self {
        Self { moments: Moments::new(moments), ..Self::default() }
    }

    /// Lets bytes of a stream of TLS pass, record by record. Half a record is kept until the rest of it has come.
    pub(crate) fn pass(&mut self, direction: Direction, bytes: &[u8]) -> Passage {
        if !self.moments.has_tls(direction) {
            return Passage { passed: bytes.to_vec(), reached: None };
        }
        let Self { moments, from_device, to_device } = self;
        let stream = match direction {
            Direction::FromDevice => from_device,
            Direction::ToDevice => to_device,
        };
        stream.held.extend_from_slice(bytes);
        let mut passage = Passage::default();
        while let Some((record, begun, ended)) = stream.next_record() {
            if let Some(moment) = begun.iter().find_map(|name| moments.before(direction, name)) {
                passage.reached = Some((moment, Vec::new()));
                return passage;
            }
            if let Some(moment) = ended.iter().find_map(|name| moments.after(direction, name)) {
                passage.reached = Some((moment, record));
                return passage;
            }
            passage.passed.extend(record);
        }
        if stream.is_foreign {
            passage.passed.append(&mut stream.held);
        }
        passage
    }
}

/// One direction of TLS, as far as it can be read from outside.
#[derive(Debug, Default)]
struct Stream {
    held: Vec<u8>,
    /// It is no TLS: whatever comes passes.
    is_foreign: bool,
    /// ChangeCipherSpec has passed: from there on TLS 1.2 and older seal what they say. In TLS 1.3, where it means nothing,
    /// only a second ClientHello follows in the clear.
    is_sealed: bool,
    /// A Finished has passed.
    is_finished: bool,
    /// The header of a message that has not come whole, and what is missing of its body.
    header: Vec<u8>,
    message: Option<(&'static str, usize)>,
}

impl Stream {
    /// The next whole record, the messages that begin in it, and those that end in it.
    fn next_record(&mut self) -> Option<(Vec<u8>, Vec<&'static str>, Vec<&'static str>)> {
        if self.is_foreign {
            return None;
        }
        let (content_type, fragment, length) = match RecordView::parse(&self.held) {
            Ok(Some((view, length))) => (view.content_type, view.fragment.to_vec(), length),
            Ok(None) => return None,
            Err(_) => {
                self.is_foreign = true;
                return None;
            }
        };
        let record: Vec<u8> = self.held.drain(..length).collect();
        let (begun, ended) = match content_type {
            ContentType::HANDSHAKE if self.is_sealed && !is_client_hello(&fragment) => self.finished(),
            ContentType::APPLICATION_DATA if is_length_of_finished(fragment.len()) => self.finished(),
            ContentType::HANDSHAKE => self.messages(&fragment),
            ContentType::CHANGE_CIPHER_SPEC => {
                self.is_sealed = true;
                (Vec::new(), Vec::new())
            }
            _ => (Vec::new(), Vec::new()),
        };
        Some((record, begun, ended))
    }

    fn finished(&mut self) -> (Vec<&'static str>, Vec<&'static str>) {
        let names = if std::mem::replace(&mut self.is_finished, true) { Vec::new() } else { vec!["Finished"] };
        (names.clone(), names)
    }

    /// Follows the messages in a fragment (RFC 5246 §7.4: a type, three bytes of length, a body).
    fn messages(&mut self, mut fragment: &[u8]) -> (Vec<&'static str>, Vec<&'static str>) {
        let (mut begun, mut ended) = (Vec::new(), Vec::new());
        while !fragment.is_empty() {
            let (name, left) = match self.message.take() {
                Some(message) => message,
                None => {
                    let count = (4 - self.header.len()).min(fragment.len());
                    let (header, rest) = fragment.split_at(count);
                    self.header.extend_from_slice(header);
                    fragment = rest;
                    let [kind, high, middle, low] = self.header[..] else { break };
                    self.header.clear();
                    let name = name_of(kind);
                    begun.push(name);
                    (name, u32::from_be_bytes([0, high, middle, low]) as usize)
                }
            };
            let count = left.min(fragment.len());
            fragment = &fragment[count..];
            if count == left {
                ended.push(name);
            } else {
                self.message = Some((name, left - count));
            }
        }
        (begun, ended)
    }
}

/// Whether a fragment is a whole ClientHello in the clear; that of a sealed Finished is so by a chance of 2⁻³².
fn is_client_hello(fragment: &[u8]) -> bool {
    matches!(fragment, [1, high, middle, low, body @ ..]
        if u32::from_be_bytes([0, *high, *middle, *low]) as usize == body.len())
}

fn name_of(kind: u8) -> &'static str {
    wire::tls::HandshakeType(kind).name().unwrap_or_default()
}

/// Whether a sealed record of TLS 1.3 is as long as that of a Finished: a header, a MAC of SHA-256 or SHA-384, the type
/// of the content, padding to a multiple of 16 bytes if the library pads (RFC 9846 §5.4; Mbed TLS does), and a tag of 16
/// bytes, or of 8. Alerts and an empty Certificate are shorter, a CertificateVerify is longer.
fn is_length_of_finished(bytes: usize) -> bool {
    [32usize, 48].iter().map(|mac| 4 + mac + 1).any(|content| {
        let lengths = [content, content.next_multiple_of(16)];
        lengths.iter().any(|length| bytes == length + 16 || bytes == length + 8)
    })
}

#[cfg(test)]
mod tests;
