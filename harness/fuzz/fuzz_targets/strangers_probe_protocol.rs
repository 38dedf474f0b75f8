//! What the flashing process, the firmware and the control socket of a virtual board are told and answer, line by line. Seeds: `seeds/strangers/probe_protocol`.
#![no_main]

#[allow(dead_code, reason = "each target is one of many")]
#[path = "../bodies/strangers.rs"]
mod strangers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    strangers::probe_protocol(bytes);
});
