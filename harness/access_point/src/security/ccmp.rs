//! CCMP: how WPA2 encrypts and authenticates data (IEEE Std 802.11-2020 §12.5.3).

use ccm::aead::AeadInOut;
use ccm::consts::{U8, U13};
use ccm::{Ccm, KeyInit};

use crate::frame::Header;

/// AES-128 in CCM with a MIC of eight octets and a length field of two.
type Aes128Ccm = Ccm<aes::Aes128, U8, U13>;

/// Octets in front of the encrypted data: the packet number and the key's identifier.
pub const CCMP_HEADER_BYTES: usize = 8;
/// Octets behind it: the message integrity code.
pub const MIC_BYTES: usize = 8;

/// Why a protected frame was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOpened {
    /// Too short for header and MIC, or without the bit that says that there is a key identifier.
    Malformed,
    /// Encrypted with another key, or changed on its way.
    Mic,
}

/// What a CCMP header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CcmpHeader {
    /// Counts every frame of a key from 1; 48 bits.
    pub packet_number: u64,
    /// Which of four keys: 0 for a station's own, 1 and 2 by turns for the group's.
    pub key_id: u8,
}

impl CcmpHeader {
    /// Reads the first eight octets of a protected body.
    pub fn parse(body: &[u8]) -> Option<Self> {
        const EXTENDED_IV: u8 = 1 << 5;
        let [n0, n1, _, flags, n2, n3, n4, n5] = *body.first_chunk::<CCMP_HEADER_BYTES>()?;
        let packet_number = u64::from_le_bytes([n0, n1, n2, n3, n4, n5, 0, 0]);
        (flags & EXTENDED_IV != 0).then_some(Self { packet_number, key_id: flags >> 6 })
    }

    /// Its eight octets.
    pub fn to_bytes(self) -> [u8; CCMP_HEADER_BYTES] {
        let [n0, n1, n2, n3, n4, n5, ..] = self.packet_number.to_le_bytes();
        [n0, n1, 0, self.key_id << 6 | 1 << 5, n2, n3, n4, n5]
    }
}

/// Encrypts the body of a frame whose header is `header`, with the protected bit set. What comes back is CCMP header,
/// encrypted data and MIC.
pub fn seal(key: &[u8; 16], header: &Header<'_>, ccmp: CcmpHeader, plain: &[u8]) -> Vec<u8> {
    let mut body = ccmp.to_bytes().to_vec();
    let mut data = plain.to_vec();
    let nonce = nonce(header, ccmp.packet_number);
    let sealed = Aes128Ccm::new(key.into()).encrypt_in_place(&nonce.into(), &additional_data(header), &mut data);
    // CCM with a length field of two octets takes 65535 octets, and no frame is as long.
    debug_assert!(sealed.is_ok(), "frames are short");
    body.extend(data);
    body
}

/// Decrypts the body of a protected frame.
///
/// # Errors
/// If it is no such body, or its MIC is another.
pub fn open(key: &[u8; 16], header: &Header<'_>, body: &[u8]) -> Result<(CcmpHeader, Vec<u8>), NotOpened> {
    let ccmp = CcmpHeader::parse(body).ok_or(NotOpened::Malformed)?;
    let mut data = body.get(CCMP_HEADER_BYTES..).unwrap_or_default().to_vec();
    if data.len() < MIC_BYTES {
        return Err(NotOpened::Malformed);
    }
    let nonce = nonce(header, ccmp.packet_number);
    let opened = Aes128Ccm::new(key.into()).decrypt_in_place(&nonce.into(), &additional_data(header), &mut data);
    opened.map_err(|_| NotOpened::Mic)?;
    Ok((ccmp, data))
}

/// Priority, transmitter and packet number (§12.5.3.3.4).
fn nonce(header: &Header<'_>, packet_number: u64) -> [u8; 13] {
    let mut nonce = [0; 13];
    nonce[0] = header.traffic_identifier();
    nonce[1..7].copy_from_slice(&header.transmitter.0);
    nonce[7..].copy_from_slice(&packet_number.to_be_bytes()[2..]);
    nonce
}

/// What is authenticated and not encrypted: the header without what changes on its way (§12.5.3.3.3).
fn additional_data(header: &Header<'_>) -> Vec<u8> {
    let mut control = header.control.0 & !(1 << 11 | 1 << 12 | 1 << 13) | 1 << 14;
    if header.control.is_data() {
        // The subtype's low bits; of a QoS frame, the order bit too.
        control &= !(0b111 << 4);
        if header.control.0 & 0x80 != 0 {
            control &= !(1 << 15);
        }
    }
    let mut data = control.to_le_bytes().to_vec();
    data.extend(header.receiver.0);
    data.extend(header.transmitter.0);
    data.extend(header.third.0);
    // The fragment's number stays, the sequence's changes.
    data.extend((header.sequence_control & 0xf).to_le_bytes());
    let four_addresses = header.control.is_to_ds() && header.control.is_from_ds();
    if four_addresses {
        data.extend(header.bytes.get(24..30).unwrap_or_default());
    }
    if header.control.is_data() && header.control.0 & 0x80 != 0 {
        data.extend([header.traffic_identifier(), 0]);
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hexadecimal: &str) -> Vec<u8> {
        let digits: Vec<u8> = hexadecimal.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    /// IEEE Std 802.11-2020 §J.6.4: CCMP-128 data, an MPDU before and after.
    #[test]
    fn a_frame_is_encrypted_as_in_the_standard() {
        let key: [u8; 16] = bytes("c97c1f67ce371185514a8a19f2bdd52f").try_into().expect("16 bytes");
        let header_bytes = bytes("0848c32c0fd2e128a57c5030f1844408abaea5b8fcba8033");
        let plain = bytes("f8ba1a55d02f85ae967bb62fb6cda8eb7e78a050");
        let sealed = bytes("0ce70020769703b5f3d0a2fe9a3dbf2342a643e43246e80c3c04d0197845ce0b16f97623");
        let mut frame = header_bytes.clone();
        frame.extend(&sealed);
        let header = Header::parse(&frame).expect("a whole header");
        let ccmp = CcmpHeader { packet_number: 0xb503_9776_e70c, key_id: 0 };
        assert_eq!(CcmpHeader::parse(&sealed), Some(ccmp));
        assert_eq!(seal(&key, &header, ccmp, &plain), sealed);
        assert_eq!(open(&key, &header, &sealed), Ok((ccmp, plain)));
    }

    #[test]
    fn a_changed_frame_is_not_opened() {
        let key = [7; 16];
        let frame = bytes("0841000002000000000102000000000202000000000310000000");
        let header = Header::parse(&frame).expect("a whole header");
        let sealed = seal(&key, &header, CcmpHeader { packet_number: 1, key_id: 0 }, b"data");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            // Octet 2 is reserved and the low bits of octet 3 are too: nobody authenticates them.
            if at != 2 && at != 3 {
                assert!(open(&key, &header, &changed).is_err(), "octet {at}");
            }
        }
        assert_eq!(open(&key, &header, &sealed[..15]), Err(NotOpened::Malformed));
    }
}
