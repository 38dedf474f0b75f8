use super::*;

fn scenario(text: &str) -> Scenario {
    let text =
        format!("title = 't'\nspecification = {{ demands = 'either', rule = 'RFC 1 §1', quote = 'q' }}\n{text}\n");
    Scenario::parse("validity/y", "y.toml", &text).unwrap_or_else(|problem| panic!("{problem}"))
}

fn by_itself(text: &str) -> ByItself {
    toml::from_str(text).unwrap_or_else(|why| panic!("{text}: {why}"))
}

/// The names of the leaf, the common name, and what is dialled, or why it is not moved.
fn moved(text: &str, host: &str) -> Result<String, NotMet> {
    let moved = to(&scenario(text), &by_itself(&format!("host = '{host}'\nport = 8884")), None)?;
    assert_eq!(moved.device.port, 8884);
    let leaf = &moved.pki.0["leaf"];
    let names: Vec<String> = leaf.names.iter().flatten().map(Name::to_string).collect();
    let subject = leaf.subject.as_ref().map(Subject::to_string).unwrap_or_default();
    Ok(format!("{} {subject} dials {}", names.join(" "), moved.device.dials))
}

#[test]
fn the_broker_has_the_name_that_is_dialled_and_a_certificate_for_somebody_else_stays_one() {
    let host = "mqtt.sensor.example";
    for (text, expected) in [
        ("", "dns:mqtt.sensor.example CN=mqtt.sensor.example"),
        ("pki.leaf.names = ['dns:other.test']", "dns:other.test CN=mqtt.sensor.example"),
        ("pki.leaf.names = ['dns:*.test']", "dns:*.sensor.example CN=mqtt.sensor.example"),
        ("pki.leaf.names = ['dns:b*.test']", "dns:m*.sensor.example CN=mqtt.sensor.example"),
        ("pki.leaf.names = ['dns:BROKER.TEST']", "dns:MQTT.SENSOR.EXAMPLE CN=mqtt.sensor.example"),
        ("pki.leaf.names = ['uri:mqtts://broker.test']", "uri:mqtts://mqtt.sensor.example CN=mqtt.sensor.example"),
    ] {
        assert_eq!(moved(text, host), Ok(format!("{expected} dials {host}")), "{text}");
    }
    let moved = to(&scenario(""), &by_itself("host = 'mqtt.example'"), None).expect("it is moved");
    assert_eq!(moved.network.hosts["mqtt.example"], [std::net::IpAddr::from(lan::BROKER_IPV4)]);
}

#[test]
fn a_firmware_that_dials_an_address_meets_what_is_about_no_name() {
    for (text, expected) in [
        ("", "ip:10.0.0.7 CN=10.0.0.7"),
        (
            "device.dials = '192.0.2.10'\npki.leaf.names = ['ip:192.0.2.10', 'dns:x']",
            "ip:10.0.0.7 dns:x CN=broker.test",
        ),
    ] {
        assert_eq!(moved(text, "10.0.0.7"), Ok(format!("{expected} dials 10.0.0.7")), "{text}");
    }
}

#[test]
fn what_is_about_another_name_port_or_network_is_not_moved_and_says_why() {
    for (text, host, words) in [
        ("device.port = 443", "mqtt.example", "about the port 443"),
        ("device.dials = '192.0.2.10'", "mqtt.example", "the firmware dials the name mqtt.example"),
        ("device.dials = 'raspberry.local'", "mqtt.example", "dials raspberry.local"),
        ("pki.leaf.names = ['dns:other.test']", "10.0.0.7", "about a name, and the firmware dials an address"),
        ("pki.leaf.names = ['dns:*.test']", "mqtt", "no pattern stands for mqtt"),
        ("pki.root.name_constraints = { permitted = ['dns:test'] }", "mqtt.example", "may only sign names"),
    ] {
        let why = moved(text, host).expect_err(text).0;
        assert!(why.contains(words), "{text}: {why}");
    }
    let air = |text: &str| to(&scenario(text), &by_itself("host = 'x.example'\nssid = 'home'"), None);
    let wifi = air("").expect("it is moved").wifi;
    assert_eq!((wifi.ssid.as_str(), wifi.passphrase.as_str()), ("home", ""));
    assert!(air("wifi.ssid = 'hidden'").expect_err("its own").0.contains("name or passphrase"));
}

#[test]
fn without_tls_what_is_about_tls_does_not_apply() {
    let plain = by_itself("host = 'mqtt.example'\nport = 1883\ntls = false");
    assert!(to(&scenario(""), &plain, None).expect_err("validity").0.contains("MQTT in the clear"));
    let text = "title = 't'\nspecification = { demands = 'fail', rule = 'RFC 1 §1', quote = 'q' }\n";
    let named = |more: &str| {
        Scenario::parse("mqtt/y", "y.toml", &format!("{text}{more}")).unwrap_or_else(|problem| panic!("{problem}"))
    };
    let moved = to(&named("fault = { who = 'broker', said = 'CONNACK' }\n"), &plain, None).expect("MQTT alone");
    assert!(!moved.device.tls && !moved.broker.tls);
    assert!(to(&named("fault = { who = 'broker', said = 'alert' }\n"), &plain, None).is_err());
}
