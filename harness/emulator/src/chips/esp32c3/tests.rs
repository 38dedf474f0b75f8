//! The chip as its owner sees it, running small programs.

use std::sync::Arc;

use chip::WrongElf;
use clock::{Duration, Instant};

use super::*;

/// A heartbeat: each millisecond the next letter goes to UART0 and to USB, with a random byte; asleep in between.
///
/// ```text
/// _start: la    t0, vectors            idle:   wfi
///         ori   t0, t0, 1                      j     idle
///         csrw  mtvec, t0              beat:   li    t1, 1
///         li    s0, 0x600c2000                 sw    t1, 0x6c(s1)   # SYSTIMER: interrupt clear
///         li    t1, 3                          sw    s5, 0(s2)      # UART0: FIFO
///         sw    t1, 37*4(s0)  # route          sw    s5, 0(s3)      # USB: EP1
///         li    t1, 2                          lw    t1, 0xb0(s4)   # random
///         sw    t1, 0x120(s0) # priority       sw    t1, 0(s3)
///         li    t1, 8                          li    t1, 1
///         sw    t1, 0x104(s0) # enable         sw    t1, 4(s3)      # USB: WR_DONE
///         li    s1, 0x60023000                 addi  s5, s5, 1
///         li    t1, 0x40003e80                 mret
///         sw    t1, 0x34(s1)  # period 1 ms    .balign 256
///         sw    t1, 0x50(s1)  # load   vectors: j .; j .; j .; j beat
///         li    t1, 1
///         sw    t1, 0x64(s1)  # interrupt enable
///         li    t1, 0x47000000
///         sw    t1, 0(s1)     # comparator 0 works
///         li    s2, 0x60000000; li s3, 0x60043000; li s4, 0x60026000; li s5, 'a'
///         csrsi mstatus, 8
/// ```
const HEARTBEAT: [u32; 37] = [
    0x0000_0297,
    0x1002_8293,
    0x0012_e293,
    0x3052_9073,
    0x600c_2437,
    0x0030_0313,
    0x0864_2a23,
    0x0020_0313,
    0x1264_2023,
    0x0080_0313,
    0x1064_2223,
    0x6002_34b7,
    0x4000_4337,
    0xe803_0313,
    0x0264_aa23,
    0x0464_a823,
    0x0010_0313,
    0x0664_a223,
    0x4700_0337,
    0x0064_a023,
    0x6000_0937,
    0x6004_39b7,
    0x6002_6a37,
    0x0610_0a93,
    0x3004_6073,
    0x1050_0073,
    0xffdf_f06f,
    0x0010_0313,
    0x0664_a623,
    0x0159_2023,
    0x0159_a023,
    0x0b0a_2303,
    0x0069_a023,
    0x0010_0313,
    0x0069_a223,
    0x001a_8a93,
    0x3020_0073,
];
const VECTORS: [u32; 4] = [0x0000_006f, 0x0000_006f, 0x0000_006f, 0xf61f_f06f];

/// Words of code with addresses as an ELF file with one segment for each.
fn elf(segments: &[(u32, &[u32])]) -> Vec<u8> {
    let mut file = Vec::from(*b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0");
    let header_bytes = 52 + 32 * segments.len() as u32;
    file.extend([2u16, 243].into_iter().flat_map(u16::to_le_bytes));
    file.extend([1, segments[0].0, 52, 0, 0].into_iter().flat_map(u32::to_le_bytes));
    file.extend([52, 32, segments.len() as u16, 40, 0, 0].into_iter().flat_map(u16::to_le_bytes));
    let mut offset = header_bytes;
    for (address, words) in segments {
        let bytes = 4 * words.len() as u32;
        file.extend([1, offset, *address, *address, bytes, bytes, 5, 4].into_iter().flat_map(u32::to_le_bytes));
        offset += bytes;
    }
    file.extend(segments.iter().flat_map(|(_, words)| words.iter().flat_map(|word| word.to_le_bytes())));
    file
}

fn heartbeat(seed: u64) -> Esp32c3 {
    let mut chip = Esp32c3::new(Config { seed, ..Config::default() });
    chip.load_elf(&elf(&[(IRAM, &HEARTBEAT), (IRAM + 0x100, &VECTORS)])).expect("an image for this chip");
    chip
}

/// Runs in slices of this length, and gives everything that came out of USB, with the instant at which it was there.
fn run_in_slices(chip: &mut Esp32c3, until: Instant, slice: Duration) -> Vec<(Instant, Vec<u8>)> {
    let mut output = Vec::new();
    let mut deadline = chip.now();
    while deadline < until {
        deadline = (deadline + slice).min(until);
        loop {
            let pause = chip.run_until(deadline);
            let bytes = chip.take_serial_output(SerialPort::UsbSerialJtag);
            if !bytes.is_empty() {
                output.push((chip.now(), bytes));
            }
            chip.take_serial_output(SerialPort::Uart0);
            match pause {
                Pause::Deadline => break,
                Pause::SerialOutput => {}
                other => panic!("{other:?} {:?}", chip.take_events()),
            }
        }
    }
    output
}

#[test]
fn a_timer_wakes_the_chip_and_idle_time_costs_nothing() {
    let mut chip = heartbeat(5);
    let output = run_in_slices(&mut chip, Instant::from_millis(11), Duration::from_secs(1));
    let letters: Vec<u8> = output.iter().map(|(_, packet)| packet[0]).collect();
    assert_eq!(letters, b"abcdefghij");
    for (n, (at, _)) in output.iter().enumerate() {
        // A packet is fetched 1/19 of a millisecond after it is offered, and offering it takes some instructions.
        let offered_us = 1_000 * (n as u64 + 1);
        assert!((offered_us + 52..offered_us + 55).contains(&at.as_micros()), "{at}");
    }
    assert!(chip.instructions_retired() < 200, "{}", chip.instructions_retired());
    chip.run_until(Instant::from_millis(11));
    assert_eq!(chip.now(), Instant::from_millis(11));
}

#[test]
fn a_run_does_not_depend_on_how_it_is_cut() {
    let until = Instant::from_millis(40);
    let run = |slice| {
        let mut chip = heartbeat(7);
        let output = run_in_slices(&mut chip, until, slice);
        (output, chip.instructions_retired(), chip.now())
    };
    let whole = run(Duration::from_secs(1));
    for slice_ns in [77, 1_001, 52_631, 999_999] {
        assert!(run(Duration::from_nanos(slice_ns)) == whole, "slices of {slice_ns} ns");
    }
}

#[test]
fn the_seed_decides_the_random_numbers_and_nothing_else() {
    let until = Instant::from_millis(10);
    let [one, same, other] = [1, 1, 2].map(|seed| run_in_slices(&mut heartbeat(seed), until, Duration::from_secs(1)));
    assert_eq!(one, same);
    let letters =
        |output: &[(Instant, Vec<u8>)]| output.iter().map(|(at, packet)| (*at, packet[0])).collect::<Vec<_>>();
    assert_ne!(one, other);
    assert_eq!(letters(&one), letters(&other));
}

/// What is said of a poll in three seconds, when, and whether the chip has stopped.
fn polls(chip: &mut Esp32c3) -> (Vec<(Instant, EventKind)>, bool) {
    loop {
        match chip.run_until(Instant::from_millis(3_000)) {
            Pause::Event => {}
            Pause::SerialOutput => {
                chip.take_serial_output(SerialPort::UsbSerialJtag);
                chip.take_serial_output(SerialPort::Uart0);
            }
            pause => {
                let events = chip.take_events().into_iter().map(|event| (event.at, event.kind));
                return (events.collect(), pause == Pause::Halted);
            }
        }
    }
}

#[test]
fn a_poll_of_storage_is_told_within_a_second_and_stops_a_chip_that_does_nothing_else() {
    // lui t0, 0x6001d (BB); poll: lw t1, 0x20(t0); beqz t1, poll
    let mut chip = Esp32c3::new(Config::default());
    chip.load_elf(&elf(&[(IRAM, &[0x6001_d2b7, 0x0202_a303, 0xfe03_0ee3])])).expect("an image for this chip");
    let (events, has_stopped) = polls(&mut chip);
    let [(at, EventKind::EndlessPoll { address: 0x6001_d020, modelled, reads, ends: true, .. })] = events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert!(*at <= Instant::from_millis(1_001) && *reads > 1_000_000 && modelled == "storage", "{events:?}");
    assert!(has_stopped);
}

#[test]
fn who_reads_the_upper_word_of_the_time_polls_nothing() {
    // lui t0, 0x60023 (SYSTIMER); poll: lw t1, 0x40(t0); beqz t1, poll
    let mut chip = Esp32c3::new(Config::default());
    chip.load_elf(&elf(&[(IRAM, &[0x6002_32b7, 0x0402_a303, 0xfe03_0ee3])])).expect("an image for this chip");
    assert_eq!(polls(&mut chip), (Vec::new(), false));
}

#[test]
fn a_poll_beside_an_interrupt_handler_is_told_once_and_goes_on() {
    // In the place of the heartbeat's `wfi`: lw t2, 0x20(s4) (APB_CTRL).
    let mut polling = HEARTBEAT;
    polling[25] = 0x020a_2383;
    let mut chip = Esp32c3::new(Config::default());
    chip.load_elf(&elf(&[(IRAM, &polling), (IRAM + 0x100, &VECTORS)])).expect("an image for this chip");
    let (events, has_stopped) = polls(&mut chip);
    let [(at, EventKind::EndlessPoll { address: 0x6002_6020, ends: false, .. })] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert!(*at <= Instant::from_millis(1_010), "{events:?}");
    assert!(!has_stopped);
}

#[test]
fn a_fuse_that_asks_for_what_is_not_done_here_is_told_and_is_no_failure() {
    let mut fuses = Fuses::default();
    // SPI_BOOT_CRYPT_CNT is bits 82 to 84 of block 0.
    fuses[0][2] = 1 << 18;
    let mut factory = heartbeat(1);
    factory.burn_fuses(&fuses);
    let mut chip = heartbeat(1);
    chip.set_flash_state(&factory.flash_state()).expect("the state of such a chip");
    chip.reset(ResetCause::PowerOn);
    chip.run_until(Instant::from_millis(5));
    let told: Vec<EventKind> = chip.take_events().into_iter().map(|event| event.kind).collect();
    let [kind @ EventKind::NotEnforced { what }] = told.as_slice() else { panic!("{told:?}") };
    assert!(what.contains("flash encryption is burnt") && !kind.is_fault(), "{what}");
}

#[test]
fn the_rtc_watchdog_resets_a_chip_that_does_not_disable_it() {
    let mut chip = heartbeat(1);
    loop {
        match chip.run_until(Instant::from_millis(9_500)) {
            Pause::Event => break,
            Pause::SerialOutput => {}
            other => panic!("{other:?}"),
        }
    }
    let events = chip.take_events();
    assert_eq!(events.len(), 1);
    let cause = ResetCause::RtcWatchdogSystem.to_string().into();
    assert_eq!(events[0].kind, EventKind::Reset { cause, is_failure: true });
    assert_eq!(events[0].at, Instant::from_millis(9_000));
    // It starts again from the beginning.
    chip.take_serial_output(SerialPort::UsbSerialJtag);
    let output = run_in_slices(&mut chip, Instant::from_micros(9_001_500), Duration::from_secs(1));
    assert_eq!(output[0].1[0], b'a');
}

/// Runs code until something happens.
fn first_event(code: &[u32]) -> (Esp32c3, Event) {
    let mut chip = Esp32c3::new(Config::default());
    chip.load_elf(&elf(&[(IRAM, code)])).expect("an image for this chip");
    assert_eq!(chip.run_until(Instant::from_millis(1)), Pause::Event);
    let event = chip.take_events().remove(0);
    (chip, event)
}

#[test]
fn faults_are_told_with_where_they_happened() {
    // A handler that hangs at IRAM + 0x100: la t0, IRAM+0x100; csrw mtvec, t0; then the fault; at 0x100: j .
    let with_handler = |fault: u32| {
        let mut code = vec![0x0000_0297, 0x1002_8293, 0x3052_9073, fault];
        code.resize(0x40, 0x0000_0013);
        code.push(0x0000_006f);
        first_event(&code).1
    };
    // unimp; lw t1, 0(zero); sw zero, 0(zero); jr zero.
    for (fault, cause) in [
        (0xc000_1073, Cause::IllegalInstruction),
        (0x0000_2303, Cause::LoadAccessFault),
        (0x0000_2023, Cause::StoreAccessFault),
    ] {
        let event = with_handler(fault);
        assert_eq!(event.pc, IRAM + 12);
        let EventKind::Exception(told) = &event.kind else { panic!("{event}") };
        assert_eq!(told.code, cause as u32);
        assert!(event.kind.is_fault());
    }
}

#[test]
fn an_unmodelled_register_is_told_once_by_its_name() {
    // lui t0, 0x60019; lw t1, 0(t0); lw t1, 0(t0); j .
    let (mut chip, event) = first_event(&[0x6001_92b7, 0x0002_a303, 0x0002_a303, 0x0000_006f]);
    let EventKind::UnmodelledRegister { address, name, written } = event.kind else { panic!("{event}") };
    assert_eq!((address, name.as_str(), written), (0x6001_9000, "LEDC.CH0_CONF0", None));
    assert_eq!(event.pc, IRAM + 8);
    assert_eq!(chip.run_until(Instant::from_millis(1)), Pause::Deadline);
    assert_eq!(chip.take_events(), []);
}

#[test]
fn a_rom_function_that_is_not_modelled_stops_the_chip() {
    // lui t0, 0x40000; jr 0xfc(t0): tinfl_decompress_mem_to_heap.
    let (mut chip, event) = first_event(&[0x4000_02b7, 0x0fc2_8067]);
    assert_eq!(
        event.kind,
        EventKind::UnmodelledRomFunction { address: 0x4000_00fc, name: "tinfl_decompress_mem_to_heap".into() }
    );
    assert_eq!(chip.run_until(Instant::from_millis(2)), Pause::Halted);
}

#[test]
fn what_arrives_on_usb_waits_and_on_a_uart_overflows() {
    let mut chip = Esp32c3::new(Config::default());
    // j .
    chip.load_elf(&elf(&[(IRAM, &[0x0000_006f])])).expect("an image for this chip");
    chip.serial_input(SerialPort::UsbSerialJtag, &[1; 500]);
    chip.serial_input(SerialPort::Uart0, &[2; 150]);
    let mut lost = 0;
    while chip.run_until(Instant::from_millis(20)) != Pause::Deadline {
        for event in chip.take_events() {
            let EventKind::UartOverflow { uart: 0, bytes } = event.kind else { panic!("{event}") };
            lost += bytes;
        }
    }
    assert_eq!(lost, 150 - 128);
}

#[test]
fn a_rom_that_is_none_is_reported_with_the_first_image() {
    let mut chip = Esp32c3::new(Config { rom: Rom::Elf(Arc::from(&b"no ROM"[..])), ..Config::default() });
    assert!(matches!(chip.load_elf(&elf(&[(IRAM, &HEARTBEAT)])), Err(ImageError::Rom(_))));
}

#[test]
fn files_that_are_not_images_are_refused() {
    let mut chip = Esp32c3::new(Config::default());
    let good = elf(&[(IRAM, &HEARTBEAT)]);
    assert!(matches!(chip.load_elf(b"MZ"), Err(ImageError::WrongElf(WrongElf::NotElf))));
    let mut arm = good.clone();
    arm[18] = 40;
    let refused = chip.load_elf(&arm).map_err(|error| error.to_string());
    assert_eq!(refused, Err("an ELF file for 32-bit Arm, and not for 32-bit RISC-V".into()));
    let nowhere = elf(&[(0x2000_0000, &HEARTBEAT)]);
    let refused = Err(ImageError::NoMemoryThere { address: 0x2000_0000, length_bytes: 148, chip: "ESP32-C3" });
    assert_eq!(chip.load_elf(&nowhere), refused);
    for length in 0..good.len() {
        assert!(chip.load_elf(&good[..length]).is_err(), "cut to {length} bytes");
    }
    assert_eq!(chip.run_until(Instant::from_millis(1)), Pause::Halted, "nothing was loaded");
}
