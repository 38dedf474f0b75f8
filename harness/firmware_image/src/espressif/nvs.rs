//! NVS: keys and values in a partition, each entry with a checksum of its own.
//!
//! (ESP-IDF, "Non-volatile Storage Library", *Internals*; `components/nvs_flash/src/nvs_page.hpp` and `nvs_types.hpp`.)
//! A page of 4 KiB has a header, two bits a slot that say whether something lies there, and 126 slots of 32 bytes. A value that
//! does not fit in a slot lies in the ones behind it, with a CRC-32 in the first; one that does not fit in a page is cut into
//! pieces.

use core::ops::Range;
use std::collections::BTreeMap;

use super::ota_data::crc32;
use super::word;
use crate::error::PrintableName;

const PAGE_BYTES: usize = 0x1000;
const SLOT_BYTES: usize = 32;
const BITMAP: usize = 32;
const SLOTS: usize = 64;
const SLOTS_MAX: usize = 126;
/// The states of a page that is in use: active, full, and being emptied into another.
const IN_USE: [u32; 3] = [0xffff_fffe, 0xffff_fffc, 0xffff_fff8];
/// Two bits of the bitmap: something lies there, and nobody has deleted it.
const WRITTEN: u8 = 0b10;
/// Texts, blobs of the first format, and pieces of blobs: what has its bytes in the slots behind.
const TYPE_TEXT: u8 = 0x21;
const TYPE_BLOB: u8 = 0x41;
const TYPE_PIECE: u8 = 0x42;
/// Where a slot has its own CRC-32, its key, the length of its value and the CRC-32 of that.
const CRC: usize = 4;
const KEY: Range<usize> = 8..24;
const LENGTH: usize = 24;
const VALUE_CRC: usize = 28;

/// A value that lies in slots of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// Where its first slot is, in bytes from the beginning of the partition.
    at: usize,
    /// Its namespace's number, its key, its type, and which piece it is.
    namespace: u8,
    key: Vec<u8>,
    kind: u8,
    piece: u8,
    /// Where its bytes are.
    value: Range<usize>,
}

impl Entry {
    fn name(&self) -> PrintableName {
        PrintableName::new(&String::from_utf8_lossy(&self.key))
    }
}

/// Mends the two checksums of the value in which `changed` lies, in a partition with this content; gives its key. `None`: no
/// value that is there holds all of that.
pub(crate) fn mend(partition: &mut [u8], changed: &Range<usize>) -> Option<PrintableName> {
    let entry =
        entries(partition).find(|entry| entry.value.start <= changed.start && changed.end <= entry.value.end)?;
    let of_value = crc32(partition.get(entry.value.clone())?);
    let slot = partition.get_mut(entry.at..entry.at + SLOT_BYTES)?;
    slot[VALUE_CRC..].copy_from_slice(&of_value.to_le_bytes());
    let of_slot = crc32(&[&slot[..CRC], &slot[CRC + 4..]].concat());
    slot[CRC..CRC + 4].copy_from_slice(&of_slot.to_le_bytes());
    Some(entry.name())
}

/// Values that lie in several pieces, by their keys, put together.
pub(crate) fn in_pieces(partition: &[u8]) -> Vec<(PrintableName, Vec<u8>)> {
    let mut values: BTreeMap<(u8, Vec<u8>), BTreeMap<u8, Range<usize>>> = BTreeMap::new();
    for entry in entries(partition).filter(|entry| entry.kind == TYPE_PIECE) {
        values.entry((entry.namespace, entry.key)).or_default().insert(entry.piece, entry.value);
    }
    let together = |((_, key), pieces): ((u8, Vec<u8>), BTreeMap<u8, Range<usize>>)| {
        let bytes = pieces.into_values().filter_map(|piece| partition.get(piece)).collect::<Vec<_>>().concat();
        (PrintableName::new(&String::from_utf8_lossy(&key)), bytes)
    };
    values.into_iter().filter(|(_, pieces)| pieces.len() > 1).map(together).collect()
}

/// The values that are there and have slots of their own.
fn entries(partition: &[u8]) -> impl Iterator<Item = Entry> + '_ {
    let pages = partition.chunks_exact(PAGE_BYTES).enumerate().filter(|(_, page)| IN_USE.contains(&word(page, 0)));
    pages.flat_map(|(number, page)| of_page(page, number * PAGE_BYTES))
}

fn of_page(page: &[u8], from: usize) -> Vec<Entry> {
    let (mut slot, mut found) = (0, Vec::new());
    while slot < SLOTS_MAX {
        let state = page[BITMAP + slot / 4] >> (slot % 4 * 2) & 0b11;
        let at = SLOTS + slot * SLOT_BYTES;
        let bytes = &page[at..at + SLOT_BYTES];
        let [namespace, kind, span, piece, ..] = *bytes else { break };
        let (length, span) = (usize::from(u16::from_le_bytes([bytes[LENGTH], bytes[LENGTH + 1]])), usize::from(span));
        let has_value = state == WRITTEN && matches!(kind, TYPE_TEXT | TYPE_BLOB | TYPE_PIECE);
        // What has been damaged spans nothing, or more than there is.
        let is_whole = span > 1 && slot + span <= SLOTS_MAX && length <= (span - 1) * SLOT_BYTES;
        if !has_value || !is_whole {
            slot += 1;
            continue;
        }
        let key = bytes[KEY].split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
        let value = from + at + SLOT_BYTES..from + at + SLOT_BYTES + length;
        found.push(Entry { at: from + at, namespace, key, kind, piece, value });
        slot += span;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page in which values lie one behind the other, each with its type, piece and whether it was deleted. Checksums are
    /// not written: [`mend`] has to.
    fn page(values: &[(&str, u8, u8, bool, &[u8])]) -> Vec<u8> {
        let mut page = vec![0xff; PAGE_BYTES];
        page[..4].copy_from_slice(&IN_USE[0].to_le_bytes());
        let mut slot = 0;
        for (key, kind, piece, is_deleted, value) in values {
            let span = 1 + value.len().div_ceil(SLOT_BYTES);
            for written in slot..slot + span {
                let bits = if *is_deleted { 0b11 } else { 0b01 };
                page[BITMAP + written / 4] &= !(bits << (written % 4 * 2));
            }
            let at = SLOTS + slot * SLOT_BYTES;
            page[at..at + 4].copy_from_slice(&[1, *kind, span as u8, *piece]);
            page[at + KEY.start..at + KEY.start + key.len()].copy_from_slice(key.as_bytes());
            page[at + KEY.start + key.len()] = 0;
            page[at + LENGTH..at + LENGTH + 2].copy_from_slice(&(value.len() as u16).to_le_bytes());
            page[at + SLOT_BYTES..at + SLOT_BYTES + value.len()].copy_from_slice(value);
            slot += span;
        }
        page
    }

    #[test]
    fn a_value_that_is_there_is_mended_and_what_was_deleted_is_not() {
        let text = [b'x'; 70];
        let mut partition = page(&[("old", TYPE_TEXT, 0xff, true, &text), ("ca", TYPE_TEXT, 0xff, false, &text)]);
        let value = entries(&partition).next().expect("it is there").value;
        assert_eq!(value.len(), 70);
        let mended = mend(&mut partition, &(value.start + 1..value.end)).expect("it is there");
        assert_eq!(mended.to_string(), "ca");
        // CRC-32 that begins with 0, of 70 times `x`: computed by Python's zlib.crc32(b"x" * 70, 0xffffffff).
        let slot = value.start - SLOT_BYTES;
        assert_eq!(word(&partition, slot + VALUE_CRC), CRC_OF_70_X);
        let deleted = SLOTS + SLOT_BYTES;
        assert_eq!(mend(&mut partition, &(deleted..deleted + 9)), None);
        assert_eq!(mend(&mut partition, &(value.start..value.end + 1)), None, "it reaches beyond");
    }

    const CRC_OF_70_X: u32 = 0x83ad_8d15;

    #[test]
    fn a_blob_in_pieces_is_put_together_in_their_order() {
        let (first, second) = ([1_u8; 40], [2_u8; 33]);
        let partition = [
            page(&[("ca", TYPE_PIECE, 1, false, &second), ("one", TYPE_PIECE, 0, false, &first)]),
            page(&[("ca", TYPE_PIECE, 0, false, &first)]),
        ]
        .concat();
        let found = in_pieces(&partition);
        let whole = [&first[..], &second].concat();
        assert_eq!(
            found.iter().map(|(key, value)| (key.to_string(), value)).collect::<Vec<_>>(),
            [("ca".to_owned(), &whole)]
        );
    }

    #[test]
    fn whatever_lies_there_is_read_in_bounds() {
        for seed in 0..64_u32 {
            let mut noise = seed;
            let mut partition: Vec<u8> = (0..2 * PAGE_BYTES + 7)
                .map(|_| {
                    noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (noise >> 24) as u8
                })
                .collect();
            partition[..4].copy_from_slice(&IN_USE[1].to_le_bytes());
            partition[BITMAP..SLOTS].fill(0b1010_1010);
            for slot in 0..SLOTS_MAX {
                partition[SLOTS + slot * SLOT_BYTES + 1] = TYPE_PIECE;
            }
            for entry in entries(&partition) {
                assert!(entry.value.end <= partition.len(), "{entry:?}");
            }
            let _ = (mend(&mut partition, &(100..200)), in_pieces(&partition));
        }
    }
}
