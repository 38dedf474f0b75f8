//! How changes are written down for each program. What was run here says so; the rest names its source.

use serde::Serialize;
use wire::tls::CipherSuite;

use super::change::Change;
use super::twin::Twin;
use crate::proxy::Tls;
use explain::openssl_name;

/// The programs that are run here where they are installed.
pub const MOSQUITTO: &str = "mosquitto";
/// In front of a broker.
pub const NGINX: &str = "nginx";
/// In front of a broker.
pub const HAPROXY: &str = "HAProxy";

/// The lines for one program.
#[derive(Clone, Debug, Serialize)]
pub struct Lines {
    /// The program.
    pub program: &'static str,
    /// Where they are documented.
    pub source: &'static str,
    /// What came of running it with them; none if it was not run.
    pub run: Option<String>,
    /// The lines.
    pub lines: Vec<String>,
}

/// The suites as OpenSSL lists them, for versions to 1.2.
fn ciphers(twin: &Twin) -> String {
    let mut names: Vec<String> = twin
        .suites
        .iter()
        .filter_map(|name| CipherSuite::from_name(name))
        .filter(|suite| suite.0 >> 8 != 0x13)
        .filter_map(openssl_name)
        .collect();
    if lowest(twin) < "1.2" {
        // OpenSSL 3 signs with SHA-1, which these versions need, at level 0 alone.
        names.push("@SECLEVEL=0".into());
    }
    names.join(":")
}

fn lowest(twin: &Twin) -> &str {
    twin.versions.iter().map(String::as_str).min().unwrap_or("1.2")
}

fn touches_suites(changes: &[Change]) -> bool {
    changes.iter().any(|change| {
        matches!(
            change,
            Change::ModernSuites | Change::CbcSuites | Change::RsaKeyExchange | Change::Tls10 | Change::Tls11
        )
    })
}

fn touches_versions(changes: &[Change]) -> bool {
    changes.iter().any(|change| matches!(change, Change::Tls10 | Change::Tls11 | Change::Tls12))
}

/// The lines that a mosquitto needs beside certificate, key and `tls_version`.
pub fn mosquitto_options(changes: &[Change], twin: &Twin) -> Vec<String> {
    if touches_suites(changes) { vec![format!("ciphers {}", ciphers(twin))] } else { Vec::new() }
}

/// What nginx is told to be this twin: its versions, and its suites if the changes concern them.
pub fn nginx(changes: &[Change], twin: &Twin) -> Tls {
    Tls { words: nginx_directives(twin, true, touches_suites(changes)) }
}

/// What HAProxy is told, likewise.
pub fn haproxy(changes: &[Change], twin: &Twin) -> Tls {
    Tls { words: haproxy_options(twin, true, touches_suites(changes)) }
}

fn nginx_directives(twin: &Twin, versions: bool, suites: bool) -> Vec<String> {
    let spelt = || format!("ssl_protocols {};", spelt(twin, "TLSv", " ").replace("TLSv1.0", "TLSv1"));
    versions.then(spelt).into_iter().chain(suites.then(|| format!("ssl_ciphers {};", ciphers(twin)))).collect()
}

/// Of a `bind` line.
fn haproxy_options(twin: &Twin, versions: bool, suites: bool) -> Vec<String> {
    let lowest = || format!("ssl-min-ver TLSv{}", lowest(twin));
    versions.then(lowest).into_iter().chain(suites.then(|| format!("ciphers {}", ciphers(twin)))).collect()
}

/// The twin's versions, the lowest first.
fn spelt(twin: &Twin, before: &str, separator: &str) -> String {
    let mut sorted: Vec<&str> = twin.versions.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    sorted.iter().map(|version| format!("{before}{version}")).collect::<Vec<String>>().join(separator)
}

/// The lines for all programs; none for those that the changes do not concern.
pub fn of(changes: &[Change], twin: &Twin) -> Vec<Lines> {
    let (versions, suites) = (touches_versions(changes), touches_suites(changes));
    let (lowest, ciphers) = (lowest(twin), ciphers(twin));
    let lines = |when_versions: String, when_suites: String, more: Option<(Change, &str)>| {
        let mut lines = Vec::new();
        lines.extend(versions.then_some(when_versions));
        lines.extend(suites.then_some(when_suites));
        lines.extend(more.filter(|(change, _)| changes.contains(change)).map(|(_, line)| line.to_owned()));
        lines
    };
    let lets_all_in = changes.contains(&Change::NoClientCertificate);
    let mut nginx = nginx_directives(twin, versions, suites);
    nginx.extend(lets_all_in.then(|| "ssl_verify_client off;".to_owned()));
    let mut bind = haproxy_options(twin, versions, suites);
    bind.extend(lets_all_in.then(|| "verify none".to_owned()));
    let haproxy =
        if bind.is_empty() { Vec::new() } else { vec![format!("bind :8883 ssl crt broker.pem {}", bind.join(" "))] };
    let no_certificate = Change::NoClientCertificate;
    let java = spelt(twin, "TLSv", "</protocol><protocol>").replace("TLSv1.0", "TLSv1");
    let emqx = spelt(twin, "tlsv", ", ").replace("tlsv1.0", "tlsv1");
    [
        Lines {
            program: MOSQUITTO,
            source: "mosquitto.conf(5)",
            run: None,
            lines: lines(
                format!("tls_version tlsv{lowest}"),
                format!("ciphers {ciphers}"),
                Some((no_certificate, "require_certificate false")),
            ),
        },
        Lines { program: NGINX, source: "ngx_stream_ssl_module, in front of a broker", run: None, lines: nginx },
        Lines {
            program: HAPROXY,
            source: "HAProxy configuration manual §5.1, mode tcp, in front of a broker",
            run: None,
            lines: haproxy,
        },
        Lines {
            program: "EMQX",
            source: "docs.emqx.com, listeners.ssl.default.ssl_options",
            run: None,
            lines: lines(
                format!("listeners.ssl.default.ssl_options.versions = [{emqx}]"),
                format!(
                    "listeners.ssl.default.ssl_options.ciphers = \"{}\"",
                    ciphers.replace(":@SECLEVEL=0", "").replace(':', ",")
                ),
                Some((no_certificate, "listeners.ssl.default.ssl_options.verify = verify_none")),
            ),
        },
        Lines {
            program: "HiveMQ CE",
            source: "HiveMQ documentation, tls-tcp-listener in config.xml",
            run: None,
            lines: lines(
                format!("<protocols><protocol>{java}</protocol></protocols>"),
                format!(
                    "<cipher-suites>{}</cipher-suites>",
                    twin.suites.iter().map(|suite| format!("<cipher-suite>{suite}</cipher-suite>")).collect::<String>()
                ),
                Some((no_certificate, "<client-authentication-mode>NONE</client-authentication-mode>")),
            ),
        },
        Lines {
            program: "NanoMQ",
            source: "nanomq.io, listeners.ssl in nanomq.conf, which has no key for versions and suites",
            run: None,
            lines: lines(
                "# versions are those of the library that NanoMQ was built with".into(),
                "# suites are those of the library that NanoMQ was built with".into(),
                Some((no_certificate, "listeners.ssl { verify_peer = false, fail_if_no_peer_cert = false }")),
            ),
        },
        Lines {
            program: "VerneMQ",
            source: "docs.vernemq.com, listener.ssl in vernemq.conf",
            run: None,
            lines: lines(
                format!("listener.ssl.tls_version = tlsv{lowest}"),
                format!("listener.ssl.ciphers = {}", ciphers.replace(":@SECLEVEL=0", "")),
                Some((no_certificate, "listener.ssl.require_certificate = off")),
            ),
        },
    ]
    .into_iter()
    .filter(|lines| !lines.lines.is_empty())
    .collect()
}
