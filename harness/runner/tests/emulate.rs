//! `cargo xtask emulate` as a person meets it: every form in which a toolchain leaves an image, and what is refused.

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use espflash::flasher::{FlashData, FlashSettings, FlashSize};
use espflash::image_format::idf::IdfBootloaderFormat;
use espflash::target::{Chip, XtalFrequency};
use rstest::rstest;
use runner::exit;
use tempfile::TempDir;

use support::root;

const ELF: &[u8] = include_bytes!("../../../firmware-under-test/images/esp32c3_mbedtls.elf");

fn emulate(arguments: &[&str]) -> Output {
    bench("emulate", arguments)
}

fn bench(command: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_runner"))
        .arg(command)
        .args(arguments)
        .env("SHAKEDOWN_ROOT", root())
        .stdin(std::process::Stdio::null())
        .output()
        .expect("the bench starts")
}

/// The build of a released image as PlatformIO, ESP-IDF and esp-web-tools would leave it, and merged, in one folder.
fn build() -> TempDir {
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let mut settings = FlashSettings::default();
    settings.size = Some(FlashSize::_4Mb);
    let data = FlashData::new(settings, 0, None, Chip::Esp32c3, XtalFrequency::_40Mhz);
    let image = IdfBootloaderFormat::new(ELF, &data, None, None, None, None).expect("espflash takes the image");
    let mut merged = Vec::new();
    fs::create_dir(folder.path().join("platformio")).expect("a folder");
    for (segment, name) in image.flash_segments().zip(["bootloader.bin", "partitions.bin", "firmware.bin"]) {
        merged.resize(segment.addr as usize, 0xff);
        merged.extend_from_slice(&segment.data);
        for place in [folder.path().join(name), folder.path().join("platformio").join(name)] {
            fs::write(place, &segment.data).expect("a file");
        }
    }
    fs::create_dir(folder.path().join("esphome")).expect("a folder");
    for name in ["merged.bin", "esphome/firmware.factory.bin"] {
        fs::write(folder.path().join(name), &merged).expect("a file");
    }
    let parts = r#""0x0": "bootloader.bin", "0x8000": "partitions.bin", "0x10000": "firmware.bin""#;
    fs::write(folder.path().join("flasher_args.json"), format!("{{\"flash_files\": {{{parts}}}}}")).expect("a file");
    let manifest = r#"{"builds": [{"chipFamily": "ESP32-C3", "parts": [{"path": "merged.bin", "offset": 0}]}]}"#;
    fs::write(folder.path().join("manifest.json"), manifest).expect("a file");
    folder
}

#[rstest]
#[case::merged(&["merged.bin"])]
#[case::esp_idf_folder(&["."])]
#[case::esp_idf_list(&["flasher_args.json"])]
#[case::web_manifest(&["manifest.json"])]
#[case::platformio_folder(&["platformio"])]
#[case::esphome_download(&["esphome"])]
#[case::parts(&["0x0=bootloader.bin,0x8000=partitions.bin", "0x10000=firmware.bin"])]
#[case::parts_as_esptool_takes_them(&["0x0", "bootloader.bin", "0x8000", "partitions.bin", "0x10000", "firmware.bin"])]
fn every_form_boots_through_rom_and_bootloader(#[case] image: &[&str]) {
    let folder = build();
    let at = |word: &str| {
        let parts = word.split(',').map(|part| match part.split_once('=') {
            Some((offset, file)) => format!("{offset}={}", folder.path().join(file).display()),
            None if part.starts_with("0x") => part.to_owned(),
            None => folder.path().join(part).display().to_string(),
        });
        parts.collect::<Vec<String>>().join(",")
    };
    let mut arguments: Vec<String> = image.iter().map(|word| at(word)).collect();
    arguments.extend(["--until-ms".to_string(), "400".to_string()]);
    let output = emulate(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let (said, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(i32::from(exit::AS_EXPECTED.code)), "{said}{told}");
    assert!(told.starts_with("esp32c3_mbedtls 0.1.0"), "{told}");
    for line in ["ESP-ROM:esp32c3-api1-20210207", "rst:0x1 (POWERON)", "Loaded app from partition at offset 0x10000"] {
        assert!(said.contains(line), "{line}: {said}");
    }
}

/// What people hand over by mistake, by content alone: what it is, what would be accepted, and what its toolchain calls it.
#[rstest]
#[case::text(b"to do: everything", "it is none of the formats that are known here: it begins with 74 6F 20 64")]
#[case::nothing(b"", "it is empty")]
#[case::zip(b"PK\x03\x04", "it is a ZIP archive")]
#[case::gzip(b"\x1f\x8b\x08\0", "it is a gzip file")]
#[case::intel_hex(b":020000040000FA\n", "it is an Intel HEX file")]
#[case::uf2(b"UF2\nWQ]\x9e", "it is a UF2 file")]
#[case::elf_for_a_pc(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0", "it is an ELF file for a PC")]
#[case::elf_for_xtensa(b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x5e\0", "it is an ELF file for Xtensa")]
#[case::erased(&[0xff; 0x9000], "an erased flash")]
#[case::other_json(b"{\"name\": 1}", "a JSON file, but neither flasher_args.json nor a manifest of esp-web-tools")]
#[case::manifest_of_others(
    br#"{"builds": [{"chipFamily": "ESP8266", "parts": [{"path": "x.bin", "offset": 0}]}]}"#,
    "has no build for the ESP32-C3, only for ESP8266"
)]
fn what_is_no_image_is_refused_before_anything_runs(#[case] bytes: &[u8], #[case] what: &str) {
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let file = folder.path().join("handed over").display().to_string();
    fs::write(&file, bytes).expect("a file");
    for output in [emulate(&[&file, "--until-ms", "1"]), bench("hil", &["--image", &file, "validity"])] {
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(i32::from(exit::USAGE.code)), "{said}");
        assert!(output.stdout.is_empty());
        assert_eq!(said.matches(what).count(), 1, "{said}");
        let remedies = ["accepted are: an ELF file", "build it for the target esp32c3", "has no build for"];
        assert!(remedies.iter().any(|remedy| said.contains(remedy)), "{said}");
    }
}

/// An image for an ESP8266: one segment, which is a loop, and its checksum.
fn for_esp8266(folder: &TempDir) -> String {
    let [code, address] = [[0x06, 0xff, 0xff, 0], 0x4010_0000_u32.to_le_bytes()];
    let mut image = [&[0xe9, 1, 2, 0x40][..], &address, &address, &4_u32.to_le_bytes(), &code].concat();
    image.resize(31, 0);
    image.push(code.iter().fold(0xef, |sum, byte| sum ^ byte));
    let file = folder.path().join("loop.bin");
    fs::write(&file, image).expect("a file");
    file.display().to_string()
}

/// Nobody has to say so: it does. Whoever says otherwise, or gives what it does not take, hears why that cannot be.
#[test]
fn an_image_for_another_chip_that_is_emulated_says_so_itself() {
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let file = for_esp8266(&folder);
    let said = |output: &Output| String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned();
    let ran = emulate(&[&file, "--until-ms", "40"]);
    assert_eq!(ran.status.code(), Some(i32::from(exit::AS_EXPECTED.code)), "{}", said(&ran));
    let boot = "ets Jan  8 2013,rst cause:1, boot mode:(3,7)";
    assert!(said(&ran).contains(boot) && said(&ran).contains("load 0x40100000, len 4"), "{}", said(&ran));
    let state = folder.path().join("state").display().to_string();
    let again = ["--until-ms", "1", "--flash-state", &state];
    assert!((0..2).all(|_| emulate(&[&[file.as_str()][..], &again].concat()).status.success()));
    assert_eq!(fs::read(&state).expect("it was kept").first(), Some(&0xe9));
    for (more, why) in [
        (["--board", "esp32c3"], "it is for the ESP8266, and this chip is an ESP32-C3"),
        (["--rom", "rom.elf"], "the ROM of the ESP8266 is modelled, and none is read"),
    ] {
        let refused = emulate(&[&file, more[0], more[1]]);
        assert_eq!(refused.status.code(), Some(i32::from(exit::USAGE.code)), "{}", said(&refused));
        assert!(said(&refused).contains(why), "{}", said(&refused));
    }
    let half = folder.path().join("half.bin").display().to_string();
    fs::write(&half, [0xea, 4, 0, 1]).expect("a file");
    let parts = emulate(&[&format!("0x0={file}"), &format!("0x1000={half}"), "--until-ms", "40"]);
    assert_eq!(parts.status.code(), Some(i32::from(exit::AS_EXPECTED.code)), "{}", said(&parts));
    assert!(said(&parts).contains("load 0x40100000, len 4"), "{}", said(&parts));
    let alone = emulate(&[&half]);
    assert_eq!(alone.status.code(), Some(i32::from(exit::USAGE.code)), "{}", said(&alone));
    assert!(said(&alone).contains("one of two halves"), "{}", said(&alone));
    let mut damaged = fs::read(&file).expect("a file");
    damaged[16] ^= 1;
    fs::write(&file, damaged).expect("a file");
    let stopped = emulate(&[&file]);
    assert_eq!(stopped.status.code(), Some(i32::from(exit::OTHERWISE.code)), "{}", said(&stopped));
    assert!(said(&stopped).contains("its checksum is 0x"), "{}", said(&stopped));
}

/// What runs on an ESP8266 is another image than what runs on an ESP32-C3.
#[test]
fn a_chip_has_stacks_of_its_own() {
    let list = bench("hil", &["--board", "esp8266", "--list"]);
    let listed = String::from_utf8_lossy(&list.stdout);
    assert_eq!(list.status.code(), Some(0), "{listed}");
    assert!(listed.contains("esp8266_bearssl") && !listed.contains("esp32c3"), "{listed}");
    let named = bench("hil", &["--board", "esp8266", "--stack", "nobody"]);
    let said = String::from_utf8_lossy(&named.stderr);
    assert_eq!(named.status.code(), Some(i32::from(exit::USAGE.code)), "{said}");
    assert!(said.contains("there is no stack `nobody`; there is esp8266_bearssl"), "{said}");
}

/// A chip of another kind in the header, a part alone, a folder without a build, what never ends.
#[test]
fn images_of_another_chip_and_parts_alone_are_refused_with_what_to_do() {
    let build = build();
    let refused = |path: &Path| {
        let output = emulate(&[&path.display().to_string(), "--until-ms", "1"]);
        assert_eq!(output.status.code(), Some(i32::from(exit::USAGE.code)));
        String::from_utf8(output.stderr).expect("text")
    };
    let application = refused(&build.path().join("firmware.bin"));
    assert!(application.contains("an application image for the ESP32-C3 alone"), "{application}");
    assert!(application.contains("name the folder of the build, or each part with its offset"), "{application}");
    let mut other = fs::read(build.path().join("merged.bin")).expect("a file");
    other[12] = 9;
    fs::write(build.path().join("s3.bin"), &other).expect("a file");
    let s3 = refused(&build.path().join("s3.bin"));
    assert!(
        s3.contains("it is for the ESP32-S3, and this chip is an ESP32-C3: build it for the target esp32c3"),
        "{s3}"
    );
    // The oldest chip that it takes: ESP-IDF's field today, and the one before 4.4.3. The bootloader's own digest goes last.
    for (field, version) in [(15, "v0.5"), (14, "v0.5")] {
        let mut newer = fs::read(build.path().join("bootloader.bin")).expect("a file");
        newer[14..17].fill(0);
        newer[field] = 5;
        newer[23] = 0;
        fs::write(build.path().join("newer.bin"), newer).expect("a file");
        let output = emulate(&[
            "0x0",
            &build.path().join("newer.bin").display().to_string(),
            "0x8000",
            &build.path().join("partitions.bin").display().to_string(),
            "0x10000",
            &build.path().join("firmware.bin").display().to_string(),
        ]);
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(i32::from(exit::USAGE.code)), "{said}");
        assert!(said.contains(&format!("the bootloader wants chip revision {version}")), "{said}");
        assert!(said.contains("and this chip is v0.4"), "{said}");
    }
    fs::create_dir(build.path().join("empty")).expect("a folder");
    let folder = refused(&build.path().join("empty"));
    assert!(folder.contains("looked for: flasher_args.json") && folder.contains("accepted are:"), "{folder}");
    #[cfg(unix)]
    assert!(refused(Path::new("/dev/zero")).contains("a pipe or a device, which may never end"));
}

/// What `--flash-state` is given: a folder, a part of what was kept, what another size of flash kept, a flash image.
#[test]
fn a_kept_state_that_is_none_is_refused_and_left_as_it_is() {
    let folder = build();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let run = |state: &str| emulate(&[&path("merged.bin"), "--until-ms", "1", "--flash-state", &path(state)]);
    assert!(run("kept").status.success());
    let kept = fs::read(path("kept")).expect("it was kept");
    let flash_bytes = 4 << 20;
    fs::create_dir(path("a folder")).expect("a folder");
    let mut noise = kept.clone();
    noise[flash_bytes..].fill(0xa5);
    for (name, bytes) in [
        ("short", &kept[..kept.len() - 1]),
        ("flash alone", &kept[..flash_bytes]),
        ("smaller", &kept[1 << 20..]),
        ("noise", &noise[..]),
        ("empty", &[]),
    ] {
        fs::write(path(name), bytes).expect("a file");
        let output = run(name);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(i32::from(exit::USAGE.code)), "{name}: {said}");
        assert!(said.contains(name), "{said}");
        assert_eq!(fs::read(path(name)).expect("it is there"), bytes, "{name}");
    }
    assert_eq!(run("a folder").status.code(), Some(i32::from(exit::USAGE.code)));
    // All fuses blown, and a flash full of what somebody likes: the chip boots, or says why not.
    let mut blown = kept.clone();
    let fuses = blown.len() - flash_bytes - 12;
    blown[flash_bytes + 12..][..fuses].fill(0xff);
    fs::write(path("blown"), &blown).expect("a file");
    let output = run("blown");
    assert!(matches!(output.status.code(), Some(0 | 1 | 6)), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The images of a build in every form, damaged or mixed up: `hil` says it once, before it runs anything.
#[rstest]
#[case::not_an_image("notes.txt", "it is none of the formats that are known here")]
#[case::part_of_a_flash("firmware.bin", "an application image for the ESP32-C3 alone")]
#[case::damaged("damaged.bin", "the bootloader is damaged: its checksum is wrong")]
#[case::list_of_what_is_not_there("half/flasher_args.json", "is the build whole?")]
#[case::folder_without_a_part("half", "a build folder of PlatformIO, but without bootloader.bin")]
#[case::nothing("no such file", "No such file or directory")]
fn hil_refuses_an_image_once(#[case] image: &str, #[case] why: &str) {
    let folder = build();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("notes.txt"), "to do: everything").expect("a file");
    let mut damaged = fs::read(path("merged.bin")).expect("a file");
    damaged[0x200] ^= 1;
    fs::write(path("damaged.bin"), damaged).expect("a file");
    fs::create_dir(path("half")).expect("a folder");
    for name in ["firmware.bin", "partitions.bin"] {
        fs::copy(path(name), path("half").join(name)).expect("a file");
    }
    if image.ends_with(".json") {
        fs::copy(path("flasher_args.json"), path("half/flasher_args.json")).expect("a file");
    }
    let output = bench("hil", &["--image", &path(image).display().to_string(), "validity"]);
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(i32::from(exit::USAGE.code)), "{said}");
    assert!(output.stdout.is_empty());
    assert_eq!(said.matches(why).count(), 1, "{said}");
}

#[rstest]
#[case::merged("merged.bin")]
#[case::platformio_folder("platformio")]
fn hil_runs_what_boots_from_its_flash(#[case] image: &str) {
    let folder = build();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let arguments = [
        "--image",
        &path(image),
        "--captures",
        &path("captures"),
        "--artefacts",
        &path("artefacts"),
        "not_yet_valid_leaf",
        "--show",
    ];
    let output = bench("hil", &arguments);
    let said = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(i32::from(exit::AS_EXPECTED.code)), "{said}");
    assert!(said.contains("device refused at certificate"), "{said}");
}

#[test]
fn a_flash_is_kept_between_runs() {
    let folder = build();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let run = || emulate(&[&path("merged.bin"), "--until-ms", "1", "--flash-state", &path("board.flash")]);
    assert!(run().status.success());
    let kept = fs::read(path("board.flash")).expect("it was kept");
    assert!(kept.starts_with(&fs::read(path("merged.bin")).expect("a file")));
    let again = run();
    assert!(String::from_utf8_lossy(&again.stderr).contains("flash and eFuses as"));
    fs::write(path("board.flash"), &kept[1..]).expect("a file");
    let refused = run();
    assert_eq!(refused.status.code(), Some(i32::from(exit::USAGE.code)), "not what was kept");
}
