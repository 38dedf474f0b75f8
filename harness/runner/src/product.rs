//! `cargo xtask product init IMAGE`: a first description of somebody's firmware, made by looking at it.
//!
//! The image is searched for what it trusts ([`anchors`]) and then run for some virtual seconds on an emulated chip with an
//! access point, a resolver that knows every name, and a broker at every port that is dialled (`look`). What is seen is
//! written down as a dialect with the facts in comments (`describe`). Passphrases, keys and passwords are never written.

pub mod anchors;
mod describe;
mod joined;
mod look;
pub mod passphrase;
mod secrets;
pub mod swap;

use std::path::{Path, PathBuf};

use access_point::Description;
use blame::Error;
use clap::{Args, Subcommand};
use host::whole_file;

use crate::chips::BoardOption;
use crate::image_source::{self, ImageSource};
use crate::released::Firmware;
use crate::wifi::options;

/// Descriptions of firmware of others.
#[derive(Debug, Subcommand)]
pub enum ProductCommand {
    /// Write a first description of an image, by running it and looking
    Init(Init),
}

/// What `init` does.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo xtask product init sensor.bin                              what it is, what it looks for, what it trusts
  cargo xtask product init sensor.bin --wifi ssid=home-5,psk=…     on its network, whose passphrase only you know
  cargo xtask product init build/ --out sensor.toml --virtual-s 60
  cargo xtask hil --board esp32c3 --image sensor.bin --dialect sensor.toml

The description is a dialect (firmware-under-test/README.md) with what was seen in comments. No passphrase, no password and
no private key is written.")]
pub struct Init {
    /// The image: an ELF file, a merged flash image, a build folder, flasher_args.json or manifest.json
    #[arg(value_name = "IMAGE")]
    pub image: PathBuf,
    /// The kind of board.
    #[command(flatten)]
    pub board: BoardOption,
    /// Where the description goes [default: the image's name with .toml, in this folder]
    #[arg(long, value_name = "FILE.toml")]
    pub out: Option<PathBuf>,
    /// Overwrite a description that is there already
    #[arg(long)]
    pub force: bool,
    /// For how many seconds of the chip's own time it is run
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub virtual_s: u32,
    /// The network that it joins: ssid=NAME,psk=PASSPHRASE [default: an open one of the name that it looks for]
    #[arg(long, value_name = "NETWORK", value_parser = options::parse)]
    pub wifi: Vec<Description>,
    /// The seed of all randomness, in hexadecimal
    #[arg(long, value_parser = crate::cli::hexadecimal, default_value = "5eed")]
    pub seed: u64,
}

/// Runs the command.
///
/// # Errors
///
/// A sentence about the image, or about the file that would be overwritten.
pub fn run(root: &Path, command: &ProductCommand) -> blame::Result<()> {
    let ProductCommand::Init(arguments) = command;
    let chip = arguments.board.chip();
    let firmware = Firmware::own(root, &arguments.image, chip)?;
    let out = arguments.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}.toml", firmware.name)));
    if out.exists() && !arguments.force {
        let words = format!("{}: there is one already: --force overwrites it, --out names another", out.display());
        return Err(Error::usage(words));
    }
    let words = [arguments.image.to_string_lossy().into_owned()];
    let layout = match image_source::read(&words, chip)? {
        ImageSource::Flash { image, .. } => image.to_string(),
        ImageSource::Elf(_) => "an ELF file, loaded directly".to_owned(),
    };
    let anchors = anchors::find(&firmware.bytes);
    terminal::errln!("{}: {layout}; running it for {} s of its own time", firmware.name, arguments.virtual_s);
    let seen = look::look(&firmware, arguments)?;
    let text = describe::describe(&firmware, &layout, &anchors, &seen);
    if let Some(why) = joined::not_the_given(arguments, &seen) {
        terminal::out!("{text}");
        return Err(Error::usage(format!("{}: {why}. Nothing was written", firmware.name)));
    }
    whole_file::write(&out, &text).map_err(|error| Error::file(&out, error))?;
    terminal::out!("{text}");
    terminal::errln!("written to {}: read it, and complete it", out.display());
    Ok(())
}
