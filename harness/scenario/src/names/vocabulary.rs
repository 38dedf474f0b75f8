//! The words of names that claim something.

use control::{Trust, Verify};
use network::{Fault, OnClose, OnData, OnOpen, OnSend, Port};
use outcome::AlertDescription;
use pki::spec::{Digest, Name, Profile};

use super::claim::Claim;
use super::facts::{
    answers_with_code, chain_has_keys, closes_tls, falls_silent, goes_wrong_on_air_once, has_key,
    has_no_common_version, has_quality, is_black_hole, is_delayed_by, is_key_kind, is_number, is_retried,
    is_self_signed, is_unknown_ca, is_wrong_name, leaf_names, leaves_only, loses_percent, networks_of_that_name,
    number, publishes_bytes, resets, sends_alert, sends_fin, server_is_silent, some_begins_after, some_certificate,
    some_dns_name, some_ends_before, some_ends_in_year, some_fault, some_network, suites_have, warns,
};
use crate::Scenario;
use crate::broker::{
    Engine, Goodbye, OnClientHello, OnConnect, OnFinished, OnPing, OnPublish, OnServerFlight, OnServerHello, Packing,
    Real, Request,
};
use crate::device::{Clock, Encoding, ServerName, Version};
use crate::network::Resolver;

/// A claim without a value.
const fn says(words: &'static str, means: &'static str, holds: fn(&Scenario, &str) -> bool) -> Claim {
    Claim { words, is_value: |_| false, means, holds }
}

/// A claim with a value in the place of its `*`.
const fn says_of(
    words: &'static str,
    is_value: fn(&str) -> bool,
    means: &'static str,
    holds: fn(&Scenario, &str) -> bool,
) -> Claim {
    Claim { words, is_value, means, holds }
}

pub(super) const CLAIMS: &[Claim] = &[
    // Who is dialled, and which names stand in the certificate.
    says("dialled_by_address", "`device.dials` is the literal of an address", |s, _| s.device.dials_address()),
    says("dialled_by_name", "`device.dials` is a name", |s, _| !s.device.dials_address()),
    says(
        "no_sni",
        "the device sends no name: `device.server_name = false`, `sends_server_name = false`, or it dials an address",
        |s, _| {
            s.device.server_name == ServerName::None || !s.device.security.sends_server_name || s.device.dials_address()
        },
    ),
    says("san_ip", "the broker's certificate has an address in `names`", |s, _| {
        leaf_names(s).iter().any(|name| matches!(name, Name::Ip(_)))
    }),
    says("san_ipv6", "the broker's certificate has an IPv6 address in `names`", |s, _| {
        leaf_names(s).iter().any(|name| matches!(name, Name::Ip(address) if address.is_ipv6()))
    }),
    says("san_dns", "the broker's certificate has a `dns:` in `names`", |s, _| some_dns_name(s, |_| true)),
    says("san_uri", "the broker's certificate has a `uri:` in `names`", |s, _| {
        leaf_names(s).iter().any(|name| matches!(name, Name::Uri(_)))
    }),
    says("san_email", "the broker's certificate has an `email:` in `names`", |s, _| {
        leaf_names(s).iter().any(|name| matches!(name, Name::Email(_)))
    }),
    says("no_san", "the broker's certificate has `names = []`", |s, _| leaf_names(s).is_empty()),
    says("wildcard", "a `dns:` of the broker's certificate has a `*`", |s, _| {
        some_dns_name(s, |name| name.contains('*'))
    }),
    says("upper_case", "a `dns:` of the broker's certificate has capital letters", |s, _| {
        some_dns_name(s, |name| name.contains(|c: char| c.is_ascii_uppercase()))
    }),
    says("trailing_dot", "a `dns:` of the broker's certificate ends with a dot", |s, _| {
        some_dns_name(s, |name| name.ends_with('.'))
    }),
    says("nul", "a `dns:` of the broker's certificate has a NUL", |s, _| some_dns_name(s, |name| name.contains('\0'))),
    says("idn", "`device.dials` has a label that begins with `xn--`", |s, _| s.device.dials.contains("xn--")),
    says("mdns_name", "`device.dials` ends with `.local`", |s, _| s.device.dials.ends_with(".local")),
    says("wrong_name", "the broker's certificate does not name what the device dials", |s, _| is_wrong_name(s)),
    says("wrong_certificate", "the broker's certificate does not name what the device dials", |s, _| is_wrong_name(s)),
    says("right_certificate", "the broker's certificate names what the device dials", |s, _| !is_wrong_name(s)),
    // Trust.
    says("unknown_ca", "nobody above the broker's certificate is in `device.trusts`", |s, _| is_unknown_ca(s)),
    says("self_signed", "some certificate has `issuer = \"self\"`", |s, _| is_self_signed(s)),
    says("no_trust_anchor", "`device.trusts = []`", |s, _| s.device.trusts.is_empty()),
    says("verify_off", "`device.verify = \"none\"`", |s, _| s.device.security.verify == Verify::None),
    says("verify_optional", "`device.verify = \"optional\"`", |s, _| s.device.security.verify == Verify::Optional),
    says("must_staple", "some certificate has `must_staple = true`", |s, _| {
        some_certificate(s, |spec| spec.must_staple == Some(true))
    }),
    says("ca_file_truncated", "`device.trusts_as = \"truncated_pem\"`", |s, _| {
        s.device.trusts_as == Encoding::TruncatedPem
    }),
    says("ca_as_bare_base64", "`device.trusts_as = \"bare_base64\"`", |s, _| {
        s.device.trusts_as == Encoding::BareBase64
    }),
    says("dates_not_checked", "`device.checks_dates = false`", |s, _| !s.device.security.checks_dates),
    says("ca_as_der", "`device.trusts_as = \"der\"`", |s, _| s.device.trusts_as == Encoding::Der),
    says("byte_order_mark", "`device.trusts_as = \"pem_with_byte_order_mark\"`", |s, _| {
        s.device.trusts_as == Encoding::PemWithByteOrderMark
    }),
    says("own_issuers_only", "`device.trust = \"self_signed\"`", |s, _| s.device.trust == Trust::SelfSigned),
    says("fingerprint", "`device.trust = { fingerprint = … }`", |s, _| {
        matches!(s.device.trust, Trust::Fingerprint(_))
    }),
    says("known_key", "`device.trust = { known_key = … }`", |s, _| matches!(s.device.trust, Trust::KnownKey(_))),
    says("document_002", "some certificate is given as `pem`", |s, _| some_certificate(s, |spec| spec.pem.is_some())),
    // Dates and clocks.
    says("expired", "some certificate's `not_after` lies before `date`", |s, _| some_ends_before(s, s.date())),
    says("not_yet_valid", "some certificate's `not_before` lies after `date`", |s, _| some_begins_after(s, s.date())),
    says_of("ends_in_*", is_number, "some certificate's `not_after` lies in that year", some_ends_in_year),
    says_of("after_*", is_number, "`date` lies in that year or later", |s, year| {
        clock::calendar::Date::from_unix_time(s.date()).year >= i64::try_from(number(year)).unwrap_or(i64::MAX)
    }),
    says("clock_unset", "`device.clock = \"unset\"`", |s, _| s.device.clock == Clock::Unset),
    says("sntp", "`device.clock = \"sntp\"`", |s, _| s.device.clock == Clock::Sntp),
    // Versions, suites, groups.
    says("tls10_only", "`broker.versions = [\"1.0\"]`", |s, _| s.broker.versions == [Version::Tls10]),
    says("tls11_only", "`broker.versions = [\"1.1\"]`", |s, _| s.broker.versions == [Version::Tls11]),
    says("tls12_only", "`broker.versions = [\"1.2\"]`", |s, _| s.broker.versions == [Version::Tls12]),
    says("tls13_only", "`broker.versions = [\"1.3\"]`", |s, _| s.broker.versions == [Version::Tls13]),
    says("device_tls12_only", "`device.versions = [\"1.2\"]`", |s, _| s.device.versions == [Version::Tls12]),
    says("device_tls13_only", "`device.versions = [\"1.3\"]`", |s, _| s.device.versions == [Version::Tls13]),
    says("tls12", "`versions = [\"1.2\"]` for the device or the broker", |s, _| leaves_only(s, Version::Tls12)),
    says("tls13", "`versions = [\"1.3\"]` for the device or the broker", |s, _| leaves_only(s, Version::Tls13)),
    says("no_common_version", "`device.versions` and `broker.versions` have nothing in common", |s, _| {
        has_no_common_version(s)
    }),
    says("ssl3", "`broker.on_client_hello = \"ssl3_server_hello\"`", |s, _| {
        s.broker.on_client_hello == Some(OnClientHello::Ssl3ServerHello)
    }),
    says("tls10", "`broker.on_client_hello = \"tls10_server_hello\"`", |s, _| {
        s.broker.on_client_hello == Some(OnClientHello::Tls10ServerHello)
    }),
    says("tls11", "`broker.on_client_hello = \"tls11_server_hello\"`", |s, _| {
        s.broker.on_client_hello == Some(OnClientHello::Tls11ServerHello)
    }),
    says("intolerant", "the broker sends FIN for a ClientHello that is too new, or for all of them", |s, _| {
        matches!(s.broker.on_client_hello, Some(OnClientHello::Fin | OnClientHello::FinAbove(_)))
    }),
    says("downgrade_sentinel", "`broker.on_client_hello = \"downgrade_sentinel\"`", |s, _| {
        s.broker.on_client_hello == Some(OnClientHello::DowngradeSentinel)
    }),
    says("compression", "`broker.on_client_hello = \"compression\"`", |s, _| {
        s.broker.on_client_hello == Some(OnClientHello::Compression)
    }),
    says("unoffered_cipher_suite", "`broker.on_client_hello = \"unoffered_cipher_suite\"`", |s, _| {
        s.broker.on_client_hello == Some(OnClientHello::UnofferedCipherSuite)
    }),
    says("chacha20_poly1305", "all of `broker.cipher_suites` are so", |s, _| suites_have(s, "_CHACHA20_POLY1305_")),
    says("aes_128_gcm", "all of `broker.cipher_suites` are so", |s, _| suites_have(s, "_AES_128_GCM_")),
    says("rsa_key_exchange", "all of `broker.cipher_suites` begin with `TLS_RSA_WITH_`", |s, _| {
        suites_have(s, "TLS_RSA_WITH_")
    }),
    says("dhe", "all of `broker.cipher_suites` begin with `TLS_DHE_`", |s, _| suites_have(s, "TLS_DHE_")),
    says_of(
        "dhe_of_*_bits",
        is_number,
        "all of `broker.cipher_suites` begin with `TLS_DHE_`, and `broker.dh_bits` is that number",
        |s, bits| suites_have(s, "TLS_DHE_") && u64::from(s.broker.dh_bits) == number(bits),
    ),
    says("anonymous_key_exchange", "all of `broker.cipher_suites` are so", |s, _| suites_have(s, "_anon_WITH_")),
    says("null_cipher", "all of `broker.cipher_suites` are so", |s, _| suites_have(s, "_WITH_NULL_")),
    says("rc4", "all of `broker.cipher_suites` are so", |s, _| suites_have(s, "_WITH_RC4_")),
    says("3des", "all of `broker.cipher_suites` are so", |s, _| suites_have(s, "_WITH_3DES_")),
    says("camellia", "all of `broker.cipher_suites` are so", |s, _| suites_have(s, "_WITH_CAMELLIA_")),
    says("ccm_8", "all of `broker.cipher_suites` are so", |s, _| suites_have(s, "_CCM_8")),
    says("aes_128_cbc", "all of `broker.cipher_suites` are so", |s, _| suites_have(s, "_AES_128_CBC_")),
    says_of("security_level_*", is_number, "`broker.security_level` is that number", |s, level| {
        u64::from(s.broker.security_level) == number(level)
    }),
    says("session_id", "`device.client_hello` names a session of 32 bytes (RFC 5246 §7.4.1.2)", |s, _| {
        // Record header, message header, version, random.
        s.device.security.client_hello.as_ref().is_some_and(|hello| hello.get(86..88) == Some("20"))
    }),
    says("fallback_scsv", "`device.client_hello` offers the suite 0x5600 (RFC 7507)", |s, _| {
        s.device.security.client_hello.as_ref().is_some_and(|hello| hello.contains("5600"))
    }),
    says("aes_256_gcm", "all of `broker.cipher_suites` are so", |s, _| suites_have(s, "_AES_256_GCM_")),
    says_of(
        "group_*",
        |group| Engine::Openssl.groups().iter().any(|known| known.eq_ignore_ascii_case(group)),
        "`broker.groups` is that one group",
        |s, group| s.broker.groups.len() == 1 && s.broker.groups[0].eq_ignore_ascii_case(group),
    ),
    says("rsa_pss_only", "all of `broker.signature_schemes` are RSA-PSS", |s, _| {
        let schemes = &s.broker.signature_schemes;
        !schemes.is_empty() && schemes.iter().all(|scheme| scheme.starts_with("rsa_pss"))
    }),
    says("nodemcu_hello", "`device.client_hello` offers TLS 1.1 and four suites, and nothing else", |s, _| {
        s.device.security.client_hello.as_deref().is_some_and(|hello| hello.ends_with("0008002f0035000500040100"))
    }),
    says("device_rsa_key_exchange", "all of `device.cipher_suites` begin with `TLS_RSA_WITH_`", |s, _| {
        let suites = &s.device.cipher_suites;
        !suites.is_empty() && suites.iter().all(|suite| suite.starts_with("TLS_RSA_WITH_"))
    }),
    // What is in certificates.
    says_of("*", is_key_kind, "the broker's or the device's certificate has that kind of `key`", has_key),
    says_of("*_chain", is_key_kind, "all certificates from the broker's to its root have that `key`", chain_has_keys),
    says("sha1", "some certificate has `signature = \"sha1\"`, or all of `broker.signature_schemes` are so", |s, _| {
        let schemes = &s.broker.signature_schemes;
        some_certificate(s, |spec| spec.signature == Some(Digest::Sha1))
            || !schemes.is_empty() && schemes.iter().all(|scheme| scheme.ends_with("sha1"))
    }),
    says("md5", "some certificate has `signature = \"md5\"`", |s, _| {
        some_certificate(s, |spec| spec.signature == Some(Digest::Md5))
    }),
    says("version_1", "some certificate has `version = 1`", |s, _| some_certificate(s, |spec| spec.version == Some(1))),
    says("unknown_extension", "some certificate has `unknown_extensions`", |s, _| {
        some_certificate(s, |spec| !spec.unknown_extensions.is_empty())
    }),
    says("unknown_critical_extension", "some certificate has a critical one in `unknown_extensions`", |s, _| {
        some_certificate(s, |spec| spec.unknown_extensions.iter().any(|extension| extension.critical))
    }),
    says("name_constraints", "some certificate has `name_constraints`", |s, _| {
        some_certificate(s, |spec| spec.name_constraints.is_some())
    }),
    says("path_length", "some certificate has a `path_length`", |s, _| {
        some_certificate(s, |spec| spec.path_length.is_some())
    }),
    says("broken_signature", "some certificate has `flaws = [\"broken_signature\"]`", |s, _| {
        some_certificate(s, |spec| spec.flaws.contains(&pki::spec::Flaw::BrokenSignature))
    }),
    says("intermediate", "some certificate is an authority between: `ca = true`", |s, _| {
        s.pki.0.iter().any(|(name, spec)| Profile::of(name, spec) == Profile::Intermediate)
    }),
    says("cross_signed", "some certificate has a `key_of`", |s, _| some_certificate(s, |spec| spec.key_of.is_some())),
    says("junk", "`broker.junk_after_certificates = true`", |s, _| s.broker.junk_after_certificates),
    says("key_of_another_certificate", "`key_of` of the broker or the device names another certificate", |s, _| {
        let differs = |key: &Option<String>, shown: &[String]| key.is_some() && key.as_ref() != shown.first();
        differs(&s.broker.key_of, &s.broker.certificates) || differs(&s.device.key_of, &s.device.certificates)
    }),
    // Records.
    says_of("fragments_of_*", is_number, "`broker.record_bytes_max` is that number", |s, bytes| {
        s.broker.record_bytes_max.map(u64::from) == Some(number(bytes))
    }),
    says("receive_buffer", "`device.receive_buffer_bytes` is given", |s, _| {
        s.device.security.receive_buffer_bytes.is_some()
    }),
    says("max_fragment_length", "`device.max_fragment_length_bytes` is given", |s, _| {
        s.device.security.max_fragment_length_bytes.is_some()
    }),
    says("http", "`broker.on_client_hello = \"http\"`", |s, _| s.broker.on_client_hello == Some(OnClientHello::Http)),
    says("connack_in_plaintext", "`broker.on_client_hello = \"plain_connack\"`", |s, _| {
        s.broker.on_client_hello == Some(OnClientHello::PlainConnack)
    }),
    says("no_renegotiation_info", "`broker.on_server_hello = { lacks_extension = 65281 }`", |s, _| {
        s.broker.on_server_hello == Some(OnServerHello::LacksExtension(0xff01))
    }),
    says("unsolicited_extension", "`broker.on_server_hello = { adds_extension = … }`", |s, _| {
        matches!(s.broker.on_server_hello, Some(OnServerHello::AddsExtension(_)))
    }),
    says("another_max_fragment_length", "`broker.on_server_hello` and the device have different lengths", |s, _| {
        matches!(s.broker.on_server_hello, Some(OnServerHello::MaxFragmentLengthBytes(bytes))
            if s.device.security.max_fragment_length_bytes.is_some_and(|asked| asked != bytes))
    }),
    says("no_extended_main_secret", "`broker.extended_main_secret = false`", |s, _| !s.broker.extended_main_secret),
    says("segments_of_one_byte", "`network.segment_bytes = 1`", |s, _| {
        some_fault(s, |fault| matches!(fault, Fault::Segment { bytes_max: 1 }))
    }),
    says("one_byte_per_record", "`broker.mqtt.packing = \"one_byte_per_record\"`", |s, _| {
        s.broker.mqtt.packing == Packing::OneBytePerRecord
    }),
    says_of("session_ticket_of_*_kib", is_number, "`broker.ticket_padding_bytes` is at least that", |s, kib| {
        u64::from(s.broker.ticket_padding_bytes) >= number(kib) * 1_024
    }),
    says("bit_flipped", "`broker.on_server_flight = { flip_bit_at = … }`", |s, _| {
        matches!(s.broker.on_server_flight, Some(OnServerFlight::FlipBitAt(_)))
    }),
    // Client certificates.
    says("mutual", "the broker asks for a certificate, and the device has one", |s, _| {
        s.broker.client_certificates.request != Request::None && !s.device.certificates.is_empty()
    }),
    says("client_certificate_required", "`broker.client_certificates.request = \"required\"`", |s, _| {
        s.broker.client_certificates.request == Request::Required
    }),
    says("required_none_sent", "the broker requires a certificate, and the device has none", |s, _| {
        s.broker.client_certificates.request == Request::Required && s.device.certificates.is_empty()
    }),
    says("optional_none_sent", "the broker asks for a certificate, and the device has none", |s, _| {
        s.broker.client_certificates.request == Request::Optional && s.device.certificates.is_empty()
    }),
    says("not_requested", "the device has a certificate, and the broker does not ask", |s, _| {
        s.broker.client_certificates.request == Request::None && !s.device.certificates.is_empty()
    }),
    says_of("request_names_*", is_number, "`announce_fillers` is that number", |s, count| {
        u64::from(s.broker.client_certificates.announce_fillers) == number(count)
    }),
    says("identity", "`broker.client_certificates.identity_is_user_name = true`", |s, _| {
        s.broker.client_certificates.identity_is_user_name
    }),
    // SNI and ALPN.
    says("no_sni_probe", "`device.probes_fragment_length = true`", |s, _| s.device.security.probes_fragment_length),
    says("tenant", "`broker.tenants` has somebody", |s, _| !s.broker.tenants.is_empty()),
    says("alpn", "`broker.alpn` or `device.alpn` is given", |s, _| {
        !s.broker.alpn.is_empty() || !s.device.security.alpn.is_empty()
    }),
    says("alpn_required", "`broker.alpn_required = true`", |s, _| s.broker.alpn_required),
    // TCP, DNS and what lies between.
    says("fin", "somebody sends FIN before his time", |s, _| sends_fin(s)),
    says("reset", "somebody sends RST", |s, _| resets(s)),
    says("silence", "the broker falls silent", |s, _| falls_silent(s)),
    says("silent", "the broker, the resolver, the time server or the DHCP server is silent", |s, _| {
        server_is_silent(s)
    }),
    says(
        "black_hole",
        "`network.cut.how = \"black_hole\"`, or `network.forgets_at_ms`, or such an entry of `network.faults`",
        |s, _| is_black_hole(s),
    ),
    says("close_notify", "the broker sends close_notify in place of a handshake or of MQTT", |s, _| closes_tls(s)),
    says("without_close_notify", "`broker.goodbye` is `\"fin\"` or `\"reset\"`", |s, _| {
        s.broker.goodbye != Goodbye::CloseNotify
    }),
    says_of("alert_*", |name| AlertDescription::from_name(name).is_some(), "the broker sends that alert", sends_alert),
    says("warning", "the broker sends an alert as a warning", |s, _| warns(s)),
    says("drip", "`network.drip_bytes_per_s`, or `broker.on_server_flight = { drip_ms_per_byte = … }`", |s, _| {
        some_fault(s, |fault| matches!(fault, Fault::Drip { .. }))
            || matches!(s.broker.on_server_flight, Some(OnServerFlight::DripMsPerByte(_)))
    }),
    says_of("delayed_by_*_s", is_number, "the broker's answer is late by so many seconds", is_delayed_by),
    says("port_closed", "`network.port = \"closed\"`", |s, _| s.network.port == Port::Closed),
    says("syn_dropped", "`network.port = \"dropped\"`", |s, _| s.network.port == Port::Dropped),
    says("nxdomain", "`network.resolver = \"nxdomain\"`", |s, _| s.network.resolver == Resolver::Nxdomain),
    says("servfail", "`network.resolver = \"servfail\"`", |s, _| s.network.resolver == Resolver::Servfail),
    says_of("mtu_*", is_number, "`network.mtu_bytes` is that number", |s, bytes| {
        u64::from(s.network.mtu_bytes) == number(bytes)
    }),
    says_of("loss_of_*_percent", is_number, "`network.loss_percent` is that number", loses_percent),
    says("reordering", "`network.reorder_percent` is not 0, or `network.faults` has a `reorder`", |s, _| {
        some_fault(s, |fault| matches!(fault, Fault::Reorder { .. }))
    }),
    says("duplicates", "`network.duplicate_percent` is not 0, or `network.faults` has a `duplicate`", |s, _| {
        some_fault(s, |fault| matches!(fault, Fault::Duplicate { .. }))
    }),
    says("bit_errors", "`network.serial_damage` or `network.serial_faults` is given", |s, _| {
        !s.network.serial_faults().is_empty()
    }),
    // After the handshake.
    says("hello_request", "`broker.on_client_hello` or `broker.on_finished` is `\"hello_request\"`", |s, _| {
        s.broker.on_client_hello == Some(OnClientHello::HelloRequest)
            || s.broker.on_finished == Some(OnFinished::HelloRequest)
    }),
    says("hello_retry_request", "the broker wants a group that is not the first of `device.groups`", |s, _| {
        is_retried(s)
    }),
    says("session_tickets", "`broker.session_tickets` is not 0", |s, _| s.broker.session_tickets > 0),
    says("key_update", "`broker.on_finished = { key_updates = … }`", |s, _| {
        matches!(s.broker.on_finished, Some(OnFinished::KeyUpdates(_)))
    }),
    // MQTT.
    says("real_mosquitto", "`broker.real = \"mosquitto\"`", |s, _| s.broker.real == Some(Real::Mosquitto)),
    says("dh_parameters", "a line of `[mosquitto]` begins with `dhparamfile`", |s, _| {
        s.mosquitto.as_ref().is_some_and(|mosquitto| mosquitto.has_option("dhparamfile"))
    }),
    says("plaintext", "`device.tls = false` or `broker.tls = false`", |s, _| !s.device.tls || !s.broker.tls),
    says("plaintext_device", "`device.tls = false`", |s, _| !s.device.tls),
    says("plaintext_broker", "`broker.tls = false`", |s, _| !s.broker.tls),
    says("tls_device", "`device.tls = true`", |s, _| s.device.tls),
    says("tls_broker", "`broker.tls = true`", |s, _| s.broker.tls),
    says_of("connack_*", is_number, "the broker answers CONNECT with that return code", answers_with_code),
    says("connack_withheld", "`broker.mqtt.on_connect = \"silence\"`", |s, _| {
        s.broker.mqtt.on_connect == OnConnect::Silence
    }),
    says("puback_withheld", "`broker.mqtt.on_publish = \"silence\"`", |s, _| {
        s.broker.mqtt.on_publish == OnPublish::Silence
    }),
    says("pingresp_withheld", "`broker.mqtt.on_ping = \"silence\"`", |s, _| s.broker.mqtt.on_ping == OnPing::Silence),
    says("session_present", "`broker.mqtt.on_connect = \"session_present\"`", |s, _| {
        s.broker.mqtt.on_connect == OnConnect::SessionPresent
    }),
    says("version_5_broker", "`broker.mqtt.on_connect = \"unsupported_version5\"`", |s, _| {
        s.broker.mqtt.on_connect == OnConnect::UnsupportedVersion5
    }),
    says_of("keep_alive_*", is_number, "`device.mqtt.keep_alive_s` is that number", |s, seconds| {
        u64::from(s.device.plan.mqtt.keep_alive_s) == number(seconds)
    }),
    says("qos0", "a message or a subscription has `qos = 0`", |s, _| has_quality(s, "0")),
    says("qos1", "a message or a subscription has `qos = 1`", |s, _| has_quality(s, "1")),
    says_of("message_of_*_bytes", is_number, "the broker publishes a payload of so many bytes", |s, bytes| {
        publishes_bytes(s, number(bytes))
    }),
    says_of("message_of_*_kib", is_number, "the broker publishes a payload of so many KiB", |s, kib| {
        publishes_bytes(s, number(kib) * 1_024)
    }),
    says("retained", "the broker publishes a message with `retain = true`", |s, _| {
        s.broker.mqtt.publish.iter().any(|message| message.retain)
    }),
    says("will", "`device.mqtt.will` is given", |s, _| s.device.plan.mqtt.will.is_some()),
    says("empty_client_id", "`device.mqtt.client_id = \"\"`", |s, _| s.device.plan.mqtt.client_id.is_empty()),
    says("anonymous", "`device.mqtt.user_name` is absent", |s, _| s.device.plan.mqtt.user_name.is_none()),
    says("taken_over", "`broker.mqtt.taken_over_after_ms` is given", |s, _| {
        s.broker.mqtt.taken_over_after_ms.is_some()
    }),
    says(
        "once",
        "`broker.misbehaves_times = 1`, or `broker.mqtt.on_publish = \"lose_one\"`, or a fault of `[wifi]` has `times = 1`",
        |s, _| {
            s.broker.misbehaves_times == Some(1)
                || s.broker.mqtt.on_publish == OnPublish::LoseOne
                || goes_wrong_on_air_once(s)
        },
    ),
    // The air.
    says("hidden", "an access point is `hidden`", |s, _| s.wifi.access_points().iter().any(|one| one.hidden)),
    says("network_absent", "no access point has the name that the device looks for", |s, _| {
        networks_of_that_name(s) == 0
    }),
    says("two_access_points", "two access points have the name that the device looks for", |s, _| {
        networks_of_that_name(s) == 2
    }),
    says("wrong_passphrase", "no access point of that name has the passphrase that the device is told", |s, _| {
        networks_of_that_name(s) > 0 && !some_network(s, |one| one.passphrase.as_deref() == Some(&s.wifi.passphrase))
    }),
    says("captive_portal", "`network.resolver = \"portal\"`", |s, _| s.network.resolver == Resolver::Portal),
    says("power_save", "`wifi.power_save = true`", |s, _| s.wifi.power_save),
    // Memory.
    says("no_block", "`device.heap_block_max_bytes` is given", |s, _| s.device.plan.heap_block_max_bytes.is_some()),
    says("sweep", "there is a table `[sweep]`", |s, _| s.sweep.is_some()),
    says_of("over_*_reconnects", is_number, "`device.repeats` is that number", |s, count| {
        u64::from(s.device.plan.repeats) == number(count)
    }),
    says_of("largest_block_of_*_kib", is_number, "`device.heap_block_max_bytes` is so many KiB", |s, kib| {
        s.device.plan.heap_block_max_bytes.map(u64::from) == Some(number(kib) * 1_024)
    }),
    says_of("heap_of_*_kib", is_number, "`device.heap_cap_bytes` is so many KiB", |s, kib| {
        s.device.plan.heap_cap_bytes.map(u64::from) == Some(number(kib) * 1_024)
    }),
    // Modem.
    says("close_before_the_answer", "`modem.on_close = \"before_an_answer\"`", |s, _| {
        s.modem.on_close == OnClose::BeforeAnAnswer
    }),
    says("notices_of_data_lost", "`modem.on_data = \"silence\"`", |s, _| s.modem.on_data == OnData::Silence),
    says("notices_of_data_twice", "`modem.on_data = \"tells_twice\"`", |s, _| s.modem.on_data == OnData::TellsTwice),
    says_of("reads_of_*_bytes", is_number, "`modem.read_bytes_max` is that number", |s, bytes| {
        u64::from(s.modem.read_bytes_max) == number(bytes)
    }),
    says_of(
        "sends_of_*_bytes",
        is_number,
        "`modem.on_send = { takes_at_most = … }` is that number",
        |s, bytes| matches!(s.modem.on_send, OnSend::TakesAtMost(most) if u64::from(most) == number(bytes)),
    ),
    says("prompt_missing", "`modem.on_send = \"no_prompt\"`", |s, _| s.modem.on_send == OnSend::NoPrompt),
    says("open_refused", "`modem.on_open = \"error\"`", |s, _| s.modem.on_open == OnOpen::Error),
    says("network_lost", "`modem.network_closes_after_bytes` is given", |s, _| {
        s.modem.network_closes_after_bytes.is_some()
    }),
    says_of("stall_of_*_s", is_number, "`modem.stall.ms` is so many seconds", |s, seconds| {
        s.modem.stall.is_some_and(|stall| u64::from(stall.ms) == number(seconds) * 1_000)
    }),
    says("echo", "`modem.echoes = true`", |s, _| s.modem.echoes),
    says("bytes_lost_on_the_line", "`modem.loses` is given", |s, _| s.modem.loses.is_some()),
    says("modem_reset", "`modem.resets_after_bytes` is given", |s, _| s.modem.resets_after_bytes.is_some()),
    says("link_taken", "`modem.links_taken_after_reset` is not 0", |s, _| s.modem.links_taken_after_reset > 0),
];
