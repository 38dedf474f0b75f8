use std::sync::OnceLock;

use super::build::{self, Folder};
use super::espressif::{
    Application, Chip, Damage, Description, ESP32C3, OtaData, PartitionTable, Revision, TableDamage,
};
use super::layout::Boots;
use super::*;

use espflash::flasher::{FlashData, FlashSettings, FlashSize};
use espflash::image_format::idf::IdfBootloaderFormat;
use espflash::target::{Chip as EspflashChip, XtalFrequency};
use proptest::prelude::*;

const ELF: &[u8] = include_bytes!("../../../firmware-under-test/images/esp32c3_mbedtls.elf");
const TABLE_AT: usize = 0x8000;
pub(crate) const APPLICATION_AT: usize = 0x1_0000;

/// The parts that espflash would write for one of the released images.
fn parts() -> Vec<Part> {
    static PARTS: OnceLock<Vec<Part>> = OnceLock::new();
    PARTS.get_or_init(written_by_espflash).clone()
}

fn written_by_espflash() -> Vec<Part> {
    let mut settings = FlashSettings::default();
    settings.size = Some(FlashSize::_4Mb);
    let data = FlashData::new(settings, 0, None, EspflashChip::Esp32c3, XtalFrequency::_40Mhz);
    let image = IdfBootloaderFormat::new(ELF, &data, None, None, None, None).expect("espflash takes the image");
    let names = ["bootloader.bin", "partitions.bin", "firmware.bin"];
    let segments = image.flash_segments().zip(names);
    let part = |(segment, name): (espflash::image_format::Segment<'_>, &str)| Part {
        at: segment.addr,
        bytes: segment.data.to_vec(),
        name: PrintableName::new(name),
    };
    segments.map(part).collect()
}

pub(crate) fn merged() -> Vec<u8> {
    FlashImage::new(parts(), &ESP32C3).expect("it is whole").content
}

fn refused(change: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut bytes = merged();
    change(&mut bytes);
    FlashImage::merged("x.bin", bytes, &ESP32C3).expect_err("it is refused").to_string()
}

#[test]
fn what_espflash_writes_is_taken_in_parts_and_merged() {
    let in_parts = FlashImage::new(parts(), &ESP32C3).expect("it is whole");
    assert_eq!(in_parts.flash_bytes, 4 << 20);
    let Boots::Partition { label, description: Some(description), passed_over } = &in_parts.boots else {
        panic!("{:?}", in_parts.boots)
    };
    assert_eq!((label.to_string().as_str(), passed_over.len()), ("factory", 0));
    assert_eq!(description.project.to_string(), "esp32c3_mbedtls");
    let merged = FlashImage::merged("x.bin", in_parts.content.clone(), &ESP32C3).expect("the same");
    assert_eq!(merged, in_parts);
    // In the ELF file it says the same.
    assert_eq!(Description::within(ELF).as_ref(), Some(description));
    assert_eq!(Description::within(b"no ELF file, and no \x32\x54\xcd\xab in it"), None);
}

#[test]
fn every_form_is_recognised_by_its_content() {
    let [bootloader, table, application] = parts().try_into().expect("three parts");
    let c3 = Chip(5);
    assert_eq!(recognise(ELF), Kind::Elf { machine: 243, is_32_bit_little_endian: true });
    assert_eq!(recognise(&merged()), Kind::MergedFlash { chip: c3 });
    assert_eq!(recognise(&bootloader.bytes), Kind::RomLoadable { chip: c3 });
    assert_eq!(recognise(&table.bytes), Kind::PartitionTable);
    assert_eq!(recognise(&application.bytes), Kind::Application { chip: c3 });
    assert_eq!(recognise(b"{\"flash_files\": {}}"), Kind::FlasherArgs);
    assert_eq!(recognise(b" {\"builds\": []}"), Kind::WebManifest);
    assert_eq!(
        recognise(b"UF2\n\x57\x51\x5d\x9e\0\x20\0\0\0\0\0\x10\0\x01\0\0\0\0\0\0\x01\0\0\0\x56\xff\x8b\xe4"),
        Kind::Uf2 { family: 0xe48b_ff56 }
    );
    assert_eq!(recognise(&[0xff; 4096]), Kind::Erased);
    let classic = [vec![0xff; 0x1000], vec![0xe9, 3, 2, 0x2f], vec![0; 60]].concat();
    assert_eq!(recognise(&classic), Kind::MergedFlash { chip: Chip(0) });
    assert_eq!(recognise(b""), Kind::Empty);
    assert_eq!(recognise(b":10010000214601360121470136007EFE09D2190140\n"), Kind::Other("an Intel HEX file"));
    assert_eq!(recognise(b"\0\x01\x02\x03\x04"), Kind::Unknown { first: [0, 1, 2, 3] });
}

#[test]
fn an_image_for_another_chip_names_both() {
    let classic = |bytes: &mut Vec<u8>| bytes[12] = 0;
    assert_eq!(refused(classic), "it is for the ESP32, and this chip is an ESP32-C3: build it for the target esp32c3");
    let application = refused(|bytes| bytes[APPLICATION_AT + 12] = 9);
    assert!(
        application.starts_with("the application is for the ESP32-S3, and this chip is an ESP32-C3"),
        "{application}"
    );
    // An image of the ESP8266, whose header has no chip in it: magic, two segments, entry, address of the first.
    let esp8266 = [0xe9, 2, 2, 0x40, 0x5c, 0x10, 0x10, 0x40, 0, 0, 0x10, 0x40, 0, 1, 0, 0];
    let why = FlashImage::merged("x.bin", esp8266.to_vec(), &ESP32C3).expect_err("another chip").to_string();
    assert!(why.starts_with("it is for the ESP8266"), "{why}");
}

#[test]
fn a_part_alone_says_what_else_is_needed() {
    for part in parts() {
        let why = FlashImage::merged("x.bin", part.bytes, &ESP32C3).expect_err("a part is not all");
        assert!(matches!(why, Refused::Incomplete(_)), "{why}");
        assert!(why.to_string().contains("0x8000=partitions.bin"), "{why}");
    }
}

#[test]
fn what_would_not_boot_is_refused_with_its_reason() {
    assert_eq!(refused(|bytes| bytes[0x200] ^= 1), "the bootloader is damaged: its checksum is wrong");
    assert_eq!(
        refused(|bytes| bytes[TABLE_AT + 40] ^= 1),
        "the partition table at 0x8000 is damaged: its MD5 is wrong"
    );
    let factory = |why| format!("no partition holds an application that can be booted; factory: {why}");
    assert_eq!(refused(|bytes| bytes[APPLICATION_AT + 0x3000] ^= 1), factory("its checksum is wrong"));
    let cancelled_in_the_checksum = |bytes: &mut Vec<u8>| {
        bytes[APPLICATION_AT + 0x3000] ^= 1;
        bytes[APPLICATION_AT + 0x3001] ^= 1;
    };
    assert_eq!(refused(cancelled_in_the_checksum), factory("its SHA-256 is wrong"));
    assert_eq!(refused(|bytes| bytes[APPLICATION_AT..].fill(0xff)), factory("it is erased"));
    let cut = refused(|bytes| bytes.truncate(APPLICATION_AT + 0x3000));
    assert!(cut.contains("factory: segment 0 ends at"), "{cut}");
}

#[test]
fn the_rom_boots_a_bootloader_whose_digest_is_wrong() {
    let mut bytes = merged();
    bytes[0x200] ^= 1;
    bytes[0x201] ^= 1;
    assert!(FlashImage::merged("x.bin", bytes, &ESP32C3).is_ok());
}

#[test]
fn a_chip_that_is_too_old_or_too_new_is_refused() {
    let old = ESP32C3.with_revision(Revision(2));
    let why = FlashImage::new(parts(), &old).expect_err("esp-hal wants v0.3").to_string();
    assert!(why.contains("v0.3") && why.contains("this chip is v0.2"), "{why}");
}

#[test]
fn parts_that_overlap_or_end_behind_the_flash_are_refused() {
    let mut overlapping = parts();
    overlapping[0].bytes.resize(0x9000, 0);
    let why = FlashImage::new(overlapping, &ESP32C3).expect_err("they overlap").to_string();
    assert_eq!(why, "partitions.bin begins at 0x8000, before bootloader.bin has ended");
    let mut far = parts();
    far[2].at = 0xfff_f000;
    let why = FlashImage::new(far, &ESP32C3).expect_err("too far").to_string();
    assert!(why.starts_with("firmware.bin would end at 0x10"), "{why}");
    let without = FlashImage::new(parts().split_off(1), &ESP32C3).expect_err("no bootloader").to_string();
    assert!(without.starts_with("there is no bootloader at 0x0"), "{without}");
}

/// A table with a factory application and two slots, by the tool of the Rust side of ESP-IDF.
fn table_with_slots() -> PartitionTable {
    let csv = "otadata, data, ota, 0xe000, 0x2000\nfactory, app, factory, 0x10000, 0x10000\n\
               ota_0, app, ota_0, 0x20000, 0x10000\nota_1, app, ota_1, 0x30000, 0x10000\n\
               storage, data, spiffs, 0x40000, 0x20000\n";
    let theirs = esp_idf_part::PartitionTable::try_from_str(csv).expect("a good table");
    let ours = PartitionTable::parse(&theirs.to_bin().expect("it can be written")).expect("what they write");
    for (our, their) in ours.partitions.iter().zip(theirs.partitions()) {
        assert_eq!((our.at, our.length_bytes), (their.offset(), their.size()));
        assert_eq!(our.label.to_string(), their.name());
    }
    assert_eq!(ours.partitions.len(), theirs.partitions().len());
    ours
}

#[test]
fn otadata_says_what_is_booted_first_and_what_comes_after_it() {
    let table = table_with_slots();
    let order = |active| -> Vec<String> { table.boot_order(active).iter().map(|p| p.label.to_string()).collect() };
    assert_eq!(order(None), ["factory", "ota_0", "ota_1"]);
    assert_eq!(order(Some(1)), ["ota_1", "ota_0", "factory"]);
    assert_eq!(order(Some(0)), ["ota_0", "factory", "ota_1"]);
}

#[test]
fn the_higher_sequence_number_counts_if_its_sector_is_whole_and_not_given_up() {
    // Arduino's boot_app0.bin: sequence 1, and its CRC as `otatool.py` works it out.
    let sector = |sequence: u32, state: u32, crc: u32| {
        let mut bytes = vec![0xff; 0x1000];
        bytes[..4].copy_from_slice(&sequence.to_le_bytes());
        bytes[24..28].copy_from_slice(&state.to_le_bytes());
        bytes[28..32].copy_from_slice(&crc.to_le_bytes());
        bytes
    };
    let (one, two) = (sector(1, u32::MAX, 0x4743_989a), sector(2, u32::MAX, 0x55f6_3774));
    let active = |sectors: [&[u8]; 2]| OtaData::parse(&sectors.concat()).active(2);
    assert_eq!(active([&one, &[0xff; 0x1000]]), Some(0));
    assert_eq!(active([&one, &two]), Some(1));
    assert_eq!(active([&one, &sector(2, 4, 0x55f6_3774)]), Some(0), "it was aborted");
    assert_eq!(active([&one, &sector(2, u32::MAX, 0x55f6_3775)]), Some(0), "its CRC is wrong");
    assert_eq!(active([&[0xff; 0x1000], &[0xff; 0x1000]]), None);
    assert!(OtaData::looks_like(&[one, vec![0xff; 0x1000]].concat()));
}

#[test]
fn tables_that_end_badly_are_told_apart() {
    let mut bytes = parts()[1].bytes.clone();
    assert_eq!(PartitionTable::parse(&[]), Err(TableDamage::Missing));
    assert_eq!(PartitionTable::parse(&[0xff; 64]), Err(TableDamage::Missing));
    bytes[32] = 0x12;
    assert_eq!(PartitionTable::parse(&bytes), Err(TableDamage::Entry { number: 1, magic: [0x12, 0x50] }));
}

#[test]
fn lists_of_parts_are_read_as_their_tools_write_them() {
    let json = br#"{"flash_files": {"0x0": "bootloader/bootloader.bin", "0x10000": "hello.bin"},
        "extra_esptool_args": {"chip": "esp32c3"}}"#;
    let expected = vec![(0, "bootloader/bootloader.bin".to_string()), (0x1_0000, "hello.bin".to_string())];
    assert_eq!(build::flasher_args(json, &ESP32C3).expect("a good list").parts, expected);
    let text = "--flash-mode dio --flash-freq 80m\n0x0 bootloader/bootloader.bin\n0x10000 hello.bin\n";
    assert_eq!(build::flash_args(text).expect("a good list").parts, expected);
    let manifest =
        br#"{"name": "x", "builds": [{"chipFamily": "ESP32", "parts": [{"path": "esp32.bin", "offset": 4096}]},
        {"chipFamily": "ESP32-C3", "parts": [{"path": "hello.bin", "offset": 65536},
        {"path": "bootloader/bootloader.bin", "offset": 0}]}]}"#;
    assert_eq!(build::web_manifest(manifest, &ESP32C3).expect("a good list").parts, expected);
}

#[test]
fn a_list_for_another_chip_or_out_of_its_folder_is_refused() {
    let other = br#"{"flash_files": {"0x0": "a"}, "extra_esptool_args": {"chip": "esp32s3"}}"#;
    let why = build::flasher_args(other, &ESP32C3).expect_err("another chip").to_string();
    assert_eq!(why, "flasher_args.json has no build for the ESP32-C3, only for esp32s3");
    for path in ["../x.bin", "/etc/passwd", "a/../../x", "C:\\x", "https://example.org/x.bin", ""] {
        let json = serde_json::json!({"flash_files": {"0x0": path}}).to_string();
        let why = build::flasher_args(json.as_bytes(), &ESP32C3).expect_err(path);
        assert!(matches!(why, Refused::OutsideFolder { .. }), "{path}: {why}");
    }
}

#[test]
fn folders_are_told_apart_by_what_lies_in_them() {
    let folder = |names: &[&str]| build::folder(&names.iter().map(ToString::to_string).collect::<Vec<_>>(), &ESP32C3);
    assert_eq!(folder(&["CMakeCache.txt", "flasher_args.json"]), Ok(Folder::List("flasher_args.json")));
    let platformio = folder(&["firmware.bin", "bootloader.bin", "partitions.bin", "firmware.elf"]);
    let Ok(Folder::Files(files)) = platformio else { panic!("{platformio:?}") };
    let offsets: Vec<u32> = files.parts.iter().map(|(at, _)| *at).collect();
    assert_eq!(offsets, [0, 0x8000, 0x1_0000]);
    let why = folder(&["firmware.bin", "partitions.bin"]).expect_err("a file is missing").to_string();
    assert_eq!(why, "a build folder of PlatformIO, but without bootloader.bin");
    assert_eq!(folder(&["notes.txt"]), Err(Refused::NothingInFolder));
}

#[test]
fn names_of_others_cannot_steer_a_terminal() {
    assert_eq!(PrintableName::new("a\x1b[31mb\n\u{202e}c").to_string(), "a\u{fffd}[31mb\u{fffd}\u{fffd}c");
    assert_eq!(PrintableName::new(&"x".repeat(10_000)).to_string().len(), 80);
}

proptest! {
    #[test]
    fn any_bytes_are_recognised_and_taken_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), magic in 0..6_usize) {
        let magics: [&[u8]; 6] = [b"", b"\xe9", b"\xaa\x50", b"\x7fELF", b"UF2\n", b"{\"builds\":"];
        let bytes = [magics[magic], &bytes].concat();
        prop_assert!(!recognise(&bytes).to_string().is_empty());
        if let Err(why) = FlashImage::merged("x", bytes, &ESP32C3) {
            prop_assert!(!why.to_string().contains(char::is_control));
        }
    }

    /// Whatever is changed in an image that boots, it is taken or refused, and needs no more than a flash.
    #[test]
    fn a_changed_image_is_taken_or_refused(changes in prop::collection::vec((0..6_usize, 0..64_usize, any::<u8>()), 1..6), keep in 0..0x1_2000_usize) {
        let mut bytes = merged();
        bytes.truncate(keep.max(0x40));
        for (place, offset, value) in changes {
            let at = [0, 24, TABLE_AT, TABLE_AT + 32, APPLICATION_AT, APPLICATION_AT + 24][place] + offset;
            if let Some(byte) = bytes.get_mut(at) { *byte = value; }
        }
        match FlashImage::merged("x", bytes, &ESP32C3) {
            Ok(image) => prop_assert!(image.content.len() <= FLASH_BYTES_MAX as usize && image.flash_bytes <= FLASH_BYTES_MAX),
            Err(why) => prop_assert!(!why.to_string().contains(char::is_control)),
        }
    }

    #[test]
    fn any_list_is_read_or_refused(text in ".{0,200}") {
        let _ = build::flash_args(&text);
        let _ = build::flasher_args(text.as_bytes(), &ESP32C3);
        let _ = build::web_manifest(text.as_bytes(), &ESP32C3);
    }

    #[test]
    fn a_segment_length_is_never_believed(length in any::<u32>(), address in any::<u32>()) {
        let mut bytes = vec![0; 64];
        bytes[0] = 0xe9;
        bytes[1] = 1;
        bytes[12] = 5;
        bytes[24..28].copy_from_slice(&address.to_le_bytes());
        bytes[28..32].copy_from_slice(&length.to_le_bytes());
        if length as usize >= 32 {
            let is_cut_off = matches!(Application::parse(&bytes, &ESP32C3), Err(Damage::CutOff { .. }));
            prop_assert!(is_cut_off);
        }
    }
}
