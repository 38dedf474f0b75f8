//! Everything that keeps a board from being flashed, told apart: the image, the chip, the probe, the process.
#![cfg(unix)]

mod bench;

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use bench::{Bench, CHIP, LONG, image, serve};
use board::{Fault, FaultKind, Flasher};
use chip::Chip;
use emulator::{JtagAccess, Settings};

fn kind_of_attach(settings: &Settings) -> (FaultKind, String) {
    let bench = Bench::new(settings);
    let fault = Bench::attach(&bench.socket).expect_err("it cannot be attached to");
    (fault.kind, fault.words)
}

/// The ELF file with so many bytes in the section that is shown on the instruction bus.
fn with_code_of(length: u32, elf: &[u8]) -> Vec<u8> {
    let word = |at: usize| u32::from_le_bytes(elf[at..at + 4].try_into().expect("four bytes"));
    let half = |at: usize| usize::from(u16::from_le_bytes(elf[at..at + 2].try_into().expect("two bytes")));
    // The section headers: where, how long each, how many (ELF-32's file header).
    let (table, size, count) = (word(0x20) as usize, half(0x2e), half(0x30));
    let mut headers = (0..count).map(|n| table + n * size);
    // A section's kind (1: it has bytes) is its second word; address, place in the file and length are its fourth,
    // fifth and sixth.
    let is_code = |at: &usize| word(at + 4) == 1 && (0x4200_0000..0x4280_0000).contains(&word(at + 12));
    let header = headers.find(is_code).expect("code in flash");
    let mut swollen = elf.to_vec();
    let end = swollen.len() as u32;
    swollen[header + 16..header + 20].copy_from_slice(&end.to_le_bytes());
    swollen[header + 20..header + 24].copy_from_slice(&length.to_le_bytes());
    swollen.resize(swollen.len() + length as usize, 0x13);
    swollen
}

#[test]
fn images_are_to_blame_for_what_is_wrong_with_them() {
    let bench = Bench::new(&Settings { flash_bytes: Some(1 << 20), ..Settings::default() });
    let elf = fs::read(image()).expect("the released image");
    let garbage = bench.folder.path().join("garbage.elf");
    fs::write(&garbage, [0x55; 1000]).expect("a file");
    let truncated = bench.folder.path().join("truncated.elf");
    fs::write(&truncated, &elf[..elf.len() / 2]).expect("a file");
    // The descriptor by which the bootloader knows an application.
    let mut headless = elf.clone();
    let descriptor = headless.windows(4).position(|word| word == 0xabcd_5432u32.to_le_bytes()).expect("a descriptor");
    headless[descriptor] ^= 1;
    let nameless = bench.folder.path().join("nameless.elf");
    fs::write(&nameless, &headless).expect("a file");
    let of_this_machine = std::env::current_exe().expect("this test");
    let mut flasher = Bench::attach(&bench.socket).unwrap_or_else(|fault| panic!("{fault}"));
    let mut fault = |elf: &Path| flasher.flash(elf, LONG, &mut |_| {}).expect_err("no image for this chip");
    for elf in [&garbage, &truncated, &nameless, &of_this_machine] {
        let fault = fault(elf);
        assert_eq!(fault.kind, FaultKind::CorruptImage, "{}: {fault}", elf.display());
        assert!(matches!(fault.into(), Fault::Image(_)));
    }
    let swollen = bench.folder.path().join("swollen.elf");
    fs::write(&swollen, with_code_of(1 << 20, &elf)).expect("a file");
    let large = fault(&swollen);
    assert_eq!(large.kind, FaultKind::ImageTooLarge, "{large}");
    let missing = fault(Path::new("no such file.elf"));
    assert_eq!(missing.kind, FaultKind::Other, "{missing}");
    assert!(flasher.is_alive(), "the process has outlived all of them");
    drop(flasher);
    assert!(bench.chip().flash_content().is_empty(), "nothing was written");
}

#[test]
fn chips_that_are_locked_or_do_not_answer_say_so() {
    let (kind, words) = kind_of_attach(&Settings { jtag: JtagAccess::Locked, ..Settings::default() });
    assert_eq!((kind, words.as_str()), (FaultKind::ChipLocked, "its debug module asks for authentication"));
    let (kind, words) = kind_of_attach(&Settings { jtag: JtagAccess::FusedOff, ..Settings::default() });
    assert_eq!(kind, FaultKind::ChipAbsent, "{words}");
    assert!(words.contains("DIS_PAD_JTAG"), "{words}");
    let bench = Bench::new(&Settings::default());
    let selector = format!("socket:{}", bench.socket.display());
    static OTHER: Chip = Chip { name: "esp32c6", probe_target: Some("esp32c6"), ..chip::ESP32C3 };
    let other = Flasher::start(&serve(), &OTHER, &selector, LONG).expect_err("this is an ESP32-C3");
    assert_eq!(other.kind, FaultKind::ChipAbsent, "{other}");
    assert!(other.words.contains("0x00005c25"), "{other}");
}

#[test]
fn probes_that_are_not_there_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let nobody = Bench::attach(&folder.path().join("nobody")).expect_err("nobody listens");
    assert_eq!(nobody.kind, FaultKind::ProbeAbsent, "{nobody}");
    for selector in ["303a:1001:no such serial number", "what?"] {
        let fault = Flasher::start(&serve(), CHIP, selector, LONG).expect_err("there is no such probe");
        assert_eq!(fault.kind, FaultKind::ProbeAbsent, "{selector}: {fault}");
    }
}

/// What becomes of a probe whose cable lets so many bytes pass.
enum Then {
    /// It is pulled out.
    Vanishes,
    /// It says nothing more.
    Hangs,
}

/// A cable between a flashing process and a board: the socket of its near end.
fn cable(far: &Path, bytes: usize, then: Then) -> PathBuf {
    let near = far.with_extension("cable");
    let listener = UnixListener::bind(&near).expect("a socket");
    let far = far.to_owned();
    thread::spawn(move || {
        let (mut probe, _) = listener.accept().expect("the flashing process");
        let mut board = UnixStream::connect(far).expect("the board");
        let (mut answers, mut back) = (board.try_clone().expect("a handle"), probe.try_clone().expect("a handle"));
        thread::spawn(move || std::io::copy(&mut answers, &mut back));
        let mut left = bytes;
        let mut buffer = [0; 4096];
        while left > 0 {
            let length = probe.read(&mut buffer).unwrap_or(0).min(left);
            if length == 0 || board.write_all(&buffer[..length]).is_err() {
                break;
            }
            left -= length;
        }
        match then {
            Then::Vanishes => drop(probe.shutdown(std::net::Shutdown::Both)),
            // Until the other side has gone.
            Then::Hangs => while probe.read(&mut buffer).is_ok_and(|length| length > 0) {},
        }
        // The board notices too.
        let _ = board.shutdown(std::net::Shutdown::Both);
    });
    near
}

/// Far into the flashing of an image.
const MIDDLE_BYTES: usize = 6 << 20;

#[test]
fn a_probe_that_vanishes_in_mid_flash_is_missed_and_can_come_back() {
    let bench = Bench::new(&Settings::default());
    let cable = cable(&bench.socket, MIDDLE_BYTES, Then::Vanishes);
    let mut flasher = Bench::attach(&cable).unwrap_or_else(|fault| panic!("{fault}"));
    let mut steps = 0;
    let fault = flasher.flash(&image(), LONG, &mut |_| steps += 1).expect_err("the cable is pulled out");
    assert_eq!(fault.kind, FaultKind::ProbeVanished, "{fault}");
    assert!(steps > 0, "that was in mid-flash");
    drop(flasher);
    // Half a flash is no reason not to be flashed.
    let mut flasher = Bench::attach(&bench.socket).unwrap_or_else(|fault| panic!("{fault}"));
    flasher.flash(&image(), LONG, &mut |_| {}).unwrap_or_else(|fault| panic!("{fault}"));
}

#[test]
fn a_probe_that_hangs_costs_its_process_at_the_limit() {
    let bench = Bench::new(&Settings::default());
    let cable = cable(&bench.socket, MIDDLE_BYTES, Then::Hangs);
    let mut flasher = Bench::attach(&cable).unwrap_or_else(|fault| panic!("{fault}"));
    let fault = flasher.flash(&image(), Duration::from_secs(2), &mut |_| {}).expect_err("nothing more comes");
    assert_eq!(fault.kind, FaultKind::Hung, "{fault}");
    assert!(!flasher.is_alive());
}

#[test]
fn the_process_ends_with_its_bench_whatever_it_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("silent");
    let listener = UnixListener::bind(&socket).expect("a socket");
    let [program, argument] = serve().try_into().expect("two words");
    let mut command = Command::new(program);
    let mut child = command.arg(argument).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("probe");
    let mut bench = child.stdin.take().expect("a pipe");
    let selector = format!("socket:{}", socket.display());
    writeln!(bench, r#"{{"request":"attach","selector":"{selector}","chip":"esp32c3"}}"#).expect("it reads");
    // It is at the probe now, and waits for an answer that never comes.
    let (mut probe, _) = listener.accept().expect("the process connects");
    let mut first = [0];
    probe.read_exact(&mut first).expect("a command");
    drop(bench);
    assert!(child.wait().expect("its end").success());
}

#[test]
fn what_is_no_request_is_answered_as_such() {
    let [program, argument] = serve().try_into().expect("two words");
    let mut command = Command::new(program);
    let child = command.arg(argument).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.expect("probe");
    let mut bench = child.stdin.take().expect("a pipe");
    bench.write_all(b"{\"request\":\"dance\"}\n{\"request\":\"reset\"}\n{\"request\":\"quit\"}\n").expect("it reads");
    let mut answers = String::new();
    child.stdout.take().expect("a pipe").read_to_string(&mut answers).expect("answers");
    let kinds: Vec<bool> = answers.lines().map(|line| line.starts_with(r#"{"answer":"failed""#)).collect();
    assert_eq!(kinds, [true, true], "{answers}");
    assert!(answers.contains("garbled") && answers.contains("no chip is attached"), "{answers}");
    assert!(child.wait().expect("its end").success());
}
