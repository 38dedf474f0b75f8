//! The RSN element: how a network is secured (IEEE Std 802.11-2020 §9.4.2.24).

use super::element::{id, push_element};

/// The OUI of the standard's own suites.
const STANDARD: [u8; 3] = [0x00, 0x0f, 0xac];
/// The element's version.
const VERSION: u16 = 1;

/// How data is encrypted (table 9-149).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// AES in CCM, 128 bits: WPA2.
    Ccmp,
    /// RC4 with per-packet keys: WPA.
    Tkip,
    /// Anything else, by its four octets.
    Other([u8; 4]),
}

/// Where keys come from (table 9-151).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthenticationKeyManagement {
    /// A pre-shared key: WPA2-Personal.
    Psk,
    /// Simultaneous authentication of equals: WPA3-Personal.
    Sae,
    /// Anything else, by its four octets.
    Other([u8; 4]),
}

/// How a network is secured, or how a station wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rsn {
    /// For group frames.
    pub group: Cipher,
    /// For a station's own frames, in the order given.
    pub pairwise: Vec<Cipher>,
    /// Where keys come from, in the order given.
    pub key_management: Vec<AuthenticationKeyManagement>,
    /// The RSN capabilities field.
    pub capabilities: u16,
}

impl Rsn {
    /// WPA2-Personal: CCMP and a pre-shared key.
    pub fn wpa2_psk() -> Self {
        Self {
            group: Cipher::Ccmp,
            pairwise: vec![Cipher::Ccmp],
            key_management: vec![AuthenticationKeyManagement::Psk],
            capabilities: 0,
        }
    }

    /// WPA3-Personal: CCMP, SAE, and management frames that have to be protected.
    pub fn wpa3_sae() -> Self {
        const MANAGEMENT_FRAMES_PROTECTED: u16 = 1 << 7 | 1 << 6;
        let key_management = vec![AuthenticationKeyManagement::Sae];
        Self { key_management, capabilities: MANAGEMENT_FRAMES_PROTECTED, ..Self::wpa2_psk() }
    }

    /// WPA2 with TKIP alone, as old access points have it.
    pub fn tkip_psk() -> Self {
        Self { group: Cipher::Tkip, pairwise: vec![Cipher::Tkip], ..Self::wpa2_psk() }
    }

    /// Reads what an RSN element holds. What is missing at its end has the standard's defaults (§9.4.2.24.1).
    pub fn parse(content: &[u8]) -> Option<Self> {
        let mut rest = Reader(content);
        if rest.word()? != VERSION {
            return None;
        }
        let mut rsn = Self { key_management: Vec::new(), ..Self::wpa2_psk() };
        let Some(group) = rest.suite() else { return Some(rsn) };
        rsn.group = cipher(group);
        if let Some(suites) = rest.suites()? {
            rsn.pairwise = suites.into_iter().map(cipher).collect();
        }
        if let Some(suites) = rest.suites()? {
            rsn.key_management = suites.into_iter().map(key_management).collect();
        }
        rsn.capabilities = rest.word().unwrap_or(0);
        Some(rsn)
    }

    /// The whole element, its identifier and length included.
    pub fn to_element(&self) -> Vec<u8> {
        let mut content = VERSION.to_le_bytes().to_vec();
        content.extend(cipher_suite(self.group));
        content.extend((self.pairwise.len() as u16).to_le_bytes());
        content.extend(self.pairwise.iter().flat_map(|cipher| cipher_suite(*cipher)));
        content.extend((self.key_management.len() as u16).to_le_bytes());
        content.extend(self.key_management.iter().flat_map(|suite| key_management_suite(*suite)));
        content.extend(self.capabilities.to_le_bytes());
        let mut element = Vec::new();
        push_element(&mut element, id::RSN, &content);
        element
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn word(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    fn suite(&mut self) -> Option<[u8; 4]> {
        self.take()
    }

    /// A counted list; `Some(None)` if the element ends before it, `None` if it ends within it.
    fn suites(&mut self) -> Option<Option<Vec<[u8; 4]>>> {
        let Some(count) = self.word() else { return Some(None) };
        (0..count).map(|_| self.suite()).collect::<Option<Vec<_>>>().map(Some)
    }
}

fn cipher(suite: [u8; 4]) -> Cipher {
    match suite {
        [0x00, 0x0f, 0xac, 4] => Cipher::Ccmp,
        [0x00, 0x0f, 0xac, 2] => Cipher::Tkip,
        other => Cipher::Other(other),
    }
}

fn cipher_suite(cipher: Cipher) -> [u8; 4] {
    let [a, b, c] = STANDARD;
    match cipher {
        Cipher::Ccmp => [a, b, c, 4],
        Cipher::Tkip => [a, b, c, 2],
        Cipher::Other(suite) => suite,
    }
}

fn key_management(suite: [u8; 4]) -> AuthenticationKeyManagement {
    match suite {
        [0x00, 0x0f, 0xac, 2] => AuthenticationKeyManagement::Psk,
        [0x00, 0x0f, 0xac, 8] => AuthenticationKeyManagement::Sae,
        other => AuthenticationKeyManagement::Other(other),
    }
}

fn key_management_suite(suite: AuthenticationKeyManagement) -> [u8; 4] {
    let [a, b, c] = STANDARD;
    match suite {
        AuthenticationKeyManagement::Psk => [a, b, c, 2],
        AuthenticationKeyManagement::Sae => [a, b, c, 8],
        AuthenticationKeyManagement::Other(suite) => suite,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_element_of_wpa2_is_the_one_that_every_access_point_sends() {
        // As hostapd sends it for `wpa=2`, `wpa_key_mgmt=WPA-PSK`, `rsn_pairwise=CCMP`.
        let expected = [48, 20, 1, 0, 0, 0x0f, 0xac, 4, 1, 0, 0, 0x0f, 0xac, 4, 1, 0, 0, 0x0f, 0xac, 2, 0, 0];
        assert_eq!(Rsn::wpa2_psk().to_element(), expected);
        assert_eq!(Rsn::parse(&expected[2..]), Some(Rsn::wpa2_psk()));
    }

    #[test]
    fn an_element_may_end_early_and_not_within_a_list() {
        let element = Rsn::wpa2_psk().to_element();
        assert!(Rsn::parse(&element[2..4]).is_some());
        assert!(Rsn::parse(&element[2..8]).is_some());
        assert!(Rsn::parse(&element[2..11]).is_none());
        assert!(Rsn::parse(&[2, 0]).is_none());
        assert!(Rsn::parse(&[1, 0, 0, 15, 172, 4, 0xff, 0xff]).is_none());
    }
}
