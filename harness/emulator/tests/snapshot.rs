//! Snapshots of the chip over the released firmware: what goes on from one does the same as what was never stopped.

use clock::{Duration, Instant};
use emulator::esp32c3::{Config, Esp32c3, Event, Pause, RadioFrame, SerialPort};
use emulator::snapshot::{Snapshot, SnapshotError};

const IMAGE: &[u8] = include_bytes!("../../../firmware-under-test/images/esp32c3_mbedtls.elf");
/// An IP packet that the firmware answers nothing to, as a slipmux frame: input at an instant of the test's choosing.
const INPUT: &[u8] = b"\xc0E\0\0\x14\0\0\0\0@\x01\0\0\x0a\0\0\x01\x0a\0\0\x02\xc0";
const PORTS: [SerialPort; 3] = [SerialPort::UsbSerialJtag, SerialPort::Uart0, SerialPort::Uart1];

fn chip(seed: u64) -> Esp32c3 {
    let mut chip = Esp32c3::new(Config { seed, ..Config::default() });
    chip.load_elf(IMAGE).expect("the released image is for this chip");
    chip
}

/// Everything that an owner sees of a run, with when.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    output: Vec<(Instant, usize, Vec<u8>)>,
    events: Vec<Event>,
    now: Instant,
    instructions: u64,
    registers: Vec<u32>,
}

/// Runs to `until`, with input on the way.
fn run(chip: &mut Esp32c3, until: Instant) -> Seen {
    let (mut output, mut events) = (Vec::new(), Vec::new());
    let half = chip.now() + Duration::from_nanos(until.since(chip.now()).as_nanos() as u64 / 2);
    for (deadline, input) in [(half, INPUT), (until, &[][..])] {
        loop {
            let pause = chip.run_until(deadline);
            for (n, port) in PORTS.into_iter().enumerate() {
                let bytes = chip.take_serial_output(port);
                if !bytes.is_empty() {
                    output.push((chip.now(), n, bytes));
                }
            }
            events.extend(chip.take_events());
            if !matches!(pause, Pause::SerialOutput | Pause::Event) {
                break;
            }
        }
        chip.serial_input(SerialPort::UsbSerialJtag, input);
    }
    let registers = (0..32).map(|n| chip.hart().register(n)).chain([chip.hart().pc()]).collect();
    Seen { output, events, now: chip.now(), instructions: chip.instructions_retired(), registers }
}

/// SplitMix64.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[test]
fn whoever_goes_on_from_a_snapshot_does_the_same() {
    let mut state = 0x5eed;
    for round in 0..24 {
        // Some in the boot, some asleep, some in mid-frame.
        let at = Instant::from_micros(random(&mut state) % if round % 2 == 0 { 12_000 } else { 400_000 });
        let until = at + Duration::from_millis(30);
        let mut first = chip(round);
        // What was said before, and is not taken yet, is part of the snapshot.
        let _ = first.run_until(at);
        let snapshot = first.snapshot();
        let kept = Snapshot::from_bytes(&snapshot.to_bytes()).expect("what was just written");
        assert!(kept == snapshot, "round {round}");
        let seen = run(&mut first, until);
        // Into the chip itself, into another of the same image, and into one of another seed.
        for mut other in [first, chip(round), chip(round + 1)] {
            other.restore(&kept).expect("a snapshot of this chip");
            assert_eq!(other.snapshot(), kept, "round {round}: a snapshot of what was restored is the same");
            assert_eq!(run(&mut other, until), seen, "round {round}, from {at}");
        }
    }
}

#[test]
fn frames_on_their_way_to_the_antenna_are_part_of_a_snapshot() {
    let mut first = chip(1);
    let _ = first.run_until(Instant::from_millis(8));
    let without = first.snapshot();
    let at = Instant::from_millis(20);
    first.radio_input(RadioFrame { at, channel: 6, rate_500_kbps: 2, signal_dbm: -40, bytes: vec![0x80; 60] });
    let with = first.snapshot();
    assert!(with != without);
    let mut other = chip(2);
    other.restore(&Snapshot::from_bytes(&with.to_bytes()).expect("what was just written")).expect("of this chip");
    assert!(other.snapshot() == with);
    assert_eq!(run(&mut other, Instant::from_millis(30)), run(&mut first, Instant::from_millis(30)));
    assert!(first.snapshot() != with, "the frame has arrived at a receiver that is off");
}

#[test]
fn a_reset_after_a_snapshot_starts_the_image_again() {
    let mut first = chip(1);
    run(&mut first, Instant::from_millis(20));
    let snapshot = first.snapshot();
    let mut other = Esp32c3::new(Config::default());
    other.know_symbols(IMAGE);
    other.restore(&snapshot).expect("a snapshot of this chip");
    for chip in [&mut first, &mut other] {
        chip.reset(emulator::esp32c3::ResetCause::SoftwareSystem);
    }
    assert_eq!(run(&mut other, Instant::from_millis(40)), run(&mut first, Instant::from_millis(40)));
}

#[test]
fn snapshots_share_the_pages_that_are_the_same() {
    let mut chip = chip(1);
    let _ = chip.run_until(Instant::from_millis(8));
    let early = chip.snapshot();
    run(&mut chip, Instant::from_millis(12));
    let late = chip.snapshot();
    let mut sharing = late.clone();
    sharing.share_with(&early);
    assert!(sharing == late, "sharing changes nothing");
    assert_eq!(late.shared_pages(&early).0, 0);
    let (shared, all) = sharing.shared_pages(&early);
    // The image lies in the flash, which nobody has written to; of the RAM, some.
    assert!(shared > all / 2 && shared < all, "{shared} of {all}");
}

#[test]
fn what_is_no_snapshot_is_refused() {
    let mut chip = chip(1);
    let _ = chip.run_until(Instant::from_millis(5));
    let bytes = chip.snapshot().to_bytes();
    assert_eq!(Snapshot::from_bytes(IMAGE), Err(SnapshotError::NotASnapshot));
    let mut newer = bytes.clone();
    newer[8] += 1;
    let found = Snapshot::VERSION + 1;
    assert_eq!(Snapshot::from_bytes(&newer), Err(SnapshotError::OtherVersion { found }));
    for length in [0, 7, 11, 12, 43, 44, 1000, bytes.len() - 1] {
        assert!(Snapshot::from_bytes(&bytes[..length]).is_err(), "cut to {length} bytes");
    }
    let mut state = 3;
    for _ in 0..50 {
        let mut changed = bytes.clone();
        changed[12 + random(&mut state) as usize % (bytes.len() - 12)] ^= 1 << (random(&mut state) % 8);
        assert!(matches!(Snapshot::from_bytes(&changed), Err(SnapshotError::Damaged(_))));
    }
}

/// Whoever can change a snapshot can change its digest too: a state that no chip can be in must not break the program.
#[test]
fn no_state_breaks_the_chip() {
    use sha2::{Digest as _, Sha256};
    let mut chip = chip(1);
    let _ = chip.run_until(Instant::from_millis(5));
    let bytes = chip.snapshot().to_bytes();
    let body = 12..bytes.len() - 32;
    let (mut state, mut restored) = (7, 0);
    for _ in 0..400 {
        let mut changed = bytes.clone();
        for _ in 0..1 + random(&mut state) % 4 {
            // The state comes first, and is where it hurts.
            let reach = if random(&mut state).is_multiple_of(4) { body.len() } else { 6_000 };
            let at = body.start + random(&mut state) as usize % reach;
            changed[at] = random(&mut state) as u8;
        }
        let digest = Sha256::digest(&changed[..body.end]);
        changed[body.end..].copy_from_slice(&digest);
        let Ok(snapshot) = Snapshot::from_bytes(&changed) else { continue };
        let mut other = Esp32c3::new(Config::default());
        if other.restore(&snapshot).is_ok() {
            restored += 1;
            for _ in 0..4 {
                if other.run_until(other.now() + Duration::from_micros(200)) == Pause::Event {
                    other.take_events();
                }
            }
        }
    }
    assert!(restored > 50, "only {restored} were taken for states at all");
}
