//! The cipher in the MAC: keys in slots, and CCMP with them (IEEE Std 802.11-2020 §12.5.3).
//!
//! The driver hands over frames with room for header and integrity code, the packet number filled in, and the data in the
//! clear; so it wants to have them. What is on the air is encrypted.

use ccm::aead::AeadInOut;
use ccm::consts::{U8, U13};
use ccm::{Ccm, KeyInit};

use super::header::{Address, CCMP_HEADER_OCTETS, Header, MIC_OCTETS, address_at};
use crate::machine::registers::RegisterFile;

type Aes128Ccm = Ccm<aes::Aes128, U8, U13>;

/// Slots of ten words each, at one place in all chips: address, flags, and up to 32 octets of key.
const SLOTS: u32 = 0x1400;
const SLOT_BYTES: u32 = 0x28;
/// Slots that there are; the driver uses the first six.
const SLOT_COUNT: u32 = 25;

/// The key for a frame that goes to or comes from `address` and names `key_id`; in the flags its number is on top. The
/// register at `valid` has a bit for each slot that holds a key.
fn key(registers: &RegisterFile, valid: u32, address: Address, key_id: u8) -> Option<[u8; 16]> {
    let valid = registers.get(valid);
    let slots = (0..SLOT_COUNT).filter(|slot| valid >> slot & 1 == 1);
    let slot = slots
        .map(|slot| SLOTS + SLOT_BYTES * slot)
        .find(|slot| address_at(registers, *slot) == address && (registers.get(slot + 4) >> 30) as u8 == key_id)?;
    Some(registers.bytes(slot + 8))
}

fn nonce(header: Header<'_>, packet_number: u64) -> [u8; 13] {
    let mut nonce = [0; 13];
    nonce[0] = header.traffic_identifier();
    nonce[1..7].copy_from_slice(&header.transmitter());
    nonce[7..].copy_from_slice(&packet_number.to_be_bytes()[2..]);
    nonce
}

/// Encrypts a protected frame of the driver's, whose last eight octets are room for the integrity code. Without a key it
/// goes as it is.
pub(crate) fn seal(registers: &RegisterFile, valid: u32, frame: Vec<u8>) -> Vec<u8> {
    let Some(header) = Header::of(&frame).filter(|header| header.is_protected()) else { return frame };
    let at = header.length() + CCMP_HEADER_OCTETS;
    let key = header.ccmp().and_then(|(id, number)| Some((key(registers, valid, header.receiver(), id)?, number)));
    let Some((key, number)) = key.filter(|_| frame.len() >= at + MIC_OCTETS) else { return frame };
    let mut data = frame[at..frame.len() - MIC_OCTETS].to_vec();
    let nonce = nonce(header, number);
    let sealed = Aes128Ccm::new(&key.into()).encrypt_in_place(&nonce.into(), &header.additional_data(), &mut data);
    debug_assert!(sealed.is_ok(), "frames are short");
    let mut frame = frame[..at].to_vec();
    frame.extend(data);
    frame
}

/// Decrypts a protected frame from the air, leaving header and room as they were; `None` if the key is there and does not
/// fit. Without a key it stays as it is.
pub(crate) fn open(registers: &RegisterFile, valid: u32, frame: Vec<u8>) -> Option<Vec<u8>> {
    let Some(header) = Header::of(&frame).filter(|header| header.is_protected()) else { return Some(frame) };
    let at = header.length() + CCMP_HEADER_OCTETS;
    let key = header.ccmp().and_then(|(id, number)| Some((key(registers, valid, header.transmitter(), id)?, number)));
    let Some((key, number)) = key.filter(|_| frame.len() >= at + MIC_OCTETS) else { return Some(frame) };
    let mut data = frame[at..].to_vec();
    let nonce = nonce(header, number);
    Aes128Ccm::new(&key.into()).decrypt_in_place(&nonce.into(), &header.additional_data(), &mut data).ok()?;
    let mut frame = frame[..at].to_vec();
    frame.extend(data);
    frame.extend([0; MIC_OCTETS]);
    Some(frame)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::esp32c3::registers::peripheral;

    const VALID: u32 = 0x814;

    fn bytes(hexadecimal: &str) -> Vec<u8> {
        let digits: Vec<u8> = hexadecimal.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    /// A slot with the key of IEEE Std 802.11-2020 §J.6.4, for `address`.
    fn slot(address: &str) -> RegisterFile {
        let mut registers = RegisterFile::new(peripheral(""), 0x2000);
        let address = bytes(address);
        let key = bytes("c97c1f67ce371185514a8a19f2bdd52f");
        let word = |bytes: &[u8]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let at = SLOTS + 4 * SLOT_BYTES;
        registers.set(at, word(&address));
        registers.set(at + 4, u32::from(address[4]) | u32::from(address[5]) << 8 | 0x086c << 16);
        for (n, chunk) in key.chunks(4).enumerate() {
            registers.set(at + 8 + 4 * n as u32, word(chunk));
        }
        registers.set(VALID, 1 << 4);
        registers
    }

    const HEADER: &str = "0848c32c0fd2e128a57c5030f1844408abaea5b8fcba8033";
    const CCMP: &str = "0ce70020769703b5";
    const PLAIN: &str = "f8ba1a55d02f85ae967bb62fb6cda8eb7e78a050";
    const SEALED: &str = "f3d0a2fe9a3dbf2342a643e43246e80c3c04d0197845ce0b16f97623";

    #[test]
    fn a_frame_is_encrypted_as_in_the_standard_and_back() {
        let room = "0000000000000000";
        let plain = bytes(&format!("{HEADER}{CCMP}{PLAIN}{room}"));
        let sealed = bytes(&format!("{HEADER}{CCMP}{SEALED}"));
        assert_eq!(seal(&slot("0fd2e128a57c"), VALID, plain.clone()), sealed);
        assert_eq!(open(&slot("5030f1844408"), VALID, sealed.clone()), Some(plain));
        let mut changed = sealed;
        changed[40] ^= 1;
        assert_eq!(open(&slot("5030f1844408"), VALID, changed), None);
    }
}
