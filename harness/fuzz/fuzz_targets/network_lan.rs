//! A device that means harm, against the LAN: the scripts of `network`'s own tests, but found by the fuzzer.
#![no_main]

#[path = "../../network/tests/device/mod.rs"]
mod device;
#[path = "../../network/tests/device/hostile.rs"]
mod hostile_device;

libfuzzer_sys::fuzz_target!(|script: &[u8]| {
    hostile_device::play(script);
});
