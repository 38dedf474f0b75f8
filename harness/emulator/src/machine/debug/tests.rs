use super::{DebugModule, HaltCause, Target, Transport, Unavailable};
use crate::machine::access::Width;

/// A hart that is nothing but registers and a few bytes.
#[derive(Default)]
struct Machine {
    halted: bool,
    has_reset: bool,
    halts_on_reset: bool,
    registers: [u32; 32],
    memory: [u8; 16],
    executed: Vec<u32>,
}

impl Machine {
    fn range(&self, address: u32, width: Width) -> Result<std::ops::Range<usize>, Unavailable> {
        let range = address as usize..address as usize + width.bytes() as usize;
        if range.end <= self.memory.len() { Ok(range) } else { Err(Unavailable) }
    }
}

impl Target for Machine {
    fn is_halted(&self) -> bool {
        self.halted
    }
    fn halt(&mut self) {
        self.halted = true;
    }
    fn resume(&mut self) {
        self.halted = false;
    }
    fn reset(&mut self, halt: bool) {
        (self.has_reset, self.halted) = (true, halt || self.halts_on_reset);
    }
    fn has_reset(&self) -> bool {
        self.has_reset
    }
    fn acknowledge_reset(&mut self) {
        self.has_reset = false;
    }
    fn halt_on_reset(&mut self, halt: bool) {
        self.halts_on_reset = halt;
    }
    fn read_register(&mut self, number: u16) -> Result<Option<u32>, Unavailable> {
        match number {
            0x1000..=0x101f => Ok(Some(self.registers[usize::from(number - 0x1000)])),
            0..0x1000 => Err(Unavailable),
            _ => Ok(None),
        }
    }
    fn write_register(&mut self, number: u16, value: u32) -> Result<bool, Unavailable> {
        match number {
            0x1000..=0x101f => self.registers[usize::from(number - 0x1000)] = value,
            0..0x1000 => return Err(Unavailable),
            _ => return Ok(false),
        }
        Ok(true)
    }
    fn execute(&mut self, program: &[u32]) -> Result<(), Unavailable> {
        self.executed.push(program[0]);
        self.registers[8] += 4;
        if program[0] == 0 { Err(Unavailable) } else { Ok(()) }
    }
    fn read_bus(&mut self, address: u32, width: Width) -> Result<u32, Unavailable> {
        let range = self.range(address, width)?;
        Ok(self.memory[range].iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte)))
    }
    fn write_bus(&mut self, address: u32, width: Width, value: u32) -> Result<(), Unavailable> {
        let range = self.range(address, width)?;
        let bytes = value.to_le_bytes();
        self.memory[range].copy_from_slice(&bytes[..width.bytes() as usize]);
        Ok(())
    }
}

/// A debugger that works the pins.
struct Debugger {
    port: Transport,
    machine: Machine,
}

impl Debugger {
    fn new(locked: bool) -> Self {
        let mut debugger =
            Self { port: Transport::new(0x5c25, false, DebugModule::new(locked)), machine: Machine::default() };
        debugger.pins(&[true; 5]);
        debugger.pins(&[false]);
        debugger
    }

    fn pins(&mut self, tms: &[bool]) {
        for tms in tms {
            self.port.rise(*tms, true, &mut self.machine);
        }
    }

    /// Shifts bits through the register of which the port is in front of Shift, and goes to Run-Test/Idle.
    fn shift(&mut self, value: u64, bits: u32) -> u64 {
        let mut captured = 0;
        for n in 0..bits {
            captured |= u64::from(self.port.tdo()) << n;
            self.port.rise(n + 1 == bits, value >> n & 1 != 0, &mut self.machine);
        }
        self.pins(&[true, false]);
        captured
    }

    fn instruction(&mut self, instruction: u64) -> u64 {
        self.pins(&[true, true, false, false]);
        self.shift(instruction, 5)
    }

    fn data(&mut self, value: u64, bits: u32) -> u64 {
        self.pins(&[true, false, false]);
        self.shift(value, bits)
    }

    fn write(&mut self, address: u64, value: u32) {
        self.instruction(0x11);
        self.data(address << 34 | u64::from(value) << 2 | 2, 41);
    }

    fn read(&mut self, address: u64) -> u32 {
        self.instruction(0x11);
        self.data(address << 34 | 1, 41);
        let result = self.data(0, 41);
        assert_eq!((result & 3, result >> 34), (0, address), "no error, and the address that was read");
        (result >> 2) as u32
    }
}

#[test]
fn the_port_names_itself_and_passes_bits_through() {
    let mut debugger = Debugger::new(false);
    assert_eq!(debugger.data(0, 32), 0x5c25, "IDCODE is selected out of reset");
    assert_eq!(debugger.instruction(0x1f) & 3, 0b01, "IEEE 1149.1, 7.1.1");
    assert_eq!(debugger.data(0b1011, 5), 0b10110, "BYPASS is one bit long");
    debugger.instruction(0x10);
    let control = debugger.data(0, 32);
    assert_eq!((control & 0xf, control >> 4 & 0x3f), (1, 7), "version 0.13, seven bits of address");
    // Pausing in mid-shift loses nothing.
    debugger.instruction(0x01);
    debugger.pins(&[true, false, false]);
    for n in 0..3 {
        assert_eq!(debugger.port.tdo(), 0x5c25 >> n & 1 != 0);
        debugger.port.rise(n == 2, false, &mut debugger.machine);
    }
    debugger.pins(&[false, false, true, false]);
    assert_eq!(debugger.shift(0, 29), 0x5c25 >> 3);
}

#[test]
fn a_port_that_is_fused_off_never_drives_its_output() {
    let mut port = Transport::new(0x5c25, true, DebugModule::new(false));
    let mut machine = Machine::default();
    for n in 0..200 {
        port.rise(n % 7 == 0, n % 3 == 0, &mut machine);
        assert!(port.tdo(), "the pull-up holds it");
    }
}

#[test]
fn harts_halt_resume_and_come_out_of_reset_as_asked() {
    let mut debugger = Debugger::new(false);
    debugger.write(0x10, 1 << 31);
    assert!(!debugger.machine.halted, "nothing happens before dmactive");
    debugger.write(0x10, 1);
    debugger.write(0x10, 1 << 31 | 1);
    assert_eq!(debugger.read(0x11) >> 8 & 0xf, 0b0011, "halted, not running");
    debugger.write(0x10, 1 << 30 | 1);
    let status = debugger.read(0x11);
    assert_eq!((status >> 8 & 0xf, status >> 16 & 3), (0b1100, 0b11), "running, and acknowledged");
    debugger.write(0x10, 1 << 31 | 1 << 1 | 1);
    assert_eq!(debugger.read(0x11) >> 8 & 0x3f, 0b11_0000, "unavailable in reset");
    debugger.write(0x10, 1 << 31 | 1);
    let status = debugger.read(0x11);
    assert_eq!((status >> 8 & 0xf, status >> 18 & 3), (0b0011, 0b11), "halted, and has been reset");
    debugger.write(0x10, 1 << 28 | 1);
    assert_eq!(debugger.read(0x11) >> 18 & 3, 0, "acknowledged");
    debugger.write(0x10, 1 << 3 | 1);
    assert!(debugger.machine.halts_on_reset);
    debugger.write(0x10, 0);
    assert!(!debugger.machine.halts_on_reset, "a module that is switched off asks for nothing");
}

#[test]
fn registers_and_programs_go_by_abstract_commands() {
    const ACCESS: u32 = 2 << 20 | 1 << 17;
    const WRITE: u32 = 1 << 16;
    const EXECUTE: u32 = 1 << 18;
    let mut debugger = Debugger::new(false);
    debugger.write(0x10, 1);
    let error = |debugger: &mut Debugger| debugger.read(0x16) >> 8 & 7;
    debugger.write(0x17, ACCESS | 0x1008);
    assert_eq!(error(&mut debugger), 4, "not halted");
    debugger.write(0x10, 1 << 31 | 1);
    debugger.machine.registers[8] = 77;
    debugger.write(0x17, ACCESS | 0x1008);
    assert_eq!(debugger.read(0x04), 0, "no command runs over an error");
    debugger.write(0x16, 7 << 8);
    debugger.write(0x17, ACCESS | 0x1008);
    assert_eq!((error(&mut debugger), debugger.read(0x04)), (0, 77));
    debugger.write(0x04, 5);
    debugger.write(0x20, 0x0010_0073);
    debugger.write(0x17, ACCESS | WRITE | EXECUTE | 0x1008);
    assert_eq!((debugger.machine.registers[8], debugger.machine.executed.len()), (9, 1), "written, then executed");
    // Every read of data0 repeats the command.
    debugger.write(0x17, ACCESS | EXECUTE | 0x1008);
    debugger.write(0x18, 1);
    assert_eq!([debugger.read(0x04), debugger.read(0x04), debugger.read(0x04)], [9, 13, 17]);
    debugger.write(0x18, u32::MAX);
    assert_eq!(debugger.read(0x18), 0xffff_0003, "sixteen words of program, two of data");
    debugger.write(0x18, 0);
    for (command, expected) in
        [(ACCESS | 0x300, 3), (ACCESS | 0x1020, 2), (3 << 20 | 1 << 17 | 0x1008, 2), (2 << 24, 2)]
    {
        debugger.write(0x16, 7 << 8);
        debugger.write(0x17, command);
        assert_eq!(error(&mut debugger), expected, "{command:#x}");
    }
}

#[test]
fn memory_goes_by_the_system_bus_in_runs() {
    let mut debugger = Debugger::new(false);
    debugger.write(0x10, 1);
    debugger.write(0x38, 2 << 17 | 1 << 16);
    debugger.write(0x39, 0);
    for word in [0x0403_0201, 0x0807_0605] {
        debugger.write(0x3c, word);
    }
    assert_eq!(debugger.machine.memory[..9], [1, 2, 3, 4, 5, 6, 7, 8, 0]);
    debugger.write(0x38, 1 << 17 | 1 << 16 | 1 << 20 | 1 << 15);
    debugger.write(0x39, 2);
    assert_eq!([debugger.read(0x3c), debugger.read(0x3c), debugger.read(0x3c)], [0x0403, 0x0605, 0x0807]);
    for (control, address, expected) in [(2 << 17, 2, 3), (2 << 17, 16, 2), (3 << 17, 0, 4)] {
        debugger.write(0x38, 7 << 12 | 1 << 20 | control);
        debugger.write(0x39, address);
        assert_eq!(debugger.read(0x38) >> 12 & 7, expected, "{address}");
    }
}

#[test]
fn a_locked_module_says_so_and_nothing_else() {
    let mut debugger = Debugger::new(true);
    debugger.write(0x10, 1 << 31 | 1);
    assert!(!debugger.machine.halted);
    assert_eq!(debugger.read(0x10), 1);
    assert_eq!(debugger.read(0x11), 2, "version 0.13, not authenticated");
    assert_eq!([debugger.read(0x16), debugger.read(0x38), debugger.read(0x12)], [0; 3]);
}

/// Whatever is shifted in: no panic, and the port can be reset.
#[test]
fn no_sequence_of_bits_breaks_the_port() {
    let mut debugger = Debugger::new(false);
    let mut state = 1u64;
    for _ in 0..200_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (tms, tdi) = (state >> 60 & 3 == 0, state >> 40 & 1 != 0);
        debugger.port.rise(tms, tdi, &mut debugger.machine);
    }
    debugger.pins(&[true; 5]);
    debugger.pins(&[false]);
    assert_eq!(debugger.data(0, 32), 0x5c25);
    assert_eq!(HaltCause::Reset as u8, 5);
}
