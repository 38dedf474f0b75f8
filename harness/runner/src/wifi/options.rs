//! Networks as they are named on a command line, and how a capture of them is decrypted.

use std::path::Path;

use access_point::Description;
use blame::Error;

/// Keys that may stand in `--wifi`.
const KEYS: [&str; 4] = ["ssid", "psk", "channel", "signal"];

/// Reads `ssid=NAME[,psk=PASSPHRASE][,channel=1…13][,signal=DBM]`. A comma that no key follows belongs to the value.
///
/// # Errors
///
/// A sentence about what is wrong, with the remedy.
pub fn parse(text: &str) -> blame::Result<Description> {
    let mut description = Description::open("");
    for (key, value) in pairs(text)? {
        let number =
            || value.parse().map_err(|_| Error::usage(format!("`{key}={value}` in --wifi is no number that can be")));
        match key {
            "ssid" => value.clone_into(&mut description.ssid),
            "psk" => description.passphrase = Some(value.to_owned()),
            "channel" => description.channel = number().and_then(|n: i16| u8::try_from(n).map_err(Error::usage))?,
            _ => description.signal_dbm = number().and_then(|n: i16| i8::try_from(n).map_err(Error::usage))?,
        }
    }
    description.check().map_err(|error| Error::usage(format!("--wifi {text}: {error}")))?;
    Ok(description)
}

/// The pairs of key and value.
fn pairs(text: &str) -> blame::Result<Vec<(&str, &str)>> {
    let begins_pair = |at: usize| {
        let rest = &text[at..];
        KEYS.iter().any(|key| rest.strip_prefix(key).is_some_and(|rest| rest.starts_with('=')))
    };
    let mut starts = vec![0];
    starts.extend(text.match_indices(',').map(|(at, _)| at + 1).filter(|at| begins_pair(*at)));
    let ends = starts[1..].iter().map(|start| start - 1).chain([text.len()]);
    let pairs = starts.iter().zip(ends).map(|(start, end)| &text[*start..end]);
    pairs
        .map(|pair| {
            let pair = pair.split_once('=').filter(|(key, _)| KEYS.contains(key));
            pair.ok_or_else(|| {
                Error::usage(format!(
                    "`{text}` is no network: --wifi ssid=NAME,psk=PASSPHRASE, without psk= an open one"
                ))
            })
        })
        .collect()
}

/// The command that shows a capture of these networks decrypted.
pub fn tshark_line(file: &Path, networks: &[Description]) -> String {
    let keys: String = networks
        .iter()
        .filter_map(|network| Some((network.passphrase.as_deref()?, &network.ssid)))
        .map(|(passphrase, ssid)| {
            format!(" -o 'uat:80211_keys:\"wpa-pwd\",\"{}:{}\"'", escaped(passphrase), escaped(ssid))
        })
        .collect();
    format!("tshark -r {} -o wlan.enable_decryption:TRUE{keys}", one_word(&file.display().to_string()))
}

/// A path as a shell takes it for one word.
fn one_word(path: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+@%:=,".contains(c);
    if path.chars().all(is_plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

/// What the comment of a capture says of its networks, a line each.
pub fn comment(networks: &[Description]) -> String {
    let lines = networks.iter().map(|network| match &network.passphrase {
        Some(passphrase) => format!("ssid {:?} passphrase {passphrase:?}", network.ssid),
        None => format!("ssid {:?} open", network.ssid),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// As Wireshark wants passphrases and names: everything but letters and digits by its code.
fn escaped(text: &str) -> String {
    let escape =
        |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02x}") };
    text.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_named_in_one_word() {
        let network = parse("ssid=home-5,psk=correct horse, battery,channel=11").expect("a network");
        assert_eq!((network.ssid.as_str(), network.channel), ("home-5", 11));
        assert_eq!(network.passphrase.as_deref(), Some("correct horse, battery"));
        let odd = parse("ssid=Zoë, \u{2615}=5,psk=ssid=12345").expect("a network");
        assert_eq!((odd.ssid.as_str(), odd.passphrase.as_deref()), ("Zoë, \u{2615}=5", Some("ssid=12345")));
        assert_eq!(parse("ssid=open").map(|network| network.passphrase), Ok(None));
    }

    #[test]
    fn what_is_no_network_is_said() {
        for text in ["", "home-5", "ssid=", "ssid=a,psk=short", "ssid=a,channel=14", "ssid=a,channel=x", "psk=12345678"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn passphrases_are_escaped_for_wireshark_and_the_shell() {
        let network = parse("ssid=it's,psk=a:b%c'\"d $").expect("a network");
        let line = tshark_line(Path::new("x.pcapng"), &[network]);
        assert!(line.starts_with("tshark -r x.pcapng -o "), "{line}");
        let spaced = tshark_line(Path::new("it's on air/x.pcapng"), &[]);
        assert!(spaced.starts_with(r"tshark -r 'it'\''s on air/x.pcapng' -o "), "{spaced}");
        assert!(line.ends_with(r#"-o 'uat:80211_keys:"wpa-pwd","a%3ab%25c%27%22d%20%24:it%27s"'"#), "{line}");
    }
}
