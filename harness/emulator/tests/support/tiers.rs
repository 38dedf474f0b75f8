//! What tests of all who may execute instructions share.

use chip::PortId;
use clock::Instant;
use emulator::{EmulatedChip, Pause};

/// Whether this host has a back end, which is put to use: without one these tests hold threaded code against the plain
/// interpreter.
pub fn has_back_end() -> bool {
    host_code::install()
}

/// What a chip says over a port until `deadline`, to which it comes.
pub fn run_until(chip: &mut impl EmulatedChip, port: PortId, deadline: Instant) -> Vec<u8> {
    let mut said = Vec::new();
    loop {
        let pause = chip.run_until(deadline);
        said.extend(chip.take_serial_output(port));
        match pause {
            Pause::Deadline => return said,
            Pause::SerialOutput => {}
            other => panic!("{other:?} {:#?}", chip.take_events()),
        }
    }
}
