//! A modem of SIMCom's A7670 and SIM7600 series at the end of a serial line: AT commands one way, TCP/IP of its own into
//! the LAN the other way.
//!
//! Sans-IO and a function of time, as the [`Lan`](crate::Lan) is. Bytes of the device go in with an instant
//! ([`Modem::received`]), bytes for the device come out when they are due ([`Modem::take_output`]), packets of the LAN go
//! in ([`Modem::receive_packet`]) and out ([`Modem::transmit_packet`]), and [`Modem::poll_at`] says when to come back.
//! The socket is an ordinary TCP client with an address in the LAN: taps and faults see its packets like a device's.
//!
//! What it says is of the trace in source document 003 and of SIMCom's "SIM7500_SIM7600 Series AT Command Manual",
//! chapter "AT Commands for TCPIP"; how long it takes is of the trace (see `modem/latency.rs`).

mod behaviour;
mod command;
mod input;
mod latency;
mod socket;

use std::mem;
use std::net::IpAddr;

use clock::{Duration, Instant};
use wire::at::{Speaker, Spoken};

use crate::packet::Headers;

pub use behaviour::{Impossible, LostBytes, ModemBehaviour, ModemConfig, OnClose, OnData, OnOpen, OnSend, Stall};
use command::Command;
use input::{Input, Said};
use socket::{Opened, Socket};

/// The most bytes that wait for the device to take them. A device that asks without ever listening must not fill the
/// memory.
const OUTPUT_BYTES_MAX: usize = 64 * 1024;
/// The most that one CIPSEND or CIPRXGET moves, in bytes (SIMCom's manual, AT+CIPSEND and AT+CIPRXGET).
pub const TRANSFER_BYTES_MAX: u16 = 1_500;
/// Links are numbered from 0 to 9 (SIMCom's manual, AT+CIPOPEN).
const LINKS: u8 = 10;
/// The most of the conversation that is kept until it is taken, in entries.
const SPOKEN_MAX: usize = 65_536;

/// What the modem will do without being told again.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Later {
    /// A command has been understood: it is carried out and answered.
    Execute(Command),
    /// The network is open.
    NetworkOpened,
    /// The socket's connection stands, or does not.
    OpenResult { link: u8, error: u8 },
    /// Data has arrived.
    DataNotice,
    /// The peer has closed.
    CloseNotice,
    /// It has booted.
    Ready,
}

/// The modem.
pub struct Modem {
    config: ModemConfig,
    now: Instant,
    input: Input,
    /// What is to happen, in the order of its instants and then of its making.
    agenda: Vec<(Instant, Later)>,
    /// Nothing is said before this instant.
    stalled_until: Instant,
    socket: Socket,
    link: Option<u8>,
    is_network_open: bool,
    receives_manually: bool,
    echoes: bool,
    /// The device has been told that there is data, or is about to be.
    is_data_announced: bool,
    is_close_announced: bool,
    /// The peer has closed, and the device is told so only amid the next answer.
    close_is_held: bool,
    is_opening: bool,
    /// Bytes of the broker that the device has read, over all connections.
    delivered: u64,
    has_stalled: bool,
    has_lost_network: bool,
    has_reset: bool,
    /// It has been reset, and does not listen yet.
    is_booting: bool,
    prompts_withheld: u32,
    output: Vec<u8>,
    /// Bytes of data said so far, as the line's losses count them.
    data_said: u64,
    spoken: Vec<(Instant, Spoken)>,
}

impl Modem {
    /// A modem as `config` says, powered and registered, whose randomness comes from `seed`.
    pub fn new(config: ModemConfig, seed: u64) -> Self {
        let socket =
            Socket::new(config.address, config.gateway, config.prefix_bits, config.dns, config.mtu_bytes, seed);
        Self {
            config,
            now: Instant::ZERO,
            input: Input::default(),
            agenda: Vec::new(),
            stalled_until: Instant::ZERO,
            socket,
            link: None,
            is_network_open: false,
            receives_manually: false,
            echoes: true,
            is_data_announced: false,
            is_close_announced: false,
            close_is_held: false,
            is_opening: false,
            delivered: 0,
            has_stalled: false,
            has_lost_network: false,
            has_reset: false,
            is_booting: false,
            prompts_withheld: 0,
            output: Vec::new(),
            data_said: 0,
            spoken: Vec::new(),
        }
    }

    /// Whether an IP packet is for this modem.
    pub fn is_addressed_by(&self, packet: &[u8]) -> bool {
        Headers::parse(packet).is_some_and(|headers| headers.destination == IpAddr::V4(self.config.address))
    }

    /// Takes bytes that the device has sent on the serial line. Time up to `now` is settled first.
    pub fn received(&mut self, now: Instant, bytes: &[u8]) {
        self.poll(now);
        if !self.is_booting {
            self.input.hold(bytes);
        }
        self.read();
        self.step();
    }

    /// What is said to the device up to `now`.
    pub fn take_output(&mut self, now: Instant) -> Vec<u8> {
        self.poll(now);
        mem::take(&mut self.output)
    }

    /// Takes an IP packet of the LAN.
    pub fn receive_packet(&mut self, now: Instant, packet: &[u8]) {
        self.poll(now);
        self.socket.ingress(self.now, packet.to_vec());
        self.step();
    }

    /// The next packet for the LAN.
    pub fn transmit_packet(&mut self) -> Option<Vec<u8>> {
        self.socket.take_outgoing()
    }

    /// Settles everything that was to happen up to `now`, each thing at its own instant.
    pub fn poll(&mut self, now: Instant) {
        while let Some(deadline) = self.next_deadline().filter(|&deadline| deadline <= now) {
            self.now = self.now.max(deadline);
            self.step();
        }
        self.now = self.now.max(now);
    }

    /// When to call [`Modem::poll`] next; at once, while there is something to say or to send.
    pub fn poll_at(&mut self, now: Instant) -> Option<Instant> {
        if self.output.is_empty() && !self.socket.has_outgoing() { self.next_deadline() } else { Some(now) }
    }

    /// The AT conversation since this was last asked, each line with the instant at which it began.
    pub fn take_spoken(&mut self) -> Vec<(Instant, Spoken)> {
        mem::take(&mut self.spoken)
    }

    /// Always later than the instant settled last.
    fn next_deadline(&mut self) -> Option<Instant> {
        let agenda = self.agenda.iter().map(|(at, _)| (*at).max(self.stalled_until)).min();
        let soonest = self.now + latency::POLL_INTERVAL_MIN;
        let socket = self.socket.poll_at(self.now).map(|at| at.max(soonest));
        let agenda = agenda.map(|at| if at <= self.now { soonest } else { at });
        Instant::earliest(agenda, socket)
    }

    /// Everything that happens at one instant.
    fn step(&mut self) {
        self.socket.poll(self.now);
        self.watch_socket();
        while let Some(later) = self.take_due() {
            self.carry_out(later);
            self.socket.poll(self.now);
            self.watch_socket();
            self.read();
        }
    }

    fn take_due(&mut self) -> Option<Later> {
        if self.now < self.stalled_until {
            return None;
        }
        let due = self.agenda.iter().enumerate().filter(|(_, (at, _))| *at <= self.now);
        let (index, _) = due.min_by_key(|(index, (at, _))| (*at, *index))?;
        Some(self.agenda.remove(index).1)
    }

    fn plan(&mut self, after: Duration, later: Later) {
        self.agenda.push((self.now + after, later));
    }

    fn is_busy(&self) -> bool {
        self.agenda.iter().any(|(_, later)| matches!(later, Later::Execute(_)))
    }

    /// Reads what the device has sent, as far as the modem is not busy.
    fn read(&mut self) {
        while !self.is_busy() {
            let Some(said) = self.input.next() else { return };
            match said {
                Said::Line(line) => {
                    self.note(Speaker::Device, &line);
                    if self.echoes || self.config.behaviour.echoes {
                        let echo = [line.as_bytes(), b"\r"].concat();
                        self.utter(&echo);
                    }
                    let command = Command::parse(&line);
                    let after = latency::of(&command);
                    if matches!(command, Command::Read { .. }) && mem::take(&mut self.close_is_held) {
                        self.plan(latency::CLOSE_BEFORE_ANSWER, Later::CloseNotice);
                    }
                    self.plan(after, Later::Execute(command));
                }
                Said::Data { link, bytes } => {
                    self.note_data(Speaker::Device, &bytes);
                    self.plan(latency::SEND, Later::Execute(Command::Data { link, bytes }));
                }
                Said::Aborted => self.say("ERROR"),
            }
        }
    }

    fn carry_out(&mut self, later: Later) {
        match later {
            Later::Execute(command) => self.execute(command),
            Later::NetworkOpened => {
                self.is_network_open = true;
                self.say("+NETOPEN: 0");
            }
            Later::OpenResult { link, error } => self.say(&format!("+CIPOPEN: {link},{error}")),
            Later::DataNotice => {
                if let (Some(link), true) = (self.link, self.receives_manually) {
                    self.say(&format!("+CIPRXGET: 1,{link}"));
                    if self.config.behaviour.on_data == OnData::TellsTwice {
                        self.say(&format!("+CIPRXGET: 1,{link}"));
                    }
                }
            }
            Later::CloseNotice => {
                if let Some(link) = self.link {
                    self.say(&format!("+IPCLOSE: {link},1"));
                }
            }
            Later::Ready => {
                self.is_booting = false;
                for line in ["*ATREADY: 1", "+CPIN: READY", "SMS DONE", "PB DONE"] {
                    self.say(line);
                }
            }
        }
    }

    fn execute(&mut self, command: Command) {
        match command {
            Command::Attention | Command::DefineContext => self.say("OK"),
            Command::Echo(on) => {
                self.echoes = on;
                self.say("OK");
            }
            Command::Pin => self.answer("+CPIN: READY"),
            Command::SignalQuality => self.answer("+CSQ: 21,99"),
            Command::Registration { packet_domain: false } => self.answer("+CREG: 0,1"),
            Command::Registration { packet_domain: true } => self.answer("+CGREG: 0,1"),
            Command::IsNetworkOpen => self.answer(&format!("+NETOPEN: {}", u8::from(self.is_network_open))),
            Command::OpenNetwork if self.is_network_open => self.refuse("+IP ERROR: Network is already opened"),
            Command::OpenNetwork => {
                self.say("OK");
                self.plan(latency::NETWORK_OPENS, Later::NetworkOpened);
            }
            Command::CloseNetwork => {
                self.hang_up();
                self.is_network_open = false;
                self.say("OK");
                self.say("+NETCLOSE: 0");
            }
            Command::Address => self.answer(&format!("+IPADDR: {}", self.config.address)),
            Command::ReceiveManually(manually) => {
                self.receives_manually = manually;
                self.say("OK");
            }
            Command::Open { link, host, port } => self.open(link, &host, port),
            Command::Send { link, bytes } => self.prompt(link, bytes),
            Command::Data { link, bytes } => self.send(link, &bytes),
            Command::Read { link, bytes } => self.deliver(link, bytes),
            Command::HowMuch { link } => {
                if self.link == Some(link) {
                    self.answer(&format!("+CIPRXGET: 4,{link},{}", self.socket.waiting_bytes()));
                } else {
                    self.refuse("+IP ERROR: No data");
                }
            }
            Command::Close { link } if self.link == Some(link) => {
                self.hang_up();
                self.say("OK");
                self.say(&format!("+CIPCLOSE: {link},0"));
            }
            // 4: operation not supported (SIMCom's manual, "Description of <err>").
            Command::Close { link } => self.refuse(&format!("+CIPCLOSE: {link},4")),
            Command::Unknown => self.say("ERROR"),
        }
    }

    fn open(&mut self, link: u8, host: &str, port: u16) {
        if self.config.behaviour.on_open == OnOpen::Error {
            return self.say("ERROR");
        }
        // 2: network not opened. 8: busy. (SIMCom's manual, "Description of <err>".)
        if !self.is_network_open {
            return self.refuse(&format!("+CIPOPEN: {link},2"));
        }
        let is_taken = self.has_reset && link < self.config.behaviour.links_taken_after_reset;
        if self.link.is_some() || is_taken {
            return self.refuse(&format!("+CIPOPEN: {link},8"));
        }
        self.link = Some(link);
        self.is_opening = true;
        self.is_data_announced = false;
        self.is_close_announced = false;
        self.close_is_held = false;
        self.say("OK");
        if self.config.behaviour.on_open == OnOpen::Connects {
            self.socket.open(host, port);
        }
    }

    /// Asks for the data of a CIPSEND.
    fn prompt(&mut self, link: u8, bytes: u16) {
        let is_too_much = bytes == 0 || bytes > self.config.behaviour.send_bytes_max;
        if self.link != Some(link) || self.is_opening || is_too_much {
            return self.refuse(&format!("+CIPERROR: {}", if is_too_much { 3 } else { 2 }));
        }
        self.input.expect(link, usize::from(bytes));
        let withheld = u32::from(self.config.behaviour.on_send == OnSend::NoPrompt);
        if self.prompts_withheld < withheld {
            self.prompts_withheld += 1;
            return;
        }
        self.note(Speaker::Modem, ">");
        self.utter(b"\r\n>");
    }

    fn send(&mut self, link: u8, bytes: &[u8]) {
        if self.link != Some(link) {
            return self.refuse("+CIPERROR: 2");
        }
        let most = match self.config.behaviour.on_send {
            OnSend::TakesAtMost(most) => usize::from(most),
            OnSend::Takes | OnSend::NoPrompt => usize::MAX,
        };
        let taken = self.socket.send(bytes.get(..most.min(bytes.len())).unwrap_or(bytes));
        if self.socket.is_closed() {
            return self.refuse(&format!("+CIPSEND: {link},{},-1", bytes.len()));
        }
        self.say("OK");
        self.say(&format!("+CIPSEND: {link},{},{taken}", bytes.len()));
    }

    /// Answers AT+CIPRXGET=2.
    fn deliver(&mut self, link: u8, bytes_max: u16) {
        let bytes_max = bytes_max.min(self.config.behaviour.read_bytes_max);
        let data = if self.link == Some(link) { self.socket.read(usize::from(bytes_max)) } else { Vec::new() };
        if data.is_empty() {
            self.is_data_announced = false;
            return self.refuse("+IP ERROR: No data");
        }
        let left = self.socket.waiting_bytes();
        if left == 0 {
            self.is_data_announced = false;
        }
        let head = format!("+CIPRXGET: 2,{link},{},{left}", data.len());
        self.note(Speaker::Modem, &head);
        self.note_data(Speaker::Modem, &data);
        self.utter(format!("\r\n{head}\r\n").as_bytes());
        let passed = self.through_the_line(&data);
        self.utter(&passed);
        self.utter(b"\r\n");
        self.say("OK");
        self.delivered += data.len() as u64;
        self.misbehave_when_due();
    }

    /// Whether the bytes read so far are enough for what was planned to go wrong.
    fn misbehave_when_due(&mut self) {
        let delivered = self.delivered;
        let is_due = |after: Option<u32>| after.is_some_and(|after| delivered >= u64::from(after));
        if let Some(stall) = self.config.behaviour.stall
            && is_due(Some(stall.after_bytes))
            && !mem::replace(&mut self.has_stalled, true)
        {
            self.stalled_until = self.now + Duration::from_millis(stall.ms.into());
        }
        if is_due(self.config.behaviour.network_closes_after_bytes) && !mem::replace(&mut self.has_lost_network, true) {
            self.hang_up();
            self.is_network_open = false;
            self.say("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY");
        }
        if is_due(self.config.behaviour.resets_after_bytes) && !mem::replace(&mut self.has_reset, true) {
            self.socket.vanish();
            self.link = None;
            self.is_network_open = false;
            self.receives_manually = false;
            self.echoes = true;
            self.input = Input::default();
            self.agenda.clear();
            self.is_booting = true;
            self.plan(latency::BOOTS, Later::Ready);
        }
    }

    fn hang_up(&mut self) {
        self.socket.close();
        self.link = None;
        self.is_opening = false;
    }

    /// Notices what has become of the socket.
    fn watch_socket(&mut self) {
        let Some(link) = self.link else { return };
        if self.is_opening {
            if let Some(opened) = self.socket.opened() {
                self.is_opening = false;
                // 10: timeout. 11: DNS parse failed. 1: network failure. (SIMCom's manual, "Description of <err>".)
                let error = match opened {
                    Opened::Connected => 0,
                    Opened::Refused => 1,
                    Opened::TimedOut => 10,
                    Opened::NoSuchName => 11,
                };
                if error != 0 {
                    self.link = None;
                }
                self.plan(latency::OPEN_RESULT, Later::OpenResult { link, error });
            }
            return;
        }
        if self.socket.waiting_bytes() > 0 && !self.is_data_announced {
            self.is_data_announced = true;
            if self.config.behaviour.on_data != OnData::Silence {
                self.plan(latency::DATA_NOTICE, Later::DataNotice);
            }
        }
        if self.socket.is_closed_by_peer() && !self.is_close_announced {
            self.is_close_announced = true;
            match self.config.behaviour.on_close {
                OnClose::BeforeAnAnswer if self.socket.waiting_bytes() > 0 => self.close_is_held = true,
                OnClose::Tells | OnClose::BeforeAnAnswer => self.plan(latency::CLOSE_NOTICE, Later::CloseNotice),
            }
        }
    }

    /// An information text and OK.
    fn answer(&mut self, text: &str) {
        self.say(text);
        self.say("OK");
    }

    /// An information text and ERROR.
    fn refuse(&mut self, text: &str) {
        self.say(text);
        self.say("ERROR");
    }

    /// A line of the modem's, between the CR and LF of ITU-T V.250 §5.7.1.
    fn say(&mut self, line: &str) {
        self.note(Speaker::Modem, line);
        self.utter(format!("\r\n{line}\r\n").as_bytes());
    }

    fn utter(&mut self, bytes: &[u8]) {
        if self.output.len() + bytes.len() <= OUTPUT_BYTES_MAX {
            self.output.extend_from_slice(bytes);
        }
    }

    /// What a line that loses bytes leaves of data.
    fn through_the_line(&mut self, data: &[u8]) -> Vec<u8> {
        let first = self.data_said;
        self.data_said += data.len() as u64;
        let Some(lost) = self.config.behaviour.loses else { return data.to_vec() };
        let lost = u64::from(lost.at_byte)..u64::from(lost.at_byte) + u64::from(lost.count);
        let passed = (first..).zip(data).filter(|(at, _)| !lost.contains(at));
        passed.map(|(_, byte)| *byte).collect()
    }

    fn note(&mut self, by: Speaker, line: &str) {
        self.keep(Spoken { by, is_data: false, bytes: line.as_bytes().to_vec() });
    }

    fn note_data(&mut self, by: Speaker, data: &[u8]) {
        self.keep(Spoken { by, is_data: true, bytes: data.to_vec() });
    }

    fn keep(&mut self, spoken: Spoken) {
        if self.spoken.len() < SPOKEN_MAX {
            self.spoken.push((self.now, spoken));
        }
    }
}
