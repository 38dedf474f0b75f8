//! Cyclic redundancy checks and MD5.

use super::{BadAddress, Function, Machine};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("crc32_le", crc32_le),
    ("crc32_be", crc32_be),
    ("crc16_le", crc16_le),
    ("crc16_be", crc16_be),
    ("crc8_le", crc8_le),
    ("crc8_be", crc8_be),
    ("MD5Init", md5_init),
    ("MD5Update", md5_update),
    ("MD5Final", md5_final),
];

/// A check of `width` bits, lowest bit first. The ROM inverts the value on the way in and out.
fn reflected(machine: &mut Machine<'_>, width: u32, polynomial: u32) -> Result<u64, BadAddress> {
    let mask = u32::MAX >> (32 - width);
    let bytes = machine.read_vec(machine.argument(1), machine.argument(2))?;
    let mut crc = !machine.argument(0) & mask;
    for byte in &bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 != 0 { polynomial } else { 0 };
        }
    }
    machine.set_result(!crc & mask);
    Ok(8 + if width == 8 { 8 } else { 12 } * bytes.len() as u64)
}

/// A check of `width` bits, highest bit first.
fn straight(machine: &mut Machine<'_>, width: u32, polynomial: u32) -> Result<u64, BadAddress> {
    let mask = u32::MAX >> (32 - width);
    let bytes = machine.read_vec(machine.argument(1), machine.argument(2))?;
    let mut crc = !machine.argument(0) & mask;
    for byte in &bytes {
        crc ^= u32::from(*byte) << (width - 8);
        for _ in 0..8 {
            let carry = crc >> (width - 1) & 1 != 0;
            crc = (crc << 1 ^ if carry { polynomial } else { 0 }) & mask;
        }
    }
    machine.set_result(!crc & mask);
    Ok(8 + if width == 8 { 8 } else { 12 } * bytes.len() as u64)
}

fn crc32_le(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    reflected(machine, 32, 0xedb8_8320)
}

fn crc32_be(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    straight(machine, 32, 0x04c1_1db7)
}

fn crc16_le(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    reflected(machine, 16, 0x8408)
}

fn crc16_be(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    straight(machine, 16, 0x1021)
}

fn crc8_le(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    reflected(machine, 8, 0xe0)
}

fn crc8_be(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    straight(machine, 8, 0x07)
}

/// RFC 1321, over a context in the chip's memory: four words of state, 64 bits of length, a block of 64 bytes.
struct Md5 {
    state: [u32; 4],
    length_bits: u64,
    block: [u8; 64],
}

const MD5_CONTEXT_BYTES: u32 = 16 + 8 + 64;
const CYCLES_PER_BLOCK: u64 = 864;

impl Md5 {
    fn load(machine: &mut Machine<'_>, address: u32) -> Result<Self, BadAddress> {
        let bytes = machine.read_vec(address, MD5_CONTEXT_BYTES)?;
        let words = |n: usize| u32::from_le_bytes([bytes[4 * n], bytes[4 * n + 1], bytes[4 * n + 2], bytes[4 * n + 3]]);
        let mut block = [0; 64];
        block.copy_from_slice(&bytes[24..]);
        let length_bits = u64::from(words(4)) | u64::from(words(5)) << 32;
        Ok(Self { state: [words(0), words(1), words(2), words(3)], length_bits, block })
    }

    fn save(&self, machine: &mut Machine<'_>, address: u32) -> Result<(), BadAddress> {
        let mut bytes: Vec<u8> = self.state.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.extend(self.length_bits.to_le_bytes());
        bytes.extend(self.block);
        machine.write_bytes(address, &bytes)
    }

    fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let at = (self.length_bits / 8 % 64) as usize;
            self.block[at] = *byte;
            self.length_bits = self.length_bits.wrapping_add(8);
            if at == 63 {
                self.transform();
            }
        }
    }

    fn transform(&mut self) {
        const SHIFTS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
        let words: Vec<u32> = self
            .block
            .chunks_exact(4)
            .map(|chunk| u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]))
            .collect();
        let [mut a, mut b, mut c, mut d] = self.state;
        for step in 0..64 {
            let (mixed, index) = match step / 16 {
                0 => (b & c | !b & d, step),
                1 => (d & b | !d & c, (5 * step + 1) % 16),
                2 => (b ^ c ^ d, (3 * step + 5) % 16),
                _ => (c ^ (b | !d), 7 * step % 16),
            };
            // RFC 1321 §3.4: T[i] is the integer part of 4294967296 times abs(sin(i)).
            let constant = (((step + 1) as f64).sin().abs() * 4_294_967_296.0) as u32;
            let sum = a.wrapping_add(mixed).wrapping_add(constant).wrapping_add(words[index]);
            (a, d, c) = (d, c, b);
            b = b.wrapping_add(sum.rotate_left(SHIFTS[step / 16][step % 4]));
        }
        for (state, value) in self.state.iter_mut().zip([a, b, c, d]) {
            *state = state.wrapping_add(value);
        }
    }
}

fn md5_init(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let address = machine.argument(0);
    // The ROM sets state and length, and leaves the block as it is.
    for (n, word) in [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0, 0].into_iter().enumerate() {
        machine.write_word(address.wrapping_add(4 * n as u32), word)?;
    }
    Ok(20)
}

fn md5_update(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let (context, length) = (machine.argument(0), machine.argument(2));
    let bytes = machine.read_vec(machine.argument(1), length)?;
    let mut md5 = Md5::load(machine, context)?;
    let blocks = (md5.length_bits / 8 % 64 + u64::from(length)) / 64;
    md5.update(&bytes);
    md5.save(machine, context)?;
    Ok(54 + 2 * u64::from(length) + CYCLES_PER_BLOCK * blocks)
}

fn md5_final(machine: &mut Machine<'_>) -> Result<u64, BadAddress> {
    let (digest, context) = (machine.argument(0), machine.argument(1));
    let mut md5 = Md5::load(machine, context)?;
    let length_bits = md5.length_bits;
    md5.update(&[0x80]);
    while md5.length_bits / 8 % 64 != 56 {
        md5.update(&[0]);
    }
    md5.update(&length_bits.to_le_bytes());
    let bytes: Vec<u8> = md5.state.iter().flat_map(|word| word.to_le_bytes()).collect();
    machine.write_bytes(digest, &bytes)?;
    machine.write_bytes(context, &[0; MD5_CONTEXT_BYTES as usize])?;
    let blocks = if length_bits / 8 % 64 < 56 { 1 } else { 2 };
    Ok(85 + CYCLES_PER_BLOCK * blocks)
}
