//! EAPOL-Key frames: what the four-way and the group handshake are made of (IEEE Std 802.11-2020 §12.7.2).

use super::key::{NONCE_BYTES, hmac_sha1};
use crate::frame::push_element;

/// Octets of a key frame before its key data, the 802.1X header included.
const FIXED_BYTES: usize = 99;
/// Where the MIC is.
const MIC: core::ops::Range<usize> = 81..97;
/// 802.1X-2004, EAPOL-Key, descriptor *RSN*.
const VERSION: u8 = 2;
const KEY: u8 = 3;
const DESCRIPTOR_RSN: u8 = 2;

/// The key information field (figure 12-33).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyInformation(pub u16);

impl KeyInformation {
    const HMAC_SHA1_AES: u16 = 2;
    /// A station's own key, not the group's.
    pub const PAIRWISE: u16 = 1 << 3;
    /// The receiver is to use the key.
    pub const INSTALL: u16 = 1 << 6;
    /// An answer is wanted.
    pub const ACK: u16 = 1 << 7;
    /// There is a MIC.
    pub const MIC: u16 = 1 << 8;
    /// Keys are in use.
    pub const SECURE: u16 = 1 << 9;
    /// A supplicant asks for a handshake.
    pub const REQUEST: u16 = 1 << 11;
    /// The key data are encrypted.
    pub const ENCRYPTED: u16 = 1 << 12;

    /// Descriptor version 2 (HMAC-SHA-1 and AES) with `flags`.
    pub const fn with(flags: u16) -> Self {
        Self(Self::HMAC_SHA1_AES | flags)
    }

    /// Whether all of `flags` are set.
    pub const fn has(self, flags: u16) -> bool {
        self.0 & flags == flags
    }
}

/// A key frame as it came.
#[derive(Clone, Copy, Debug)]
pub struct KeyFrame<'a> {
    /// What it is.
    pub information: KeyInformation,
    /// Which message it answers.
    pub replay_counter: u64,
    /// The sender's nonce, or zeros.
    pub nonce: [u8; NONCE_BYTES],
    /// What it carries, encrypted or not.
    pub key_data: &'a [u8],
    /// The 802.1X frame without padding: what the MIC is of.
    bytes: &'a [u8],
}

impl<'a> KeyFrame<'a> {
    /// Reads an 802.1X frame; `None` if it is no key frame of RSN, or not whole. What is behind it is padding.
    pub fn parse(frame: &'a [u8]) -> Option<Self> {
        let [_, KEY, high, low, DESCRIPTOR_RSN, ..] = frame else { return None };
        let bytes = frame.get(..4 + usize::from(u16::from_be_bytes([*high, *low])))?;
        let word = |at: usize| bytes.get(at..at + 2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        let key_data_bytes = usize::from(word(97)?);
        Some(Self {
            information: KeyInformation(word(5)?),
            replay_counter: u64::from_be_bytes(*bytes.get(9..)?.first_chunk()?),
            nonce: *bytes.get(17..)?.first_chunk()?,
            key_data: bytes.get(FIXED_BYTES..FIXED_BYTES + key_data_bytes)?,
            bytes,
        })
    }

    /// Whether the MIC is that of the key `confirmation`.
    pub fn is_confirmed_by(&self, confirmation: &[u8; 16]) -> bool {
        let (before, rest) = self.bytes.split_at(MIC.start);
        let (mic, behind) = rest.split_at(MIC.len());
        hmac_sha1(confirmation, &[before, &[0; 16], behind])[..16] == *mic
    }
}

/// A key frame to be sent.
#[derive(Clone, Debug)]
pub struct KeyFrameContent {
    /// What it is.
    pub information: KeyInformation,
    /// Counts the authenticator's frames.
    pub replay_counter: u64,
    /// The authenticator's nonce, or zeros.
    pub nonce: [u8; NONCE_BYTES],
    /// The group key's packet number, so that old frames are not taken for new ones.
    pub receive_sequence: u64,
    /// What it carries, already encrypted if the information says so.
    pub key_data: Vec<u8>,
}

impl KeyFrameContent {
    /// The 802.1X frame, with a MIC of `confirmation` if there is to be one.
    pub fn to_bytes(&self, confirmation: Option<&[u8; 16]>) -> Vec<u8> {
        /// Octets of a temporal key of CCMP.
        const KEY_BYTES: u16 = 16;
        let is_pairwise = self.information.has(KeyInformation::PAIRWISE);
        let mut bytes = vec![VERSION, KEY];
        bytes.extend(((FIXED_BYTES - 4 + self.key_data.len()) as u16).to_be_bytes());
        bytes.push(DESCRIPTOR_RSN);
        bytes.extend(self.information.0.to_be_bytes());
        bytes.extend(if is_pairwise { KEY_BYTES } else { 0 }.to_be_bytes());
        bytes.extend(self.replay_counter.to_be_bytes());
        bytes.extend(self.nonce);
        bytes.extend([0; 16]);
        bytes.extend(self.receive_sequence.to_le_bytes());
        bytes.extend([0; 8]);
        bytes.extend([0; 16]);
        bytes.extend((self.key_data.len() as u16).to_be_bytes());
        bytes.extend(&self.key_data);
        if let Some(key) = confirmation {
            let mic = hmac_sha1(key, &[&bytes]);
            bytes[MIC].copy_from_slice(&mic[..16]);
        }
        bytes
    }
}

/// Key data that hand over the group key: the RSN element in front, in the four-way handshake (§12.7.6.4), and the key
/// in an encapsulation of its own (figure 12-36); padded and encrypted with the key encryption key (RFC 3394).
pub fn wrapped_group_key(encryption: &[u8; 16], rsn: &[u8], key_id: u8, group_key: &[u8; 16]) -> Vec<u8> {
    use aes_kw::{KeyInit, KwAes128};
    const GROUP_KEY: [u8; 4] = [0x00, 0x0f, 0xac, 1];
    let mut plain = rsn.to_vec();
    let mut encapsulated = GROUP_KEY.to_vec();
    encapsulated.extend([key_id, 0]);
    encapsulated.extend(group_key);
    push_element(&mut plain, crate::frame::element::id::VENDOR, &encapsulated);
    if !plain.len().is_multiple_of(8) {
        plain.push(0xdd);
        plain.resize(plain.len().next_multiple_of(8), 0);
    }
    let mut wrapped = vec![0; plain.len() + 8];
    let done = KwAes128::new(encryption.into()).wrap_key(&plain, &mut wrapped).is_ok();
    debug_assert!(done, "the lengths fit");
    wrapped
}
