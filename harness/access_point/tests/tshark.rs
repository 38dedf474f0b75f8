//! Wireshark reads what was on the air, and decrypts it with the passphrase. Where it is not installed this is said, and where
//! `SHAKEDOWN_REQUIRED_TOOLS` names it, it is missed.
#![allow(clippy::print_stderr, reason = "whoever runs this reads it")]

mod station;

use std::fs;
use std::process::Command;

use access_point::{Description, Overheard};
use clock::Instant;
use station::{STATION, Station, together};

/// A capture in the old format of libpcap with link type 127, radiotap.
fn pcap(overheard: &[Overheard]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 65_535, 127] {
        file.extend(word.to_le_bytes());
    }
    for frame in overheard {
        let micros = frame.at.as_micros();
        let length = frame.bytes.len() as u32;
        for word in [(micros / 1_000_000) as u32, (micros % 1_000_000) as u32, length, length] {
            file.extend(word.to_le_bytes());
        }
        file.extend(&frame.bytes);
    }
    file
}

fn tshark(arguments: &[&str]) -> Option<String> {
    let output = Command::new("tshark").args(arguments).env("HOME", "/nonexistent").output();
    let required = std::env::var("SHAKEDOWN_REQUIRED_TOOLS").is_ok_and(|tools| tools.contains("tshark"));
    match output {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Err(error) => {
            assert!(!required, "tshark is required and does not start: {error}");
            eprintln!("not run: tshark is not installed");
            None
        }
    }
}

#[test]
fn wireshark_decrypts_with_the_passphrase_and_finds_nothing_malformed() {
    let description = Description::wpa2("shakedown", "correct horse");
    let (mut air, mut station) = together(description, Station::new("shakedown", Some("correct horse")), 200);
    let now = Instant::from_millis(200);
    // ARP, so that there is something to read: who has 10.0.0.1?
    let mut question = vec![0, 1, 8, 0, 6, 4, 0, 1];
    question.extend(STATION);
    question.extend([10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1]);
    let frame = station.data([0xff; 6], 0x0806, &question, false);
    station.say(now, frame);
    let to_all = [&[0xff; 6][..], &[2, 0, 0, 0, 0, 9], &[8, 6], &question].concat();
    air.send_ethernet(now, &to_all);
    station.live(&mut air, now, Instant::from_millis(300));
    let overheard = air.take_overheard();
    assert!(overheard.len() > 10);
    let file = std::env::temp_dir().join(format!("access_point-{}.pcap", std::process::id()));
    fs::write(&file, pcap(&overheard)).expect("a file");
    let path = file.to_str().expect("a path in UTF-8");
    let key = r#"uat:80211_keys:"wpa-pwd","correct horse:shakedown""#;
    let common = ["-r", path, "-o", "wlan.enable_decryption:TRUE", "-o", key];
    let Some(arp) = tshark(&[&common[..], &["-Y", "arp", "-T", "fields", "-e", "arp.dst.proto_ipv4"]].concat()) else {
        return;
    };
    let malformed = tshark(&[&common[..], &["-Y", "_ws.malformed || _ws.expert.severity == error"]].concat());
    let handshake =
        tshark(&[&common[..], &["-Y", "eapol", "-T", "fields", "-e", "wlan_rsna_eapol.keydes.msgnr"]].concat());
    let _ = fs::remove_file(&file);
    assert_eq!(arp.lines().collect::<Vec<_>>(), ["10.0.0.1", "10.0.0.1"], "from the station, and to all");
    assert_eq!(malformed.as_deref(), Some(""));
    assert_eq!(handshake.map(|lines| lines.split_whitespace().collect::<String>()).as_deref(), Some("1234"));
}
