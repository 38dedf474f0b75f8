//! Scenarios in which a device need not trust its broker: all is decided before it looks at a certificate.
//!
//! A device that trusts nobody here ends every handshake at the certificate. What it is to refuse later it has refused before,
//! for another reason; so a refusal counts only if it comes earlier.

use judge::Account;
use outcome::{Demand, Stage};
use report::model::How;
use scenario::{FaultMark, Scenario};

use super::NotMet;

/// What is said behind the broker's certificate, or in it.
const BEHIND: &[&str] = &[
    "Certificate",
    "CertificateRequest",
    "ServerKeyExchange",
    "ServerHelloDone",
    "ClientKeyExchange",
    "CertificateVerify",
    "EncryptedExtensions",
    "Finished",
    "NewSessionTicket",
    "KeyUpdate",
    "CONNECT",
    "CONNACK",
    "SUBSCRIBE",
    "SUBACK",
    "PUBLISH",
    "PUBACK",
    "PINGREQ",
    "PINGRESP",
    "DISCONNECT",
    "(not MQTT)",
    FaultMark::CONFIGURATION,
];

/// That `scenario` may be decided before the device looks at a certificate.
///
/// # Errors
///
/// Why it cannot be.
pub(super) fn needs_none(scenario: &Scenario) -> Result<(), NotMet> {
    if scenario.specification.demands == Demand::Connect {
        return Err("it would have to trust the broker to connect, and it trusts nobody here (trust none)".into());
    }
    let Some(mark) = &scenario.fault else {
        return Err(
            "the fault is nothing before the broker's certificate, and it trusts nobody here (trust none)".into()
        );
    };
    if mark.said.iter().any(|said| BEHIND.contains(&said.as_str())) {
        let line = mark.describe();
        return Err(
            format!(
                "{line} is the broker's certificate or behind it, which is refused anyway: it trusts nobody here (trust none)"
            )
            .into()
        );
    }
    Ok(())
}

/// Why the run says nothing, if it was the certificate that decided it.
pub(super) fn decided_it(account: &Account) -> Option<String> {
    let is_its_own = matches!(account.how, How::DeviceRefused | How::DeviceFailed);
    (is_its_own && account.stage >= Stage::Certificate)
        .then(|| "it came as far as the broker's certificate, and it trusts nobody here (trust none)".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(demands: &str, fault: &str) -> Scenario {
        let text = format!(
            "title = 't'\nspecification = {{ demands = '{demands}', rule = 'RFC 9325 §4.1', quote = 'q' }}\n{fault}\n"
        );
        Scenario::parse("x/y", "y.toml", &text).unwrap_or_else(|problem| panic!("{problem}"))
    }

    #[test]
    fn what_is_decided_before_the_certificate_applies_and_nothing_else() {
        let mark = |who: &str, said: &str| format!("fault = {{ who = '{who}', said = '{said}' }}");
        for (demands, fault, applies) in [
            ("refuse", mark("broker", "ServerHello"), true),
            ("fail", mark("dns", "answer"), true),
            ("fail", mark("air", "association refused"), true),
            ("fail", mark("broker", "alert"), true),
            ("refuse", mark("broker", "Certificate"), false),
            ("fail", mark("broker", "CONNACK"), false),
            ("refuse", mark("device", "(configuration)"), false),
            ("connect", mark("broker", "ServerHello"), false),
            ("either", String::new(), false),
        ] {
            assert_eq!(needs_none(&scenario(demands, &fault)).is_ok(), applies, "{demands} {fault}");
        }
    }
}
