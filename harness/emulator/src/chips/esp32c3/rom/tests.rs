//! The modelled ROM against the real one: the same calls with the same memory, the same results.
//!
//! The real ROM is an ELF file in the `espflash` package; its code runs on the hart.

use std::sync::Arc;

use espflash::flasher::{DeviceInfo, FlashSize};
use espflash::target::{Chip, XtalFrequency};

use super::super::{Config, Esp32c3, Pause, Rom};
use super::functions;
use crate::machine::random::Random;
use clock::Instant;

/// Where calls return to.
const RETURN: u32 = 0x4038_0000;
/// Memory that calls work on.
const ARENA: u32 = 0x3fc9_0000;
const ARENA_BYTES: usize = 2048;

fn real_rom() -> Vec<u8> {
    let device = DeviceInfo {
        chip: Chip::Esp32c3,
        // espflash's file for "v3.0" is the ROM of v0.3.
        revision: Some((3, 0)),
        crystal_frequency: XtalFrequency::_40Mhz,
        flash_size: FlashSize::_4Mb,
        features: Vec::new(),
        mac_address: None,
    };
    device.rom().expect("espflash ships a ROM for this chip")
}

fn chips() -> [Esp32c3; 2] {
    [Rom::Modelled, Rom::Elf(Arc::from(real_rom()))].map(|rom| {
        let mut chip = Esp32c3::new(Config { rom, ..Config::default() });
        chip.hart_mut().add_breakpoint(RETURN);
        chip.halted = false;
        super::initialise(&mut chip.memory, 160);
        chip
    })
}

#[derive(Debug, PartialEq, Eq)]
struct Result {
    registers: [u32; 2],
    arena: Vec<u8>,
}

/// Calls a function; gives its result and the cycles that it took.
fn call(chip: &mut Esp32c3, name: &str, arguments: &[u32], arena: &[u8]) -> (Result, u64) {
    let address = *functions().iter().find(|(_, other)| **other == name).expect(name).0;
    chip.write_memory(ARENA, arena).expect("RAM");
    let hart = chip.hart_mut();
    for n in 1..32 {
        hart.set_register(n, 0);
    }
    hart.set_register(1, RETURN);
    hart.set_register(2, 0x3fcc_0000);
    for (n, argument) in arguments.iter().enumerate() {
        hart.set_register(10 + n as u8, *argument);
    }
    hart.set_pc(address);
    let before = chip.hart().cycle();
    let deadline = Instant::from_nanos(chip.now().as_nanos() + 1_000_000_000);
    let pause = chip.run_until(deadline);
    assert_eq!(pause, Pause::Breakpoint, "{name}{arguments:x?}: {:?}", chip.take_events());
    let mut arena = vec![0; arena.len()];
    chip.read_memory(ARENA, &mut arena).expect("RAM");
    let registers = [chip.hart().register(10), chip.hart().register(11)];
    (Result { registers, arena }, chip.hart().cycle() - before)
}

/// What of a function's result counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gives {
    Word,
    Pair,
    Memory,
}

struct Check {
    chips: [Esp32c3; 2],
    random: Random,
}

impl Check {
    fn new(seed: u64) -> Self {
        Self { chips: chips(), random: Random::new(seed) }
    }

    fn word(&mut self) -> u32 {
        self.random.next_word()
    }

    /// A word of the kind that finds mistakes: small, at a boundary, or anything.
    fn telling_word(&mut self) -> u32 {
        let word = self.word();
        match word >> 28 {
            0..=2 => word & 0xff,
            3 => 0,
            4 => u32::MAX,
            5 => 1 << 31,
            6 => (1 << 31) - 1,
            7 => 1 << (word & 31),
            _ => self.word() >> (word & 31),
        }
    }

    fn arena(&mut self) -> Vec<u8> {
        (0..ARENA_BYTES / 4).flat_map(|_| self.word().to_le_bytes()).collect()
    }

    /// Calls both; the results must agree, and the costs roughly.
    fn same(&mut self, name: &str, arguments: &[u32], arena: &[u8], gives: Gives) {
        let [modelled, real] = &mut self.chips;
        let (mut expected, real_cycles) = call(real, name, arguments, arena);
        let (mut got, cycles) = call(modelled, name, arguments, arena);
        for result in [&mut expected, &mut got] {
            match gives {
                Gives::Word => result.registers[1] = 0,
                Gives::Pair => {}
                Gives::Memory => result.registers = [0; 2],
            }
        }
        assert!(got.registers == expected.registers, "{name}{arguments:x?}: {got:x?}, the ROM {expected:x?}");
        assert!(got.arena == expected.arena, "{name}{arguments:x?} differs in memory");
        // A CPU with multiplication and division calls none of these: their cost is a mean.
        const MEANS: [&str; 6] = ["__mulsi3", "__muldi3", "__divsi3", "__modsi3", "__udivsi3", "__umodsi3"];
        if MEANS.contains(&name) {
            return;
        }
        assert!(
            cycles <= 2 * real_cycles + 60 && real_cycles <= 2 * cycles + 60,
            "{name}{arguments:x?} costs {cycles}, in the ROM {real_cycles}"
        );
    }
}

#[test]
fn memory_functions_agree() {
    let mut check = Check::new(1);
    for _ in 0..400 {
        let arena = check.arena();
        let [to, from, length] = [check.word() % 700, check.word() % 700, check.word() % 600];
        for name in ["memcpy", "memmove"] {
            // memcpy of overlapping areas is undefined.
            let from = if name == "memcpy" { 1_300 + from % 100 } else { from };
            check.same(name, &[ARENA + to, ARENA + from, length], &arena, Gives::Word);
        }
        let value = check.telling_word();
        check.same("memset", &[ARENA + to, value, length], &arena, Gives::Word);
        check.same("memchr", &[ARENA + to, value & 0xff, length], &arena, Gives::Word);
        let mut twice = arena.clone();
        twice.copy_within(to as usize..(to + length) as usize, 1_400);
        let differs = check.word().is_multiple_of(2);
        if differs && length > 0 {
            twice[1_400 + (check.word() % length) as usize] ^= 1;
        }
        let length = length.min(600);
        // Only the sign of memcmp is its interface, but firmware may have come to rely on more.
        check.same("memcmp", &[ARENA + to, ARENA + 1_400, length], &twice, Gives::Word);
    }
}

#[test]
fn string_functions_agree() {
    let mut check = Check::new(2);
    for _ in 0..300 {
        // Few letters, so that strings share beginnings and contain each other.
        let mut arena: Vec<u8> = (0..ARENA_BYTES).map(|_| b"abAB\x00ab"[check.word() as usize % 7]).collect();
        for end in (63..ARENA_BYTES).step_by(64) {
            arena[end] = 0;
        }
        let [a, b] = [check.word() % 1_000, 1_024 + check.word() % 900];
        let limit = check.word() % 40;
        for name in ["strcmp", "strcasecmp", "strstr"] {
            check.same(name, &[ARENA + a, ARENA + b], &arena, Gives::Word);
        }
        check.same("strcpy", &[ARENA + a, ARENA + b], &arena, Gives::Word);
        check.same("strcat", &[ARENA + a, ARENA + b], &arena, Gives::Word);
        check.same("strncmp", &[ARENA + a, ARENA + b, limit], &arena, Gives::Word);
        check.same("strncpy", &[ARENA + a, ARENA + b, limit], &arena, Gives::Word);
        check.same("strlcpy", &[ARENA + a, ARENA + b, limit], &arena, Gives::Word);
        let letter = u32::from(b"abBz\x00"[check.word() as usize % 5]);
        check.same("strchr", &[ARENA + a, letter], &arena, Gives::Word);
    }
}

#[test]
fn integer_functions_agree() {
    let mut check = Check::new(3);
    let words = [
        "__bswapsi2",
        "__clzsi2",
        "__ctzsi2",
        "__ffssi2",
        "__clrsbsi2",
        "__paritysi2",
        "__popcountsi2",
        "__divsi3",
        "__modsi3",
        "__udivsi3",
        "__umodsi3",
        "__mulsi3",
    ];
    let pairs_to_word = ["__clzdi2", "__ctzdi2", "__ffsdi2", "__clrsbdi2", "__popcountdi2", "__cmpdi2", "__ucmpdi2"];
    let pairs = ["__bswapdi2", "__muldi3", "__negdi2", "__divdi3", "__moddi3", "__udivdi3", "__umoddi3"];
    for _ in 0..300 {
        let [mut a, b, c, d] = [0; 4].map(|_| check.telling_word());
        for name in words {
            // Counting the zeros of zero is undefined.
            a |= u32::from(name.contains("clz") || name.contains("ctz"));
            check.same(name, &[a, b], &[], Gives::Word);
        }
        for name in pairs_to_word {
            check.same(name, &[a | u32::from(name.contains("tz")), b, c, d], &[], Gives::Word);
        }
        // Division by zero is undefined.
        let d = d | u32::from(c == 0);
        for name in pairs {
            check.same(name, &[a, b, c, d], &[], Gives::Pair);
        }
        for name in ["__ashldi3", "__ashrdi3", "__lshrdi3"] {
            check.same(name, &[a, b, c % 64], &[], Gives::Pair);
        }
        check.same("__udivmoddi4", &[a, b, c, d, ARENA], &[0; 16], Gives::Pair);
    }
}

#[test]
fn floating_point_functions_agree() {
    let mut check = Check::new(4);
    let float = |check: &mut Check| match check.word() % 8 {
        0 => 0,
        1 => 1 << 31,
        2 => f32::INFINITY.to_bits(),
        3 => f32::MIN_POSITIVE.to_bits() / 8,
        4 => 1.5f32.to_bits(),
        _ => check.word(),
    };
    let double = |check: &mut Check| match check.word() % 8 {
        0 => 0,
        1 => 1 << 63,
        2 => f64::NEG_INFINITY.to_bits(),
        3 => 3,
        4 => 2.5f64.to_bits(),
        // Numbers of like size, of which something remains.
        5 | 6 => f64::from(check.word() as i32).to_bits() | u64::from(check.word() & 0xff),
        _ => u64::from(check.word()) << 32 | u64::from(check.word()),
    };
    for _ in 0..300 {
        let [a, b] = [float(&mut check), float(&mut check)];
        for name in ["__addsf3", "__subsf3", "__mulsf3", "__divsf3", "__negsf2"] {
            check.same(name, &[a, b], &[], Gives::Word);
        }
        for name in ["__eqsf2", "__nesf2", "__ltsf2", "__lesf2", "__gtsf2", "__gesf2", "__unordsf2"] {
            check.same(name, &[a, b], &[], Gives::Word);
        }
        for name in ["__fixsfsi", "__fixunssfsi"] {
            check.same(name, &[a], &[], Gives::Word);
        }
        for name in ["__fixsfdi", "__fixunssfdi", "__extendsfdf2"] {
            check.same(name, &[a], &[], Gives::Pair);
        }
        let [a, b] = [double(&mut check), double(&mut check)].map(|d| [d as u32, (d >> 32) as u32]);
        let both = [a[0], a[1], b[0], b[1]];
        for name in ["__adddf3", "__subdf3", "__muldf3", "__divdf3"] {
            check.same(name, &both, &[], Gives::Pair);
        }
        for name in ["__eqdf2", "__nedf2", "__ltdf2", "__ledf2", "__gtdf2", "__gedf2", "__unorddf2"] {
            check.same(name, &both, &[], Gives::Word);
        }
        for name in ["__fixdfsi", "__fixunsdfsi", "__truncdfsf2"] {
            check.same(name, &a, &[], Gives::Word);
        }
        for name in ["__negdf2", "__fixdfdi"] {
            check.same(name, &a, &[], Gives::Pair);
        }
        let [i, j] = [check.telling_word(), check.telling_word()];
        for name in ["__floatsisf", "__floatunsisf", "__floatdisf", "__floatundisf"] {
            check.same(name, &[i, j], &[], Gives::Word);
        }
        for name in ["__floatsidf", "__floatunsidf", "__floatdidf", "__floatundidf"] {
            check.same(name, &[i, j], &[], Gives::Pair);
        }
    }
}

#[test]
fn checksums_agree() {
    let mut check = Check::new(5);
    for _ in 0..60 {
        let arena = check.arena();
        let (start, offset, length) = (check.telling_word(), check.word() % 64, check.word() % 500);
        for name in ["crc32_le", "crc32_be", "crc16_le", "crc16_be", "crc8_le", "crc8_be"] {
            let mask = if name.contains("32") {
                u32::MAX
            } else if name.contains("16") {
                0xffff
            } else {
                0xff
            };
            check.same(name, &[start & mask, ARENA + offset, length], &arena, Gives::Word);
        }
    }
}

#[test]
fn md5_agrees() {
    let mut check = Check::new(6);
    for _ in 0..40 {
        let [context, digest, data] = [ARENA, ARENA + 96, ARENA + 128];
        let mut arena = check.arena();
        let lengths = [check.word() % 70, check.word() % 300];
        let run = |check: &mut Check, arena: &mut Vec<u8>, name: &str, arguments: &[u32]| {
            check.same(name, arguments, arena, Gives::Memory);
            let mut after = vec![0; arena.len()];
            check.chips[1].read_memory(ARENA, &mut after).expect("RAM");
            *arena = after;
        };
        run(&mut check, &mut arena, "MD5Init", &[context]);
        for length in lengths {
            run(&mut check, &mut arena, "MD5Update", &[context, data, length]);
        }
        check.same("MD5Final", &[digest, context], &arena, Gives::Memory);
    }
}

#[test]
fn frequencies_and_delays_agree() {
    let mut check = Check::new(7);
    for (name, arguments) in [
        ("ets_get_cpu_frequency", [0]),
        ("ets_update_cpu_frequency", [80]),
        ("ets_get_printf_channel", [0]),
        ("ets_delay_us", [250]),
        ("rtc_get_reset_reason", [0]),
    ] {
        let gives = if name.contains("get") { Gives::Word } else { Gives::Memory };
        check.same(name, &arguments, &[], gives);
    }
}

/// Hands compressed pieces over one by one, as a flash loader does: the last status, and what came out.
fn inflate(chip: &mut Esp32c3, compressed: &[u8]) -> (i32, Vec<u8>) {
    const STRUCTURE: u32 = 0x3fca_0000;
    const RING: u32 = 0x3fcb_0000;
    const RING_BYTES: u32 = 0x8000;
    const INPUT: u32 = ARENA + 8;
    /// Parse a zlib header; there is more input.
    const FLAGS: u32 = 1 | 2;
    chip.write_memory(STRUCTURE, &[0; 4]).expect("RAM");
    let mut produced = Vec::new();
    let (mut at, mut next) = (0, 0);
    loop {
        let piece = &compressed[at..(at + 997).min(compressed.len())];
        let sizes = [piece.len() as u32, RING_BYTES - next].map(u32::to_le_bytes).concat();
        let arena = [sizes.as_slice(), piece].concat();
        let arguments = [STRUCTURE, INPUT, ARENA, RING, RING + next, ARENA + 4, FLAGS];
        let (result, _) = call(chip, "tinfl_decompress", &arguments, &arena);
        let status = result.registers[0] as i32;
        let word = |n: usize| u32::from_le_bytes(result.arena[n..n + 4].try_into().expect("four bytes"));
        let mut bytes = vec![0; word(4) as usize];
        chip.read_memory(RING + next, &mut bytes).expect("RAM");
        produced.extend(bytes);
        (at, next) = (at + word(0) as usize, (next + word(4)) % RING_BYTES);
        if status <= 0 || word(0) + word(4) == 0 {
            return (status, produced);
        }
    }
}

/// How far each reads ahead is its own affair.
#[test]
fn tinfl_decompress_agrees() {
    let mut check = Check::new(11);
    for round in 0..3 {
        // Runs and noise.
        let plain: Vec<u8> =
            (0..40_000).map(|n| if n / 100 % 8 != 0 { (n / 7) as u8 } else { check.word() as u8 }).collect();
        let mut compressed = miniz_oxide::deflate::compress_to_vec_zlib(&plain, 6);
        if round == 2 {
            compressed[200] ^= 0x10;
        }
        let [modelled, real] = check.chips.each_mut().map(|chip| inflate(chip, &compressed));
        if round == 2 {
            assert!(modelled.0 < 0 && real.0 < 0, "damaged: {} and {}", modelled.0, real.0);
        } else {
            assert_eq!((modelled.0, real.0), (0, 0));
            assert!(modelled.1 == plain && real.1 == plain);
        }
    }
}

#[test]
fn reading_the_flashs_status_agrees() {
    let mut check = Check::new(12);
    for command in [0x05, 0x35] {
        check.same("esp_rom_spiflash_read_user_cmd", &[ARENA, command], &[0xff; 16], Gives::Memory);
    }
}
