//! A little assembler, and random programs for the LX106.
//!
//! Code comes in groups of eight bytes, of which each begins an instruction: branches lead to groups, and a handler goes on
//! at the next one, so what is executed are the instructions that were chosen, and all others only if they are none.

use std::collections::BTreeMap;

use emulator::lx106::{Format, Instruction, Opcode, decode, special_register as sr};

use crate::random::Random;

/// Where the program lies, and where it begins after a reset.
pub const CODE_STORE: u32 = 0x5000_0000;
/// Where its data lies.
pub const DATA_STORE: u32 = 0x3ffc_0000;
pub const DATA_BYTES: u32 = 0x1_0000;
/// Literals may lie 256 KiB before the instruction that loads them.
const GROUPS: u32 = CODE_STORE + 0x4_1000;
const GROUPS_COUNT: u32 = 384;
const VECTORS: u32 = CODE_STORE + 0x1000;
const SETUP: u32 = CODE_STORE + 0x200;
const IMAGE_BYTES: usize = 0x4_2000;

/// Registers that no random instruction writes: the link, pointers to data, and one to code.
const LINK: u8 = 0;
const DATA_POINTERS: [u8; 3] = [1, 2, 3];
const CODE_POINTER: u8 = 12;

/// Special registers with which nothing happens but that they keep what is written.
const SPECIAL: [u8; 18] = [
    sr::SAR,
    sr::DDR,
    sr::IBREAKA0,
    sr::DBREAKA0,
    sr::EPC2,
    sr::EPC3,
    sr::DEPC,
    sr::EPS2,
    sr::EPS3,
    sr::EXCSAVE2,
    sr::EXCSAVE3,
    sr::EXCVADDR,
    sr::EXCCAUSE,
    sr::DEBUGCAUSE,
    sr::LITBASE,
    sr::VECBASE,
    sr::PS,
    sr::CONFIGID0,
];
/// Those of them that a program must not change.
const READ_ONLY: [u8; 4] = [sr::LITBASE, sr::VECBASE, sr::PS, sr::CONFIGID0];

pub const fn l32r(t: u32, at: u32, literal: u32) -> u32 {
    (literal.wrapping_sub((at + 3) & !3) >> 2 & 0xffff) << 8 | t << 4 | 1
}

pub const fn wsr(register: u8, t: u32) -> u32 {
    0x13_0000 | (register as u32) << 8 | t << 4
}

pub const fn rsr(register: u8, t: u32) -> u32 {
    0x03_0000 | (register as u32) << 8 | t << 4
}

pub const fn j(at: u32, target: u32) -> u32 {
    (target.wrapping_sub(at + 4) & 0x3_ffff) << 6 | 6
}

pub const fn addi(t: u32, s: u32, immediate: u32) -> u32 {
    immediate << 16 | 0xc << 12 | s << 8 | t << 4 | 2
}

pub const fn movi(t: u32, immediate: u32) -> u32 {
    (immediate & 0xff) << 16 | 0xa << 12 | (immediate >> 8 & 15) << 8 | t << 4 | 2
}

/// An access to `s + immediate`: `kind` is field `r`, and the immediate is scaled by the access's width.
pub const fn access(kind: u32, t: u32, s: u32, scaled: u32) -> u32 {
    scaled << 16 | kind << 12 | s << 8 | t << 4 | 2
}

pub const fn s32i(t: u32, s: u32, immediate: u32) -> u32 {
    access(6, t, s, immediate / 4)
}

pub const fn srli(r: u32, t: u32, amount: u32) -> u32 {
    0x41_0000 | r << 12 | amount << 8 | t << 4
}

pub const fn slli(r: u32, s: u32, amount: u32) -> u32 {
    let code = 32 - amount;
    0x01_0000 | (code >> 4) << 20 | r << 12 | s << 8 | (code & 15) << 4
}

pub const RFE: u32 = 0x00_3000;
pub const RFI_2: u32 = 0x00_3210;
const JX_CODE: u32 = 0xa0 | (CODE_POINTER as u32) << 8;

/// Writes long instructions one after the other.
pub fn place(image: &mut [u8], at: u32, instructions: &[u32]) {
    for (n, bits) in instructions.iter().enumerate() {
        let offset = (at - CODE_STORE) as usize + 3 * n;
        image[offset..offset + 3].copy_from_slice(&bits.to_le_bytes()[..3]);
    }
}

/// A handler that goes on at the group behind the instruction that `epc` names.
fn handler(epc: u8, save: u8, back: u32) -> [u32; 8] {
    [wsr(save, 0), rsr(epc, 0), srli(0, 0, 3), addi(0, 0, 1), slli(0, 0, 3), wsr(epc, 0), rsr(save, 0), back]
}

/// A random program: what lies at [`CODE_STORE`], and how often each opcode is in it.
pub fn random_program(seed: u64, counts: &mut BTreeMap<String, u32>) -> Vec<u8> {
    let mut random = Random(seed);
    let mut image = vec![0; IMAGE_BYTES];
    for byte in &mut image[0x2000..] {
        *byte = random.word() as u8;
    }
    set_up(&mut image, &mut random);
    for group in 0..GROUPS_COUNT {
        let lengths: &[u8] = random.choose(&[&[3, 3, 2][..], &[3, 2, 3], &[2, 3, 3], &[2, 2, 2, 2]]);
        let mut at = GROUPS + 8 * group;
        for &length in lengths {
            let bits = instruction(&mut random, at, length, counts);
            let offset = (at - CODE_STORE) as usize;
            image[offset..offset + usize::from(length)].copy_from_slice(&bits.to_le_bytes()[..usize::from(length)]);
            at += u32::from(length);
        }
    }
    place(&mut image, GROUPS + 8 * GROUPS_COUNT, &[JX_CODE]);
    image
}

fn set_up(image: &mut [u8], random: &mut Random) {
    let mut setup = Vec::new();
    let mut literals = vec![0; 4];
    let mut constant = |setup: &mut Vec<u32>, register: u32, value: u32| {
        let literal = CODE_STORE + literals.len() as u32;
        literals.extend(value.to_le_bytes());
        setup.push(l32r(register, SETUP + 3 * setup.len() as u32, literal));
    };
    constant(&mut setup, 4, VECTORS);
    setup.push(wsr(sr::VECBASE, 4));
    // User mode, interrupts of level 1 possible, none enabled.
    constant(&mut setup, 4, 0x20);
    setup.push(wsr(sr::PS, 4));
    for register in 0..16 {
        let value = match register {
            LINK | CODE_POINTER => GROUPS + 8 * random.below(GROUPS_COUNT),
            // Some are misaligned.
            register if DATA_POINTERS.contains(&register) => DATA_STORE + 0x4000 + random.below(0x8000),
            _ => random.operand(),
        };
        constant(&mut setup, register.into(), value);
    }
    setup.push(JX_CODE);
    image[..literals.len()].copy_from_slice(&literals);
    place(image, CODE_STORE, &[j(CODE_STORE, SETUP)]);
    place(image, SETUP, &setup);
    let (debug, user) = (VECTORS + 0x200, VECTORS + 0x300);
    place(image, VECTORS + 0x10, &[j(VECTORS + 0x10, debug)]);
    place(image, VECTORS + 0x30, &[j(VECTORS + 0x30, user)]);
    place(image, VECTORS + 0x50, &[j(VECTORS + 0x50, user)]);
    place(image, debug, &handler(sr::EPC2, sr::EXCSAVE2, RFI_2));
    place(image, user, &handler(sr::EPC1, sr::EXCSAVE1, RFE));
}

/// Encodings of which so much is fixed that chance seldom makes them: mask and bits.
pub const RARE: [(u32, u32); 21] = [
    (0xff_ffff, 0x00_0080),
    (0xff_ffff, 0x00_0000),
    (0xff_ffff, 0x00_5000),
    (0xff_f0ff, 0x00_00a0),
    (0xff_f0ff, 0x00_00c0),
    (0xff_ff0f, 0x00_2000),
    (0xff_f00f, 0x00_4000),
    (0xff_f00f, 0x00_6000),
    (0xff_f0ff, 0x40_0000),
    (0xff_f0ff, 0x40_1000),
    (0xff_f0ff, 0x40_2000),
    (0xff_f0ff, 0x40_3000),
    (0xff_f0ef, 0x40_4000),
    (0xff_e00f, 0x40_e000),
    (0xff_0e0f, 0x60_0000),
    (0xff_000f, 0x61_0000),
    (0xff_000f, 0x13_0000),
    (0xff_000f, 0x03_0000),
    (0xff_0f0f, 0x91_0000),
    (0xff_00ff, 0xa1_0000),
    (0xff_0f0f, 0xb1_0000),
];
pub const RARE_NARROW: [(u32, u32); 6] =
    [(0xf0ff, 0xf00d), (0xf0ff, 0xf02d), (0xffff, 0xf03d), (0xffff, 0xf06d), (0xf00f, 0x000d), (0x00cf, 0x008c)];

/// A jump, a call or a branch to some group near by.
fn jump(random: &mut Random, at: u32) -> u32 {
    let near = (at & !7).wrapping_add(8 * random.below(32)).wrapping_sub(8 * 16);
    let distance = near.wrapping_sub(at + 4);
    match random.below(4) {
        0 => j(at, near),
        1 => (near.wrapping_sub((at & !3) + 4) >> 2 & 0x3_ffff) << 6 | 5,
        2 => (distance & 0xfff) << 12 | random.word() & 0xfc0 | 0x16,
        _ => (distance & 0xff) << 16 | random.word() & 0xffff,
    }
}

/// An instruction that keeps the program inside of itself and its data; opcodes that were chosen rarely come first.
fn instruction(random: &mut Random, at: u32, length: u8, counts: &mut BTreeMap<String, u32>) -> u32 {
    let mut best = None;
    let mut candidates = 0;
    while candidates < 30 {
        let mut bits = random.word() & if length == 2 { 0xffff } else { 0xff_ffff };
        match random.below(6) {
            0 if length == 3 => bits = jump(random, at),
            // What computes something of two registers.
            3 | 4 if length == 3 => bits = bits & !0x0f_000f | random.choose(&[0, 0, 0x1_0000, 0x2_0000, 0x3_0000]),
            1 | 2 => {
                let (mask, fixed) = random.choose(if length == 2 { &RARE_NARROW[..] } else { &RARE });
                bits = bits & !mask | fixed;
            }
            _ => {}
        }
        let is_long = bits & 0xf < 8 || bits & 0xf >= 14;
        if is_long != (length == 3) {
            continue;
        }
        let name = match decode(bits) {
            Some(instruction) if is_tame(&instruction, at) => name_of(&instruction),
            _ => continue,
        };
        candidates += 1;
        let count = counts.get(&name).copied().unwrap_or(0);
        if best.as_ref().is_none_or(|(least, _, _)| count < *least) {
            best = Some((count, name, bits));
        }
    }
    let (_, name, bits) = best.expect("there were candidates");
    *counts.entry(name).or_default() += 1;
    bits
}

fn name_of(instruction: &Instruction) -> String {
    format!("{:?}.{}", instruction.opcode, instruction.length)
}

fn is_tame(instruction: &Instruction, at: u32) -> bool {
    let Instruction { opcode, format, r, s, t, immediate, .. } = *instruction;
    let writes = |register: u8| register != LINK && register != CODE_POINTER && !DATA_POINTERS.contains(&register);
    let leads_to_group = |target: u32| target.is_multiple_of(8) && target.wrapping_sub(GROUPS) < 8 * GROUPS_COUNT;
    let target = at.wrapping_add_signed(immediate);
    match opcode {
        // They lead to who knows where, for ever, or to the host.
        Opcode::Rfe | Opcode::Rfde | Opcode::Rfi | Opcode::Waiti | Opcode::Simcall => return false,
        // What the region protection is set to is not compared.
        Opcode::ReadTlb => return false,
        Opcode::Nop if matches!(format, Format::RegisterS | Format::RegistersTs) => return false,
        Opcode::Jx | Opcode::Callx0 => return s == CODE_POINTER,
        Opcode::Call0 => return leads_to_group((at & !3).wrapping_add_signed(immediate)),
        Opcode::Rsr => return writes(t) && SPECIAL.contains(&(immediate as u8)),
        Opcode::Wsr | Opcode::Xsr => {
            let number = immediate as u8;
            let is_kept = SPECIAL.contains(&number) && !READ_ONLY.contains(&number);
            return is_kept && (opcode == Opcode::Wsr || writes(t));
        }
        // Below 0 nothing would be taken, above it `break` is nothing.
        Opcode::Rsil => return writes(t) && matches!(immediate, 0..=2),
        // SAR above 32, and an amount of 32, are undefined.
        Opcode::Slli => return writes(r) && immediate < 32,
        _ => {}
    }
    match format {
        Format::Memory { .. } | Format::MemoryNarrow => {
            let stores = matches!(opcode, Opcode::S8i | Opcode::S16i | Opcode::S32i);
            DATA_POINTERS.contains(&s) && (stores || writes(t))
        }
        Format::Literal | Format::Constant => writes(t),
        Format::RegistersTs | Format::AddImmediate { .. } => writes(t),
        Format::ConstantNarrow => writes(s),
        Format::BranchZero
        | Format::BranchZeroNarrow
        | Format::BranchConstant
        | Format::BranchConstantUnsigned
        | Format::Branch
        | Format::BranchBit
        | Format::Jump => leads_to_group(target),
        Format::None | Format::RegisterS | Format::ShiftAmount | Format::Break | Format::BreakNarrow => true,
        _ => writes(r),
    }
}
