//! One TCP connection, from its events to its lines.

mod application;
mod tls;
mod transcript_builder;
mod tunnel;

use crate::secrets::KeyLog;
use crate::stream::{Connection, Event, Happening, Side};
use crate::text::count;
use crate::transcript::{Close, Conversation, Said};
use application::Application;
use outcome::Stage;
use tls::TlsDecoder;
use transcript_builder::TranscriptBuilder;
use tunnel::Tunnel;

/// What a connection's bytes are.
enum Layer {
    /// Nobody has said anything yet.
    Unknown,
    /// A proxy is being asked; what comes behind that is a connection of its own.
    Tunnel(Tunnel),
    Tls(Box<TlsDecoder>),
    /// Plain MQTT, or whatever else it may be.
    Plain(Application),
}

/// Reads a connection.
pub(crate) fn read(connection: &Connection, keys: &KeyLog) -> Conversation {
    let mut builder = TranscriptBuilder::default();
    let mut layer = Layer::Unknown;
    let mut syns = [None; 2];
    for event in &connection.events {
        builder.now = event.at;
        match &event.what {
            Happening::Syn => {
                syns[event.from as usize] = Some(event.at);
                builder.reached(Stage::Connect);
            }
            Happening::Data(bytes) => {
                layer.data(event.from, bytes, keys, &mut builder);
            }
            Happening::Fin => close(event, Close::Fin, &mut layer, &mut builder),
            Happening::Rst => close(event, Close::Rst, &mut layer, &mut builder),
        }
    }
    layer.broke_off(Side::Client, &mut builder);
    layer.broke_off(Side::Server, &mut builder);
    if let (Layer::Unknown, Some(at)) = (&layer, syns[0]) {
        let attempts = connection.repeated[0] as usize + 1;
        let answer = match (syns[1], attempts) {
            (Some(_), _) => "accepted".into(),
            (None, 1) => "no answer".into(),
            (None, attempts) => format!("no answer to {}", count(attempts, "attempt")),
        };
        let is_refused = syns[1].is_none() && builder.facts.first_to_close.is_some();
        builder.insert_first(at, Side::Client, Said::Syn, if is_refused { String::new() } else { answer });
    }
    let began = connection.events.first().map_or(builder.now, |event| event.at);
    Conversation {
        began,
        client: connection.client,
        server: connection.server,
        repeated: connection.repeated,
        remarks: remarks(connection, builder.untold),
        lines: builder.lines,
        facts: builder.facts,
    }
}

impl Layer {
    fn data(&mut self, side: Side, bytes: &[u8], keys: &KeyLog, builder: &mut TranscriptBuilder) {
        if matches!(self, Self::Unknown) {
            *self = layer_of(side, bytes);
        }
        match self {
            Self::Tls(session) => session.data(side, bytes, keys, builder),
            Self::Plain(application) => application.data(side, bytes, builder),
            Self::Tunnel(tunnel) => {
                if let Some(behind) = tunnel.data(side, bytes, builder) {
                    *self = Self::Unknown;
                    for (side, bytes) in [Side::Client, Side::Server].into_iter().zip(behind) {
                        if !bytes.is_empty() {
                            self.data(side, &bytes, keys, builder);
                        }
                    }
                }
            }
            Self::Unknown => {}
        }
    }

    /// Nothing more comes from `side`: what is incomplete stays so.
    fn broke_off(&mut self, side: Side, builder: &mut TranscriptBuilder) {
        match self {
            Self::Tls(session) => session.broke_off(side, builder),
            Self::Plain(application) => application.broke_off(side, builder),
            Self::Tunnel(_) | Self::Unknown => {}
        }
    }
}

/// TLS begins with a handshake record or, from a server out of temper, an alert. SSL 2.0 hellos are not known here.
fn layer_of(side: Side, bytes: &[u8]) -> Layer {
    if let Some(tunnel) = Tunnel::begins(side, bytes) {
        return Layer::Tunnel(tunnel);
    }
    match bytes {
        [20..=23, 3, ..] | [22] => Layer::Tls(Box::default()),
        _ => Layer::Plain(Application::default()),
    }
}

fn close(event: &Event, how: Close, layer: &mut Layer, builder: &mut TranscriptBuilder) {
    layer.broke_off(event.from, builder);
    builder.facts.first_to_close.get_or_insert((event.from, how));
    builder.line(event.from, if how == Close::Fin { Said::Fin } else { Said::Rst }, String::new());
}

fn remarks(connection: &Connection, untold: usize) -> Vec<String> {
    let sides = [("client", 0), ("server", 1)];
    let gaps = sides.iter().filter(|(_, side)| connection.behind_gap[*side] > 0).map(|(name, side)| {
        format!("{} of the {name} lie behind a gap and were not read", count(connection.behind_gap[*side], "byte"))
    });
    gaps.chain((untold > 0).then(|| format!("{untold} further lines are not shown"))).collect()
}
