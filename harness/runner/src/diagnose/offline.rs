//! A chain that nobody serves: shown to each stack by the scripted broker. Without the leaf's key the broker cannot sign, so what
//! is judged then is the device's own verification: it has taken the chain as soon as the signature is all that it finds wrong.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use blame::Error;
use board::Boots;
use explain::chain;
use pki::spec::{Certificate, KeyKind};
use pki::to_pem;
use scenario::Scenario;
use scenario::device::Version;

use super::exchange::{Meeting, Met, Outcome};
use super::files;
use super::setup::Setup;
use crate::hil::Refusal;
use crate::stack::Stack;
use crate::trial;

/// The seed of everything: nothing secret is said.
const SEED: u64 = 0x5eed;

/// What devices say if a certificate was taken and the signature over the key exchange is wrong.
const WRONG_SIGNATURE: [&str; 6] = [
    "BR_ERR_BAD_SIGNATURE",
    "MBEDTLS_ERR_ECP_VERIFY_FAILED",
    "MBEDTLS_ERR_RSA_VERIFY_FAILED",
    "MBEDTLS_ERR_RSA_INVALID_PADDING",
    "MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE",
    "MBEDTLS_ERR_SSL_BAD_HS_SERVER_KEY_EXCHANGE",
];

/// A chain, and perhaps the leaf's key.
pub struct Given {
    /// DER, leaf first.
    pub chain: Vec<Vec<u8>>,
    /// PEM. It is never printed.
    key: Option<String>,
}

impl Given {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    pub fn read(chain: &Path, key: Option<&Path>) -> Result<Self, Refusal> {
        let chain = files::certificates("--chain", chain, files::CHAIN_MAX)?;
        let key = key.map(|key| files::key("--key", key)).transpose()?;
        Ok(Self { chain, key })
    }

    /// Whether handshakes can be completed.
    pub fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// The scenario with this chain.
    ///
    /// # Errors
    ///
    /// If its key is of a kind that cannot stand in.
    pub fn put_into(&self, scenario: &mut Scenario) -> blame::Result<()> {
        let mut sent = Vec::new();
        for (index, der) in self.chain.iter().enumerate() {
            let name = format!("shown_{index}");
            let key = self.key.as_deref().filter(|_| index == 0).unwrap_or_default();
            let given = Certificate::given(format!("{}{key}", to_pem("CERTIFICATE", der)));
            scenario.pki.0.insert(name.clone(), given);
            sent.push(name);
        }
        scenario.broker.certificates = sent;
        if self.key.is_none() {
            let leaf = self.chain.first().ok_or_else(|| Error::usage("the chain is empty"))?;
            let kind: Option<KeyKind> = chain::Certificate::read(leaf).map_err(Error::usage)?.kind;
            let kind = kind
                .ok_or_else(|| Error::usage("a key of the leaf's kind cannot be made here: give its own by --key"))?;
            scenario.pki.0.insert("stand_in".into(), Certificate { key: Some(kind), ..Certificate::default() });
            scenario.broker.key_of = Some("stand_in".into());
            // In TLS 1.3 nobody sees what a device minds after the certificate.
            scenario.broker.versions = vec![Version::Tls12];
        }
        Ok(())
    }

    /// Shows the chain to `stack`.
    pub fn show(&self, meeting: &Meeting<'_>, stack: &Stack, boots: &Arc<Boots>) -> Met {
        if let Some(excused) = meeting.excuse(stack) {
            return excused;
        }
        let trial = match trial::on_emulator(meeting.scenario, stack, SEED, boots) {
            Ok(trial) => trial,
            Err(why) => return super::exchange::bench_failed(stack, why.message),
        };
        let mut met = meeting.conclude(stack, trial.judged, trial.pcapng);
        let takes =
            |words: &str| WRONG_SIGNATURE.iter().any(|name| words.contains(name)) && words.contains("at key exchange");
        if !self.has_key() && met.verdict.outcome != Outcome::Connects && takes(&met.verdict.words) {
            met.verdict.outcome = Outcome::Connects;
            met.verdict.must_not = meeting.has_to_refuse();
            met.verdict.words =
                "takes the chain: all that it finds wrong is the signature, which nobody makes without the key".into();
            met.verdict.why.clear();
            met.verdict.evidence.clear();
        }
        met
    }
}

/// A device's side for a chain that nobody serves.
pub fn setup(dialled: &str, authorities: Vec<Vec<u8>>) -> Setup {
    Setup {
        dialled: dialled.to_owned(),
        port: scenario::lan::SECURE_MQTT_PORT,
        broker: SocketAddr::from(([127, 0, 0, 1], 0)).into(),
        server_name: None,
        authorities,
        own: None,
        user_name: None,
        password: None,
        topic: None,
    }
}
