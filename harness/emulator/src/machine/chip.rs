//! A chip as its owner sees it, whichever chip it is.
//!
//! An owner lets time pass ([`EmulatedChip::run_until`]), hears and speaks on ports, and takes what has happened. A
//! debugger sees more ([`Debuggee`]). Which chips can be had is data ([`Model`]).

use core::fmt;
use std::sync::Arc;

use chip::{Chip, PortId};
use clock::Instant;
use serde::{Deserialize, Serialize};

use super::access::AccessKind;
use super::backtrace::Backtrace;
use super::event::{Event, nanos};
use super::image::ImageError;
use super::memory::NotDirect;
use super::snapshot::{Snapshot, SnapshotError};

/// A chip that can be emulated: which, and how one is made.
#[derive(Debug)]
pub struct Model {
    /// The chip.
    pub chip: &'static Chip,
    /// One of them, at power-on, without an image.
    pub power_on: fn(&Settings) -> Box<dyn EmulatedChip>,
    /// What is modelled and what is not, as a table.
    pub map: fn() -> String,
    /// Whether it takes a real mask ROM ([`Rom::Elf`]), and boots from its flash with one alone. What does not has a modelled
    /// ROM that boots.
    pub takes_rom: bool,
    /// The first function of the mask ROM that an ELF file calls and that the modelled ROM does not have: such a file needs
    /// a real one ([`Rom::Elf`]).
    pub unmodelled_rom_call: fn(&[u8]) -> Result<Option<u32>, ImageError>,
}

/// Why bytes are not what a chip keeps without power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptStateError {
    /// They do not end as such a file does.
    NotAState,
    /// They hold a flash of another size.
    OtherSize {
        /// How much they hold.
        bytes: usize,
        /// How large this chip's flash is.
        flash_bytes: u32,
    },
}

impl fmt::Display for KeptStateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAState => f.write_str("it is not the kept state of such a chip"),
            Self::OtherSize { bytes, flash_bytes } => {
                write!(f, "it holds a flash of {bytes} bytes, and this chip has {flash_bytes}")
            }
        }
    }
}

impl std::error::Error for KeptStateError {}

/// What sets one chip apart from another of its kind.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Where the random numbers start.
    pub seed: u64,
    /// How much flash there is; without it, as much as the chip usually has.
    pub flash_bytes: Option<u32>,
    /// The mask ROM.
    pub rom: Rom,
    /// What its fuses leave of JTAG.
    pub jtag: JtagAccess,
}

/// The mask ROM that a chip has.
#[derive(Clone, Debug, Default)]
pub enum Rom {
    /// Its functions, modelled at their published addresses.
    #[default]
    Modelled,
    /// The real one, from an ELF file such as the `espflash` package ships (`esp32c3_rev300_rom.elf`).
    Elf(Arc<[u8]>),
}

/// What a chip's fuses leave of JTAG.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JtagAccess {
    /// All of it.
    #[default]
    Open,
    /// The port answers, and the debug module lets nobody in.
    Locked,
    /// The port does not answer (DIS_PAD_JTAG).
    FusedOff,
}

/// Why [`EmulatedChip::run_until`] came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// The deadline has come.
    Deadline,
    /// A serial port, or a network interface, has output that was not there before.
    SerialOutput,
    /// The radio has sent a frame that was not there before.
    RadioFrame,
    /// There is an event to take.
    Event,
    /// The chip cannot go on: an unmodelled ROM function, a fault in the fault handler. Only a reset helps.
    Halted,
    /// The core sleeps, no device will wake it, and the deadline was [`Instant::FAR_FUTURE`]: time did not advance.
    Asleep,
    /// A breakpoint that a debugger has set was reached.
    Breakpoint,
    /// A watchpoint that a debugger has set was hit.
    Watchpoint {
        /// The address accessed.
        address: u32,
    },
}

/// A frame on the air, at the antenna of a chip with a radio.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RadioFrame {
    /// When its preamble begins.
    #[serde(with = "nanos")]
    pub at: Instant,
    /// On which channel, 1 to 14.
    pub channel: u8,
    /// At which rate, in units of 500 kbit/s.
    pub rate_500_kbps: u8,
    /// How strong it is at the receiver.
    pub signal_dbm: i8,
    /// The frame without FCS.
    pub bytes: Vec<u8>,
}

/// A reset from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// The power has come on, or the enable pin was released: nothing is kept but the flash.
    PowerOn,
    /// By a debugger.
    Debugger,
}

/// Who executes a core's instructions. What a chip does not have, the one before it does in its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tier {
    /// The plain interpreter alone, which says what instructions mean.
    Interpreter,
    /// Threaded code as well: decoded once, some thirty times quicker.
    ThreadedCode,
    /// Code of the host's as well, for what is executed most, where the host has a back end: some times quicker again.
    #[default]
    HostCode,
}

/// An instruction of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextInstruction {
    /// When it is executed.
    pub at: Instant,
    /// Where it is.
    pub address: u32,
    /// As an assembler would read it; the name of a ROM function in angle brackets.
    pub text: String,
    /// The function that it belongs to, and how far into it it is.
    pub function: Option<(String, u32)>,
    /// The core sleeps before it.
    pub is_asleep: bool,
}

impl fmt::Display for NextInstruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asleep = if self.is_asleep { "asleep before " } else { "" };
        write!(f, "{:>16}  {:08x}  {asleep}{:<32}", self.at.to_string(), self.address, self.text)?;
        match &self.function {
            Some((name, offset)) => write!(f, "  {name}+{offset:#x}"),
            None => Ok(()),
        }
    }
}

/// A chip as a function of time.
pub trait EmulatedChip: Debuggee + Send {
    /// Which chip it is.
    fn chip(&self) -> &'static Chip;

    /// The chip's present, since its power-on.
    fn now(&self) -> Instant;

    /// Runs until `deadline`, or until something happens before it that the owner should see.
    ///
    /// The chip may stand a little past the deadline afterwards. With [`Instant::FAR_FUTURE`] it runs until something
    /// happens. Results do not depend on how a run is cut.
    fn run_until(&mut self, deadline: Instant) -> Pause;

    /// Resets the chip and starts what it boots.
    fn reset(&mut self, reset: Reset);

    /// Loads an ELF file as the chip's bootloader would leave it, and stands at its entry point. Later resets start it
    /// anew.
    ///
    /// # Errors
    ///
    /// If it is not an executable for this chip. The chip is then as it was.
    fn load_elf(&mut self, elf: &[u8]) -> Result<(), ImageError>;

    /// Makes the chip boot what lies in its flash, from the next reset on.
    fn boot_from_flash(&mut self);

    /// What the flash holds, up to the last byte that is not erased.
    fn flash_content(&self) -> Vec<u8>;

    /// Sets what the flash holds, from its beginning; the rest is erased. The chip is not reset.
    ///
    /// # Errors
    ///
    /// If the flash is smaller. It is then as it was.
    fn set_flash_content(&mut self, content: &[u8]) -> Result<(), ImageError>;

    /// What the chip keeps without power: its flash, and its fuses if it has any.
    fn kept_state(&self) -> Vec<u8> {
        self.flash_content()
    }

    /// Gives the chip what another one has kept. It is not reset.
    ///
    /// # Errors
    ///
    /// If these bytes are something else. The chip is then as it was.
    fn set_kept_state(&mut self, state: &[u8]) -> Result<(), KeptStateError> {
        self.set_flash_content(state).map_err(|_| KeptStateError::NotAState)
    }

    /// Takes the names of functions for backtraces, and where panics begin, from an ELF file. It is not loaded, nor need
    /// it be what runs.
    fn know_symbols(&mut self, elf: &[u8]);

    /// Somebody sends bytes to a port; to a port that the chip does not have, they are lost.
    fn serial_input(&mut self, port: PortId, bytes: &[u8]);

    /// What the chip has sent over a port since the last call; nothing, if it has no such port. At [`chip::RTT`] there is
    /// what firmware leaves in its RAM for a debug probe, as text, if the chip knows its ELF file.
    fn take_serial_output(&mut self, port: PortId) -> Vec<u8>;

    /// An Ethernet frame arrives at a network interface, without preamble and check sequence; one that the chip does not
    /// have hears nothing.
    fn frame_input(&mut self, _nic: PortId, _frame: &[u8]) {}

    /// The Ethernet frames that a network interface has sent since the last call, in order.
    fn take_frames(&mut self, _nic: PortId) -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// A frame reaches the antenna. It may begin now or a little later. A chip without a radio does not hear it.
    fn radio_input(&mut self, _frame: RadioFrame) {}

    /// The frames that have left the antenna since the last call. The last may not have begun yet.
    fn take_radio_output(&mut self) -> Vec<RadioFrame> {
        Vec::new()
    }

    /// What has happened since the last call.
    fn take_events(&mut self) -> Vec<Event>;

    /// Instructions retired since power-on.
    fn instructions_retired(&self) -> u64;

    /// Bytes of memory that this chip holds on the host.
    fn memory_bytes(&self) -> usize;

    /// Who executes the core's instructions from now on. The results are the same, whoever does.
    fn execute_by(&mut self, tier: Tier);

    /// What is modelled and what is not, as a table.
    fn map(&self) -> String;

    /// The chip now, to go on from later; `None` if this chip has no snapshots.
    fn snapshot(&self) -> Option<Snapshot> {
        None
    }

    /// Goes on from a snapshot, as if nothing had been in between. Symbols, breakpoints and the fast path stay as they
    /// are: they are the owner's, and the chip that is to report the same events has to know the same symbols.
    ///
    /// # Errors
    ///
    /// If it is no snapshot of this chip. The chip is then as it was.
    fn restore(&mut self, _snapshot: &Snapshot) -> Result<(), SnapshotError> {
        Err(SnapshotError::Unsupported { chip: self.chip().name.to_owned() })
    }

    /// The chip's JTAG pins, if it has any.
    fn jtag(&mut self) -> Option<&mut dyn JtagPins>;
}

/// The pins of a JTAG port (IEEE 1149.1).
pub trait JtagPins {
    /// TCK rises. What a debugger asks for thereby has happened when this comes back.
    fn rise(&mut self, tms: bool, tdi: bool);

    /// TDO, between two edges of TCK.
    fn tdo(&self) -> bool;

    /// TRST.
    fn reset(&mut self);
}

/// A chip as a debugger without pins sees it.
pub trait Debuggee {
    /// Executes one instruction, or sleeps until the next event. [`Pause::Deadline`] says that nothing else has
    /// happened.
    fn step(&mut self) -> Pause;

    /// Where the next instruction is.
    fn pc(&self) -> u32;

    /// Moves to another instruction; a sleeping core wakes.
    fn set_pc(&mut self, pc: u32);

    /// A general register; the number is the architecture's.
    fn register(&self, number: u8) -> u32;

    /// Sets a general register.
    fn set_register(&mut self, number: u8, value: u32);

    /// A system register (a CSR), by the architecture's number; `None` if there is none.
    fn system_register(&self, number: u16) -> Option<u32>;

    /// Sets a system register; `false` if there is none, or if it cannot be written.
    fn set_system_register(&mut self, number: u16, value: u32) -> bool;

    /// Reads memory: RAM, ROM and flash; and registers of devices, as far as the chip can show them without the effects of
    /// reading them.
    ///
    /// # Errors
    ///
    /// If an address is not memory.
    fn read_memory(&self, address: u32, bytes: &mut [u8]) -> Result<(), NotDirect>;

    /// Writes memory.
    ///
    /// # Errors
    ///
    /// If an address is not memory.
    fn write_memory(&mut self, address: u32, bytes: &[u8]) -> Result<(), NotDirect>;

    /// Pauses with [`Pause::Breakpoint`] before the instruction at `address`.
    fn add_breakpoint(&mut self, address: u32);

    /// Forgets a breakpoint.
    fn remove_breakpoint(&mut self, address: u32);

    /// Pauses with [`Pause::Watchpoint`] after an access to any byte of `address..address + length`.
    fn add_watchpoint(&mut self, address: u32, length: u32, kind: AccessKind);

    /// Forgets a watchpoint, given as it was added.
    fn remove_watchpoint(&mut self, address: u32, length: u32, kind: AccessKind);

    /// With a debugger attached, a breakpoint instruction pauses the chip instead of raising an exception.
    fn attach_debugger(&mut self, attached: bool);

    /// Whether a debugger at the JTAG pins has halted the core.
    fn is_in_debug_mode(&self) -> bool;

    /// Who called whom, now.
    fn backtrace(&self) -> Backtrace;

    /// The instruction that [`Self::step`] would execute.
    fn next_instruction(&self) -> NextInstruction;
}
