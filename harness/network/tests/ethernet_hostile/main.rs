//! Devices on an Ethernet that mean harm: whatever they send, nobody panics and nothing grows.

#[path = "../../../fuzz/replay.rs"]
mod replay;
mod segment;

use proptest::prelude::*;

const DEVICE: [u8; 6] = [0x60, 0x55, 0xf9, 0, 0, 1];

fn frame(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    [&[0xff; 6], &DEVICE[..], &ethertype.to_be_bytes(), payload].concat()
}

/// Who has 192.0.2.1? (RFC 826)
fn arp() -> Vec<u8> {
    let question = [[0, 1, 8, 0, 6, 4, 0, 1], [0x60, 0x55, 0xf9, 0, 0, 1, 0, 0]].concat();
    frame(0x0806, &[&question[..], &[0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1]].concat())
}

/// A DHCP discovery (RFC 2131 §2, RFC 2132 §9.6) in UDP without a checksum.
fn discovery() -> Vec<u8> {
    let mut bootp = vec![1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78];
    bootp.resize(28, 0);
    bootp.extend(DEVICE);
    bootp.resize(236, 0);
    bootp.extend([99, 130, 83, 99, 53, 1, 1, 55, 3, 1, 3, 6, 255]);
    let length = (bootp.len() + 8) as u16;
    let udp = [&[0, 68, 0, 67][..], &length.to_be_bytes(), &[0, 0], &bootp].concat();
    let mut ip = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255];
    ip[2..4].copy_from_slice(&((udp.len() + 20) as u16).to_be_bytes());
    let sum: u32 = ip.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(word[1])).sum();
    ip[10..12].copy_from_slice(&(!(((sum & 0xffff) + (sum >> 16)) as u16)).to_be_bytes());
    frame(0x0800, &[ip, udp].concat())
}

/// Frames that nobody has seen before, and such as are nearly right.
fn frames() -> impl Strategy<Value = Vec<(u16, Vec<u8>)>> {
    let any_frame = proptest::collection::vec(any::<u8>(), 0..120);
    let of_a_kind = (prop_oneof![Just(0x0800u16), Just(0x0806), Just(0x86dd)], any_frame.clone())
        .prop_map(|(ethertype, payload)| frame(ethertype, &payload));
    let nearly = (prop_oneof![Just(arp()), Just(discovery())], any::<(prop::sample::Index, u8)>(), any::<bool>())
        .prop_map(|(mut frame, (at, byte), is_cut)| {
            let at = at.index(frame.len());
            frame[at] = byte;
            if is_cut {
                frame.truncate(at);
            }
            frame
        });
    proptest::collection::vec((any::<u16>(), prop_oneof![any_frame, of_a_kind, nearly]), 0..40)
}

proptest! {
    #[test]
    fn an_ethernet_takes_any_frames(frames in frames()) {
        segment::play(&frames);
    }
}

/// The fuzzer's seeds (`harness/fuzz/seeds/ethernet`): each by itself, all in one script, and with changes.
#[test]
fn the_fuzzers_seeds_are_played() {
    let mut seeds = replay::seeds("ethernet");
    let script =
        seeds.iter().map(|(_, frame)| [&frame[..], &segment::NEXT, &[1]].concat()).collect::<Vec<_>>().concat();
    seeds.push(("all".to_owned(), script));
    seeds.iter().for_each(|(_, script)| segment::play_script(script));
    let change = |script: &mut Vec<u8>, other: &[u8], random: &mut replay::Xorshift| {
        let at = random.below(script.len() + 1);
        match random.below(3) {
            0 => script.truncate(at),
            1 => script.splice(at..at, other[..other.len().min(64)].iter().copied()).for_each(drop),
            _ => script.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << random.below(8)),
        }
    };
    replay::changed(&seeds, 100, change, |_, script| segment::play_script(script));
}

/// Of one question a thousand times, no more than what may wait is answered; the unchanged frames are understood at all.
#[test]
fn an_ethernet_that_is_asked_for_ever_does_not_grow() {
    segment::play(&vec![(0, arp()); 1_000]);
    segment::play(&vec![(0, discovery()); 1_000]);
}

/// `harness/fuzz/seeds/ethernet`: ARP, DHCP, neighbour discovery, and such as are nearly right; alone, all together, and cut
/// at every length.
#[test]
fn an_ethernet_takes_the_seeds() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/ethernet");
    let entries = std::fs::read_dir(folder).expect("the seeds are beside the fuzzers");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let seeds: Vec<(u16, Vec<u8>)> = files.iter().map(|file| (500, std::fs::read(file).expect("a file"))).collect();
    assert!(seeds.len() >= 20, "{}", seeds.len());
    segment::play(&seeds);
    for (_, seed) in &seeds {
        let cut: Vec<_> = (0..=seed.len()).map(|length| (500, seed[..length].to_vec())).collect();
        segment::play(&cut);
    }
}
