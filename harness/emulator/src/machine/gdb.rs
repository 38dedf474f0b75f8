//! A chip under gdb: the remote serial protocol over a connection that the caller brings.
//!
//! [`serve`] runs the chip in virtual time while gdb lets it run, and calls its owner back whenever the chip pauses, so
//! that the serial port stays alive. Registers of devices are not read or written by the debugger: that would change
//! them.
//!
//! It does not know sockets: any [`ConnectionExt`] will do, a `TcpStream` among them. What differs between architectures is
//! which registers there are, and in which order gdb wants them: `Registered`, in a module for each.

mod riscv;
mod xtensa;

use core::fmt;
use core::marker::PhantomData;

use chip::Architecture;
use clock::{Duration, Instant};
use gdbstub::arch::Arch;
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

use super::access::AccessKind;
use super::chip::{Debuggee, EmulatedChip, Pause, Reset};
use xtensa::Lx106;

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
    match chip.chip().architecture {
        Architecture::Riscv32 => serve_as::<Riscv32, C>(chip, connection, owner),
        // The ESP8266's is the one Xtensa core here, and a gdb for Xtensa is built for one core.
        Architecture::Xtensa => serve_as::<Lx106, C>(chip, connection, owner),
        other => Err(SessionError { reason: format!("gdb's registers of {other} are not known here") }),
    }
}

fn serve_as<A, C>(
    chip: &mut dyn EmulatedChip,
    connection: C,
    owner: &mut dyn FnMut(&mut dyn EmulatedChip),
) -> Result<Ended, SessionError>
where
    A: Registered,
    C: ConnectionExt,
    <C as Connection>::Error: fmt::Debug + fmt::Display,
{
    chip.attach_debugger(true);
    let mut session = Debugged::<A> {
        chip,
        owner,
        stepping: false,
        breakpoints: Vec::new(),
        watchpoints: Vec::new(),
        architecture: PhantomData,
    };
    let result = GdbStub::new(connection).run_blocking::<EventLoop<'_, A, C>>(&mut session);
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
    matches!(architecture, Architecture::Riscv32 | Architecture::Xtensa)
}

/// An architecture's registers, as gdb numbers and orders them.
trait Registered: Arch<Usize = u32, BreakpointKind = usize> {
    /// What gdb is told of the registers, as XML; `None` if it has to know them by itself.
    fn description() -> Option<String>;

    /// All registers of the `g` packet.
    fn read_all(chip: &dyn Debuggee, registers: &mut Self::Registers);

    /// Sets all registers of the `G` packet.
    fn write_all(chip: &mut dyn Debuggee, registers: &Self::Registers);

    /// One register; `None` if there is none, or if it cannot be read.
    fn read_one(chip: &dyn Debuggee, id: Self::RegId) -> Option<u32>;

    /// Sets one register; `false` if there is none, or if it cannot be written.
    fn write_one(chip: &mut dyn Debuggee, id: Self::RegId, value: u32) -> bool;
}

/// The chip as `gdbstub` sees it.
struct Debugged<'a, A> {
    chip: &'a mut dyn EmulatedChip,
    owner: &'a mut dyn FnMut(&mut dyn EmulatedChip),
    stepping: bool,
    breakpoints: Vec<u32>,
    watchpoints: Vec<(u32, u32, AccessKind)>,
    architecture: PhantomData<A>,
}

impl<A> Debugged<'_, A> {
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

struct EventLoop<'a, A, C>(PhantomData<(&'a (), A, C)>);

impl<'a, A, C> BlockingEventLoop for EventLoop<'a, A, C>
where
    A: Registered,
    C: ConnectionExt,
{
    type Target = Debugged<'a, A>;
    type Connection = C;
    type StopReason = SingleThreadStopReason<u32>;

    fn wait_for_stop_reason(
        session: &mut Debugged<'a, A>,
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

    fn on_interrupt(_session: &mut Debugged<'a, A>) -> Result<Option<Self::StopReason>, &'static str> {
        Ok(Some(SingleThreadStopReason::Signal(Signal::SIGINT)))
    }
}

impl<A: Registered> Target for Debugged<'_, A> {
    type Arch = A;
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
        if A::description().is_some() { Some(self) } else { None }
    }
}

impl<A: Registered> TargetDescriptionXmlOverride for Debugged<'_, A> {
    fn target_description_xml(
        &self,
        _annex: &[u8],
        offset: u64,
        length: usize,
        buffer: &mut [u8],
    ) -> TargetResult<usize, Self> {
        let text = A::description().unwrap_or_default();
        let rest = text.as_bytes().get(offset as usize..).unwrap_or_default();
        let piece = &rest[..rest.len().min(length).min(buffer.len())];
        buffer[..piece.len()].copy_from_slice(piece);
        Ok(piece.len())
    }
}

impl<A: Registered> SingleThreadBase for Debugged<'_, A> {
    fn read_registers(&mut self, registers: &mut A::Registers) -> TargetResult<(), Self> {
        A::read_all(&*self.chip, registers);
        Ok(())
    }

    fn write_registers(&mut self, registers: &A::Registers) -> TargetResult<(), Self> {
        A::write_all(&mut *self.chip, registers);
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

impl<A: Registered> SingleRegisterAccess<()> for Debugged<'_, A> {
    fn read_register(&mut self, _thread: (), id: A::RegId, buffer: &mut [u8]) -> TargetResult<usize, Self> {
        let bytes = A::read_one(&*self.chip, id).ok_or(TargetError::NonFatal)?.to_le_bytes();
        buffer.get_mut(..bytes.len()).ok_or(TargetError::NonFatal)?.copy_from_slice(&bytes);
        Ok(bytes.len())
    }

    fn write_register(&mut self, _thread: (), id: A::RegId, bytes: &[u8]) -> TargetResult<(), Self> {
        let value = u32::from_le_bytes(bytes.try_into().map_err(|_| TargetError::NonFatal)?);
        if A::write_one(&mut *self.chip, id, value) { Ok(()) } else { Err(TargetError::NonFatal) }
    }
}

impl<A: Registered> SingleThreadResume for Debugged<'_, A> {
    fn resume(&mut self, _signal: Option<Signal>) -> Result<(), Self::Error> {
        self.stepping = false;
        Ok(())
    }

    fn support_single_step(&mut self) -> Option<SingleThreadSingleStepOps<'_, Self>> {
        Some(self)
    }
}

impl<A: Registered> SingleThreadSingleStep for Debugged<'_, A> {
    fn step(&mut self, _signal: Option<Signal>) -> Result<(), Self::Error> {
        self.stepping = true;
        Ok(())
    }
}

impl<A: Registered> Breakpoints for Debugged<'_, A> {
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

impl<A> Debugged<'_, A> {
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

impl<A: Registered> SwBreakpoint for Debugged<'_, A> {
    fn add_sw_breakpoint(&mut self, address: u32, _kind: usize) -> TargetResult<bool, Self> {
        self.add_breakpoint(address);
        Ok(true)
    }

    fn remove_sw_breakpoint(&mut self, address: u32, _kind: usize) -> TargetResult<bool, Self> {
        Ok(self.remove_breakpoint(address))
    }
}

impl<A: Registered> HwBreakpoint for Debugged<'_, A> {
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

impl<A: Registered> HwWatchpoint for Debugged<'_, A> {
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

impl<A: Registered> MonitorCmd for Debugged<'_, A> {
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
