//! From a script to rustls' configuration: one for each set of certificates.

use super::connection_rng::EnteredRandomness;
use super::key_log::Log;
use super::signing::BrokerKey;
use super::tickets::Tickets;
use super::{clients, groups, suites};
use crate::error::Error;
use clock::UnixTime;
use pki::Minted;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::server::{NoServerSessionStorage, ServerSessionMemoryCache, StoresServerSessions};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use scenario::broker::{Broker, Request};
use scenario::device::Version;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// The most sessions that are kept for resumption.
const SESSIONS_MAX: usize = 32;

/// What follows the last certificate when a script asks for junk: no DER, but printable.
const JUNK: &[u8] = b"this is no certificate";

/// All that the TLS connections of a broker share.
#[derive(Debug)]
pub(crate) struct Configuration {
    by_default: Arc<ServerConfig>,
    tenants: BTreeMap<String, Arc<ServerConfig>>,
    date: Arc<RunDate>,
    log: Arc<Log>,
    sessions: Arc<dyn StoresServerSessions>,
}

/// The run's calendar, of which rustls asks the time.
#[derive(Debug, Default)]
struct RunDate {
    seconds: AtomicI64,
}

impl TimeProvider for RunDate {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        let seconds = u64::try_from(self.seconds.load(Ordering::Relaxed)).ok()?;
        Some(rustls::pki_types::UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

impl Configuration {
    /// The configuration of a broker that has had another one `before`, whose sessions it knows unless it forgets them.
    pub(crate) fn after(before: Option<&Self>, script: &Broker, minted: &Minted) -> Result<Self, Error> {
        let date = Arc::new(RunDate::default());
        let log = Arc::new(Log::default());
        let forgets = script.afterwards.as_ref().is_some_and(|afterwards| afterwards.forgets_sessions);
        let is_restarted = before.is_some() && forgets;
        let sessions: Arc<dyn StoresServerSessions> = match before.filter(|_| !is_restarted) {
            Some(before) => Arc::clone(&before.sessions),
            None if script.resumption => ServerSessionMemoryCache::new(SESSIONS_MAX),
            None => Arc::new(NoServerSessionStorage {}),
        };
        let build = |field, certificates: &[String], key_of: Option<&String>| {
            let certificates =
                Certificates { field, names: certificates, key_of, junk: script.junk_after_certificates };
            let mut configuration = server_config(script, minted, &certificates, Arc::clone(&date) as _)?;
            if script.session_tickets > 0 {
                let (padding_bytes, honoured) = (script.ticket_padding_bytes, script.resumption);
                configuration.ticketer = Arc::new(Tickets { padding_bytes, honoured, is_restarted });
            }
            configuration.key_log = Arc::clone(&log) as _;
            configuration.session_storage = Arc::clone(&sessions);
            Ok(Arc::new(configuration))
        };
        let by_default = build("certificates", &script.certificates, script.key_of.as_ref())?;
        let tenants = script
            .tenants
            .iter()
            .map(|(name, certificates)| Ok((name.to_ascii_lowercase(), build("tenants", certificates, None)?)))
            .collect::<Result<_, Error>>()?;
        Ok(Self { by_default, tenants, date, log, sessions })
    }

    /// Whether there are certificates for who asks for that name.
    pub(crate) fn has_tenant(&self, name: &str) -> bool {
        self.tenants.contains_key(&name.to_ascii_lowercase())
    }

    /// The configuration for that tenant, or for everybody else.
    pub(crate) fn server(&self, tenant: Option<&str>) -> Arc<ServerConfig> {
        let tenant = tenant.and_then(|name| self.tenants.get(&name.to_ascii_lowercase()));
        Arc::clone(tenant.unwrap_or(&self.by_default))
    }

    /// Sets the calendar.
    pub(crate) fn set_date(&self, date: UnixTime) {
        self.date.seconds.store(date.seconds, Ordering::Relaxed);
    }

    /// The secrets so far.
    pub(crate) fn key_log(&self) -> String {
        self.log.text()
    }
}

/// Which certificates are sent, and which key is used.
struct Certificates<'a> {
    field: &'static str,
    names: &'a [String],
    key_of: Option<&'a String>,
    junk: bool,
}

impl Certificates<'_> {
    fn certified_key(&self, script: &Broker, minted: &Minted) -> Result<CertifiedKey, Error> {
        let find = |field, name: &String| {
            minted.certificates.get(name).ok_or_else(|| {
                let problem = format!("there is no certificate `{name}`");
                Error::new(field, problem, format!("add a table `[pki.{name}]`"))
            })
        };
        let mut chain = Vec::new();
        for name in self.names {
            chain.push(CertificateDer::from(find(self.field, name)?.der.clone()));
        }
        if self.junk {
            chain.push(CertificateDer::from(JUNK.to_vec()));
        }
        let first = self.names.first().ok_or_else(|| Error::new(self.field, "no certificate", "name at least one"))?;
        let key_of = match self.key_of {
            Some(name) => find("key_of", name)?,
            None => find(self.field, first)?,
        };
        if key_of.key.kind() == pki::spec::KeyKind::BrainpoolP256r1 {
            let problem = "rustls has no curve of Brainpool's";
            return Err(Error::new(self.field, problem, "set `engine = \"openssl\"`"));
        }
        let key = BrokerKey::new(key_of.key.clone(), &script.signature_schemes);
        // Not `from_der`: whether certificate and key belong together is the scenario's business.
        Ok(CertifiedKey::new(chain, Arc::new(key)))
    }
}

fn server_config(
    script: &Broker,
    minted: &Minted,
    certificates: &Certificates<'_>,
    date: Arc<dyn TimeProvider>,
) -> Result<ServerConfig, Error> {
    let ring = ring::default_provider();
    let provider = Arc::new(CryptoProvider {
        cipher_suites: suites::named(&script.cipher_suites),
        kx_groups: groups::named(&script.groups),
        signature_verification_algorithms: ring.signature_verification_algorithms,
        secure_random: &EnteredRandomness,
        key_provider: ring.key_provider,
    });
    let mut versions: Vec<_> = script
        .versions
        .iter()
        .filter_map(|version| match version {
            // rustls has buried them; a scenario that needs them names another engine.
            Version::Tls10 | Version::Tls11 => None,
            Version::Tls12 => Some(&rustls::version::TLS12),
            Version::Tls13 => Some(&rustls::version::TLS13),
        })
        .collect();
    // A list of suites without one for TLS 1.3 says that there is no TLS 1.3.
    versions.retain(|version| provider.cipher_suites.iter().any(|suite| suite.version() == *version));
    let builder =
        ServerConfig::builder_with_details(Arc::clone(&provider), date).with_protocol_versions(&versions).map_err(
            |error| Error::new("versions", error.to_string(), "name cipher suites and groups that these versions have"),
        )?;
    let builder = if script.client_certificates.request == Request::None {
        builder.with_no_client_auth()
    } else {
        builder.with_client_cert_verifier(clients::verifier(&script.client_certificates, minted, provider)?)
    };
    let key = certificates.certified_key(script, minted)?;
    let mut configuration = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
    // A list that a scenario writes is in the broker's order of preference.
    configuration.ignore_client_order = !script.cipher_suites.is_empty();
    configuration.alpn_protocols = script.alpn.iter().map(|name| name.clone().into_bytes()).collect();
    // rustls counts the header of five bytes in.
    configuration.max_fragment_size = script.record_bytes_max.map(|bytes| usize::from(bytes) + 5);
    configuration.send_tls13_tickets = usize::from(script.session_tickets);
    configuration.max_tls13_tickets = usize::from(u8::MAX);
    Ok(configuration)
}
