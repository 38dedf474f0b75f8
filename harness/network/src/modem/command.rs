//! AT commands (ITU-T V.250 §5.2, 3GPP TS 27.007, SIMCom's "SIM7500_SIM7600 Series AT Command Manual").

use super::{LINKS, TRANSFER_BYTES_MAX};

/// What the modem is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// `AT`: is anybody there?
    Attention,
    /// `ATE0`, `ATE1`.
    Echo(bool),
    /// `AT+CPIN?`: does the SIM card want anything?
    Pin,
    /// `AT+CSQ`.
    SignalQuality,
    /// `AT+CREG?`, `AT+CGREG?`.
    Registration {
        /// Of the packet domain.
        packet_domain: bool,
    },
    /// `AT+CGDCONT=…`: every access point will do.
    DefineContext,
    /// `AT+NETOPEN?`.
    IsNetworkOpen,
    /// `AT+NETOPEN`.
    OpenNetwork,
    /// `AT+NETCLOSE`.
    CloseNetwork,
    /// `AT+IPADDR`.
    Address,
    /// `AT+CIPRXGET=1` and `=0`: does received data wait to be asked for?
    ReceiveManually(bool),
    /// `AT+CIPOPEN=link,"TCP","host",port`.
    Open {
        /// The link that it is to be known by.
        link: u8,
        /// A name, or the literal of an address.
        host: String,
        /// The TCP port.
        port: u16,
    },
    /// `AT+CIPSEND=link,bytes`.
    Send {
        /// On which link.
        link: u8,
        /// How many follow.
        bytes: u16,
    },
    /// What follows.
    Data {
        /// For which link.
        link: u8,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// `AT+CIPRXGET=2,link,bytes`.
    Read {
        /// From which link.
        link: u8,
        /// At most how many.
        bytes: u16,
    },
    /// `AT+CIPRXGET=4,link`.
    HowMuch {
        /// Waits on which link.
        link: u8,
    },
    /// `AT+CIPCLOSE=link`.
    Close {
        /// Which link.
        link: u8,
    },
    /// Whatever else: answered with ERROR.
    Unknown,
}

impl Command {
    /// Understands a line, or not.
    pub(super) fn parse(line: &str) -> Self {
        Self::understand(line).unwrap_or(Self::Unknown)
    }

    fn understand(line: &str) -> Option<Self> {
        let (prefix, rest) = line.split_at_checked(2)?;
        if !prefix.eq_ignore_ascii_case("AT") {
            return None;
        }
        let (name, arguments) = match rest.find('=') {
            Some(at) => (rest.get(..at)?, rest.get(at + 1..)?.split(',').map(str::trim).collect::<Vec<_>>()),
            None => (rest, Vec::new()),
        };
        Some(match (name.to_ascii_uppercase().as_str(), arguments.as_slice()) {
            ("", []) => Self::Attention,
            ("E0", []) => Self::Echo(false),
            ("E" | "E1", []) => Self::Echo(true),
            ("+CPIN?", []) => Self::Pin,
            ("+CSQ", []) => Self::SignalQuality,
            ("+CREG?", []) => Self::Registration { packet_domain: false },
            ("+CGREG?", []) => Self::Registration { packet_domain: true },
            ("+CGDCONT", [_, ..]) => Self::DefineContext,
            ("+NETOPEN?", []) => Self::IsNetworkOpen,
            ("+NETOPEN", []) => Self::OpenNetwork,
            ("+NETCLOSE", []) => Self::CloseNetwork,
            ("+IPADDR", []) => Self::Address,
            ("+CIPRXGET", ["0"]) => Self::ReceiveManually(false),
            ("+CIPRXGET", ["1"]) => Self::ReceiveManually(true),
            ("+CIPRXGET", ["2", link]) => Self::Read { link: number_of_link(link)?, bytes: TRANSFER_BYTES_MAX },
            ("+CIPRXGET", ["2", link, bytes]) => {
                Self::Read { link: number_of_link(link)?, bytes: transferable(bytes)? }
            }
            ("+CIPRXGET", ["4", link]) => Self::HowMuch { link: number_of_link(link)? },
            ("+CIPOPEN", [link, kind, host, port]) if unquoted(kind)?.eq_ignore_ascii_case("TCP") => Self::Open {
                link: number_of_link(link)?,
                host: unquoted(host)?.to_owned(),
                port: port.parse().ok().filter(|port| *port != 0)?,
            },
            ("+CIPSEND", [link, bytes]) => Self::Send { link: number_of_link(link)?, bytes: bytes.parse().ok()? },
            ("+CIPCLOSE", [link]) => Self::Close { link: number_of_link(link)? },
            _ => return None,
        })
    }
}

fn number_of_link(text: &str) -> Option<u8> {
    text.parse().ok().filter(|link| *link < LINKS)
}

fn transferable(text: &str) -> Option<u16> {
    text.parse().ok().filter(|bytes| (1..=TRANSFER_BYTES_MAX).contains(bytes))
}

fn unquoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_of_the_document_are_understood() {
        // Source document 003 and esp-protocols, sock_commands_sim7600.cpp.
        let host = "xxx.s2.eu.hivemq.cloud".to_owned();
        for (line, command) in [
            ("AT", Command::Attention),
            ("ate0", Command::Echo(false)),
            ("AT+CGDCONT=1,\"IP\",\"internet\"", Command::DefineContext),
            ("AT+CIPRXGET=1", Command::ReceiveManually(true)),
            ("AT+CIPOPEN=0,\"TCP\",\"xxx.s2.eu.hivemq.cloud\",8883", Command::Open { link: 0, host, port: 8883 }),
            ("AT+CIPSEND=0,77", Command::Send { link: 0, bytes: 77 }),
            ("AT+CIPRXGET=2,0,5", Command::Read { link: 0, bytes: 5 }),
            ("AT+CIPRXGET=4,0", Command::HowMuch { link: 0 }),
            ("AT+CIPCLOSE=0", Command::Close { link: 0 }),
        ] {
            assert_eq!(Command::parse(line), command, "{line}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_not_understood() {
        for line in ["A", "é", "ATZ9", "AT+CIPOPEN=0,\"TCP\",host,1", "AT+CIPSEND=10,5", "AT+CIPRXGET=2,0,1501", "OK"]
        {
            assert_eq!(Command::parse(line), Command::Unknown, "{line}");
        }
    }
}
