//! What an access point is told before it has power, as a scenario file says it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{MacAddress, Misbehaviour};

/// An access point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The network's name, 1 to 32 bytes.
    pub ssid: String,
    /// WPA2's passphrase: 8 to 63 printable ASCII characters, or 64 hexadecimal digits.
    #[serde(default)]
    pub passphrase: Option<String>,
    /// How it is secured; without a word, WPA2 if there is a passphrase, else open.
    #[serde(default)]
    pub security: Option<Security>,
    /// Its address; the bench gives each access point its own, if not said.
    #[serde(default)]
    pub bssid: Option<MacAddress>,
    /// On which channel of the 2.4 GHz band it is.
    #[serde(default = "default_channel")]
    pub channel: u8,
    /// Whether beacons leave the name out.
    #[serde(default)]
    pub hidden: bool,
    /// How strong its frames are at the station.
    #[serde(default = "default_signal_dbm")]
    pub signal_dbm: i8,
    /// The beacon interval in time units of 1024 µs.
    #[serde(default = "default_beacon_interval_tu")]
    pub beacon_interval_tu: u16,
    /// Every how many beacons frames for groups are sent that were kept for stations that doze.
    #[serde(default = "default_dtim_period")]
    pub dtim_period: u8,
    /// After how many seconds the group key is changed, again and again.
    #[serde(default)]
    pub group_rekey_s: Option<u32>,
    /// What it does wrong.
    #[serde(default)]
    pub faults: Vec<Misbehaviour>,
}

/// How a network is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// Not at all.
    Open,
    /// WPA2-Personal with CCMP.
    Wpa2,
    /// WPA2-Personal that announces TKIP alone. Who wants it is refused: TKIP is not enacted.
    Tkip,
    /// WPA3-Personal alone. It is announced, and who tries SAE is refused: SAE is not enacted.
    Wpa3,
}

const fn default_channel() -> u8 {
    6
}

const fn default_signal_dbm() -> i8 {
    -50
}

const fn default_beacon_interval_tu() -> u16 {
    100
}

const fn default_dtim_period() -> u8 {
    2
}

/// What is wrong with a description: its author's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DescriptionError {
    /// A name has 1 to 32 bytes.
    Ssid(String),
    /// A passphrase has 8 to 63 printable ASCII characters (§J.4.1), or is a key of 64 hexadecimal digits.
    Passphrase,
    /// WPA2 needs a passphrase, and an open network has none.
    PassphraseAndSecurity(Security),
    /// There are channels 1 to 13.
    Channel(u8),
    /// Beacons are 10 to 10 000 time units apart, and every 1st to 100th is a DTIM.
    Beacons,
    /// Frames are lost at most a thousand times in a thousand.
    Loss(u16),
    /// A group key lives for a second or more.
    GroupRekey,
    /// A group's address, or nobody's.
    Bssid(MacAddress),
}

impl Description {
    /// An open network with default settings.
    pub fn open(ssid: &str) -> Self {
        Self {
            ssid: ssid.to_owned(),
            passphrase: None,
            security: None,
            bssid: None,
            channel: default_channel(),
            hidden: false,
            signal_dbm: default_signal_dbm(),
            beacon_interval_tu: default_beacon_interval_tu(),
            dtim_period: default_dtim_period(),
            group_rekey_s: None,
            faults: Vec::new(),
        }
    }

    /// A WPA2 network with default settings.
    pub fn wpa2(ssid: &str, passphrase: &str) -> Self {
        Self { passphrase: Some(passphrase.to_owned()), ..Self::open(ssid) }
    }

    /// How it is secured.
    pub fn security(&self) -> Security {
        self.security.unwrap_or(if self.passphrase.is_some() { Security::Wpa2 } else { Security::Open })
    }

    /// Looks at everything that a type does not say.
    ///
    /// # Errors
    /// The first thing that cannot be.
    pub fn check(&self) -> Result<(), DescriptionError> {
        if !(1..=32).contains(&self.ssid.len()) {
            return Err(DescriptionError::Ssid(self.ssid.clone()));
        }
        let security = self.security();
        if self.passphrase.is_some() == (security == Security::Open) {
            return Err(DescriptionError::PassphraseAndSecurity(security));
        }
        let is_printable = |text: &str| text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        let is_key = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let fits = |text: &str| (8..=63).contains(&text.len()) && is_printable(text) || is_key(text);
        if self.passphrase.as_deref().is_some_and(|passphrase| !fits(passphrase)) {
            return Err(DescriptionError::Passphrase);
        }
        let switched = self.faults.iter().filter_map(|fault| match fault {
            Misbehaviour::ChannelSwitch { channel, .. } => Some(*channel),
            _ => None,
        });
        if let Some(channel) = switched.chain([self.channel]).find(|channel| !(1..=13).contains(channel)) {
            return Err(DescriptionError::Channel(channel));
        }
        let losses = self.faults.iter().flat_map(|fault| match fault {
            Misbehaviour::Loss { from_station_per_mille, to_station_per_mille } => {
                [*from_station_per_mille, *to_station_per_mille]
            }
            _ => [0, 0],
        });
        if let Some(loss) = losses.max().filter(|per_mille| *per_mille > 1_000) {
            return Err(DescriptionError::Loss(loss));
        }
        if self.group_rekey_s == Some(0) {
            return Err(DescriptionError::GroupRekey);
        }
        if !(10..=10_000).contains(&self.beacon_interval_tu) || !(1..=100).contains(&self.dtim_period) {
            return Err(DescriptionError::Beacons);
        }
        match self.bssid.filter(|bssid| bssid.is_group() || *bssid == MacAddress::default()) {
            Some(bssid) => Err(DescriptionError::Bssid(bssid)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for DescriptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ssid(ssid) => write!(f, "the SSID {ssid:?} has {} bytes: 1 to 32 are possible", ssid.len()),
            Self::Passphrase => f.write_str(
                "a passphrase has 8 to 63 printable ASCII characters, or 64 hexadecimal digits (IEEE Std 802.11-2020 §J.4.1)",
            ),
            Self::PassphraseAndSecurity(Security::Open) => f.write_str("an open network has no passphrase: leave it out"),
            Self::PassphraseAndSecurity(_) => f.write_str("a secured network needs a passphrase"),
            Self::Channel(channel) => write!(f, "there is no channel {channel}: 1 to 13 are possible"),
            Self::Beacons => f.write_str("beacons are 10 to 10000 time units apart, with a DTIM period of 1 to 100"),
            Self::Loss(per_mille) => write!(f, "of a thousand frames {per_mille} cannot be lost: 0 to 1000 are possible"),
            Self::GroupRekey => f.write_str("a group key lives for a second or more"),
            Self::Bssid(bssid) => write!(f, "{bssid} is a group's address or nobody's: an access point has one of its own"),
        }
    }
}

impl std::error::Error for DescriptionError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_file_describes_an_access_point() {
        let text = r#"
            ssid = "shakedown"
            passphrase = "correct horse"
            channel = 11
            [[faults]]
            fault = "message_bad_mic"
            message = "message_3"
            times = 2
            [[faults]]
            fault = "deauthentication"
            when = { after = "joined", ms = 1500 }
            reason = 7
        "#;
        let description: Description = toml::from_str(text).expect("a description");
        assert_eq!(description.check(), Ok(()));
        assert_eq!(description.security(), Security::Wpa2);
        assert_eq!(description.faults.len(), 2);
        let again = toml::to_string(&description).expect("TOML");
        assert_eq!(toml::from_str::<Description>(&again), Ok(description));
    }

    #[test]
    fn what_cannot_be_is_said() {
        assert!(matches!(Description::open("").check(), Err(DescriptionError::Ssid(_))));
        assert!(matches!(Description::open(&"x".repeat(33)).check(), Err(DescriptionError::Ssid(_))));
        assert_eq!(Description::wpa2("a", "short").check(), Err(DescriptionError::Passphrase));
        assert_eq!(Description::wpa2("a", &"0".repeat(64)).check(), Ok(()));
        assert_eq!(Description::wpa2("a", &"x".repeat(64)).check(), Err(DescriptionError::Passphrase));
        let channel = Description { channel: 14, ..Description::open("a") };
        assert_eq!(channel.check(), Err(DescriptionError::Channel(14)));
        let loss = Misbehaviour::Loss { from_station_per_mille: 0, to_station_per_mille: 1_001 };
        let lossy = Description { faults: vec![loss], ..Description::open("a") };
        assert_eq!(lossy.check(), Err(DescriptionError::Loss(1_001)));
        let rekeyed = Description { group_rekey_s: Some(0), ..Description::wpa2("a", "12345678") };
        assert_eq!(rekeyed.check(), Err(DescriptionError::GroupRekey));
        let open = Description { security: Some(Security::Open), ..Description::wpa2("a", "12345678") };
        assert!(matches!(open.check(), Err(DescriptionError::PassphraseAndSecurity(Security::Open))));
        assert!(toml::from_str::<Description>("ssid = \"a\"\nchanel = 3").is_err());
        assert!(
            toml::from_str::<Description>("ssid = \"a\"\n[[faults]]\nfault = \"no_probe_response\"\nx = 1").is_err()
        );
    }
}
