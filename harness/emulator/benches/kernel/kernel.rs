//! The program that the benchmark of instruction speed runs: SHA-256, schoolbook bignum multiplication, filling bytes.
//!
//! It stands for what a TLS handshake computes, without a device: it runs on bare RV32IMC with RAM at 0x8000_0000, on
//! this emulator as on QEMU's `virt` machine, and ends by storing 0x5555 at 0x10_0000 (QEMU's `sifive_test`, "pass").
//! A checksum of everything computed lies in `a0` by then.
//!
//! Build, in this folder (rustc 1.95.0, target riscv32imc-unknown-none-elf):
//!
//! ```sh
//! rustc --edition 2024 --target riscv32imc-unknown-none-elf -C opt-level=3 -C panic=abort -C codegen-units=1 \
//!     -C link-arg=-Tkernel.ld -C strip=debuginfo --remap-path-prefix $PWD=kernel -o kernel.elf kernel.rs
//! ```
#![no_std]
#![no_main]

use core::arch::{asm, global_asm};
use core::hint::black_box;

global_asm!(
    ".section .text.start",
    ".global _start",
    "_start:",
    "la sp, stack_top",
    "j {main}",
    main = sym main,
);

const ROUNDS: u32 = 1000;

extern "C" fn main() -> ! {
    let mut checksum = 0;
    let mut message = [0u8; 16 * 1024];
    let mut left = [0u32; 64];
    let mut right = [0u32; 64];
    for round in 0..ROUNDS {
        fill(&mut message, round as u8);
        let digest = sha256(&message);
        for (i, (l, r)) in left.iter_mut().zip(&mut right).enumerate() {
            *l = digest[i % 8].rotate_left(i as u32);
            *r = digest[(i + 3) % 8].wrapping_mul(2 * i as u32 + 1);
        }
        for _ in 0..10 {
            let product = multiply(&left, &right);
            left.copy_from_slice(&product[32..96]);
            checksum = product.iter().fold(checksum, |sum: u32, word| sum.rotate_left(1) ^ word);
        }
    }
    // SAFETY: QEMU's `sifive_test` device ends the machine at this store; the benchmark's bus does too.
    unsafe {
        asm!("li t0, 0x100000", "li t1, 0x5555", "sw t1, 0(t0)", "1: j 1b", in("a0") checksum, options(noreturn))
    }
}

#[inline(never)]
fn fill(bytes: &mut [u8], seed: u8) {
    let mut value = seed;
    for byte in bytes {
        *byte = value;
        value = black_box(value.wrapping_add(0x35));
    }
}

const ROUND_CONSTANTS: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2,
];

/// SHA-256 of a message whose length is a multiple of 64.
#[inline(never)]
fn sha256(message: &[u8]) -> [u32; 8] {
    let mut state = [
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    ];
    for block in message.chunks_exact(64) {
        compress(&mut state, block);
    }
    let mut last = [0; 64];
    last[0] = 0x80;
    last[56..].copy_from_slice(&(8 * message.len() as u64).to_be_bytes());
    compress(&mut state, &last);
    state
}

#[inline(never)]
fn compress(state: &mut [u32; 8], block: &[u8]) {
    let mut w = [0u32; 64];
    for (word, bytes) in w.iter_mut().zip(block.chunks_exact(4)) {
        *word = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    for i in 16..64 {
        let s0 = w[i - 15].rotate_right(7) ^ w[i - 15].rotate_right(18) ^ (w[i - 15] >> 3);
        let s1 = w[i - 2].rotate_right(17) ^ w[i - 2].rotate_right(19) ^ (w[i - 2] >> 10);
        w[i] = w[i - 16].wrapping_add(s0).wrapping_add(w[i - 7]).wrapping_add(s1);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (word, constant) in w.iter().zip(&ROUND_CONSTANTS) {
        let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = (e & f) ^ (!e & g);
        let t1 = h.wrapping_add(s1).wrapping_add(choice).wrapping_add(*constant).wrapping_add(*word);
        let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let majority = (a & b) ^ (a & c) ^ (b & c);
        h = g;
        g = f;
        f = e;
        e = d.wrapping_add(t1);
        d = c;
        c = b;
        b = a;
        a = t1.wrapping_add(s0).wrapping_add(majority);
    }
    for (word, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *word = word.wrapping_add(new);
    }
}

/// The 4096-bit product of two 2048-bit numbers.
#[inline(never)]
fn multiply(left: &[u32; 64], right: &[u32; 64]) -> [u32; 128] {
    let mut product = [0; 128];
    for (i, &l) in left.iter().enumerate() {
        let mut carry = 0;
        for (place, &r) in product[i..].iter_mut().zip(right) {
            let sum = u64::from(l) * u64::from(r) + u64::from(*place) + carry;
            *place = sum as u32;
            carry = sum >> 32;
        }
        product[i + 64] = carry as u32;
    }
    product
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
