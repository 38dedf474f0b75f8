//! A chip that goes on from where another has booted to is no different from one that has booted itself, whatever the
//! bench does.

use std::path::Path;
use std::sync::Arc;

use board::{Board as _, Boots, Emulated, Image, Incident, Instant, PortId};

const SEED: u64 = 0x5eed;
/// Where the firmware speaks slipmux.
const BENCH: PortId = PortId::new("usb");
/// A frame of slipmux with an order that the firmware does not know: it answers.
const WORDS: &[u8] = b"\xc0\xa9{\"order\":\"no such\"}\x00\x00\xc0";

fn image() -> Image {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../firmware-under-test/images/esp32c3_mbedtls.elf");
    let elf = std::fs::read(file).expect("the released image").into();
    Image::of_elf("esp32c3_mbedtls".into(), &chip::ESP32C3, elf)
}

/// What a bench does.
#[derive(Clone, Copy, Debug)]
struct Manner {
    /// How far it looks ahead.
    slice_us: u64,
    /// When it speaks, in microseconds.
    speaks_us: u64,
}

/// As far as it looks if nothing else matters.
const FAR_US: u64 = 1_000_000;
const USUAL: Manner = Manner { slice_us: FAR_US, speaks_us: 40_000 };

/// What was heard, and when: of the firmware, of the chip.
type Heard = Vec<(Instant, Vec<(PortId, Vec<u8>)>, Vec<Incident>)>;

/// Runs the image for 80 ms, and says what was heard and how many instructions that took.
fn run(mut board: Emulated, image: &Image, manner: Manner) -> (Heard, u64) {
    board.flash(image).expect("an image for this chip");
    board.reset().expect("it can be reset");
    let mut heard = Heard::new();
    let mut now = Instant::ZERO;
    let mut has_spoken = false;
    while now < Instant::from_micros(80_000) {
        if !has_spoken && now >= Instant::from_micros(manner.speaks_us) {
            board.send(BENCH, WORDS).expect("it has a port for that");
            has_spoken = true;
        }
        let next = if has_spoken { 80_000 } else { manner.speaks_us };
        let deadline = Instant::from_micros(next.min(now.as_micros() + manner.slice_us));
        let board::Heard { at, ports, air: _, incidents } = board.listen(deadline).expect("it can be heard");
        now = at;
        heard.push((at, ports, incidents));
    }
    assert!(heard.iter().any(|(_, ports, _)| !ports.is_empty()), "it has said something");
    (heard, board.instructions_retired())
}

fn chip() -> Emulated {
    Emulated::of(&chip::ESP32C3, SEED).expect("it is emulated")
}

#[test]
fn whatever_the_bench_does_a_kept_boot_changes_nothing() {
    let image = image();
    let boots = Boots::new();
    let recorded = run(chip().booting_from(Arc::clone(&boots)), &image, USUAL);
    assert_eq!((boots.len(), &recorded), (1, &run(chip(), &image, USUAL)), "noting a boot changes nothing");
    let manners = [
        USUAL,
        // It speaks in mid-boot, or before anything was said, or at once.
        Manner { speaks_us: 5_000, ..USUAL },
        Manner { speaks_us: 1, ..USUAL },
        Manner { speaks_us: 0, ..USUAL },
        // Later than it did.
        Manner { speaks_us: 60_000, ..USUAL },
        // It looks more often.
        Manner { slice_us: 777, ..USUAL },
        Manner { slice_us: 20_000, ..USUAL },
    ];
    for manner in manners {
        let cold = run(chip(), &image, manner);
        assert_eq!(run(chip().booting_from(Arc::clone(&boots)), &image, manner), cold, "{manner:?}");
        // What was no beginning of any run that was kept has been kept itself.
        let kept = boots.len();
        assert_eq!(run(chip().booting_from(Arc::clone(&boots)), &image, manner), cold, "{manner:?}, again");
        assert_eq!(boots.len(), kept, "{manner:?} is known");
    }
    assert!(boots.len() <= manners.len(), "at most one for each manner");
}

#[test]
fn a_boot_is_of_one_image_and_one_seed() {
    let image = image();
    let boots = Boots::new();
    run(chip().booting_from(Arc::clone(&boots)), &image, USUAL);
    let other = Emulated::of(&chip::ESP32C3, SEED + 1).expect("it is emulated");
    run(other.booting_from(Arc::clone(&boots)), &image, USUAL);
    assert_eq!(boots.len(), 2, "another seed is another boot");
    // The same bytes elsewhere in memory are the same image.
    let copy = Image { elf: image.elf.to_vec().into(), ..image.clone() };
    run(chip().booting_from(Arc::clone(&boots)), &copy, USUAL);
    assert_eq!(boots.len(), 2);
}

#[test]
fn a_board_that_is_reset_or_flashed_again_begins_anew() {
    let image = image();
    let boots = Boots::new();
    let cold = run(chip(), &image, USUAL);
    run(chip().booting_from(Arc::clone(&boots)), &image, USUAL);
    let mut board = chip().booting_from(boots);
    board.flash(&image).expect("an image for this chip");
    board.reset().expect("it can be reset");
    board.send(BENCH, WORDS).expect("it has a port for that");
    board.listen(Instant::from_millis(50)).expect("it can be heard");
    assert_eq!(run(board, &image, USUAL), cold);
}
