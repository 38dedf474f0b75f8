//! Reports as a person or a CI job gets them: written, shared out, merged, set anew.

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use report::model::Run;
use runner::exit;
use tempfile::TempDir;

use support::{root, words};

fn folder() -> TempDir {
    tempfile::tempdir().expect("there is room for a temporary folder")
}

/// The bench with these arguments, everything that it files in `own`.
fn bench(own: &TempDir, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
    command.args(arguments).env("SHAKEDOWN_ROOT", root()).current_dir(own.path());
    if arguments[0] == "hil" {
        command.arg("--artefacts").arg(own.path().join("artefacts"));
    }
    command.output().expect("the bench starts")
}

#[track_caller]
fn ends_with(output: &Output, exit: exit::Exit) {
    assert_eq!(output.status.code(), Some(exit.code.into()), "{}", words(output));
}

fn run(own: &TempDir, file: &str) -> Run {
    report::json::read(&fs::read_to_string(own.path().join(file)).expect(file)).expect(file)
}

/// Three quick scenarios on two stacks; with another seed than reviewed, a millisecond more or less is no difference.
const SELECTION: [&str; 10] = [
    "hil",
    "--board",
    "esp32c3",
    "transport/nxdomain",
    "transport/servfail",
    "identity/san_dns_dialled_by_name",
    "--stack=esp32c3_mbedtls",
    "--stack=nodemcu_2",
    "--seed=7",
    "--report",
];

fn selection<'a>(report: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    SELECTION.iter().copied().chain([report]).chain(more.iter().copied()).collect()
}

#[test]
fn shares_merged_are_the_whole() {
    let own = folder();
    ends_with(&bench(&own, &selection("json=whole.json,html=whole.html,markdown=whole.md", &[])), exit::AS_EXPECTED);
    for share in ["1/2", "2/2"] {
        let report = format!("json={}.json", &share[..1]);
        ends_with(&bench(&own, &selection(&report, &["--shard", share])), exit::AS_EXPECTED);
    }
    let report = "json=all.json,html=all.html,junit=all.xml";
    ends_with(&bench(&own, &["report", "merge", "2.json", "1.json", "--report", report]), exit::AS_EXPECTED);
    let (whole, mut merged) = (run(&own, "whole.json"), run(&own, "all.json"));
    assert!(whole.rows.len() >= 4, "{} rows", whole.rows.len());
    // By the wall, no run takes as long as another.
    let by_wall: Vec<u64> = whole.rows.iter().map(|row| row.wall_ms).collect();
    for (row, wall_ms) in merged.rows.iter_mut().zip(by_wall) {
        row.wall_ms = wall_ms;
    }
    assert_eq!(merged.rows, whole.rows);
    assert_eq!(merged.totals, whole.totals);
    assert!(run(&own, "1.json").rows.len() < whole.rows.len(), "a share is less than the whole");
    let alone = bench(&own, &["report", "merge", "1.json", "--report", "markdown=/dev/null"]);
    ends_with(&alone, exit::OTHERWISE);
    assert!(words(&alone).contains("these are missing: 2"), "{}", words(&alone));
}

#[test]
fn a_row_says_everything_that_is_known_of_it() {
    let own = folder();
    bench(&own, &selection("json=out.json,html=out.html", &["--embed", "all"]));
    let run = run(&own, "out.json");
    let find = |scenario: &str| run.rows.iter().find(|row| row.scenario == scenario && row.stack == "esp32c3_mbedtls");
    let row = find("identity/san_dns_dialled_by_name").expect("it was run");
    let wire = row.wire.as_ref().expect("there is a capture");
    let hello = wire.hello.as_ref().expect("the device said hello");
    assert!(hello.ja4.starts_with("t13") && hello.cipher_suites.len() > 20, "{hello:?}");
    assert!(wire.handshake_ms.is_some_and(|took_ms| took_ms > 10), "{wire:?}");
    assert!(row.happening.as_ref().and_then(|happening| happening.heap_peak_bytes) > Some(1_000));
    let ladder = row.ladder.as_ref().expect("there is a capture");
    assert!(ladder.steps.iter().any(|step| step.said == "CONNACK" && step.from == "broker" && step.to == "device"));
    assert!(ladder.steps.iter().any(|step| step.said == "query" && step.to == "dns"));
    assert!(row.device_log.iter().any(|line| line.words == "stage certificate"), "{:?}", row.device_log);
    assert!(row.capture.as_ref().is_some_and(|capture| capture.base64.is_some()));
    let row = find("transport/nxdomain").expect("it was run");
    assert!(row.explanations.iter().all(|one| !one.cause.is_empty() && !one.remedy.is_empty()));
    assert!(!row.explanations.is_empty() && !row.evidence.is_empty());
    let part = &run.parts[0];
    assert_eq!((part.images.len(), part.stacks.len()), (2, 2));
    assert!(part.images[0].sections.iter().any(|section| section.name == ".text" && section.is_loaded));
}

#[test]
fn an_earlier_run_is_history_and_nonsense_is_refused() {
    let own = folder();
    bench(&own, &selection("json=before.json", &[]));
    let text = fs::read_to_string(own.path().join("before.json")).expect("a report");
    let changed = text.replace("connection lost at resolve", "firmware crashed at resolve");
    fs::write(own.path().join("before.json"), changed).expect("it can be written");
    fs::write(own.path().join("now.json"), text).expect("it can be written");
    let report = "html=now.html,markdown=now.md";
    let output = bench(&own, &["report", "render", "now.json", "--history", "before.json", "--report", report]);
    ends_with(&output, exit::AS_EXPECTED);
    for file in ["now.html", "now.md"] {
        let text = fs::read_to_string(own.path().join(file)).expect(file);
        assert!(text.contains("Changed since the run before"), "{file}");
    }
    fs::write(own.path().join("nonsense.json"), "{\"schema\":1").expect("it can be written");
    let output = bench(&own, &["report", "render", "nonsense.json", "--report", "html=x.html"]);
    ends_with(&output, exit::USAGE);
    assert!(words(&output).contains("nonsense.json"), "{}", words(&output));
}

/// The same image twice: as it is, and as a product that checks no dates.
fn release<'a>(old: &'a str, new: &'a str, image: &'a str) -> Vec<&'a str> {
    let report = "html=release.html,json=release.json,markdown=release.md";
    let mut arguments = vec!["release-report", "validity/expired_leaf", "transport/nxdomain", "--image", image];
    arguments.extend([
        "--image",
        image,
        "--old-stack",
        old,
        "--new-stack",
        new,
        "--artefacts",
        "x",
        "--report",
        report,
    ]);
    arguments
}

#[test]
fn a_release_that_accepts_more_has_an_exit_code_of_its_own() {
    let own = folder();
    let image = root().join("firmware-under-test/images/esp32c3_mbedtls2.elf").display().to_string();
    let output = bench(&own, &release("esp32c3_mbedtls2", "nodemcu_3", &image));
    ends_with(&output, exit::SECURITY_WORSE);
    let told = words(&output);
    for line in
        ["SECURITY GOT WORSE in ", "validity/expired_leaf on esp32c3_mbedtls2 → nodemcu_3", "JA4: t12", "Alerts"]
    {
        assert!(told.contains(line), "no word of {line} in\n{told}");
    }
    let html = fs::read_to_string(own.path().join("release.html")).expect("the page");
    assert!(html.contains("WORSE</b>") && html.contains("esp32c3_mbedtls2 → nodemcu_3"));
    let json = fs::read_to_string(own.path().join("release.json")).expect("the report");
    let release_read: report::release::Release = serde_json::from_str(&json).expect("a release");
    let worse =
        release_read.changes.iter().find(|change| change.scenario == "validity/expired_leaf").expect("it changed");
    assert!(worse.security_worse[0].contains("accepts what it must refuse"), "{worse:?}");
    assert!(release_read.new.rows.iter().any(|row| row.transcript.contains("ACCEPTS WHAT IT MUST REFUSE")));
    // The other way round, outcomes change and nobody is worse off.
    let output = bench(&own, &release("nodemcu_3", "esp32c3_mbedtls2", &image));
    ends_with(&output, exit::OTHERWISE);
    assert!(words(&output).contains("Security got better"), "{}", words(&output));
    // And with itself, nothing changes at all.
    let output = bench(&own, &release("nodemcu_3", "nodemcu_3", &image));
    ends_with(&output, exit::AS_EXPECTED);
    assert!(words(&output).contains("no outcome changed"), "{}", words(&output));
}

/// A repository of somebody's firmware: eight commits, of which the sixth takes another TLS library, and the fourth
/// does not build. What is "built" is copied from the released images.
fn history(own: &TempDir) -> PathBuf {
    let folder = own.path().join("firmware");
    let git = |arguments: &[&str]| {
        let status = Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"])
            .args(arguments)
            .current_dir(&folder)
            .status();
        assert!(status.expect("git starts").success(), "git {arguments:?}");
    };
    fs::create_dir(&folder).expect("a folder");
    git(&["init", "--quiet"]);
    for (index, library) in
        ["mbedtls", "mbedtls", "mbedtls", "none", "mbedtls", "bearssl", "bearssl", "bearssl"].iter().enumerate()
    {
        fs::write(folder.join("library"), format!("{library} {index}\n")).expect("a file");
        git(&["add", "library"]);
        git(&["commit", "--quiet", "--message", &format!("Commit {index} with {library}")]);
        git(&["tag", &format!("v{index}")]);
    }
    folder
}

#[test]
fn bisection_finds_the_commit_and_leaves_nothing_behind() {
    let own = folder();
    let firmware = history(&own);
    let images = root().join("firmware-under-test/images");
    let build = format!("cp '{}'/esp32c3_$(cut -d' ' -f1 library).elf built.elf", images.display());
    let bisect = |good: &str, bad: &str| {
        let repository = firmware.display().to_string();
        let arguments = [
            "bisect",
            "--good",
            good,
            "--bad",
            bad,
            "certificate/purpose_client_auth_only",
            "--repository",
            &repository,
        ];
        bench(&own, &[&arguments[..], &["--build", &build, "--image", "built.elf"]].concat())
    };
    let output = bisect("v0", "v7");
    ends_with(&output, exit::AS_EXPECTED);
    let told = words(&output);
    assert!(told.contains("changed in\n") && told.contains(" Commit 5 with bearssl"), "{told}");
    assert!(told.contains("ACCEPTS WHAT IT MUST REFUSE"), "{told}");
    let worktrees = Command::new("git").args(["worktree", "list"]).current_dir(&firmware).output().expect("git starts");
    assert_eq!(String::from_utf8_lossy(&worktrees.stdout).lines().count(), 1, "the scratch worktree is gone");
    // What cannot be built cannot be cleared.
    let output = bisect("v2", "v5");
    ends_with(&output, exit::AS_EXPECTED);
    assert!(words(&output).contains("Commit 5"), "{}", words(&output));
    ends_with(&bisect("v3", "v7"), exit::USAGE);
    assert!(words(&bisect("v0", "v2")).contains("nothing to look for"));
    assert!(words(&bisect("v7", "v0")).contains("does not come after"));
    assert!(
        words(&bisect("--help", "v0")).contains("is no commit")
            || words(&bisect("nobody", "v0")).contains("is no commit")
    );
}

#[cfg(unix)]
#[test]
fn bisection_cleans_up_when_it_is_interrupted() {
    let own = folder();
    let firmware = history(&own);
    // A build that never ends, and says when it has begun.
    let begun = own.path().join("begun");
    let mut child = Command::new(env!("CARGO_BIN_EXE_runner"))
        .args([
            "bisect",
            "--good",
            "v0",
            "--bad",
            "v7",
            "certificate/purpose_client_auth_only",
            "--image",
            "x.elf",
            "--repository",
        ])
        .arg(&firmware)
        .args(["--build", &format!("mkfifo never && echo > '{}' && cat never", begun.display())])
        .env("SHAKEDOWN_ROOT", root())
        .spawn()
        .expect("the bench starts");
    while !begun.exists() {
        assert!(matches!(child.try_wait(), Ok(None)), "it ended by itself");
        std::thread::yield_now();
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(kill.success());
    assert_eq!(child.wait().expect("it ends").code(), Some(exit::INTERRUPTED.code.into()));
    let worktrees = Command::new("git").args(["worktree", "list"]).current_dir(&firmware).output().expect("git starts");
    assert_eq!(String::from_utf8_lossy(&worktrees.stdout).lines().count(), 1, "the scratch worktree is gone");
}

/// An image that prints a text on its USB serial port and is done: an ELF file for the ESP32-C3 of one segment in
/// instruction memory, made here by hand (ESP32-C3 TRM v1.2, chapter "USB Serial/JTAG Controller": data goes to
/// `EP1_REG`, once `EP1_CONF_REG` says that there is room).
fn printer(text: &str) -> Vec<u8> {
    const ADDRESS: u32 = 0x4038_0000;
    const PROGRAM: [u32; 14] = [
        0x6004_3537, // lui a0, 0x60043     the controller's registers
        0x0000_0597, // auipc a1, 0
        0x0345_8593, // addi a1, a1, 52     the text, behind the program
        0x0005_c603, // lbu a2, 0(a1)       for each character
        0x0006_0e63, // beqz a2, +28        that is not the closing zero
        0x0045_2683, // lw a3, 4(a0)        wait
        0x0026_f693, // andi a3, a3, 2      for room
        0xfe06_8ce3, // beqz a3, -8
        0x00c5_2023, // sw a2, 0(a0)        and say it
        0x0015_8593, // addi a1, a1, 1
        0xfe5f_f06f, // j -28
        0x0010_0693, // li a3, 1            then
        0x00d5_2223, // sw a3, 4(a0)        send what is left
        0x0000_006f, // j .                 and rest
    ];
    let mut code: Vec<u8> = PROGRAM.iter().flat_map(|word| word.to_le_bytes()).collect();
    code.extend(text.bytes().chain([0]));
    let size = u32::try_from(code.len()).expect("a short text");
    let mut elf = vec![0x7f, b'E', b'L', b'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    // e_type: executable, e_machine: RISC-V.
    elf.extend([2_u16, 243].iter().flat_map(|half| half.to_le_bytes()));
    // e_version, e_entry, e_phoff, e_shoff, e_flags.
    elf.extend([1, ADDRESS, 52, 0, 0].iter().flat_map(|word: &u32| word.to_le_bytes()));
    // e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx.
    elf.extend([52_u16, 32, 1, 40, 0, 0].iter().flat_map(|half| half.to_le_bytes()));
    // PT_LOAD, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, readable and executable, p_align.
    elf.extend([1, 84, ADDRESS, ADDRESS, size, size, 5, 4].iter().flat_map(|word: &u32| word.to_le_bytes()));
    elf.extend(code);
    elf
}

/// Somebody's own firmware, which knows nothing of this bench, goes through the same reports: what it prints is
/// understood by the patterns of its dialect.
#[test]
fn a_strangers_firmware_goes_through_the_same_reports() {
    let own = folder();
    let write = |name: &str, bytes: &[u8]| fs::write(own.path().join(name), bytes).expect("it can be written");
    write("old.elf", &printer("Booting 1.0\ntls: connecting\ntls: failed -0x2700 BAD_CERTIFICATE\n"));
    write("new.elf", &printer("Booting 1.0\ntls: connecting\npublished 21.5\n"));
    write(
        "mine.toml",
        b"stack = 'Our product'\n\
          [[log]]\nline = 'tls: connecting'\nmeans = 'stage'\nstage = 'certificate'\n\
          [[log]]\nline = 'tls: failed (?<code>-0x[0-9a-f]+) (?<name>\\w+)'\nmeans = 'failed'\n\
          [[log]]\nline = 'published'\nmeans = 'done'\n",
    );
    let arguments = ["hil", "--board", "esp32c3", "--image", "old.elf", "--dialect", "mine.toml", "--captures", "x"];
    let more = ["--accept", "trust/unknown_ca", "--report", "json=out.json,html=out.html"];
    let output = bench(&own, &[&arguments[..], &more].concat());
    // It says that it refused, and has dialled nobody.
    ends_with(&output, exit::OTHERWISE);
    assert!(words(&output).contains("never met the fault"), "{}", words(&output));
    let told = run(&own, "out.json");
    let row = told.rows.iter().find(|row| row.scenario == "trust/unknown_ca").expect("it was run");
    let happening = row.happening.as_ref().expect("it was run");
    assert_eq!(happening.device_words, "BAD_CERTIFICATE (-0x2700)");
    assert_eq!(happening.stage, outcome::Stage::Certificate);
    assert!(row.device_log.iter().any(|line| line.words == "console: Booting 1.0"), "{:?}", row.device_log);
    let images = ["release-report", "--image", "old.elf", "--image", "new.elf", "--dialect", "mine.toml"];
    let output = bench(&own, &[&images[..], &["trust/unknown_ca", "--artefacts", "y"]].concat());
    // Neither has dialled anybody: what it claims is told, and is no finding of security.
    ends_with(&output, exit::OTHERWISE);
    assert!(words(&output).contains("trust/unknown_ca on old → new"), "{}", words(&output));
    // The same through `hil`, as it would be on the boards of a rack.
    let output =
        bench(&own, &[&images[..], &["trust/unknown_ca", "--artefacts", "z", "--", "--on", "emulator"]].concat());
    ends_with(&output, exit::OTHERWISE);
    assert!(words(&output).contains("trust/unknown_ca on old → new"), "{}", words(&output));
    let output =
        bench(&own, &[&images[..], &["trust/unknown_ca", "--artefacts", "z", "--", "--on", "nowhere"]].concat());
    ends_with(&output, exit::USAGE);
}
