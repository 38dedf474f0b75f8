//! Codes and logs as people have them. The reports are public ones, in our own words; what stands first is what was found to
//! be the cause.

use super::log::{Found, read};
use super::*;

fn topics_of(text: &str) -> Vec<String> {
    read(text).iter().map(|found| found.reading.topic().to_owned()).collect()
}

fn first(text: &str) -> Found {
    read(text).into_iter().next().unwrap_or_else(|| panic!("nothing in `{text}`"))
}

/// The causes of the first reading hold these words.
#[track_caller]
fn first_cause_says(text: &str, words: &[&str]) {
    let found = first(text);
    let causes: Vec<&str> = found.reading.causes().iter().map(|cause| cause.cause.as_str()).take(2).collect();
    let causes = causes.join(" / ");
    for word in words {
        assert!(causes.contains(word), "`{text}`: no `{word}` among the first causes of {found:#?}");
    }
}

#[test]
fn codes_of_the_issue_are_read_as_their_libraries_mean_them() {
    let name = |text: &str| {
        let found = first(text);
        (found.reading.library, found.reading.name)
    };
    assert_eq!(name("298"), ("BearSSL 0.6".into(), "BR_ERR_RECV_FATAL_ALERT + bad_certificate (42)".into()));
    assert_eq!(name("-0x3000"), ("Mbed TLS".into(), "MBEDTLS_ERR_X509_FATAL_ERROR".into()));
    assert_eq!(name("0x801a").1, "ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED");
    assert_eq!(name("-5"), ("NodeMCU, module mqtt".into(), "MQTT_CONN_FAIL_SERVER_NOT_FOUND".into()));
    assert_eq!(name("E:M 544").1, "544 bytes");
    assert_eq!(name("+CMQTTCONNECT: 0,32").1, "handshake fail");
    assert_eq!(name("-9984").1, "MBEDTLS_ERR_X509_CERT_VERIFY_FAILED");
    assert_eq!(name("rc=-2"), ("PubSubClient for Arduino".into(), "MQTT_CONNECT_FAILED".into()));
    assert_eq!(name("62").1, "BR_ERR_X509_NOT_TRUSTED");
    assert_eq!(name("5").1, "not_authorized");
    assert_eq!(name("-30592").1, "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE");
    assert_eq!(name("-0x2562").1, "MBEDTLS_ERR_X509_INVALID_EXTENSIONS + MBEDTLS_ERR_ASN1_UNEXPECTED_TAG");
    assert_eq!(name("0xFFFFD900").1, "MBEDTLS_ERR_X509_CERT_VERIFY_FAILED");
    assert_eq!(name("x509_cert_verify_failed").1, "MBEDTLS_ERR_X509_CERT_VERIFY_FAILED");
    assert_eq!(name("MQTTException: 5").1, "not_authorized");
    assert_eq!(name("OSError: -202").1, "getaddrinfo_failed");
    assert_eq!(name("OSError: [Errno 104] ECONNRESET").1, "ECONNRESET");
    assert_eq!(name("alert 40").1, "handshake_failure");
    assert_eq!(name("reason code 0x8e").1, "session_taken_over");
}

#[test]
fn every_other_reading_of_a_number_is_told_too() {
    let libraries: Vec<String> = read("42").into_iter().map(|found| found.reading.library).collect();
    for library in ["TLS alert", "BearSSL 0.6"] {
        assert!(libraries.iter().any(|known| known == library), "{libraries:?}");
    }
    assert!(read("-2").len() >= 4, "{:?}", read("-2"));
}

#[test]
fn a_sum_whose_low_part_is_memory_is_memory() {
    // RSA_PUBLIC_FAILED + MPI_ALLOC_FAILED
    assert_eq!(first("-0x4290").reading.topic(), "no_memory");
    assert_eq!(first("-0x4290").reading.name, "MBEDTLS_ERR_RSA_PUBLIC_FAILED + MBEDTLS_ERR_MPI_ALLOC_FAILED");
}

#[test]
fn lines_of_openssl_and_mosquitto_are_read() {
    let topic = |line: &str| first(line).reading.topic().to_owned();
    let line = "1700000000: OpenSSL Error[0]: error:0A0000C1:SSL routines::no shared cipher";
    assert_eq!(topic(line), "no_common_suite");
    assert_eq!(topic("error:0A000418:SSL routines::tlsv1 alert unknown ca"), "alert_48");
    assert_eq!(topic("error:1408F10B:SSL routines:ssl3_get_record:wrong version number"), "not_tls");
    assert_eq!(topic("Verify return code: 21 (unable to verify the first certificate)"), "untrusted");
    assert_eq!(topic("1700000000: Client plant7 has exceeded timeout, disconnecting."), "keep_alive");
    assert_eq!(topic("Client plant7 already connected, closing old connection."), "taken_over");
    assert_eq!(topic("Client plant7 disconnected, not authorised."), "connack_5");
    assert_eq!(topic("error:0A0000C7:SSL routines::peer did not return a certificate"), "client_certificate_missing");
}

#[test]
fn a_log_puts_the_cause_before_what_followed_from_it() {
    let esp_idf = "\
I (5123) wifi:connected
E (8123) esp-x509-crt-bundle: No matching trusted root certificate found
E (8130) esp-tls-mbedtls: mbedtls_ssl_handshake returned -0x3000
E (8131) esp-tls: Failed to open new connection
E (8132) mqtt_client: Error transport connect
I (8133) app: Last error reported from esp-tls: 0x801a";
    let topics = topics_of(esp_idf);
    assert_eq!(topics[0], "verify_callback_fatal", "{topics:?}");
    assert_eq!(topics.last().map(String::as_str), Some("wrapper"), "{topics:?}");
    let nodemcu = "> dofile('mqtt.lua')\nE:M 544\nE:M 280\nconnection failed -5\n";
    assert_eq!(topics_of(nodemcu)[0], "no_memory_untrusted");
    let tasmota = "01:57:35 MQT: Attempting connection...\n01:57:35 MQT: TLS connection error: 55\n\
                   01:57:35 MQT: Connect failed to broker.example:8883, rc -2. Retry in 20 sec";
    assert_eq!(topics_of(tasmota)[0], "chain_order");
    let arduino = "[  4180][E][ssl_client.cpp:37] _handle_error(): [start_ssl_client():276]: (-9984) X509 - Certificate \
                   verification failed\n[  4190][E][WiFiClientSecure.cpp:144] connect(): start_ssl_client: -9984\nfailed, rc=-2";
    assert_eq!(first(arduino).reading.name, "MBEDTLS_ERR_X509_CERT_VERIFY_FAILED");
}

/// The reports of strangers, by what each reporter had in hand.
#[test]
fn reports_lead_to_their_causes() {
    // A firmware without P-384 meets a broker that was renewed into a P-384 hierarchy.
    first_cause_says("-0x3A00", &["P-384", "setInsecure"]);
    first_cause_says("TLS connection error: 52", &["P-384"]);
    // A device with ECDHE_RSA alone, after the broker's key became an EC key.
    first_cause_says("TLS connection error: 296", &["ECDHE_RSA alone", "EC keys"]);
    // A pin, and a broker with an RSA and an EC certificate.
    first_cause_says("TLS connection error: 62", &["fingerprint", "RSA and an EC certificate"]);
    // The bundle, and a chain that ends in a cross-signed copy.
    first_cause_says("-0x3000", &["cross-signed", "No matching trusted root"]);
    // TLS 1.3 without psa_crypto_init.
    first_cause_says("-0x6c00", &["psa_crypto_init"]);
    // A broker whose revocation list has ended: what the devices are told, and what the broker logs.
    first_cause_says("alert unknown_ca (48)", &["cafile", "crlfile"]);
    first_cause_says("OpenSSL Error: certificate verify failed\nverify error:num=12:CRL has expired", &["nextUpdate"]);
    // Pre-shared keys on one side alone.
    let causes: Vec<_> = first("error:0A0000C1:SSL routines::no shared cipher").reading.causes().iter().collect();
    assert!(causes.iter().any(|cause| cause.cause.contains("psk_file")), "{causes:?}");
    // A modem that has one number for everything.
    first_cause_says("+CMQTTCONNECT: 0,32", &["enableSNI", "clock"]);
    first_cause_says("+CMQTTCONNECT: 0,34", &["AT+CMQTTSSLCFG", "CA file"]);
    first_cause_says("+CMQTTCONNECT: 0,15", &["SNI"]);
    // A second flight that is lost over PPP.
    first_cause_says("0x8006", &["second flight", "PPP"]);
    // CONNACK, and nothing of the device's after it.
    first_cause_says("Client t1 has exceeded timeout, disconnecting.", &["one and a half keep-alives (47 s for 30 s)"]);
    // A server name of memory that is gone.
    first_cause_says("298", &["c_str()", "AWS IoT"]);
    // A broker with post-quantum groups alone.
    first_cause_says("error:0A000065:SSL routines::no suitable key share", &["X25519MLKEM768"]);
    // Two clients of one identifier.
    first_cause_says("DISCONNECT with reason code 0x8E", &["same client id"]);
    // A soft reboot, and a session that the broker still holds.
    let causes: Vec<_> = first("failed, rc=-4").reading.causes().iter().take(1).collect();
    assert!(causes.iter().any(|cause| cause.cause.contains("half-open session")), "{causes:?}");
    let causes: Vec<_> = first("rc=-2").reading.causes().iter().collect();
    assert!(causes.iter().any(|cause| cause.cause.contains("from before a restart")), "{causes:?}");
    // The ROM's SHA under BearSSL.
    first_cause_says("TLS connection error: 55", &["computes SHA in hardware or ROM"]);
    first_cause_says("TLS connection error: 27", &["SHA hardware or ROM"]);
}

#[test]
fn tables_have_sources_and_topics() {
    let mut codes = 0;
    for table in table::all().unwrap_or_else(|why| panic!("{why}")) {
        assert!(!table.library.is_empty() && !table.printed_by.is_empty(), "{table:?}");
        for code in table.codes() {
            codes += 1;
            assert!(!code.source.is_empty(), "{}: {code:?}", table.name);
            assert!(
                topics::named(&code.topic).is_some() || code.topic.starts_with("alert_"),
                "{}: {code:?}",
                table.name
            );
        }
    }
    assert!(codes > 1000, "only {codes} codes");
    for topic in topics::all().unwrap_or_else(|why| panic!("{why}")) {
        assert!(topic.means.ends_with('.') && !topic.causes.is_empty(), "{topic:?}");
        for cause in &topic.causes {
            assert!(cause.cause.ends_with('.') && cause.remedy.ends_with('.'), "{cause:?}");
        }
    }
}

#[test]
fn whatever_is_typed_is_read_or_refused() {
    let captures = Path::new("does/not/exist");
    for text in ["", "-", "x", "\u{1b}[31m", "ß", "+++", "0x", "-0x", "999999999", "alert", "\u{0}\n\u{0}"] {
        match explain(text, captures) {
            Ok(told) => assert!(!told.is_empty()),
            Err(why) => assert!(!why.message.contains(['\u{1b}', '\u{0}']), "{why:?}"),
        }
    }
}
