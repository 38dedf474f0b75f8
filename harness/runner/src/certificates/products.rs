//! What goes into a sketch, a script or a configuration so that a product trusts the authority and checks the broker.

use crate::stack::Stack;

/// The lines for each product among the stacks, by a name for their file.
pub fn lines(stacks: &[Stack], dialled: &str, authority: &str) -> Vec<(&'static str, String)> {
    let has = |start: &str| stacks.iter().any(|stack| stack.product.starts_with(start));
    let is_raw = |start: &str| stacks.iter().any(|stack| stack.product == start);
    let mut found = Vec::new();
    let quoted: String = authority.lines().map(|line| format!("  \"{line}\\n\"\n")).collect();
    if has("arduino") || is_raw("esp32c3_bearssl") {
        found.push(("arduino_esp8266", arduino_esp8266(dialled, authority)));
    }
    if has("esp_idf") || is_raw("esp32c3_mbedtls") {
        found.push(("esp_idf", esp_idf(dialled, &quoted)));
        found.push(("arduino_esp32", arduino_esp32(dialled, authority)));
        found.push(("esphome", esphome(dialled, authority)));
    }
    if has("micropython") {
        found.push(("micropython", micropython(dialled)));
    }
    if has("nodemcu") {
        found.push(("nodemcu", nodemcu(dialled, authority)));
    }
    found
}

fn arduino_esp8266(dialled: &str, authority: &str) -> String {
    format!(
        "// ESP8266 core for Arduino, PubSubClient.\n\
         static const char CA[] PROGMEM = R\"EOF(\n{authority})EOF\";\n\
         BearSSL::X509List anchors(CA);          // must outlive the client\n\
         BearSSL::WiFiClientSecure net;\n\
         PubSubClient mqtt(net);\n\
         // in setup(), after Wi-Fi is up: without a clock every certificate is not valid yet\n\
         configTime(0, 0, \"pool.ntp.org\");\n\
         while (time(nullptr) < 1700000000) delay(100);\n\
         net.setTrustAnchors(&anchors);\n\
         mqtt.setServer(\"{dialled}\", 8883);\n"
    )
}

fn arduino_esp32(dialled: &str, authority: &str) -> String {
    format!(
        "// ESP32 core for Arduino, PubSubClient.\n\
         static const char CA[] = R\"EOF(\n{authority})EOF\";\n\
         WiFiClientSecure net;\n\
         PubSubClient mqtt(net);\n\
         // in setup()\n\
         net.setCACert(CA);                      // keeps the pointer\n\
         mqtt.setServer(\"{dialled}\", 8883);\n"
    )
}

fn esp_idf(dialled: &str, quoted: &str) -> String {
    format!(
        "/* ESP-IDF 5, esp-mqtt. CONFIG_MBEDTLS_HAVE_TIME_DATE=y compares dates with the clock. */\n\
         static const char ca[] =\n{quoted};\n\
         const esp_mqtt_client_config_t config = {{\n\
         \x20   .broker.address.uri = \"mqtts://{}:8883\",\n\
         \x20   .broker.verification.certificate = ca,\n\
         }};\n",
        if dialled.contains(':') { format!("[{dialled}]") } else { dialled.to_owned() }
    )
}

fn esphome(dialled: &str, authority: &str) -> String {
    let indented: String = authority.lines().map(|line| format!("    {line}\n")).collect();
    format!(
        "# ESPHome, on the framework esp-idf.\nmqtt:\n  broker: \"{dialled}\"\n  port: 8883\n  certificate_authority: |\n{indented}"
    )
}

fn micropython(dialled: &str) -> String {
    format!(
        "# MicroPython, umqtt.simple. Before 1.23 there is no SSLContext, and nothing is verified unless cert_reqs says so.\n\
         import ssl, ntptime\n\
         from umqtt.simple import MQTTClient\n\
         ntptime.settime()                       # without a clock every certificate is not valid yet\n\
         context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)\n\
         context.verify_mode = ssl.CERT_REQUIRED\n\
         context.load_verify_locations(cafile=\"ca.pem\")\n\
         client = MQTTClient(\"device\", \"{dialled}\", port=8883, ssl=context)\n"
    )
}

fn nodemcu(dialled: &str, authority: &str) -> String {
    format!(
        "-- NodeMCU. The module `tls` has to be in the build; sntp.sync() first, for the dates.\n\
         tls.cert.verify([[\n{authority}]])\n\
         m = mqtt.Client(\"device\", 60, \"user\", \"password\")\n\
         m:connect(\"{dialled}\", 8883, true)\n"
    )
}
