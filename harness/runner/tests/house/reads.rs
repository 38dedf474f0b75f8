//! Files are read by way of `host`, which counts bytes and waits for nobody: whoever opens one otherwise says why it can.

use super::{assert_none, code};

/// Where the system's ways to read a file stand, with the reason: nobody's file but the system's, or a limit of its own.
const READERS: &[(&str, &str)] = &[
    ("firmware-under-test/", "build scripts, over what is in this repository"),
    ("harness/board/src/virtual_board.rs", "a regular file, within a limit: `board` does not know `host`"),
    ("harness/fuzz/replay.rs", "tests"),
    ("harness/host/src/", "this is where they belong"),
    ("harness/probe/src/flash.rs", "a regular file, within a limit: `probe` does not know `host`"),
    ("harness/rack/src/doctor/", "the system's own: /etc and /proc"),
    ("harness/rack/src/lock.rs", "/etc/hostname"),
    ("harness/rack/src/scan.rs", "the kernel's own: /sys"),
    ("harness/rack/src/usb.rs", "the kernel's own: /sys"),
    ("harness/report/src/schema.rs", "tests"),
    ("harness/runner/src/privileges.rs", "/etc/passwd"),
    ("harness/runner/src/server.rs", "a log that the bench wrote itself, within a limit"),
    ("harness/runner/src/tables.rs", "this repository's pages"),
    ("harness/xtask/src/", "regular files of this repository and of its target folder: `xtask` knows nobody"),
];

const WAYS: [&str; 4] = ["fs::read(", "fs::read_to_string(", "File::open(", "fs::File::options("];

#[test]
fn files_are_read_within_limits() {
    let mut complaints = Vec::new();
    let mut used = vec![false; READERS.len()];
    for (name, text) in code() {
        let excuse = READERS.iter().position(|(place, _)| name.starts_with(place));
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| WAYS.iter().any(|way| line.contains(way))) {
            match excuse {
                Some(excuse) => used[excuse] = true,
                None => complaints.push(format!("{name}:{number}: {}: `host::read` and its like", line.trim())),
            }
        }
    }
    let unused = READERS.iter().zip(used).filter(|(_, used)| !used);
    complaints.extend(unused.map(|((place, _), _)| format!("{place} reads no file any more")));
    assert_none(&complaints);
}
