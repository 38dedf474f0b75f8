use std::path::Path;
use std::time::Duration;

use super::{FaultKind, Flasher, Operation, ProbeFault, Progress, list};

/// Long for a machine, and nothing here waits for it unless a test fails.
const LONG: Duration = Duration::from_secs(60);

/// A flashing process that a test makes up: a shell script that answers `attach`, then does what `rest` says.
fn script(rest: &str) -> Vec<String> {
    let attach = r#"read -r request; printf '%s\n' '{"answer":"done"}';"#;
    ["sh", "-c", &format!("{attach} {rest}")].map(String::from).to_vec()
}

fn flash(rest: &str, limit: Duration) -> (Result<(), ProbeFault>, Vec<Progress>, Flasher) {
    let mut flasher = Flasher::start(&script(rest), &chip::ESP32C3, "303a:1001", LONG).expect("the script attaches");
    let mut steps = Vec::new();
    let result = flasher.flash(Path::new("image.elf"), limit, &mut |step| steps.push(step));
    (result, steps, flasher)
}

#[test]
fn progress_arrives_before_the_answer() {
    let (result, steps, mut flasher) = flash(
        r#"read -r request; printf '%s\n' '{"answer":"progress","operation":"erase","done_bytes":4096}' \
           '{"answer":"progress","operation":"program","done_bytes":1,"total_bytes":2}' '{"answer":"done"}';
           read -r request; case $request in *reset*) printf '%s\n' '{"answer":"done"}';; esac"#,
        LONG,
    );
    assert_eq!(result, Ok(()));
    let expected = [
        Progress { operation: Operation::Erase, done_bytes: 4096, total_bytes: None },
        Progress { operation: Operation::Program, done_bytes: 1, total_bytes: Some(2) },
    ];
    assert_eq!(steps, expected);
    assert_eq!(flasher.reset(LONG), Ok(()));
}

#[test]
fn what_the_process_is_asked_is_one_line_with_an_absolute_path() {
    let folder = std::env::temp_dir().join(format!("flasher-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("request");
    let (result, _, _) = flash(
        &format!(
            r#"read -r request; printf '%s' "$request" >'{}'; printf '%s\n' '{{"answer":"done"}}'"#,
            file.display()
        ),
        LONG,
    );
    assert_eq!(result, Ok(()));
    let request = std::fs::read_to_string(&file).expect("what the script wrote");
    std::fs::remove_dir_all(&folder).expect("the folder");
    let here = std::env::current_dir().expect("a folder").join("image.elf");
    assert_eq!(request, format!(r#"{{"request":"flash","elf":"{}","verify":true}}"#, here.display()));
}

#[test]
fn a_fault_keeps_its_kind_and_the_process_lives_on() {
    let (result, _, mut flasher) = flash(
        r#"read -r request; printf '%s\n' '{"answer":"failed","kind":"image_too_large","words":"5 MiB"}';
           read -r request; printf '%s\n' '{"answer":"failed","kind":"of_the_future","words":"\u001b[31m?"}'"#,
        LONG,
    );
    let fault = result.expect_err("it failed");
    assert_eq!(fault, ProbeFault::new(FaultKind::ImageTooLarge, "5 MiB"));
    assert!(matches!(fault.into(), crate::Fault::Image(_)), "the image is to blame");
    assert!(flasher.is_alive());
    let fault = flasher.erase(LONG).expect_err("it failed");
    assert_eq!(fault.kind, FaultKind::Other, "a kind that this version does not know");
    assert_eq!(fault.words, r"\u{1b}[31m?", "nothing that a terminal would obey");
    assert!(matches!(fault.into(), crate::Fault::Bench(_)));
}

#[test]
fn a_process_that_hangs_is_killed_at_the_limit_with_all_that_it_started() {
    let folder = std::env::temp_dir().join(format!("flasher-hangs-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let pipe = folder.join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    // The script's child inherits the pipe: its reader comes to the end when both are dead.
    let command = script(&format!("echo stuck >&2; exec 9>'{}'; sleep 3600 & wait", pipe.display()));
    let mut flasher = Flasher::start(&command, &chip::ESP32C3, "any", LONG).expect("the script attaches");
    let mut reader = std::fs::File::open(&pipe).expect("the script opens it too");
    let fault = flasher.flash(Path::new("image.elf"), Duration::from_millis(200), &mut |_| {}).expect_err("it hangs");
    assert_eq!(fault.kind, FaultKind::Hung);
    assert!(fault.words.ends_with("it said last: stuck"), "{fault}");
    assert!(!flasher.is_alive());
    std::io::Read::read_to_end(&mut reader, &mut Vec::new()).expect("the end, as everybody who had the pipe is dead");
    assert_eq!(flasher.reset(LONG).expect_err("nobody is there").kind, FaultKind::ProbeVanished);
    assert_eq!(flasher.reattach(LONG), Ok(()), "with a new process");
    std::fs::remove_dir_all(&folder).expect("the folder");
}

#[test]
fn a_process_that_ends_in_mid_flash_has_lost_its_probe() {
    let (result, steps, flasher) = flash(
        r#"read -r request; printf '%s\n' '{"answer":"progress","operation":"program","done_bytes":1}';
           printf '{"answer":"pro'; echo 'thread main panicked' >&2; exit 7"#,
        LONG,
    );
    assert_eq!(steps.len(), 1);
    let fault = result.expect_err("it ended");
    assert_eq!(fault.kind, FaultKind::ProbeVanished);
    assert!(fault.words.contains("exit status: 7") && fault.words.contains("thread main panicked"), "{fault}");
    assert!(!flasher.is_alive());
}

#[test]
fn garbage_is_bounded_and_blamed_on_the_bench() {
    for garbage in ["printf 'ESP-ROM:esp32c3\\n'; cat", "yes | tr -d '\\n'"] {
        let (result, _, flasher) = flash(garbage, LONG);
        let fault = result.expect_err("that is no answer");
        assert_eq!(fault.kind, FaultKind::Garbled, "{fault}");
        assert!(fault.words.len() < 500, "{}", fault.words.len());
        assert!(!flasher.is_alive());
        assert!(matches!(fault.into(), crate::Fault::Bench(_)));
    }
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let missing = ["no-such-program-as-this".to_owned()];
    let fault = Flasher::start(&missing, &chip::ESP32C3, "any", LONG).expect_err("it is not there");
    assert!(fault.words.contains("no-such-program-as-this"), "{fault}");
    assert!(list(&[], LONG).is_err());
}

#[test]
fn probes_are_listed() {
    let answer = r#"{"answer":"probes","probes":[{"name":"ESP JTAG","selector":"303a:1001:AA","accessible":false}]}"#;
    let command = ["sh", "-c", &format!("read -r request; printf '%s\\n' '{answer}'")].map(String::from);
    let probes = list(&command, LONG).expect("a list");
    assert_eq!(probes.len(), 1);
    assert_eq!((probes[0].selector.as_str(), probes[0].accessible), ("303a:1001:AA", false));
}
