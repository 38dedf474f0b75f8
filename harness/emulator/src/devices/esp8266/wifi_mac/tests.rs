//! What a driver sees of the MAC: its ring, its queues, its timer. No image is needed for it.

use super::*;
use crate::chips::esp8266::registers::peripheral;
use crate::devices::espressif::time::instant_of;
use crate::devices::espressif::wifi::header::{Address, acknowledgement};
use crate::machine::memory::{Access, Window};

const OWN: Address = [0x18, 0xfe, 0x34, 0, 0, 1];
const OTHER: Address = [0x02, 0x53, 0x48, 0x44, 0, 1];
/// RAM that descriptors can point to, and what lies there.
const RAM: u32 = 0x3ffe_8000;
const RAM_BYTES: u32 = 0x1_0000;
const RING: u32 = RAM + 0x1000;
const BUFFERS: u32 = RAM + 0x2000;
/// As the driver sets a free descriptor: 1604 bytes, the hardware's.
const FREE: u32 = 0x8064_0640;
/// The mask's bit that switches an interface on.
const ON: u32 = 1 << 16;
/// Words before the frame in a buffer.
const HEADER_BYTES: usize = 12;

/// A MAC on channel 6 with its own address, and a ring of `descriptors` that has an end.
struct Bench {
    mac: WifiMac,
    registers: RegisterFile,
    memory: Memory,
}

impl Bench {
    fn new(descriptors: u32) -> Self {
        let mut memory = Memory::new();
        let store = memory.add_store(RAM_BYTES);
        let window = Window { address: RAM, length: RAM_BYTES, store, offset: 0, access: Access::READ_WRITE };
        memory.map(window).expect("a window that fits");
        let registers = RegisterFile::whole(peripheral("WDEV"), 0x1600);
        let mut bench = Self { mac: WifiMac::default(), registers, memory };
        bench.mac.antenna.channel = 6;
        for n in 0..descriptors {
            let next = if n + 1 < descriptors { RING + 12 * (n + 1) } else { 0 };
            for (offset, word) in [(0, FREE), (4, BUFFERS + 0x800 * n), (8, next)] {
                bench.memory.write_word(RING + 12 * n + offset, word).expect("RAM");
            }
        }
        bench.write(OWN_ADDRESSES, u32::from_le_bytes([OWN[0], OWN[1], OWN[2], OWN[3]]));
        bench.write(OWN_ADDRESSES + 4, u32::from_le_bytes([OWN[4], OWN[5], 0, 0]));
        bench.write(OWN_MASKS + 4, ON | 0xffff);
        bench.write(EVENTS_ENABLED, 0x2c9f_0300);
        bench.write(RING_BASE, RING);
        bench.write(RECEIVE_CONTROL, RECEIVE_ON);
        bench
    }

    fn write(&mut self, offset: u32, value: u32) {
        let Self { mac, registers, memory } = self;
        assert!(mac.write_with_memory(offset, value, registers, memory, 0) == Write::Done);
    }

    fn read(&mut self, offset: u32) -> u32 {
        match self.mac.read(offset, &self.registers, 0) {
            Read::Value(value) => value,
            _ => self.registers.get(offset),
        }
    }

    fn is_interrupting(&mut self) -> bool {
        self.mac.interrupts(&self.registers, 0) != 0
    }

    fn advance(&mut self) -> Ticks {
        let due = self.mac.due();
        self.mac.advance_with_memory(&mut self.registers, &mut self.memory, due);
        due
    }

    fn hear(&mut self, at_us: u64, bytes: Vec<u8>) -> Ticks {
        let at = instant_of(at_us * TICKS_PER_US);
        self.mac.antenna.hear(RadioFrame { at, channel: 6, rate_500_kbps: 2, signal_dbm: -50, bytes }, 0);
        self.advance()
    }

    /// Hands a frame over on queue 0, with room for the check sequence, and says *go*.
    fn transmit(&mut self, frame: &[u8]) {
        let length = frame.len() as u32 + 4;
        self.memory.write_slice(RAM + 0x100, frame).expect("RAM");
        for (offset, word) in [(0, 0xc000_0000 | length << 12 | length), (4, RAM + 0x100), (8, 0)] {
            self.memory.write_word(RAM + offset, word).expect("RAM");
        }
        self.write(QUEUE + 4, GO | ACKNOWLEDGED | RAM & DESCRIPTOR);
    }
}

fn data(to: Address, body: &[u8]) -> Vec<u8> {
    [&[0x08, 0x02, 0, 0][..], &to, &OTHER, &OTHER, &[0, 0], body].concat()
}

#[test]
fn a_frame_goes_into_the_ring_behind_its_three_words_and_is_acknowledged() {
    let mut bench = Bench::new(2);
    let due = bench.hear(100, data(OWN, b"hello"));
    // 29 octets and 4 of check sequence at 1 Mbit/s.
    assert_eq!(due, (100 + 192 + 33 * 8) * TICKS_PER_US);
    assert_eq!((bench.read(EVENTS), bench.is_interrupting()), (EVENT_RECEIVED, true));
    let control = bench.memory.read_word(RING).expect("RAM");
    assert_eq!((control >> 31, control >> 30 & 1, control >> 12 & 0xfff), (1, 1, 12 + 29 + 4));
    let mut buffer = [0; HEADER_BYTES + 29];
    bench.memory.read_slice(BUFFERS, &mut buffer).expect("RAM");
    let word = u32::from_le_bytes([buffer[0], buffer[1], buffer[2], buffer[3]]);
    // Signal from -96 dBm on; length with the check sequence; for the station.
    assert_eq!((word & 0xff, word >> 16 & 0xfff, word >> 28 & 1, word >> 29 & 1), (46, 33, 1, 0));
    assert_eq!((buffer[10] & 0xf, &buffer[HEADER_BYTES + 24..]), (6, &b"hello"[..]));
    assert_eq!((bench.read(RING_LAST), bench.read(RING_NEXT)), (RING, RING + 12));
    let sent = bench.mac.antenna.output.pop().expect("an acknowledgement");
    assert_eq!((sent.at, sent.bytes), (instant_of(due + 10 * TICKS_PER_US), acknowledgement(OTHER)));
    bench.write(EVENTS_CLEAR, EVENT_RECEIVED);
    assert_eq!((bench.read(EVENTS), bench.is_interrupting()), (0, false));
}

#[test]
fn what_is_for_others_on_another_channel_or_with_the_receiver_off_is_not_heard() {
    let mut bench = Bench::new(2);
    bench.hear(0, data([0x18, 0xfe, 0x34, 0, 0, 2], b"for others"));
    bench.mac.antenna.channel = 11;
    bench.hear(0, data(OWN, b"elsewhere"));
    bench.mac.antenna.channel = 6;
    bench.write(RECEIVE_CONTROL, 0);
    bench.hear(0, data(OWN, b"deaf"));
    assert_eq!((bench.read(EVENTS), bench.mac.antenna.output.len()), (0, 0));
}

/// Chips that nobody has set up are an access point beside the station: the second address and its mask.
#[test]
fn what_is_for_the_second_interface_is_marked_so_and_acknowledged_as_long_as_that_is_on() {
    const ACCESS_POINT: Address = [0x1a, 0xfe, 0x34, 0, 0, 1];
    let mut bench = Bench::new(4);
    bench.write(OWN_ADDRESSES + 8, u32::from_le_bytes([0x1a, 0xfe, 0x34, 0]));
    bench.write(OWN_ADDRESSES + 12, u32::from_le_bytes([0, 1, 0, 0]));
    bench.hear(100, data(ACCESS_POINT, b"off"));
    assert_eq!((bench.read(EVENTS), bench.mac.antenna.output.len()), (0, 0));
    bench.write(OWN_MASKS + 12, ON | 0xffff);
    for (n, (to, own)) in [(ACCESS_POINT, 0b10), (OWN, 0b01)].into_iter().enumerate() {
        bench.hear(1_000 * (n as u64 + 1), data(to, b"on"));
        let word = bench.memory.read_word(BUFFERS + 0x800 * n as u32).expect("RAM");
        assert_eq!(word >> 28 & 3, own);
        let sent = bench.mac.antenna.output.pop().expect("an acknowledgement");
        assert_eq!(sent.bytes, acknowledgement(OTHER));
    }
}

/// While the driver derives keys, its few buffers fill: what comes then is lost, acknowledged all the same.
#[test]
fn a_full_ring_loses_frames_and_says_nothing() {
    let mut bench = Bench::new(2);
    for n in 0..4 {
        bench.hear(n * 1_000, data(OWN, b"hello"));
    }
    assert_eq!((bench.mac.overflowed, bench.mac.antenna.output.len()), (2, 4));
    bench.write(RECEIVE_CONTROL, RECEIVE_ON | RING_RELOAD);
    assert_eq!(bench.read(RECEIVE_CONTROL), RECEIVE_ON, "reload clears itself");
}

/// *Done* without *begun* stops the driver: both are told in one go, with the queue and how it went.
#[test]
fn an_attempt_succeeds_with_an_acknowledgement_and_fails_without() {
    for is_acknowledged in [true, false] {
        let mut bench = Bench::new(1);
        bench.transmit(&data(OTHER, b"hello"));
        let sent = bench.mac.antenna.output.pop().expect("a frame");
        assert_eq!((sent.channel, sent.rate_500_kbps, sent.bytes), (6, 2, data(OTHER, b"hello")));
        if is_acknowledged {
            bench.hear(28 + 456 + 10, acknowledgement(OWN));
        } else {
            bench.advance();
        }
        assert_eq!(bench.read(EVENTS), EVENT_TRANSMITTED);
        assert_eq!(bench.read(RESULT), if is_acknowledged { 0 } else { NO_ACKNOWLEDGEMENT });
        assert_eq!(bench.read(QUEUE + 4) & GO, 0, "no longer under way");
    }
}

#[test]
fn nonsense_in_rings_and_queues_is_survived() {
    let mut bench = Bench::new(1);
    for word in [0, 0xffff_ffff, 0xc000_0000, 0xc000_0003, FREE] {
        for offset in [0, 4, 8] {
            bench.memory.write_word(RING + offset, word).expect("RAM");
            bench.memory.write_word(RAM + offset, word).expect("RAM");
        }
        for queue in 0..QUEUES {
            bench.write(queue_register(queue) + 4, GO | ACKNOWLEDGED | RAM & DESCRIPTOR);
        }
        bench.hear(0, data(OWN, &[0; 2_000]));
    }
}

/// `wDev_MacTim1Arm` writes what the counter will show, and no distance: after an hour as well as at the beginning.
#[test]
fn the_timer_is_over_when_the_counter_comes_to_it() {
    let Bench { mut mac, mut registers, mut memory } = Bench::new(1);
    for begins_us in [0, 3_600_000_000, u64::from(u32::MAX) - 10] {
        let now = begins_us * TICKS_PER_US;
        let at_us = begins_us + 1_500;
        for (offset, value) in [(TIMER_AT, at_us as u32), (TIMER_AT_HIGH, (at_us >> 32) as u32), (TIMER, TIMER_ARMED)] {
            mac.write_with_memory(offset, value, &mut registers, &memory, now);
        }
        let due = at_us * TICKS_PER_US;
        assert_eq!(mac.due(), due);
        mac.advance_with_memory(&mut registers, &mut memory, due - 1);
        assert_eq!(mac.events & EVENT_TIMER, 0);
        mac.advance_with_memory(&mut registers, &mut memory, due);
        assert_eq!((mac.events & EVENT_TIMER, registers.get(TIMER) & TIMER_ARMED), (EVENT_TIMER, 0));
        mac.write_with_memory(EVENTS_CLEAR, EVENT_TIMER, &mut registers, &memory, due);
        assert_eq!(mac.due(), NEVER);
    }
}
