//! What of a transcript can be compared between two images: the hello, what was agreed on, alerts.

use capture::Side;
use capture::Transcript;
use capture::transcript::{Conversation, Said};
use report::model::{Alert, Hello, Wire};
use wire::tls::HandshakeType;

/// What the wire tells of the last connection.
pub fn wire(transcript: &Transcript) -> Wire {
    let Some(last) = transcript.conversations.last() else { return Wire::default() };
    let facts = &last.facts;
    Wire {
        connections: transcript.conversations.len(),
        hello: hello(last),
        version: facts.version.map(|version| version.to_string()),
        cipher_suite: facts.cipher_suite.map(|suite| suite.to_string()),
        group: facts.group.map(|group| group.to_string()),
        alerts: facts
            .alerts
            .iter()
            .map(|(side, description)| Alert { by: name(*side).to_owned(), description: description.to_string() })
            .collect(),
        connack: facts.connect_code.map(|code| code.0),
        first_to_close: facts.first_to_close.map(|(side, how)| format!("{} {how}", name(side))),
        handshake_ms: facts.is_handshake_complete.then(|| handshake_ms(last)).flatten(),
    }
}

fn hello(conversation: &Conversation) -> Option<Hello> {
    let facts = &conversation.facts;
    let hello = &facts.offer.as_ref()?.hello;
    let words = |list: &mut dyn Iterator<Item = String>| list.collect::<Vec<String>>();
    Some(Hello {
        server_name: facts.server_name.clone(),
        ja3: facts.ja3.clone().unwrap_or_default(),
        ja4: facts.ja4.clone().unwrap_or_default(),
        versions: words(&mut facts.offered_versions.iter().map(ToString::to_string)),
        cipher_suites: words(&mut hello.cipher_suites.iter().map(ToString::to_string)),
        extensions: words(&mut hello.extension_types.iter().flatten().map(ToString::to_string)),
        groups: words(&mut hello.groups().iter().map(ToString::to_string)),
        signature_schemes: words(&mut hello.signature_schemes().iter().map(ToString::to_string)),
        alpn: words(&mut hello.alpn().iter().map(|name| String::from_utf8_lossy(name).into_owned())),
    })
}

/// From the first ClientHello to the last Finished.
fn handshake_ms(conversation: &Conversation) -> Option<u64> {
    let said = |kind| move |line: &&capture::transcript::Line| line.said == Said::Handshake(kind);
    let hello = conversation.lines.iter().find(said(HandshakeType::CLIENT_HELLO))?;
    let finished = conversation.lines.iter().rfind(said(HandshakeType::FINISHED))?;
    Some(finished.at.as_millis().saturating_sub(hello.at.as_millis()))
}

const fn name(side: Side) -> &'static str {
    match side {
        Side::Client => "device",
        Side::Server => "broker",
    }
}
