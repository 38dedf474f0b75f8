//! What the bench attaches to the ports of a board, and the LAN behind all of it.
//!
//! ```text
//!  serial port for the bench ─── slipmux ──┐
//!  console ─────────── slipmux or driver ──┤
//!  serial port for a modem ───── AT modem ─┼─ LAN ─ broker
//!  network interface ─────────── Ethernet ─┤
//!  radio ──────── access points, Ethernet ─┘
//!  RTT ───────────────────────── text
//! ```
//!
//! What a device says outside of frames, on the port for the bench or on its console, is text for people. Where it was last
//! heard in a whole frame, there it is answered: firmware may have its IP on the console, or on an Ethernet of its own. The
//! modem is a neighbour of the device: what the LAN has for its address goes to it. Of a device whose network is its radio, a
//! serial line carries orders and reports alone.

use board::{Nic, PortId, PortRole, RadioFrame, SerialPort, Target};
use capture::Tap;
use chip::Chip;
use clock::Instant;
use judge::OnTheAir;
use network::{Heard, Lan, Modem, Segment, SerialFault, SerialLine};
use scenario::Scenario;

use super::BenchFault;
use crate::stack::Stack;
use crate::wifi::Wifi;
use crate::world::{self, Counterpart};

/// The ports of one board with what is attached to them.
pub(super) struct Ports {
    /// In the order in which what they have for the device is sent.
    attached: Vec<(PortId, Attached)>,
    /// At which of them the device is: always a line or an Ethernet.
    active: usize,
    /// The air, round a device whose network is its radio.
    air: Option<Box<Wifi>>,
    /// On which of them it was heard last, of those that may carry text.
    last_heard: usize,
    /// What becomes of bytes on the serial line.
    serial_faults: Vec<SerialFault>,
    pub(super) lan: Lan<Box<dyn Counterpart>>,
}

/// How a device's ports are used.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wiring {
    /// Its network is the chip's radio.
    pub(super) has_radio: bool,
    /// Somebody types on its console, where nobody speaks slipmux.
    pub(super) is_driven: bool,
    /// Nobody tells it anything: it asks for names, dials and prints as it likes.
    pub(super) is_unattended: bool,
}

impl Wiring {
    pub(super) fn of(stack: &Stack) -> Self {
        let is_unattended = stack.unattended().is_some();
        Self { has_radio: stack.has_radio(), is_driven: stack.driver().is_some() && !is_unattended, is_unattended }
    }
}

/// What is attached to a port.
enum Attached {
    /// Whoever types there; what is to be typed next. What the device says is heard as it is.
    Driver(Vec<u8>),
    /// Nothing: text is heard there.
    Text(SerialLine),
    /// Slipmux, with what is to be sent next. Text passes as it is.
    Line(SerialLine, Vec<u8>),
    /// A modem with AT commands.
    Modem(Box<Modem>),
    /// An Ethernet with a router.
    Ethernet(Segment),
}

impl Ports {
    /// What `scenario` needs at the ports of `target`'s chip; all random numbers come from `seed`.
    ///
    /// # Errors
    ///
    /// If the chip lacks a port.
    pub(super) fn new(
        scenario: &Scenario,
        target: &Target,
        Wiring { has_radio, is_driven, is_unattended }: Wiring,
        counterpart: Box<dyn Counterpart>,
        seed: u64,
    ) -> Result<Self, BenchFault> {
        let chip = target.chip;
        let mut modem = world::modem_config(scenario).map(|config| Modem::new(config, seed));
        let serial = |port: &SerialPort| {
            let attached = match port.role {
                PortRole::Bench | PortRole::Console => {
                    Attached::Line(SerialLine::new(scenario.network.serial_faults(), seed), Vec::new())
                }
                PortRole::Log => Attached::Text(SerialLine::new(Vec::new(), seed)),
                PortRole::Modem => Attached::Modem(Box::new(modem.take()?)),
            };
            Some((port.id, attached))
        };
        let ethernet = |nic: &Nic| (nic.id, Attached::Ethernet(Segment::new(world::segment_config())));
        let mut attached: Vec<_> = match console_of(chip).filter(|_| is_driven) {
            // What is said on another port is what is said here.
            Some(port) => vec![(port, Attached::Driver(Vec::new()))],
            None => chip.serial_ports.iter().filter_map(serial).collect(),
        };
        attached.extend(chip.nics.iter().map(ethernet));
        if modem.is_some() {
            return Err(BenchFault::Other(format!("the chip {chip} has no serial port for a modem")));
        }
        let is_first = |(port, one): &(PortId, Attached)| match one {
            Attached::Line(..) => chip.bench_port().is_none_or(|bench| bench == *port),
            Attached::Driver(_) => true,
            Attached::Modem(_) | Attached::Text(_) => false,
            Attached::Ethernet(_) => chip.bench_port().is_none(),
        };
        let active = attached.iter().position(is_first);
        let active = active.ok_or_else(|| BenchFault::Other(format!("the chip {chip} has no port for the bench")))?;
        if has_radio && chip.radio.is_none() {
            return Err(BenchFault::Other(format!("the chip {chip} has no radio")));
        }
        let air = has_radio.then(|| Wifi::of(scenario, seed)).transpose();
        let air = air.map_err(|error| BenchFault::Other(error.to_string()))?.map(Box::new);
        attached.push((chip::RTT, Attached::Text(SerialLine::new(Vec::new(), seed))));
        let lan = if is_unattended { world::lan_config_for_strangers(scenario) } else { world::lan_config(scenario) };
        Ok(Self {
            attached,
            active,
            last_heard: active,
            air,
            serial_faults: scenario.network.serial_faults(),
            lan: Lan::new(lan, seed, counterpart),
        })
    }

    /// When to come back, if the board says nothing before.
    pub(super) fn poll_at(&mut self, now: Instant) -> Option<Instant> {
        let due = self.attached.iter_mut().map(|(_, attached)| match attached {
            Attached::Line(..) | Attached::Text(_) | Attached::Driver(_) => None,
            Attached::Modem(modem) => modem.poll_at(now),
            Attached::Ethernet(segment) => segment.poll_at(),
        });
        let air = self.air.as_ref().and_then(|air| air.wants_to_act_at(now));
        due.fold(Instant::earliest(self.lan.poll_at(now), air), Instant::earliest)
    }

    /// Takes what the device's radio has sent.
    pub(super) fn receive_air(&mut self, now: Instant, frames: Vec<RadioFrame>) {
        if let Some(air) = &mut self.air {
            frames.into_iter().for_each(|frame| air.hear(now, frame));
        }
    }

    /// The next frame that the device's radio hears.
    pub(super) fn take_air(&mut self) -> Option<RadioFrame> {
        self.air.as_mut()?.say()
    }

    /// What has happened on the air and with addresses so far.
    pub(super) fn air_events(&self) -> &[OnTheAir] {
        self.air.as_ref().map(|air| air.noted()).unwrap_or_default()
    }

    /// What has happened on the air and with addresses.
    pub(super) fn take_air_account(&mut self) -> Vec<OnTheAir> {
        self.air.as_mut().map(|air| air.take_account()).unwrap_or_default()
    }

    /// Of the faults of the serial line, those that have come to their byte, if they wait for one.
    pub(super) fn serial_faults_reached(&self) -> Vec<SerialFault> {
        let is_reached = |fault: &&SerialFault| {
            self.attached.iter().any(|(_, one)| matches!(one, Attached::Line(line, _) if line.has_reached(fault)))
        };
        self.serial_faults.iter().filter(is_reached).cloned().collect()
    }

    /// Takes what the device has sent on a port; gives what of it is for the bench.
    pub(super) fn receive(&mut self, now: Instant, port: PortId, bytes: &[u8]) -> Vec<Heard> {
        let Some(index) = self.attached.iter().position(|(at, _)| *at == port) else { return Vec::new() };
        match self.attached.get_mut(index) {
            Some((_, Attached::Line(line, _))) => {
                self.last_heard = index;
                let heard = line.hear(bytes);
                if heard.iter().any(|one| matches!(one, Heard::Ip(_) | Heard::Configuration(_) | Heard::Diagnostic(_)))
                {
                    self.active = index;
                }
                heard
            }
            Some((_, Attached::Text(line))) => {
                let text = |heard: &Heard| matches!(heard, Heard::Diagnostic(_) | Heard::Noise(_));
                line.hear(bytes).into_iter().filter(text).collect()
            }
            Some((_, Attached::Modem(modem))) => {
                modem.received(now, bytes);
                Vec::new()
            }
            Some((_, Attached::Ethernet(segment))) => {
                self.active = index;
                segment.receive(now, bytes).map(Heard::Ip).into_iter().collect()
            }
            // Whoever types hears for itself.
            Some((_, Attached::Driver(_))) | None => Vec::new(),
        }
    }

    /// The port at which the device is, or whoever tells it what to do.
    pub(super) fn console(&self) -> PortId {
        self.attached.get(self.active).map_or(chip::RTT, |(port, _)| *port)
    }

    /// Sends the firmware an order, where it speaks slipmux.
    pub(super) fn send_order(&mut self, order: &[u8]) {
        if let Some((_, Attached::Line(line, output))) = self.attached.get_mut(self.active) {
            line.say_configuration(order, output);
        }
    }

    /// What the device has said last without ending the line: a prompt, it may be.
    pub(super) fn unended_text(&self) -> &[u8] {
        match self.attached.get(self.last_heard) {
            Some((_, Attached::Line(line, _))) => line.unended(),
            _ => &[],
        }
    }

    /// Types on the console: on the port where the device was heard last. Text passes outside of frames, as it is.
    pub(super) fn send_text(&mut self, text: &[u8]) {
        if let Some((_, Attached::Line(_, output) | Attached::Driver(output))) = self.attached.get_mut(self.last_heard)
        {
            output.extend(text);
        }
    }

    /// Lets packets pass between device, modem and LAN until none is left; the tap has them too.
    pub(super) fn exchange(&mut self, now: Instant, tap: &mut Tap) {
        self.lan.service_mut().keep_step(now);
        loop {
            if let Some(modem) = self.modem() {
                modem.poll(now);
                let packets: Vec<_> = std::iter::from_fn(|| modem.transmit_packet()).collect();
                packets.iter().for_each(|packet| self.lan.receive(now, packet));
            }
            let packets = self.air.as_mut().map(|air| air.take_packets(now)).unwrap_or_default();
            packets.iter().for_each(|packet| self.lan.receive(now, packet));
            self.lan.poll(now);
            let mut is_settled = true;
            while let Some(packet) = self.lan.transmit() {
                match self.modem().filter(|modem| modem.is_addressed_by(&packet)) {
                    Some(modem) => {
                        modem.receive_packet(now, &packet);
                        is_settled = false;
                    }
                    None => self.send_ip(now, &packet),
                }
            }
            if let Some(air) = &mut self.air {
                is_settled &= !air.settle(now);
            }
            if is_settled {
                break;
            }
        }
        if let Some(air) = &mut self.air {
            air.note_events();
            air.take_overheard().iter().for_each(|frame| tap.frame(frame.at, &frame.bytes));
        }
        for tapped in self.lan.take_tap() {
            tap.packet(tapped.at, &tapped.packet);
        }
    }

    fn modem(&mut self) -> Option<&mut Modem> {
        self.attached.iter_mut().find_map(|(_, attached)| match attached {
            Attached::Modem(modem) => Some(&mut **modem),
            Attached::Line(..) | Attached::Text(_) | Attached::Driver(_) | Attached::Ethernet(_) => None,
        })
    }

    /// To the device, at the port where it is.
    fn send_ip(&mut self, now: Instant, packet: &[u8]) {
        if let Some(air) = &mut self.air {
            return air.send_ip(now, packet);
        }
        match self.attached.get_mut(self.active) {
            Some((_, Attached::Line(line, output))) => line.say_ip(packet, output),
            Some((_, Attached::Ethernet(segment))) => segment.send_ip(now, packet),
            Some((_, Attached::Modem(_) | Attached::Text(_) | Attached::Driver(_))) | None => {}
        }
    }

    /// What is to be sent to the device by `now`, port by port; the tap has what a modem says.
    pub(super) fn take_output(&mut self, now: Instant, tap: &mut Tap) -> Vec<(PortId, Vec<u8>)> {
        let mut all = Vec::new();
        for (port, attached) in &mut self.attached {
            let output = match attached {
                Attached::Line(_, output) | Attached::Driver(output) => std::mem::take(output),
                Attached::Text(_) => continue,
                Attached::Modem(modem) => {
                    let output = modem.take_output(now);
                    modem.take_spoken().into_iter().for_each(|(at, spoken)| tap.spoken(at, spoken));
                    output
                }
                Attached::Ethernet(segment) => {
                    all.extend(std::iter::from_fn(|| segment.transmit(now)).map(|frame| (*port, frame)));
                    continue;
                }
            };
            all.extend((!output.is_empty()).then_some((*port, output)));
        }
        all
    }

    /// The run is over: on each line what began and never ended.
    pub(super) fn unfinished(&mut self) -> Vec<(PortId, Vec<u8>)> {
        let unfinished = |(port, attached): &mut (PortId, Attached)| match attached {
            Attached::Line(line, _) | Attached::Text(line) => match line.fall_silent() {
                Some(Heard::Noise(text)) => Some((*port, text)),
                _ => None,
            },
            Attached::Modem(_) | Attached::Ethernet(_) | Attached::Driver(_) => None,
        };
        self.attached.iter_mut().filter_map(unfinished).collect()
    }
}

/// The port that people type on.
fn console_of(chip: &Chip) -> Option<PortId> {
    chip.port_for(PortRole::Console).or_else(|| chip.bench_port())
}

#[cfg(test)]
mod tests;
