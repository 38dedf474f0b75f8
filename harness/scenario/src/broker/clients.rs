//! Whether and how the broker asks clients for certificates (RFC 9846 §4.4.2, RFC 5246 §7.4.4).

use serde::Deserialize;

use crate::problem::Complaint;

/// The `[broker.client_certificates]` table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClientCertificates {
    /// Whether it asks.
    pub request: Request,
    /// Which authorities it accepts, by their names under `[pki]`.
    pub trusts: Vec<String>,
    /// Whether it looks at the chain at all; if not, whatever certificate the client has the key of is good.
    pub verify: bool,
    /// Whether it tells the names of `trusts` in its request.
    pub announce: bool,
    /// How many further names of authorities it tells, of 70 bytes each. At most 900: a list has 65 535 bytes.
    pub announce_fillers: u16,
    /// The schemes with which clients may sign, by their IANA names. Empty: all that the broker can check.
    pub signature_schemes: Vec<String>,
    /// Whether the certificate's common name is the MQTT user name, as with mosquitto's `use_identity_as_username`.
    pub identity_is_user_name: bool,
}

impl Default for ClientCertificates {
    fn default() -> Self {
        Self {
            request: Request::None,
            trusts: vec!["root".into()],
            verify: true,
            announce: true,
            announce_fillers: 0,
            signature_schemes: Vec::new(),
            identity_is_user_name: false,
        }
    }
}

impl ClientCertificates {
    /// The schemes that the broker can check, by their IANA names.
    pub const SIGNATURE_SCHEMES: &'static [&'static str] = &[
        "ecdsa_secp384r1_sha384",
        "ecdsa_secp256r1_sha256",
        "ed25519",
        "rsa_pss_rsae_sha512",
        "rsa_pss_rsae_sha384",
        "rsa_pss_rsae_sha256",
        "rsa_pkcs1_sha512",
        "rsa_pkcs1_sha384",
        "rsa_pkcs1_sha256",
    ];

    pub(super) fn check(&self) -> Result<(), Complaint> {
        if self.announce_fillers > 900 {
            return Err(Complaint::at(
                &["broker", "client_certificates", "announce_fillers"],
                "a list of authorities has at most 65535 bytes",
                "give at most 900",
            ));
        }
        let known = Self::SIGNATURE_SCHEMES;
        if let Some(name) = self.signature_schemes.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(Complaint::at(
                &["broker", "client_certificates", "signature_schemes"],
                format!("the broker cannot check `{name}`"),
                format!("use one of {}", known.join(", ")),
            ));
        }
        if self.request != Request::None && self.verify && self.trusts.is_empty() {
            return Err(Complaint::at(
                &["broker", "client_certificates", "trusts"],
                "a broker that trusts nobody accepts no client certificate",
                "name an authority, or set `verify = false`",
            ));
        }
        Ok(())
    }
}

/// Whether the broker asks clients for a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// It does not ask.
    #[default]
    None,
    /// It asks, and takes no for an answer.
    Optional,
    /// It asks, and refuses who has none.
    Required,
}
