//! Espressif's ESP32-C3 (technical reference manual, version 1.3).

use crate::{Architecture, Chip, FlashLayout, ImageFormat, PortId, PortRole, Radio, SerialPort, UsbDevice};

/// The ESP32-C3.
pub static ESP32C3: Chip = Chip {
    name: "esp32c3",
    title: "ESP32-C3",
    maker: "Espressif",
    architecture: Architecture::Riscv32,
    flash: FlashLayout {
        size_bytes: 4 << 20,
        bootloader_offset: 0,
        partition_table_offset: Some(0x8000),
        application_offset: 0x1_0000,
    },
    serial_ports: &[
        SerialPort { id: PortId::new("usb"), title: "USB-Serial-JTAG", role: PortRole::Bench },
        SerialPort { id: PortId::new("uart0"), title: "UART0", role: PortRole::Console },
        SerialPort { id: PortId::new("uart1"), title: "UART1", role: PortRole::Modem },
    ],
    nics: &[],
    radio: Some(Radio { title: "Wi-Fi" }),
    image_formats: &[ImageFormat::Elf, ImageFormat::Espressif { chip_id: 5 }],
    probe_target: Some("esp32c3"),
    // Chapter "USB Serial/JTAG Controller": a serial port and a debug probe in one device.
    usb: &[UsbDevice { vendor: 0x303a, product: 0x1001, is_probe: true }],
};
