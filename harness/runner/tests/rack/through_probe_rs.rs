//! The whole way that silicon goes: probe-rs attaches to the chip, writes its flash, verifies and lets it go; the firmware
//! says hello on the serial port.
#![allow(clippy::print_stderr, reason = "whoever runs this reads it")]

use std::path::Path;

use runner::exit;

use crate::stand::{RUNNER, Stand, ends_with};

#[test]
fn boards_are_flashed_by_probe_rs_over_jtag_and_killed_in_mid_flash_are_none_the_worse() {
    let probe = Path::new(RUNNER).with_file_name("probe");
    if !probe.exists() {
        eprintln!("stands aside: {} is not built (`cargo build -p probe`)", probe.display());
        return;
    }
    let stand = Stand::of_emulated(&["door"]);
    let run = |words: &[&str]| {
        let mut command = stand.hil(words);
        command.env("SHAKEDOWN_PROBE", &probe);
        command
    };
    // Killed while probe-rs is at work: the images are laid out just before they are flashed.
    let mut child = run(&["transport/nxdomain"]).spawn().unwrap();
    let image = stand.path("artefacts/images/door/esp32c3_mbedtls.elf");
    while !image.exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    ends_with(&run(&["transport/nxdomain"]).output().unwrap(), exit::AS_EXPECTED, "1 as expected");
}
