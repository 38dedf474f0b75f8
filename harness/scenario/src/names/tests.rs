use super::*;

/// A scenario that says next to nothing: a healthy broker, dialled by its name, that shows a P-256 certificate.
const HEALTHY: &str = "title = 't'\nspecification = { demands = 'connect', rule = 'RFC 9525 §6.3', quote = 'q' }\n";

/// Each claim as a name makes it, a content of which it is a lie, and one of which it is true.
const LIES: &[(&str, &str, &str)] = &[
    ("dialled_by_address", "", "device.dials = '192.0.2.10'"),
    ("dialled_by_name", "device.dials = '192.0.2.10'", ""),
    ("no_sni", "", "device.server_name = false"),
    ("san_ip", "", "pki.leaf.names = ['ip:192.0.2.10']"),
    ("san_ipv6", "pki.leaf.names = ['ip:192.0.2.10']", "pki.leaf.names = ['ip:2001:db8::10']"),
    ("san_dns", "pki.leaf.names = ['ip:192.0.2.10']", ""),
    ("san_uri", "", "pki.leaf.names = ['uri:mqtts://broker.test']"),
    ("san_email", "", "pki.leaf.names = ['email:a@broker.test']"),
    ("no_san", "", "pki.leaf.names = []"),
    ("wildcard", "", "pki.leaf.names = ['dns:*.test']"),
    ("upper_case", "", "pki.leaf.names = ['dns:BROKER.test']"),
    ("trailing_dot", "", "pki.leaf.names = ['dns:broker.test.']"),
    ("nul", "", r#"pki.leaf.names = ["dns:broker.test\u0000.evil.test"]"#),
    ("idn", "", "device.dials = 'xn--bcher-kva.test'"),
    ("mdns_name", "", "device.dials = 'raspberry.local'"),
    ("wrong_name", "", "pki.leaf.names = ['dns:other.test']"),
    ("wrong_certificate", "", "pki.leaf.names = []"),
    ("right_certificate", "device.dials = '192.0.2.10'", ""),
    ("unknown_ca", "", "pki.leaf.issuer = 'x'\npki.x.profile = 'root'"),
    ("own_issuers_only", "", "device.trust = 'self_signed'"),
    ("fingerprint", "", "device.trust = { fingerprint = 'leaf' }"),
    ("known_key", "", "device.trust = { known_key = 'leaf' }"),
    ("document_002", "", "pki.x.pem = ''"),
    ("no_sni_probe", "", "device.probes_fragment_length = true"),
    ("no_block", "", "device.heap_block_max_bytes = 12288"),
    ("self_signed", "", "pki.leaf.issuer = 'self'"),
    ("no_trust_anchor", "", "device.trusts = []"),
    ("verify_off", "", "device.verify = 'none'"),
    ("verify_optional", "", "device.verify = 'optional'"),
    ("must_staple", "", "pki.leaf.must_staple = true"),
    ("ca_file_truncated", "", "device.trusts_as = 'truncated_pem'"),
    ("ca_as_bare_base64", "", "device.trusts_as = 'bare_base64'"),
    ("dates_not_checked", "", "device.checks_dates = false"),
    ("ca_as_der", "", "device.trusts_as = 'der'"),
    ("byte_order_mark", "", "device.trusts_as = 'pem_with_byte_order_mark'"),
    ("expired", "pki.leaf.not_after = '+1d'", "pki.leaf.not_after = '-1d'"),
    ("not_yet_valid", "pki.leaf.not_before = '-1d'", "pki.leaf.not_before = '+1d'"),
    ("ends_in_2055", "pki.leaf.not_after = '2054-12-31T23:59:59Z'", "pki.leaf.not_after = '2055-01-01T00:00:00Z'"),
    ("after_2038", "date = '2037-12-31T23:59:59Z'", "date = '2038-01-20T00:00:00Z'"),
    ("clock_unset", "", "device.clock = 'unset'"),
    ("sntp", "", "device.clock = 'sntp'"),
    ("tls12_only", "device.versions = ['1.2']", "broker.versions = ['1.2']"),
    ("tls13_only", "device.versions = ['1.3']", "broker.versions = ['1.3']"),
    ("device_tls12_only", "broker.versions = ['1.2']", "device.versions = ['1.2']"),
    ("device_tls13_only", "broker.versions = ['1.3']", "device.versions = ['1.3']"),
    ("tls12", "device.versions = ['1.3']", "device.versions = ['1.2']"),
    ("tls13", "broker.versions = ['1.2']", "broker.versions = ['1.3']"),
    ("no_common_version", "broker.versions = ['1.2']", "device.versions = ['1.3']\nbroker.versions = ['1.2']"),
    ("ssl3", "", "broker.on_client_hello = 'ssl3_server_hello'"),
    ("tls10", "", "broker.on_client_hello = 'tls10_server_hello'"),
    ("tls11", "", "broker.on_client_hello = 'tls11_server_hello'"),
    ("downgrade_sentinel", "", "broker.on_client_hello = 'downgrade_sentinel'"),
    ("compression", "", "broker.on_client_hello = 'compression'"),
    ("unoffered_cipher_suite", "", "broker.on_client_hello = 'unoffered_cipher_suite'"),
    (
        "chacha20_poly1305",
        "broker.cipher_suites = ['TLS_AES_128_GCM_SHA256']",
        "broker.cipher_suites = ['TLS_CHACHA20_POLY1305_SHA256']",
    ),
    ("aes_128_gcm", "", "broker.cipher_suites = ['TLS_AES_128_GCM_SHA256']"),
    ("aes_256_gcm", "", "broker.cipher_suites = ['TLS_AES_256_GCM_SHA384']"),
    ("group_secp384r1", "broker.groups = ['x25519', 'secp384r1']", "broker.groups = ['secp384r1']"),
    (
        "rsa_pss_only",
        "broker.signature_schemes = ['rsa_pss_rsae_sha256', 'rsa_pkcs1_sha256']",
        "broker.signature_schemes = ['rsa_pss_rsae_sha256']",
    ),
    (
        "device_rsa_key_exchange",
        "device.cipher_suites = ['TLS_AES_128_GCM_SHA256']",
        "device.cipher_suites = ['TLS_RSA_WITH_AES_128_CBC_SHA']",
    ),
    (
        "nodemcu_hello",
        "device.client_hello = '1603'",
        "device.client_hello = '16030200330100002f030200000000d0b1a13a071c1b3ef2fc0391d618b5ae5d776537f5071045d17e1aea000008002f0035000500040100'",
    ),
    ("intolerant", "", "broker.on_client_hello = { fin_above = '1.2' }"),
    ("tls10_only", "", "broker.engine = 'openssl'\nbroker.versions = ['1.0']"),
    (
        "tls11_only",
        "broker.engine = 'openssl'\nbroker.versions = ['1.0', '1.1']",
        "broker.engine = 'openssl'\nbroker.versions = ['1.1']",
    ),
    (
        "rsa_key_exchange",
        "device.cipher_suites = ['TLS_RSA_WITH_AES_128_CBC_SHA']",
        "broker.engine = 'openssl'\nbroker.cipher_suites = ['TLS_RSA_WITH_AES_128_CBC_SHA']",
    ),
    (
        "dhe",
        "broker.engine = 'openssl'\nbroker.cipher_suites = ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA']",
        "broker.engine = 'openssl'\nbroker.cipher_suites = ['TLS_DHE_RSA_WITH_AES_128_CBC_SHA']",
    ),
    (
        "dhe_of_1024_bits",
        "broker.engine = 'openssl'\nbroker.dh_bits = 1024",
        "broker.engine = 'openssl'\nbroker.dh_bits = 1024\nbroker.cipher_suites = ['TLS_DHE_RSA_WITH_AES_128_CBC_SHA']",
    ),
    (
        "anonymous_key_exchange",
        "",
        "broker.engine = 'openssl'\nbroker.cipher_suites = ['TLS_DH_anon_WITH_AES_128_CBC_SHA']",
    ),
    ("null_cipher", "", "broker.engine = 'openssl'\nbroker.cipher_suites = ['TLS_RSA_WITH_NULL_SHA']"),
    ("rc4", "", "broker.engine = 'openssl'\nbroker.cipher_suites = ['TLS_RSA_WITH_RC4_128_SHA']"),
    ("3des", "", "broker.engine = 'openssl'\nbroker.cipher_suites = ['TLS_RSA_WITH_3DES_EDE_CBC_SHA']"),
    ("camellia", "", "broker.engine = 'openssl'\nbroker.cipher_suites = ['TLS_RSA_WITH_CAMELLIA_128_CBC_SHA']"),
    (
        "ccm_8",
        "broker.engine = 'openssl'\nbroker.cipher_suites = ['TLS_RSA_WITH_AES_128_CCM']",
        "broker.engine = 'openssl'\nbroker.cipher_suites = ['TLS_RSA_WITH_AES_128_CCM_8']",
    ),
    ("aes_128_cbc", "", "broker.engine = 'openssl'\nbroker.cipher_suites = ['TLS_RSA_WITH_AES_128_CBC_SHA']"),
    (
        "security_level_2",
        "broker.engine = 'openssl'\nbroker.security_level = 1",
        "broker.engine = 'openssl'\nbroker.security_level = 2",
    ),
    ("fallback_scsv", "", "device.client_hello = '16035600'"),
    (
        "session_id",
        "device.client_hello = '16030100310100002d030200000000d0b1a13a071c1b3ef2fc0391d618b5ae5d776537f5071045d17e1aea000006'",
        "device.client_hello = '16030100310100002d030200000000d0b1a13a071c1b3ef2fc0391d618b5ae5d776537f5071045d17e1aea200006'",
    ),
    (
        "no_renegotiation_info",
        "broker.versions = ['1.2']\nbroker.on_server_hello = { lacks_extension = 23 }",
        "broker.versions = ['1.2']\nbroker.on_server_hello = { lacks_extension = 65281 }",
    ),
    ("unsolicited_extension", "", "broker.versions = ['1.2']\nbroker.on_server_hello = { adds_extension = 5 }"),
    (
        "another_max_fragment_length",
        "device.max_fragment_length_bytes = 512\nbroker.versions = ['1.2']\nbroker.on_server_hello = { max_fragment_length_bytes = 512 }",
        "device.max_fragment_length_bytes = 512\nbroker.versions = ['1.2']\nbroker.on_server_hello = { max_fragment_length_bytes = 1024 }",
    ),
    ("no_extended_main_secret", "", "broker.engine = 'openssl'\nbroker.extended_main_secret = false"),
    ("p384", "", "pki.leaf.key = 'p384'"),
    ("rsa2048_chain", "pki.leaf.key = 'rsa2048'", "pki.leaf.key = 'rsa2048'\npki.root.key = 'rsa2048'"),
    ("sha1", "", "pki.leaf.signature = 'sha1'"),
    ("md5", "", "pki.leaf.signature = 'md5'"),
    ("version_1", "", "pki.leaf.version = 1"),
    ("unknown_extension", "", "pki.leaf.unknown_extensions = [{ oid = '1.3.6.1.4.1.99999.1' }]"),
    (
        "unknown_critical_extension",
        "pki.leaf.unknown_extensions = [{ oid = '1.3.6.1.4.1.99999.1' }]",
        "pki.leaf.unknown_extensions = [{ oid = '1.3.6.1.4.1.99999.1', critical = true }]",
    ),
    ("name_constraints", "", "pki.root.name_constraints.permitted = ['dns:test']"),
    ("path_length", "", "pki.root.path_length = 0"),
    ("broken_signature", "pki.leaf.flaws = ['truncated']", "pki.leaf.flaws = ['broken_signature']"),
    ("intermediate", "pki.x.profile = 'root'", "pki.x.ca = true"),
    ("cross_signed", "", "pki.x = { ca = true, key_of = 'root' }"),
    ("junk", "", "broker.junk_after_certificates = true"),
    ("key_of_another_certificate", "broker.key_of = 'leaf'", "broker.key_of = 'client'"),
    ("fragments_of_512", "broker.record_bytes_max = 64", "broker.record_bytes_max = 512"),
    ("receive_buffer", "", "device.receive_buffer_bytes = 4096"),
    ("max_fragment_length", "", "device.max_fragment_length_bytes = 512"),
    ("http", "", "broker.on_client_hello = 'http'"),
    ("connack_in_plaintext", "", "broker.on_client_hello = 'plain_connack'"),
    ("segments_of_one_byte", "network.segment_bytes = 2", "network.segment_bytes = 1"),
    ("one_byte_per_record", "", "broker.mqtt.packing = 'one_byte_per_record'"),
    ("session_ticket_of_4_kib", "broker.ticket_padding_bytes = 4095", "broker.ticket_padding_bytes = 4096"),
    ("bit_flipped", "", "broker.on_server_flight = { flip_bit_at = 9 }"),
    (
        "mutual",
        "device.certificates = ['client']",
        "device.certificates = ['client']\nbroker.client_certificates.request = 'required'",
    ),
    (
        "client_certificate_required",
        "broker.client_certificates.request = 'optional'",
        "broker.client_certificates.request = 'required'",
    ),
    (
        "required_none_sent",
        "device.certificates = ['client']\nbroker.client_certificates.request = 'required'",
        "broker.client_certificates.request = 'required'",
    ),
    ("optional_none_sent", "", "broker.client_certificates.request = 'optional'"),
    ("not_requested", "", "device.certificates = ['client']"),
    ("request_names_200", "", "broker.client_certificates.announce_fillers = 200"),
    ("identity", "", "broker.client_certificates.identity_is_user_name = true"),
    ("tenant", "", "broker.tenants = { 'a.test' = ['leaf'] }"),
    ("alpn", "", "device.alpn = ['mqtt']"),
    ("alpn_required", "broker.alpn = ['mqtt']", "broker = { alpn = ['mqtt'], alpn_required = true }"),
    ("fin", "broker.on_accept = 'reset'", "broker.on_accept = 'fin'"),
    ("reset", "broker.on_accept = 'fin'", "broker.on_accept = 'reset'"),
    ("silence", "", "broker.mqtt.on_ping = 'silence'"),
    ("silent", "", "network.sntp = 'silent'"),
    ("black_hole", "", "network.forgets_at_ms = 1"),
    ("close_notify", "", "broker.on_client_hello = 'close_notify'"),
    ("without_close_notify", "", "broker.goodbye = 'fin'"),
    (
        "alert_handshake_failure",
        "broker.on_client_hello = { alert = 'internal_error' }",
        "broker.on_client_hello = { alert = 'handshake_failure' }",
    ),
    ("warning", "broker.on_client_hello = { alert = 40 }", "broker.on_client_hello = { warning = 90 }"),
    ("drip", "", "network.drip_bytes_per_s = 1"),
    ("delayed_by_5_s", "network.hold_ms = 4999", "broker.on_client_hello = { delay_ms = 5000 }"),
    ("port_closed", "network.port = 'dropped'", "network.port = 'closed'"),
    ("syn_dropped", "network.port = 'closed'", "network.port = 'dropped'"),
    ("nxdomain", "network.resolver = 'servfail'", "network.resolver = 'nxdomain'"),
    ("servfail", "network.resolver = 'nxdomain'", "network.resolver = 'servfail'"),
    ("mtu_576", "", "network.mtu_bytes = 576"),
    ("loss_of_10_percent", "network.loss_percent = 1", "network.loss_percent = 10"),
    ("reordering", "", "network.reorder_percent = 1"),
    ("duplicates", "", "network.duplicate_percent = 1"),
    ("bit_errors", "", "network.serial_damage = { from = 'broker', one_in_bytes = 9 }"),
    ("hello_request", "", "broker.on_client_hello = 'hello_request'"),
    (
        "hello_retry_request",
        "device.groups = ['x25519', 'secp384r1']\nbroker.groups = ['x25519']",
        "device.groups = ['x25519', 'secp384r1']\nbroker.groups = ['secp384r1']",
    ),
    ("session_tickets", "", "broker.session_tickets = 1"),
    ("key_update", "", "broker.on_finished = { key_updates = 1 }"),
    ("real_mosquitto", "", "broker.real = 'mosquitto'"),
    (
        "dh_parameters",
        "broker.real = 'mosquitto'\nmosquitto.options = ['# dhparamfile x']",
        "broker.real = 'mosquitto'\nmosquitto.options = ['dhparamfile x']",
    ),
    ("plaintext", "", "broker.tls = false"),
    ("plaintext_device", "broker.tls = false", "device.tls = false"),
    ("plaintext_broker", "device.tls = false", "broker.tls = false"),
    ("tls_device", "device.tls = false", "broker.tls = false"),
    ("tls_broker", "broker.tls = false", "device.tls = false"),
    ("connack_5", "broker.mqtt.on_connect = { code = 4 }", "broker.mqtt.on_connect = { code = 5 }"),
    ("connack_withheld", "", "broker.mqtt.on_connect = 'silence'"),
    ("puback_withheld", "", "broker.mqtt.on_publish = 'silence'"),
    ("pingresp_withheld", "", "broker.mqtt.on_ping = 'silence'"),
    ("session_present", "", "broker.mqtt.on_connect = 'session_present'"),
    ("version_5_broker", "", "broker.mqtt.on_connect = 'unsupported_version5'"),
    ("keep_alive_0", "", "device.mqtt.keep_alive_s = 0"),
    ("qos0", "", "broker.mqtt.publish = [{ topic = 'a' }]"),
    ("qos1", "device.mqtt.acts = []", ""),
    ("message_of_300_bytes", "", "broker.mqtt.publish = [{ topic = 'a', payload_bytes = 300 }]"),
    ("message_of_2_kib", "", "broker.mqtt.publish = [{ topic = 'a', payload_bytes = 2048 }]"),
    ("retained", "", "broker.mqtt.publish = [{ topic = 'a', retain = true }]"),
    ("will", "", "device.mqtt.will = { topic = 'a', payload = 'b' }"),
    ("empty_client_id", "", "device.mqtt.client_id = ''"),
    ("anonymous", "device.mqtt.user_name = 'a'", ""),
    ("taken_over", "", "broker.mqtt.taken_over_after_ms = 9"),
    ("once", "broker.misbehaves_times = 2", "broker.misbehaves_times = 1"),
    ("sweep", "", "sweep.heap_cap_bytes = [1]"),
    ("over_100_reconnects", "device.repeats = 99", "device.repeats = 100"),
    ("largest_block_of_4_kib", "device.heap_block_max_bytes = 4000", "device.heap_block_max_bytes = 4096"),
    ("close_before_the_answer", "", "device.link = 'modem'\nmodem.on_close = 'before_an_answer'"),
    (
        "notices_of_data_lost",
        "device.link = 'modem'\nmodem.on_data = 'tells_twice'",
        "device.link = 'modem'\nmodem.on_data = 'silence'",
    ),
    (
        "notices_of_data_twice",
        "device.link = 'modem'\nmodem.on_data = 'silence'",
        "device.link = 'modem'\nmodem.on_data = 'tells_twice'",
    ),
    (
        "reads_of_5_bytes",
        "device.link = 'modem'\nmodem.read_bytes_max = 6",
        "device.link = 'modem'\nmodem.read_bytes_max = 5",
    ),
    (
        "sends_of_40_bytes",
        "device.link = 'modem'\nmodem.on_send = { takes_at_most = 41 }",
        "device.link = 'modem'\nmodem.on_send = { takes_at_most = 40 }",
    ),
    ("prompt_missing", "", "device.link = 'modem'\nmodem.on_send = 'no_prompt'"),
    (
        "open_refused",
        "device.link = 'modem'\nmodem.on_open = 'silence'",
        "device.link = 'modem'\nmodem.on_open = 'error'",
    ),
    ("network_lost", "", "device.link = 'modem'\nmodem.network_closes_after_bytes = 1"),
    (
        "stall_of_30_s",
        "device.link = 'modem'\nmodem.stall = { after_bytes = 1, ms = 3_000 }",
        "device.link = 'modem'\nmodem.stall = { after_bytes = 1, ms = 30_000 }",
    ),
    ("echo", "", "device.link = 'modem'\nmodem.echoes = true"),
    ("bytes_lost_on_the_line", "", "device.link = 'modem'\nmodem.loses = { at_byte = 1, count = 1 }"),
    ("modem_reset", "", "device.link = 'modem'\nmodem.resets_after_bytes = 1"),
    (
        "link_taken",
        "device.link = 'modem'\nmodem.resets_after_bytes = 1",
        "device.link = 'modem'\nmodem.links_taken_after_reset = 1",
    ),
    ("heap_of_12_kib", "device.heap_cap_bytes = 12000", "device.heap_cap_bytes = 12288"),
    (
        "hidden",
        "",
        "wifi.access_points = [{ ssid = 'shakedown', passphrase = 'correct horse battery', hidden = true }]",
    ),
    ("network_absent", "", "wifi.access_points = [{ ssid = 'other', passphrase = 'correct horse battery' }]"),
    (
        "two_access_points",
        "",
        "wifi.access_points = [{ ssid = 'shakedown', passphrase = 'correct horse battery', channel = 1 }, { ssid = 'shakedown', passphrase = 'correct horse battery', channel = 11 }]",
    ),
    ("wrong_passphrase", "", "wifi.access_points = [{ ssid = 'shakedown', passphrase = 'incorrect horse battery' }]"),
    ("captive_portal", "", "network.resolver = 'portal'"),
    ("power_save", "", "wifi.power_save = true"),
];

fn parse(name: &str, more: &str) -> Result<Scenario, crate::Problem> {
    Scenario::parse(name, "x.toml", &format!("{HEALTHY}{more}\n"))
}

/// The claim that a name of nothing else makes.
fn claim_of(name: &str) -> &'static str {
    let words: Vec<&str> = name.split('_').collect();
    let made = claim::made(&words, CLAIMS);
    assert_eq!(made.len(), 1, "`{name}` makes one claim");
    made[0].claim.words
}

#[test]
fn every_lie_is_refused_and_every_truth_is_not() {
    for (name, lie, truth) in LIES {
        let problem = parse(&format!("x/{name}"), lie).expect_err(name);
        assert!(problem.message.contains(&format!("the name says `{name}`")), "{problem}");
        parse(&format!("x/{name}"), truth).unwrap_or_else(|problem| panic!("{problem}"));
    }
}

#[test]
fn every_claim_has_a_lie() {
    let lied_about: Vec<&str> = LIES.iter().map(|(name, ..)| claim_of(name)).collect();
    let missing: Vec<&str> = claims().map(|(words, _)| words).filter(|words| !lied_about.contains(words)).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn no_claim_stands_twice() {
    let mut words: Vec<&str> = claims().map(|(words, _)| words).collect();
    words.sort_unstable();
    let all = words.len();
    words.dedup();
    assert_eq!(words.len(), all);
}

#[test]
fn the_longest_claim_counts() {
    // Not that the broker speaks TLS 1.2 alone.
    parse("x/device_tls12_only", "device.versions = ['1.2']").unwrap();
    // Not that a CONNACK comes with a code, nor that one comes at all.
    parse("x/connack_of_three_bytes", "").unwrap();
    // Nor does a part of a word claim anything.
    parse("x/resetting_finland", "").unwrap();
}

#[test]
fn authorities_that_sign_each_other_are_looked_at_all_the_same() {
    let circle = "pki.leaf.issuer = 'a'\npki.a = { ca = true, issuer = 'b' }\npki.b = { ca = true, issuer = 'a' }";
    parse("x/unknown_ca", circle).unwrap();
    parse("x/p384_chain", circle).expect_err("they are P-256");
}
