use std::collections::BTreeSet;

use super::*;

#[test]
fn a_chip_is_found_by_its_name_and_by_nothing_else() {
    assert_eq!(find("esp32c3").map(|chip| chip.title), Ok("ESP32-C3"));
    let unknown = find("esp32").expect_err("a name's beginning is no name");
    assert_eq!(unknown.to_string(), "there is no chip `esp32` here; there is esp32c3, esp8266");
}

/// Names become options, parts of file names and of stacks' names (`product@chip`).
#[test]
fn names_are_plain_and_nobody_elses() {
    let mut names = BTreeSet::new();
    for chip in CHIPS {
        assert!(!chip.name.is_empty(), "{chip:?}");
        assert!(chip.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{}", chip.name);
        assert!(names.insert(chip.name), "{} twice", chip.name);
        let ports: BTreeSet<PortId> = chip.serial_ports.iter().map(|port| port.id).collect();
        assert_eq!(ports.len(), chip.serial_ports.len(), "{}: two ports of one name", chip.name);
        assert!(chip.flash.application_offset < chip.flash.size_bytes, "{}", chip.name);
    }
}

#[test]
fn what_is_plugged_in_may_be_any_chip_that_is_such_a_device() {
    let names = |vendor, product| at_usb(vendor, product).map(|chip| chip.name).collect::<Vec<_>>();
    assert_eq!(names(0x303a, 0x1001), ["esp32c3"]);
    assert_eq!(names(0x303a, 0x1002), Vec::<&str>::new());
}

/// The header of an ELF file: class, byte order, machine.
fn header(class: u8, data: u8, machine: [u8; 2]) -> Vec<u8> {
    let mut bytes = vec![0x7f, b'E', b'L', b'F', class, data, 1];
    bytes.resize(18, 0);
    bytes.extend(machine);
    bytes
}

#[test]
fn an_elf_file_for_another_architecture_says_for_which() {
    let check = |bytes: &[u8]| ESP32C3.check_elf(bytes).map_err(|error| error.to_string());
    assert_eq!(check(&header(1, 1, [243, 0])), Ok(()));
    assert_eq!(check(&header(1, 1, [40, 0])), Err("an ELF file for 32-bit Arm, and not for 32-bit RISC-V".into()));
    assert_eq!(check(&header(1, 1, [9, 9])), Err("an ELF file for machine 2313, and not for 32-bit RISC-V".into()));
    let wide = "an ELF file for RISC-V, not of 32 bits with the lowest byte first, and not for 32-bit RISC-V";
    assert_eq!(check(&header(2, 1, [243, 0])), Err(wide.into()));
    assert_eq!(check(&header(1, 2, [0, 243])), Err(wide.into()));
    for no_elf in [&b""[..], b"\x7fELF", b"MZ\x90\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"] {
        assert_eq!(ESP32C3.check_elf(no_elf), Err(WrongElf::NotElf));
    }
}
