//! What several test files need: the workspace, what a process said, and the smallest ELF file that runs.
#![allow(dead_code, reason = "each test file uses its part")]

use std::path::{Path, PathBuf};
use std::process::Output;

use runner::exit::Exit;

/// The workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace exists")
}

/// All that a process said.
pub fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// It ended so, and said this.
#[track_caller]
pub fn ends_with(output: &Output, exit: Exit, said: &str) {
    assert_eq!(output.status.code(), Some(exit.code.into()), "{}", words(output));
    assert!(words(output).contains(said), "no word of `{said}` in:\n{}", words(output));
}

/// An ELF file with one segment at `address`, which begins with its first instruction (for RISC-V, 32 bits).
pub fn elf_of(address: u32, code: &[u8]) -> Vec<u8> {
    let length = code.len() as u32;
    let mut elf = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    // An executable for RISC-V, whose program header follows at once.
    elf.extend([2, 0, 243, 0, 1, 0, 0, 0]);
    for word in [address, 52, 0, 0] {
        elf.extend(word.to_le_bytes());
    }
    for half in [52u16, 32, 1, 0, 0, 0] {
        elf.extend(half.to_le_bytes());
    }
    // PT_LOAD, readable, writable and executable.
    for word in [1, 84, address, address, length, length, 7, 4] {
        elf.extend(word.to_le_bytes());
    }
    elf.extend(code);
    elf
}
