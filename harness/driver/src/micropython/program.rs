//! The programs that are run at the REPL: Python, with a plan's words as literals.

use std::fmt::Write as _;

use clock::UnixTime;
use clock::calendar::Date;
use control::{Act, Blob, Clock, Plan, Tls, Verify};

/// What speaks TLS below MicroPython's module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Library {
    /// With contexts, which verify.
    MbedTls,
    /// One function, which takes a certificate, a key and, from 1.10 on, a name; nothing is verified.
    AxTls,
}

impl Library {
    /// The library of the port that a banner names: `MicroPython v1.12 on 2019-12-20; ESP module with ESP8266`.
    pub(super) fn of_banner(banner: &str) -> Self {
        if banner.trim_end().ends_with("with ESP8266") { Self::AxTls } else { Self::MbedTls }
    }
}

/// Our lines beside the image's modules.
pub(super) fn prelude(library: Library) -> String {
    let (modules, socket) = match library {
        Library::MbedTls => (include_str!("prelude/mbedtls.py"), include_str!("prelude/mbedtls_socket.py")),
        Library::AxTls => (include_str!("prelude/axtls.py"), include_str!("prelude/axtls_socket.py")),
    };
    [modules, include_str!("prelude/network.py"), socket, include_str!("prelude/end.py")].concat()
}

/// Ends the session.
pub(super) const GOODBYE: &str = "_c.disconnect()\n";

/// How often a device that idles looks for messages, in milliseconds.
const IDLE_STEP_MS: u32 = 100;

/// Joins the network of the plan.
pub(super) fn join(plan: &Plan) -> String {
    let Some(wifi) = &plan.network.wifi else { return String::new() };
    let passphrase = wifi.passphrase.as_deref().map_or_else(|| "None".to_owned(), text);
    let power_save = if wifi.power_save { "True" } else { "None" };
    format!("_join({}, {passphrase}, {}, {power_save})\n", text(&wifi.ssid), wifi.join_timeout_ms)
}

/// Sets the clock, and writes what is trusted and shown into files.
pub(super) fn set_up(plan: &Plan) -> String {
    let mut program = match &plan.clock {
        Clock::Unset => String::new(),
        Clock::Set(seconds) => {
            let Date { year, month, day, hour, minute, second, .. } =
                Date::from_unix_time(UnixTime::from_seconds(*seconds));
            format!("machine.RTC().datetime(({year}, {month}, {day}, 0, {hour}, {minute}, {second}, 0))\n")
        }
        Clock::Sntp(host) => format!("import ntptime\nntptime.host = {}\nntptime.settime()\n", text(host)),
    };
    for (name, content) in plan.tls.iter().flat_map(files) {
        let _ = writeln!(program, "_write({}, {})", text(&name), bytes(&content));
    }
    program
}

/// Makes a client, and connects it, after a pause.
pub(super) fn connect(plan: &Plan, pause_ms: u32) -> String {
    let mqtt = &plan.mqtt;
    let mut program = String::new();
    if pause_ms > 0 {
        let _ = writeln!(program, "time.sleep_ms({pause_ms})");
    }
    let secure = match &plan.tls {
        None => String::new(),
        Some(tls) => {
            let _ = writeln!(program, "_t = {}", context(tls));
            // Before 1.23 `umqtt.simple` finds its `ssl` where modules are found.
            program.push_str("if not _new: sys.modules[\"ssl\"] = sys.modules[\"ussl\"] = _t\n");
            ", ssl=_t if _new else True".to_owned()
        }
    };
    let credential = |word: &Option<String>| word.as_deref().map_or_else(|| "None".to_owned(), text);
    let _ = writeln!(
        program,
        "_c = umqtt.simple.MQTTClient({}, {}, {}, {}, {}, {}{secure})",
        text(&mqtt.client_id),
        text(&plan.broker_host),
        plan.broker_port,
        credential(&mqtt.user_name),
        credential(&mqtt.password),
        mqtt.keep_alive_s,
    );
    program.push_str("_c.set_callback(_message)\n");
    if let Some(will) = &mqtt.will {
        let retain = if will.retain { "True" } else { "False" };
        let _ = writeln!(
            program,
            "_c.set_last_will({}, {}, {retain}, {})",
            text(&will.topic),
            bytes(will.payload.as_bytes()),
            will.qos
        );
    }
    let clean = if mqtt.clean_session { "True" } else { "False" };
    let _ = writeln!(program, "_r(\"connack\", _c.connect({clean}))");
    program
}

/// One thing that is done once connected.
pub(super) fn act(act: &Act, keep_alive_s: u16) -> String {
    match act {
        Act::Subscribe { topic, qos } => format!("_c.subscribe({}, {qos})\n", text(topic)),
        Act::Publish { topic, payload, qos } => {
            format!("_c.publish({}, {}, False, {qos})\n", text(topic), bytes(payload.as_bytes()))
        }
        Act::Await { messages } => format!("for _i in range({messages}): _c.wait_msg()\n"),
        Act::Idle { ms } => idle(*ms, keep_alive_s),
    }
}

/// Looks for messages, and sends PINGREQ at half the keep-alive, as programs with `umqtt.simple` do.
fn idle(ms: u32, keep_alive_s: u16) -> String {
    let every_ms = u32::from(keep_alive_s) * 500;
    let ping = if every_ms == 0 {
        String::new()
    } else {
        format!(
            "    if time.ticks_diff(time.ticks_ms(), _p) > {every_ms}:\n        _c.ping()\n        _p = time.ticks_ms()\n"
        )
    };
    format!(
        "_b = _p = time.ticks_ms()\nwhile time.ticks_diff(time.ticks_ms(), _b) < {ms}:\n    _c.check_msg()\n{ping}    \
         time.sleep_ms({IDLE_STEP_MS})\n"
    )
}

/// The files that a device needs for TLS, by their names.
fn files(tls: &Tls) -> Vec<(String, Vec<u8>)> {
    let of = |name: &str, blob: &Option<Blob>| Some((file(name, blob.as_ref()?), content(blob.as_ref()?)));
    [of("ca", &tls.authorities), of("cert", &tls.client_certificate), of("key", &tls.client_key)]
        .into_iter()
        .flatten()
        .collect()
}

fn file(name: &str, blob: &Blob) -> String {
    match blob {
        Blob::Pem(_) => format!("{name}.pem"),
        Blob::DerHex(_) => format!("{name}.der"),
    }
}

fn content(blob: &Blob) -> Vec<u8> {
    match blob {
        Blob::Pem(text) => text.clone().into_bytes(),
        Blob::DerHex(digits) => digits
            .as_bytes()
            .chunks(2)
            .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect(),
    }
}

/// An expression for the context of a connection.
fn context(tls: &Tls) -> String {
    let named = tls.server_name.as_deref().filter(|_| tls.sends_server_name || tls.checks_name);
    let or_none = |word: Option<String>| word.unwrap_or_else(|| "None".to_owned());
    let file = |name: &str, blob: &Option<Blob>| or_none(blob.as_ref().map(|blob| text(&file(name, blob))));
    let reqs = match tls.verify {
        Verify::Required => "_ssl.CERT_REQUIRED",
        Verify::Optional => "_ssl.CERT_OPTIONAL",
        Verify::None => "_ssl.CERT_NONE",
    };
    let names: Option<Vec<String>> = tls.cipher_suites.iter().map(|suite| super::plan::mbedtls_name(*suite)).collect();
    let ciphers = names.filter(|names| !names.is_empty());
    let ciphers =
        ciphers.map(|names| format!("[{}]", names.iter().map(|name| text(name)).collect::<Vec<_>>().join(", ")));
    format!(
        "_Tls({}, {reqs}, {}, {}, {}, {})",
        or_none(named.map(text)),
        file("ca", &tls.authorities),
        file("cert", &tls.client_certificate),
        file("key", &tls.client_key),
        or_none(ciphers),
    )
}

/// Text as a literal: no byte of it is obeyed by the REPL, and none ends it.
fn text(text: &str) -> String {
    let mut literal = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => literal.extend(['\\', c]),
            ' '..='~' => literal.push(c),
            _ => _ = write!(literal, "\\U{:08x}", u32::from(c)),
        }
    }
    literal.push('"');
    literal
}

/// Bytes as a literal.
fn bytes(bytes: &[u8]) -> String {
    let mut literal = String::from("b\"");
    for byte in bytes {
        match byte {
            b'\n' => literal.push_str("\\n"),
            b'"' | b'\\' => literal.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => literal.push(char::from(*byte)),
            _ => _ = write!(literal, "\\x{byte:02x}"),
        }
    }
    literal.push('"');
    literal
}
