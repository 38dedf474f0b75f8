//! How long a modem takes, measured in the trace of source document 003 (an A7670 under an ESP32 at 115 200 baud).

use clock::Duration;

use super::command::Command;

/// A timer that says "now" again and again without anything to do is asked again after this long.
pub(super) const POLL_INTERVAL_MIN: Duration = Duration::from_millis(1);
/// From an ordinary command to its answer: what is left of the 10 ms between two lines of the trace.
const COMMAND: Duration = Duration::from_millis(5);
/// From AT+CIPSEND to the prompt: before 6286 ms in the trace.
const PROMPT: Duration = Duration::from_millis(20);
/// From the last byte of data to OK and `+CIPSEND`: 6286 ms to 6306 ms.
pub(super) const SEND: Duration = Duration::from_millis(20);
/// From AT+CIPRXGET=2 to its answer: 6666 ms to 6696 ms.
const READ: Duration = Duration::from_millis(30);
/// From data in the modem to `+CIPRXGET: 1,0`. The trace cannot tell: short, as nothing else is to be done.
pub(super) const DATA_NOTICE: Duration = Duration::from_millis(5);
/// From FIN to `+IPCLOSE: 0,1`: 20 ms after the notice of data that came with it (6646 ms to 6666 ms).
pub(super) const CLOSE_NOTICE: Duration = Duration::from_millis(25);
/// A notice that is to be said before the answer to AT+CIPRXGET=2 follows the command by so much.
pub(super) const CLOSE_BEFORE_ANSWER: Duration = Duration::from_millis(10);
/// From a connection that stands to `+CIPOPEN: 0,0`.
pub(super) const OPEN_RESULT: Duration = Duration::from_millis(10);
/// From AT+NETOPEN to `+NETOPEN: 0`: a PDP context is activated.
pub(super) const NETWORK_OPENS: Duration = Duration::from_millis(300);
/// From a reset to the first words.
pub(super) const BOOTS: Duration = Duration::from_millis(8_000);

/// From a command to its answer.
pub(super) const fn of(command: &Command) -> Duration {
    match command {
        Command::Send { .. } => PROMPT,
        Command::Data { .. } => SEND,
        Command::Read { .. } => READ,
        _ => COMMAND,
    }
}
