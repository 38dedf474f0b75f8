//! Who a client is, by its first hello.

use capture::{CutOffer, Offer};
use wire::tls::{CipherSuite, Extension, ExtensionType, Ja3, Ja4, ProtocolVersion, is_grease};

use super::paragraph::{heading, labelled, listed, verbatim};
use super::settings::Settings;
use super::stacks::{Begins, Stacks};

/// `TLS 1.2`, `SSL 3.0`.
pub fn tls(version: ProtocolVersion) -> String {
    match version {
        ProtocolVersion::SSL_3_0 => "SSL 3.0".into(),
        other => format!("TLS {other}"),
    }
}

/// So much of a server name is shown, in characters: no DNS name is longer (RFC 1035 §2.3.4).
const SNI_CHARS_MAX: usize = 255;
/// So many suites are listed without being asked for.
const SUITES_SHORT_MAX: usize = 8;
/// So many of a longer list are named.
const SUITES_NAMED: usize = 3;

/// What would accept whoever said this hello, and who that is. A longer list of suites only if `verbose`.
pub fn describe(out: &mut String, offer: &Offer, known: &Stacks, verbose: bool) {
    needs(out, offer);
    heading(out, "Who this client is");
    labelled(out, "hello", &format!("{} bytes{}", offer.message_bytes, record(offer)));
    about(out, offer, known, verbose);
    labelled(out, "JA3", &format!("{} ({})", Ja3::of(&offer.hello).hash(), shortened(&Ja3::of(&offer.hello).full)));
    labelled(out, "JA4", &Ja4::of(&offer.hello).to_string());
    for (label, sentence) in known.nearest(offer) {
        labelled(out, label, &sentence);
    }
}

/// The same of a hello that breaks off: from what is there, and what is missing. Fingerprints and similarity are of whole
/// hellos.
pub fn describe_cut(out: &mut String, cut: &CutOffer, known: &Stacks, verbose: bool) {
    heading(out, "A ClientHello that breaks off");
    let bytes = format!("{} of {} bytes are here{}", cut.has_bytes, cut.wants_bytes, record(&cut.offer));
    labelled(out, "hello", &bytes);
    labelled(
        out,
        "missing",
        &format!("{}: paste the rest, from the following lines or packets", listed(&cut.missing, "and")),
    );
    labelled(out, "", "What follows is told from what is here; what is missing may change it.");
    needs(out, &cut.offer);
    heading(out, "Who this client is");
    about(out, &cut.offer, known, verbose);
    if let Some((label, sentence)) = known.nearest(&cut.offer).into_iter().next() {
        labelled(out, label, &format!("as far as it can be told: {sentence}"));
    }
}

/// What a broker must be told.
fn needs(out: &mut String, offer: &Offer) {
    let settings = Settings::of(&offer.hello);
    heading(out, "What a broker needs to accept it");
    for sentence in settings.sentences() {
        labelled(out, "", &format!("- {sentence}"));
    }
    out.push('\n');
    match settings.mosquitto_conf() {
        Ok(conf) => {
            labelled(out, "mosquitto", "mosquitto.conf, beside what the broker needs anyway:");
            out.push('\n');
            verbatim(out, &conf);
            out.push('\n');
        }
        Err(why) => labelled(out, "mosquitto", &why.message),
    }
    match settings.openssl_ciphers() {
        list if list.is_empty() => labelled(out, "OpenSSL", "the suites of TLS 1.3, which are on by default"),
        list => labelled(out, "OpenSSL", &format!("cipher list {list}")),
    }
    labelled(out, "to try it", &settings.openssl_command());
}

fn about(out: &mut String, offer: &Offer, known: &Stacks, verbose: bool) {
    labelled(out, "version", &versions(offer));
    labelled(out, "clock", &clock(offer, known));
    labelled(out, "server name", &server_name(offer));
    labelled(out, "protocols", &protocols(offer));
    suites(out, offer, verbose);
    extensions(out, offer);
}

fn record(offer: &Offer) -> String {
    match offer.record_version {
        // Most stacks put an older version there, lest old servers stumble (RFC 9846 §5.1).
        Some(version) if version == offer.hello.version => format!(", in a record that says {}", tls(version)),
        Some(version) => format!(", in a record that says {}, for the sake of old servers", tls(version)),
        None => String::new(),
    }
}

fn versions(offer: &Offer) -> String {
    let listed_versions = offer.hello.versions();
    let lists = offer.hello.extension_types.iter().flatten().any(|kind| *kind == ExtensionType::SUPPORTED_VERSIONS);
    match &listed_versions[..] {
        [top, ..] if !lists => format!("{} at most", tls(*top)),
        versions => {
            let mut names: Vec<String> = versions.iter().map(|version| tls(*version)).collect();
            names.reverse();
            listed(&names, "and")
        }
    }
}

fn clock(offer: &Offer, known: &Stacks) -> String {
    let date = offer.gmt_unix_date();
    match (offer.gmt_unix_time, known.begins(offer)) {
        (0, Some((Begins::Zero, stack))) => format!("not told: {stack}, writes 0 there whatever its clock says"),
        (0, _) => {
            format!("unset: gmt_unix_time is 0 ({date}); if the client checks dates, no certificate is valid yet")
        }
        (seconds, _) if offer.is_clock_unset() => {
            format!("unset: gmt_unix_time says {date}, so it counts from power-on, {seconds} s ago")
        }
        (_, Some((Begins::Time, _))) => format!("says {date}, as this stack writes the time into its hellos"),
        _ => "not told: the random begins with randomness".into(),
    }
}

fn server_name(offer: &Offer) -> String {
    match offer.hello.server_name() {
        Some(name) if name.parse::<std::net::IpAddr>().is_ok() => {
            format!("{} (SNI), an address, which RFC 6066 §3 forbids", terminal::clean::cut(name, SNI_CHARS_MAX))
        }
        Some(name) => format!("{} (SNI)", terminal::clean::cut(name, SNI_CHARS_MAX)),
        None => "none: it sends no SNI, so a broker of many names cannot know which one it wants".into(),
    }
}

fn protocols(offer: &Offer) -> String {
    let names: Vec<String> = offer.hello.alpn().iter().take(8).map(|name| name.escape_ascii().to_string()).collect();
    if names.is_empty() { "none (no ALPN)".into() } else { names.join(" ") }
}

fn suites(out: &mut String, offer: &Offer, verbose: bool) {
    let offered = |suite: &&CipherSuite| !is_grease(suite.0) && !suite.is_signal();
    let suites: Vec<&CipherSuite> = offer.hello.cipher_suites.iter().filter(offered).collect();
    let number = count(suites.len(), "suite");
    if verbose || suites.len() <= SUITES_SHORT_MAX {
        labelled(out, "suites", &format!("{number}, in preference order"));
        for suite in suites {
            verbatim(out, &format!("{:04x}  {suite}", suite.0));
        }
    } else {
        let first: Vec<String> = suites.iter().take(SUITES_NAMED).map(ToString::to_string).collect();
        labelled(out, "suites", &format!("{number}, first {} … (`--verbose` lists them)", first.join(", ")));
    }
    let signals: Vec<String> =
        offer.hello.cipher_suites.iter().filter(|suite| suite.is_signal()).map(ToString::to_string).collect();
    if !signals.is_empty() {
        labelled(out, "signals", &signals.join(" "));
    }
}

fn extensions(out: &mut String, offer: &Offer) {
    let hello = &offer.hello;
    let Some(types) = &hello.extension_types else {
        labelled(out, "extensions", "none at all: not even a place for them");
        return;
    };
    let names: Vec<String> = types.iter().map(ToString::to_string).collect();
    labelled(out, "extensions", &names.join(" "));
    let list = |items: Vec<String>| items.join(" ");
    if !hello.groups().is_empty() {
        labelled(out, "groups", &list(hello.groups().iter().map(ToString::to_string).collect()));
    }
    if !hello.key_shares().is_empty() {
        labelled(out, "key shares", &list(hello.key_shares().iter().map(ToString::to_string).collect()));
    }
    if !hello.signature_schemes().is_empty() {
        labelled(out, "signatures", &list(hello.signature_schemes().iter().map(ToString::to_string).collect()));
    }
    let limit = hello.find(|extension| match extension {
        Extension::MaxFragmentLength(bytes) => {
            Some(format!("fragments of at most {bytes} bytes (max_fragment_length)"))
        }
        Extension::RecordSizeLimit(bytes) => Some(format!("records of at most {bytes} bytes (record_size_limit)")),
        _ => None,
    });
    if let Some(limit) = limit {
        labelled(out, "takes", &limit);
    }
    if !hello.malformed.is_empty() {
        labelled(out, "malformed", &list(hello.malformed.iter().map(ToString::to_string).collect()));
    }
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// What of a JA3 fits on two lines.
fn shortened(full: &str) -> String {
    const CHARS_MAX: usize = 140;
    match full.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", full.get(..end).unwrap_or(full)),
        None => full.to_string(),
    }
}
