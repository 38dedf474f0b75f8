//! Where a connection broke, as its wire tells it.

use capture::Side;
use capture::transcript::{Close, Conversation, Line, Said, Who};
use outcome::AlertDescription;
use wire::mqtt::{ConnectCode, Kind};
use wire::tls::{HandshakeType, ProtocolVersion};

use super::alerts;
use super::client::tls;
use super::sealed;

/// Ports on which brokers expect TLS (IANA's secure-mqtt, and what brokers use beside it).
const TLS_PORTS: [u16; 4] = [8883, 8884, 8886, 443];

/// What is known besides the connection itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Around<'a> {
    /// To how many bytes the recorder cut packets.
    pub cut_bytes: Option<usize>,
    /// Which TLS stack the client is likely to be.
    pub stack: Option<&'a str>,
}

/// How a connection ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Story {
    /// In a phrase.
    pub ended: String,
    /// The last message of each side, the later one last.
    pub last_messages: Vec<String>,
    /// What that means.
    pub sentences: Vec<String>,
}

/// Tells how a connection ended.
pub fn tell(conversation: &Conversation, around: Around<'_>) -> Story {
    let mut story = Story { last_messages: last_messages(conversation), ..Story::default() };
    let facts = &conversation.facts;
    let is_lost = !facts.is_handshake_complete && facts.sealed.is_empty() && facts.connect_code.is_none();
    let fatal = conversation.lines.iter().find_map(|line| match (line.said, line.who) {
        (Said::Alert { level: 2, description }, who) => Some((who, description)),
        _ => None,
    });
    if let Some((who, alert)) = fatal {
        by_alert(&mut story, conversation, who, alert, around);
    } else if let Some(bytes) = around.cut_bytes.filter(|_| is_lost) {
        story.ended = format!("cannot be told: the packets were cut at {bytes} bytes");
        story.sentences.push("What was said lies in what was cut off: record again with `tcpdump -s 0`.".into());
    } else if facts.proxy.as_ref().is_some_and(|proxy| !proxy.is_open) {
        story.ended = "the proxy did not open a tunnel".into();
        story.sentences.push("Nothing of this reached the broker: look at the proxy's rules and its login.".into());
    } else if let Some(code) = facts.connect_code.filter(|code| *code != ConnectCode::ACCEPTED) {
        story.ended = format!("the server refused the login: CONNACK {code}");
        story.sentences.push(connect_code(code).into());
    } else if conversation.lines.is_empty() || has_said(conversation, |said| said == Said::Syn) {
        without_a_word(&mut story, conversation);
    } else if facts.version == Some(ProtocolVersion::TLS_1_3) && !facts.has_secrets && !facts.sealed.is_empty() {
        sealed::tell(&mut story, facts);
    } else if !facts.is_handshake_complete && facts.offer.is_some() {
        in_the_handshake(&mut story, conversation);
    } else {
        afterwards(&mut story, conversation);
    }
    if let Some(proxy) = &facts.proxy {
        let (kind, answer) = (proxy.kind, &proxy.answer);
        story
            .sentences
            .push(format!("It leads through a proxy ({kind}) to {}, which answered: {answer}.", proxy.target));
    }
    if let Some((side, how)) = facts.first_to_close {
        let first = format!("The {} closed first, with {how}.", name(side));
        story.sentences.push(match how {
            Close::Fin => first,
            Close::Rst => {
                format!("{first} A reset throws away what was on its way: the last message may never have arrived.")
            }
        });
    }
    if conversation.repeated.iter().any(|segments| *segments > 3) {
        let [client, server] = conversation.repeated;
        story.sentences.push(format!(
            "The network loses packets: {client} segments of the client and {server} of the server were sent again."
        ));
    }
    story
}

fn by_alert(story: &mut Story, conversation: &Conversation, who: Who, alert: AlertDescription, around: Around<'_>) {
    const INTERNAL_ERROR: AlertDescription = AlertDescription(80);
    const BAD_CERTIFICATE: AlertDescription = AlertDescription(42);
    let from_client = who == Who::Client;
    let side = if from_client { "client" } else { "server" };
    let when = if conversation.facts.is_handshake_complete { "after the handshake" } else { stage(conversation) };
    story.ended = format!("the {side} gave up {when}: alert {alert}");
    let facts = &conversation.facts;
    let at_certificate = has_said(conversation, |said| said == Said::Handshake(HandshakeType::CERTIFICATE));
    // libmosquitto compares names in a callback of its own, and OpenSSL has no alert for a callback that says no.
    let compares_names = around.stack.is_some_and(|stack| stack.contains("mosquitto"));
    // In TLS 1.3 the server's certificate is among the records that nobody can read.
    let has_flight =
        facts.version == Some(ProtocolVersion::TLS_1_3) && facts.sealed.iter().any(|(side, _)| *side == Side::Server);
    if alert == INTERNAL_ERROR && from_client && compares_names && (at_certificate || has_flight) {
        let name = facts.server_name.as_deref().map_or_else(String::new, |name| format!(" (`{name}` by its hello)"));
        story.sentences.push(format!(
            "From libmosquitto (mosquitto_pub, mosquitto_sub) it means that its own comparison of names said no: the \
             dialled name{name} is not in the server's certificate. Dial a name or an address that is, or issue the \
             certificate with it."
        ));
        return;
    }
    if alert == BAD_CERTIFICATE && !from_client && !at_certificate {
        let name = facts.server_name.as_deref().map_or_else(|| "no server name".into(), |name| format!("`{name}`"));
        story.sentences.push(format!(
            "No certificate had been shown by anybody yet: some servers, AWS IoT among them, say this of a server name \
             that they do not serve. The client asked for {name}."
        ));
        return;
    }
    story.sentences.push(format!("It means that {}.", alerts::meaning(alert, from_client)));
    if from_client && at_certificate && server_certificate_says(conversation, "explicit curve parameters") {
        story.sentences.push(
            "The certificate writes its curve out (explicit parameters), which few libraries read: make the key anew with \
             a named curve."
                .into(),
        );
    }
}

fn server_certificate_says(conversation: &Conversation, words: &str) -> bool {
    let is_certificate =
        |line: &&Line| line.said == Said::Handshake(HandshakeType::CERTIFICATE) && line.who == Who::Server;
    conversation.lines.iter().find(is_certificate).is_some_and(|line| line.details.contains(words))
}

/// How far the handshake had come, as a phrase.
fn stage(conversation: &Conversation) -> &'static str {
    let said = |kind: HandshakeType| has_said(conversation, |said| said == Said::Handshake(kind));
    if said(HandshakeType::FINISHED) {
        "at the end of the handshake"
    } else if said(HandshakeType::CERTIFICATE) {
        "at the server's certificate"
    } else if said(HandshakeType::SERVER_HELLO) {
        "after the ServerHello"
    } else {
        "in answer to the ClientHello"
    }
}

fn without_a_word(story: &mut Story, conversation: &Conversation) {
    let details = conversation.lines.first().map_or("", |line| line.details.as_str());
    let port = conversation.server.port();
    let (ended, sentence) = match (details, conversation.facts.first_to_close) {
        ("", Some((Side::Server, Close::Rst))) => (
            "the server's machine refused the connection".into(),
            format!("Nothing listens on port {port} there, or a firewall says so in its place."),
        ),
        ("accepted", Some((Side::Client, _))) => (
            "connected, and the client left without a word".into(),
            "It failed before its ClientHello: out of memory, a wrong configuration, or a check that a port is open."
                .into(),
        ),
        ("accepted", _) => (
            "connected, and nobody said a word".into(),
            "The client waits for the server or for itself; a TLS client speaks first.".into(),
        ),
        (no_answer, _) if no_answer.starts_with("no answer") => (
            format!("TCP came to nothing: {no_answer}"),
            format!("The address is wrong, the machine is down, or a firewall drops what goes to port {port}."),
        ),
        _ => ("nothing was said".into(), "Only acknowledgements passed: the capture began too late.".into()),
    };
    story.ended = ended;
    story.sentences.push(sentence);
}

fn in_the_handshake(story: &mut Story, conversation: &Conversation) {
    let closer = conversation.facts.first_to_close;
    let at = stage(conversation);
    let is_hello = at == "in answer to the ClientHello";
    story.ended = match closer {
        Some((side, how)) => format!("the {} closed {at}, without an alert ({how})", name(side)),
        None => format!("the handshake stops {at}, and nobody closes"),
    };
    if has_said(conversation, |said| matches!(said, Said::NotTls)) {
        story
            .sentences
            .push("One side does not speak TLS: a plain MQTT or HTTP port was dialled, or a proxy answers.".into());
    }
    story.sentences.push(match (closer, is_hello) {
        (Some((Side::Server, _)), true) => {
            "A server that closes on a hello did not like its version, its suites or its missing server name, and is not \
             one that says so; load balancers and old IBM brokers do that. Compare with what the broker needs, below. Or it \
             speaks no TLS on this port: a plain MQTT broker takes a hello for a broken packet and closes."
                .into()
        }
        (Some((Side::Server, _)), false) if wanted_a_certificate(conversation) => {
            "The server asked for a client certificate, and none came: it closed in the place of an alert. Give the \
             client its certificate and key."
                .into()
        }
        (Some((Side::Server, _)), false) => {
            "A server that closes here could not use what the client answered, or ran into its own time limit.".into()
        }
        (Some((Side::Client, _)), true) => {
            "The client did not wait for an answer: its own time limit, or no memory for the answer.".into()
        }
        (Some((Side::Client, _)), false) if conversation.facts.version >= Some(ProtocolVersion::TLS_1_3) => {
            "The client closed before it said anything more: its own time limit, no memory, or it was stopped.".into()
        }
        (Some((Side::Client, _)), false) => {
            "A client that closes without an alert may be BearSSL, which never sends one over a certificate: ask its error \
             code. Wrong name, wrong date and unknown authority all look like this on the wire."
                .into()
        }
        (None, _) => "The capture ends too early, or somebody waits for what was lost.".into(),
    });
}

fn afterwards(story: &mut Story, conversation: &Conversation) {
    let facts = &conversation.facts;
    let agreed = match (facts.version, facts.cipher_suite) {
        (Some(version), Some(suite)) => format!("{} with {suite}", tls(version)),
        _ => "no TLS".into(),
    };
    let says = |kind: Kind| has_said(conversation, |said| said == Said::Mqtt(kind));
    if says(Kind::Disconnect) {
        story.ended = format!("in good order, with DISCONNECT ({agreed})");
    } else if says(Kind::ConnAck) {
        story.ended = format!("after a successful login ({agreed})");
    } else if says(Kind::Connect) && is_plain_on_a_tls_port(conversation) {
        story.ended = "the client spoke plain MQTT to a port that expects TLS".into();
        story.sentences.push(format!(
            "Port {} is one on which brokers speak TLS: switch TLS on at the client, or dial the plain port, usually 1883. A \
             TLS server reads CONNECT as a broken record and closes, with an alert or without.",
            conversation.server.port()
        ));
    } else if says(Kind::Connect) {
        story.ended = format!("after CONNECT, without a CONNACK ({agreed})");
        story.sentences.push(
            "The broker dropped the login without an answer: MQTT lets it do so for a protocol it does not speak, or a \
             client it does not want."
                .into(),
        );
        if facts.version.is_none() {
            story.sentences.push(
                "Or the port expects TLS, and this client speaks plain MQTT: switch TLS on at the client, or dial the plain \
                 port, usually 1883."
                    .into(),
            );
        }
    } else if facts.has_gaps {
        story.ended = format!("after the handshake, encrypted ({agreed})");
        story.sentences.push(
            "What passed inside is encrypted: with the secrets of the connection (SSLKEYLOGFILE, `--keys`) it can be told."
                .into(),
        );
    } else {
        story.ended = format!("without a login ({agreed})");
        if facts.proxy.is_none() && facts.offer.is_none() && has_said(conversation, |said| said == Said::Data) {
            story.sentences.push("What was said is neither TLS nor MQTT.".into());
        }
    }
}

/// Whether a client certificate was asked for, and the client sent none.
fn wanted_a_certificate(conversation: &Conversation) -> bool {
    let asked = has_said(conversation, |said| said == Said::Handshake(HandshakeType::CERTIFICATE_REQUEST));
    let is_certificate =
        |line: &&Line| line.said == Said::Handshake(HandshakeType::CERTIFICATE) && line.who == Who::Client;
    let sent = conversation.lines.iter().find(is_certificate).is_some_and(|line| line.details != "none");
    asked && !sent
}

/// MQTT without TLS, where TLS was expected: by the port, or because the answer is no MQTT.
fn is_plain_on_a_tls_port(conversation: &Conversation) -> bool {
    let facts = &conversation.facts;
    let is_answered = has_said(conversation, |said| said == Said::NotMqtt);
    facts.offer.is_none() && (TLS_PORTS.contains(&conversation.server.port()) || is_answered)
}

const fn connect_code(code: ConnectCode) -> &'static str {
    match code {
        ConnectCode::UNACCEPTABLE_PROTOCOL_VERSION => {
            "The broker does not speak the client's version of MQTT: 3.1, 3.1.1 and 5 differ in the first bytes."
        }
        ConnectCode::IDENTIFIER_REJECTED => {
            "The client identifier is too long, empty without a clean session, or not allowed; some brokers say this of a \
             keep-alive that they don't take."
        }
        ConnectCode::SERVER_UNAVAILABLE => "The broker is up and its MQTT is not: try again later.",
        ConnectCode::BAD_USER_NAME_OR_PASSWORD => "User name or password are wrong, or in a wrong form.",
        ConnectCode::NOT_AUTHORIZED => {
            "The broker knows the client and does not let it in; a broker of many tenants says this too if the hello \
             carried no server name (SNI), as it cannot tell whose client this is."
        }
        _ => "The code is reserved: whatever answers is no broker of MQTT 3.1.1.",
    }
}

fn has_said(conversation: &Conversation, matches: impl Fn(Said) -> bool) -> bool {
    conversation.lines.iter().any(|line| matches(line.said))
}

fn last_messages(conversation: &Conversation) -> Vec<String> {
    let is_message = |line: &&Line| !matches!(line.said, Said::Fin | Said::Rst);
    let last = |who: Who| conversation.lines.iter().enumerate().rfind(|(_, line)| line.who == who && is_message(line));
    let mut messages: Vec<(usize, &Line)> = [Who::Client, Who::Server].into_iter().filter_map(last).collect();
    messages.sort_by_key(|(index, _)| *index);
    messages.into_iter().map(|(_, line)| quoted(line)).collect()
}

fn quoted(line: &Line) -> String {
    let who = if line.who == Who::Client { "client" } else { "server" };
    // A hello's details are told elsewhere.
    let is_hello = line.said == Said::Handshake(HandshakeType::CLIENT_HELLO);
    let details = if line.details.is_empty() || is_hello { String::new() } else { format!(" {}", line.details) };
    format!("{who}, at {} ms: {}{details}", line.at.as_millis(), line.said)
}

const fn name(side: Side) -> &'static str {
    match side {
        Side::Client => "client",
        Side::Server => "server",
    }
}
