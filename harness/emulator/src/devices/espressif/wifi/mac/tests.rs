use super::super::super::time::instant_of;
use super::super::header::{Address, INTERFACE_ON, acknowledgement};
use super::*;
use crate::chips::esp32c3::registers::peripheral;
use crate::machine::memory::{Access, Window};

const OWN: Address = [0x60, 0x55, 0xf9, 0, 0, 1];
const OTHER: Address = [0x02, 0x53, 0x48, 0x44, 0, 1];
const RAM: u32 = 0x3fc8_0000;
const RING: u32 = RAM + 0x1000;
const BUFFERS: u32 = RAM + 0x2000;
const BUFFER_BYTES: u32 = 1_600;
const FREE: u32 = 0x8000_0000 | BUFFER_BYTES << 12 | BUFFER_BYTES;

/// A MAC on channel 6 with its own address, and a ring of `descriptors` that has an end.
struct Bench {
    mac: WifiMac,
    registers: RegisterFile,
    memory: Memory,
}

impl Bench {
    fn new(descriptors: u32) -> Self {
        let mut memory = Memory::new();
        let store = memory.add_store(0x2_0000);
        let window = Window { address: RAM, length: 0x2_0000, store, offset: 0, access: Access::READ_WRITE };
        memory.map(window).expect("a window that fits");
        let mut bench = Self { mac: WifiMac::default(), registers: RegisterFile::new(peripheral(""), 0x2000), memory };
        bench.mac.antenna.channel = 6;
        for n in 0..descriptors {
            let next = if n + 1 < descriptors { RING + 12 * (n + 1) } else { 0 };
            bench.descriptor(n, next);
        }
        bench.write(OWN_ADDRESSES, u32::from_le_bytes([OWN[0], OWN[1], OWN[2], OWN[3]]));
        bench.write(OWN_ADDRESSES + 4, u32::from_le_bytes([OWN[4], OWN[5], 0, 0]));
        bench.write(OWN_MASKS + 4, INTERFACE_ON | 0xffff);
        bench.write(RING_BASE, RING);
        bench.write(RECEIVE_CONTROL, RECEIVE_ON);
        bench
    }

    fn descriptor(&mut self, n: u32, next: u32) {
        for (offset, word) in [(0, FREE), (4, BUFFERS + 0x800 * n), (8, next)] {
            self.memory.write_word(RING + 12 * n + offset, word).expect("RAM");
        }
    }

    /// As the chip does it: words that are only kept are kept.
    fn write(&mut self, offset: u32, value: u32) {
        let Self { mac, registers, memory } = self;
        if mac.write_with_memory(offset, value, registers, memory, 0) == Write::Stored {
            registers.set(offset, value);
        }
    }

    fn read(&mut self, offset: u32) -> u32 {
        match self.mac.read(offset, &self.registers, 0) {
            Read::Value(value) => value,
            _ => self.registers.get(offset),
        }
    }

    fn hear(&mut self, at_us: u64, bytes: Vec<u8>) -> Ticks {
        let at = instant_of(at_us * TICKS_PER_US);
        self.mac.antenna.hear(RadioFrame { at, channel: 6, rate_500_kbps: 2, signal_dbm: -50, bytes }, 0);
        let due = self.mac.due();
        self.mac.advance_with_memory(&mut self.registers, &mut self.memory, due);
        due
    }

    /// Hands a frame over on queue 0, with room for the check sequence, and says *go*.
    fn transmit(&mut self, frame: &[u8], acknowledged: bool) {
        let length = frame.len() as u32 + 4;
        self.memory.write_slice(RAM + 0x100, frame).expect("RAM");
        for (offset, word) in [(0, 0xc000_0000 | length << 12 | length), (4, RAM + 0x100), (8, 0)] {
            self.memory.write_word(RAM + offset, word).expect("RAM");
        }
        self.write(0xd08, 0xc000_0000 | if acknowledged { 1 << 24 } else { 0 } | RAM & gdma::ADDRESS);
    }
}

fn data(to: Address, body: &[u8]) -> Vec<u8> {
    [&[0x08, 0x02, 0, 0][..], &to, &OTHER, &OTHER, &[0, 0], body].concat()
}

#[test]
fn a_frame_goes_into_the_ring_at_its_end_and_is_acknowledged() {
    let mut bench = Bench::new(2);
    let due = bench.hear(100, data(OWN, b"hello"));
    // 29 octets and 4 of check sequence at 1 Mbit/s.
    assert_eq!(due, (100 + 192 + 33 * 8) * TICKS_PER_US);
    assert_eq!(bench.read(EVENTS), EVENT_RECEIVED);
    let control = bench.memory.read_word(RING).expect("RAM");
    assert_eq!(control >> 12 & 0xfff, 48 + 29 + 4);
    let mut buffer = [0; 77];
    bench.memory.read_slice(BUFFERS, &mut buffer).expect("RAM");
    assert_eq!((buffer[0] as i8, buffer[3] & 0x30, buffer[10]), (-50, 0x10, 6));
    assert_eq!(&buffer[72..], b"hello");
    let acknowledgement = bench.mac.antenna.output.pop().expect("an acknowledgement");
    assert_eq!(acknowledgement.at, instant_of(due + 10 * TICKS_PER_US));
    assert_eq!(acknowledgement.bytes, [&[0xd4, 0, 0, 0][..], &OTHER].concat());
    bench.write(EVENTS_CLEAR, EVENT_RECEIVED);
    assert_eq!(bench.read(EVENTS), 0);
}

#[test]
fn what_is_for_others_on_another_channel_or_with_the_receiver_off_is_not_heard() {
    let mut bench = Bench::new(2);
    bench.hear(0, data([0x60, 0x55, 0xf9, 0, 0, 2], b"for others"));
    assert_eq!(bench.read(EVENTS), 0);
    bench.mac.antenna.channel = 11;
    bench.hear(0, data(OWN, b"elsewhere"));
    bench.mac.antenna.channel = 6;
    bench.write(RECEIVE_CONTROL, 0);
    bench.hear(0, data(OWN, b"deaf"));
    assert_eq!((bench.read(EVENTS), bench.mac.antenna.output.len()), (0, 0));
}

#[test]
fn a_full_ring_loses_frames_until_the_driver_hangs_more_behind_it() {
    let mut bench = Bench::new(2);
    for n in 0..4 {
        bench.hear(n * 1_000, data(OWN, b"hello"));
    }
    assert_eq!(bench.mac.overflowed, 2);
    bench.descriptor(2, 0);
    bench.memory.write_word(RING + 12 + 8, RING + 24).expect("RAM");
    bench.write(RECEIVE_CONTROL, RECEIVE_ON | RING_RELOAD);
    assert_eq!(bench.read(RECEIVE_CONTROL), RECEIVE_ON, "reload clears itself");
    bench.hear(10_000, data(OWN, b"again"));
    assert_eq!(bench.mac.overflowed, 2);
    assert_eq!(bench.read(RING_LAST), (RING + 24) & gdma::ADDRESS);
}

#[test]
fn a_descriptor_that_the_driver_has_not_freed_is_not_written_over() {
    let mut bench = Bench::new(1);
    bench.memory.write_word(RING + 8, RING).expect("RAM");
    bench.hear(0, data(OWN, b"first"));
    bench.hear(1_000, data(OWN, b"second"));
    let mut buffer = [0; 5];
    bench.memory.read_slice(BUFFERS + 72, &mut buffer).expect("RAM");
    assert_eq!((&buffer, bench.mac.overflowed), (b"first", 1));
}

#[test]
fn an_attempt_succeeds_with_an_acknowledgement_and_fails_without() {
    for acknowledged in [true, false] {
        let mut bench = Bench::new(1);
        bench.transmit(&data(OTHER, b"hello"), true);
        let sent = bench.mac.antenna.output.pop().expect("a frame");
        assert_eq!((sent.channel, sent.rate_500_kbps, sent.bytes), (6, 2, data(OTHER, b"hello")));
        if acknowledged {
            bench.hear(28 + 456 + 10, acknowledgement(OWN));
        } else {
            let due = bench.mac.due();
            bench.mac.advance_with_memory(&mut bench.registers, &mut bench.memory, due);
        }
        assert_eq!((bench.read(EVENTS), bench.read(TRANSMIT_DONE)), (EVENT_TRANSMITTED, 1));
        assert_eq!(bench.registers.get(0x1320) >> 12 & 0xf, if acknowledged { 0 } else { 5 });
        assert_eq!(bench.registers.get(0xd08) >> 30, 0, "no longer under way");
    }
}

/// Words as libpp of ESP-IDF 5.0.4 writes them: PLCP1, and the word behind it, which is none. They are of a probe request, which
/// leaves at 1 Mbit/s, of a null frame, at 6, and of an ARP request, at 54.
#[test]
fn a_frame_leaves_at_the_rate_in_plcp1() {
    for (plcp1, behind, rate_500_kbps, airtime_us) in
        [(0x0000_0037, 0x0011_1110, 2, 456), (0x0000_b01c, 0x001a_aaa0, 12, 74), (0x0008_c050, 0x0014_4440, 108, 34)]
    {
        let mut bench = Bench::new(1);
        bench.write(0x12f8, plcp1);
        bench.write(0x12fc, behind);
        bench.transmit(&data([0xff; 6], b"hello"), false);
        let sent = bench.mac.antenna.output.pop().expect("a frame");
        assert_eq!(sent.rate_500_kbps, rate_500_kbps);
        // 29 octets and 4 of check sequence.
        assert_eq!(bench.mac.due(), (28 + airtime_us) * TICKS_PER_US);
    }
}

#[test]
fn frames_for_groups_are_over_when_they_have_been_sent() {
    let mut bench = Bench::new(1);
    bench.transmit(&data([0xff; 6], b"hello"), true);
    assert_eq!(bench.mac.due(), (28 + 192 + 33 * 8) * TICKS_PER_US);
}

#[test]
fn nonsense_in_rings_and_queues_is_survived() {
    let mut bench = Bench::new(1);
    for word in [0, 0xffff_ffff, 0xc000_0000, 0xc000_0003, FREE] {
        for offset in [0, 4, 8] {
            let _ = bench.memory.write_word(RING + offset, word);
            let _ = bench.memory.write_word(RAM + offset, word);
        }
        bench.write(0xd08, 0xc100_0000 | RAM & gdma::ADDRESS);
        bench.hear(0, data(OWN, &[0; 2_000]));
    }
}

/// Frames that may follow in the same transmit opportunity are kept, and none follows: the driver is told so, and sends them
/// by themselves.
#[test]
fn nothing_follows_in_a_transmit_opportunity() {
    let mut bench = Bench::new(1);
    for offset in OPPORTUNITIES.step_by(4) {
        let Bench { mac, registers, memory } = &mut bench;
        assert!(mac.write_with_memory(offset, 0x0200_0100, registers, memory, 0) == Write::Stored, "{offset:#x}");
        assert!(mac.read(offset, registers, 0) == Read::Stored, "{offset:#x}");
    }
    bench.write(0x1314, 1 << 24);
    bench.registers.set(0x1320, 0xffff_ffff);
    bench.transmit(&data(OTHER, b"first"), false);
    let due = bench.mac.due();
    bench.mac.advance_with_memory(&mut bench.registers, &mut bench.memory, due);
    assert_eq!((bench.mac.antenna.output.len(), bench.registers.get(0x1320) & 0xf000_f000), (1, 0));
}
