//! Whatever is done to a scenario file, reading it ends in a scenario or in a problem that can be shown to its author.

use std::fs;
use std::path::{Path, PathBuf};

use scenario::Scenario;

/// How often each file is damaged.
const DAMAGES_PER_FILE: usize = 60;

/// What people and editors put where it does not belong.
const TOKENS: &[&str] = &[
    "\u{feff}",
    "\"",
    "'''",
    "[",
    "]]",
    "{",
    "}",
    "=",
    "\n",
    "\r\n",
    "\t",
    "#",
    "é",
    "💥",
    "\u{0}",
    "\\u0000",
    "-1",
    "99999999999999999999",
    "1e400",
    "nan",
    "true",
    "[pki.leaf]\n",
    "issuer = 'self'\n",
    "key_of = 'leaf'\n",
    "[broker]\n",
    "[device.mqtt]\n",
    "1979-05-27",
    "versions = []\n",
    "names = ['dns:']\n",
    "not_before = '-9223372036854775808s'\n",
    "not_after = '+106751991167300d'\n",
    "date = '9999-12-31T23:59:59Z'\n",
    "subject = ''\n",
    "acts = [{ idle = { ms = -1 } }]\n",
];

/// A linear congruential generator (Knuth's MMIX): the same damage on every machine.
struct Rng(u64);

impl Rng {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound.max(1)
    }

    /// A place in `text` at which it may be cut.
    fn place(&mut self, text: &str) -> usize {
        let mut at = self.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

fn damaged(text: &str, others: &[String], dice: &mut Rng) -> String {
    let mut text = text.to_owned();
    for _ in 0..=dice.below(3) {
        let (a, b) = (dice.place(&text), dice.place(&text));
        let (from, to) = (a.min(b), a.max(b));
        let near = dice.place(&text[from..to].chars().take(12).collect::<String>());
        match dice.below(7) {
            0 => text.truncate(from),
            1 => text.replace_range(from..from + near, ""),
            2 => text.insert_str(from, TOKENS[dice.below(TOKENS.len())]),
            3 => {
                let again = text[from..to].to_owned();
                text.insert_str(from, &again);
            }
            4 => text.replace_range(from..from + near, TOKENS[dice.below(TOKENS.len())]),
            5 => {
                let line = text.lines().nth(dice.below(text.lines().count())).unwrap_or_default().to_owned();
                text.insert_str(from, &format!("\n{line}\n"));
            }
            _ => {
                let other = &others[dice.below(others.len())];
                let at = dice.place(other);
                text.push_str(&other[at..]);
            }
        }
        text.truncate((0..=text.len().min(64 * 1024)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0));
    }
    text
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder of scenarios is there") {
        let path = entry.expect("the folder of scenarios can be read").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "toml") {
            found.push(path);
        }
    }
}

#[test]
fn a_damaged_file_is_read_or_refused_in_words() {
    let mut found = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios"), &mut found);
    found.sort();
    let texts: Vec<String> = found.iter().map(|path| fs::read_to_string(path).expect("a scenario is text")).collect();
    let mut dice = Rng(0x5eed);
    let (mut read, mut refused) = (0, 0);
    for text in &texts {
        for _ in 0..DAMAGES_PER_FILE {
            let text = damaged(text, &texts, &mut dice);
            // A name that claims nothing, and one whose claims make everything be looked at.
            let name = ["x/y", "x/expired_self_signed_unknown_ca"][dice.below(2)];
            match Scenario::parse(name, "x.toml", &text) {
                Ok(_) => read += 1,
                Err(problem) => {
                    refused += 1;
                    assert!(problem.line <= text.lines().count() + 1, "{problem}");
                    assert!(!problem.message.is_empty() && !problem.remedy.is_empty(), "{problem}");
                    assert!(problem.to_string().contains("x.toml"), "{problem}");
                }
            }
        }
    }
    assert!(read > 100 && refused > 100, "{refused} refused, {read} read: the damage is of one kind");
}

#[test]
fn a_file_that_nests_without_end_is_refused_in_words() {
    for nest in ["[", "a = [", "a = {a=", "a.", "[a.", "\"\"\""] {
        let text = nest.repeat(100_000);
        let problem = Scenario::parse("x/y", "x.toml", &text).expect_err("that is no scenario");
        assert!(!problem.message.is_empty());
    }
}
