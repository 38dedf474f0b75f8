//! A second chip, which nobody but this test knows: a program for it runs on a board, under gdb, and by `emulate`, and
//! what is for another chip is refused.

mod bare;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::thread;

use bare::{BARE, MODEL, RAM};
use board::{Board as _, Emulated, Fault, Image};
use clock::Instant;
use emulator::{Pause, Settings, gdb};
use runner::chips::BoardOption;
use runner::cli::Emulate;
use runner::emulate;
use support::elf_of;

const HELLO: &[u8] = b"a second chip says hello\n";

/// Says what stands behind it, then whatever it hears.
///
/// ```text
///       lui  a0, 0x10000      # UART
///       lui  a1, 0x80000
///       addi a1, a1, 0x40     # what it says
/// next: lbu  a2, 0(a1)
///       beqz a2, echo
///       sw   a2, 0(a0)
///       addi a1, a1, 1
///       j    next
/// echo: lw   a3, 4(a0)        # how many bytes wait
///       beqz a3, echo
///       lw   a2, 0(a0)
///       sw   a2, 0(a0)
///       j    echo
/// ```
const PROGRAM: [u32; 16] = [
    0x1000_0537,
    0x8000_05b7,
    0x0405_8593,
    0x0005_c603,
    0x0006_0863,
    0x00c5_2023,
    0x0015_8593,
    0xff1f_f06f,
    0x0045_2683,
    0xfe06_8ee3,
    0x0005_2603,
    0x00c5_2023,
    0xff1f_f06f,
    0,
    0,
    0,
];
/// Where the program sends a byte.
const SENDS: u32 = RAM + 5 * 4;

/// Sends back each Ethernet frame that arrives.
///
/// ```text
///       lui  a0, 0x20000      # Ethernet
/// wait: lw   a1, 4(a0)        # how long the frame is that waits
///       beqz a1, wait
/// copy: lw   a2, 0(a0)
///       sw   a2, 0(a0)
///       addi a1, a1, -1
///       bnez a1, copy
///       sw   a2, 8(a0)        # send it
///       j    wait
/// ```
const FRAMES: [u32; 9] = [
    0x2000_0537,
    0x0045_2583,
    0xfe05_8ee3,
    0x0005_2603,
    0x00c5_2023,
    0xfff5_8593,
    0xfe05_9ae3,
    0x00c5_2423,
    0xfe5f_f06f,
];

/// The program that says hello, as an ELF file.
fn elf() -> Vec<u8> {
    let mut code: Vec<u8> = PROGRAM.iter().flat_map(|word| word.to_le_bytes()).collect();
    code.extend(HELLO);
    code.push(0);
    elf_of(RAM, &code)
}

fn image() -> Image {
    Image::of_elf("echo".into(), &BARE, elf().into())
}

#[test]
fn a_program_runs_on_a_board_with_it() {
    let mut board = Emulated::new(&MODEL, 0x5eed);
    assert_eq!(board.target().chip, &BARE);
    board.flash(&image()).expect("an image for this chip");
    board.reset().expect("it can be reset");
    let port = BARE.bench_port().expect("it has a UART");
    let mut said: Vec<u8> = Vec::new();
    while said.len() < HELLO.len() {
        said.extend(board.listen(Instant::from_millis(10)).expect("it can be heard").bytes_of(port));
    }
    assert_eq!(said, HELLO);
    board.send(port, b"!").expect("it has a port for that");
    let heard = board.listen(Instant::from_millis(20)).expect("it can be heard");
    assert_eq!(heard.bytes_of(port), b"!");
    let why = board.send(chip::PortId::new("uart1"), b"AT").expect_err("it has one UART").to_string();
    assert!(why.contains("bare32"), "{why}");
}

#[test]
fn frames_pass_through_its_network_interface_whole() {
    let mut board = Emulated::new(&MODEL, 0x5eed);
    let code: Vec<u8> = FRAMES.iter().flat_map(|word| word.to_le_bytes()).collect();
    board.flash(&Image { elf: elf_of(RAM, &code).into(), ..image() }).expect("an image for this chip");
    board.reset().expect("it can be reset");
    let nic = BARE.nics[0].id;
    let frames = [vec![1; 60], vec![2; 1_514], vec![3; 61]];
    for frame in &frames {
        board.send(nic, frame).expect("it has an Ethernet");
    }
    let mut heard = Vec::new();
    while heard.len() < frames.len() {
        heard.extend(board.listen(Instant::from_millis(10)).expect("it can be heard").ports);
    }
    assert_eq!(heard, frames.map(|frame| (nic, frame)));
}

#[test]
fn an_image_for_another_chip_is_refused_with_both_names() {
    let esp = Image { chip: &chip::ESP32C3, ..image() };
    let Err(Fault::Image(why)) = Emulated::new(&MODEL, 0).flash(&esp) else { panic!("it must be refused") };
    assert_eq!(why, "echo is for the chip esp32c3, and the board has a chip bare32");
    let mut other = Emulated::of(&chip::ESP32C3, 0).expect("it is emulated");
    let Err(Fault::Image(why)) = other.flash(&image()) else { panic!("it must be refused") };
    assert_eq!(why, "echo is for the chip bare32, and the board has a chip esp32c3");
    // Of the same architecture, and for other memory.
    let Err(Fault::Image(why)) = other.flash(&Image { chip: &chip::ESP32C3, ..image() }) else {
        panic!("no RAM there")
    };
    assert!(why.contains("where the ESP32-C3 has neither memory nor flash"), "{why}");
    // Nobody emulates a chip that is not registered.
    let why = Emulated::of(&BARE, 0).err().expect("it is not in the list").to_string();
    assert!(why.contains("the chip bare32 is not emulated"), "{why}");
}

/// A debugger's packet, and the answer to it.
fn ask(stream: &mut TcpStream, packet: &str) -> String {
    let sum = packet.bytes().fold(0u8, u8::wrapping_add);
    stream.write_all(format!("+${packet}#{sum:02x}").as_bytes()).expect("it is heard");
    let mut answer = Vec::new();
    let mut byte = [0];
    // An acknowledgement, then `$`, the answer, `#` and two digits.
    while answer.iter().rev().nth(2) != Some(&b'#') {
        stream.read_exact(&mut byte).expect("an answer");
        answer.push(byte[0]);
    }
    expanded(&String::from_utf8(answer).expect("ASCII"))
}

/// Run lengths written out: `*`, and as many more of what is before it as the next character's code says, from 29 on.
fn expanded(answer: &str) -> String {
    let mut text = String::new();
    let mut characters = answer.chars();
    while let Some(character) = characters.next() {
        let count = if character == '*' { characters.next().map_or(0, |count| u32::from(count) - 29) } else { 0 };
        match text.chars().last().filter(|_| count > 0) {
            Some(last) => text.extend((0..count).map(|_| last)),
            None => text.push(character),
        }
    }
    text
}

#[test]
fn gdb_stops_it_and_reads_its_registers() {
    let mut chip = (MODEL.power_on)(&Settings::default());
    chip.load_elf(&elf()).expect("an image for this chip");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it is bound");
    let debugger = thread::spawn(move || {
        let mut stream = TcpStream::connect(address).expect("it listens");
        let mut answers = vec![ask(&mut stream, "?"), ask(&mut stream, &format!("Z0,{SENDS:x},2"))];
        for packet in ["c", "p20", "pc", "D"] {
            answers.push(ask(&mut stream, packet));
        }
        answers
    });
    let (stream, _) = listener.accept().expect("somebody connects");
    assert_eq!(gdb::serve(&mut *chip, stream, &mut |_| ()).expect("it ends well"), gdb::Ended::Detached);
    let answers = debugger.join().expect("no panic");
    assert!(answers[2].contains("swbreak"), "{answers:?}");
    let little_endian = |value: u32| value.to_le_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert!(answers[3].contains(&format!("${}#", little_endian(SENDS))), "{answers:?}");
    // Register 12, a2: what it is about to send.
    assert!(answers[4].contains(&format!("${}#", little_endian(HELLO[0].into()))), "{answers:?}");
    // It runs on as if nobody had looked.
    assert_eq!(chip.run_until(Instant::from_millis(10)), Pause::SerialOutput);
    assert_eq!(chip.take_serial_output(BARE.serial_ports[0].id), HELLO[..1]);
}

#[test]
fn the_command_emulate_puts_it_on_a_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("echo.elf");
    fs::write(&file, elf()).expect("a file");
    let arguments = Emulate {
        image: vec![file.display().to_string()],
        rom: None,
        flash_state: None,
        wifi: Vec::new(),
        fault: Vec::new(),
        capture: None,
        board: BoardOption::default(),
        lasts_ms: None,
        until_ms: Some(50),
        trace: false,
        gdb: None,
        seed: 0,
        raw: false,
        map: false,
    };
    let (type_keys, keys) = mpsc::channel();
    type_keys.send(b"typed".to_vec()).expect("somebody reads");
    let mut terminal = Vec::new();
    let code = emulate::on(Path::new("."), &MODEL, &arguments, &keys, &AtomicBool::new(false), &mut terminal)
        .expect("it runs");
    assert_eq!(code, 0);
    let said = String::from_utf8(terminal).expect("ASCII");
    assert!(said.starts_with(std::str::from_utf8(HELLO).expect("ASCII")) && said.ends_with("typed"), "{said:?}");
}
