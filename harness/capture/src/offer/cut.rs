//! A hello that breaks off: what is there of it, and what is missing.

use wire::tls::{ContentType, ExtensionType, HandshakeDecoder, ProtocolVersion, RecordDecoder};

use super::{HEADERS_BYTES_MAX, HELLO_BYTES_MAX, Offer, behind_a_proxy, pending};

/// A hello as far as it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutOffer {
    /// What is there: lists end where the bytes do, and an extension that is not whole is left out.
    pub offer: Offer,
    /// How many bytes of the message are there, with its header.
    pub has_bytes: usize,
    /// How many it says it has.
    pub wants_bytes: usize,
    /// What is missing, in words.
    pub missing: Vec<String>,
}

impl CutOffer {
    /// The hello in bytes that break off, with or without its record, and with headers before it; `None` if not even the
    /// random is there, or if it is whole.
    pub fn find(bytes: &[u8]) -> Option<Self> {
        let bytes = behind_a_proxy(bytes);
        let headers = bytes.len().min(HEADERS_BYTES_MAX);
        (0..headers.max(1)).filter_map(|start| bytes.get(start..)).find_map(|rest| match rest {
            [22, 3, 0..=4, _, _, 1, ..] => in_records(rest),
            [1, 0, ..] if rest.len() == bytes.len() => of_message(None, rest),
            _ => None,
        })
    }
}

fn in_records(bytes: &[u8]) -> Option<CutOffer> {
    let mut records = RecordDecoder::new();
    records.extend(bytes);
    let mut messages = HandshakeDecoder::new(HELLO_BYTES_MAX);
    let version = match bytes {
        [_, high, low, ..] => Some(ProtocolVersion(u16::from_be_bytes([*high, *low]))),
        _ => None,
    };
    while let Some(Ok(record)) = records.next_record() {
        if record.content_type != ContentType::HANDSHAKE {
            return None;
        }
        messages.extend(&record.fragment);
        if messages.next_message().is_some() {
            return None;
        }
    }
    of_message(version, &pending(&messages, &records))
}

fn of_message(record_version: Option<ProtocolVersion>, message: &[u8]) -> Option<CutOffer> {
    let [1, high, middle, low, body @ ..] = message else { return None };
    let wants_bytes = u32::from_be_bytes([0, *high, *middle, *low]) as usize;
    if body.len() >= wants_bytes || wants_bytes > HELLO_BYTES_MAX {
        return None;
    }
    let mut missing = Vec::new();
    let whole = Reader { rest: body, missing: &mut missing }.mended(wants_bytes)?;
    let mut offer = Offer::parse(record_version, &whole).ok()?;
    offer.message_bytes = wants_bytes + 4;
    Some(CutOffer { offer, has_bytes: message.len(), wants_bytes: wants_bytes + 4, missing })
}

/// Reads what is there, and writes it down so that its lengths hold.
struct Reader<'a, 'b> {
    rest: &'a [u8],
    missing: &'b mut Vec<String>,
}

impl<'a> Reader<'a, '_> {
    /// At most so many bytes.
    fn take(&mut self, bytes: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(bytes.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    fn mended(mut self, wants_bytes: usize) -> Option<Vec<u8>> {
        let all_bytes = self.rest.len();
        let fixed = self.take(34);
        if fixed.len() < 34 {
            return None;
        }
        let mut whole = fixed.to_vec();
        let session_bytes = self.take(1).first().copied().map_or(0, usize::from);
        let session = self.take(session_bytes);
        whole.push(u8::try_from(session.len()).ok()?);
        whole.extend(session);
        let suites = self.suites();
        whole.extend(u16::try_from(suites.len()).ok()?.to_be_bytes());
        whole.extend(suites);
        let methods_bytes = self.take(1).first().copied().map_or(0, usize::from);
        let methods = self.take(methods_bytes);
        let methods = if methods.is_empty() { &[0] } else { methods };
        whole.push(u8::try_from(methods.len()).ok()?);
        whole.extend(methods);
        // Whether there are extensions at all is known by how long the message is.
        if all_bytes < wants_bytes {
            let extensions = self.extensions();
            whole.extend(u16::try_from(extensions.len()).ok()?.to_be_bytes());
            whole.extend(extensions);
        }
        Some(whole)
    }

    fn suites(&mut self) -> &'a [u8] {
        let [high, low] = *self.take(2) else {
            self.missing.push("all cipher suites".into());
            return &[];
        };
        let wants = usize::from(u16::from_be_bytes([high, low]));
        let suites = self.take(wants);
        if suites.len() < wants {
            self.missing.push(format!("{} of {} cipher suites", wants / 2 - suites.len() / 2, wants / 2));
        }
        suites.get(..suites.len() & !1).unwrap_or_default()
    }

    /// The extensions that are whole.
    fn extensions(&mut self) -> Vec<u8> {
        let mut whole = Vec::new();
        let [high, low] = *self.take(2) else {
            self.missing.push("all extensions: the server name, groups, signatures".into());
            return whole;
        };
        let wants = usize::from(u16::from_be_bytes([high, low]));
        let has = self.rest.len();
        while let [type_high, type_low, high, low, rest @ ..] = self.rest {
            let kind = ExtensionType(u16::from_be_bytes([*type_high, *type_low]));
            let bytes = usize::from(u16::from_be_bytes([*high, *low]));
            if rest.len() < bytes {
                self.missing.push(format!("the end of the extension {kind}"));
                break;
            }
            whole.extend(self.take(4 + bytes));
        }
        self.missing.push(format!("{} bytes of extensions", wants.saturating_sub(has)));
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hello of our own making: TLS 1.2, two suites, a server name and two groups.
    fn hello() -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([0, 0, 4, 0xc0, 0x2b, 0xc0, 0x2f, 1, 0]);
        let mut extensions = vec![0, 0, 0, 10, 0, 8, 0, 0, 5];
        extensions.extend(b"b.tst");
        extensions.extend([0, 10, 0, 6, 0, 4, 0, 23, 0, 24]);
        body.extend(u16::try_from(extensions.len()).expect("short").to_be_bytes());
        body.extend(extensions);
        let mut message = vec![1, 0, 0, u8::try_from(body.len()).expect("short")];
        message.extend(body);
        let mut record = vec![22, 3, 1, 0, u8::try_from(message.len()).expect("short")];
        record.extend(message);
        record
    }

    #[test]
    fn whatever_is_there_is_told_and_what_is_missing_too() {
        let hello = hello();
        let whole = Offer::find(&hello).expect("whole");
        assert_eq!(CutOffer::find(&hello), None);
        for end in 1..hello.len() {
            let cut = CutOffer::find(&hello[..end]);
            // Record and message headers, version and random come first.
            assert_eq!(cut.is_some(), end >= 5 + 4 + 34, "{end}");
            let Some(cut) = cut else { continue };
            assert_eq!((cut.has_bytes, cut.wants_bytes), (end - 5, hello.len() - 5));
            assert!(!cut.missing.is_empty(), "{end}");
            assert!(whole.hello.cipher_suites.starts_with(&cut.offer.hello.cipher_suites));
        }
        let cut = CutOffer::find(&hello[..hello.len() - 1]).expect("nearly whole");
        assert_eq!(cut.offer.hello.server_name(), Some("b.tst"));
        assert_eq!(cut.missing, ["the end of the extension supported_groups", "1 bytes of extensions"]);
        let cut = CutOffer::find(&hello[..49]).expect("one suite");
        assert_eq!(cut.missing[0], "1 of 2 cipher suites");
    }

    #[test]
    fn tunnels_and_datagrams_are_known() {
        let mut tunnelled =
            b"CONNECT broker.test:8883 HTTP/1.1\r\nHost: broker.test:8883\r\nProxy-Authorization: Basic eDp5\r\n\r\n"
                .to_vec();
        tunnelled.extend(b"HTTP/1.1 200 Connection established\r\n\r\n");
        tunnelled.extend(hello());
        assert_eq!(Offer::find(&tunnelled), Offer::find(&hello()));
        let mut socks = vec![5, 1, 0, 5, 1, 0, 3, 11];
        socks.extend(b"broker.test\x22\xb3");
        socks.extend(hello());
        assert_eq!(Offer::find(&socks), Offer::find(&hello()));
        assert_eq!(Offer::find(&[22, 0xfe, 0xfd, 0, 0, 0, 0]), Err(super::super::NoHello::Dtls));
        assert_eq!(Offer::find(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Err(super::super::NoHello::Http));
    }
}
