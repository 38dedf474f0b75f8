//! How large a file may be: the table of `harness/README.md` is rendered from [`ALL`].

/// A kind of file, and the most that is read of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What it is, for a sentence: `scenario`.
    pub what: &'static str,
    /// The most that is read, in bytes.
    pub bytes_max: u64,
    /// What to do with a larger one.
    pub remedy: &'static str,
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// A scenario.
pub const SCENARIO: Limit = Limit { what: "scenario", bytes_max: MIB, remedy: "this is no scenario" };
/// A dialect.
pub const DIALECT: Limit = Limit { what: "dialect", bytes_max: MIB, remedy: "this is no dialect" };
/// A manifest or another table in TOML.
pub const MANIFEST: Limit = Limit { what: "manifest", bytes_max: MIB, remedy: "this is no manifest" };
/// A board's file in the hardware map.
pub const BOARD: Limit = Limit { what: "board's file", bytes_max: 64 * KIB, remedy: "this is no board's file" };
/// A firmware image: 16 MiB of flash, and the debug information of an ELF.
pub const IMAGE: Limit =
    Limit { what: "firmware image", bytes_max: 256 * MIB, remedy: "strip it of its debug information" };
/// A capture: its packets, as the file itself is read piece by piece.
pub const CAPTURE: Limit =
    Limit { what: "capture's packets", bytes_max: 128 * MIB, remedy: "cut out the interesting part with `editcap`" };
/// A key log.
pub const KEY_LOG: Limit =
    Limit { what: "key log", bytes_max: 16 * MIB, remedy: "leave the lines in it that belong to the capture" };
/// A snapshot, or another text beside it.
pub const SNAPSHOT: Limit = Limit { what: "snapshot", bytes_max: 4 * MIB, remedy: "this is no snapshot" };
/// A JSON report.
pub const REPORT: Limit = Limit {
    what: "JSON report",
    bytes_max: 128 * MIB,
    remedy: "write it with `--embed none`, and merge fewer at once",
};
/// The journal of a run.
pub const JOURNAL: Limit = Limit { what: "journal", bytes_max: 128 * MIB, remedy: "this is no journal" };
/// A certificate or a key in PEM.
pub const PEM: Limit = Limit { what: "certificate or key", bytes_max: 64 * KIB, remedy: "this is no PEM file" };
/// What `diagnose` is given beside the broker: authorities, a chain, a key, a password, a mosquitto.conf and its files.
pub const GIVEN: Limit = Limit {
    what: "file given to `diagnose`",
    bytes_max: MIB,
    remedy: "leave in it what the device has, or the broker",
};
/// A part of an image: no chip here has more flash.
pub const PART: Limit =
    Limit { what: "part of an image", bytes_max: 16 * MIB, remedy: "no chip here has so much flash" };
/// A list of the parts of an image, as build tools write it.
pub const PARTS: Limit = Limit { what: "list of an image's parts", bytes_max: MIB, remedy: "this is no such list" };
/// A log that is piped in.
pub const LOG: Limit =
    Limit { what: "log on standard input", bytes_max: 4 * MIB, remedy: "pipe its end in: `tail -c 1M`" };
/// Hellos and dumps that are piped in.
pub const PASTED: Limit =
    Limit { what: "dump on standard input", bytes_max: MIB, remedy: "pipe in the part with the hello" };
/// Who holds a board, in the file of its lock.
pub const RECORD: Limit = Limit { what: "record of a lock", bytes_max: 4 * KIB, remedy: "this is no record" };
/// What the rack notes of a board.
pub const NOTE: Limit = Limit { what: "note of a board", bytes_max: 4 * KIB, remedy: "this is no note" };

/// All of them.
pub const ALL: [Limit; 18] = [
    SCENARIO, DIALECT, MANIFEST, BOARD, IMAGE, PART, PARTS, CAPTURE, KEY_LOG, SNAPSHOT, REPORT, JOURNAL, PEM, GIVEN,
    LOG, PASTED, RECORD, NOTE,
];

impl Limit {
    /// The most that is read, in the largest unit that divides it: `1 MiB`.
    pub fn size(&self) -> String {
        match self.bytes_max {
            bytes if bytes % MIB == 0 => format!("{} MiB", bytes / MIB),
            bytes => format!("{} KiB", bytes / KIB),
        }
    }
}
