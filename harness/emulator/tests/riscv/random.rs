//! Random programs, from a seed.

/// SplitMix64 (Steele, Lea and Flood 2014).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub fn word(&mut self) -> u32 {
        self.next() as u32
    }

    /// Less than `bound`.
    pub fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(self.word()) * u64::from(bound)) >> 32) as u32
    }

    pub fn one_in(&mut self, n: u32) -> bool {
        self.below(n) == 0
    }

    pub fn choose<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u32) as usize]
    }

    /// A register value: corner cases of shifts, comparison, multiplication and division are as likely as the rest.
    pub fn operand(&mut self) -> u32 {
        if self.one_in(2) {
            return self.word();
        }
        self.choose(&[0, 1, 2, 5, 31, 32, 33, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, u32::MAX])
    }
}

/// Which registers a random program may use how.
pub struct Registers {
    /// Any of these may be written.
    pub free: &'static [u32],
    /// Any of these is a base of loads and stores.
    pub pointers: &'static [u32],
}

/// Every 32-bit arithmetic encoding: opcode, funct3, funct7; the immediate forms of shifts have the same funct7.
const ALU: [(u32, u32); 18] = [
    (0, 0x00),
    (0, 0x20),
    (1, 0x00),
    (2, 0x00),
    (3, 0x00),
    (4, 0x00),
    (5, 0x00),
    (5, 0x20),
    (6, 0x00),
    (7, 0x00),
    (0, 0x01),
    (1, 0x01),
    (2, 0x01),
    (3, 0x01),
    (4, 0x01),
    (5, 0x01),
    (6, 0x01),
    (7, 0x01),
];

/// A random instruction between registers, or a load, store, branch or jump with a short offset.
pub fn full_instruction(random: &mut Random, registers: &Registers) -> u32 {
    let rd = random.choose(registers.free) << 7;
    let rs1 = random.below(32) << 15;
    let rs2 = random.below(32) << 20;
    let pointer = random.choose(registers.pointers) << 15;
    match random.below(16) {
        0..5 => {
            let (funct3, funct7) = random.choose(&ALU);
            funct7 << 25 | rs2 | rs1 | funct3 << 12 | rd | 0x33
        }
        5..8 => {
            let funct3 = random.below(8);
            let immediate = match funct3 {
                1 => random.below(32),
                5 => random.below(32) | random.below(2) << 10,
                _ => random.choose(&[0, 1, 0xfff, 0x800, 0x7ff]) ^ random.below(3),
            };
            immediate << 20 | rs1 | funct3 << 12 | rd | 0x13
        }
        8 => random.word() & 0xffff_f000 | rd | random.choose(&[0x37, 0x17]),
        9..11 => random.below(64) << 20 | pointer | random.choose(&[0, 1, 2, 4, 5]) << 12 | rd | 0x03,
        11..13 => random.below(4) << 25 | rs2 | pointer | random.below(3) << 12 | random.below(32) << 7 | 0x23,
        13..15 => {
            // Forward by up to 62 bytes, or back by up to 30.
            let (sign, offset) =
                if random.one_in(4) { (1, 0x7e0 | random.below(16) << 1) } else { (0, random.below(31) * 2 + 2) };
            let bits = sign << 31 | (offset >> 5 & 0x3f) << 25 | (offset >> 1 & 0xf) << 8 | (offset >> 11 & 1) << 7;
            bits | rs2 | rs1 | random.choose(&[0, 1, 4, 5, 6, 7]) << 12 | 0x63
        }
        _ => (random.below(30) + 1) << 21 | rd | 0x6f,
    }
}

/// A random compressed instruction with no regard to whether it is legal.
pub fn compressed_instruction(random: &mut Random) -> u16 {
    loop {
        let bits = random.word() as u16;
        if bits & 3 != 3 {
            return bits;
        }
    }
}
