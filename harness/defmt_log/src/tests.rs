use proptest::prelude::*;

use super::*;

/// Entries as `cargo build` leaves them in an ELF file: number, tag, data.
const ENTRIES: &[(u16, &str, &str)] = &[
    (1, "defmt_info", "booted in {=u32:ms} s, {=i8} {=u8:#04x} {=f32} {=bool}"),
    (2, "defmt_warn", "{=str} from {=istr}: {=[u8]:a} {=[u8; 2]} {=char}"),
    (3, "defmt_str", "the flash"),
    (4, "defmt_error", "failed: {}"),
    (5, "defmt_derived", "Timeout|Code {{ n: {=u16} }}|Other({=?})"),
    (6, "defmt_println", "register {0=0..4:b} {0=4..12:#x}, {1=[?]}"),
    (7, "defmt_prim", "{=u16}"),
    (8, "defmt_debug", "shown as {=__internal_Display}{=__internal_FormatSequence}"),
    (9, "defmt_trace", "loop {=?}"),
    (10, "defmt_derived", "{=?}"),
    (11, "defmt_prim", ""),
    (12, "defmt_info", "{=i16:x} {=u64:tus} {=[?; 2]:#x} {=u8:099999b}"),
];

fn table(encoding: Encoding, timestamp: Option<&str>) -> Table {
    Table::of(encoding, timestamp, ENTRIES)
}

/// The lines of whole frames.
fn bare(bytes: &[u8]) -> Vec<String> {
    let (lines, length) = table(Encoding::Raw, None).lines(bytes);
    assert_eq!(length, bytes.len(), "{lines:?}");
    lines
}

#[test]
fn messages_are_read_as_defmt_writes_them() {
    let booted = [&[1, 0][..], &1_234u32.to_le_bytes(), &[0xff, 0x0a], &1.5f32.to_le_bytes(), &[1]].concat();
    assert_eq!(bare(&booted), ["INFO booted in 1.234 s, -1 0x0a 1.5 true"]);
    let said =
        [&[2, 0, 2, 0, 0, 0][..], b"hi", &[3, 0, 3, 0, 0, 0], b"a\n\"", &[7, 8], &0xe9u32.to_le_bytes()].concat();
    assert_eq!(bare(&said), ["WARN hi from the flash: b\"a\\n\\\"\" [7, 8] \u{e9}"]);
    assert_eq!(bare(&[4, 0, 5, 0, 0]), ["ERROR failed: Timeout"]);
    assert_eq!(bare(&[4, 0, 5, 0, 1, 9, 1]), ["ERROR failed: Code { n: 265 }"]);
    assert_eq!(bare(&[4, 0, 5, 0, 2, 7, 0, 3, 0]), ["ERROR failed: Other(3)"]);
    assert_eq!(bare(&[6, 0, 0xa5, 0x0f, 2, 0, 0, 0, 7, 0, 1, 0, 2, 0]), ["register 101 0xfa, [1, 2]"]);
    let shown = [&[8, 0][..], b"a text", &[0xff, 7, 0, 4, 0, 7, 0, 5, 0, 0, 0]].concat();
    assert_eq!(bare(&shown), ["DEBUG shown as a text45"]);
    let hints = [&[12, 0, 0xfe, 0xff][..], &61_000_002u64.to_le_bytes(), &[7, 0, 9, 0, 16, 0, 1]].concat();
    let line = format!("INFO fffe 00:01:01.000002 [0x9, 0x10] {:0130b}", 1);
    assert_eq!(bare(&hints), [line]);
}

#[test]
fn timestamps_stand_in_front() {
    let table = table(Encoding::Raw, Some("{=u32:us}"));
    let frame = [4, 0, 0x40, 0x42, 0x0f, 0, 5, 0, 0];
    assert_eq!(table.lines(&frame), (vec!["1.000000 ERROR failed: Timeout".to_owned()], 9));
}

#[test]
fn frames_are_told_apart_by_zeros() {
    // The last byte has a bit for each of the seven bytes that it stands for, the last of them in its highest.
    let table = Table::of(Encoding::Rzcobs, None, &[(0, "defmt_info", "up"), (4, "defmt_info", "{=u8}{=u16}")]);
    assert_eq!(table.lines(&[0, 0, 0b111_1111, 0, 9]).1, 4);
    assert_eq!(rzcobs::decode(&[4, 7, 1, 2, 0b000_0011]), None, "bytes are missing");
    assert_eq!(rzcobs::decode(&[4, 7, 1, 2, 9, 8, 0b010_0000]), Some(vec![4, 7, 1, 2, 9, 0, 8]));
    let long: Vec<u8> = (1..=134).collect();
    assert_eq!(rzcobs::decode(&[&long[..], &[0xff]].concat()), Some(long.clone()));
    assert_eq!(rzcobs::decode(&[&long[..7], &[0x80]].concat()), Some([&long[..7], &[0]].concat()));
    assert!(table.lines(&[1, 2, 3, 0]).0[0].starts_with("(a damaged defmt frame of 3 bytes"));
}

#[test]
fn what_makes_no_sense_is_told_and_costs_little() {
    // A string that no frame begins with; a list that would take for ever; formats that refer to themselves.
    assert!(bare(&[3, 0])[0].contains("damaged"));
    assert!(bare(&[6, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 11, 0])[0].contains("damaged"));
    let endless: Vec<u8> = [9, 0].into_iter().chain([10, 0].into_iter().cycle().take(200)).collect();
    assert!(bare(&endless)[0].contains("damaged"));
    // What is not there yet is waited for.
    assert_eq!(table(Encoding::Raw, None).lines(&[4, 0, 5, 0, 0, 2, 0, 0xff, 0xff, 0xff, 0x7f]).1, 5);
}

#[test]
fn a_table_is_none_an_error_or_a_table() {
    assert_eq!(Table::of_elf(b"notes").err(), Some(TableError::NotElf));
    let image = include_bytes!("../../../firmware-under-test/images/esp32c3_mbedtls.elf");
    assert!(Table::of_elf(image).is_ok_and(|table| table.is_none()));
}

proptest! {
    #[test]
    fn whatever_comes_is_read_in_bounds(bytes in proptest::collection::vec(any::<u8>(), 0..600), number in 0u16..16) {
        for encoding in [Encoding::Raw, Encoding::Rzcobs] {
            let table = table(encoding, Some("{=u8}"));
            let all = [&number.to_le_bytes(), &bytes[..], &[0]].concat();
            let (lines, length) = table.lines(&all);
            prop_assert!(length <= all.len());
            prop_assert!(lines.iter().map(String::len).sum::<usize>() < 1 << 20);
        }
    }

    #[test]
    fn however_a_stream_is_cut_it_says_the_same(bytes in proptest::collection::vec(0u8..14, 0..200), cut in 0usize..200) {
        let at = cut.min(bytes.len());
        let table = table(Encoding::Rzcobs, None);
        let (mut lines, length) = table.lines(&bytes[..at]);
        lines.extend(table.lines(&bytes[length..]).0);
        prop_assert_eq!(lines, table.lines(&bytes).0);
    }
}
