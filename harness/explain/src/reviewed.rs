//! A transcript read back: what it says of a run, for whoever explains it or sets many in a table.

use std::collections::BTreeSet;

use outcome::Conformity;

use super::evidence::{self, Evidence};

/// What a transcript says, in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reviewed {
    /// The scenario; empty if the text does not say.
    pub scenario: String,
    /// The image that was run; empty if the text does not say.
    pub image: String,
    /// A client on the host, there to show that the broker can be met.
    pub is_control: bool,
    /// How it went: `device refused at certificate`.
    pub phrase: String,
    /// How that compares with the specification.
    pub conformity: Conformity,
    /// The rule.
    pub rule: String,
    /// The device's last failure, if it had one.
    pub failure: Option<Failure>,
    /// Flags that the device found and let pass.
    pub let_pass: Vec<String>,
    /// The platform's own words for the failure.
    pub platform: Option<String>,
    /// What the bench knows of the cause and the device's words hide.
    pub cause: Option<String>,
    /// Lines that prove it, with their numbers in the transcript, from 1.
    pub evidence: Vec<(usize, String)>,
    /// What the transcript shows, for explanations that need it.
    pub seen: BTreeSet<Evidence>,
}

/// A failure as the device told it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// `MBEDTLS_ERR_SSL_CONN_EOF`, without the alert that may belong to it.
    pub name: String,
    /// The alert, by its registered name.
    pub alert: Option<String>,
    /// The number, as it was printed: `-0x2700`, `56`.
    pub code: Option<String>,
    /// What verification found.
    pub flags: Vec<String>,
    /// The allocation that had failed, in bytes.
    pub failed_allocation_bytes: Option<u64>,
    /// All of that in one.
    pub words: String,
}

impl Reviewed {
    /// Reads a transcript, or what is kept of a run with a real broker; `None` if it is neither.
    pub fn parse(transcript: &str) -> Option<Self> {
        let field = |label: &str| transcript.lines().find_map(|line| line.strip_prefix(label)).map(str::trim);
        let (phrase, rest) = field("ending ")?.split_once(" — ")?;
        let is_control = field("control ").is_some();
        let (conformity, rule) = match rest {
            "as the scenario says" if is_control => (Conformity::Allowed, ""),
            "against what the scenario says" if is_control => (Conformity::Breaks, ""),
            // A control may do what its scenario says of it and be wrong all the same.
            _ => rest
                .strip_prefix("as the scenario says, and ")
                .unwrap_or(rest)
                .split_once(" (")
                .and_then(|(words, rule)| Some((conformity_of(words)?, rule)))?,
        };
        let device = field("device ").unwrap_or_default();
        let sentences: Vec<&str> = device.split(" · ").collect();
        let let_pass = sentences.iter().find_map(|sentence| sentence.strip_prefix("let pass "));
        Some(Self {
            scenario: field("scenario ").map(first_word).unwrap_or_default(),
            image: field("firmware ").map(first_word).unwrap_or_default(),
            is_control,
            phrase: phrase.to_owned(),
            conformity,
            rule: rule.trim_end_matches(')').to_owned(),
            failure: sentences.iter().find(|sentence| is_failure(sentence)).map(|words| {
                let failure = Failure::parse(words);
                // A product that names the failure says not always which alert it was; the wire does.
                let is_alert_missing = failure.alert.is_none() && failure.name.contains("FATAL_ALERT");
                if is_alert_missing { Failure { alert: alert_of_broker(transcript), ..failure } } else { failure }
            }),
            let_pass: let_pass.unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
            platform: transcript.lines().find_map(|line| line.trim().strip_prefix("platform says ")).map(str::to_owned),
            cause: field("cause ").map(str::to_owned),
            evidence: evidence(transcript),
            seen: evidence::of_transcript(transcript),
        })
    }

    /// The stage at which it ended, as the phrase names it.
    pub fn stage(&self) -> &str {
        self.phrase.rsplit_once(" at ").map_or("", |(_, stage)| stage)
    }

    /// Whether it ended well: nobody need explain it.
    pub fn is_well(&self) -> bool {
        self.conformity.is_good() && (self.phrase.starts_with("connected") || self.is_control)
    }
}

impl Failure {
    /// `NAME: alert (n) (code), flags A B, no memory for n bytes`
    fn parse(words: &str) -> Self {
        let (rest, memory) = words.split_once(", no memory for ").unwrap_or((words, ""));
        let (rest, flags) = rest.split_once(", flags ").unwrap_or((rest, ""));
        let (rest, code) = match rest.rsplit_once(" (") {
            Some((rest, code)) if code.ends_with(')') => (rest, Some(code.trim_end_matches(')').to_owned())),
            _ => (rest, None),
        };
        let (name, alert) = rest.split_once(": ").unwrap_or((rest, ""));
        let alert = alert.split_once(" (").map_or(alert, |(alert, _)| alert);
        // The names of a high and a low code of Mbed TLS: `A + B` as our client joins them, `A+B` as MicroPython does.
        let name = name.split('+').map(str::trim).collect::<Vec<&str>>().join(" + ");
        Self {
            name,
            alert: (!alert.is_empty()).then(|| alert.to_owned()),
            code,
            flags: flags.split_whitespace().map(str::to_owned).collect(),
            failed_allocation_bytes: memory.split_whitespace().next().and_then(|bytes| bytes.parse().ok()),
            words: words.to_owned(),
        }
    }
}

/// A failure's name is in capitals, unless a product names it in its own words; everything else that a device's line tells
/// is not, and has no flags.
fn is_failure(sentence: &str) -> bool {
    if sentence.contains(", flags ") {
        return true;
    }
    let name = sentence.split([':', ' ', ',']).next().unwrap_or_default();
    name.len() > 3 && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || "_+".contains(c))
}

/// The last fatal alert that the broker sent, by its registered name.
fn alert_of_broker(transcript: &str) -> Option<String> {
    let is_of_broker = |line: &&str| line.split_whitespace().skip(1).take(2).eq(["broker", "alert"]);
    let line = transcript.lines().rfind(is_of_broker)?;
    line.split_once(" fatal ")?.1.split_whitespace().next().map(str::to_owned)
}

fn first_word(text: &str) -> String {
    text.split_whitespace().next().unwrap_or_default().to_owned()
}

fn conformity_of(words: &str) -> Option<Conformity> {
    Conformity::ALL.into_iter().find(|conformity| conformity.to_string() == words)
}

/// The marked line, the last word of either side that says why, and what the device said; in the order of the text.
fn evidence(transcript: &str) -> Vec<(usize, String)> {
    let lines: Vec<&str> = transcript.lines().collect();
    let is_marked = |line: &str| line.contains("  ← ");
    let is_alert = |line: &str| line.contains("  alert  ") && line.contains("fatal");
    let is_refusal = |line: &str| line.contains("  CONNACK  ") && !line.contains("accepted (0)");
    let is_close = |line: &str| line.contains("  FIN") || line.contains("  RST");
    let telling = lines.iter().rposition(|line| is_alert(line) || is_refusal(line));
    // Whoever was let in shows it by its login.
    let telling = telling.or_else(|| lines.iter().position(|line| line.contains("  CONNACK  ")));
    let first_close = lines.iter().position(|line| is_close(line));
    let mut picked: Vec<usize> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| is_marked(line) || line.starts_with("device ") || line.starts_with("broker "))
        .map(|(index, _)| index)
        .chain(telling.or(first_close))
        .collect();
    picked.sort_unstable();
    picked.dedup();
    let squeeze = |line: &str| line.split_whitespace().collect::<Vec<&str>>().join(" ");
    picked.into_iter().map(|index| (index + 1, said(&lines, index, squeeze))).collect()
}

/// A line with what it goes on with above, if it is the tail of a longer one: a mark stands at the end.
fn said(lines: &[&str], index: usize, squeeze: impl Fn(&str) -> String) -> String {
    let begins = |line: &str| line.get(..8).is_some_and(|start| !start.trim().is_empty());
    let mut start = index;
    while start > 0 && !begins(lines.get(start).copied().unwrap_or_default()) {
        start -= 1;
    }
    let whole: Vec<String> = lines.get(start..=index).unwrap_or_default().iter().map(|line| squeeze(line)).collect();
    whole.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head of what the bench prints (crate `judge`), shortened.
    const TRANSCRIPT: &str = "\
scenario   validity/expired_leaf                                    seed 5eed
firmware   esp32c3_mbedtls 0.1.0 (9e5aa23d)                         target emulated

   ms  who      said
  113  broker   Certificate          CN=broker.test · 2024-12-31 to 2025-12-31 · P-256
                                     ecdsa-with-SHA256 · by CN=Shakedown test root  ← the fault
  354  device   alert                fatal certificate_expired (45)
  354  broker   FIN

device     MBEDTLS_ERR_X509_CERT_VERIFY_FAILED (-0x2700), flags A_B C_D, no memory for 532 bytes · heap peak 57 KiB
           platform says -5
cause      an allocation of 532 bytes failed before this: memory, not trust
stages     clock 7 ms
ending     device refused at certificate — as the specification demands (RFC 5280 §6.1.3)";

    #[test]
    fn a_transcript_is_read_back() {
        let reviewed = Reviewed::parse(TRANSCRIPT).expect("a transcript");
        assert_eq!((reviewed.scenario.as_str(), reviewed.image.as_str()), ("validity/expired_leaf", "esp32c3_mbedtls"));
        assert_eq!((reviewed.stage(), reviewed.rule.as_str()), ("certificate", "RFC 5280 §6.1.3"));
        assert_eq!(reviewed.conformity, Conformity::Conforms);
        assert!(!reviewed.is_well());
        let failure = reviewed.failure.expect("a failure");
        assert_eq!(failure.name, "MBEDTLS_ERR_X509_CERT_VERIFY_FAILED");
        assert_eq!((failure.code.as_deref(), failure.failed_allocation_bytes), (Some("-0x2700"), Some(532)));
        assert_eq!(failure.flags, ["A_B", "C_D"]);
        assert_eq!(reviewed.platform.as_deref(), Some("-5"));
        let lines: Vec<usize> = reviewed.evidence.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [6, 7, 10]);
        assert!(reviewed.evidence[0].1.starts_with("113 broker Certificate CN=broker.test"), "{:?}", reviewed.evidence);
    }

    #[test]
    fn alerts_and_codes_are_told_apart() {
        let failure = Failure::parse("BR_ERR_RECV_FATAL_ALERT: handshake_failure (40) (296)");
        assert_eq!(
            (failure.name.as_str(), failure.alert.as_deref()),
            ("BR_ERR_RECV_FATAL_ALERT", Some("handshake_failure"))
        );
        assert_eq!(failure.code.as_deref(), Some("296"));
        let failure = Failure::parse("CONNACK_REFUSED (5)");
        assert_eq!(
            (failure.name.as_str(), failure.code.as_deref(), failure.alert),
            ("CONNACK_REFUSED", Some("5"), None)
        );
        assert_eq!(Failure::parse("SNTP_TIMED_OUT").code, None);
        for joined in ["A_HIGH+A_LOW (-0x2562)", "A_HIGH + A_LOW (-0x2562)"] {
            assert_eq!(Failure::parse(joined).name, "A_HIGH + A_LOW");
        }
        let failure = "ValueError: it is not correctly signed by the trusted CA, flags A_B";
        assert!(is_failure(failure));
        assert_eq!(Failure::parse(failure).flags, ["A_B"]);
        assert!(is_failure("REPLY_TIMED_OUT") && !is_failure("heap peak 57 KiB") && !is_failure("secured with TLS1"));
    }

    /// MicroPython prints the library's name for it, and no more.
    #[test]
    fn an_alert_that_the_device_does_not_name_is_the_one_on_the_wire() {
        let transcript = TRANSCRIPT
            .replace(
                "device   alert                fatal certificate_expired (45)",
                "broker   alert                fatal unknown_ca (48)",
            )
            .replace(
                "MBEDTLS_ERR_X509_CERT_VERIFY_FAILED (-0x2700), flags A_B C_D",
                "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE (-0x7780)",
            );
        let failure = Reviewed::parse(&transcript).and_then(|reviewed| reviewed.failure).expect("a failure");
        assert_eq!(failure.alert.as_deref(), Some("unknown_ca"));
    }

    #[test]
    fn what_is_no_transcript_is_none() {
        for text in ["", "ending", "ending x", "ending x — y (z)", "device A_B_C"] {
            assert_eq!(Reviewed::parse(text), None, "{text}");
        }
    }
}
