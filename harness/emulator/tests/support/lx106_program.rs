//! Programs in C for the ESP8266, built with Debian's `gcc-xtensa-lx106`.
#![allow(clippy::print_stderr, reason = "whoever runs this reads it")]

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

const COMPILER: &str = "xtensa-lx106-elf-gcc";

/// The program `name` of a folder below `tests/programs/`, which has a `link.ld`, as an ELF file; `None`, with the reason
/// printed, where there is no compiler.
pub fn program(folder: &str, name: &str) -> Option<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs").join(folder);
    static BUILT: AtomicU32 = AtomicU32::new(0);
    let file = format!("shakedown-esp8266-{}-{}.elf", std::process::id(), BUILT.fetch_add(1, Ordering::Relaxed));
    let elf = std::env::temp_dir().join(file);
    let built = Command::new(COMPILER)
        .args([
            "-Os",
            "-Wall",
            "-Werror",
            "-ffreestanding",
            "-nostdlib",
            "-mlongcalls",
            "-mtext-section-literals",
            "-T",
        ])
        .args([folder.join("link.ld"), folder.join(format!("{name}.c"))])
        .current_dir(&folder)
        .arg("-o")
        .arg(&elf)
        .status();
    match built {
        Ok(status) => assert!(status.success(), "{name}.c does not compile"),
        Err(error) => {
            let required = std::env::var("SHAKEDOWN_REQUIRED_TOOLS").is_ok_and(|tools| tools.contains(COMPILER));
            assert!(!required, "{COMPILER}: {error}");
            eprintln!("skipped: {COMPILER} does not start: {error}");
            return None;
        }
    }
    let bytes = std::fs::read(&elf).expect("it was just built");
    std::fs::remove_file(&elf).expect("it was just built");
    Some(bytes)
}
