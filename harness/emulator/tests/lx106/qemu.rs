//! Lock-step with QEMU's `lx106`, where it is installed: the state before every instruction is compared.
#![allow(clippy::print_stderr, reason = "whoever runs this reads it")]

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use emulator::access::Width;
use emulator::lx106::{Bus, BusFault, InterruptLines, Lx106, disassemble, special_register as sr};
use emulator::memory::{Access, Memory, Window};

use object::{Object as _, ObjectSegment as _};

use crate::lx106_program;
use crate::program::{CODE_STORE, DATA_BYTES, DATA_STORE, random_program};

/// QEMU 7.2 or later, logging the processor's state before each instruction.
struct Qemu {
    child: Child,
    log: BufReader<ChildStderr>,
}

/// Names in QEMU's log and their values.
type State = HashMap<String, u32>;

impl Qemu {
    /// `None`, with the reason printed, where there is no QEMU.
    fn start(image: &Path) -> Option<Self> {
        let child = Command::new("qemu-system-xtensa")
            .args(["-M", "sim", "-cpu", "lx106", "-display", "none", "-serial", "none", "-monitor", "none"])
            .args(["-singlestep", "-d", "cpu,nochain"])
            .arg("-device")
            .arg(format!("loader,file={},addr={CODE_STORE:#x},force-raw=on", image.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = match child {
            Ok(child) => child,
            Err(error) => {
                eprintln!("skipped: qemu-system-xtensa does not start: {error}");
                return None;
            }
        };
        let log = BufReader::new(child.stderr.take().expect("it is piped"));
        Some(Self { child, log })
    }

    /// The next state; `None` at the end of the log.
    fn next(&mut self) -> Option<State> {
        let mut state = State::new();
        loop {
            let mut line = String::new();
            if self.log.read_line(&mut line).expect("the log is text") == 0 {
                return None;
            }
            for word in line.split_ascii_whitespace() {
                let Some((name, value)) = word.split_once('=') else { continue };
                if let Ok(value) = u32::from_str_radix(value, 16) {
                    state.insert(name.to_owned(), value);
                }
            }
            if state.contains_key("AR15") {
                return Some(state);
            }
        }
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Nothing is there but memory.
pub struct Nothing;

impl Bus for Nothing {
    fn load(&mut self, _: &mut Memory, _: u32, _: Width, _: u64) -> Result<u32, BusFault> {
        Err(BusFault)
    }

    fn store(&mut self, _: &mut Memory, _: u32, _: Width, _: u32, _: u64) -> Result<(), BusFault> {
        Err(BusFault)
    }

    fn interrupts(&mut self, _: u64) -> InterruptLines {
        InterruptLines::default()
    }

    fn next_event_cycle(&mut self, _: u64) -> u64 {
        u64::MAX
    }
}

/// What is compared besides `a0` to `a15` and the program counter.
pub const COMPARED: [(u8, &str); 19] = [
    (sr::SAR, "SAR"),
    (sr::PS, "PS"),
    (sr::LITBASE, "LITBASE"),
    (sr::VECBASE, "VECBASE"),
    (sr::EPC1, "EPC1"),
    (sr::EPC2, "EPC2"),
    (sr::EPC3, "EPC3"),
    (sr::EPS2, "EPS2"),
    (sr::EPS3, "EPS3"),
    (sr::DEPC, "DEPC"),
    (sr::EXCSAVE1, "EXCSAVE1"),
    (sr::EXCSAVE2, "EXCSAVE2"),
    (sr::EXCSAVE3, "EXCSAVE3"),
    (sr::EXCCAUSE, "EXCCAUSE"),
    (sr::EXCVADDR, "EXCVADDR"),
    (sr::DEBUGCAUSE, "DEBUGCAUSE"),
    (sr::DDR, "DDR"),
    (sr::IBREAKA0, "IBREAKA0"),
    (sr::DBREAKA0, "DBREAKA0"),
];

/// A core with a program in its memory, out of reset.
fn machine(image: &[u8]) -> (Lx106, Memory) {
    let mut memory = Memory::new();
    for (address, length, access) in
        [(CODE_STORE, image.len() as u32, Access::READ_EXECUTE), (DATA_STORE, DATA_BYTES, Access::READ_WRITE)]
    {
        let store = memory.add_store(length);
        memory.map(Window { address, length, store, offset: 0, access }).expect("it is whole pages");
    }
    memory.write_slice(CODE_STORE, image).expect("it is mapped");
    let mut core = Lx106::new(CODE_STORE);
    core.set_special(sr::VECBASE, 0x4000_0000);
    (core, memory)
}

/// Goes beside QEMU for so many instructions.
fn walk(qemu: &mut Qemu, image: &[u8], instructions: u32, what: &str) -> u32 {
    let (mut core, mut memory) = machine(image);
    let mut last = String::from("nothing");
    for executed in 0..instructions {
        let Some(theirs) = qemu.next() else { return executed };
        let context = || format!("{what}, after {executed} instructions, the last {last}");
        assert_eq!(core.pc(), theirs["PC"], "pc: {}", context());
        for number in 0..16 {
            let name = format!("A{number:02}");
            assert_eq!(core.register(number), theirs[&name], "{name}: {}", context());
        }
        for (register, name) in COMPARED {
            let ours = core.special(register).expect("the core has it");
            assert_eq!(ours, theirs[name], "{name}: ours {ours:#x}, {:#x}: {}", theirs[name], context());
        }
        let pc = core.pc();
        let mut bytes = [0; 4];
        memory.read_slice(pc, &mut bytes).expect("there is code");
        last = format!("{pc:#x}: {} ({:02x?})", disassemble(pc, u32::from_le_bytes(bytes)), &bytes[..3]);
        core.step(&mut memory, &mut Nothing);
    }
    instructions
}

/// Both walk through an image for so many instructions; `false` where there is no QEMU.
fn compare(image: &[u8], instructions: u32, what: &str) -> bool {
    static WRITTEN: AtomicU32 = AtomicU32::new(0);
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let file = std::env::temp_dir().join(format!("shakedown-lx106-{}-{number}.bin", std::process::id()));
    std::fs::write(&file, image).expect("the folder for temporary files is writable");
    let executed = Qemu::start(&file).map(|mut qemu| walk(&mut qemu, image, instructions, what));
    std::fs::remove_file(&file).expect("it was written");
    assert!(executed.is_none_or(|executed| executed == instructions), "{what}: {executed:?}");
    executed.is_some()
}

#[test]
fn code_of_a_compiler_in_lock_step() {
    const INSTRUCTIONS: u32 = 30_000;
    let Some(elf) = lx106_program::program("lx106", "kernel") else { return };
    let elf = object::File::parse(&*elf).expect("it was just built");
    let code = elf.segments().find(|segment| segment.address() == u64::from(CODE_STORE)).expect("its code");
    let mut image = code.data().expect("it is in the file").to_vec();
    image.resize(image.len().next_multiple_of(0x400), 0);
    compare(&image, INSTRUCTIONS, "kernel.c");
}

#[test]
fn random_programs_over_every_opcode() {
    const PROGRAMS: u64 = 12;
    const INSTRUCTIONS: u32 = 3_000;
    let mut counts = BTreeMap::new();
    for seed in 0..PROGRAMS {
        let image = random_program(seed, &mut counts);
        if !compare(&image, INSTRUCTIONS, &format!("seed {seed}")) {
            return;
        }
    }
    let rare: Vec<_> = counts.iter().filter(|(_, count)| **count < 20).collect();
    assert!(rare.is_empty(), "{rare:?}");
    assert!(counts.len() > 85, "opcodes by length: {counts:?}");
}
