//! A chip with an image in it, and with the mask ROM that the image needs.

use std::path::Path;

use blame::Error;
use emulator::image::ImageError;
use emulator::{EmulatedChip, Model, Reset, Rom, Settings};
use firmware_image::FlashImage;

use crate::cli::Emulate;
use crate::image_source::{self, ImageSource};
use crate::mask_rom;
use host::whole_file;

/// A chip at its reset, with what the command line names.
///
/// # Errors
///
/// A sentence about the image, the mask ROM or the kept state.
pub fn power_on(root: &Path, model: &Model, arguments: &Emulate) -> blame::Result<Box<dyn EmulatedChip>> {
    if let Some(rom) = arguments.rom.as_ref().filter(|_| !model.takes_rom) {
        return Err(Error::usage(format!(
            "{}: the ROM of the {} is modelled, and none is read: leave --rom out",
            rom.display(),
            model.chip.title
        )));
    }
    match image_source::read(&arguments.image, model.chip)? {
        ImageSource::Elf(elf) => from_elf(root, model, arguments, &elf),
        ImageSource::Flash { image, symbols } => from_flash(root, model, arguments, &image, symbols.as_deref()),
    }
}

/// Loads an ELF file directly, with the modelled ROM if that has all that the file calls.
fn from_elf(root: &Path, model: &Model, arguments: &Emulate, elf: &[u8]) -> blame::Result<Box<dyn EmulatedChip>> {
    let name = arguments.image.join(" ");
    let refused = |error: ImageError| Error::author(format!("{name} is no image for the chip {}: {error}", model.chip));
    if let Some(state) = &arguments.flash_state {
        return Err(Error::usage(format!(
            "{}: --flash-state keeps a flash that the chip boots from, and an ELF file is loaded directly: name a flash \
             image or a build folder",
            state.display()
        )));
    }
    let rom = match (&arguments.rom, (model.unmodelled_rom_call)(elf).map_err(refused)?) {
        (Some(given), _) => Rom::Elf(mask_rom::read(root, Some(given))?),
        (None, Some(address)) => {
            terminal::errln!(
                "loaded directly, with the real mask ROM: the image calls its function at {address:#010x}"
            );
            Rom::Elf(mask_rom::read(root, None)?)
        }
        (None, None) => {
            terminal::errln!("loaded directly, as the bootloader leaves the chip");
            Rom::Modelled
        }
    };
    let mut chip = (model.power_on)(&Settings { seed: arguments.seed, rom, ..Settings::default() });
    chip.load_elf(elf).map_err(refused)?;
    Ok(chip)
}

/// Boots from the flash, through ROM and bootloader: the real ROM, or one that is modelled as far as that.
fn from_flash(
    root: &Path,
    model: &Model,
    arguments: &Emulate,
    image: &FlashImage,
    symbols: Option<&[u8]>,
) -> blame::Result<Box<dyn EmulatedChip>> {
    let rom = match model.takes_rom {
        true => Rom::Elf(mask_rom::read(root, arguments.rom.as_deref())?),
        false => Rom::Modelled,
    };
    let settings = Settings { seed: arguments.seed, rom, flash_bytes: Some(image.flash_bytes), ..Settings::default() };
    let mut chip = (model.power_on)(&settings);
    chip.set_flash_content(&image.content).map_err(Error::author)?;
    match arguments.flash_state.as_ref().filter(|file| file.exists()) {
        Some(file) => restore_state(model, &mut *chip, file)?,
        None => terminal::errln!("{image}"),
    }
    if let Some(elf) = symbols {
        chip.know_symbols(elf);
    }
    chip.boot_from_flash();
    chip.reset(Reset::PowerOn);
    Ok(chip)
}

/// Gives the chip what it kept, and says what boots from that: another application than the image's, after an update.
fn restore_state(model: &Model, chip: &mut dyn EmulatedChip, file: &Path) -> blame::Result<()> {
    let state = host::read(file, &host::limit::IMAGE).map_err(|error| Error::authors_file(file, error))?;
    chip.set_kept_state(&state).map_err(|error| Error::authors_file(file, error))?;
    match image_source::flash_of_content(chip.flash_content(), model.chip) {
        Some(Ok(kept)) => terminal::errln!("{kept}"),
        Some(Err(refused)) => terminal::errln!("{refused}"),
        None => {}
    }
    terminal::errln!("flash and eFuses as {} has them: remove it to flash the image anew", file.display());
    Ok(())
}

/// Keeps what the chip would keep without power.
///
/// # Errors
///
/// If the file cannot be written.
pub fn keep_state(chip: &dyn EmulatedChip, file: &Path) -> blame::Result<()> {
    whole_file::write(file, chip.kept_state()).map_err(|error| Error::file(file, error))
}
