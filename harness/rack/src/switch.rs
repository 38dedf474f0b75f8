//! What a rack can do to a board from outside: reset its USB port, switch its power.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use blame::{Error, Result};

use crate::map::{Entry, Facts};
use crate::{program, usb};

/// For how long the power stays away: capacitors hold a chip up for a while.
const OFF: Duration = Duration::from_secs(2);
/// For how long a board that got its power back is left alone: its ports have to be found.
const SETTLE: Duration = Duration::from_secs(2);
/// An emulated board has no capacitors.
const OFF_EMULATED: Duration = Duration::from_millis(50);

/// How a board's USB port is reset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsbReset {
    /// By this program.
    Program(Vec<String>),
    /// By `usbreset` (usbutils), which sends USBDEVFS_RESET to where the device is at that moment.
    Device(usb::Identity),
    /// Not at all.
    None,
}

/// How a board's power and its USB port are reached.
#[derive(Clone, Debug)]
pub enum Switch {
    /// By programs of this machine.
    Programs {
        /// Resets the USB port.
        usb_reset: UsbReset,
        /// Takes the power away; empty: nobody can.
        off: Vec<String>,
        /// Gives it back.
        on: Vec<String>,
    },
    /// A board of this bench's own making, by its control socket.
    Emulated(PathBuf),
}

impl Switch {
    /// The switch of a board in the map.
    pub fn of(entry: &Entry) -> Self {
        let facts = &entry.facts;
        let (off, on) = match (&facts.power.hub, facts.power.port) {
            // `-r 100`: some devices need to be switched off more than once (uhubctl's README). Without `-e` both halves
            // of a USB 3 hub are switched.
            (Some(hub), Some(port)) => (uhubctl(hub, port, "off"), uhubctl(hub, port, "on")),
            _ => (facts.power.off.clone(), facts.power.on.clone()),
        };
        Self::Programs { usb_reset: usb_reset(facts), off, on }
    }

    /// Whether it can reset the USB port.
    pub fn resets_usb(&self) -> bool {
        match self {
            Self::Programs { usb_reset, .. } => *usb_reset != UsbReset::None,
            Self::Emulated(_) => true,
        }
    }

    /// Whether it can switch the power.
    pub fn switches_power(&self) -> bool {
        match self {
            Self::Programs { off, .. } => !off.is_empty(),
            Self::Emulated(_) => true,
        }
    }

    /// Resets the board's USB port.
    ///
    /// # Errors
    ///
    /// If it cannot be done within `limit`.
    pub fn reset_usb(&self, limit: Duration) -> Result<()> {
        match self {
            Self::Programs { usb_reset, .. } => {
                match usb_reset {
                    UsbReset::Program(words) => program::run(words, limit)?,
                    UsbReset::Device(identity) => {
                        program::run(&["usbreset".to_owned(), identity.place(Path::new("/"))?], limit)?;
                    }
                    UsbReset::None => return Err(Error::bench("nothing resets this board's USB port")),
                }
                thread::sleep(SETTLE);
                Ok(())
            }
            Self::Emulated(socket) => ask(socket, "usb_reset", limit),
        }
    }

    /// Takes the board's power away and gives it back.
    ///
    /// # Errors
    ///
    /// If it cannot be done within `limit`.
    pub fn cycle_power(&self, limit: Duration) -> Result<()> {
        match self {
            Self::Programs { off, on, .. } => {
                let taken = program::run(off, limit / 3);
                thread::sleep(OFF);
                // Given back in any case: a board without power helps nobody.
                program::run(on, limit / 3)?;
                thread::sleep(SETTLE);
                taken
            }
            Self::Emulated(socket) => {
                ask(socket, "power off", limit / 3)?;
                thread::sleep(OFF_EMULATED);
                ask(socket, "power on", limit / 3)
            }
        }
    }
}

fn uhubctl(hub: &str, port: u16, action: &str) -> Vec<String> {
    ["uhubctl", "-l", hub, "-p", &port.to_string(), "-a", action, "-r", "100"].map(str::to_owned).to_vec()
}

/// The program of the map, else `usbreset` on the probe's USB device.
fn usb_reset(facts: &Facts) -> UsbReset {
    if !facts.usb_reset.is_empty() {
        return UsbReset::Program(facts.usb_reset.clone());
    }
    usb::Identity::of_selector(&facts.probe).map_or(UsbReset::None, UsbReset::Device)
}

#[cfg(unix)]
fn ask(socket: &Path, request: &str, limit: Duration) -> Result<()> {
    board::virtual_board::ask_within(socket, request, limit).map(drop).map_err(Error::bench)
}

#[cfg(not(unix))]
fn ask(_: &Path, _: &str, _: Duration) -> Result<()> {
    Err(Error::bench("emulated boards behind sockets need Unix"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map;

    fn switch(more: &str) -> Switch {
        let text = format!("chip = \"esp32c3\"\nprobe = \"303a:1001-0:DC:DA\"\nserial = \"/dev/x\"\n{more}");
        let facts = map::parse("one.toml", &text).expect("a good file");
        Switch::of(&Entry { name: "one".into(), file: "one.toml".into(), facts })
    }

    #[test]
    fn hubs_are_switched_by_uhubctl_and_ports_reset_by_usbreset() {
        let Switch::Programs { usb_reset, off, on } = switch("[power]\nhub = \"1-1\"\nport = 3\n") else {
            panic!("a board with programs");
        };
        assert!(matches!(usb_reset, UsbReset::Device(_)));
        assert_eq!(off, ["uhubctl", "-l", "1-1", "-p", "3", "-a", "off", "-r", "100"]);
        assert_eq!(on[6], "on");
    }

    #[test]
    fn without_a_switch_there_is_no_power_cycle() {
        assert!(!switch("").switches_power());
        assert!(switch("").resets_usb());
    }
}
