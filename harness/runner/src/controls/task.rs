//! What a control is told: whom to dial, whom to trust, what to say.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use control::Act;
use host::whole_file;
use pki::{Minted, MintedCertificate};
use scenario::Scenario;

/// A control's configuration, with its files on disk.
#[derive(Clone, Debug)]
pub struct Task {
    /// Where the broker listens.
    pub address: SocketAddr,
    /// What is dialled, and what the broker's certificate has to name: `localhost`, or the address.
    pub dials: String,
    /// TLS; `None` for MQTT in the clear.
    pub tls: Option<Tls>,
    /// The client identifier.
    pub client_id: String,
    /// The user name.
    pub user_name: Option<String>,
    /// The password.
    pub password: Option<String>,
    /// The keep-alive, in seconds.
    pub keep_alive_s: u16,
    /// The Clean Session flag.
    pub clean_session: bool,
    /// Where a message is published once the broker lets it in.
    pub topic: String,
    /// The message.
    pub payload: String,
    /// Where everything of this run lies.
    pub folder: PathBuf,
}

/// What a control needs for TLS.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Its trust anchors.
    pub authorities: Vec<MintedCertificate>,
    /// Its trust anchors as a PEM file.
    pub authorities_file: PathBuf,
    /// Its own chain with its key.
    pub own: Option<Own>,
    /// Where those that can write their secrets: an NSS key log.
    pub key_log_file: PathBuf,
}

/// A control's own certificate.
#[derive(Clone, Debug)]
pub struct Own {
    /// The chain, leaf first.
    pub chain: Vec<MintedCertificate>,
    /// Whose key it uses.
    pub key: MintedCertificate,
    /// The chain as a PEM file.
    pub chain_file: PathBuf,
    /// The chain without its leaf as a PEM file, if there is more than the leaf.
    pub intermediates_file: Option<PathBuf>,
    /// The key as a PEM file.
    pub key_file: PathBuf,
}

impl Task {
    /// The task of a control that meets the broker of `scenario` at `address`; its files go into `folder`.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn new(scenario: &Scenario, minted: &Minted, address: SocketAddr, folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let device = &scenario.device;
        let message = device.plan.mqtt.acts.iter().find_map(|act| match act {
            Act::Publish { topic, payload, .. } => Some((topic.clone(), payload.clone())),
            Act::Subscribe { .. } | Act::Await { .. } | Act::Idle { .. } => None,
        });
        let (topic, payload) = message.unwrap_or_else(|| ("device/readings".into(), "21.5".into()));
        Ok(Self {
            address,
            dials: device.dials.clone(),
            tls: device.tls.then(|| Tls::new(scenario, minted, folder)).transpose()?,
            client_id: device.plan.mqtt.client_id.clone(),
            user_name: device.plan.mqtt.user_name.clone(),
            password: device.plan.mqtt.password.clone(),
            keep_alive_s: device.plan.mqtt.keep_alive_s,
            clean_session: device.plan.mqtt.clean_session,
            topic,
            payload,
            folder: folder.to_owned(),
        })
    }

    /// Whether an address is dialled: then there is no name to send by SNI (RFC 6066 §3).
    pub fn dials_address(&self) -> bool {
        self.dials.parse::<std::net::IpAddr>().is_ok()
    }
}

impl Tls {
    fn new(scenario: &Scenario, minted: &Minted, folder: &Path) -> io::Result<Self> {
        let device = &scenario.device;
        let find = |names: &[String]| -> Vec<MintedCertificate> {
            names.iter().filter_map(|name| minted.certificates.get(name)).cloned().collect()
        };
        let authorities = find(&device.trusts);
        let authorities_file = folder.join("authorities.pem");
        fs::write(&authorities_file, pem(&authorities))?;
        let chain = find(&device.certificates);
        let key = device.key_of.as_ref().and_then(|name| minted.certificates.get(name)).or(chain.first()).cloned();
        let own = match key {
            Some(key) => {
                let chain_file = folder.join("certificate.pem");
                let key_file = folder.join("key.pem");
                fs::write(&chain_file, pem(&chain))?;
                whole_file::write_private(&key_file, key.key_pem().as_bytes())?;
                let intermediates = chain.get(1..).filter(|rest| !rest.is_empty());
                let intermediates_file = intermediates
                    .map(|rest| {
                        let file = folder.join("intermediates.pem");
                        fs::write(&file, pem(rest)).map(|()| file)
                    })
                    .transpose()?;
                Some(Own { chain, key, chain_file, intermediates_file, key_file })
            }
            None => None,
        };
        Ok(Self { authorities, authorities_file, own, key_log_file: folder.join("keys.log") })
    }
}

fn pem(certificates: &[MintedCertificate]) -> String {
    certificates.iter().map(MintedCertificate::pem).collect()
}
