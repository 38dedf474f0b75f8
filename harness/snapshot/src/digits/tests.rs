use super::*;

const RUN: &str = "\
scenario   a/b                                                      seed 5eed
firmware   x 0.1.0 (bb9271d7)                                       target emulated
stack      y                                                        The product
broker     OpenSSL 3.6.3 9 Jun 2026

   ms  who      said
    7  device   query                dns A broker.test
  114  device   ClientHello          sni broker.test · up to 1.2
                                     38 suites · keep-alive 60 s
 1004  broker   FIN
123456 device   FIN

device     MBEDTLS_ERR (-0x2700), no memory for 1284 bytes · heap peak 57 KiB
stages     clock 7 ms · certificate 218 ms
broker     the device broke MQTT-3.1 (at 1012 ms)
ending     device refused at certificate — as the specification demands (RFC 5280 §6.1.3)";

const REVIEWED: &str = "\
scenario   a/b
firmware   x                                                        target emulated
stack      y                                                        The product
broker     OpenSSL

   ms  who      said
   10  device   query                dns A broker.test
  110  device   ClientHello          sni broker.test · up to 1.2
                                     38 suites · keep-alive 60 s
 1000  broker   FIN
123500 device   FIN

device     MBEDTLS_ERR (-0x2700), no memory for 1284 bytes · heap peak 57 KiB
stages     clock 10 ms · certificate 220 ms
broker     the device broke MQTT-3.1 (at 1000 ms)
ending     device refused at certificate — as the specification demands (RFC 5280 §6.1.3)";

#[test]
fn what_names_a_build_is_left_out_and_times_are_rounded() {
    assert_eq!(reviewable(RUN), REVIEWED);
    assert_eq!(reviewable(REVIEWED), REVIEWED, "what was reviewed is reviewable");
    // What is kept of runs in wall time has no head.
    let essence = "broker     mosquitto, in wall time: not byte-reproducible\nstack      x\nending     connected";
    assert_eq!(reviewable(essence), essence);
}

#[test]
fn another_build_moves_nothing() {
    let other = RUN
        .replace("(bb9271d7)", "(00112233)")
        .replace("  114  device", "  116  device")
        .replace(" 1004  broker", " 1039  broker")
        .replace("certificate 218 ms", "certificate 226 ms")
        .replace("57 KiB", "58 KiB");
    assert_ne!(reviewable(&other), REVIEWED, "rounding alone goes over a step");
    assert_eq!(settled(REVIEWED, &other), REVIEWED);
}

/// Each of these is something that happened.
#[test]
fn everything_else_is_a_difference() {
    for (was, is) in [
        ("sni broker.test", "sni broker.tset"),
        ("38 suites", "39 suites"),
        ("60 s", "61 s"),
        ("1284 bytes", "1288 bytes"),
        ("-0x2700", "-0x2701"),
        ("x 0.1.0", "z 0.1.0"),
        ("target emulated", "target hardware"),
        ("OpenSSL 3.6.3", "GnuTLS 3.6.3"),
        ("device refused", "device gave up"),
        (" 1004  broker   FIN\n", ""),
        (" 1004  broker   FIN", " 1004  broker   RST"),
        ("  114  device", "  137  device"),
        (" 1004  broker", " 1051  broker"),
        ("clock 7 ms", "clock 31 ms"),
        ("at 1012 ms", "at 2012 ms"),
        ("57 KiB", "60 KiB"),
        ("57 KiB", "54 KiB"),
    ] {
        let other = RUN.replacen(was, is, 1);
        assert_ne!(other, RUN, "{was}");
        assert_ne!(settled(REVIEWED, &other), REVIEWED, "{was} is {is}");
    }
}

#[test]
fn a_difference_shows_what_is_different_and_nothing_else() {
    // Everything is a little later than it was, and there is an alert.
    let other = RUN.replace("  114  device", "  117  device").replace(
        " 1004  broker   FIN",
        " 1006  device   alert                fatal certificate_expired (45)\n 1006  broker   FIN",
    );
    let expected = REVIEWED.replace(
        " 1000  broker   FIN",
        " 1000  device   alert                fatal certificate_expired (45)\n 1000  broker   FIN",
    );
    assert_eq!(settled(REVIEWED, &other), expected);
}

#[test]
fn from_the_first_time_that_does_not_agree_on_the_column_is_of_one_run() {
    let run = |times: [u64; 3]| times.map(|ms| format!("{ms:>5}  device   FIN")).join("\n");
    // The second is out of the tolerance; the third, by itself, would not be.
    assert_eq!(settled(&run([100, 110, 140]), &run([104, 135, 141])), run([100, 140, 140]));
    assert_eq!(settled(&run([100, 110, 160]), &run([104, 139, 142])), run([100, 140, 140]));
}
