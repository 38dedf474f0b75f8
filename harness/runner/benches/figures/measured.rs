//! What has been measured so far, and how a time is.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use board::Tier;
use runner::figures::{Executor, of_name, three_digits};

/// Figures by name; each is printed as it comes.
pub struct Measured {
    has_back_end: bool,
    by_name: BTreeMap<String, f64>,
}

impl Measured {
    pub fn new(has_back_end: bool) -> Self {
        if !has_back_end {
            println!("there is no back end for this machine: nothing is compiled");
        }
        Self { has_back_end, by_name: BTreeMap::new() }
    }

    /// Puts down a figure of `runner::figures`.
    pub fn put(&mut self, name: &str, value: f64) {
        let (row, _) = of_name(name).unwrap_or_else(|| panic!("nobody knows a figure `{name}`"));
        println!("{name} = {}{}", three_digits(value), row.unit);
        self.by_name.insert(name.to_owned(), value);
    }

    /// The tiers that this machine has, but for the plain interpreter if somebody cannot wait for it.
    pub fn tiers(&self, with_interpreter: bool) -> impl Iterator<Item = (Executor, Tier)> + use<> {
        let has_back_end = self.has_back_end;
        [Executor::Compiled, Executor::Threaded, Executor::Interpreted]
            .into_iter()
            .filter(move |executor| match executor {
                Executor::Compiled => has_back_end,
                Executor::Interpreted => with_interpreter,
                _ => true,
            })
            .filter_map(|executor| Some((executor, tier(executor)?)))
    }

    pub fn by_name(self) -> BTreeMap<String, f64> {
        self.by_name
    }
}

/// The emulator's own word for it; QEMU is none of its tiers.
pub fn tier(executor: Executor) -> Option<Tier> {
    match executor {
        Executor::Compiled => Some(Tier::HostCode),
        Executor::Threaded => Some(Tier::ThreadedCode),
        Executor::Interpreted => Some(Tier::Interpreter),
        Executor::Qemu => None,
    }
}

/// The shortest of so many turns.
pub fn shortest(turns: u32, mut turn: impl FnMut()) -> Duration {
    (0..turns.max(1)).map(|_| timed(&mut turn)).min().unwrap_or_default()
}

/// How long it takes.
pub fn timed(turn: &mut impl FnMut()) -> Duration {
    let began = Instant::now();
    turn();
    began.elapsed()
}

pub fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

pub fn us(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
