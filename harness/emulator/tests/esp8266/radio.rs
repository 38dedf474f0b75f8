//! The radio with nobody's driver: a station that joins the access points of this house, loses them and dozes between their
//! beacons, and an access point that a station of this test joins.

mod client;
mod soft_ap;
mod station;

use access_point::{Air, Description, Event, OnAir, Rate};
use clock::{Duration, Instant};
use emulator::esp8266::Esp8266;
use emulator::{EmulatedChip as _, RadioFrame};

use super::{UART0, chip_with};

/// An experimental EtherType for local use (IEEE Std 802-2014 §9.2.4).
const ETHER_TYPE: [u8; 2] = [0x88, 0xb5];

/// A chip among access points.
struct Bench {
    chip: Esp8266,
    air: Air,
    said: String,
    events: Vec<Event>,
    /// Ethernet frames of the station, with when they were there.
    ethernet: Vec<(Instant, Vec<u8>)>,
    /// What the chip has sent.
    sent: Vec<RadioFrame>,
    /// What was on the air for it.
    heard: Vec<RadioFrame>,
}

impl Bench {
    fn new(program: &str, access_point: Description) -> Self {
        let air = Air::new(vec![access_point], 0x5eed).expect("an access point that can be");
        let (said, events, ethernet, sent, heard) = Default::default();
        Self { chip: chip_with(program), air, said, events, ethernet, sent, heard }
    }

    /// Lets both live until the chip has said `text`.
    fn until_said(&mut self, text: &str) {
        let limit = self.chip.now() + Duration::from_secs(10);
        while !self.said.contains(text) {
            assert!(self.chip.now() < limit, "it has not said {text:?}: {}{:?}", self.said, self.events);
            self.turn(limit);
        }
    }

    fn run_for(&mut self, ms: u64) {
        let until = self.chip.now() + Duration::from_millis(ms);
        while self.chip.now() < until {
            self.turn(until);
        }
    }

    /// Until somebody does something, or until then.
    fn turn(&mut self, until: Instant) {
        let deadline = self.air.poll_at(self.chip.now()).map_or(until, |at| at.min(until));
        self.chip.run_until(deadline);
        let now = self.chip.now();
        for frame in self.chip.take_radio_output() {
            let RadioFrame { at, channel, rate_500_kbps, bytes, .. } = frame.clone();
            let rate = Rate::from_500_kbps(rate_500_kbps).expect("a rate of 802.11g");
            self.air.receive(now, OnAir { at, channel, rate, signal_dbm: -50, frame: bytes });
            self.sent.push(frame);
        }
        self.air.poll(now);
        while let Some(OnAir { at, channel, rate, signal_dbm, frame }) = self.air.transmit() {
            let frame = RadioFrame { at, channel, rate_500_kbps: rate.as_500_kbps(), signal_dbm, bytes: frame };
            self.heard.push(frame.clone());
            self.chip.radio_input(frame);
        }
        self.ethernet.extend(std::iter::from_fn(|| self.air.take_ethernet()).map(|frame| (now, frame)));
        self.events.extend(self.air.take_events());
        let said = self.chip.take_serial_output(UART0);
        self.said.push_str(&String::from_utf8(said).expect("it is text").replace('\r', ""));
        assert!(self.chip.take_events().is_empty(), "{}", self.said);
    }

    /// The Ethernet has something for the station, or for all.
    fn send(&mut self, to: [u8; 6], text: &str) {
        let from = [0x02, 0x53, 0x48, 0x44, 0x01, 0x01];
        let frame = [&to[..], &from, &ETHER_TYPE, text.as_bytes()].concat();
        self.air.send_ethernet(self.chip.now(), &frame);
    }
}
