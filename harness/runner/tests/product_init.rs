//! `cargo xtask product init`: what is seen of an image is written down as a description that the bench can use.
#![allow(clippy::print_stderr, reason = "whoever runs this reads it")]

use std::path::{Path, PathBuf};

use clap::Parser;
use runner::cli::{Cli, Command};
use runner::dialect::Dialect;
use runner::product;
use runner::products::Product;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace exists")
}

/// What `product init` makes of an image.
fn described(image: &Path, more: &[&str]) -> Result<String, blame::Error> {
    let folder = tempfile::tempdir().expect("there is room for a temporary folder");
    let out = folder.path().join("mine.toml").display().to_string();
    let image = image.display().to_string();
    let words = ["runner", "product", "init", &image, "--out", &out].into_iter().chain(more.iter().copied());
    let Cli { command: Command::Product(command) } = Cli::parse_from(words) else { unreachable!("it is product") };
    product::run(&root(), &command)?;
    let text = std::fs::read_to_string(&out).expect("it was written");
    // A second time nothing is overwritten.
    assert!(product::run(&root(), &command).is_err_and(|error| error.message.contains("--force")));
    Ok(text)
}

#[test]
fn micropython_is_seen_to_be_driven_at_its_prompt() {
    let product = Product::by_name("micropython_1_27_esp32c3").expect("it is pinned");
    match product.read() {
        Ok(_) => {}
        Err(missing) if missing.required => panic!("{}: {}", product.title, missing.reason),
        Err(missing) => return eprintln!("{}: {}", product.title, missing.reason),
    }
    let text =
        described(&product.path().expect("a cache"), &["--virtual-s", "2"]).unwrap_or_else(|why| panic!("{why}"));
    let dialect = Dialect::parse("mine.toml", &text).unwrap_or_else(|problem| panic!("{problem}\n{text}"));
    assert_eq!(dialect.driver, Some(driver::Kind::Micropython), "{text}");
    assert!(dialect.radio, "{text}");
    for words in
        ["# chip      ESP32-C3", "(v5.5.1)", "MicroPython v1.27.0", "prompt    uart0: \">>>", "dials     nobody"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
}

/// Firmware of ours waits for an order that never comes: it is said that it does nothing, and nothing is made up.
#[test]
fn firmware_that_does_nothing_is_described_as_that() {
    let image = root().join("firmware-under-test/images/esp32c3_mbedtls.elf");
    let text = described(&image, &["--virtual-s", "2"]).unwrap_or_else(|why| panic!("{why}"));
    let dialect = Dialect::parse("mine.toml", &text).unwrap_or_else(|problem| panic!("{problem}\n{text}"));
    assert!(dialect.driver.is_none() && dialect.log.is_empty() && !dialect.radio, "{text}");
    for words in ["network   it looks for none by name", "dials     nobody", "no certificate was found in the image"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn what_is_no_image_is_refused() {
    let why = described(&root().join("README.md"), &[]).expect_err("a page is no image");
    assert!(why.message.contains("README.md"), "{why}");
}
