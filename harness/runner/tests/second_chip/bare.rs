//! A chip with nothing but a core, 64 KiB of RAM, a UART and an Ethernet: how little another chip needs.

use std::collections::VecDeque;

use chip::{Architecture, Chip, FlashLayout, ImageFormat, Nic, PortId, PortRole, SerialPort};
use clock::Instant;
use emulator::access::AccessKind;
use emulator::backtrace::{Backtrace, Frame, Method};
use emulator::event::{Event, EventKind};
use emulator::image::{Image, ImageError};
use emulator::memory::{Access, Memory, NotDirect, Window};
use emulator::riscv::{Bus, BusFault, Cause, Hart, Stop, Width, disassemble};
use emulator::{Debuggee, EmulatedChip, JtagPins, Model, NextInstruction, Pause, Reset, Settings, Tier};

/// The chip.
pub static BARE: Chip = Chip {
    name: "bare32",
    title: "BARE32",
    maker: "Nobody",
    architecture: Architecture::Riscv32,
    flash: FlashLayout { size_bytes: 0, bootloader_offset: 0, partition_table_offset: None, application_offset: 0 },
    serial_ports: &[SerialPort { id: UART, title: "UART", role: PortRole::Bench }],
    nics: &[Nic { id: NIC, title: "Ethernet" }],
    radio: None,
    image_formats: &[ImageFormat::Elf],
    probe_target: None,
    usb: &[],
};

/// How it is emulated.
pub static MODEL: Model = Model {
    chip: &BARE,
    power_on: |_: &Settings| Box::new(Bare::new()),
    map: || "RAM, a UART and an Ethernet".to_owned(),
    takes_rom: false,
    unmodelled_rom_call: |_| Ok(None),
};

/// Where the RAM is.
pub const RAM: u32 = 0x8000_0000;
const RAM_BYTES: u32 = 0x1_0000;
/// A word written here is sent, a word read here was received.
const UART_DATA: u32 = 0x1000_0000;
/// How many bytes have been received and not been read.
const UART_WAITING: u32 = 0x1000_0004;
const UART: PortId = PortId::new("uart");
/// A word written here is a byte of the frame that is sent next, a word read here the next of the frame that has arrived.
const NIC_DATA: u32 = 0x2000_0000;
/// How long the frame is that has arrived; 0: none has.
const NIC_WAITING: u32 = 0x2000_0004;
/// Any word written here sends the frame.
const NIC_SEND: u32 = 0x2000_0008;
const NIC: PortId = PortId::new("eth");
/// 10 MHz.
const NANOS_PER_CYCLE: u64 = 100;

#[derive(Default)]
struct Devices {
    sent: Vec<u8>,
    received: VecDeque<u8>,
    frame: Vec<u8>,
    frames_sent: Vec<Vec<u8>>,
    frames_received: VecDeque<VecDeque<u8>>,
    has_sent: bool,
}

impl Bus for Devices {
    fn load(&mut self, _: &mut Memory, address: u32, _: Width, _: u64) -> Result<u32, BusFault> {
        match address {
            UART_DATA => Ok(self.received.pop_front().map_or(u32::MAX, u32::from)),
            UART_WAITING => Ok(self.received.len() as u32),
            NIC_WAITING => {
                if self.frames_received.front().is_some_and(VecDeque::is_empty) {
                    self.frames_received.pop_front();
                }
                Ok(self.frames_received.front().map_or(0, |frame| frame.len() as u32))
            }
            NIC_DATA => Ok(self.frames_received.front_mut().and_then(VecDeque::pop_front).map_or(u32::MAX, u32::from)),
            _ => Err(BusFault),
        }
    }

    fn store(&mut self, _: &mut Memory, address: u32, _: Width, value: u32, _: u64) -> Result<(), BusFault> {
        match address {
            UART_DATA => self.sent.push(value as u8),
            NIC_DATA => {
                self.frame.push(value as u8);
                return Ok(());
            }
            NIC_SEND => self.frames_sent.push(std::mem::take(&mut self.frame)),
            _ => return Err(BusFault),
        }
        self.has_sent = true;
        Ok(())
    }

    fn interrupt(&mut self, _: u64) -> Option<u8> {
        None
    }

    fn next_event_cycle(&mut self, _: u64) -> u64 {
        u64::MAX
    }

    fn stop_requested(&mut self) -> bool {
        self.has_sent
    }
}

struct Bare {
    hart: Hart,
    memory: Memory,
    devices: Devices,
    image: Option<Image>,
    events: Vec<Event>,
    has_event: bool,
}

impl Bare {
    fn new() -> Self {
        let mut memory = Memory::new();
        let store = memory.add_store(RAM_BYTES);
        let window = Window { address: RAM, length: RAM_BYTES, store, offset: 0, access: Access::READ_WRITE_EXECUTE };
        memory.map(window).expect("whole pages");
        let mut hart = Hart::new(RAM);
        hart.stop_at_exceptions(&[Cause::LoadAccessFault, Cause::StoreAccessFault, Cause::InstructionAccessFault]);
        Self { hart, memory, devices: Devices::default(), image: None, events: Vec::new(), has_event: false }
    }

    fn start(&mut self) {
        let Some(image) = &self.image else { return };
        for segment in &image.segments {
            self.memory.write_slice(segment.address, &segment.bytes).expect("held against the RAM when it was loaded");
        }
        self.hart.reset(image.entry);
    }

    /// What the hart stopped for, as its owner sees it.
    fn pause(&mut self, stop: Stop) -> Option<Pause> {
        match stop {
            Stop::Breakpoint { .. } | Stop::EnvironmentBreak | Stop::Trigger => return Some(Pause::Breakpoint),
            Stop::Watchpoint { address, .. } => return Some(Pause::Watchpoint { address }),
            Stop::Exception { exception, pc } => {
                let kind = EventKind::Exception(exception.into());
                self.events.push(Event { at: self.now(), pc, kind, backtrace: self.backtrace() });
                self.has_event = true;
            }
            Stop::DoubleFault { .. } => return Some(Pause::Halted),
            Stop::Deadline | Stop::WaitForInterrupt | Stop::Hook { .. } | Stop::Requested => {}
        }
        if std::mem::take(&mut self.has_event) {
            return Some(Pause::Event);
        }
        std::mem::take(&mut self.devices.has_sent).then_some(Pause::SerialOutput)
    }
}

impl EmulatedChip for Bare {
    fn chip(&self) -> &'static Chip {
        &BARE
    }

    fn now(&self) -> Instant {
        Instant::from_nanos(self.hart.cycle() * NANOS_PER_CYCLE)
    }

    fn run_until(&mut self, deadline: Instant) -> Pause {
        let until = deadline.as_nanos().div_ceil(NANOS_PER_CYCLE);
        while self.hart.cycle() < until {
            let stop = self.hart.run(&mut self.memory, &mut self.devices, until);
            if stop == Stop::WaitForInterrupt {
                self.hart.skip_to(until);
            }
            if let Some(pause) = self.pause(stop) {
                return pause;
            }
        }
        Pause::Deadline
    }

    fn reset(&mut self, _: Reset) {
        self.start();
    }

    fn load_elf(&mut self, elf: &[u8]) -> Result<(), ImageError> {
        let image = Image::parse(&BARE, elf)?;
        for segment in &image.segments {
            let length_bytes = segment.bytes.len() as u32;
            let fits = segment.address >= RAM && segment.address - RAM + length_bytes <= RAM_BYTES;
            if !fits {
                return Err(ImageError::NoMemoryThere { address: segment.address, length_bytes, chip: BARE.title });
            }
        }
        self.image = Some(image);
        self.start();
        Ok(())
    }

    fn boot_from_flash(&mut self) {}

    fn flash_content(&self) -> Vec<u8> {
        Vec::new()
    }

    fn set_flash_content(&mut self, content: &[u8]) -> Result<(), ImageError> {
        Err(ImageError::LargerThanFlash { needed_bytes: content.len() as u32, flash_bytes: 0 })
    }

    fn know_symbols(&mut self, _: &[u8]) {}

    fn serial_input(&mut self, port: PortId, bytes: &[u8]) {
        if port == UART {
            self.devices.received.extend(bytes);
        }
    }

    fn take_serial_output(&mut self, port: PortId) -> Vec<u8> {
        if port == UART { std::mem::take(&mut self.devices.sent) } else { Vec::new() }
    }

    fn frame_input(&mut self, nic: PortId, frame: &[u8]) {
        if nic == NIC {
            self.devices.frames_received.push_back(frame.iter().copied().collect());
        }
    }

    fn take_frames(&mut self, nic: PortId) -> Vec<Vec<u8>> {
        if nic == NIC { std::mem::take(&mut self.devices.frames_sent) } else { Vec::new() }
    }

    fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    fn instructions_retired(&self) -> u64 {
        self.hart.instructions_retired()
    }

    fn memory_bytes(&self) -> usize {
        self.memory.footprint_bytes()
    }

    fn execute_by(&mut self, tier: Tier) {
        self.hart.execute_by(tier);
    }

    fn map(&self) -> String {
        (MODEL.map)()
    }

    fn jtag(&mut self) -> Option<&mut dyn JtagPins> {
        None
    }
}

impl Debuggee for Bare {
    fn step(&mut self) -> Pause {
        let stop = self.hart.step(&mut self.memory, &mut self.devices);
        stop.and_then(|stop| self.pause(stop)).unwrap_or(Pause::Deadline)
    }

    fn pc(&self) -> u32 {
        self.hart.pc()
    }

    fn set_pc(&mut self, pc: u32) {
        self.hart.set_pc(pc);
    }

    fn register(&self, number: u8) -> u32 {
        self.hart.register(number)
    }

    fn set_register(&mut self, number: u8, value: u32) {
        self.hart.set_register(number, value);
    }

    fn system_register(&self, number: u16) -> Option<u32> {
        self.hart.csr(number)
    }

    fn set_system_register(&mut self, number: u16, value: u32) -> bool {
        self.hart.set_csr(number, value)
    }

    fn read_memory(&self, address: u32, bytes: &mut [u8]) -> Result<(), NotDirect> {
        self.memory.read_slice(address, bytes)
    }

    fn write_memory(&mut self, address: u32, bytes: &[u8]) -> Result<(), NotDirect> {
        self.memory.write_slice(address, bytes)
    }

    fn add_breakpoint(&mut self, address: u32) {
        self.hart.add_breakpoint(address);
    }

    fn remove_breakpoint(&mut self, address: u32) {
        self.hart.remove_breakpoint(address);
    }

    fn add_watchpoint(&mut self, address: u32, length: u32, kind: AccessKind) {
        self.hart.add_watchpoint(address, length, kind);
    }

    fn remove_watchpoint(&mut self, address: u32, length: u32, kind: AccessKind) {
        self.hart.remove_watchpoint(address, length, kind);
    }

    fn attach_debugger(&mut self, attached: bool) {
        self.hart.stop_at_environment_break(attached);
    }

    fn is_in_debug_mode(&self) -> bool {
        false
    }

    fn backtrace(&self) -> Backtrace {
        let frame = Frame { address: self.hart.pc(), function: None, line: None, inlined: false };
        Backtrace { frames: vec![frame], method: Method::StackScan }
    }

    fn next_instruction(&self) -> NextInstruction {
        let word = self.memory.read_word(self.hart.pc()).unwrap_or(0);
        NextInstruction {
            at: self.now(),
            address: self.hart.pc(),
            text: disassemble(self.hart.pc(), word),
            function: None,
            is_asleep: self.hart.is_asleep(),
        }
    }
}
