//! How images get into emulated chips: loaded directly, or by the way that silicon goes, through a debug probe.
//!
//! Through the probe every image is flashed once, into a chip of its own; what its flash holds then is what the chips of
//! all scenarios boot from. The flash holds no other state that lasts.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use blame::Error;
use board::{Boots, Emulated, Tier};
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use rack::PROBE;

use crate::stack::Stack;

/// How long one image may take. A busy machine takes a tenth of it.
const FLASH_MAX: Duration = Duration::from_secs(300);

/// How images get into emulated chips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Way {
    /// The ELF file is loaded directly, the quick way
    #[default]
    Direct,
    /// As silicon is flashed: probe-rs attaches to the chip, writes its flash and verifies it, and the chip boots from there
    Probe,
}

/// What the flash of a chip holds, by image, and how chips have booted.
#[derive(Debug, Default)]
pub struct Flashed {
    by_image: BTreeMap<String, Arc<[u8]>>,
    /// `None`: every chip boots by itself.
    boots: Option<Arc<Boots>>,
    tier: Tier,
}

impl Flashed {
    /// Flashes the images of `stacks` as `way` says; nothing to do if they are loaded directly. `folder` is for their
    /// ELF files. With `cold`, no chip goes on from where another has booted to.
    ///
    /// # Errors
    ///
    /// If an image cannot be flashed, and why.
    pub fn new(way: Way, cold: bool, tier: Tier, stacks: &[Stack], folder: &Path) -> blame::Result<Self> {
        let boots = (!cold).then(Boots::new);
        let mut by_image = BTreeMap::new();
        if way == Way::Direct {
            return Ok(Self { by_image, boots, tier });
        }
        if let Some(stack) = stacks.iter().find(|stack| stack.is_copied()) {
            return Err(Error::usage(format!(
                "`--flash probe` flashes {} once, and `--trust swap` makes a copy of it for each scenario: leave out one",
                stack.name
            )));
        }
        let program = std::env::var(PROBE).map_err(|_| {
            Error::bench(format!("the program that holds debug probes is not built: `cargo xtask` builds it ({PROBE})"))
        })?;
        let command = [program, "serve".to_owned()];
        fs::create_dir_all(folder).map_err(|error| Error::bench(format!("{}: {error}", folder.display())))?;
        let boots_as_it_is = |stack: &Stack| stack.image().flash.is_some();
        if let Some(stack) = stacks.first().filter(|_| stacks.iter().all(boots_as_it_is)) {
            return Err(Error::usage(format!(
                "{} is a flash image, which boots as it is: leave out `--flash probe`",
                stack.name
            )));
        }
        // Beside others a flash image is put into its chip as always: a night has products, too.
        for stack in stacks.iter().filter(|stack| !boots_as_it_is(stack)) {
            let image = stack.image();
            if !by_image.contains_key(&image.name) {
                by_image.insert(image.name.clone(), flash(&command, image, folder)?);
            }
        }
        Ok(Self { by_image, boots, tier })
    }

    /// An emulated chip that gets the image of `stack`.
    ///
    /// # Errors
    ///
    /// If nobody emulates its chip.
    pub fn board(&self, stack: &Stack, seed: u64) -> blame::Result<Emulated> {
        let board = Emulated::of(stack.chip(), seed).map_err(Error::bench)?.executed_by(self.tier);
        let board = match &self.boots {
            Some(boots) => board.booting_from(Arc::clone(boots)),
            None => board,
        };
        Ok(match self.by_image.get(&stack.image().name) {
            Some(content) => board.flashed(Arc::clone(content)),
            None => board,
        })
    }
}

#[cfg(unix)]
fn flash(command: &[String], image: &board::Image, folder: &Path) -> blame::Result<Arc<[u8]>> {
    let file = folder.join(&image.name).with_extension("elf");
    fs::write(&file, &image.elf).map_err(|error| Error::bench(format!("{}: {error}", file.display())))?;
    let style = ProgressStyle::with_template("{prefix} {bar:30} {bytes}/{total_bytes} {elapsed} {wide_msg}");
    let progress = ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    progress.set_prefix(format!("flashing {}", image.name));
    if !io::stderr().is_terminal() {
        terminal::errln!("flashing {} through probe-rs", image.name);
    }
    let flashed = board::emulated::through_probe::flash_content(image.chip, command, &file, FLASH_MAX, &mut |step| {
        progress.set_length(step.total_bytes.unwrap_or(step.done_bytes));
        progress.set_position(step.done_bytes);
        progress.set_message(step.operation.verb());
    });
    progress.finish_and_clear();
    flashed.map_err(|fault| Error::bench(format!("{}: {fault}", image.name)))
}

#[cfg(not(unix))]
fn flash(_: &[String], _: &board::Image, _: &Path) -> blame::Result<Arc<[u8]>> {
    Err(Error::bench("emulated debug probes need Unix"))
}
