//! A device on the bench: flash it, reset it, power it, listen to it, speak to it.
//!
//! There is one trait, [`Board`], and it has two arms: [`Emulated`], a chip in this process whose time is virtual, and
//! `Hardware`, a real board behind a debug probe and a serial port, whose time is the wall's. Nothing outside of this
//! crate can tell the two apart, except by [`Board::target`]. `VirtualBoard` is for tests of the second arm: an emulated
//! chip in a process of its own, behind a pseudo-terminal.
//!
//! This crate does not know brokers, networks or scenarios: a board has ports by name, and whoever uses it attaches
//! something to each.

pub mod emulated;
pub mod flasher;
#[cfg(unix)]
pub mod hardware;
pub mod lateness;
#[cfg(unix)]
pub mod virtual_board;

use std::fmt;
use std::sync::Arc;

use chip::Chip;
pub use chip::{Nic, PortId, PortRole, SerialPort};
pub use clock::Instant;
pub use emulated::{Boots, Emulated, Past};
pub use emulator::{RadioFrame, Tier};
pub use flasher::{FaultKind, Flasher, ProbeFault};
#[cfg(unix)]
pub use hardware::Hardware;
#[cfg(unix)]
pub use virtual_board::VirtualBoard;

/// A device on the bench.
pub trait Board: Send {
    /// What kind of board this is, for the transcript's first lines.
    fn target(&self) -> Target;

    /// Puts an image on the board. The board is in reset afterwards.
    ///
    /// # Errors
    ///
    /// [`Fault::Image`] if the board cannot take the image, [`Fault::Bench`] if it cannot be reached.
    fn flash(&mut self, image: &Image) -> Result<(), Fault>;

    /// In the runs to come this machine may be so late at most: the device does not wait for longer. Says nothing to a board
    /// whose time is virtual.
    fn may_be_late(&mut self, _by_max: std::time::Duration) {}

    /// Lets the image start from its reset vector.
    ///
    /// # Errors
    ///
    /// [`Fault::Bench`] if the board cannot be reached.
    fn reset(&mut self) -> Result<(), Fault>;

    /// Lets the board run until it has said something or something has happened to it, but not beyond `deadline`.
    ///
    /// # Errors
    ///
    /// [`Fault::Bench`] if the board cannot be reached.
    fn listen(&mut self, deadline: Instant) -> Result<Heard, Fault>;

    /// Sends to the device on a port: bytes where it is serial (115 200 baud and no flow control where it is a UART), one
    /// whole Ethernet frame where it is a network interface.
    ///
    /// # Errors
    ///
    /// [`Fault::Bench`] if the board cannot be reached, or has nothing at that port.
    fn send(&mut self, port: PortId, bytes: &[u8]) -> Result<(), Fault>;

    /// What comes now is this run's own, and until here others may have been the same: a board that can goes on from here in
    /// those ([`Boots`]). It changes nothing of what is heard.
    fn milestone(&mut self) {}

    /// A frame reaches the antenna. It may begin now or a little later.
    ///
    /// # Errors
    ///
    /// [`Fault::Bench`] if the bench has no air around this board.
    fn send_air(&mut self, _frame: RadioFrame) -> Result<(), Fault> {
        Err(Fault::Bench("the air round a real board is nobody's to bend".to_owned()))
    }
}

/// What kind of board this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The chip.
    pub chip: &'static Chip,
    /// Whether its time is virtual and its runs are byte-identical.
    pub emulated: bool,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.emulated { "emulated" } else { "hardware" })
    }
}

/// A firmware image.
#[derive(Clone, Debug)]
pub struct Image {
    /// Its name: the file's, without its ending.
    pub name: String,
    /// The chip that it is for.
    pub chip: &'static Chip,
    /// The ELF file. With a flash that boots, the names of its functions are all that is taken of it, and it may be empty.
    pub elf: Arc<[u8]>,
    /// A flash with all that the chip boots; without one the ELF file is what runs.
    pub flash: Option<FlashContent>,
    /// The chip's real mask ROM, as an ELF file; without one, an emulated chip has a modelled one.
    pub rom: Option<Arc<[u8]>>,
}

/// What a flash holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlashContent {
    /// From its beginning on; the rest is erased.
    pub bytes: Arc<[u8]>,
    /// How large it is.
    pub size_bytes: u32,
}

impl Image {
    /// An ELF file that runs as it is.
    pub fn of_elf(name: String, chip: &'static Chip, elf: Arc<[u8]>) -> Self {
        Self { name, chip, elf, flash: None, rom: None }
    }

    /// Whether a board with this chip can take the image.
    ///
    /// # Errors
    ///
    /// [`Fault::Image`] with both chips, if it is for another.
    pub fn fits(&self, chip: &'static Chip) -> Result<(), Fault> {
        if self.chip == chip {
            return Ok(());
        }
        Err(Fault::Image(format!("{} is for the chip {}, and the board has a chip {chip}", self.name, self.chip)))
    }
}

/// What a board had to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// When: the board's time, since its power-on.
    pub at: Instant,
    /// What came on each port, and no port on which nothing came: the bytes of a serial port, and a frame each of a network
    /// interface, in their order.
    pub ports: Vec<(PortId, Vec<u8>)>,
    /// What its radio has sent, in order.
    pub air: Vec<RadioFrame>,
    /// What happened to the board itself.
    pub incidents: Vec<Incident>,
}

impl Heard {
    /// The bytes that came on the serial port `port`.
    pub fn bytes_of(&self, port: PortId) -> &[u8] {
        self.ports.iter().find(|(at, _)| *at == port).map_or(&[], |(_, bytes)| bytes)
    }
}

/// Something that happened to the board itself, beside what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// When.
    pub at: Instant,
    /// How grave it is.
    pub gravity: Gravity,
    /// What, in one line.
    pub what: String,
    /// Where: the call stack with symbols, innermost first; empty where that says nothing.
    pub backtrace: Vec<String>,
}

/// How grave an [`Incident`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gravity {
    /// The bench does not know what the chip would have done: a register that is not modelled was touched.
    Unmodelled,
    /// Worth telling, no more: the firmware reset itself on purpose, or lost bytes on a UART.
    Notice,
    /// The firmware crashed: an illegal instruction, a bad access, a stack overflow, a watchdog's reset.
    Crash,
}

/// Why a board could not do as it was told.
#[derive(Debug)]
pub enum Fault {
    /// The image is not one for this board.
    Image(String),
    /// The board cannot be reached: the bench's fault, never the device's.
    Bench(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(why) => write!(f, "the image does not fit the board: {why}"),
            Self::Bench(why) => write!(f, "the board cannot be reached: {why}"),
        }
    }
}

impl std::error::Error for Fault {}
