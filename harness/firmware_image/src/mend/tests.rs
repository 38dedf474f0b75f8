use super::*;
use crate::FlashImage;
use crate::espressif::ESP32C3;
use crate::tests::{APPLICATION_AT, merged};

/// A data partition `label` of this subtype behind the application, in a table without an MD5.
fn with_data_partition(subtype: u8) -> Vec<u8> {
    let mut flash = merged();
    let at = PARTITION_TABLE as usize;
    let entry = |kind: u8, subtype: u8, offset: u32, length: u32, label: &[u8]| {
        let mut entry = [0_u8; 32];
        entry[..4].copy_from_slice(&[0xaa, 0x50, kind, subtype]);
        entry[4..8].copy_from_slice(&offset.to_le_bytes());
        entry[8..12].copy_from_slice(&length.to_le_bytes());
        entry[12..12 + label.len()].copy_from_slice(label);
        entry
    };
    flash[at..at + 0xc00].fill(0xff);
    flash[at..at + 32].copy_from_slice(&entry(0, 0, 0x1_0000, 0x10_0000, b"factory"));
    flash[at + 32..at + 64].copy_from_slice(&entry(1, subtype, 0x20_0000, 0x1000, b"store"));
    flash.resize(0x20_1000, 0xff);
    flash
}

#[test]
fn a_changed_application_boots_again() {
    let mut flash = merged();
    let at = APPLICATION_AT + 0x3000;
    flash[at..at + 4].copy_from_slice(b"ABCD");
    assert!(FlashImage::merged("x.bin", flash.clone(), &ESP32C3).is_err(), "it has to be mended");
    let mended = mend(&mut flash, &(at..at + 4), &ESP32C3).expect("it can be");
    assert_eq!(mended.to_string(), "the partition factory (checksum and SHA-256 mended)");
    assert!(FlashImage::merged("x.bin", flash, &ESP32C3).is_ok());
}

#[test]
fn what_lies_elsewhere_is_told_and_what_cannot_be_mended_refused() {
    let mut flash = with_data_partition(0x81);
    let range = 0x20_0010..0x20_0020;
    for (range, words) in [(&range, "the partition store"), (&(0x9000..0x9001), "no partition")] {
        assert_eq!(mend(&mut flash, range, &ESP32C3).expect("no checksum").to_string(), words);
    }
    let mut flash = with_data_partition(2);
    let why = mend(&mut flash, &range, &ESP32C3).expect_err("each entry has one").to_string();
    assert_eq!(why, "it lies in the partition store, in no value that is there");
    let mut flash = merged();
    flash[APPLICATION_AT + 1] = 0;
    let at = APPLICATION_AT + 0x3000;
    let why = mend(&mut flash, &(at..at + 1), &ESP32C3).expect_err("no segments").to_string();
    assert_eq!(why, "it lies in the partition factory, whose application is not whole");
}

#[test]
fn whatever_is_given_is_mended_in_bounds() {
    for mut bytes in [Vec::new(), vec![0xff; 0x9000], vec![0xe9; 0x9000], vec![0xe9, 1, 2, 3]] {
        let length = bytes.len();
        for range in [0..1, 0x8000..0x8001, usize::MAX - 1..usize::MAX] {
            let _ = mend(&mut bytes, &range, &ESP32C3);
        }
        assert_eq!(bytes.len(), length);
    }
}
