//! A connection of TLS 1.3 without its secrets: what the sizes of its records give away.

use capture::Side;
use capture::transcript::{Close, Facts};
use wire::tls::CipherSuite;

use super::breaking::Story;

/// What a record of TLS 1.3 holds besides its content: the content's type and the tag (RFC 9846 §5.2).
const AROUND_BYTES: usize = 1 + 16;
/// An alert in its record, without the record's header of five bytes.
const ALERT_BYTES: usize = 2 + AROUND_BYTES;
/// A Certificate message without a certificate: header, context, empty list.
const NO_CERTIFICATE_BYTES: usize = 4 + 1 + 3 + AROUND_BYTES;
/// Mbed TLS fills the content of its records up to a multiple of so many bytes (MBEDTLS_SSL_CID_TLS1_3_PADDING_GRANULARITY).
const MBEDTLS_PADDING_BYTES: usize = 16;
/// So many sizes are told of each side.
const SIZES_MAX: usize = 8;

/// Tells what became of a connection whose handshake is encrypted.
pub fn tell(story: &mut Story, facts: &Facts) {
    let finished_bytes = 4 + facts.cipher_suite.map_or(32, hash_bytes) + AROUND_BYTES;
    let [client, server] = [Side::Client, Side::Server].map(|side| sizes(facts, side));
    // Some stacks put Certificate and Finished into one record.
    let no_certificate_too = NO_CERTIFICATE_BYTES - AROUND_BYTES + finished_bytes;
    let is_finished = |(side, bytes): &(Side, usize)| {
        *side == Side::Client && (holds(*bytes, finished_bytes) || *bytes == no_certificate_too)
    };
    let finished = facts.sealed.iter().position(is_finished);
    let behind = finished.and_then(|at| facts.sealed.get(at + 1..)).unwrap_or_default();
    let answered: Vec<usize> =
        behind.iter().filter(|(side, _)| *side == Side::Server).map(|(_, bytes)| *bytes).collect();
    let went_on = behind.iter().any(|(side, bytes)| *side == Side::Client && *bytes > ALERT_BYTES);
    let before = finished.and_then(|at| facts.sealed.get(..at)).unwrap_or_default();
    let without = before.iter().any(|(side, bytes)| *side == Side::Client && holds(*bytes, NO_CERTIFICATE_BYTES))
        || client.contains(&no_certificate_too);
    if finished.is_none() && !client.is_empty() && client.iter().all(|bytes| holds(*bytes, ALERT_BYTES)) {
        story.ended = "the client gave up after the server's flight, with an encrypted alert (TLS 1.3)".into();
        story.sentences.push(
            "Its one encrypted record has the size of an alert: it refused what the server sent. Wrong name, wrong date and an \
             authority that it does not know are the usual reasons."
                .into(),
        );
    } else if finished.is_none() && client.is_empty() {
        in_silence(story, facts);
    } else if !answered.is_empty() && answered.iter().all(|bytes| *bytes == ALERT_BYTES) && !has_a_login(behind) {
        refused(story, without, went_on);
    } else if answered.iter().any(|bytes| *bytes != ALERT_BYTES) {
        story.ended = "encrypted from the ServerHello on: it probably completed (TLS 1.3)".into();
        story.sentences.push(
            "The client sent its Finished, and both sides went on: nothing here looks like a failure. What passed inside, a \
             refused login for instance, cannot be told from sizes."
                .into(),
        );
    } else {
        story.ended = "encrypted from the ServerHello on: what became of it cannot be told (TLS 1.3)".into();
    }
    story.sentences.push(format!(
        "Encrypted records after the ServerHello: the client sent {}, the server {}. In TLS 1.3 an alert has {ALERT_BYTES} \
         bytes ({} with its header), a Finished {finished_bytes}.",
        told(&client),
        told(&server),
        ALERT_BYTES + 5
    ));
    story
        .sentences
        .push("With the secrets of the connection (SSLKEYLOGFILE, `--keys`) it can be told for certain.".into());
}

/// Whether a record of so many bytes may hold just what makes `expected` bytes, padded as Mbed TLS does or not at all.
fn holds(bytes: usize, expected: usize) -> bool {
    let content = expected - 16;
    bytes == expected || bytes == content.next_multiple_of(MBEDTLS_PADDING_BYTES) + 16
}

/// MQTT's shortest answers are longer than an alert; its shortest requests are not.
fn has_a_login(behind: &[(Side, usize)]) -> bool {
    behind.iter().any(|(side, bytes)| *side == Side::Server && *bytes > ALERT_BYTES)
}

fn in_silence(story: &mut Story, facts: &Facts) {
    story.ended = match facts.first_to_close {
        Some((Side::Client, Close::Fin)) => {
            "the client closed after the server's flight, without a word (TLS 1.3)".into()
        }
        Some((Side::Client, Close::Rst)) => "the client broke off after the server's flight (TLS 1.3)".into(),
        Some((Side::Server, _)) => "the server closed after its flight: nothing came from the client (TLS 1.3)".into(),
        None => "the client did not answer the server's flight, and nobody closed (TLS 1.3)".into(),
    };
    story.sentences.push(
        "A client that refuses a certificate says so in TLS 1.3, if it can: one that says nothing ran out of memory or time, \
         was stopped, or never got the flight whole."
            .into(),
    );
}

fn refused(story: &mut Story, without: bool, went_on: bool) {
    story.ended = "the server gave up after the client's Finished, with an encrypted alert (TLS 1.3)".into();
    let first = "All that the server sent behind the client's Finished has the size of an alert: it refused the client, and not \
                 the other way round.";
    let why = if without {
        "The client's Certificate was empty, so a client certificate was asked for and none is there: most likely \
         certificate_required (116). Give the client its certificate and key."
    } else {
        "In TLS 1.3 a client certificate is judged after the client has done its part: one that is missing, of an authority that \
         the server does not know, or over, shows here; so does a close in good order."
    };
    story.sentences.push(format!("{first} {why}"));
    if went_on {
        story.sentences.push("The client believed to be connected, and had sent its login already.".into());
    }
}

fn sizes(facts: &Facts, side: Side) -> Vec<usize> {
    facts.sealed.iter().filter(|(from, _)| *from == side).map(|(_, bytes)| *bytes).collect()
}

fn told(sizes: &[usize]) -> String {
    let records = match sizes.len() {
        0 => return "none".into(),
        1 => "1 record".into(),
        count => format!("{count} records"),
    };
    let mut first: Vec<String> = sizes.iter().take(SIZES_MAX).map(ToString::to_string).collect();
    if sizes.len() > SIZES_MAX {
        first.push("…".into());
    }
    format!("{records} ({} bytes)", first.join(", "))
}

/// The length of the hash that goes with a suite (RFC 9846 §B.4).
const fn hash_bytes(suite: CipherSuite) -> usize {
    if suite.0 == 0x1302 { 48 } else { 32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn story(records: &[(Side, usize)], closer: Option<(Side, Close)>) -> String {
        let facts = Facts {
            sealed: records.to_vec(),
            first_to_close: closer,
            cipher_suite: Some(CipherSuite(0x1301)),
            ..Facts::default()
        };
        let mut story = Story::default();
        tell(&mut story, &facts);
        format!("{} {}", story.ended, story.sentences.join(" "))
    }

    /// Mbed TLS 3.6 against rustls, as this bench records it: contents are filled up to 16 bytes.
    #[test]
    fn records_that_mbed_tls_pads_are_recognised() {
        let records =
            [(Side::Client, 64), (Side::Client, 48), (Side::Server, 21), (Side::Client, 32), (Side::Server, 19)];
        let told = story(&after_flight(&records), Some((Side::Server, Close::Fin)));
        assert!(told.contains("probably completed"), "{told}");
        let records = [(Side::Client, 32), (Side::Client, 64), (Side::Client, 48), (Side::Server, 19)];
        let told = story(&after_flight(&records), Some((Side::Server, Close::Fin)));
        assert!(told.contains("certificate_required (116)"), "{told}");
    }

    const FLIGHT: [(Side, usize); 4] =
        [(Side::Server, 27), (Side::Server, 600), (Side::Server, 96), (Side::Server, 53)];

    fn after_flight(records: &[(Side, usize)]) -> Vec<(Side, usize)> {
        FLIGHT.iter().chain(records).copied().collect()
    }

    /// CONNECT, PUBLISH and DISCONNECT against tickets and CONNACK: mosquitto_pub that exits with 0.
    #[test]
    fn a_healthy_session_is_said_to_have_completed() {
        let records =
            [(Side::Client, 53), (Side::Server, 234), (Side::Client, 41), (Side::Server, 21), (Side::Client, 19)];
        let told = story(&after_flight(&records), Some((Side::Client, Close::Fin)));
        assert!(told.contains("probably completed"), "{told}");
        assert!(told.contains("the client sent 3 records (53, 41, 19 bytes)") && told.contains("`--keys`"), "{told}");
        assert!(!told.contains("BearSSL"), "{told}");
    }

    #[test]
    fn a_missing_client_certificate_is_the_first_guess_where_none_was_sent() {
        let records = [(Side::Client, 25), (Side::Client, 53), (Side::Client, 41), (Side::Server, 19)];
        let told = story(&after_flight(&records), Some((Side::Server, Close::Fin)));
        assert!(told.contains("certificate_required (116)") && told.contains("had sent its login"), "{told}");
        // rustls puts both into one record.
        let told = story(&after_flight(&[(Side::Client, 61), (Side::Server, 19)]), Some((Side::Server, Close::Fin)));
        assert!(told.contains("certificate_required (116)"), "{told}");
        // A certificate was sent, and refused.
        let records = [(Side::Client, 500), (Side::Client, 96), (Side::Client, 53), (Side::Server, 19)];
        let told = story(&after_flight(&records), Some((Side::Server, Close::Fin)));
        assert!(told.contains("of an authority that the server does not know"), "{told}");
    }

    #[test]
    fn a_client_that_refuses_is_told_by_the_size_of_its_record() {
        let told = story(&after_flight(&[(Side::Client, 19)]), Some((Side::Client, Close::Fin)));
        assert!(told.contains("the client gave up") && told.contains("Wrong name"), "{told}");
        let told = story(&FLIGHT, Some((Side::Client, Close::Rst)));
        assert!(told.contains("broke off after the server's flight") && told.contains("memory"), "{told}");
    }
}
