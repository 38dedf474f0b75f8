//! The kernel's machine: RAM and the way out of QEMU's `virt`.

use std::path::PathBuf;

use emulator::memory::{Access, Memory, Window};
use emulator::riscv::{Bus, BusFault, Hart, Width};
use object::{Object as _, ObjectSegment as _};

/// Where RAM begins.
pub const RAM: u32 = 0x8000_0000;
const RAM_BYTES: u32 = 0x20_0000;
const EXIT: u32 = 0x10_0000;
const EXIT_PASS: u32 = 0x5555;

/// The kernel as built from `kernel.rs`. Whoever includes this file is a crate of `harness/`.
pub fn elf_path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../emulator/benches/kernel/kernel.elf")
}

/// The kernel, loaded and about to begin.
pub struct Kernel {
    pub hart: Hart,
    pub memory: Memory,
    pub exit: Exit,
}

impl Kernel {
    pub fn load() -> Self {
        let bytes = std::fs::read(elf_path()).expect("the kernel lies beside the benchmark");
        let elf = object::File::parse(&*bytes).expect("the kernel is an ELF file");
        let mut memory = Memory::new();
        let store = memory.add_store(RAM_BYTES);
        let access = Access::READ_WRITE_EXECUTE;
        memory.map(Window { address: RAM, length: RAM_BYTES, store, offset: 0, access }).expect("a window of pages");
        for segment in elf.segments() {
            let data = segment.data().expect("the segment is in the file");
            memory.write_slice(segment.address() as u32, data).expect("the kernel is linked to RAM");
        }
        Self { hart: Hart::new(elf.entry() as u32), memory, exit: Exit::default() }
    }
}

/// QEMU's `sifive_test`: a store of 0x5555 ends the machine.
#[derive(Default)]
pub struct Exit {
    pub passed: bool,
}

impl Bus for Exit {
    fn load(&mut self, _: &mut Memory, _: u32, _: Width, _: u64) -> Result<u32, BusFault> {
        Err(BusFault)
    }

    fn store(&mut self, _: &mut Memory, address: u32, _: Width, value: u32, _: u64) -> Result<(), BusFault> {
        if (address, value) != (EXIT, EXIT_PASS) {
            return Err(BusFault);
        }
        self.passed = true;
        Ok(())
    }

    fn interrupt(&mut self, _: u64) -> Option<u8> {
        None
    }

    fn next_event_cycle(&mut self, _: u64) -> u64 {
        u64::MAX
    }

    fn stop_requested(&mut self) -> bool {
        self.passed
    }
}
