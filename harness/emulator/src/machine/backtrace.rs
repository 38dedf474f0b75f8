//! Who called whom: what a backtrace is, and the names of its functions.
//!
//! The addresses come from a core, which knows how its calls look on a stack (`cores/riscv/unwind.rs`).

use serde::{Deserialize, Serialize};

use std::fmt;

use super::symbols::{Place, SourceLine};

/// How callers were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    /// By call frame information: exact.
    FrameInformation,
    /// By the chain of frame pointers in `s0`: exact where every function keeps it.
    FramePointers,
    /// By return addresses lying on the stack: may name functions that have returned.
    StackScan,
}

/// One function on the stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The instruction: where it stands in the innermost function, the return address in the others.
    pub address: u32,
    /// The function's demangled name.
    pub function: Option<String>,
    /// Where in the source.
    pub line: Option<SourceLine>,
    /// The function's code is part of its caller's (the next frame).
    pub inlined: bool,
}

/// The functions on the stack, innermost first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backtrace {
    /// The functions.
    pub frames: Vec<Frame>,
    /// How all but the first were found.
    pub method: Method,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FrameInformation => "by call frame information",
            Self::FramePointers => "by frame pointers",
            Self::StackScan => "by scanning the stack: may name functions that have returned",
        })
    }
}

impl fmt::Display for Backtrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, frame) in self.frames.iter().enumerate() {
            let name = frame.function.as_deref().unwrap_or("?");
            write!(f, "{n:>4}  {:08x}  {name}", frame.address)?;
            if frame.inlined {
                write!(f, " (inlined)")?;
            }
            if let Some(line) = &frame.line {
                write!(f, "\n                  at {line}")?;
            }
            writeln!(f)?;
        }
        write!(f, "      ({})", self.method)
    }
}

/// Whether the innermost function stands before the instruction at the program counter or behind the one that it has
/// just executed, which may be its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    Before,
    Behind,
}

impl Stands {
    /// The address to look up for the instruction that matters.
    pub fn looked_up(self, pc: u32) -> u32 {
        match self {
            Self::Before => pc,
            Self::Behind => pc.wrapping_sub(1),
        }
    }
}

impl Backtrace {
    /// Names the functions at `addresses`, innermost first. `places` says what an address belongs to.
    pub(crate) fn new(addresses: Vec<u32>, method: Method, stands: Stands, places: impl Fn(u32) -> Vec<Place>) -> Self {
        let mut frames = Vec::new();
        for (n, address) in addresses.into_iter().enumerate() {
            // A return address belongs to the instruction before it.
            let looked_up = if n == 0 { stands } else { Stands::Behind }.looked_up(address);
            frames.extend(places(looked_up).into_iter().map(|Place { function, line, inlined }| Frame {
                address,
                function,
                line,
                inlined,
            }));
        }
        Self { frames, method }
    }
}
