//! One program for each device of the map.

use clock::Instant;
use emulator::{EmulatedChip as _, RadioFrame, model_of};

use super::{UART0, UART1, chip_with, said, said_with_resets};

/// Which program is about which row of the map.
const ROWS: &[(&str, &str)] = &[
    ("DPORT", "dport"),
    ("WDEV", "wdev"),
    ("DRAM", "memory"),
    ("ROM RAM", "memory"),
    ("ROM", "devices"),
    ("IRAM", "memory"),
    ("FLASH", "memory"),
    ("UART0", "uart"),
    ("SPI1", "spi"),
    ("SPI0", "spi"),
    ("GPIO", "gpio"),
    ("RF", "storage"),
    ("FRC", "frc"),
    ("RTC", "rtc"),
    ("IO_MUX", "storage"),
    ("WDT", "watchdog"),
    ("ANALOG", "storage"),
    ("UART1", "uart"),
    ("RTC memory", "rtc"),
    ("BB", "storage"),
];

#[test]
fn every_row_of_the_map_has_a_program() {
    let map = (model_of(&chip::ESP8266).expect("it is emulated").map)();
    let rows: Vec<&str> = map.lines().filter(|line| line.contains('-')).collect();
    assert_eq!(rows.len(), ROWS.len(), "{map}");
    for (line, (row, program)) in rows.iter().zip(ROWS) {
        assert!(line.contains(&format!("  {row}  ")), "{row}: {line}");
        assert!(super::PROGRAMS.iter().any(|(name, _)| name == program), "{program}");
    }
}

/// The window shows the megabyte that is chosen, edges pass where they may, and the core's clock is one of two.
#[test]
fn dport() {
    let expected = "\
megabyte 0 shows f1a50000
megabyte 1 shows f1a50001
megabyte 2 shows f1a50002
megabyte 3 shows f1a50003
the cache says it is on
0 edges pass while none may
some hundred pass while they may, and 0 afterwards
80 MHz: as it should
160 MHz: as it should
maker burnt 18fe34
";
    assert_eq!(said(&mut chip_with("dport"), 400), expected);
}

/// What the program sends, and what it hears.
const PROBE_REQUEST: &[u8] =
    b"\x40\0\0\0\xff\xff\xff\xff\xff\xff\x18\xfe\x34\x01\x02\x03\xff\xff\xff\xff\xff\xff\x10\0\0\0\x01\x04\x02\x04\x0b\x16";
const BEACON: &[u8] =
    b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x01\x02\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0d\0\x01\0\0\x01x\x01\x01\x82";

#[test]
fn wdev() {
    let mut chip = chip_with("wdev");
    let mut text = said(&mut chip, 30);
    let sent = chip.take_radio_output();
    assert_eq!(sent.iter().map(|frame| frame.bytes.as_slice()).collect::<Vec<_>>(), [PROBE_REQUEST]);
    let channel = sent[0].channel;
    let at = Instant::from_millis(31);
    chip.radio_input(RadioFrame { at, channel, rate_500_kbps: 2, signal_dbm: -50, bytes: BEACON.to_vec() });
    text.push_str(&said(&mut chip, 60));
    // Twelve bytes before the frame, four behind it.
    let expected = format!(
        "\
its microseconds: as it should
random differs
key 0 3030303
sent 1, status 0
and cleared: 1
listening
received {}, frame control 80, owner 1, end 1
",
        12 + BEACON.len() + 4
    );
    assert_eq!(text, expected);
}

/// EXCCAUSE 3 is a load or store that the memory does not take.
#[test]
fn memory() {
    let said = said(&mut chip_with("memory"), 50);
    let at = |line: &str| {
        let (_, address) = said.lines().find_map(|said| said.split_once(line)).expect(line);
        u32::from_str_radix(address.lines().next().unwrap_or_default(), 16).expect("an address")
    };
    let word = at("a byte to IRAM: cause 3 at ");
    assert!((0x4010_0000..0x4010_8000).contains(&word), "{word:x}");
    let expected = format!(
        "\
DRAM 3322aa00 55 7766
ROM RAM 7f020304
IRAM 33221100 5a5aa5a5
a byte of IRAM: cause 3 at {:x}
a half of IRAM: cause 3 at {:x}
a byte to IRAM: cause 3 at {word:x}
FLASH 89abcdef
a byte of the flash: cause 3 at 40210002
a word of it: cause 0
",
        word + 1,
        word + 2
    );
    assert_eq!(said, expected);
}

/// Ten bits a byte; an interrupt at ten bytes in the FIFO, and one when the line is silent.
#[test]
fn uart() {
    let mut chip = chip_with("uart");
    let mut text = said(&mut chip, 100);
    assert_eq!(chip.take_serial_output(UART1), b"UART1 speaks at 921600\n");
    chip.serial_input(UART0, b"0123456789ABCDEFGHIx");
    text.push_str(&said(&mut chip, 150));
    let expected = format!(
        "\
UART0 at 115200
{}
100 bytes take 8.6 ms: as it should
{}
TX empty 0, then at 19 bytes
autobaud has seen edges
speak
0123456789ABCDEFGHIx
heard 20, full 2, silent 0
",
        ".".repeat(100),
        "-".repeat(60)
    );
    assert_eq!(text, expected);
}

/// The W25Q32's identity and times; the flash has 4 MiB.
#[test]
fn spi() {
    let expected = "\
identity 1640ef
erased ffffffff, status 0
without permission ffffffff
permission 2
a page in 0.7 ms: as it should
permission is used up: 0
programmed 12345678
again, bits fall: 10305070
and at 4 MiB beyond: 10305070
a sector in 45 ms: as it should
erased ffffffff
SPI1 is done, and keeps cafe
";
    assert_eq!(said(&mut chip_with("spi"), 150), expected);
}

/// A pin that nobody drives is pulled up; one that is an open drain pulls down alone.
#[test]
fn gpio() {
    let mut chip = chip_with("gpio");
    let mut text = said(&mut chip, 50);
    chip.drive_pin(14, false);
    text.push_str(&said(&mut chip, 60));
    let expected = "\
driven 1 0
let go 1
open drain 0 1
five pulses, kind 1: 5 interrupts
five pulses, kind 2: 5 interrupts
five pulses, kind 3: 10 interrupts
pull pin 14 down
pulled: 1, level 0
";
    assert_eq!(text, expected);
}

/// 80, 5 and 0.3125 MHz; with a load again and without; an alarm, and one behind the counter's end.
#[test]
fn frc() {
    let expected = "\
FRC1 in a millisecond: as it should
FRC1 in a millisecond: as it should
FRC1 in a millisecond: as it should
ten of a millisecond each: as it should
without a load again: 1, and it goes round: 1
an alarm in 2 ms: as it should
it came 1 times
round the end: 1 alarms, then 2
";
    assert_eq!(said(&mut chip_with("frc"), 100), expected);
}

/// A reset by software keeps the RTC's registers and memory, and nothing else.
#[test]
fn rtc() {
    let expected = "\
reset cause 1
kept 0 0 0
not kept 0, data 1
the counter runs
reset cause 2
kept 33333333 11111111 22222222
not kept 0, data 1
the counter runs
";
    assert_eq!(said_with_resets(&mut chip_with("rtc"), 100), (expected.to_owned(), 1));
}

/// All clocks but the RTC's stop; what pins say is heard all the same.
#[test]
fn sleep() {
    let mut chip = chip_with("sleep");
    let mut text = said(&mut chip, 500);
    chip.drive_pin(14, false);
    text.push_str(&said(&mut chip, 520));
    let expected = "\
woken 0 before
slept 50000 periods: as it should
FRC2 stood still, the MAC stood still
kept 12345678, woken 1
pull pin 14 down
woken 0 before
a pin wakes it
";
    assert_eq!(text, expected);
}

/// Its interrupt comes a stage before it bites.
#[test]
fn watchdog() {
    let expected = "\
reset cause 1, marked 0
fed for 50 ms: 0 interrupts
then one after 6.6 ms: as it should
reset cause 4, marked d06
";
    assert_eq!(said_with_resets(&mut chip_with("watchdog"), 150), (expected.to_owned(), 1));
}

/// What is a row of storage keeps what it is told.
#[test]
fn storage() {
    let expected = "\
RF 12345678 9abcdef0
IO_MUX 12345678 9abcdef0
ANALOG 12345678 9abcdef0
BB 12345678 9abcdef0
I2C a5
";
    assert_eq!(said(&mut chip_with("storage"), 50), expected);
}
