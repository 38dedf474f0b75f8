//! One client's connection: from the bytes of TCP through an engine to the MQTT session, and back.

mod hello;

use crate::Shared;
use crate::client_hello_buffer::{Arrival, ClientHelloBuffer};
use crate::engine::{Engine, Plain, Progress};
use crate::event::{Event, Happening, Secured};
use crate::outbox::Outbox;
use crate::session::{ClientIdentity, Reply, Session};
use crate::tls::ConnectionRng;
use crate::watch::{Moments, Watch};
use clock::{Duration, Instant};
use network::{Action, Close, Direction, Trigger};
use scenario::broker::{Broker, Goodbye, OnAccept, OnFinished, OnServerFlight, Packing};
use std::net::SocketAddr;
use std::sync::Arc;
use wire::tls::{Alert, ProtocolVersion};

/// The most events that a connection keeps until they are taken.
const EVENTS_MAX: usize = 4_096;

/// One client's connection.
pub struct Connection {
    shared: Arc<Shared>,
    script: Arc<Broker>,
    number: u32,
    stage: Stage,
    identity: ClientIdentity,
    outbox: Outbox,
    /// What the client says no longer reaches anybody.
    ignores_input: bool,
    /// The next bytes of the engine are the broker's first flight.
    is_first_flight: bool,
    events: Vec<Event>,
    /// Where the network is going to cut the connection, if it is.
    watch: Option<Box<Watch>>,
}

enum Stage {
    /// A ClientHello is awaited.
    ClientHello { buffer: Box<ClientHelloBuffer>, rng: Box<ConnectionRng> },
    /// An engine is at work.
    Engine { engine: Box<dyn Engine>, session: Option<Box<Session>> },
    /// Neither: the broker has closed, or has fallen silent.
    Over,
}

impl Connection {
    pub(crate) fn accept(
        shared: Arc<Shared>,
        script: Arc<Broker>,
        number: u32,
        rng: ConnectionRng,
        now: Instant,
        peer: SocketAddr,
    ) -> Self {
        let stage = if script.tls {
            Stage::ClientHello { buffer: Box::new(ClientHelloBuffer::new()), rng: Box::new(rng) }
        } else {
            Stage::Engine { engine: Box::new(Plain::new()), session: None }
        };
        let mut connection = Self {
            shared,
            script,
            number,
            stage,
            identity: ClientIdentity::default(),
            outbox: Outbox::default(),
            ignores_input: false,
            is_first_flight: true,
            events: Vec::new(),
            watch: None,
        };
        connection.tell(now, Happening::Accepted { peer });
        connection.on_accept(now);
        connection.serve(now);
        connection
    }

    /// Takes bytes of the device.
    pub fn received(&mut self, now: Instant, bytes: &[u8]) {
        if self.ignores_input {
            return;
        }
        let Some(watch) = self.watch.as_mut().filter(|_| self.script.tls) else {
            return self.deliver(now, bytes);
        };
        let passage = watch.pass(Direction::FromDevice, bytes);
        if !passage.passed.is_empty() {
            self.deliver(now, &passage.passed);
        }
        if let Some((moment, last)) = passage.reached {
            // What is said to the last message does not reach the device any more.
            self.reach(now, moment);
            self.deliver(now, &last);
            self.ignores_input = true;
        }
    }

    /// The network will cut the connection at these moments: nothing is done beyond them.
    pub fn watch(&mut self, moments: &[Trigger]) {
        self.watch = Some(Box::new(Watch::new(moments)));
        if let Stage::Engine { session: Some(session), .. } = &mut self.stage {
            session.watch(Moments::new(moments));
        }
    }

    /// The moment has come at which the network cuts the connection.
    fn reach(&mut self, now: Instant, moment: Trigger) {
        self.outbox.reach(now, moment);
    }

    fn deliver(&mut self, now: Instant, bytes: &[u8]) {
        match &mut self.stage {
            Stage::ClientHello { buffer, .. } => match buffer.received(bytes) {
                Arrival::Incomplete => {}
                Arrival::Hello(hello) => self.answer_hello(now, hello.as_deref()),
                Arrival::NotTls => self.answer_no_hello(now),
            },
            Stage::Engine { engine, .. } => engine.received(self.shared.date.at(now), bytes),
            Stage::Over => {}
        }
        self.serve(now);
    }

    /// The device has ended its side.
    pub fn peer_closed(&mut self, now: Instant, how: Close) {
        self.tell(now, Happening::DeviceClosed { how });
        if let Stage::Engine { session: Some(session), .. } = &mut self.stage {
            let replies = session.lost();
            self.enact(now, replies);
        }
        match how {
            Close::Fin if !self.outbox.is_shut() => self.fin(now, "the device has closed its side"),
            Close::Fin => {}
            Close::Reset => self.outbox.abandon(),
        }
        self.stage = Stage::Over;
        self.ignores_input = true;
    }

    /// The next thing to do to the TCP connection, if its time has come. To be asked until it gives `None`.
    pub fn poll(&mut self, now: Instant) -> Option<Action> {
        if let Stage::Engine { session: Some(session), .. } = &mut self.stage
            && !self.ignores_input
        {
            let replies = session.poll(now);
            self.enact(now, replies);
        }
        self.outbox.pop(now)
    }

    /// When [`Self::poll`] will have something to do, if no bytes come before.
    pub fn poll_at(&self) -> Option<Instant> {
        let session = match &self.stage {
            Stage::Engine { session: Some(session), .. } if !self.ignores_input => session.poll_at(),
            _ => None,
        };
        Instant::earliest(session, self.outbox.next_at())
    }

    /// What has happened since this was asked last.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// The connection's number, counted from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    fn on_accept(&mut self, now: Instant) {
        let script = Arc::clone(&self.script);
        let Some(misbehaviour) = &script.on_accept else { return };
        match misbehaviour {
            OnAccept::Fin => {
                self.tell(now, Happening::Misbehaves("the connection is closed as soon as it is accepted"));
                self.fin(now, "the scenario says so");
            }
            OnAccept::Reset => {
                self.tell(now, Happening::Misbehaves("the connection is reset as soon as it is accepted"));
                self.reset(now, "the scenario says so");
            }
            OnAccept::Silence => {
                self.tell(now, Happening::Misbehaves("nothing is ever said"));
                self.go_silent();
            }
            OnAccept::Speaks(text) => {
                self.tell(now, Happening::Misbehaves("the broker speaks first"));
                self.outbox.send(now, text.clone().into_bytes());
            }
        }
    }

    /// Passes on what the engine has, until it has nothing more.
    fn serve(&mut self, now: Instant) {
        self.flush(now);
        while let Stage::Engine { engine, .. } = &mut self.stage {
            let progress = engine.take_progress();
            if progress.is_empty() {
                break;
            }
            for step in progress {
                self.step(now, step);
            }
        }
        self.pass_data(now);
    }

    fn step(&mut self, now: Instant, step: Progress) {
        if self.ignores_input {
            return;
        }
        match step {
            Progress::Open(secured) => {
                if let Some(secured) = secured {
                    self.introduce(&secured);
                    self.tell(now, Happening::Secured(secured));
                    self.on_finished(now);
                }
                self.open_session();
                self.pass_data(now);
            }
            Progress::Failed { alert, why } => {
                self.pass_data(now);
                self.tell(now, Happening::TlsFailed { alert, why });
                self.flush(now);
                self.lose_session(now);
                self.fin(now, "TLS has failed");
            }
            Progress::CloseNotify => {
                self.pass_data(now);
                self.tell(now, Happening::CloseNotify);
                self.lose_session(now);
                if !self.outbox.is_shut() {
                    self.goodbye(now, "the device said goodbye");
                }
            }
        }
    }

    fn introduce(&mut self, secured: &Secured) {
        let certificate = secured.client_certificates.first();
        let tls = self.shared.tls.as_ref();
        self.identity.common_name =
            certificate.zip(tls).and_then(|(certificate, tls)| tls.common_name(certificate)).map(str::to_owned);
    }

    fn open_session(&mut self) {
        let (shared, script) = (Arc::clone(&self.shared), Arc::clone(&self.script));
        if let Stage::Engine { session, .. } = &mut self.stage {
            let identity = self.identity.clone();
            let mut opened = Session::new(shared, script, self.number, identity);
            if let Some(watch) = &self.watch {
                opened.watch(watch.moments.clone());
            }
            *session = Some(Box::new(opened));
        }
    }

    fn lose_session(&mut self, now: Instant) {
        if let Stage::Engine { session: Some(session), .. } = &mut self.stage {
            let replies = session.lost();
            self.enact(now, replies);
        }
    }

    /// What the engine has decrypted goes to the session, and the session's answers back.
    fn pass_data(&mut self, now: Instant) {
        if self.ignores_input {
            return;
        }
        if let Stage::Engine { engine, session: Some(session) } = &mut self.stage {
            let data = engine.take_data();
            if !data.is_empty() {
                let replies = session.received(now, &data);
                self.enact(now, replies);
            }
        }
    }

    fn enact(&mut self, now: Instant, replies: Vec<Reply>) {
        let mut together = Vec::new();
        for reply in replies {
            match reply {
                Reply::Tell(happening) => self.tell(now, happening),
                Reply::Reached(moment) => {
                    self.say(now, &std::mem::take(&mut together));
                    self.reach(now, moment);
                    self.ignores_input = true;
                }
                Reply::Packet(bytes) => match self.script.mqtt.packing {
                    Packing::OnePacketPerRecord => self.say(now, &bytes),
                    Packing::OneBytePerRecord => bytes.iter().for_each(|byte| self.say(now, &[*byte])),
                    Packing::Together => together.extend_from_slice(&bytes),
                },
                Reply::Pause(pause) => {
                    self.say(now, &std::mem::take(&mut together));
                    self.outbox.hold(now, pause);
                }
                Reply::Close(why) => {
                    self.say(now, &std::mem::take(&mut together));
                    self.goodbye(now, why);
                }
                Reply::Silence => {
                    self.say(now, &std::mem::take(&mut together));
                    self.go_silent();
                }
            }
        }
        self.say(now, &together);
    }

    fn say(&mut self, now: Instant, bytes: &[u8]) {
        if let Stage::Engine { engine, .. } = &mut self.stage
            && !bytes.is_empty()
        {
            engine.say(bytes);
            self.flush(now);
        }
    }

    fn on_finished(&mut self, now: Instant) {
        let script = Arc::clone(&self.script);
        let Some(misbehaviour) = &script.on_finished else { return };
        let Stage::Engine { engine, .. } = &mut self.stage else { return };
        match misbehaviour {
            OnFinished::EmptyRecords(count) => {
                (0..(*count).min(MANY)).for_each(|_| engine.empty_record());
                self.misbehave(now, "empty records are sent");
            }
            OnFinished::KeyUpdates(count) => {
                (0..(*count).min(MANY)).for_each(|_| engine.update_keys());
                self.misbehave(now, "keys are updated");
            }
            OnFinished::HelloRequest => {
                engine.renegotiate();
                self.misbehave(now, "a new handshake is asked for");
            }
            OnFinished::Alert(alert) => {
                engine.alert(alert.0);
                self.misbehave(now, "a fatal alert follows the handshake");
                self.fin(now, "the scenario says so");
            }
            OnFinished::CloseNotify => {
                engine.close_notify();
                self.misbehave(now, "a goodbye follows the handshake");
                self.fin(now, "the scenario says so");
            }
            OnFinished::Fin => {
                self.misbehave(now, "the connection is closed after the handshake");
                self.fin(now, "the scenario says so");
            }
            OnFinished::Reset => {
                self.misbehave(now, "the connection is reset after the handshake");
                self.reset(now, "the scenario says so");
            }
            OnFinished::Silence => {
                self.misbehave(now, "nothing is said after the handshake");
                self.go_silent();
            }
        }
    }

    fn misbehave(&mut self, now: Instant, how: &'static str) {
        self.tell(now, Happening::Misbehaves(how));
        self.flush(now);
    }

    /// What the engine wants sent goes to the outbox.
    fn flush(&mut self, now: Instant) {
        let Stage::Engine { engine, .. } = &mut self.stage else { return };
        let bytes = engine.take_wire();
        if bytes.is_empty() {
            return;
        }
        if std::mem::take(&mut self.is_first_flight)
            && self.script.tls
            && let Some(misbehaviour) = self.script.on_server_flight.clone()
        {
            return self.first_flight(now, bytes, &misbehaviour);
        }
        let (bytes, reached) = match self.watch.as_mut().filter(|_| self.script.tls) {
            None => (bytes, None),
            Some(watch) => {
                let mut passage = watch.pass(Direction::ToDevice, &bytes);
                let reached = passage.reached.map(|(moment, mut last)| {
                    passage.passed.append(&mut last);
                    moment
                });
                (passage.passed, reached)
            }
        };
        if !self.outbox.send(now, bytes) {
            self.reset(now, "the device does not read what it is sent");
        }
        if let Some(moment) = reached {
            self.reach(now, moment);
            self.ignores_input = true;
        }
    }

    fn first_flight(&mut self, now: Instant, mut bytes: Vec<u8>, misbehaviour: &OnServerFlight) {
        let length = |wanted: u32| bytes.len().min(wanted as usize);
        match misbehaviour {
            OnServerFlight::FinAfterBytes(count) => {
                bytes.truncate(length(*count));
                self.tell(now, Happening::Misbehaves("the first flight is cut off: FIN"));
                self.outbox.send(now, bytes);
                self.fin(now, "the scenario says so");
            }
            OnServerFlight::ResetAfterBytes(count) => {
                bytes.truncate(length(*count));
                self.tell(now, Happening::Misbehaves("the first flight is cut off: RST"));
                self.outbox.send(now, bytes);
                self.reset(now, "the scenario says so");
            }
            OnServerFlight::SilenceAfterBytes(count) => {
                bytes.truncate(length(*count));
                self.tell(now, Happening::Misbehaves("the first flight is cut off: silence"));
                self.outbox.send(now, bytes);
                self.go_silent();
            }
            OnServerFlight::AlertAfterRecords(count, alert) => {
                bytes.truncate(records_length(&bytes, *count));
                let alert = Alert { level: Alert::FATAL, description: alert.0.0 };
                alert.record(ProtocolVersion(0x0303)).encode(&mut bytes);
                self.tell(now, Happening::Misbehaves("an alert interrupts the first flight"));
                self.outbox.send(now, bytes);
                self.fin(now, "the scenario says so");
            }
            OnServerFlight::FlipBitAt(offset) => {
                if let Some(byte) = bytes.get_mut(*offset as usize) {
                    *byte ^= 1;
                }
                self.tell(now, Happening::Misbehaves("a bit of the first flight is flipped"));
                self.outbox.send(now, bytes);
            }
            OnServerFlight::DripMsPerByte(ms) => {
                self.tell(now, Happening::Misbehaves("the first flight drips"));
                self.outbox.drip(now, &bytes, Duration::from_millis((*ms).into()));
            }
        }
    }

    fn goodbye(&mut self, now: Instant, why: &'static str) {
        match self.script.goodbye {
            Goodbye::CloseNotify => {
                if let Stage::Engine { engine, .. } = &mut self.stage {
                    engine.close_notify();
                }
                self.flush(now);
                self.fin(now, why);
            }
            Goodbye::Fin => self.fin(now, why),
            Goodbye::Reset => self.reset(now, why),
        }
    }

    fn fin(&mut self, now: Instant, why: &'static str) {
        if !self.outbox.is_shut() {
            self.tell(now, Happening::BrokerClosed { why });
        }
        self.outbox.fin(now);
        self.ignores_input = true;
    }

    fn reset(&mut self, now: Instant, why: &'static str) {
        if !self.outbox.is_shut() {
            self.tell(now, Happening::BrokerClosed { why });
        }
        self.outbox.reset(now);
        self.ignores_input = true;
    }

    fn go_silent(&mut self) {
        self.outbox.silence();
        self.ignores_input = true;
    }

    fn tell(&mut self, at: Instant, happening: Happening) {
        let connection = self.number;
        match self.events.len() {
            0..EVENTS_MAX => self.events.push(Event { at, connection, happening }),
            EVENTS_MAX => self.events.push(Event { at, connection, happening: Happening::EventsLost }),
            _ => {}
        }
    }
}

/// How many bytes the first `count` records take.
fn records_length(bytes: &[u8], count: u8) -> usize {
    let mut length = 0;
    for _ in 0..count {
        // The last two bytes of a record's header count what follows (RFC 9846 §5.1).
        let Some([_, _, _, high, low]) = bytes.get(length..).and_then(|rest| rest.first_chunk()) else { break };
        length += 5 + usize::from(u16::from_be_bytes([*high, *low]));
    }
    length.min(bytes.len())
}

/// The most records of a kind that a script can have strewn in.
const MANY: u32 = 65_536;
