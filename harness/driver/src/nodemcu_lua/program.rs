//! The lines that are typed at the prompt: Lua, with a plan's words as literals.
//!
//! No line is longer than the console takes. What is longer, certificates, is written into a file line by line and run from
//! there, as people do it.

use std::fmt::Write as _;

use control::{Act, Blob, Plan, Tls, Verify};

/// How long a literal is beside which there are other words in a line.
const LITERAL_BYTES_MAX: usize = 120;
/// How often the script looks whether it has an address, in milliseconds.
const LOOK_EVERY_MS: u32 = 100;
/// DISCONNECT leaves, and the connection ends.
const GOODBYE_MS: u32 = 300;

/// Our few words beside the image's modules: `_r` prints a mark; `_a` and `_s` start and stop a timer, which have numbers in
/// old versions and are objects in new ones.
pub(super) const PRELUDE: [&str; 3] = [
    r#"function _r(...) local t={...} for i=1,#t do t[i]=tostring(t[i]) end print("\30"..table.concat(t," ")) end"#,
    "_t={} function _s(i) if _t[i] then _t[i]:unregister() _t[i]=nil elseif not tmr.create then tmr.stop(i) end end",
    "function _a(i,ms,m,f) _s(i) if tmr.create then _t[i]=tmr.create() _t[i]:alarm(ms,m,f) else tmr.alarm(i,ms,m,f) end end",
];

/// Joins the network of the plan, and says when it has an address.
pub(super) fn join(plan: &Plan) -> Vec<String> {
    let Some(wifi) = &plan.network.wifi else { return Vec::new() };
    let (ssid, passphrase) = (text(&wifi.ssid), text(wifi.passphrase.as_deref().unwrap_or_default()));
    let table = match wifi.passphrase {
        Some(_) => format!("{{ssid={ssid},pwd={passphrase}}}"),
        None => format!("{{ssid={ssid}}}"),
    };
    let ticks = wifi.join_timeout_ms.max(wifi.lease_timeout_ms) / LOOK_EVERY_MS;
    vec![
        "wifi.setmode(wifi.STATION)".to_owned(),
        // Version 2 takes a table, and those before it two words.
        format!("_w={table}"),
        format!("if not pcall(wifi.sta.config,_w) then wifi.sta.config({ssid},{passphrase}) end"),
        "_n=0 function _j() _n=_n+1 local i=wifi.sta.getip() if i then _s(0) _r(\"joined\",i)".to_owned(),
        format!("elseif _n>{ticks} then _s(0) _r(\"nonetwork\",wifi.sta.status()) end end"),
        format!("_a(0,{LOOK_EVERY_MS},1,_j)"),
    ]
}

/// What is trusted and shown, and the memory that the application has taken.
pub(super) fn set_up(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(tls) = &plan.tls {
        lines.extend(trust(tls));
    }
    if let Some(bytes) = plan.heap_cap_bytes {
        lines.push("collectgarbage() collectgarbage() _m={}".to_owned());
        // In blocks of 128 bytes, with what Lua adds to each.
        lines.push(format!(
            "while node.heap()>{bytes} do _m[#_m+1]=string.rep(string.char(65+#_m%26)..#_m,128):sub(1,104) end"
        ));
    }
    lines
}

/// Makes a client, and connects it; whatever comes of it is said once.
pub(super) fn connect(plan: &Plan) -> Vec<String> {
    let mqtt = &plan.mqtt;
    let credential = |word: &Option<String>| text(word.as_deref().unwrap_or_default());
    let mut lines = vec![format!(
        "_c=mqtt.Client({},{},{},{},{})",
        text(&mqtt.client_id),
        mqtt.keep_alive_s,
        credential(&mqtt.user_name),
        credential(&mqtt.password),
        u8::from(mqtt.clean_session)
    )];
    if let Some(will) = &mqtt.will {
        lines.push(format!(
            "_c:lwt({},{},{},{})",
            text(&will.topic),
            text(&will.payload),
            will.qos,
            u8::from(will.retain)
        ));
    }
    lines.extend([
        "_c:on(\"offline\",function() _s(1) _r(\"offline\") end)".to_owned(),
        "_c:on(\"message\",function(c,t,d) _r(\"message\",#(d or \"\"),t) end)".to_owned(),
        format!("_h={}", text(&plan.broker_host)),
        "function _k() _s(1) _r(\"connack\") end function _f(c,n) _s(1) _r(\"failed\",n) end".to_owned(),
        "function _g() _s(1) _r(\"gaveup\") end".to_owned(),
        format!(
            "_a(1,{},0,_g) _r(\"dialled\",pcall(_c.connect,_c,_h,{},{},_k,_f))",
            give_up_ms(plan),
            plan.broker_port,
            u8::from(plan.tls.is_some())
        ),
    ]);
    lines
}

/// Connects the client once more, after a pause.
pub(super) fn connect_again(plan: &Plan, pause_ms: u32) -> Vec<String> {
    vec![
        "pcall(_c.close,_c)".to_owned(),
        format!("_a(2,{},0,function() _r(\"paused\") end)", pause_ms.max(1)),
        String::new(),
        format!(
            "_a(1,{},0,_g) _r(\"dialled\",pcall(_c.connect,_c,_h,{},{},_k,_f))",
            give_up_ms(plan),
            plan.broker_port,
            u8::from(plan.tls.is_some())
        ),
    ]
}

/// How long a script waits for a word of its client, in milliseconds, where the scenario does not say otherwise.
pub(super) fn give_up_ms(plan: &Plan) -> u32 {
    /// What a plan waits for each of its steps, where nobody says otherwise.
    const USUAL_MS: u32 = 10_000;
    /// Versions 2 and 3 ask a resolver five times four times, for some 33 seconds, before they say -3.
    const GIVE_UP_MS: u32 = 45_000;
    let shortest = plan.connect_timeout_ms.min(plan.handshake_timeout_ms).min(plan.reply_timeout_ms);
    if shortest < USUAL_MS { shortest } else { GIVE_UP_MS }
}

/// One thing that is done once connected; it ends with a mark, but for messages that are awaited, which say so themselves.
pub(super) fn act(act: &Act) -> Vec<String> {
    match act {
        Act::Subscribe { topic, qos } => {
            vec![format!("_c:subscribe({},{qos},function() _r(\"done\") end)", text(topic))]
        }
        Act::Publish { topic, payload, qos } => {
            let mut lines = vec!["_p=\"\"".to_owned()];
            lines.extend(pieces(payload).map(|piece| format!("_p=_p..{}", text(piece))));
            lines.push(format!("_c:publish({},_p,{qos},0,function() _r(\"done\") end) _p=nil", text(topic)));
            lines
        }
        Act::Await { .. } => Vec::new(),
        Act::Idle { ms } => vec![format!("_a(3,{ms},0,function() _r(\"done\") end)")],
    }
}

/// Ends the session.
pub(super) fn goodbye() -> Vec<String> {
    vec![format!("pcall(_c.close,_c) _a(3,{GOODBYE_MS},0,function() _r(\"closed\") end)")]
}

/// Files with the certificates, each of which is a script that hands them over.
fn trust(tls: &Tls) -> Vec<String> {
    let mut lines = Vec::new();
    if tls.verify != Verify::None {
        // Whoever trusts nobody in particular still wants the chain to be checked.
        match pem(&tls.authorities) {
            Some(authorities) => lines.extend(script("trust.lua", "tls.cert.verify", &[authorities])),
            None => lines.push("tls.cert.verify(true)".to_owned()),
        }
    }
    if let (Some(certificate), Some(key)) = (pem(&tls.client_certificate), pem(&tls.client_key)) {
        lines.extend(script("auth.lua", "tls.cert.auth", &[certificate, key]));
    }
    lines
}

fn pem(blob: &Option<Blob>) -> Option<&str> {
    match blob {
        Some(Blob::Pem(text)) => Some(text),
        Some(Blob::DerHex(_)) | None => None,
    }
}

/// Writes a script that calls `function` with these texts, and runs it.
fn script(name: &str, function: &str, texts: &[&str]) -> Vec<String> {
    let mut lines = vec![format!("file.open(\"{name}\",\"w\")"), format!("file.writeline(\"{function}(\")")];
    for (number, words) in texts.iter().enumerate() {
        if number > 0 {
            lines.push("file.writeline(\",\")".to_owned());
        }
        lines.push("file.writeline(\"[==[\")".to_owned());
        for line in words.lines() {
            let mut written = pieces(line).peekable();
            while let Some(piece) = written.next() {
                let call = if written.peek().is_some() { "write" } else { "writeline" };
                lines.push(format!("file.{call}({})", text(piece)));
            }
        }
        lines.push("file.writeline(\"]==]\")".to_owned());
    }
    lines.extend(["file.writeline(\")\")", "file.close()"].map(str::to_owned));
    lines.push(format!("_r(\"script\",pcall(dofile,\"{name}\"))"));
    lines.push("collectgarbage()".to_owned());
    lines
}

/// Text in pieces whose literals fit into a line.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut literal_bytes = 0;
        let fits = |(_, c): &(usize, char)| {
            literal_bytes += if (' '..='~').contains(c) { 1 } else { 4 * c.len_utf8() };
            literal_bytes <= LITERAL_BYTES_MAX
        };
        let end = rest.char_indices().take_while(fits).last().map_or(0, |(at, c)| at + c.len_utf8());
        let (piece, left) = rest.split_at(end);
        rest = left;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Text as a literal: no byte of it is obeyed by the prompt, and none ends it.
fn text(text: &str) -> String {
    let mut literal = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => literal.extend(['\\', char::from(byte)]),
            b' '..=b'~' => literal.push(char::from(byte)),
            _ => _ = write!(literal, "\\{byte:03}"),
        }
    }
    literal.push('"');
    literal
}
