//! The modem against a LAN with a service behind it: the conversation of source document 003, and what goes wrong in it.

use std::net::{Ipv4Addr, SocketAddr};

use clock::{Duration, Instant};
use network::{
    Action, Close, ConnectionId, Dns, Lan, LanConfig, Listener, LostBytes, Modem, ModemConfig, OnClose, OnData, OnOpen,
    OnSend, Service, Stall,
};
use wire::at::Speaker;

const BROKER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);
const PORT: u16 = 8883;

/// Answers every message with the same bytes, and closes after that if it is told to.
struct Answers {
    answer: Vec<u8>,
    closes: bool,
    heard: Vec<u8>,
    todo: Vec<Action>,
}

impl Answers {
    fn new(answer: &[u8], closes: bool) -> Self {
        Self { answer: answer.to_vec(), closes, heard: Vec::new(), todo: Vec::new() }
    }
}

impl Service for Answers {
    fn connected(&mut self, _: Instant, _: ConnectionId, _: SocketAddr, _: SocketAddr) {}

    fn received(&mut self, _: Instant, _: ConnectionId, bytes: &[u8]) {
        self.heard.extend(bytes);
        self.todo = vec![Action::Send(self.answer.clone())];
        if self.closes {
            self.todo.push(Action::Fin);
        }
    }

    fn peer_closed(&mut self, _: Instant, _: ConnectionId, _: Close) {}

    fn poll(&mut self, _: Instant, _: ConnectionId) -> Option<Action> {
        (!self.todo.is_empty()).then(|| self.todo.remove(0))
    }

    fn poll_at(&self, _: Instant) -> Option<Instant> {
        None
    }
}

/// A device's second UART: it sends what it is told to and keeps what it hears.
struct Bench {
    modem: Modem,
    lan: Lan<Answers>,
    now: Instant,
    heard: Vec<u8>,
}

impl Bench {
    fn new(change: impl FnOnce(&mut ModemConfig), service: Answers) -> Self {
        let resolver = Ipv4Addr::new(192, 0, 2, 53);
        let mut config = ModemConfig::new(Ipv4Addr::new(192, 0, 2, 3), 24, Ipv4Addr::new(192, 0, 2, 1), resolver);
        change(&mut config);
        let lan = LanConfig {
            addresses: vec![BROKER.into()],
            listeners: vec![Listener::service(PORT)],
            dns: Some(Dns::new(vec![resolver.into()]).with("broker.test", vec![BROKER.into()])),
            ..LanConfig::default()
        };
        Self {
            modem: Modem::new(config, 0x5eed),
            lan: Lan::new(lan, 0x5eed, service),
            now: Instant::ZERO,
            heard: Vec::new(),
        }
    }

    /// Lets `for_ms` pass; returns what the modem has said meanwhile.
    fn listen(&mut self, for_ms: u64) -> String {
        let until = self.now + Duration::from_millis(for_ms);
        loop {
            while let Some(packet) = self.modem.transmit_packet() {
                self.lan.receive(self.now, &packet);
            }
            self.lan.poll(self.now);
            while let Some(packet) = self.lan.transmit() {
                self.modem.receive_packet(self.now, &packet);
            }
            self.heard.extend(self.modem.take_output(self.now));
            let next = Instant::earliest(self.lan.poll_at(self.now), self.modem.poll_at(self.now));
            match next.filter(|next| *next <= until) {
                Some(next) => self.now = self.now.max(next),
                None => break,
            }
            self.modem.poll(self.now);
        }
        self.now = until;
        String::from_utf8_lossy(&std::mem::take(&mut self.heard)).into_owned()
    }

    fn say(&mut self, bytes: &[u8], for_ms: u64) -> String {
        self.modem.received(self.now, bytes);
        self.listen(for_ms)
    }

    /// The commands of the document up to an open connection.
    fn connect(&mut self) {
        assert_eq!(self.say(b"AT\r", 50), "AT\r\r\nOK\r\n");
        assert_eq!(self.say(b"ATE0\r", 50), "ATE0\r\r\nOK\r\n");
        assert_eq!(self.say(b"AT+NETOPEN?\r", 50), "\r\n+NETOPEN: 0\r\n\r\nOK\r\n");
        assert_eq!(self.say(b"AT+NETOPEN\r", 500), "\r\nOK\r\n\r\n+NETOPEN: 0\r\n");
        assert_eq!(self.say(b"AT+CIPRXGET=1\r", 50), "\r\nOK\r\n");
        let answer = self.say(b"AT+CIPOPEN=0,\"TCP\",\"broker.test\",8883\r", 200);
        assert_eq!(answer, "\r\nOK\r\n\r\n+CIPOPEN: 0,0\r\n");
    }

    fn send(&mut self, data: &[u8]) -> String {
        assert_eq!(self.say(format!("AT+CIPSEND=0,{}\r", data.len()).as_bytes(), 50), "\r\n>");
        self.say(data, 20)
    }
}

#[test]
fn the_trace_of_the_document_is_reproduced() {
    // Bytes 17 03 03 00 1c are the first of the 64 that wait; what follows is 59 more.
    let mut answer = vec![0x17, 3, 3, 0, 0x1c];
    answer.extend([b'x'; 59]);
    let mut bench = Bench::new(|_| {}, Answers::new(&answer, true));
    bench.connect();
    // "17 03 03 00 48 …" and the Ctrl-Z that esp-protocols' example sends after the data.
    assert_eq!(bench.send(&[0x17; 77]), "\r\nOK\r\n\r\n+CIPSEND: 0,77,77\r\n");
    bench.modem.received(bench.now, &[0x1a]);
    assert_eq!(bench.listen(10), "\r\n+CIPRXGET: 1,0\r\n");
    // The close comes between the command and its answer, as at 6666 ms in the trace.
    let heard = bench.say(b"AT+CIPRXGET=2,0,5\r", 100);
    assert_eq!(heard, "\r\n+IPCLOSE: 0,1\r\n\r\n+CIPRXGET: 2,0,5,59\r\n\u{17}\u{3}\u{3}\0\u{1c}\r\n\r\nOK\r\n");
    // What is left can still be had.
    assert_eq!(bench.say(b"AT+CIPRXGET=4,0\r", 50), "\r\n+CIPRXGET: 4,0,59\r\n\r\nOK\r\n");
    let rest = bench.say(b"AT+CIPRXGET=2,0,100\r", 50);
    assert_eq!(rest, format!("\r\n+CIPRXGET: 2,0,59,0\r\n{}\r\n\r\nOK\r\n", "x".repeat(59)));
    assert_eq!(bench.say(b"AT+CIPCLOSE=0\r", 50), "\r\nOK\r\n\r\n+CIPCLOSE: 0,0\r\n");
    assert_eq!(bench.lan.service().heard, [0x17; 77]);
    let spoken = bench.modem.take_spoken();
    let mut of_modem = spoken.iter().map(|(_, spoken)| spoken).filter(|spoken| spoken.by == Speaker::Modem);
    let data = of_modem.find(|spoken| spoken.is_data).expect("the modem gave data");
    assert_eq!(data.bytes, [0x17, 3, 3, 0, 0x1c]);
}

#[test]
fn data_may_hold_what_looks_like_an_answer() {
    let mut bench = Bench::new(|_| {}, Answers::new(b"\r\nOK\r\n>+IPCLOSE: 0,1\r\n", false));
    bench.connect();
    // ESC and Ctrl-Z amid data of a known length are data.
    assert_eq!(bench.send(b"a\x1a\x1bb"), "\r\nOK\r\n\r\n+CIPSEND: 0,4,4\r\n");
    bench.listen(50);
    assert_eq!(bench.lan.service().heard, b"a\x1a\x1bb");
    let answer = bench.say(b"AT+CIPRXGET=2,0,1500\r", 50);
    assert_eq!(answer, "\r\n+CIPRXGET: 2,0,22,0\r\n\r\nOK\r\n>+IPCLOSE: 0,1\r\n\r\n\r\nOK\r\n");
}

#[test]
fn notices_of_data_go_missing_or_come_twice() {
    for (on_data, notice) in
        [(OnData::Silence, ""), (OnData::TellsTwice, "\r\n+CIPRXGET: 1,0\r\n\r\n+CIPRXGET: 1,0\r\n")]
    {
        let mut bench = Bench::new(|config| config.behaviour.on_data = on_data, Answers::new(b"pong", false));
        bench.connect();
        bench.send(b"ping");
        assert_eq!(bench.listen(100), notice);
        assert_eq!(bench.say(b"AT+CIPRXGET=4,0\r", 50), "\r\n+CIPRXGET: 4,0,4\r\n\r\nOK\r\n");
    }
}

#[test]
fn a_close_can_be_kept_for_the_next_answer() {
    let change = |config: &mut ModemConfig| config.behaviour.on_close = OnClose::BeforeAnAnswer;
    let mut bench = Bench::new(change, Answers::new(b"pong", true));
    bench.connect();
    bench.send(b"ping");
    assert_eq!(bench.listen(5_000), "\r\n+CIPRXGET: 1,0\r\n");
    let answer = bench.say(b"AT+CIPRXGET=2,0,4\r", 100);
    assert_eq!(answer, "\r\n+IPCLOSE: 0,1\r\n\r\n+CIPRXGET: 2,0,4,0\r\npong\r\n\r\nOK\r\n");
}

#[test]
fn what_cannot_be_opened_says_why() {
    let open = b"AT+CIPOPEN=0,\"TCP\",\"broker.test\",8883\r";
    let mut bench = Bench::new(|_| {}, Answers::new(b"", false));
    // 2: network not opened; 11: DNS parse failed; 1: network failure (SIMCom's manual, "Description of <err>").
    assert_eq!(bench.say(b"ATE0\r", 50), "ATE0\r\r\nOK\r\n");
    assert_eq!(bench.say(open, 50), "\r\n+CIPOPEN: 0,2\r\n\r\nERROR\r\n");
    bench.say(b"AT+NETOPEN\r", 500);
    let unknown = bench.say(b"AT+CIPOPEN=0,\"TCP\",\"nobody.test\",8883\r", 500);
    assert_eq!(unknown, "\r\nOK\r\n\r\n+CIPOPEN: 0,11\r\n");
    let closed = bench.say(b"AT+CIPOPEN=0,\"TCP\",\"192.0.2.10\",1\r", 500);
    assert_eq!(closed, "\r\nOK\r\n\r\n+CIPOPEN: 0,1\r\n");
    let mut bench = Bench::new(|config| config.behaviour.on_open = OnOpen::Error, Answers::new(b"", false));
    bench.say(b"ATE0\rAT+NETOPEN\r", 500);
    assert_eq!(bench.say(open, 50), "\r\nERROR\r\n");
}

#[test]
fn sending_is_limited_partial_or_not_asked_for() {
    let mut bench = Bench::new(|config| config.behaviour.on_send = OnSend::TakesAtMost(3), Answers::new(b"", false));
    bench.connect();
    assert_eq!(bench.send(b"hello"), "\r\nOK\r\n\r\n+CIPSEND: 0,5,3\r\n");
    assert_eq!(bench.say(b"AT+CIPSEND=0,1501\r", 50), "\r\n+CIPERROR: 3\r\n\r\nERROR\r\n");
    bench.listen(50);
    assert_eq!(bench.lan.service().heard, b"hel");
    let mut bench = Bench::new(|config| config.behaviour.on_send = OnSend::NoPrompt, Answers::new(b"", false));
    bench.connect();
    assert_eq!(bench.say(b"AT+CIPSEND=0,2\r", 5_000), "");
    // ESC takes it back; the second time, the prompt comes.
    assert_eq!(bench.say(b"\x1b", 50), "\r\nERROR\r\n");
    assert_eq!(bench.send(b"hi"), "\r\nOK\r\n\r\n+CIPSEND: 0,2,2\r\n");
}

#[test]
fn a_modem_stalls_loses_bytes_its_network_and_itself() {
    let stall = Stall { after_bytes: 4, ms: 30_000 };
    let mut bench = Bench::new(|config| config.behaviour.stall = Some(stall), Answers::new(b"pongpong", false));
    bench.connect();
    bench.send(b"ping");
    bench.listen(50);
    bench.say(b"AT+CIPRXGET=2,0,4\r", 50);
    assert_eq!(bench.say(b"AT+CIPRXGET=2,0,4\r", 29_900), "");
    assert_eq!(bench.listen(200), "\r\n+CIPRXGET: 2,0,4,0\r\npong\r\n\r\nOK\r\n");

    let loses = LostBytes { at_byte: 1, count: 2 };
    let mut bench = Bench::new(|config| config.behaviour.loses = Some(loses), Answers::new(b"pong", false));
    bench.connect();
    bench.send(b"ping");
    bench.listen(50);
    assert_eq!(bench.say(b"AT+CIPRXGET=2,0,4\r", 50), "\r\n+CIPRXGET: 2,0,4,0\r\npg\r\n\r\nOK\r\n");

    let change = |config: &mut ModemConfig| config.behaviour.network_closes_after_bytes = Some(4);
    let mut bench = Bench::new(change, Answers::new(b"pongpong", false));
    bench.connect();
    bench.send(b"ping");
    bench.listen(50);
    let answer = bench.say(b"AT+CIPRXGET=2,0,4\r", 50);
    assert!(answer.ends_with("OK\r\n\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n"), "{answer:?}");
    assert_eq!(bench.say(b"AT+CIPRXGET=2,0,4\r", 50), "\r\n+IP ERROR: No data\r\n\r\nERROR\r\n");

    let change = |config: &mut ModemConfig| {
        config.behaviour.resets_after_bytes = Some(4);
        config.behaviour.links_taken_after_reset = 1;
    };
    let mut bench = Bench::new(change, Answers::new(b"pongpong", false));
    bench.connect();
    bench.send(b"ping");
    bench.listen(50);
    bench.say(b"AT+CIPRXGET=2,0,4\r", 50);
    assert_eq!(bench.listen(10_000), "\r\n*ATREADY: 1\r\n\r\n+CPIN: READY\r\n\r\nSMS DONE\r\n\r\nPB DONE\r\n");
    bench.say(b"ATE0\rAT+NETOPEN\r", 500);
    assert_eq!(bench.say(b"AT+CIPOPEN=0,\"TCP\",\"192.0.2.10\",8883\r", 100), "\r\n+CIPOPEN: 0,8\r\n\r\nERROR\r\n");
    let other = bench.say(b"AT+CIPOPEN=1,\"TCP\",\"192.0.2.10\",8883\r", 100);
    assert_eq!(other, "\r\nOK\r\n\r\n+CIPOPEN: 1,0\r\n");
}

#[test]
fn a_device_that_babbles_or_never_listens_fills_no_memory() {
    let mut bench = Bench::new(|_| {}, Answers::new(b"", false));
    let mut chance = 1_u32;
    for round in 0..2_000_u64 {
        let noise: Vec<u8> = (0..64)
            .map(|_| {
                chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // Often enough a command line ends.
                if chance >> 28 == 0 { b'\r' } else { (chance >> 24) as u8 }
            })
            .collect();
        bench.modem.received(Instant::from_millis(10 * round), &noise);
    }
    assert!(bench.modem.take_output(Instant::from_millis(20_000)).len() <= 64 * 1024);
}
