//! A second reader of transcripts, which knows nothing but their text: who sent a fatal alert, who closed first, whether
//! the fault's line was there before. What it makes of the last connection has to agree with every committed ending.
//!
//! It shares no code with the bench, and judges coarsely: where the bench has types, it has names.

use std::fs;
use std::path::{Path, PathBuf};

/// Ends that need no line of the fault: nothing on the wire can be pointed at, or memory is the fault.
const WITHOUT_A_MARK: [&str; 8] = [
    "memory/",
    "modem/bytes_lost_on_the_line",
    "modem/stall_of_30_s",
    "transport/uplink_lost",
    // A station that does not like what it hears says nothing.
    "wifi/open_where",
    "wifi/tkip_only",
    "wifi/wpa2_where",
    "wifi/wpa3_only",
];

/// What a device says of what others did, by the beginnings of names and what follows them.
const OF_OTHERS: [&str; 19] = [
    "mqtt.CONN_FAIL_DNS",
    "WIFI_",
    "DHCP_",
    "MBEDTLS_ERR_NET_CONN_RESET",
    "CONNECTION_",
    "CONNECT_",
    "DNS_",
    "MODEM_",
    "SNTP_",
    "CONNACK_",
    "SUBSCRIBE_REFUSED",
    "HANDSHAKE_TIMED_OUT",
    "REPLY_TIMED_OUT",
    "SEND_TIMED_OUT",
    "BR_ERR_OK",
    "BR_ERR_RECV_FATAL_ALERT",
    "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE",
    "MBEDTLS_ERR_SSL_CONN_EOF",
    "MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY",
];

#[derive(Debug, Default)]
struct Reading {
    phrase: String,
    conformity: String,
    /// The device's failure, by its name.
    failure: String,
    /// A product's own words for a failure say POSIX's `ETIMEDOUT`.
    says_timed_out: bool,
    /// The lines of the last connection: who, what, details.
    lines: Vec<(String, String, String)>,
    /// Whether anything was marked as the fault, anywhere.
    is_marked: bool,
    /// The line of the last connection that was.
    marked: Option<usize>,
    fault: String,
    has_connections: bool,
    /// Whether the last that the network told the device was a refusal.
    network_refuses: bool,
    /// Whether the chip was reset by what ran on it.
    was_reset: bool,
}

/// `None` of a sweep, of a control, and of a run with a real broker: they have no lines.
fn read(text: &str) -> Option<Reading> {
    let mut told = Reading::default();
    let mut body = false;
    for line in text.lines() {
        if line.trim_start().starts_with("ms  who") {
            body = true;
        } else if line.starts_with("device  ") {
            body = false;
            let words = line.trim_start_matches("device").split(" · ").map(str::trim);
            // NodeMCU's names stand in a table of Lua's.
            let bare =
                |word: &str| word.split([' ', ':', ',']).next().map(|word| word.trim_start_matches("mqtt.").to_owned());
            let is_name = |word: &&str| bare(word).is_some_and(|word| is_capitals(&word));
            told.failure = words.clone().find(is_name).unwrap_or_default().to_owned();
            told.says_timed_out = line.ends_with(" ETIMEDOUT");
        } else if line.starts_with("connection ") {
            told.lines.clear();
            told.marked = None;
        } else if let Some(ending) = line.strip_prefix("ending ") {
            let (phrase, rest) = ending.trim().split_once(" — ")?;
            told.phrase = phrase.to_owned();
            told.conformity = rest.rsplit_once(" (").map_or(rest, |(words, _)| words).to_owned();
        } else if let Some(said) = line.strip_prefix("air ") {
            told.is_marked |= said.contains("← the fault");
            let is_refusal = ["refused", "sent away", "another passphrase"].iter().any(|word| said.contains(word));
            let is_welcome = ["joined", "address leased"].iter().any(|word| said.contains(word));
            if (is_refusal || is_welcome) && !said.contains("enacted") {
                told.network_refuses = is_refusal;
            }
        } else if let Some(said) = line.strip_prefix("chip ") {
            told.was_reset |= said.trim_start().starts_with("reset:");
        } else if let Some(fault) = line.strip_prefix("fault ") {
            told.fault = fault.trim().to_owned();
        } else if body {
            let is_marked = line.contains("← the fault");
            told.is_marked |= is_marked;
            let begins = line.get(..7).is_some_and(|time| time.trim().parse::<u64>().is_ok());
            if begins && let Some(rest) = line.get(7..) {
                let (who, rest) = rest.split_once("  ").unwrap_or((rest, ""));
                let (said, details) = rest.trim_start().split_once("  ").unwrap_or((rest.trim(), ""));
                told.lines.push((who.trim().to_owned(), said.trim().to_owned(), details.trim().to_owned()));
                told.has_connections |= matches!(said.trim(), "ClientHello" | "CONNECT" | "FIN" | "RST" | "SYN");
            }
            if is_marked {
                told.marked = told.lines.len().checked_sub(1);
            }
        }
    }
    body |= text.contains("ms  who") || text.contains("nothing was said on the wire");
    (body && !told.phrase.is_empty()).then_some(told)
}

fn is_capitals(word: &str) -> bool {
    word.len() > 3
        && word.contains('_')
        && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        && !word.starts_with("TLS")
        && !word.starts_with("BR_TLS")
}

impl Reading {
    fn position(&self, who: &str, is_meant: impl Fn(&str, &str) -> bool) -> Option<usize> {
        self.lines.iter().position(|(speaker, said, details)| speaker == who && is_meant(said, details))
    }

    fn closes(&self, who: &str) -> Option<usize> {
        self.position(who, |said, _| matches!(said, "FIN" | "RST"))
    }

    /// A fatal alert that was sent before the other side had left.
    fn alert(&self, who: &str, other: &str) -> Option<usize> {
        let at = self.position(who, |said, details| said == "alert" && details.starts_with("fatal"))?;
        self.closes(other).is_none_or(|left| at < left).then_some(at)
    }

    fn refuses_login(&self) -> bool {
        // A CONNACK that breaks off, or is of another version, says neither yes nor no.
        let codes = ["(1)", "(2)", "(3)", "(4)", "(5)"];
        let is_refusal =
            |said: &str, details: &str| said == "CONNACK" && codes.iter().any(|code| details.contains(code));
        self.position("broker", is_refusal).is_some()
    }

    fn broker_closed_first(&self) -> bool {
        match (self.closes("broker"), self.closes("device")) {
            (Some(broker), Some(device)) => broker < device,
            (broker, _) => broker.is_some(),
        }
    }

    /// Whether the device speaks of something that it found itself.
    fn has_verdict(&self) -> bool {
        let is_of_others = OF_OTHERS.iter().any(|beginning| self.failure.starts_with(beginning));
        !self.failure.is_empty() && !is_of_others && !self.is_memory()
    }

    fn is_memory(&self) -> bool {
        ["ALLOC", "OUT_OF_MEMORY", "OOM", "BUFFER_TOO_SMALL", "TOO_LARGE"]
            .iter()
            .any(|word| self.failure.contains(word))
            && !self.failure.starts_with("PACKET")
    }

    fn complaint(&self) -> Option<&'static str> {
        let (device, broker) = (self.alert("device", "broker"), self.alert("broker", "device"));
        let got_alert = self.failure.contains("RECV_FATAL_ALERT") || self.failure.contains("FATAL_ALERT_MESSAGE");
        let is_wrong = match self.phrase.split(" at ").next().unwrap_or_default() {
            "connected and did its work" => !self.failure.is_empty(),
            "device refused" => match (device, broker) {
                (Some(device), broker) => broker.is_some_and(|broker| broker < device),
                (None, Some(_)) => true,
                (None, None) => self.refuses_login() || !(self.has_verdict() || got_alert && self.warned()),
            },
            "broker refused" => {
                let refused = self.refuses_login() || got_alert || self.failure.starts_with("SUBSCRIBE_REFUSED");
                device.is_some() && broker.is_none() || broker.is_none() && !refused
            }
            "connection lost" => {
                let word = device.or(broker).is_some() || self.refuses_login() || got_alert;
                let is_lost = self.broker_closed_first() || !self.has_verdict() && !self.is_memory();
                word || !is_lost
            }
            "device gave up" => {
                let is_late =
                    self.failure.contains("TIMED_OUT") || self.says_timed_out || self.failure.starts_with("WIFI_");
                device.or(broker).is_some() || self.broker_closed_first() || !is_late
            }
            "network refused" => {
                !self.network_refuses || !["WIFI_", "DHCP_"].iter().any(|own| self.failure.starts_with(own))
            }
            "device failed" => self.has_connections && !self.is_memory() && self.closes("device").is_some(),
            "firmware crashed" => !self.was_reset,
            "device waits for ever" => self.closes("device").is_some(),
            _ => true,
        };
        is_wrong.then_some("the wire and the device's word say otherwise")
    }

    /// Whether the fault's line was there before the device left.
    fn fault_complaint(&self, name: &str) -> Option<&'static str> {
        let needs_none = WITHOUT_A_MARK.iter().any(|beginning| name.starts_with(beginning));
        let is_own = self.fault.contains("own configuration");
        let left = self.lines.iter().position(|(who, said, details)| {
            who == "device"
                && (matches!(said.as_str(), "FIN" | "RST") || said == "alert" && details.starts_with("fatal"))
        });
        let is_too_late = matches!((self.marked, left), (Some(marked), Some(left)) if marked > left);
        match self.conformity.as_str() {
            "as the specification demands" if !self.phrase.starts_with("connected") => {
                let is_refusal = self.phrase.starts_with("device refused");
                if needs_none || is_own {
                    None
                } else if !self.is_marked {
                    Some("it conforms, and there is no fault's line")
                } else {
                    (is_refusal && is_too_late).then_some("the device had left before the fault")
                }
            }
            "never offered, as the specification demands" => {
                (self.is_marked || !self.fault.contains("never offers")).then_some("it was offered")
            }
            "ACCEPTS WHAT IT MUST REFUSE" => {
                (!self.phrase.starts_with("connected")).then_some("accepted, and did not connect")
            }
            "never met the fault" | "undecided" => Some("this says nothing, and is committed all the same"),
            _ => None,
        }
    }

    /// Whether the broker sent a warning, which some devices take for the end.
    fn warned(&self) -> bool {
        self.position("broker", |said, details| said == "alert" && details.starts_with("warning")).is_some()
    }
}

fn snapshots(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            snapshots(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "snap") {
            found.push(path);
        }
    }
}

#[test]
fn every_committed_ending_is_what_its_text_says() {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../captures");
    let mut found = Vec::new();
    snapshots(&captures, &mut found);
    let mut read_count = 0;
    let mut complaints = Vec::new();
    for path in &found {
        let text = fs::read_to_string(path).expect("it was listed");
        let name = path.strip_prefix(&captures).expect("it lies there").display().to_string().replace('\\', "/");
        let Some(told) = read(&text) else { continue };
        read_count += 1;
        let complaint = told.complaint().or_else(|| told.fault_complaint(&name));
        complaints.extend(complaint.map(|why| format!("{name}: {} — {}: {why}", told.phrase, told.conformity)));
    }
    assert!(read_count > 1_500, "only {read_count} of {} were read", found.len());
    assert!(complaints.is_empty(), "{} of {read_count}:\n{}", complaints.len(), complaints.join("\n"));
}

/// The reader itself would notice.
#[test]
fn a_wrong_ending_is_noticed() {
    let transcript = |lines: &str, device: &str, ending: &str| {
        format!("   ms  who      said\n{lines}\ndevice     {device}\nending     {ending} (RFC 5280 §6)\n")
    };
    let hello = "   26  device   ClientHello          sni broker.test\n";
    let certificate = "   26  broker   Certificate          CN=broker.test  ← the fault\n";
    let fin = |who: &str| format!("   27  {who:<7}  FIN\n");
    let demands = "device refused at certificate — as the specification demands";
    let own = "BR_ERR_X509_NOT_TRUSTED (62)";
    for (lines, device, ending, is_right) in [
        (format!("{hello}{certificate}{}", fin("device")), own, demands, true),
        (format!("{hello}{}", fin("device")), own, demands, false),
        (format!("{hello}{}{certificate}", fin("device")), own, demands, false),
        (format!("{hello}{certificate}{}", fin("broker")), "BR_ERR_OK: connection closed", demands, false),
        (
            format!("{hello}{certificate}{}", fin("broker")),
            "BR_ERR_OK: connection closed",
            "connection lost at certificate — as the specification demands",
            true,
        ),
        (
            format!("{hello}   26  broker   alert                fatal handshake_failure (40)  ← the fault\n"),
            "BR_ERR_RECV_FATAL_ALERT: handshake_failure (40) (296)",
            demands,
            false,
        ),
        (
            format!("{hello}   26  broker   alert                fatal handshake_failure (40)  ← the fault\n"),
            "BR_ERR_RECV_FATAL_ALERT: handshake_failure (40) (296)",
            "broker refused at hello — as the specification demands",
            true,
        ),
        (format!("{hello}{certificate}"), "HANDSHAKE_TIMED_OUT", demands, false),
    ] {
        let text = transcript(&lines, device, ending);
        let told = read(&text).expect("a transcript");
        let complaint = told.complaint().or_else(|| told.fault_complaint("x/y"));
        assert_eq!(complaint.is_none(), is_right, "{complaint:?} {told:?}\n{text}");
    }
}
