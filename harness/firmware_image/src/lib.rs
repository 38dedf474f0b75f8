//! Firmware images as toolchains leave them: recognised by content, checked, and laid out as a flash.
//!
//! A team hands over what its toolchain gave it: an ELF file, one merged flash image, several files with offsets, or the
//! folder of a build. [`recognise`] says what a file is by its first bytes, whatever it is called; [`build`] says which
//! files a build consists of; [`FlashImage`] lays them out, checks what ROM and bootloader will check, and says
//! what it is that will run. Whatever is refused is named, with what would be accepted and what its toolchain
//! calls that.
//!
//! There is no I/O in here: callers read files, and give their bytes and names. All input is untrusted; what is
//! allocated is bounded by the size of the input and by [`FLASH_BYTES_MAX`].
//!
//! It does not know files, emulators, boards, or what is done with an image.

pub mod build;
mod error;
mod esp8266;
pub mod espressif;
mod kind;
mod layout;
mod mend;
#[cfg(test)]
mod tests;

pub use error::{ACCEPTED, PrintableName, Refused};
pub use kind::{Kind, recognise};
pub use layout::{Boots, Chosen, FLASH_BYTES_MAX, FlashImage, Part};
pub use mend::{Mended, Unmendable, mend, partition_at, values_in_pieces};
