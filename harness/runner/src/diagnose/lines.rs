//! How changes are written down for each program. What was run here says so; the rest names its source.

use serde::Serialize;
use wire::tls::CipherSuite;

use super::change::Change;
use super::twin::Twin;
use explain::openssl_name;

/// The lines for one program.
#[derive(Clone, Debug, Serialize)]
pub struct Lines {
    /// The program.
    pub program: &'static str,
    /// Whether the lines were run here, or where they stand.
    pub source: &'static str,
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

/// The lines for all programs; none for those that the changes do not concern.
pub fn of(changes: &[Change], twin: &Twin) -> Vec<Lines> {
    let (versions, suites) = (touches_versions(changes), touches_suites(changes));
    let (lowest, ciphers) = (lowest(twin), ciphers(twin));
    let all: Vec<&str> = twin.versions.iter().map(String::as_str).collect();
    let spelt = |before: &str, separator: &str| {
        let mut sorted = all.clone();
        sorted.sort_unstable();
        sorted.iter().map(|version| format!("{before}{version}")).collect::<Vec<String>>().join(separator)
    };
    let lines = |when_versions: String, when_suites: String, more: Option<(Change, &str)>| {
        let mut lines = Vec::new();
        lines.extend(versions.then_some(when_versions));
        lines.extend(suites.then_some(when_suites));
        lines.extend(more.filter(|(change, _)| changes.contains(change)).map(|(_, line)| line.to_owned()));
        lines
    };
    let no_certificate = Change::NoClientCertificate;
    let old = spelt("TLSv", " ").replace("TLSv1.0", "TLSv1");
    let java = spelt("TLSv", "</protocol><protocol>").replace("TLSv1.0", "TLSv1");
    let emqx = spelt("tlsv", ", ").replace("tlsv1.0", "tlsv1");
    [
        Lines {
            program: "mosquitto",
            source: "mosquitto.conf(5); run here, see below",
            lines: lines(
                format!("tls_version tlsv{lowest}"),
                format!("ciphers {ciphers}"),
                Some((no_certificate, "require_certificate false")),
            ),
        },
        Lines {
            program: "nginx (stream)",
            source: "ngx_stream_ssl_module; not run",
            lines: lines(
                format!("ssl_protocols {old};"),
                format!("ssl_ciphers {ciphers};"),
                Some((no_certificate, "ssl_verify_client off;")),
            ),
        },
        Lines {
            program: "HAProxy (mode tcp)",
            source: "HAProxy configuration manual §5.1; not run",
            lines: lines(
                format!("bind :8883 ssl crt broker.pem ssl-min-ver TLSv{lowest}"),
                format!("bind :8883 ssl crt broker.pem ciphers {ciphers}"),
                Some((no_certificate, "bind :8883 ssl crt broker.pem verify none")),
            ),
        },
        Lines {
            program: "EMQX",
            source: "docs.emqx.com, listeners.ssl.default.ssl_options; not run",
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
            source: "HiveMQ documentation, tls-tcp-listener in config.xml; not run",
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
            source: "nanomq.io, listeners.ssl in nanomq.conf, which has no key for versions and suites; not run",
            lines: lines(
                "# versions are those of the library that NanoMQ was built with".into(),
                "# suites are those of the library that NanoMQ was built with".into(),
                Some((no_certificate, "listeners.ssl { verify_peer = false, fail_if_no_peer_cert = false }")),
            ),
        },
        Lines {
            program: "VerneMQ",
            source: "docs.vernemq.com, listener.ssl in vernemq.conf; not run",
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
