//! OpenOCD at the emulated chip's JTAG port: another debugger than probe-rs, to which the chip looks like one too.
//!
//! Left out where OpenOCD is not installed. It runs as a process of its own.
#![allow(clippy::print_stderr, reason = "whoever runs this reads it")]
#![cfg(unix)]

mod bench;

use std::process::{Command, Stdio};

use bench::Bench;
use emulator::Settings;

/// RAM of the chip, and code for it: `addi a0, a0, 1` twice, a jump back to the first, and a trap.
const RAM: u32 = 0x4038_0000;
const CODE: [u32; 3] = [0x0015_0513, 0x0015_0513, 0xff9f_f06f];

#[test]
fn openocd_halts_steps_breaks_and_reads_memory() {
    let installed = Command::new("openocd").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if installed.is_err() {
        let required = std::env::var("SHAKEDOWN_REQUIRED_TOOLS").unwrap_or_default();
        assert!(!required.split(',').any(|tool| tool == "openocd"), "openocd is not installed, and is required here");
        eprintln!("left out: openocd is not installed");
        return;
    }
    let bench = Bench::new(&Settings::default());
    let data = RAM - 0x4038_0000 + 0x3fc8_0000;
    let [first, second, third] = CODE.map(|word| format!("{word:#x}"));
    let script = format!(
        "adapter driver remote_bitbang
         remote_bitbang port 0
         remote_bitbang host {socket}
         transport select jtag
         gdb_port disabled
         tcl_port disabled
         telnet_port disabled
         jtag newtap esp32c3 cpu -irlen 5 -expected-id 0x00005c25
         target create esp32c3.cpu riscv -chain-position esp32c3.cpu
         init
         halt
         mww {data:#x} {first}
         mww {after:#x} {second}
         mww {last:#x} {third}
         echo [mdw {RAM:#x} 3]
         reg a0 41
         reg pc {RAM:#x}
         step
         echo [reg a0]
         bp {breakpoint:#x} 4 hw
         resume
         wait_halt 5000
         echo [reg pc]
         echo [reg a0]
         rbp {breakpoint:#x}
         shutdown",
        socket = bench.socket.display(),
        after = data + 4,
        last = data + 8,
        breakpoint = RAM + 8,
    );
    let file = bench.folder.path().join("openocd.cfg");
    std::fs::write(&file, script).expect("a file");
    let output = Command::new("openocd").arg("-f").arg(&file).output().expect("openocd starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    for expected in [
        "tap/device found: 0x00005c25",
        "datacount=2 progbufsize=16",
        "XLEN=32, misa=0x40101104",
        "0x40380000: 00150513 00150513 ff9ff06f",
        "a0 (/32): 0x0000002a",
        "pc (/32): 0x40380008",
        "a0 (/32): 0x0000002b",
    ] {
        assert!(said.contains(expected), "`{expected}` is not in what OpenOCD says:\n{said}");
    }
}
