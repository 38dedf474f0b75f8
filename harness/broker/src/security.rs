//! Who speaks TLS for the broker: one of two libraries.

use crate::engine::Engine;
use crate::error::Error;
use crate::libssl::{self, OpensslEngine};
use crate::tls::{self, ConnectionRng, TlsEngine};
use pki::Minted;
use scenario::broker::Broker;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A library with the configuration that all connections of a broker share.
#[derive(Debug)]
pub(crate) struct Security {
    library: Library,
    /// The common names of minted certificates.
    common_names: BTreeMap<Vec<u8>, String>,
}

#[derive(Debug)]
enum Library {
    Rustls(Arc<tls::Configuration>),
    Openssl(Arc<libssl::Configuration>),
}

impl Security {
    /// For a broker's first connection, and all others of most brokers.
    pub(crate) fn new(script: &Broker, minted: &Minted, seed: u64) -> Result<Self, Error> {
        Self::after(None, script, minted, seed)
    }

    /// For the later connections of a broker that changes. It knows the sessions from before, unless the script says that
    /// it forgets them.
    pub(crate) fn after(before: Option<&Self>, script: &Broker, minted: &Minted, seed: u64) -> Result<Self, Error> {
        let before = before.map(|before| &before.library);
        let library = match script.engine {
            scenario::broker::Engine::Rustls => {
                let before = match before {
                    Some(Library::Rustls(before)) => Some(&**before),
                    _ => None,
                };
                Library::Rustls(Arc::new(tls::Configuration::after(before, script, minted)?))
            }
            scenario::broker::Engine::Openssl => {
                let before = match before {
                    Some(Library::Openssl(before)) => Some(&**before),
                    _ => None,
                };
                Library::Openssl(Arc::new(libssl::Configuration::after(before, script, minted, seed)?))
            }
        };
        let common_names = minted
            .certificates
            .values()
            .filter_map(|certificate| Some((certificate.der.clone(), common_name(&certificate.subject)?)))
            .collect();
        Ok(Self { library, common_names })
    }

    /// Whether there are certificates for who asks for that name.
    pub(crate) fn has_tenant(&self, name: &str) -> bool {
        match &self.library {
            Library::Rustls(configuration) => configuration.has_tenant(name),
            Library::Openssl(configuration) => configuration.has_tenant(name),
        }
    }

    /// An engine for one connection of that tenant, or of somebody else.
    pub(crate) fn engine(&self, tenant: Option<&str>, rng: ConnectionRng) -> Box<dyn Engine> {
        match &self.library {
            Library::Rustls(configuration) => Box::new(TlsEngine::new(Arc::clone(configuration), tenant, rng)),
            Library::Openssl(configuration) => Box::new(OpensslEngine::new(Arc::clone(configuration), tenant, rng)),
        }
    }

    /// The secrets so far.
    pub(crate) fn key_log(&self) -> String {
        match &self.library {
            Library::Rustls(configuration) => configuration.key_log(),
            Library::Openssl(configuration) => configuration.key_log(),
        }
    }

    /// The common name in a certificate that was minted for this run.
    pub(crate) fn common_name(&self, der: &[u8]) -> Option<&str> {
        self.common_names.get(der).map(String::as_str)
    }
}

fn common_name(subject: &str) -> Option<String> {
    let subject = pki::spec::Subject::try_from(subject.to_owned()).ok()?;
    subject.0.into_iter().find(|(attribute, _)| *attribute == pki::spec::Attribute::CommonName).map(|(_, name)| name)
}
