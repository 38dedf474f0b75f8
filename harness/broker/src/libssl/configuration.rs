//! From a script to OpenSSL's contexts: one for each set of certificates.

use super::certificates::Certificates;
use super::foreign::{NO_EXTENDED_MASTER_SECRET, SET_MAX_SEND_FRAGMENT};
use super::sessions::Sessions;
use super::tickets::{self, Rules};
use super::{clients, groups, library};
use crate::error::Error;
use crate::tls::{ConnectionRng, Log};
use clock::UnixTime;
use openssl::error::ErrorStack;
use openssl::ssl::{
    AlpnError, SslContext, SslContextBuilder, SslMethod, SslMode, SslOptions, SslSessionCacheMode, SslVersion,
    cipher_name, select_next_proto,
};
use pki::Minted;
use scenario::broker::{Broker, ResumesUnder};
use scenario::device::Version;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

/// All that the TLS connections of a broker share.
pub(crate) struct Configuration {
    by_default: SslContext,
    tenants: BTreeMap<String, SslContext>,
    log: Arc<Log>,
    sessions: Sessions,
}

impl std::fmt::Debug for Configuration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Configuration").field("tenants", &self.tenants.keys()).finish_non_exhaustive()
    }
}

impl Configuration {
    /// The configuration of a broker that has had another one `before`, whose sessions it knows unless it forgets them.
    pub(crate) fn after(before: Option<&Self>, script: &Broker, minted: &Minted, seed: u64) -> Result<Self, Error> {
        /// A context draws the keys of its tickets. Connections are counted from 1.
        const TICKET_KEYS: u32 = 0;
        const TICKET_KEYS_OF_A_RESTARTED_BROKER: u32 = u32::MAX;
        library::initialise()?;
        let afterwards = script.afterwards.as_ref().filter(|_| before.is_some());
        let is_restarted = afterwards.is_some_and(|afterwards| afterwards.forgets_sessions);
        let keys = if is_restarted { TICKET_KEYS_OF_A_RESTARTED_BROKER } else { TICKET_KEYS };
        let under = afterwards.and_then(|afterwards| afterwards.resumes_under.as_ref());
        let sessions = before.filter(|_| !is_restarted).map(|before| before.sessions.clone()).unwrap_or_default();
        let mut rng = Some(ConnectionRng::new(seed, keys));
        ConnectionRng::during(&mut rng, || {
            let log = Arc::new(Log::default());
            let build = |field, names: &[String], key_of| {
                let certificates = Certificates { field, names, key_of };
                context(script, minted, &certificates, &log, &sessions, under)
            };
            let by_default = build("certificates", &script.certificates, script.key_of.as_ref())?;
            let tenants = script
                .tenants
                .iter()
                .map(|(name, certificates)| Ok((name.to_ascii_lowercase(), build("tenants", certificates, None)?)))
                .collect::<Result<_, Error>>()?;
            Ok(Self { by_default, tenants, log, sessions: sessions.clone() })
        })
    }

    /// Whether there are certificates for who asks for that name.
    pub(crate) fn has_tenant(&self, name: &str) -> bool {
        self.tenants.contains_key(&name.to_ascii_lowercase())
    }

    /// The context for that tenant, or for everybody else.
    pub(super) fn context(&self, tenant: Option<&str>) -> &SslContext {
        tenant.and_then(|name| self.tenants.get(&name.to_ascii_lowercase())).unwrap_or(&self.by_default)
    }

    /// Sets the calendar.
    pub(super) fn set_date(&self, date: UnixTime) {
        std::iter::once(&self.by_default)
            .chain(self.tenants.values())
            .for_each(|context| tickets::set_date(context, date.seconds));
    }

    /// The secrets so far.
    pub(crate) fn key_log(&self) -> String {
        self.log.text()
    }
}

fn context(
    script: &Broker,
    minted: &Minted,
    certificates: &Certificates<'_>,
    log: &Arc<Log>,
    sessions: &Sessions,
    under: Option<&ResumesUnder>,
) -> Result<SslContext, Error> {
    let fault = |field: &'static str, remedy: &'static str| {
        move |error: ErrorStack| Error::new(field, error.to_string(), remedy)
    };
    let general = fault("engine", "report this: it is a fault of the bench");
    let mut context = SslContext::builder(SslMethod::tls_server()).map_err(general)?;
    context.set_security_level(script.security_level.into());
    // What is sent is what the script names, and no chain that OpenSSL finds by itself.
    context.set_mode(SslMode::NO_AUTO_CHAIN | SslMode::ACCEPT_MOVING_WRITE_BUFFER);
    context.set_options(options(script));
    versions(&mut context, script).map_err(fault("versions", "name other versions"))?;
    suites(&mut context, script)?;
    context
        .set_groups_list(&groups::list(&script.groups))
        .map_err(fault("groups", "name groups that this OpenSSL has"))?;
    context
        .set_tmp_dh(&*groups::finite_field(script.dh_bits)?)
        .map_err(fault("dh_bits", "use a larger number, or a lower `security_level`"))?;
    if !script.signature_schemes.is_empty() {
        context
            .set_sigalgs_list(&script.signature_schemes.join(":"))
            .map_err(fault("signature_schemes", "name schemes that this OpenSSL has"))?;
    }
    certificates.install(&mut context, minted)?;
    clients::ask(&mut context, &script.client_certificates, minted)?;
    alpn(&mut context, &script.alpn);
    resumption(&mut context, script, sessions, under).map_err(general)?;
    if let Some(bytes) = script.record_bytes_max {
        // SAFETY: the context is a live one; the call takes a number and no pointer.
        let set = unsafe {
            openssl_sys::SSL_CTX_ctrl(context.as_ptr(), SET_MAX_SEND_FRAGMENT, bytes.into(), std::ptr::null_mut())
        };
        if set != 1 {
            let problem = "OpenSSL's records have at least 512 bytes";
            return Err(Error::new("record_bytes_max", problem, "give more, or set `engine = \"rustls\"`"));
        }
    }
    let log = Arc::clone(log);
    context.set_keylog_callback(move |_, line| log.line(line));
    Ok(context.build())
}

fn options(script: &Broker) -> SslOptions {
    let mut options = SslOptions::NO_COMPRESSION;
    // A list that a scenario writes is in the broker's order of preference.
    options.set(SslOptions::CIPHER_SERVER_PREFERENCE, !script.cipher_suites.is_empty());
    options.set(SslOptions::NO_TICKET, script.session_tickets == 0);
    options.set(SslOptions::from_bits_retain(NO_EXTENDED_MASTER_SECRET), !script.extended_main_secret);
    options
}

fn versions(context: &mut SslContextBuilder, script: &Broker) -> Result<(), ErrorStack> {
    // A list of suites without one for TLS 1.3 says that there is no TLS 1.3, and the other way round.
    let has_suites = |version: &Version| {
        script.cipher_suites.is_empty()
            || script.cipher_suites.iter().any(|name| is_tls13(name) == (*version == Version::Tls13))
    };
    let theirs = |version: &Version| match version {
        Version::Tls10 => SslVersion::TLS1,
        Version::Tls11 => SslVersion::TLS1_1,
        Version::Tls12 => SslVersion::TLS1_2,
        Version::Tls13 => SslVersion::TLS1_3,
    };
    let versions: Vec<&Version> = script.versions.iter().filter(|version| has_suites(version)).collect();
    context.set_min_proto_version(versions.iter().min().map(|version| theirs(version)))?;
    context.set_max_proto_version(versions.iter().max().map(|version| theirs(version)))?;
    let mut left_out = SslOptions::empty();
    for (version, option) in [
        (Version::Tls10, SslOptions::NO_TLSV1),
        (Version::Tls11, SslOptions::NO_TLSV1_1),
        (Version::Tls12, SslOptions::NO_TLSV1_2),
        (Version::Tls13, SslOptions::NO_TLSV1_3),
    ] {
        left_out.set(option, !versions.contains(&&version));
    }
    context.set_options(left_out);
    Ok(())
}

/// Whether a suite of that IANA name belongs to TLS 1.3: these name no key exchange (RFC 9846 §B.4).
fn is_tls13(name: &str) -> bool {
    !name.contains("_WITH_")
}

fn suites(context: &mut SslContextBuilder, script: &Broker) -> Result<(), Error> {
    /// Everything but what has no certificate or no encryption, and what wants keys that nobody has.
    const ALL: &str = "ALL:!aNULL:!eNULL:!PSK:!SRP";
    let fault =
        |error: ErrorStack| Error::new("cipher_suites", error.to_string(), "name cipher suites that this OpenSSL has");
    if script.cipher_suites.is_empty() {
        return context.set_cipher_list(ALL).map_err(fault);
    }
    let (tls13, others): (Vec<&String>, Vec<&String>) = script.cipher_suites.iter().partition(|name| is_tls13(name));
    let mut theirs = Vec::new();
    for name in others {
        let known = cipher_name(name);
        context.set_cipher_list(known).map_err(|_| {
            let problem = format!("{} has no `{name}`", super::version());
            Error::new("cipher_suites", problem, "build the bench's own OpenSSL: unset OPENSSL_NO_VENDOR")
        })?;
        theirs.push(known);
    }
    if !theirs.is_empty() {
        context.set_cipher_list(&theirs.join(":")).map_err(fault)?;
    }
    if !tls13.is_empty() {
        let names: Vec<&str> = tls13.into_iter().map(String::as_str).collect();
        context.set_ciphersuites(&names.join(":")).map_err(fault)?;
    }
    Ok(())
}

fn alpn(context: &mut SslContextBuilder, names: &[String]) {
    if names.is_empty() {
        return;
    }
    let mut accepted = Vec::new();
    for name in names {
        // A name has at most 255 octets (RFC 7301 §3.1).
        if let Ok(length) = u8::try_from(name.len()) {
            accepted.push(length);
            accepted.extend_from_slice(name.as_bytes());
        }
    }
    context.set_alpn_select_callback(move |_, offered| {
        // What is chosen has to live as long as what was offered, so it is looked up there.
        let chosen = select_next_proto(&accepted, offered).ok_or(AlpnError::ALERT_FATAL)?;
        let at = offered.windows(chosen.len()).position(|window| window == chosen);
        at.and_then(|at| offered.get(at..at + chosen.len())).ok_or(AlpnError::ALERT_FATAL)
    });
}

fn resumption(
    context: &mut SslContextBuilder,
    script: &Broker,
    sessions: &Sessions,
    under: Option<&ResumesUnder>,
) -> Result<(), ErrorStack> {
    context.set_session_id_context(b"shakedown")?;
    if script.resumption {
        sessions.keep_those_of(context);
    } else {
        context.set_session_cache_mode(SslSessionCacheMode::OFF);
    }
    context.set_num_tickets(script.session_tickets.into())?;
    let rules = Rules {
        padding_bytes: script.ticket_padding_bytes,
        honoured: script.resumption,
        under: under.cloned(),
        date_s: AtomicI64::default(),
    };
    tickets::rule(context, rules)
}

#[cfg(test)]
mod tests {
    use super::*;
    use foreign_types_shared::ForeignTypeRef as _;
    use openssl::ssl::SslCipher;
    use openssl::stack::StackRef;
    use scenario::broker::Engine;

    unsafe extern "C" {
        fn SSL_CTX_get_ciphers(context: *const openssl_sys::SSL_CTX) -> *mut openssl_sys::stack_st_SSL_CIPHER;
    }

    #[test]
    fn the_grammar_names_exactly_the_suites_that_there_are() {
        library::initialise().unwrap();
        let mut rng = Some(ConnectionRng::new(0, 0));
        let mut existing: Vec<String> = ConnectionRng::during(&mut rng, || {
            let mut context = SslContext::builder(SslMethod::tls_server()).unwrap();
            context.set_security_level(0);
            context.set_cipher_list("ALL:COMPLEMENTOFALL:!PSK:!SRP:!DSS").unwrap();
            let tls13: Vec<&str> =
                Engine::Openssl.cipher_suites().iter().copied().filter(|name| is_tls13(name)).collect();
            context.set_ciphersuites(&tls13.join(":")).unwrap();
            // SAFETY: the context lives longer than what is read from its list.
            let suites = unsafe { StackRef::<SslCipher>::from_ptr(SSL_CTX_get_ciphers(context.as_ptr())) };
            suites.iter().filter_map(|cipher| cipher.standard_name()).map(str::to_owned).collect()
        });
        let mut named: Vec<String> = Engine::Openssl.cipher_suites().iter().map(|name| (*name).to_owned()).collect();
        existing.sort();
        named.sort();
        assert_eq!(named, existing);
    }
}
