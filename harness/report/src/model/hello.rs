//! What the wire tells of a run, in parts that can be compared: the hello, what was agreed on, alerts.

use serde::{Deserialize, Serialize};

/// What the wire tells of the last connection of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Wire {
    /// How many connections were opened.
    pub connections: usize,
    /// What the device offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hello: Option<Hello>,
    /// The version that was agreed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The cipher suite that was agreed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cipher_suite: Option<String>,
    /// The group that keys were agreed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// TLS alerts in their order, `close_notify` among them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<Alert>,
    /// The return code of the CONNACK.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connack: Option<u8>,
    /// Who ended the connection first, and how: `device FIN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_to_close: Option<String>,
    /// From the ClientHello to the last Finished, in milliseconds; absent if the handshake was not completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handshake_ms: Option<u64>,
}

/// A ClientHello (RFC 9846 §4.2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Hello {
    /// The name that it asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// JA3.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ja3: String,
    /// JA4.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ja4: String,
    /// The versions, highest first.
    pub versions: Vec<String>,
    /// Cipher suites, by their registered names, in the device's order.
    pub cipher_suites: Vec<String>,
    /// Extensions, in the device's order.
    pub extensions: Vec<String>,
    /// Groups, in the device's order.
    pub groups: Vec<String>,
    /// Signature schemes, in the device's order.
    pub signature_schemes: Vec<String>,
    /// ALPN protocols.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alpn: Vec<String>,
}

/// A TLS alert.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Alert {
    /// Who sent it: `device` or `broker`.
    pub by: String,
    /// Its registered name.
    pub description: String,
}
