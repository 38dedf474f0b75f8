//! Why a firmware did not get into the network that its owner has named.

use super::Init;
use super::look::{NotLetIn, Seen};

/// What is to be said if a network was given, and the firmware did not join it.
pub(super) fn not_the_given(arguments: &Init, seen: &Seen) -> Option<String> {
    let given = arguments.wifi.first().filter(|_| !seen.has_joined)?;
    let name = terminal::clean::line(&given.ssid).into_owned();
    let is_open = given.passphrase.is_none();
    let others: Vec<String> =
        seen.networks.iter().filter(|other| **other != name).map(|other| format!("{other:?}")).collect();
    let did_not = format!("it did not join {name:?}");
    Some(match seen.not_let_in {
        Some(NotLetIn::WrongPassphrase) => {
            format!(
                "{did_not}: the handshake failed, as it has another passphrase than the one that was given (`psk=`)"
            )
        }
        Some(NotLetIn::Declined | NotLetIn::Refused) if is_open => {
            format!("{did_not}, which was an open network here: it wants a protected one. Give its passphrase, `psk=…`")
        }
        Some(NotLetIn::Declined | NotLetIn::Refused) => format!(
            "{did_not}, which was protected with WPA2 here: it wants an open network, or another protection. Leave `psk=` \
             out, if it is open"
        ),
        None if !others.is_empty() => {
            format!("{did_not}: it looks for {}, and never for the network that was given", others.join(", "))
        }
        None if seen.uses_radio => {
            format!(
                "{did_not} within {} s, and never asked to be let in: it has another network, or is set up first",
                arguments.virtual_s
            )
        }
        None => format!(
            "{did_not}: it did not use its radio within {} s. Its last lines are above; more time is `--virtual-s`",
            arguments.virtual_s
        ),
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    /// The command line of `product init`.
    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        init: Init,
    }

    fn said(network: &[&str], seen: &Seen) -> Option<String> {
        let words = ["init", "x.bin"].into_iter().chain(network.iter().flat_map(|network| ["--wifi", *network]));
        not_the_given(&Line::parse_from(words).init, seen)
    }

    #[test]
    fn each_way_not_to_join_has_a_sentence_of_its_own() {
        let (open, wpa2) = ("ssid=home-5", "ssid=home-5,psk=correct horse");
        let seen = |not_let_in| Seen { not_let_in, uses_radio: true, ..Seen::default() };
        for (network, not_let_in, expected) in [
            (wpa2, Some(NotLetIn::WrongPassphrase), "has another passphrase"),
            (open, Some(NotLetIn::Declined), "wants a protected one"),
            (wpa2, Some(NotLetIn::Declined), "wants an open network"),
            (open, Some(NotLetIn::Refused), "wants a protected one"),
            (wpa2, None, "never asked to be let in"),
        ] {
            let said = said(&[network], &seen(not_let_in)).expect("it did not join");
            assert!(said.contains("\"home-5\"") && said.contains(expected), "{said}");
            assert!(!said.contains("correct horse"), "{said}");
        }
        let silent = said(&[wpa2], &Seen::default()).expect("it did not join");
        assert!(silent.contains("did not use its radio"), "{silent}");
        let elsewhere = Seen { networks: ["garage".to_owned()].into(), ..seen(None) };
        assert!(said(&[wpa2], &elsewhere).is_some_and(|said| said.contains("\"garage\"")));
        assert_eq!(said(&[wpa2], &Seen { has_joined: true, ..Seen::default() }), None);
        assert_eq!(said(&[], &Seen::default()), None);
    }
}
