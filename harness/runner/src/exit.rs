//! How the bench tells a script what happened: its exit codes. The README's table is rendered from [`ALL`].

use blame::Blame;

/// An exit code with its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// The number.
    pub code: u8,
    /// What it means.
    pub meaning: &'static str,
}

impl Exit {
    /// The exit code of a command that could not do its part, by whose fault that is.
    pub const fn of(blame: Blame) -> Self {
        match blame {
            Blame::Usage | Blame::Author => USAGE,
            Blame::Device | Blame::Broker | Blame::Bench => BENCH_FAILED,
        }
    }
}

/// Every scenario ended as its snapshot says.
pub const AS_EXPECTED: Exit =
    Exit { code: 0, meaning: "every selected scenario ended as expected, or is new and as the specification demands" };
/// At least one scenario ended otherwise.
pub const OTHERWISE: Exit = Exit {
    code: 1,
    meaning: "at least one scenario ended otherwise than expected, stayed silent, is new and not as the specification demands, or is of a kind that `--deny` names; `emulate`: the chip could not go on",
};
/// The command line or a scenario file is wrong.
pub const USAGE: Exit = Exit { code: 2, meaning: "the command line or a scenario file is wrong" };
/// The bench itself failed.
pub const BENCH_FAILED: Exit = Exit { code: 3, meaning: "the bench failed: never blamed on the device" };
/// A pattern matched no scenario, or the chip has no stack.
pub const NOTHING_SELECTED: Exit =
    Exit { code: 4, meaning: "nothing was selected: a pattern matches no scenario, or there is no stack for the chip" };
/// A newer image accepts what the older one refused, or begins to offer what nobody should.
pub const SECURITY_WORSE: Exit = Exit { code: 5, meaning: "`release-report`: a security outcome got worse" };
/// The emulated firmware failed: told apart from a bench that did.
pub const FIRMWARE_FAILED: Exit = Exit {
    code: 6,
    meaning: "`emulate`: the firmware panicked, raised an exception, overflowed its stack or was reset by a watchdog",
};
/// Ctrl-C.
pub const INTERRUPTED: Exit = Exit { code: 130, meaning: "interrupted: what was finished is reported" };

/// All of them.
pub const ALL: [Exit; 8] =
    [AS_EXPECTED, OTHERWISE, USAGE, BENCH_FAILED, NOTHING_SELECTED, SECURITY_WORSE, FIRMWARE_FAILED, INTERRUPTED];
