//! A connection through a proxy: what client and proxy say before the tunnel is open. HTTP CONNECT (RFC 9110 §9.3.6), SOCKS 5
//! (RFC 1928, passwords by RFC 1929) and SOCKS 4 with names.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::transcript_builder::TranscriptBuilder;
use crate::stream::Side;
use crate::text::clean;
use crate::transcript::{Proxy, Said};

/// More is said to no proxy before it answers.
const BYTES_MAX: usize = 16 << 10;
/// So much of a name or an answer is shown.
const SHOWN_CHARS_MAX: usize = 100;

/// A tunnel that is being asked for.
pub struct Tunnel {
    kind: Kind,
    /// What each side has said so far.
    said: [Vec<u8>; 2],
    /// It did not come to a tunnel.
    failed: bool,
}

#[derive(Clone, Copy)]
enum Kind {
    Http,
    Socks5,
    Socks4,
}

/// How far the two have come: what is asked, what was answered, and what lies behind on either side.
struct Agreed {
    target: String,
    answer: String,
    is_open: bool,
    behind: [usize; 2],
}

impl Tunnel {
    /// A tunnel, if a client's first words ask for one.
    pub fn begins(side: Side, bytes: &[u8]) -> Option<Self> {
        let kind = match (side, bytes) {
            (Side::Client, _) if bytes.starts_with(b"CONNECT ") => Kind::Http,
            // A greeting is nothing but a version, a count and that many methods.
            (Side::Client, [5, count @ 1..=16, methods @ ..]) if methods.len() == usize::from(*count) => Kind::Socks5,
            (Side::Client, [4, 1, _, _, _, _, _, _, .., 0]) => Kind::Socks4,
            _ => return None,
        };
        Some(Self { kind, said: [Vec::new(), Vec::new()], failed: false })
    }

    /// Reads more of what `side` says; what each side said behind the agreement, once there is one.
    pub fn data(&mut self, side: Side, bytes: &[u8], builder: &mut TranscriptBuilder) -> Option<[Vec<u8>; 2]> {
        if self.failed {
            builder.bytes(side, Said::Data, bytes.len(), "");
            return None;
        }
        self.said[side as usize].extend(bytes);
        let agreed = match self.kind {
            Kind::Http => self.http(),
            Kind::Socks5 => self.socks5(),
            Kind::Socks4 => self.socks4(),
        };
        let Some(agreed) = agreed else {
            self.failed = self.said.iter().any(|said| said.len() > BYTES_MAX);
            return None;
        };
        let kind = match self.kind {
            Kind::Http => "HTTP",
            Kind::Socks5 => "SOCKS 5",
            Kind::Socks4 => "SOCKS 4",
        };
        builder.line(Side::Client, Said::Proxy, format!("{kind} · to {}", agreed.target));
        builder.line(Side::Server, Said::Proxy, agreed.answer.clone());
        let is_open = agreed.is_open;
        builder.facts.proxy = Some(Proxy { kind, target: agreed.target, answer: agreed.answer, is_open });
        self.failed = !is_open;
        let behind = |side: usize| self.said[side].get(agreed.behind[side]..).unwrap_or_default().to_vec();
        is_open.then(|| [behind(0), behind(1)])
    }

    fn http(&self) -> Option<Agreed> {
        let end = |said: &[u8]| said.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
        let [client, server] = &self.said;
        let behind = [end(client)?, end(server)?];
        let first = |said: &[u8]| {
            let line = said.split(|byte| *byte == b'\r').next().unwrap_or_default();
            clean(&String::from_utf8_lossy(line), SHOWN_CHARS_MAX)
        };
        let (request, answer) = (first(client), first(server));
        let target = request.split(' ').nth(1).unwrap_or_default().to_owned();
        let is_open = answer.split(' ').nth(1).is_some_and(|status| status.starts_with('2'));
        Some(Agreed { target, answer, is_open, behind })
    }

    fn socks5(&self) -> Option<Agreed> {
        let [client, server] = &self.said;
        let [5, method, answers @ ..] = &server[..] else { return None };
        let greeting = 2 + usize::from(*client.get(1)?);
        if *method == 0xff {
            return Some(refused("no method of authentication in common"));
        }
        let mut behind = [greeting, 2];
        let mut answers = answers;
        if *method == 2 {
            let [1, status, rest @ ..] = answers else { return None };
            if *status != 0 {
                return Some(refused("user name or password refused"));
            }
            let login = client.get(greeting..)?;
            let name = 2 + usize::from(*login.get(1)?);
            behind = [greeting + name + 1 + usize::from(*login.get(name)?), 4];
            answers = rest;
        }
        let (target, request) = socks5_address(client.get(behind[0]..)?)?;
        let [5, reply, ..] = answers else { return None };
        let (_, reply_bytes) = socks5_address(answers)?;
        let words = match reply {
            0 => "succeeded",
            1 => "general failure",
            2 => "not allowed by its rules",
            3 => "network unreachable",
            4 => "host unreachable",
            5 => "connection refused",
            6 => "time to live exceeded",
            _ => "refused",
        };
        let answer = format!("{words} ({reply})");
        Some(Agreed { target, answer, is_open: *reply == 0, behind: [behind[0] + request, behind[1] + reply_bytes] })
    }

    fn socks4(&self) -> Option<Agreed> {
        let [client, server] = &self.said;
        let [4, 1, port_high, port_low, a, b, c, d, rest @ ..] = &client[..] else { return None };
        let user = rest.iter().position(|byte| *byte == 0)?;
        let mut request = 8 + user + 1;
        let port = u16::from_be_bytes([*port_high, *port_low]);
        let mut host = Ipv4Addr::new(*a, *b, *c, *d).to_string();
        // SOCKS 4a: an address that cannot be, and the name behind the user.
        if [*a, *b, *c] == [0; 3] && *d != 0 {
            let name = rest.get(user + 1..)?;
            let end = name.iter().position(|byte| *byte == 0)?;
            host = clean(&String::from_utf8_lossy(name.get(..end)?), SHOWN_CHARS_MAX);
            request += end + 1;
        }
        let [0, reply, _, _, _, _, _, _, ..] = &server[..] else { return None };
        let is_open = *reply == 90;
        let answer = format!("{} ({reply})", if is_open { "granted" } else { "refused" });
        Some(Agreed { target: format!("{host}:{port}"), answer, is_open, behind: [request, 8] })
    }
}

fn refused(why: &str) -> Agreed {
    Agreed { target: "nowhere yet".into(), answer: why.into(), is_open: false, behind: [0, 0] }
}

/// The address in a request or a reply, and how long that message is.
fn socks5_address(message: &[u8]) -> Option<(String, usize)> {
    let [5, _, _, kind, rest @ ..] = message else { return None };
    let (host, bytes) = match kind {
        1 => (Ipv4Addr::from(*rest.first_chunk::<4>()?).to_string(), 4),
        4 => (format!("[{}]", Ipv6Addr::from(*rest.first_chunk::<16>()?)), 16),
        3 => {
            let length = usize::from(*rest.first()?);
            (clean(&String::from_utf8_lossy(rest.get(1..=length)?), SHOWN_CHARS_MAX), 1 + length)
        }
        _ => return None,
    };
    let port = rest.get(bytes..bytes + 2)?;
    Some((format!("{host}:{}", u16::from_be_bytes([port[0], port[1]])), 4 + bytes + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said in turns, byte by byte, and what lies behind the agreement in the end.
    fn told(said: &[(Side, &[u8])]) -> (Option<[Vec<u8>; 2]>, Option<Proxy>) {
        let mut builder = TranscriptBuilder::default();
        let mut tunnel = Tunnel::begins(said[0].0, said[0].1).expect("it asks a proxy");
        let mut behind = None;
        for (side, bytes) in said {
            behind = behind.or(tunnel.data(*side, bytes, &mut builder));
        }
        (behind, builder.facts.proxy)
    }

    #[test]
    fn an_http_proxy_opens_a_tunnel_or_refuses() {
        let request = b"CONNECT broker.test:8883 HTTP/1.1\r\nHost: broker.test\r\n\r\n";
        let (behind, proxy) = told(&[(Side::Client, request), (Side::Server, b"HTTP/1.1 200 OK\r\n\r\nx")]);
        assert_eq!(behind, Some([vec![], b"x".to_vec()]));
        let proxy = proxy.expect("told");
        assert_eq!((proxy.kind, proxy.target.as_str(), proxy.is_open), ("HTTP", "broker.test:8883", true));
        let answer = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n";
        let (behind, proxy) = told(&[(Side::Client, request), (Side::Server, answer)]);
        assert_eq!(behind, None);
        assert!(proxy.is_some_and(|proxy| !proxy.is_open && proxy.answer.contains("407")));
    }

    #[test]
    fn socks_5_with_a_name_and_a_password() {
        let (behind, proxy) = told(&[
            (Side::Client, &[5, 2, 0, 2]),
            (Side::Server, &[5, 2]),
            (Side::Client, &[1, 1, b'u', 1, b'p']),
            (Side::Server, &[1, 0]),
            (Side::Client, &[5, 1, 0, 3, 3, b'a', b'.', b'b', 0x22, 0xb3]),
            (Side::Server, &[5, 0, 0, 1, 192, 0, 2, 1, 0, 80]),
        ]);
        assert_eq!(behind, Some([vec![], vec![]]));
        let proxy = proxy.expect("told");
        assert_eq!(
            (proxy.kind, proxy.target.as_str(), proxy.answer.as_str()),
            ("SOCKS 5", "a.b:8883", "succeeded (0)")
        );
    }

    #[test]
    fn socks_4_with_an_address_and_with_a_name() {
        let (behind, proxy) = told(&[
            (Side::Client, &[4, 1, 0x22, 0xb3, 192, 0, 2, 10, 0]),
            (Side::Server, &[0, 90, 0, 0, 0, 0, 0, 0, 22]),
        ]);
        assert_eq!(behind, Some([vec![], vec![22]]));
        assert_eq!(proxy.expect("told").target, "192.0.2.10:8883");
        let (behind, proxy) = told(&[
            (Side::Client, &[4, 1, 0x22, 0xb3, 0, 0, 0, 1, 0, b'b', 0]),
            (Side::Server, &[0, 91, 0, 0, 0, 0, 0, 0]),
        ]);
        assert_eq!(behind, None);
        assert_eq!(proxy.expect("told").target, "b:8883");
    }

    /// The lengths of RFC 1928 §5 and §6 and of RFC 1929 §2, which say where the tunnel begins: what lies behind them is
    /// the client's and the broker's.
    #[test]
    fn what_lies_behind_a_socks_agreement_is_found_whatever_its_lengths() {
        let request_with_a_name = &[5, 1, 0, 3, 3, b'a', b'.', b'b', 0x22, 0xb3, b'C', b'D'];
        let (behind, _) = told(&[
            (Side::Client, &[5, 3, 0, 1, 2]),
            (Side::Server, &[5, 2]),
            (Side::Client, &[1, 4, b'u', b's', b'e', b'r', 2, b'p', b'w']),
            (Side::Server, &[1, 0]),
            (Side::Client, request_with_a_name),
            (Side::Server, &[5, 0, 0, 1, 192, 0, 2, 1, 0, 80, b'S']),
        ]);
        assert_eq!(behind, Some([b"CD".to_vec(), b"S".to_vec()]));
        // Without a password, and to an address of IPv6.
        let mut to_ipv6 = vec![5, 1, 0, 4, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x07, 0x5b];
        to_ipv6.push(b'C');
        let (behind, proxy) = told(&[
            (Side::Client, &[5, 2, 0, 1]),
            (Side::Server, &[5, 0]),
            (Side::Client, &to_ipv6),
            (Side::Server, &[5, 0, 0, 1, 192, 0, 2, 1, 0, 80]),
        ]);
        assert_eq!(behind, Some([b"C".to_vec(), vec![]]));
        assert_eq!(proxy.expect("told").target, "[2001:db8::1]:1883");
        // SOCKS 4a, with a user of some letters.
        let (behind, proxy) = told(&[
            (Side::Client, &[4, 1, 0x07, 0x5b, 0, 0, 0, 9, b'm', b'e', 0, b'b', b'.', b'c', 0]),
            (Side::Client, b"C"),
            (Side::Server, &[0, 90, 0, 0, 0, 0, 0, 0, b'S']),
        ]);
        assert_eq!(behind, Some([b"C".to_vec(), b"S".to_vec()]));
        assert_eq!(proxy.expect("told").target, "b.c:1883");
    }

    /// The replies of RFC 1928 §6, and what one is that it does not have.
    #[test]
    fn what_a_socks_proxy_answers_is_told_in_words() {
        for (reply, words) in [
            (1, "general failure (1)"),
            (2, "not allowed by its rules (2)"),
            (3, "network unreachable (3)"),
            (4, "host unreachable (4)"),
            (5, "connection refused (5)"),
            (6, "time to live exceeded (6)"),
            (0x5b, "refused (91)"),
        ] {
            let (behind, proxy) = told(&[
                (Side::Client, &[5, 1, 0]),
                (Side::Server, &[5, 0]),
                (Side::Client, &[5, 1, 0, 1, 192, 0, 2, 10, 0x22, 0xb3]),
                (Side::Server, &[5, reply, 0, 1, 0, 0, 0, 0, 0, 0]),
            ]);
            assert_eq!(behind, None);
            let proxy = proxy.expect("told");
            assert_eq!((proxy.answer.as_str(), proxy.is_open), (words, false));
        }
        let (_, proxy) = told(&[(Side::Client, &[5, 1, 2]), (Side::Server, &[5, 0xff])]);
        assert!(proxy.expect("told").answer.starts_with("no method"));
        assert!(Tunnel::begins(Side::Client, &[5, 2, 0]).is_none(), "a method is missing, or it is no greeting");
    }

    /// A client that talks on and on to a proxy that does not answer: what it said is not kept beyond a limit.
    #[test]
    fn what_is_said_to_a_silent_proxy_is_bounded() {
        let mut builder = TranscriptBuilder::default();
        let mut tunnel = Tunnel::begins(Side::Client, b"CONNECT ").expect("it asks a proxy");
        assert_eq!(tunnel.data(Side::Client, &[b'x'; 16 << 10], &mut builder), None);
        assert!(!tunnel.failed, "that much may be said");
        assert_eq!(tunnel.data(Side::Client, b"y", &mut builder), None);
        assert!(tunnel.failed);
        assert_eq!(tunnel.data(Side::Client, b"further", &mut builder), None);
        assert_eq!(tunnel.said[0].len(), (16 << 10) + 1);
        assert_eq!((builder.lines.len(), builder.lines[0].details.as_str()), (1, "7 bytes"));
    }

    /// A page of words comes with many a refusal.
    #[test]
    fn what_follows_a_refusal_is_counted() {
        let mut builder = TranscriptBuilder::default();
        let mut tunnel = Tunnel::begins(Side::Client, b"CONNECT ").expect("it asks a proxy");
        for (side, bytes) in [
            (Side::Client, &b"CONNECT broker.test:8883 HTTP/1.1\r\n\r\n"[..]),
            (Side::Server, b"HTTP/1.1 403 Forbidden\r\n\r\n"),
            (Side::Server, b"No."),
        ] {
            assert_eq!(tunnel.data(side, bytes, &mut builder), None);
        }
        let told: Vec<&str> = builder.lines.iter().map(|line| &line.details[..]).collect();
        assert_eq!(told, ["HTTP · to broker.test:8883", "HTTP/1.1 403 Forbidden", "3 bytes"]);
    }
}
