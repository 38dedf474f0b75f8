//! The kernel on an LX106: RAM as the ESP8266 has it, and a way out.

use emulator::access::Width;
use emulator::lx106::{Bus, BusFault, InterruptLines, Lx106};
use emulator::memory::{Access, Memory, Window};
use object::{Object as _, ObjectSegment as _};

const ELF: &[u8] = include_bytes!("lx106.elf");
const EXIT: u32 = 0x6000_0000;

/// The kernel, loaded and about to begin.
pub struct Kernel {
    pub core: Lx106,
    pub memory: Memory,
    pub exit: Exit,
}

impl Kernel {
    pub fn load() -> Self {
        let elf = object::File::parse(ELF).expect("the kernel is an ELF file");
        let mut memory = Memory::new();
        for (address, length, access) in
            [(0x3ffe_8000, 0x1_8000, Access::READ_WRITE), (0x4010_0000, 0x1_0000, Access::READ_WRITE_EXECUTE)]
        {
            let store = memory.add_store(length);
            memory.map(Window { address, length, store, offset: 0, access }).expect("a window of pages");
        }
        for segment in elf.segments() {
            let data = segment.data().expect("the segment is in the file");
            memory.write_slice(segment.address() as u32, data).expect("the kernel is linked to RAM");
        }
        Self { core: Lx106::new(elf.entry() as u32), memory, exit: Exit::default() }
    }
}

/// A store ends the machine; what is stored is the checksum.
#[derive(Default)]
pub struct Exit {
    pub checksum: Option<u32>,
}

impl Bus for Exit {
    fn load(&mut self, _: &mut Memory, _: u32, _: Width, _: u64) -> Result<u32, BusFault> {
        Err(BusFault)
    }

    fn store(&mut self, _: &mut Memory, address: u32, _: Width, value: u32, _: u64) -> Result<(), BusFault> {
        if address != EXIT {
            return Err(BusFault);
        }
        self.checksum = Some(value);
        Ok(())
    }

    fn interrupts(&mut self, _: u64) -> InterruptLines {
        InterruptLines::default()
    }

    fn next_event_cycle(&mut self, _: u64) -> u64 {
        u64::MAX
    }

    fn stop_requested(&mut self) -> bool {
        self.checksum.is_some()
    }
}
