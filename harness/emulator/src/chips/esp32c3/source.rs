//! Numbers of the interrupt sources: the order of the INTERRUPT_CORE0 map registers (technical reference manual,
//! chapter "Interrupt Matrix", table "CPU Peripheral Interrupt Configuration/Status Registers and Peripheral Interrupt
//! Sources").

use super::map::DeviceName;

/// The source of a device's first interrupt; its others follow.
pub(crate) fn first_of(device: DeviceName) -> u32 {
    match device {
        DeviceName::WifiMac => 0,
        DeviceName::WifiPower => 2,
        DeviceName::Gpio => 16,
        DeviceName::Uart0 => 21,
        DeviceName::Uart1 => 22,
        DeviceName::Efuse => 24,
        DeviceName::UsbSerialJtag => 26,
        DeviceName::Rtc => 27,
        // The timer, then the watchdog.
        DeviceName::TimerGroup0 => 32,
        DeviceName::TimerGroup1 => 34,
        // Three comparators.
        DeviceName::SystemTimer => 37,
        DeviceName::SarAdc => 43,
        DeviceName::Gdma => 44,
        DeviceName::Rsa => 47,
        DeviceName::Aes => 48,
        DeviceName::Sha => 49,
        // Four that software raises.
        DeviceName::System => 50,
        _ => 0,
    }
}
