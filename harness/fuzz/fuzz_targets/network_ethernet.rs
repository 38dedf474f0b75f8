//! The Ethernet in front of the LAN, with a device that means harm: ARP, DHCP, neighbour discovery, and what is none of them.
#![no_main]

#[path = "../../network/tests/ethernet_hostile/segment.rs"]
mod segment;

libfuzzer_sys::fuzz_target!(|frames: Vec<(u16, Vec<u8>)>| {
    segment::play(&frames);
});
