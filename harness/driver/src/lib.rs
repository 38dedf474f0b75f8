//! How a device that takes no orders is told what to do: by whoever types on its console.
//!
//! A firmware of this bench takes its plan as an order in JSON. A product does not; but many can be told what to do all the
//! same, at a prompt. A driver turns a [`Plan`] into what is typed there, and what the device prints into the reports that
//! a firmware of this bench would have made. It has no I/O and reads no clock: bytes and instants go in, bytes and what was
//! [`Said`] come out.
//!
//! A driver cannot say everything. What it cannot is a [`Conflict`] before anything runs, with its reason; a scenario that
//! asks for it is not applicable to the product.
//!
//! This crate knows no scenario, no board and no port: whoever uses it puts it at the end of a serial line.

mod by_itself;
mod conflict;
#[cfg(test)]
mod fixture;
mod lua_prompt;
pub mod micropython;
pub mod nodemcu_lua;
mod progress;
mod raw_repl;

use std::fmt;

use clock::{Duration, Instant};
use control::{Failure, Plan, Report};

pub use conflict::Conflict;

/// The drivers that come with the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// MicroPython's raw REPL, and `umqtt.simple`.
    Micropython,
    /// NodeMCU's Lua prompt, and its modules `wifi`, `tls`, `mqtt` and `tmr`.
    NodemcuLua,
    /// Nobody tells it anything: it does what it was built to do.
    None,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Micropython, Self::NodemcuLua, Self::None];

    /// As a product's description has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Micropython => "micropython",
            Self::NodemcuLua => "nodemcu_lua",
            Self::None => "none",
        }
    }

    /// The driver of a name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The plan as a device that is driven so carries it out, where `preset` is the plan that asks for nothing in particular.
    ///
    /// # Errors
    ///
    /// The first thing that was asked for and that cannot be said.
    pub fn fit(self, plan: Plan, preset: &Plan, abilities: &Abilities) -> Result<Plan, Conflict> {
        match self {
            Self::Micropython => micropython::plan::fit(plan, preset, abilities),
            Self::NodemcuLua => nodemcu_lua::plan::fit(plan, preset, abilities),
            Self::None => by_itself::fit(plan, preset, abilities),
        }
    }

    /// What the device has printed of a failure, if that has a library's name instead.
    pub fn printed(self, failure: &Failure) -> Option<String> {
        match self {
            Self::Micropython => micropython::exception::printed(failure),
            Self::NodemcuLua => nodemcu_lua::printed(failure),
            Self::None => None,
        }
    }

    /// A conversation in which the device is told `plan`, from its reset on; `None` if nobody tells it anything.
    pub fn begin(self, plan: &Plan) -> Option<Session> {
        match self {
            Self::Micropython => Some(Session(Device::Micropython(micropython::Session::new(plan)))),
            Self::NodemcuLua => Some(Session(Device::NodemcuLua(nodemcu_lua::Session::new(plan)))),
            Self::None => None,
        }
    }
}

/// What a product can do by itself, where nobody can ask it for anything else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    /// The lowest and the highest TLS version that it offers, as on the wire.
    pub versions: Option<(u16, u16)>,
    /// It has no means to verify a chain.
    pub cannot_verify: bool,
    /// Its ClientHello, record header included, in hexadecimal digits; the 28 random bytes are others each time.
    pub client_hello: Option<String>,
    /// Whether it speaks TLS to its broker.
    pub speaks_tls: bool,
    /// Whether it asks for the time by SNTP.
    pub asks_time: bool,
}

/// Whether these are the versions that the device offers anyway.
fn are_its_own(min: Option<u16>, max: Option<u16>, abilities: &Abilities) -> bool {
    match abilities.versions {
        Some((lowest, highest)) => min.is_none_or(|min| min == lowest) && max.is_none_or(|max| max == highest),
        None => min.is_none() && max.is_none(),
    }
}

/// Whether a hello with these versions is the one that it says anyway: up to TLS 1.2 a hello names the highest alone
/// (RFC 5246 §7.4.1.2), and no broker sees what lies below.
fn says_the_same_hello(min: Option<u16>, max: Option<u16>, abilities: &Abilities) -> bool {
    match abilities.versions {
        Some((lowest, highest)) => min.is_none_or(|min| min >= lowest) && max.is_none_or(|max| max == highest),
        None => min.is_none() && max.is_none(),
    }
}

/// Something that a driver makes of what it has heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// As a firmware of this bench would have reported it.
    Report(Report),
    /// A line for people.
    Text(String),
    /// What was done so far depends on nothing of the plan but its network: what follows does.
    Milestone,
    /// It is over, and nothing came of it.
    Fault(Fault),
}

/// Why a device could not be told what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The device's: what was awaited did not come.
    Silent {
        /// What.
        awaited: &'static str,
        /// For how long.
        within: Duration,
        /// The end of what it said instead.
        said: String,
    },
    /// The device's: it started anew.
    Restarted {
        /// The line that says so.
        line: String,
    },
    /// The device's: it said what does not belong there.
    OutOfTurn {
        /// What was awaited.
        awaited: &'static str,
        /// What came.
        said: String,
    },
    /// The bench's: its own script failed where nothing of the device's can.
    Script {
        /// What the device says of it.
        said: String,
    },
}

impl Fault {
    /// Whether it is the bench's own.
    pub const fn is_of_bench(&self) -> bool {
        matches!(self, Self::Script { .. })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent { awaited, within, said } => {
                write!(f, "no {awaited} within {} ms; last was {said:?}", within.as_millis())
            }
            Self::Restarted { line } => write!(f, "the device started anew: {line:?}"),
            Self::OutOfTurn { awaited, said } => write!(f, "{awaited} was awaited, and {said:?} came"),
            Self::Script { said } => write!(f, "the driver's own script failed: {said:?}"),
        }
    }
}

impl std::error::Error for Fault {}

/// A conversation with a device at its console.
#[derive(Debug)]
pub struct Session(Device);

/// What is at the other end.
#[derive(Debug)]
enum Device {
    Micropython(micropython::Session),
    NodemcuLua(nodemcu_lua::Session),
}

/// The same of whichever it is.
macro_rules! either {
    ($session:expr, $device:ident => $call:expr) => {
        match $session {
            Device::Micropython($device) => $call,
            Device::NodemcuLua($device) => $call,
        }
    };
}

impl Session {
    /// Bytes have come from the device.
    pub fn hear(&mut self, now: Instant, bytes: &[u8]) {
        either!(&mut self.0, device => device.hear(now, bytes));
    }

    /// When to come back, if the device says nothing before.
    pub fn poll_at(&self) -> Option<Instant> {
        either!(&self.0, device => device.poll_at())
    }

    /// It is `now`: what was awaited until then does not come any more.
    pub fn poll(&mut self, now: Instant) {
        either!(&mut self.0, device => device.poll(now));
    }

    /// What is to be sent to the device.
    pub fn take_output(&mut self) -> Vec<u8> {
        either!(&mut self.0, device => device.take_output())
    }

    /// What was made of what it said, in order.
    pub fn take_said(&mut self) -> Vec<Said> {
        either!(&mut self.0, device => device.take_said())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_below_the_highest_version_stands_in_no_hello() {
        let abilities = Abilities { versions: Some((0x0301, 0x0303)), ..Abilities::default() };
        let same = |min, max| says_the_same_hello(min, max, &abilities);
        assert!(same(None, None) && same(Some(0x0303), Some(0x0303)) && same(Some(0x0301), Some(0x0303)));
        assert!(!same(Some(0x0301), Some(0x0302)) && !same(None, Some(0x0304)) && !same(Some(0x0300), None));
        assert!(!says_the_same_hello(Some(0x0303), None, &Abilities::default()));
    }
}
