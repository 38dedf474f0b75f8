//! ROM functions, called as firmware calls them.

use super::*;
use crate::chips::esp8266::{Config, DRAM, Esp8266};
use crate::machine::chip::{EmulatedChip, Pause};
use chip::PortId;
use clock::Instant;

/// Where strings and the like are put.
const TEXT: u32 = DRAM + 0x100;
const MORE: u32 = DRAM + 0x800;
/// Where a call returns to: `break.n 0`, so that a run ends there.
const HOME: u32 = super::super::IRAM;
const BREAK_N: [u8; 2] = [0x2d, 0xf0];
/// `ret.n`
const RET_N: [u8; 2] = [0x0d, 0xf0];

struct Bench(Esp8266);

impl Bench {
    fn new() -> Self {
        let mut chip = Esp8266::new(&Config::default());
        initialise(&mut chip.memory, &chip.soc.flash);
        chip.halted = false;
        chip.core.stop_at_break(true);
        chip.core.set_special(crate::cores::lx106::special_register::PS, 0x20);
        chip.memory.write_slice(HOME, &BREAK_N).expect("there is RAM");
        Self(chip)
    }

    fn put(&mut self, address: u32, bytes: &[u8]) {
        self.0.memory.write_slice(address, bytes).expect("there is RAM");
    }

    /// Calls a function of the ROM; what it returns.
    fn call(&mut self, name: &str, arguments: &[u32]) -> u32 {
        let core = &mut self.0.core;
        core.set_register(LINK, HOME);
        core.set_register(STACK, 0x3fff_ff00);
        for (n, argument) in arguments.iter().enumerate() {
            if n < usize::from(ARGUMENT_REGISTERS) {
                core.set_register(FIRST_ARGUMENT + n as u8, *argument);
            } else {
                let at = 0x3fff_ff00 + 4 * (n as u32 - u32::from(ARGUMENT_REGISTERS));
                self.0.memory.write_word(at, *argument).expect("there is RAM");
            }
        }
        core.set_pc(address_of(name));
        while self.0.core.pc() != HOME {
            let pause = self.0.run_until(self.0.now() + clock::Duration::from_millis(50));
            assert!(!matches!(pause, Pause::Halted | Pause::Asleep), "{name}: {pause:?} {:?}", self.0.take_events());
        }
        assert_eq!(self.0.core.register(STACK), 0x3fff_ff00, "{name} leaves the stack as it was");
        self.0.core.register(FIRST_ARGUMENT)
    }

    /// What UART0 has said, once all has left.
    fn said(&mut self) -> String {
        self.0.core.set_pc(HOME);
        let later = self.0.now() + clock::Duration::from_millis(100);
        self.0.soc.settle(crate::devices::espressif::time::ticks_at(later));
        String::from_utf8(self.0.take_serial_output(PortId::new("uart0"))).expect("it is text")
    }
}

#[test]
fn every_name_that_is_modelled_is_a_function_of_the_rom() {
    for (name, _) in MODELLED.into_iter().flatten() {
        assert_ne!(address_of(name), 0, "{name}");
    }
    for (address, name, _) in continuations::ALL {
        assert!(CODE.contains(address) && !functions().contains_key(address), "{name}");
    }
}

#[test]
fn printf_sets_text_as_c_does() {
    let mut bench = Bench::new();
    bench.put(TEXT, b"%d|%5u|%-4x|%08X|%s|%c|%%|%.2s|%03d\0");
    bench.put(MORE, b"text\0");
    let length =
        bench.call("ets_printf", &[TEXT, -7_i32 as u32, 42, 0xbeef, 0xc0_ffee, MORE, 0x21, MORE, -5_i32 as u32]);
    let expected = "-7|   42|beef|00C0FFEE|text|!|%|te|-05";
    assert_eq!(bench.said(), expected);
    assert_eq!(length, expected.len() as u32);
}

#[test]
fn firmware_may_print_every_character_itself() {
    let mut bench = Bench::new();
    // Counts its calls in a word: l32r would need a literal, so the word's address is in a register that calls keep.
    // l32i.n a3, a12, 0; addi.n a3, a3, 1; s32i.n a3, a12, 0; ret.n
    bench.put(HOME + 0x10, &[0x38, 0x0c, 0x1b, 0x33, 0x39, 0x0c, RET_N[0], RET_N[1]]);
    bench.0.core.set_register(12, MORE);
    bench.call("ets_install_putc1", &[HOME + 0x10]);
    bench.put(TEXT, b"%s, %u\n\0");
    bench.put(MORE + 4, b"counted\0");
    bench.call("ets_printf", &[TEXT, MORE + 4, 12_345]);
    assert_eq!(bench.0.memory.read_word(MORE), Ok("counted, 12345\n".len() as u32));
}

#[test]
fn a_va_list_goes_from_registers_to_the_stack() {
    let mut bench = Bench::new();
    bench.put(TEXT, b"%d %d %d\0");
    let words = |values: &[u32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>();
    // Two of the six register words are left; then comes the stack, which counts from 32.
    bench.put(MORE, &words(&[0, 0, 0, 0, 11, 22]));
    bench.put(MORE + 0x40 + 32, &words(&[33]));
    bench.call("ets_vprintf", &[address_of("ets_putc"), TEXT, MORE + 0x40, MORE, 16]);
    assert_eq!(bench.said(), "11 22 33");
}

#[test]
fn events_go_to_tasks_by_priority_and_a_full_queue_refuses() {
    let mut bench = Bench::new();
    for priority in [1, 32] {
        bench.call("ets_task", &[HOME + 0x20, priority, MORE + 0x80 * priority, 2]);
    }
    assert_eq!(bench.call("ets_post", &[1, 5, 6]), 0);
    assert_eq!(bench.call("ets_post", &[32, 7, 8]), 0);
    assert_eq!(bench.call("ets_post", &[32, 9, 10]), 0);
    assert_eq!(bench.call("ets_post", &[32, 11, 12]), 1, "two events are all that there is room for");
    assert_eq!(bench.call("ets_post", &[33, 1, 1]), 1, "there is no such priority");
    // The task breaks; what it was given is at a2.
    bench.put(HOME + 0x20, &BREAK_N);
    let mut seen = Vec::new();
    bench.0.core.set_pc(address_of("ets_run"));
    for _ in 0..3 {
        while bench.0.core.pc() != HOME + 0x20 {
            bench.0.step();
        }
        let event = bench.0.core.register(2);
        seen.push([0, 4].map(|n| bench.0.memory.read_word(event + n).expect("it is on the stack")));
        let back = bench.0.core.register(LINK);
        bench.0.core.set_pc(back);
    }
    assert_eq!(seen, [[7, 8], [9, 10], [5, 6]]);
    assert_eq!(bench.0.run_until(Instant::FAR_FUTURE), Pause::Asleep, "and then the core sleeps");
}

#[test]
fn a_chain_of_descriptors_ends() {
    let mut bench = Bench::new();
    let arguments = [MORE, 3 * 12, TEXT, 3 * 0x40, 0x40, 1, DRAM, DRAM + 4];
    assert_eq!(bench.call("lldesc_build_chain", &arguments), 3);
    let word = |bench: &Bench, address| bench.0.memory.read_word(address).expect("there is RAM");
    assert_eq!((word(&bench, DRAM), word(&bench, DRAM + 4)), (MORE, MORE + 24));
    assert_eq!(word(&bench, MORE), 1 << 31 | 0x40 << 12 | 0x40);
    assert_eq!((word(&bench, MORE + 12 + 4), word(&bench, MORE + 12 + 8)), (TEXT + 0x40, MORE + 24));
    assert_eq!(word(&bench, MORE + 24 + 8), 0);
}

/// RFC 6070, IEEE Std 802.11-2020 §J.4.2 and RFC 3394 §4.1.
#[test]
fn keys_are_derived_and_unwrapped_as_the_standards_say() {
    let mut bench = Bench::new();
    let bytes = |text: &str| -> Vec<u8> {
        let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    };
    let result = |bench: &Bench, length: usize| {
        let mut bytes = vec![0; length];
        bench.0.memory.read_slice(DRAM + 0x2000, &mut bytes).expect("there is RAM");
        bytes
    };
    bench.put(TEXT, b"password\0");
    bench.put(MORE, b"IEEE");
    bench.call("pbkdf2_sha1", &[TEXT, MORE, 4, 4_096, DRAM + 0x2000, 32]);
    let key = "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e";
    assert_eq!(result(&bench, 32), bytes(key));
    bench.put(TEXT, &[0x0b; 20]);
    bench.put(TEXT + 0x40, b"prefix\0");
    bench.put(MORE, b"Hi There");
    bench.call("sha1_prf", &[TEXT, 20, TEXT + 0x40, MORE, 8, DRAM + 0x2000, 16]);
    assert_eq!(result(&bench, 16), bytes("bcd4c650b30b9684951829e0d75f9d54"));
    bench.put(TEXT, &bytes("000102030405060708090a0b0c0d0e0f"));
    bench.put(MORE, &bytes("1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"));
    assert_eq!(bench.call("aes_unwrap", &[TEXT, 2, MORE, DRAM + 0x2000]), 0);
    assert_eq!(result(&bench, 16), bytes("00112233445566778899aabbccddeeff"));
    bench.put(MORE, &[0x1e]);
    assert_eq!(bench.call("aes_unwrap", &[TEXT, 2, MORE, DRAM + 0x2000]), u32::MAX);
}

#[test]
fn a_function_that_is_not_modelled_is_a_named_stop_with_its_caller() {
    let mut bench = Bench::new();
    // Behind a call, so that it is taken for a return address.
    bench.put(HOME + 0x30, &[0xc0, 0x02, 0x00]);
    bench.0.core.set_register(LINK, HOME + 0x33);
    bench.0.core.set_pc(address_of("sip_send"));
    while bench.0.run_until(Instant::FAR_FUTURE) != Pause::Halted {}
    let events = bench.0.take_events();
    let said: Vec<String> = events.iter().map(|event| event.kind.to_string()).collect();
    assert_eq!(said, ["unmodelled ROM function called: sip_send (0x40005808)"]);
    assert_eq!(events[0].backtrace.frames[1].address, HOME + 0x33);
}
