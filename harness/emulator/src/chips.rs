//! Chips: a map on one screen, which devices are where, a mask ROM, and how an image is booted.

pub mod esp32c3;
pub mod esp8266;

use chip::Chip;

use crate::machine::chip::Model;

/// The chips that can be emulated.
pub static MODELS: &[&Model] = &[&esp32c3::MODEL, &esp8266::MODEL];

/// How `chip` is emulated, if it is.
pub fn model_of(chip: &Chip) -> Option<&'static Model> {
    MODELS.iter().copied().find(|model| model.chip == chip)
}
