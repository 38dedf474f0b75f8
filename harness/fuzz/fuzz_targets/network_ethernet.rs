//! The Ethernet in front of the LAN, with a device that means harm: ARP, DHCP, neighbour discovery, and what is none of them.
//! Seeds: `seeds/ethernet`.
#![no_main]

#[allow(dead_code, reason = "`network`'s tests use all of it")]
#[path = "../../network/tests/ethernet_hostile/segment.rs"]
mod segment;

libfuzzer_sys::fuzz_target!(|script: &[u8]| {
    segment::play_script(script);
});
