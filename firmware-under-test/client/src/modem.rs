//! The other way to a broker: the sockets of a modem on the second serial line, by AT commands (3GPP TS 27.007; SIMCom's
//! "SIM7500_SIM7600 Series AT Command Manual", chapter "AT Commands for TCPIP").
//!
//! Names are the modem's business here: a host name goes into AT+CIPOPEN as it is. What arrives waits in the modem until
//! it is asked for (AT+CIPRXGET=1), in portions of what the layer above wants: five bytes, if TLS wants the header of a
//! record.
//!
//! Two ways of reading the modem's answers are here, as [`control::ModemReader`] has them: the one in this file, and
//! [`lossy`].

mod inbox;
mod lossy;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use control::ModemReader;

use crate::device::Device;
use crate::fault::Fault;
use crate::platform::Platform;
use crate::tls::WireEnd;
use inbox::{Inbox, Notice};

/// How long an ordinary command may take to be answered.
const ANSWER_WITHIN_US: u64 = 9_000_000;
/// How long the prompt of AT+CIPSEND may take.
const PROMPT_WITHIN_US: u64 = 2_000_000;
/// How long AT+CIPCLOSE may take: nobody waits for it with a purpose.
const CLOSE_WITHIN_US: u64 = 1_000_000;
/// How often a connection that has been silent is asked whether it really is: a notice may have been lost.
const ASK_EVERY_US: u64 = 1_000_000;
/// The most that AT+CIPSEND takes and AT+CIPRXGET=2 gives at once (SIMCom's manual).
const TRANSFER_BYTES_MAX: usize = 1_500;
/// Links are numbered from 0 to 9 (SIMCom's manual, AT+CIPOPEN).
const LINKS: u8 = 10;
/// The link is in use (SIMCom's manual, "Description of <err>").
const ERROR_BUSY: u8 = 8;
/// Takes AT+CIPSEND back (SIMCom's manual, AT+CIPSEND).
const ESCAPE: &[u8] = b"\x1b";

/// What the device knows of its modem.
#[derive(Debug, Default)]
pub(crate) struct Modem {
    reader: ModemReader,
    /// The second serial line is in use.
    is_fitted: bool,
    pub(crate) inbox: Inbox,
    /// The network is open.
    is_ready: bool,
    link: Option<u8>,
    /// There is something to read.
    has_data: bool,
    /// The peer has closed; what has arrived before can still be read.
    is_closed: bool,
    /// When to ask whether something has arrived.
    ask_us: u64,
}

impl Modem {
    /// Whether the second serial line is listened to.
    pub(crate) const fn is_fitted(&self) -> bool {
        self.is_fitted
    }

    /// When to look at the connection though nothing has been said.
    pub(crate) fn due_us(&self) -> Option<u64> {
        let is_waiting = self.link.is_some() && !self.has_data && !self.is_closed;
        (is_waiting && self.reader == ModemReader::Correct).then_some(self.ask_us)
    }

    fn heed(&mut self, notice: Notice) {
        match notice {
            Notice::Data => self.has_data = true,
            Notice::Closed => self.is_closed = true,
            Notice::NetworkLost => {
                self.is_ready = false;
                self.link = None;
            }
        }
    }
}

/// Opens a connection to `host`, from the modem's first AT on if need be.
pub(crate) fn open<P: Platform>(
    device: &mut Device<'_, P>,
    reader: ModemReader,
    (host, port): (&str, u16),
    timeout_us: u64,
) -> Result<(), Fault> {
    if host.contains(['"', '\r', '\n']) {
        return Err(Fault::PlanUnusable);
    }
    if !device.modem.is_fitted {
        device.platform.modem_start();
        device.modem = Modem { reader, is_fitted: true, ..Modem::default() };
    }
    if !device.modem.is_ready {
        get_ready(device, timeout_us)?;
    }
    for link in 0..LINKS {
        let command = format!("AT+CIPOPEN={link},\"TCP\",\"{host}\",{port}");
        let answer = format!("+CIPOPEN: {link},");
        match exchange(device, &command, Some(&answer), timeout_us)?.parse() {
            Ok(0_u8) => {
                let ask_us = device.now_us() + ASK_EVERY_US;
                let modem = &mut device.modem;
                modem.link = Some(link);
                (modem.has_data, modem.is_closed, modem.ask_us) = (false, false, ask_us);
                return Ok(());
            }
            Ok(ERROR_BUSY) => {}
            Ok(error) => return Err(Fault::ModemOpenFailed(error)),
            Err(_) => return Err(Fault::ModemRefused),
        }
    }
    Err(Fault::ModemOpenFailed(ERROR_BUSY))
}

/// The conversation before the first connection.
fn get_ready<P: Platform>(device: &mut Device<'_, P>, timeout_us: u64) -> Result<(), Fault> {
    device.modem.inbox = Inbox::default();
    for (command, answer) in [
        ("AT", None),
        ("ATE0", None),
        ("AT+CPIN?", Some("+CPIN: ")),
        ("AT+CSQ", Some("+CSQ: ")),
        ("AT+CREG?", Some("+CREG: ")),
        ("AT+CGREG?", Some("+CGREG: ")),
        ("AT+CGDCONT=1,\"IP\",\"internet\"", None),
    ] {
        exchange(device, command, answer, timeout_us)?;
    }
    if exchange(device, "AT+NETOPEN?", Some("+NETOPEN: "), timeout_us)? == "0" {
        exchange(device, "AT+NETOPEN", Some("+NETOPEN: "), timeout_us)?;
    }
    exchange(device, "AT+CIPRXGET=1", None, timeout_us)?;
    device.modem.is_ready = true;
    Ok(())
}

/// Takes bytes that have arrived: 0 if there are none.
pub(crate) fn read<P: Platform>(device: &mut Device<'_, P>, into: &mut [u8]) -> Result<usize, WireEnd> {
    device.poll();
    if device.modem.reader == ModemReader::LosesOnClose {
        return lossy::read(device, into);
    }
    while let Some(line) = device.modem.inbox.line() {
        note_line(device, &line);
    }
    let link = device.modem.link.ok_or(WireEnd::Reset)?;
    let now_us = device.now_us();
    if !device.modem.has_data && (device.modem.is_closed || now_us >= device.modem.ask_us) {
        let command = format!("AT+CIPRXGET=4,{link}");
        let answer = format!("+CIPRXGET: 4,{link},");
        let waiting =
            exchange(device, &command, Some(&answer), ANSWER_WITHIN_US).map_err(|fault| end(device, fault))?;
        device.modem.has_data |= waiting != "0";
        device.modem.ask_us = device.now_us() + ASK_EVERY_US;
    }
    if !device.modem.has_data {
        return if device.modem.is_closed { Err(WireEnd::Closed) } else { Ok(0) };
    }
    fetch(device, link, into).map_err(|fault| end(device, fault))
}

/// AT+CIPRXGET=2. Whatever stands between command and answer is heeded, and the answer read all the same.
fn fetch<P: Platform>(device: &mut Device<'_, P>, link: u8, into: &mut [u8]) -> Result<usize, Fault> {
    let bytes_max = into.len().min(TRANSFER_BYTES_MAX);
    send_line(device, &format!("AT+CIPRXGET=2,{link},{bytes_max}"));
    let until_us = device.now_us() + ANSWER_WITHIN_US;
    let head = format!("+CIPRXGET: 2,{link},");
    let numbers = loop {
        let line = next_line(device, until_us)?;
        if let Some(numbers) = line.strip_prefix(head.as_str()) {
            break String::from(numbers);
        }
        match line.as_str() {
            // It had less than it said.
            "ERROR" => {
                device.modem.has_data = false;
                device.modem.ask_us = device.now_us() + ASK_EVERY_US;
                return Ok(0);
            }
            _ => note_line(device, &line),
        }
        if device.modem.link.is_none() {
            return Err(Fault::ModemNetworkLost);
        }
    };
    let (count, left) = numbers.split_once(',').ok_or(Fault::ModemRefused)?;
    let count: usize = count.parse().map_err(|_| Fault::ModemRefused)?;
    let place = into.get_mut(..count).ok_or(Fault::ModemRefused)?;
    while !device.modem.inbox.data(place) {
        if !device.wait(until_us) {
            return Err(Fault::ModemTimedOut);
        }
    }
    device.modem.has_data = left != "0";
    device.modem.ask_us = device.now_us() + ASK_EVERY_US;
    loop {
        let line = next_line(device, until_us)?;
        match line.as_str() {
            "OK" => return Ok(count),
            "ERROR" => return Err(Fault::ModemRefused),
            _ => note_line(device, &line),
        }
    }
}

/// Hands bytes over; returns how many the modem has taken.
pub(crate) fn write<P: Platform>(device: &mut Device<'_, P>, bytes: &[u8]) -> Result<usize, WireEnd> {
    let link = device.modem.link.ok_or(WireEnd::Reset)?;
    if bytes.is_empty() {
        return Ok(0);
    }
    if device.modem.reader == ModemReader::LosesOnClose {
        return lossy::write(device, link, bytes);
    }
    let bytes = bytes.get(..TRANSFER_BYTES_MAX).unwrap_or(bytes);
    // A prompt that does not come is asked for once more.
    for is_last in [false, true] {
        send_line(device, &format!("AT+CIPSEND={link},{}", bytes.len()));
        match await_prompt(device) {
            Ok(()) => {
                device.platform.modem_write(bytes);
                let taken = sent(device, link, bytes.len()).map_err(|fault| end(device, fault))?;
                device.modem.ask_us = device.now_us() + ASK_EVERY_US;
                return Ok(taken);
            }
            Err(Fault::ModemTimedOut) if !is_last => {
                device.platform.modem_write(ESCAPE);
                // The answer is ERROR, and what it is does not matter.
                let _ = finish(device, None, ANSWER_WITHIN_US);
            }
            Err(fault) => return Err(end(device, fault)),
        }
    }
    Err(WireEnd::Reset)
}

fn await_prompt<P: Platform>(device: &mut Device<'_, P>) -> Result<(), Fault> {
    let until_us = device.now_us() + PROMPT_WITHIN_US;
    loop {
        if device.modem.inbox.prompt() {
            return Ok(());
        }
        while let Some(line) = device.modem.inbox.line() {
            if line == "ERROR" {
                return Err(Fault::ModemRefused);
            }
            note_line(device, &line);
        }
        if device.modem.link.is_none() {
            return Err(Fault::ModemNetworkLost);
        }
        // What is left may be the prompt.
        if !device.modem.inbox.has_prompt() && !device.wait(until_us) {
            return Err(Fault::ModemTimedOut);
        }
    }
}

/// How much of the data the modem has taken.
fn sent<P: Platform>(device: &mut Device<'_, P>, link: u8, bytes: usize) -> Result<usize, Fault> {
    let answer = format!("+CIPSEND: {link},{bytes},");
    let taken = finish(device, Some(&answer), ANSWER_WITHIN_US)?;
    taken.parse().ok().filter(|taken| *taken <= bytes).ok_or(Fault::ModemRefused)
}

/// Closes the connection, if there is one.
pub(crate) fn hang_up<P: Platform>(device: &mut Device<'_, P>) {
    if let Some(link) = device.modem.link.take() {
        let answer = format!("+CIPCLOSE: {link},");
        // Whatever it says: the link is not used again before it was opened anew.
        let _ = exchange(device, &format!("AT+CIPCLOSE={link}"), Some(&answer), CLOSE_WITHIN_US);
    }
}

/// A command, and its answer.
fn exchange<P: Platform>(
    device: &mut Device<'_, P>,
    command: &str,
    answer: Option<&str>,
    timeout_us: u64,
) -> Result<String, Fault> {
    send_line(device, command);
    finish(device, answer, timeout_us)
}

/// Awaits OK and, before or after it, a line that begins with `answer`; returns the rest of that line. ERROR after such
/// a line is an answer as well.
fn finish<P: Platform>(device: &mut Device<'_, P>, answer: Option<&str>, timeout_us: u64) -> Result<String, Fault> {
    let until_us = device.now_us() + timeout_us;
    let mut found = answer.is_none().then(String::new);
    let mut is_done = false;
    loop {
        if let (true, Some(rest)) = (is_done, &mut found) {
            return Ok(core::mem::take(rest));
        }
        let line = next_line(device, until_us)?;
        match (line.as_str(), answer.and_then(|answer| line.strip_prefix(answer))) {
            (_, Some(rest)) => found = Some(String::from(rest)),
            ("OK", None) => is_done = true,
            ("ERROR", None) => return found.filter(|rest| !rest.is_empty()).ok_or(Fault::ModemRefused),
            _ => {
                let was_ready = device.modem.is_ready;
                note_line(device, &line);
                if was_ready && !device.modem.is_ready {
                    return Err(Fault::ModemNetworkLost);
                }
            }
        }
    }
}

fn next_line<P: Platform>(device: &mut Device<'_, P>, until_us: u64) -> Result<String, Fault> {
    loop {
        if let Some(line) = device.modem.inbox.line() {
            return Ok(line);
        }
        if !device.wait(until_us) {
            return Err(Fault::ModemTimedOut);
        }
    }
}

fn send_line<P: Platform>(device: &mut Device<'_, P>, command: &str) {
    let mut line = Vec::from(command);
    line.push(b'\r');
    // Nobody looks at the connection before this is answered: whoever gets the answer says when next.
    device.modem.ask_us = u64::MAX;
    device.platform.modem_write(&line);
}

/// A line that nobody asked for: a notice, an echo, or something of no interest.
fn note_line<P: Platform>(device: &mut Device<'_, P>, line: &str) {
    if let Some(notice) = inbox::notice(line) {
        device.modem.heed(notice);
    }
}

/// The end of the connection, as the layer above learns of it; the reason goes to whoever listens.
fn end<P: Platform>(device: &mut Device<'_, P>, fault: Fault) -> WireEnd {
    device.remark(&format!("modem: {fault}"));
    WireEnd::Reset
}
