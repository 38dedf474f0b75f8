//! A chip under gdb: the remote serial protocol over a connection that the caller brings.
//!
//! [`serve`] runs the chip in virtual time while gdb lets it run, and calls its owner back whenever the chip pauses, so
//! that the serial port stays alive. Registers of devices are not read or written by the debugger: that would change
//! them.
//!
//! It does not know sockets: any [`ConnectionExt`] will do, a `TcpStream` among them.

use core::fmt;
use core::marker::PhantomData;

use chip::Architecture;
use clock::{Duration, Instant};
use gdbstub::arch::Arch as _;
use gdbstub::common::Signal;
pub use gdbstub::conn::{Connection, ConnectionExt};
use gdbstub::stub::run_blocking::{BlockingEventLoop, Event, WaitForStopReasonError};
use gdbstub::stub::{DisconnectReason, GdbStub, SingleThreadStopReason};
use gdbstub::target::ext::base::BaseOps;
use gdbstub::target::ext::base::single_register_access::{SingleRegisterAccess, SingleRegisterAccessOps};
use gdbstub::target::ext::base::singlethread::{
    SingleThreadBase, SingleThreadResume, SingleThreadResumeOps, SingleThreadSingleStep, SingleThreadSingleStepOps,
};
use gdbstub::target::ext::breakpoints::{
    Breakpoints, BreakpointsOps, HwBreakpoint, HwBreakpointOps, HwWatchpoint, HwWatchpointOps, SwBreakpoint,
    SwBreakpointOps, WatchKind,
};
use gdbstub::target::ext::monitor_cmd::{ConsoleOutput, MonitorCmd, MonitorCmdOps};
use gdbstub::target::ext::target_description_xml_override::{
    TargetDescriptionXmlOverride, TargetDescriptionXmlOverrideOps,
};
use gdbstub::target::{Target, TargetError, TargetResult};
use gdbstub_arch::riscv::Riscv32;
use gdbstub_arch::riscv::reg::RiscvCoreRegs;
use gdbstub_arch::riscv::reg::id::RiscvRegId;

use super::access::AccessKind;
use super::chip::{EmulatedChip, Pause, Reset};

/// How far the chip runs before the connection is looked at again.
const SLICE: Duration = Duration::from_millis(1);

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// gdb has detached: the chip may run on.
    Detached,
    /// gdb has killed the program.
    Killed,
    /// The program or the target ended by itself.
    Exited,
}

/// Why a session broke off: the connection failed, or what came over it was not the protocol.
#[derive(Debug)]
pub struct SessionError {
    reason: String,
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the gdb session broke off: {}", self.reason)
    }
}

impl std::error::Error for SessionError {}

/// Serves one gdb session over `connection`. `owner` is called whenever the chip has paused, to move serial bytes and
/// take events.
///
/// # Errors
/// If the connection fails.
pub fn serve<C>(
    chip: &mut dyn EmulatedChip,
    connection: C,
    owner: &mut dyn FnMut(&mut dyn EmulatedChip),
) -> Result<Ended, SessionError>
where
    C: ConnectionExt,
    <C as Connection>::Error: fmt::Debug + fmt::Display,
{
    let architecture = chip.chip().architecture;
    if !serves(architecture) {
        return Err(SessionError { reason: format!("gdb's registers of {architecture} are not known here") });
    }
    chip.attach_debugger(true);
    let mut session = Debugged { chip, owner, stepping: false, breakpoints: Vec::new(), watchpoints: Vec::new() };
    let result = GdbStub::new(connection).run_blocking::<EventLoop<'_, C>>(&mut session);
    session.clean_up();
    match result {
        Ok(DisconnectReason::Disconnect) => Ok(Ended::Detached),
        Ok(DisconnectReason::Kill) => Ok(Ended::Killed),
        Ok(DisconnectReason::TargetExited(_) | DisconnectReason::TargetTerminated(_)) => Ok(Ended::Exited),
        Err(error) => Err(SessionError { reason: error.to_string() }),
    }
}

/// Whether gdb can be served on a chip of this architecture.
pub const fn serves(architecture: Architecture) -> bool {
    matches!(architecture, Architecture::Riscv32)
}

/// The chip as `gdbstub` sees it.
struct Debugged<'a> {
    chip: &'a mut dyn EmulatedChip,
    owner: &'a mut dyn FnMut(&mut dyn EmulatedChip),
    stepping: bool,
    breakpoints: Vec<u32>,
    watchpoints: Vec<(u32, u32, AccessKind)>,
}

impl Debugged<'_> {
    fn clean_up(&mut self) {
        for address in self.breakpoints.drain(..) {
            self.chip.remove_breakpoint(address);
        }
        for (address, length, kind) in self.watchpoints.drain(..) {
            self.chip.remove_watchpoint(address, length, kind);
        }
        self.chip.attach_debugger(false);
    }

    fn reason(&self, pause: Pause) -> Option<SingleThreadStopReason<u32>> {
        match pause {
            Pause::Breakpoint => Some(SingleThreadStopReason::SwBreak(())),
            Pause::Watchpoint { address } => {
                Some(SingleThreadStopReason::Watch { tid: (), kind: WatchKind::ReadWrite, addr: address })
            }
            Pause::Halted => Some(SingleThreadStopReason::Signal(Signal::SIGILL)),
            _ if self.stepping => Some(SingleThreadStopReason::DoneStep),
            _ => None,
        }
    }
}

struct EventLoop<'a, C>(PhantomData<(&'a (), C)>);

impl<'a, C> BlockingEventLoop for EventLoop<'a, C>
where
    C: ConnectionExt,
{
    type Target = Debugged<'a>;
    type Connection = C;
    type StopReason = SingleThreadStopReason<u32>;

    fn wait_for_stop_reason(
        session: &mut Debugged<'a>,
        connection: &mut C,
    ) -> Result<Event<Self::StopReason>, WaitForStopReasonError<&'static str, C::Error>> {
        // What stands at a breakpoint has to get past it.
        let mut pause = session.chip.step();
        loop {
            (session.owner)(session.chip);
            if let Some(reason) = session.reason(pause) {
                return Ok(Event::TargetStopped(reason));
            }
            if connection.peek().map_err(WaitForStopReasonError::Connection)?.is_some() {
                let byte = connection.read().map_err(WaitForStopReasonError::Connection)?;
                return Ok(Event::IncomingData(byte));
            }
            let deadline: Instant = session.chip.now() + SLICE;
            pause = session.chip.run_until(deadline);
        }
    }

    fn on_interrupt(_session: &mut Debugged<'a>) -> Result<Option<Self::StopReason>, &'static str> {
        Ok(Some(SingleThreadStopReason::Signal(Signal::SIGINT)))
    }
}

impl Target for Debugged<'_> {
    type Arch = Riscv32;
    type Error = &'static str;

    fn base_ops(&mut self) -> BaseOps<'_, Self::Arch, Self::Error> {
        BaseOps::SingleThread(self)
    }

    fn support_breakpoints(&mut self) -> Option<BreakpointsOps<'_, Self>> {
        Some(self)
    }

    fn support_monitor_cmd(&mut self) -> Option<MonitorCmdOps<'_, Self>> {
        Some(self)
    }

    fn support_target_description_xml_override(&mut self) -> Option<TargetDescriptionXmlOverrideOps<'_, Self>> {
        Some(self)
    }
}

/// The registers that gdb can be asked for besides the general ones: those of a trap handler first.
const SYSTEM_REGISTERS: [(&str, u16); 8] = [
    ("mstatus", 0x300),
    ("misa", 0x301),
    ("mtvec", 0x305),
    ("mscratch", 0x340),
    ("mepc", 0x341),
    ("mcause", 0x342),
    ("mtval", 0x343),
    ("mhartid", 0xf14),
];

/// As gdb's documentation has it ("RISC-V Features"): the general registers of `gdbstub_arch`, and the system registers,
/// which gdb numbers from 65 on.
fn target_description() -> String {
    let plain = Riscv32::target_description_xml().unwrap_or_default();
    let system: String = SYSTEM_REGISTERS
        .iter()
        .map(|(name, number)| {
            let regnum = 65 + u32::from(*number);
            format!("<reg name=\"{name}\" bitsize=\"32\" type=\"int\" regnum=\"{regnum}\" save-restore=\"no\"/>")
        })
        .collect();
    let general = plain.find("<feature").map_or("", |at| &plain[at..]);
    format!(
        "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target version=\"1.0\">\
         <architecture>riscv:rv32</architecture>{general}<feature name=\"org.gnu.gdb.riscv.csr\">{system}</feature></target>"
    )
}

impl TargetDescriptionXmlOverride for Debugged<'_> {
    fn target_description_xml(
        &self,
        _annex: &[u8],
        offset: u64,
        length: usize,
        buffer: &mut [u8],
    ) -> TargetResult<usize, Self> {
        let text = target_description();
        let rest = text.as_bytes().get(offset as usize..).unwrap_or_default();
        let piece = &rest[..rest.len().min(length).min(buffer.len())];
        buffer[..piece.len()].copy_from_slice(piece);
        Ok(piece.len())
    }
}

impl SingleThreadBase for Debugged<'_> {
    fn read_registers(&mut self, registers: &mut RiscvCoreRegs<u32>) -> TargetResult<(), Self> {
        for (n, register) in registers.x.iter_mut().enumerate() {
            *register = self.chip.register(n as u8);
        }
        registers.pc = self.chip.pc();
        Ok(())
    }

    fn write_registers(&mut self, registers: &RiscvCoreRegs<u32>) -> TargetResult<(), Self> {
        for (n, register) in registers.x.iter().enumerate() {
            self.chip.set_register(n as u8, *register);
        }
        if registers.pc != self.chip.pc() {
            self.chip.set_pc(registers.pc);
        }
        Ok(())
    }

    fn read_addrs(&mut self, start: u32, data: &mut [u8]) -> TargetResult<usize, Self> {
        match self.chip.read_memory(start, data) {
            Ok(()) => Ok(data.len()),
            Err(missing) => match missing.address.wrapping_sub(start) as usize {
                0 => Err(TargetError::NonFatal),
                there => Ok(there.min(data.len())),
            },
        }
    }

    fn write_addrs(&mut self, start: u32, data: &[u8]) -> TargetResult<(), Self> {
        self.chip.write_memory(start, data).map_err(|_| TargetError::NonFatal)
    }

    fn support_resume(&mut self) -> Option<SingleThreadResumeOps<'_, Self>> {
        Some(self)
    }

    fn support_single_register_access(&mut self) -> Option<SingleRegisterAccessOps<'_, (), Self>> {
        Some(self)
    }
}

impl SingleRegisterAccess<()> for Debugged<'_> {
    fn read_register(&mut self, _thread: (), id: RiscvRegId<u32>, buffer: &mut [u8]) -> TargetResult<usize, Self> {
        let value = match id {
            RiscvRegId::Gpr(n) => self.chip.register(n),
            RiscvRegId::Pc => self.chip.pc(),
            RiscvRegId::Csr(n) => self.chip.system_register(n).ok_or(TargetError::NonFatal)?,
            _ => return Err(TargetError::NonFatal),
        };
        let bytes = value.to_le_bytes();
        buffer.get_mut(..bytes.len()).ok_or(TargetError::NonFatal)?.copy_from_slice(&bytes);
        Ok(bytes.len())
    }

    fn write_register(&mut self, _thread: (), id: RiscvRegId<u32>, bytes: &[u8]) -> TargetResult<(), Self> {
        let value = u32::from_le_bytes(bytes.try_into().map_err(|_| TargetError::NonFatal)?);
        match id {
            RiscvRegId::Gpr(n) => self.chip.set_register(n, value),
            RiscvRegId::Pc => self.chip.set_pc(value),
            RiscvRegId::Csr(n) if self.chip.set_system_register(n, value) => {}
            _ => return Err(TargetError::NonFatal),
        }
        Ok(())
    }
}

impl SingleThreadResume for Debugged<'_> {
    fn resume(&mut self, _signal: Option<Signal>) -> Result<(), Self::Error> {
        self.stepping = false;
        Ok(())
    }

    fn support_single_step(&mut self) -> Option<SingleThreadSingleStepOps<'_, Self>> {
        Some(self)
    }
}

impl SingleThreadSingleStep for Debugged<'_> {
    fn step(&mut self, _signal: Option<Signal>) -> Result<(), Self::Error> {
        self.stepping = true;
        Ok(())
    }
}

impl Breakpoints for Debugged<'_> {
    fn support_sw_breakpoint(&mut self) -> Option<SwBreakpointOps<'_, Self>> {
        Some(self)
    }

    fn support_hw_breakpoint(&mut self) -> Option<HwBreakpointOps<'_, Self>> {
        Some(self)
    }

    fn support_hw_watchpoint(&mut self) -> Option<HwWatchpointOps<'_, Self>> {
        Some(self)
    }
}

impl Debugged<'_> {
    fn add_breakpoint(&mut self, address: u32) {
        self.chip.add_breakpoint(address);
        self.breakpoints.push(address);
    }

    fn remove_breakpoint(&mut self, address: u32) -> bool {
        let Some(place) = self.breakpoints.iter().position(|other| *other == address) else { return false };
        self.breakpoints.swap_remove(place);
        if !self.breakpoints.contains(&address) {
            self.chip.remove_breakpoint(address);
        }
        true
    }
}

impl SwBreakpoint for Debugged<'_> {
    fn add_sw_breakpoint(&mut self, address: u32, _kind: usize) -> TargetResult<bool, Self> {
        self.add_breakpoint(address);
        Ok(true)
    }

    fn remove_sw_breakpoint(&mut self, address: u32, _kind: usize) -> TargetResult<bool, Self> {
        Ok(self.remove_breakpoint(address))
    }
}

impl HwBreakpoint for Debugged<'_> {
    fn add_hw_breakpoint(&mut self, address: u32, _kind: usize) -> TargetResult<bool, Self> {
        self.add_breakpoint(address);
        Ok(true)
    }

    fn remove_hw_breakpoint(&mut self, address: u32, _kind: usize) -> TargetResult<bool, Self> {
        Ok(self.remove_breakpoint(address))
    }
}

fn kinds(kind: WatchKind) -> &'static [AccessKind] {
    match kind {
        WatchKind::Read => &[AccessKind::Load],
        WatchKind::Write => &[AccessKind::Store],
        WatchKind::ReadWrite => &[AccessKind::Load, AccessKind::Store],
    }
}

impl HwWatchpoint for Debugged<'_> {
    fn add_hw_watchpoint(&mut self, address: u32, length: u32, kind: WatchKind) -> TargetResult<bool, Self> {
        for kind in kinds(kind) {
            self.chip.add_watchpoint(address, length, *kind);
            self.watchpoints.push((address, length, *kind));
        }
        Ok(true)
    }

    fn remove_hw_watchpoint(&mut self, address: u32, length: u32, kind: WatchKind) -> TargetResult<bool, Self> {
        let mut removed = false;
        for kind in kinds(kind) {
            if let Some(place) = self.watchpoints.iter().position(|other| *other == (address, length, *kind)) {
                self.watchpoints.swap_remove(place);
                self.chip.remove_watchpoint(address, length, *kind);
                removed = true;
            }
        }
        Ok(removed)
    }
}

impl MonitorCmd for Debugged<'_> {
    fn handle_monitor_cmd(&mut self, command: &[u8], mut out: ConsoleOutput<'_>) -> Result<(), Self::Error> {
        match command {
            b"reset" => {
                self.chip.reset(Reset::Debugger);
                gdbstub::outputln!(out, "the chip stands at its entry point");
            }
            b"backtrace" => gdbstub::outputln!(out, "{}", self.chip.backtrace()),
            b"map" => gdbstub::output!(out, "{}", self.chip.map()),
            b"time" => gdbstub::outputln!(out, "{}", self.chip.now()),
            _ => gdbstub::outputln!(out, "reset, backtrace, map, time"),
        }
        Ok(())
    }
}
