//! The flash as a driver meets it that knows JESD216 alone: `programs/flash_identity` asks it who it is, and does what
//! the answer says.

use std::collections::HashMap;

use clock::Instant;
use emulator::esp32c3::{Config, Esp32c3, SerialPort};

const PROGRAM: &[u8] = include_bytes!("programs/flash_identity.elf");

/// What the program prints on a chip with this much flash and this address: lines of a name and bytes.
fn said(flash_bytes: u32, mac: [u8; 6]) -> Vec<(String, String)> {
    let mut chip = Esp32c3::new(Config { flash_bytes, mac, ..Config::default() });
    chip.load_elf(PROGRAM).expect("a program for this chip");
    chip.run_until(Instant::from_millis(500));
    let mut said = Vec::new();
    while chip.now() < Instant::from_millis(500) {
        said.extend(chip.take_serial_output(SerialPort::Uart0));
        chip.run_until(Instant::from_millis(500));
    }
    said.extend(chip.take_serial_output(SerialPort::Uart0));
    let events = chip.take_events();
    assert!(events.is_empty(), "{events:#?}");
    let said = String::from_utf8(said).expect("text");
    let line = |line: &str| line.split_once(' ').map(|(name, bytes)| (name.to_owned(), bytes.to_owned()));
    said.lines().map(|l| line(l).unwrap_or_else(|| panic!("{l}"))).collect()
}

const MAC: [u8; 6] = [0x60, 0x55, 0xf9, 1, 2, 3];

/// The first nine words of the table, and where it lies, as SFUD printed them for a W25Q32JV
/// (<https://github.com/armink/SFUD/issues/84>).
#[test]
fn it_says_of_itself_what_a_w25q32jv_says() {
    let said: HashMap<String, String> = said(4 << 20, MAC).into_iter().collect();
    assert_eq!(said["identity"], "ef4016");
    assert_eq!(said["header"], "534644500501".to_owned() + "00ff" + "00050110" + "800000ff");
    let words = ["e520f9ff", "ffffff01", "44eb086b", "083b42bb", "feffffff", "ffff0000", "ffff40eb", "0c200f52"];
    assert!(said["table"].starts_with(&(words.concat() + "10d80000")), "{}", said["table"]);
}

#[test]
fn size_and_time_of_erasure_are_those_of_the_part() {
    let of = |flash_bytes| -> HashMap<String, String> { said(flash_bytes, MAC).into_iter().collect() };
    // The sixteen words that Linux' developers were shown of a part of 8 MiB (`xxd -p …/spi-nor/sfdp`), but for its time to
    // fall asleep.
    let words =
        "e520f9ffffffff0344eb086b083b42bbfeffffffffff0000ffff40eb0c200f5210d800003602a60082ea14c4e96376337a757a75";
    let large = of(8 << 20);
    assert_eq!(large["identity"], "ef4017");
    assert!(large["table"].starts_with(words), "{}", large["table"]);
    // 40 seconds are ten times four.
    let larger = of(16 << 20);
    assert_eq!(larger["identity"], "ef4018");
    assert!(larger["table"].contains("82ea14c9"), "{}", larger["table"]);
}

#[test]
fn what_the_table_names_is_what_the_part_does() {
    let said = said(4 << 20, MAC);
    let all = |name: &str| -> Vec<&str> { said.iter().filter(|(n, _)| n == name).map(|(_, b)| b.as_str()).collect() };
    assert_eq!(all("sizes"), ["0c08"], "sectors of 4 KiB, pages of 256 bytes");
    // QE is off in a new part; 31h sets it once writing is enabled, and uses that up.
    assert_eq!(all("quad"), ["0500", "0502"]);
    assert_eq!(all("enabled"), ["02", "00"]);
    // Four bytes programmed two before the end of a page; the byte without write enable is not.
    for read in ["1-4-4", "1-1-4", "1-1-2", "1-2-2"] {
        assert_eq!(all(read), ["0304ffffffffffffffffffff"], "{read}");
    }
    assert_eq!(all("end"), ["0102ffff"]);
}

#[test]
fn each_part_has_a_number_of_its_own() {
    let unique = |mac| said(4 << 20, mac).into_iter().find(|(name, _)| name == "unique").expect("it says so").1;
    assert_eq!(unique(MAC), unique(MAC));
    assert_ne!(unique(MAC), unique([0x60, 0x55, 0xf9, 1, 2, 4]));
    assert!(!unique(MAC).contains("ffffffff") && !unique(MAC).contains("00000000"), "esp-idf takes either for none");
}
