//! Serial ports on one terminal: told apart by line, and never mixed within one.
//!
//! A chip speaks on several ports, and ESP-IDF says most things on two. As long as one port alone has spoken, its bytes
//! go to the terminal as they are. From the moment that a second one speaks, each line says whose it is; and what another
//! port says waits until the line on the terminal is over, or its port has been silent for a while.

use std::io::{self, Write};

use chip::PortId;
use clock::{Duration, Instant};

/// How long the port whose line is unfinished may be silent before another port may begin its own.
const PATIENCE: Duration = Duration::from_millis(50);
/// What a port may have waiting before it is let through all the same.
const WAITING_BYTES_MAX: usize = 16 << 10;

/// The terminal's side of all ports.
#[derive(Debug)]
pub struct Console {
    ports: Vec<Port>,
    /// The port whose line is unfinished on the terminal.
    open: Option<usize>,
    last_heard: Option<Instant>,
    /// The port that has spoken last, to which what is typed goes.
    last_spoken: usize,
}

#[derive(Debug)]
struct Port {
    id: PortId,
    waiting: Vec<u8>,
    has_spoken: bool,
}

impl Console {
    /// A terminal for these ports, on which nothing stands yet.
    pub fn new(ports: Vec<PortId>) -> Self {
        let port = |id| Port { id, waiting: Vec::new(), has_spoken: false };
        Self { ports: ports.into_iter().map(port).collect(), open: None, last_heard: None, last_spoken: 0 }
    }

    /// Bytes have come from a port at `now`.
    pub fn hear(&mut self, port: PortId, bytes: &[u8], now: Instant) {
        let place = self.ports.iter().position(|known| known.id == port);
        let Some(n) = place.filter(|_| !bytes.is_empty()) else { return };
        self.ports[n].waiting.extend_from_slice(bytes);
        self.ports[n].has_spoken = true;
        self.last_spoken = n;
        if self.open == Some(n) {
            self.last_heard = Some(now);
        }
    }

    /// The port that what is typed goes to: the one that has spoken last, else the first.
    pub fn listens(&self) -> Option<PortId> {
        self.ports.get(self.last_spoken).map(|port| port.id)
    }

    /// Writes what can be written by `now`.
    ///
    /// # Errors
    ///
    /// If the terminal is gone.
    pub fn write(&mut self, terminal: &mut dyn Write, now: Instant) -> io::Result<()> {
        while let Some(n) = self.next(now) {
            self.write_piece(terminal, n)?;
            self.last_heard = Some(now);
        }
        terminal.flush()
    }

    /// Writes everything that has come so far, unfinished lines too.
    ///
    /// # Errors
    ///
    /// If the terminal is gone.
    pub fn finish(&mut self, terminal: &mut dyn Write) -> io::Result<()> {
        for n in self.open.into_iter().chain(0..self.ports.len()) {
            while !self.ports[n].waiting.is_empty() {
                self.write_piece(terminal, n)?;
            }
        }
        terminal.flush()
    }

    /// Writes what a port has waiting, as far as one line goes.
    fn write_piece(&mut self, terminal: &mut dyn Write, n: usize) -> io::Result<()> {
        let waiting = &mut self.ports[n].waiting;
        let end = waiting.iter().position(|byte| *byte == b'\n').map_or(waiting.len(), |at| at + 1);
        let piece: Vec<u8> = waiting.drain(..end).collect();
        if self.open.is_some_and(|open| open != n) {
            terminal.write_all(b"\n")?;
            self.open = None;
        }
        if self.open.is_none() && self.ports.iter().filter(|port| port.has_spoken).count() > 1 {
            write!(terminal, "{:5}| ", self.ports[n].id)?;
        }
        terminal.write_all(&piece)?;
        self.open = (!piece.ends_with(b"\n")).then_some(n);
        Ok(())
    }

    /// The port that may write next.
    fn next(&self, now: Instant) -> Option<usize> {
        let has_something = |n: &usize| !self.ports[*n].waiting.is_empty();
        let all = 0..self.ports.len();
        let Some(open) = self.open else { return all.into_iter().find(has_something) };
        if has_something(&open) {
            return Some(open);
        }
        let is_silent = self.last_heard.is_none_or(|heard| now >= heard + PATIENCE);
        all.filter(has_something).find(|n| is_silent || self.ports[*n].waiting.len() > WAITING_BYTES_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UART: PortId = PortId::new("uart0");
    const USB: PortId = PortId::new("usb");

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    fn shown(console: &mut Console, ms: u64) -> String {
        let mut terminal = Vec::new();
        console.write(&mut terminal, at(ms)).expect("memory takes everything");
        String::from_utf8(terminal).expect("text")
    }

    #[test]
    fn a_port_that_speaks_alone_is_shown_as_it_is() {
        let mut console = Console::new(vec![USB, UART]);
        console.hear(UART, b">>> ", at(1));
        assert_eq!(shown(&mut console, 1), ">>> ");
        console.hear(UART, b"print(1)\r\n1\r\n", at(2));
        assert_eq!(shown(&mut console, 2), "print(1)\r\n1\r\n");
    }

    #[test]
    fn lines_of_two_ports_are_never_mixed() {
        let mut console = Console::new(vec![USB, UART]);
        console.hear(UART, b"I (14) main_task: Star", at(1));
        assert_eq!(shown(&mut console, 1), "I (14) main_task: Star");
        console.hear(USB, b"Guru Meditation\n", at(2));
        assert_eq!(shown(&mut console, 2), "", "the other's line is not over");
        console.hear(UART, b"ted\n", at(3));
        assert_eq!(shown(&mut console, 3), "ted\nusb  | Guru Meditation\n");
    }

    #[test]
    fn nobody_waits_for_a_prompt_for_ever() {
        let mut console = Console::new(vec![USB, UART]);
        console.hear(UART, b">>> ", at(1));
        assert_eq!(shown(&mut console, 1), ">>> ");
        console.hear(USB, b"hello\n", at(2));
        assert_eq!(shown(&mut console, 52), "\nusb  | hello\n");
        assert_eq!(console.listens(), Some(USB));
    }
}
