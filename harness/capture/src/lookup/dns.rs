//! DNS messages (RFC 1035 §4), as much of them as a transcript tells.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::text::{clean, listed};

/// A name has 255 octets (RFC 1035 §2.3.4), and so it has no more labels.
const LABELS_MAX: usize = 127;

/// The name asked for; in an answer also what it is said to be. `None` if the message is malformed.
pub fn details(message: &[u8]) -> Option<String> {
    let number = |at: usize| Some(u16::from_be_bytes([*message.get(at)?, *message.get(at + 1)?]));
    let (flags, questions, answers) = (number(2)?, number(4)?, number(6)?);
    if questions != 1 {
        return None;
    }
    let (name, after_name) = name(message, 12)?;
    let question = format!("dns {} {name}", record_type(number(after_name)?));
    if flags & 0x8000 == 0 {
        return Some(question);
    }
    let mut found = Vec::new();
    let mut at = after_name + 4;
    for _ in 0..answers.min(16) {
        (_, at) = self::name(message, at)?;
        let (kind, length) = (number(at)?, usize::from(number(at + 8)?));
        let data = message.get(at + 10..at + 10 + length)?;
        found.extend(address(kind, data));
        at += 10 + length;
    }
    Some(match (flags & 0x000f, &found[..]) {
        (0, []) => format!("{question} · no address"),
        (0, found) => format!("{question} · {}", listed(found, 4)),
        (code, _) => format!("{question} · {}", response_code(code)),
    })
}

fn address(kind: u16, data: &[u8]) -> Option<String> {
    match kind {
        1 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).to_string()),
        28 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).to_string()),
        _ => None,
    }
}

/// The name at `at`, and where it ends. Pointers are followed backwards only, so that a name cannot go on for ever.
fn name(message: &[u8], at: usize) -> Option<(String, usize)> {
    let mut labels: Vec<String> = Vec::new();
    let mut end = None;
    let mut at = at;
    loop {
        match *message.get(at)? {
            0 => break,
            length @ 1..=63 => {
                let label = message.get(at + 1..at + 1 + usize::from(length))?;
                labels.push(clean(&String::from_utf8_lossy(label), 63));
                at += 1 + usize::from(length);
            }
            high @ 0xc0.. => {
                let target = usize::from(u16::from_be_bytes([high & 0x3f, *message.get(at + 1)?]));
                end.get_or_insert(at + 2);
                if target >= at {
                    return None;
                }
                at = target;
            }
            _ => return None,
        }
        if labels.len() > LABELS_MAX {
            return None;
        }
    }
    let name = if labels.is_empty() { ".".into() } else { labels.join(".") };
    Some((name, end.unwrap_or(at + 1)))
}

fn record_type(kind: u16) -> String {
    match kind {
        1 => "A".into(),
        28 => "AAAA".into(),
        other => format!("type {other}"),
    }
}

fn response_code(code: u16) -> String {
    match code {
        1 => "format error".into(),
        2 => "server failure".into(),
        3 => "no such name".into(),
        4 => "not implemented".into(),
        5 => "refused".into(),
        other => format!("response code {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(flags: u16, answers: u16, rest: &[u8]) -> Vec<u8> {
        let mut message = vec![0, 7];
        message.extend(flags.to_be_bytes());
        message.extend([0, 1]);
        message.extend(answers.to_be_bytes());
        message.extend([0; 4]);
        message.extend(b"\x06broker\x04test\x00\x00\x01\x00\x01");
        message.extend(rest);
        message
    }

    #[test]
    fn questions_and_answers_are_told() {
        assert_eq!(details(&message(0x0100, 0, b"")).as_deref(), Some("dns A broker.test"));
        let answer = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x00\x00\x02";
        assert_eq!(details(&message(0x8180, 1, answer)).as_deref(), Some("dns A broker.test · 10.0.0.2"));
        assert_eq!(details(&message(0x8183, 0, b"")).as_deref(), Some("dns A broker.test · no such name"));
    }

    /// An alias before the addresses, each at its place (RFC 1035 §4.1.3); an address of IPv6 (RFC 3596 §2.2).
    #[test]
    fn answers_behind_an_alias_are_told() {
        let alias = b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x04\x01a\xc0\x13";
        let v4 = b"\xc0\x29\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x00\x00\x02";
        let v6 = b"\x01z\x00\x00\x1c\x00\x01\x00\x00\x00\x3c\x00\x10\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07";
        let answers = [&alias[..], v4, v6].concat();
        let told = details(&message(0x8180, 3, &answers));
        assert_eq!(told.as_deref(), Some("dns A broker.test · 10.0.0.2 2001:db8::7"));
    }

    /// Pointers reach as far as 14 bits do (RFC 1035 §4.1.4).
    #[test]
    fn a_name_may_lie_far_back_and_has_so_many_labels() {
        let mut far = vec![0; 0x1234];
        far.extend(b"\x01b\x00\x01a\xd2\x34");
        assert_eq!(name(&far, 0x1237), Some(("a.b".into(), 0x123b)));
        let labels = |count: usize| [&b"\x01x".repeat(count)[..], &[0]].concat();
        assert_eq!(name(&labels(127), 0).map(|(name, end)| (name.len(), end)), Some((253, 255)));
        assert_eq!(name(&labels(128), 0), None);
        assert_eq!(name(&labels(200), 0), None);
    }

    #[test]
    fn a_name_that_points_at_itself_is_malformed() {
        assert_eq!(details(&message(0x8180, 1, b"\xc0\x1d\x00\x01")), None);
        assert_eq!(details(&message(0x8180, 1, b"\xc0")), None);
        assert_eq!(details(b""), None);
    }
}
