//! gdb at an ESP8266: a session, and the registers' numbers and order held against those of QEMU's own gdb server, where it is
//! installed. No gdb for the LX106 can be had from a registry: `gdb-multiarch` has no Xtensa.
#![allow(clippy::print_stderr, reason = "whoever runs this reads it")]

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use emulator::gdb::{self, Ended};
use emulator::{EmulatedChip, Reset, Settings, model_of};

use crate::gdb_wire::Wire;
use crate::program::{addi, j};
use crate::qemu::COMPARED;

/// Where the program lies: RAM for code.
const PROGRAM: u32 = 0x4010_0000;
const VARIABLE: u32 = 0x3ffe_8000;
/// `s32i a2, a3, 0`
const S32I: u32 = 0x00_6322;

/// A chip before `1: addi a2, a2, 1; s32i a2, a3, 0; j 1b`, as its ROM leaves it.
fn chip() -> Box<dyn EmulatedChip> {
    let code: Vec<u8> = [addi(2, 2, 1), S32I, j(PROGRAM + 6, PROGRAM)]
        .iter()
        .flat_map(|bits| bits.to_le_bytes()[..3].to_vec())
        .chain([0; 3])
        .collect();
    let mut image = vec![0xe9, 1, 2, 0x40];
    for word in [PROGRAM, PROGRAM, code.len() as u32] {
        image.extend(word.to_le_bytes());
    }
    image.extend(&code);
    image.resize(image.len() | 15, 0);
    image.push(code.iter().fold(0xef, |sum, byte| sum ^ byte));
    let mut chip = (model_of(&chip::ESP8266).expect("it is emulated").power_on)(&Settings::default());
    chip.set_flash_content(&image).expect("it fits");
    chip.boot_from_flash();
    chip.reset(Reset::PowerOn);
    chip
}

fn hex(value: u32) -> String {
    value.to_le_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the chip's server answers.
fn ours(packets: &[String]) -> Vec<String> {
    let mut wire = Wire::new(packets);
    assert_eq!(gdb::serve(&mut *chip(), &mut wire, &mut |_| ()).expect("it ends well"), Ended::Detached);
    wire.answers()
}

#[test]
fn it_stops_at_breakpoints_and_watchpoints_steps_and_changes_registers() {
    let session = [
        "qSupported:multiprocess+".to_owned(),
        "?".to_owned(),
        format!("P3={}", hex(VARIABLE)),
        format!("Z0,{:x},3", PROGRAM + 3),
        "c".to_owned(),
        "p2".to_owned(),
        "p10".to_owned(),
        "c".to_owned(),
        "g".to_owned(),
        format!("z0,{:x},3", PROGRAM + 3),
        "s".to_owned(),
        "p10".to_owned(),
        format!("m{VARIABLE:x},4"),
        format!("Z2,{VARIABLE:x},4"),
        "c".to_owned(),
        format!("z2,{VARIABLE:x},4"),
        format!("P11={}", hex(9)),
        "p11".to_owned(),
        "p13".to_owned(),
        "p32".to_owned(),
        "D".to_owned(),
    ];
    let answers = ours(&session);
    assert_eq!(answers.len(), session.len(), "{answers:?}");
    assert!(!answers[0].contains("qXfer:features"), "a gdb for Xtensa takes no description: {}", answers[0]);
    assert!(answers[4].contains("swbreak:;"), "{}", answers[4]);
    assert_eq!((&answers[5], &answers[6]), (&hex(1), &hex(PROGRAM + 3)));
    // a0 to a15, the program counter, SAR, LITBASE, two words of the configuration, PS.
    assert_eq!(answers[8].len(), 22 * 8);
    assert_eq!(answers[8][2 * 8..4 * 8], hex(2) + &hex(VARIABLE));
    assert_eq!(answers[8][16 * 8..17 * 8], hex(PROGRAM + 3));
    assert_eq!(answers[8][21 * 8..], hex(0x20), "user mode");
    assert_eq!((&answers[11], &answers[12]), (&hex(PROGRAM + 6), &hex(2)));
    assert!(answers[14].contains(&format!("awatch:{VARIABLE:x}")), "{}", answers[14]);
    assert_eq!(answers[17], hex(9), "SAR");
    assert_eq!(answers[18], hex(0xc28c_dafa), "what tells the core's configuration");
    assert!(answers[19].is_empty() || answers[19].starts_with('E'), "there are 50 registers: {}", answers[19]);
}

#[test]
fn numbers_and_order_are_those_of_qemu_for_this_core() {
    let Some(mut qemu) = Qemu::start() else { return };
    // Each register gets a value of its own by its place in the packet, and QEMU's monitor has names for them.
    let places = qemu.ask("g").len() as u32 / 8;
    let values: String = (0..places).map(|place| hex(place + 1)).collect();
    assert_eq!(qemu.ask(&format!("G{values}")), "OK");
    let named = qemu.monitor("info registers");
    let place_of = |name: &str| {
        let value = named.split_ascii_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        u32::from_str_radix(value.expect("QEMU names it"), 16).expect("a number") - 1
    };
    assert_eq!((place_of("A00"), place_of("A15"), place_of("PC")), (0, 15, 16));
    for (register, name) in COMPARED {
        let place = place_of(name);
        let (mut chip, number) = (chip(), u16::from(register));
        assert_ne!(chip.system_register(number), Some(1), "{name}");
        let mut wire = Wire::new(&[format!("P{place:x}={}", hex(1)), format!("p{place:x}"), "D".to_owned()]);
        gdb::serve(&mut *chip, &mut wire, &mut |_| ()).expect("it ends well");
        assert_eq!((&*wire.answers()[1], chip.system_register(number)), (&*hex(1), Some(1)), "{name} at {place}");
    }
}

/// QEMU, halted, with its gdb server at its standard streams.
struct Qemu {
    child: Child,
    to: ChildStdin,
    from: ChildStdout,
}

impl Qemu {
    /// `None`, with the reason printed, where there is no QEMU.
    fn start() -> Option<Self> {
        let child = Command::new("qemu-system-xtensa")
            .args(["-M", "sim", "-cpu", "lx106", "-display", "none", "-serial", "none", "-monitor", "none"])
            .args(["-gdb", "stdio", "-S"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child = match child {
            Ok(child) => child,
            Err(error) => {
                eprintln!("skipped: qemu-system-xtensa does not start: {error}");
                return None;
            }
        };
        let (to, from) = (child.stdin.take().expect("it is piped"), child.stdout.take().expect("it is piped"));
        Some(Self { child, to, from })
    }

    fn ask(&mut self, packet: &str) -> String {
        let sum = packet.bytes().fold(0u8, u8::wrapping_add);
        self.to.write_all(format!("${packet}#{sum:02x}").as_bytes()).expect("it reads");
        self.answer()
    }

    /// What a command of the monitor prints.
    fn monitor(&mut self, command: &str) -> String {
        let digits: String = command.bytes().map(|byte| format!("{byte:02x}")).collect();
        let mut printed = String::new();
        let mut answer = self.ask(&format!("qRcmd,{digits}"));
        while let Some(digits) = answer.strip_prefix('O').filter(|digits| *digits != "K") {
            let pairs = digits.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).expect("digits"));
            printed.extend(pairs.map(|pair| char::from(u8::from_str_radix(pair, 16).expect("digits"))));
            answer = self.answer();
        }
        printed
    }

    /// One packet, without its frame; it is acknowledged.
    fn answer(&mut self) -> String {
        let mut byte = || {
            let mut byte = [0];
            self.from.read_exact(&mut byte).expect("an answer");
            byte[0]
        };
        while byte() != b'$' {}
        let answer = std::iter::from_fn(|| Some(byte()).filter(|byte| *byte != b'#')).collect();
        let _sum = [byte(), byte()];
        self.to.write_all(b"+").expect("it reads");
        String::from_utf8(answer).expect("it is text")
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        // It would wait for another gdb.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
