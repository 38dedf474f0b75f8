//! Espressif's ESP8266 (ESP8266EX data sheet; technical reference, version 1.7).

use crate::{Architecture, Chip, FlashLayout, ImageFormat, PortId, PortRole, Radio, SerialPort};

/// The ESP8266, as most modules have it: with 4 MiB of flash.
pub static ESP8266: Chip = Chip {
    name: "esp8266",
    title: "ESP8266",
    maker: "Espressif",
    architecture: Architecture::Xtensa,
    flash: FlashLayout {
        size_bytes: 4 << 20,
        bootloader_offset: 0,
        partition_table_offset: None,
        // What the ROM loads lies at 0; what firmware executes from the flash comes behind that, where its linker has put it.
        application_offset: 0,
    },
    serial_ports: &[
        SerialPort { id: PortId::new("uart0"), title: "UART0", role: PortRole::Bench },
        // It has no receive pin beside the flash's.
        SerialPort { id: PortId::new("uart1"), title: "UART1", role: PortRole::Log },
    ],
    nics: &[],
    radio: Some(Radio { title: "Wi-Fi" }),
    image_formats: &[ImageFormat::Elf, ImageFormat::EspressifV1],
    // No JTAG on the modules, and probe-rs has no Xtensa of this kind.
    probe_target: None,
    // A bridge is what a computer sees: any chip may be behind one.
    usb: &[],
};
