//! The conversation between device and modem, line by line, and what the device never heard of it.

use clock::Instant;
use wire::at::{Speaker, Spoken};

use crate::conversation;
use crate::secrets::KeyLog;
use crate::stream::{Connection, Happening, Side};
use crate::text::{clean, count, dotted};
use crate::transcript::{Conversation, Line, Said, Who};

/// The commands and result codes that have a name in a transcript (3GPP TS 27.007; SIMCom's "SIM7500_SIM7600 Series AT
/// Command Manual"). Whatever else is said is told as [`Said::OtherAt`].
pub const WORDS: &[&str] = &[
    "AT",
    "ATE0",
    "ATE1",
    "AT+CPIN?",
    "AT+CSQ",
    "AT+CREG?",
    "AT+CGREG?",
    "AT+CGDCONT",
    "AT+NETOPEN?",
    "AT+NETOPEN",
    "AT+NETCLOSE",
    "AT+IPADDR",
    "AT+CIPOPEN",
    "AT+CIPSEND",
    "AT+CIPRXGET",
    "AT+CIPCLOSE",
    "OK",
    "ERROR",
    ">",
    "+CPIN",
    "+CSQ",
    "+CREG",
    "+CGREG",
    "+NETOPEN",
    "+NETCLOSE",
    "+IPADDR",
    "+CIPOPEN",
    "+CIPSEND",
    "+CIPRXGET",
    "+CIPCLOSE",
    "+CIPERROR",
    "+CIPEVENT",
    "+IPCLOSE",
    "+IP ERROR",
    "*ATREADY",
];
/// Lines beyond this are counted and not told.
const LINES_MAX: usize = 5_000;
/// The header of a TLS record, which is what one sees of most data.
const SHOWN_BYTES: usize = 5;
const CHARS_MAX: usize = 160;

/// The lines of a conversation. What the modem says at one instant is one line.
pub(crate) fn lines(spoken: &[(Instant, Spoken)]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for (at, spoken) in spoken {
        let who = match spoken.by {
            Speaker::Device => Who::Client,
            Speaker::Modem => Who::Modem,
        };
        let (said, details) = tell(spoken);
        if let Some(last) = lines.last_mut().filter(|last| who == Who::Modem && last.who == who && last.at == *at) {
            let more = if spoken.is_data { details } else { clean(&String::from_utf8_lossy(&spoken.bytes), CHARS_MAX) };
            last.details = dotted([std::mem::take(&mut last.details), more]);
        } else if lines.len() < LINES_MAX {
            lines.push(Line { at: *at, who, said, details });
        }
    }
    lines
}

fn tell(spoken: &Spoken) -> (Said, String) {
    if spoken.is_data {
        let shown: Vec<String> = spoken.bytes.iter().take(SHOWN_BYTES).map(|byte| format!("{byte:02x}")).collect();
        let more = if spoken.bytes.len() > SHOWN_BYTES { " …" } else { "" };
        return (Said::Data, format!("{} {}{more}", count(spoken.bytes.len(), "byte"), shown.join(" ")));
    }
    let text = String::from_utf8_lossy(&spoken.bytes);
    // The longest word counts: AT is the beginning of them all.
    let fits =
        |word: &&&str| text.strip_prefix(**word).is_some_and(|rest| rest.is_empty() || rest.starts_with(['=', ':']));
    match WORDS.iter().filter(fits).max_by_key(|word| word.len()) {
        Some(word) => {
            let rest = text.get(word.len()..).unwrap_or_default();
            (Said::At(word), clean(rest.strip_prefix(':').unwrap_or(rest).trim(), CHARS_MAX))
        }
        None => (Said::OtherAt, clean(&text, CHARS_MAX)),
    }
}

/// What of a conversation reached the modem and was never read by the device, if anything.
pub(crate) fn unread(
    connection: &Connection,
    whole: &Conversation,
    spoken: &[(Instant, Spoken)],
    until: Option<Instant>,
    keys: &KeyLog,
) -> Option<Line> {
    let of_this = |at: Instant| at >= whole.began && until.is_none_or(|until| at < until);
    let read = spoken.iter().filter(|(at, spoken)| of_this(*at) && spoken.is_data && spoken.by == Speaker::Modem);
    let read_bytes: usize = read.map(|(_, spoken)| spoken.bytes.len()).sum();
    let sent = connection.events.iter().map(|event| match &event.what {
        Happening::Data(bytes) if event.from == Side::Server => bytes.len(),
        _ => 0,
    });
    let sent_bytes: usize = sent.sum();
    let unread_bytes = sent_bytes.checked_sub(read_bytes).filter(|bytes| *bytes > 0)?;
    let heard = conversation::read(&connection.cut(Side::Server, read_bytes), keys);
    let is_whole =
        |line: &&Line| line.who == Who::Server && !matches!(line.said, Said::Fin | Said::Rst | Said::Fragment);
    let heard = heard.lines.iter().filter(is_whole).count();
    let lost = whole.lines.iter().filter(is_whole).skip(heard);
    let lost = lost.map(|line| format!("{} {}", line.said, line.details).trim_end().to_owned());
    let bytes = format!("{} of the broker, never read", count(unread_bytes, "byte"));
    let at = spoken.iter().map(|(at, _)| *at).filter(|at| until.is_none_or(|until| *at < until)).max();
    let details = dotted(std::iter::once(bytes).chain(lost));
    Some(Line { at: at.unwrap_or(whole.began), who: Who::Modem, said: Said::Unread, details })
}
