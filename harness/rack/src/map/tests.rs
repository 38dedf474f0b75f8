use super::*;

const GOOD: &str = r#"
chip = "esp32c3"
probe = "303a:1001:DC:DA:0C:D3:FE:D8"
serial = "/dev/serial/by-id/usb-Espressif_USB_JTAG"
fixtures = ["oven"]
notes = "left of the window"

[power]
hub = "1-1.4"
port = 3
"#;

#[test]
fn a_file_says_what_a_board_is() {
    let facts = parse("bench.toml", GOOD).expect("a good file");
    assert_eq!((facts.chip.name, facts.baud, facts.network()), ("esp32c3", 115_200, "serial"));
    assert_eq!(facts.power.to_string(), "hub 1-1.4 port 3");
    assert!(facts.alive && !facts.is_emulated());
}

#[test]
fn an_emulated_board_needs_no_port() {
    assert!(parse("one.toml", "chip = \"esp32c3\"\nprobe = \"emulated\"\n").expect("a good file").is_emulated());
}

#[test]
fn every_objection_has_line_and_remedy() {
    for (text, line, words) in [
        ("chip = \"esp32\"\nprobe = \"x\"\n", 1, "no chip `esp32` here"),
        ("chip = \"esp32c3\"\nprobe = \"1:2\"\n", 2, "/dev/serial/by-id"),
        ("chip = \"esp32c3\"\nprobe = \"emulated\"\nbaud = 0\n", 3, "0 bits"),
        ("chip = \"esp32c3\"\nprobe = \"emulated\"\nbuad = 1\n", 3, "unknown field `buad`"),
        ("chip = \"esp32c3\"\nprobe = \"emulated\"\n[power]\nport = 3\n", 3, "uhubctl"),
        ("chip = \"esp32c3\"\nprobe = \"emulated\"\n[power]\nhub = \"; rm\"\nport = 3\n", 4, "no place of a hub"),
        ("chip = \"esp32c3\"\nprobe = \"emulated\"\n[power]\noff = [\"x\"]\n", 3, "one way"),
        ("chip = \"esp32c3\"\nprobe = \"emulated\"\nalive = false\n", 3, "because"),
        ("chip = \"esp32c3\"\nprobe = \"emulated\"\nbecause = \"x\"\n", 3, "alive = false"),
        ("chip = \"esp32c3\"\nprobe = \"emulated\"\nserial = 1\n", 3, "invalid type"),
        ("chip = \"esp32c3\"\nprobe = \"emulated\"\nlink = \"lan\"\n", 3, "write `[lan]`"),
        ("chip = \"esp32c3\"\nprobe = \"emulated\"\nlink = 1\n", 3, "says otherwise"),
        ("chip = \"esp32c3\"\nprobe = \"1:2\"\nserial = \"/x\"\nlink = \"modem\"\n", 4, "modem = "),
        ("chip = \"esp32c3\"\nprobe = \"emulated\"\n[lan]\naddress = \"10.0.0.7\"\n", 3, "has no network"),
        (
            "chip = \"esp32c3\"\nprobe = \"emulated\"\nlink = \"lan\"\n[lan]\naddress = \"10.0.0.7\"\n",
            4,
            "an emulated board has no network",
        ),
        ("chip = \"esp32c3\"\nprobe = \"emulated\"\nlink = \"lan\"\n[lan]\naddress = \"here\"\n", 5, "IP address"),
    ] {
        let problem = parse("bench.toml", text).expect_err(text);
        assert_eq!(problem.line, line, "{problem}");
        assert!(problem.to_string().contains(words), "{problem}");
        assert!(problem.to_string().contains("bench.toml"), "{problem}");
    }
}

#[test]
fn a_probe_that_two_boards_claim_is_told_with_both_files() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["one", "two"] {
        fs::write(folder.path().join(format!("{name}.toml")), GOOD).expect("a file");
    }
    let words = read(folder.path()).expect_err("they claim the same").message;
    assert!(words.contains("one.toml") && words.contains("two.toml"), "{words}");
    assert!(words.contains("the probe 303a:1001") && words.contains("the serial port /dev"), "{words}");
}

#[test]
fn a_folder_that_is_not_there_has_no_boards() {
    assert_eq!(read(Path::new("nowhere")), Ok(Vec::new()));
}

#[test]
fn a_link_that_says_what_the_rest_says_is_not_needed_any_more() {
    let serial = "chip = \"esp32c3\"\nprobe = \"1:2\"\nserial = \"/x\"\n";
    for (old, new) in [
        ("link = \"serial\"\n", ""),
        ("modem = \"/y\"\nlink = \"modem\"\n", "modem = \"/y\"\n"),
        ("link = \"lan\"\n[lan]\naddress = \"10.0.0.7\"\n", "[lan]\naddress = \"10.0.0.7\"\n"),
    ] {
        assert_eq!(parse("b.toml", &format!("{serial}{old}")), parse("b.toml", &format!("{serial}{new}")), "{old}");
    }
}
