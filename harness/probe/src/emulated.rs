//! One more debug probe for probe-rs: the JTAG pins of an emulated chip, over a Unix socket.
//!
//! The other end is `board`'s `emulated::remote_bitbang`; OpenOCD's driver of that name can take this one's place.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;

use bitvec::vec::BitVec;
use probe_rs::architecture::riscv::communication_interface::{RiscvError, RiscvInterfaceBuilder};
use probe_rs::architecture::riscv::dtm::jtag_dtm::JtagDtmBuilder;
use probe_rs::plugin::{Plugin, register_plugin};
use probe_rs::probe::list::ProbeListItem;
use probe_rs::probe::{
    AutoImplementJtagAccess, DebugProbe, DebugProbeError, DebugProbeSelector, JtagAccess, JtagDriverState,
    ProbeCreationError, ProbeFactory, RawJtagIo, WireProtocol,
};

/// What stands for USB's numbers in selectors: identifiers that pid.codes keeps for tests.
const IDENTIFIERS: (u16, u16) = (0x1209, 0x0001);
/// How many commands are written before the answers to them are read: less than a socket holds.
const COMMANDS_MAX: usize = 16 * 1024;

/// Makes probe-rs know emulated probes.
pub fn register() {
    register_plugin(Plugin { probe_drivers: &[&EmulatedFactory], ..Plugin::default() });
}

/// Selects the emulated probe at the socket `path`.
pub fn selector(path: &str) -> DebugProbeSelector {
    let (vendor_id, product_id) = IDENTIFIERS;
    DebugProbeSelector { vendor_id, product_id, interface: None, serial_number: Some(path.to_owned()) }
}

/// Whether an emulated probe is meant.
fn is_selected(selector: &DebugProbeSelector) -> bool {
    (selector.vendor_id, selector.product_id) == IDENTIFIERS
}

fn connect(selector: &DebugProbeSelector) -> io::Result<UnixStream> {
    let path = selector.serial_number.as_deref().ok_or(io::ErrorKind::NotFound)?;
    UnixStream::connect(path)
}

/// Opens emulated probes for probe-rs.
#[derive(Debug)]
struct EmulatedFactory;

impl fmt::Display for EmulatedFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("emulated board")
    }
}

impl ProbeFactory for EmulatedFactory {
    fn open(&self, selector: &DebugProbeSelector) -> Result<Box<dyn DebugProbe>, DebugProbeError> {
        if !is_selected(selector) {
            return Err(ProbeCreationError::NotFound.into());
        }
        // It is no USB's error, but the only one that keeps its cause.
        let stream = connect(selector).map_err(ProbeCreationError::Usb)?;
        Ok(Box::new(EmulatedProbe::new(stream)))
    }

    fn list_probes(&self) -> Vec<ProbeListItem> {
        // Nobody knows where their sockets are but who started them.
        Vec::new()
    }
}

/// An emulated chip's JTAG pins.
#[derive(Debug)]
struct EmulatedProbe {
    stream: UnixStream,
    jtag: JtagDriverState,
    /// Commands that have not been sent.
    commands: Vec<u8>,
    /// How many answers they will have.
    answers_due: usize,
    captured: BitVec,
}

impl EmulatedProbe {
    fn new(stream: UnixStream) -> Self {
        let (jtag, captured) = (JtagDriverState::default(), BitVec::new());
        Self { stream, jtag, commands: Vec::with_capacity(COMMANDS_MAX + 3), answers_due: 0, captured }
    }

    /// Sends what waits, and reads the answers to it.
    fn flush(&mut self) -> Result<(), DebugProbeError> {
        let mut answers = vec![0; self.answers_due];
        let sent = self.stream.write_all(&self.commands).and_then(|()| self.stream.read_exact(&mut answers));
        self.commands.clear();
        self.answers_due = 0;
        sent.map_err(DebugProbeError::Usb)?;
        self.captured.extend(answers.iter().map(|answer| *answer == b'1'));
        Ok(())
    }

    fn set_reset(&mut self, asserted: bool) -> Result<(), DebugProbeError> {
        self.commands.push(if asserted { b's' } else { b'r' });
        self.flush()
    }
}

impl RawJtagIo for EmulatedProbe {
    fn state_mut(&mut self) -> &mut JtagDriverState {
        &mut self.jtag
    }

    fn state(&self) -> &JtagDriverState {
        &self.jtag
    }

    fn shift_bit(&mut self, tms: bool, tdi: bool, capture: bool) -> Result<(), DebugProbeError> {
        self.jtag.state.update(tms);
        // TCK falls, TDO is read, TCK rises.
        let pins = b'0' + 2 * u8::from(tms) + u8::from(tdi);
        self.commands.push(pins);
        if capture {
            self.commands.push(b'R');
            self.answers_due += 1;
        }
        self.commands.push(pins + 4);
        if self.commands.len() >= COMMANDS_MAX { self.flush() } else { Ok(()) }
    }

    fn read_captured_bits(&mut self) -> Result<BitVec, DebugProbeError> {
        self.flush()?;
        Ok(std::mem::take(&mut self.captured))
    }
}

impl AutoImplementJtagAccess for EmulatedProbe {}

impl DebugProbe for EmulatedProbe {
    fn get_name(&self) -> &str {
        "emulated board"
    }

    fn speed_khz(&self) -> u32 {
        (1_000 / board::emulated::jtag_port::TCK_PERIOD_US) as u32
    }

    fn set_speed(&mut self, _speed_khz: u32) -> Result<u32, DebugProbeError> {
        Ok(self.speed_khz())
    }

    fn attach(&mut self) -> Result<(), DebugProbeError> {
        Ok(())
    }

    fn detach(&mut self) -> Result<(), probe_rs::Error> {
        self.flush().map_err(probe_rs::Error::from)
    }

    fn target_reset(&mut self) -> Result<(), DebugProbeError> {
        self.set_reset(true)?;
        self.set_reset(false)
    }

    fn target_reset_assert(&mut self) -> Result<(), DebugProbeError> {
        self.set_reset(true)
    }

    fn target_reset_deassert(&mut self) -> Result<(), DebugProbeError> {
        self.set_reset(false)
    }

    fn select_protocol(&mut self, protocol: WireProtocol) -> Result<(), DebugProbeError> {
        match protocol {
            WireProtocol::Jtag => Ok(()),
            other => Err(DebugProbeError::UnsupportedProtocol(other)),
        }
    }

    fn active_protocol(&self) -> Option<WireProtocol> {
        Some(WireProtocol::Jtag)
    }

    fn try_as_jtag_probe(&mut self) -> Option<&mut dyn JtagAccess> {
        Some(self)
    }

    fn try_get_riscv_interface_builder<'probe>(
        &'probe mut self,
    ) -> Result<Box<dyn RiscvInterfaceBuilder<'probe> + 'probe>, RiscvError> {
        Ok(Box::new(JtagDtmBuilder::new(self)))
    }

    fn has_riscv_interface(&self) -> bool {
        true
    }

    fn into_probe(self: Box<Self>) -> Box<dyn DebugProbe> {
        self
    }
}
