//! The registers that are used here, each at its address.

/// A register of 32 bits.
#[derive(Clone, Copy)]
pub(crate) struct Register(u32);

impl Register {
    /// # Safety
    /// There is a register at `address`, and nothing that is written to it or read from it harms memory.
    const unsafe fn at(address: u32) -> Self {
        Self(address)
    }

    pub(crate) fn read(self) -> u32 {
        // SAFETY: the promise of `at`.
        unsafe { (self.0 as *const u32).read_volatile() }
    }

    pub(crate) fn write(self, value: u32) {
        // SAFETY: the promise of `at`.
        unsafe { (self.0 as *mut u32).write_volatile(value) }
    }

    pub(crate) fn change(self, change: impl FnOnce(u32) -> u32) {
        self.write(change(self.read()));
    }
}

macro_rules! registers {
    ($($(#[$documentation:meta])* $name:ident = $address:literal;)*) => {
        $($(#[$documentation])* pub(crate) const $name: Register =
            // SAFETY: no register here moves memory.
            unsafe { Register::at($address) };)*
    };
}

registers! {
    /// DPORT: which edges become interrupts.
    EDGE_ENABLE = 0x3ff0_0004;
    /// A number that nobody can foretell.
    RANDOM = 0x3ff2_0e44;
    UART0_FIFO = 0x6000_0000;
    UART0_INT_ENA = 0x6000_000c;
    UART0_INT_CLR = 0x6000_0010;
    UART0_CLKDIV = 0x6000_0014;
    UART0_STATUS = 0x6000_001c;
    UART0_CONF0 = 0x6000_0020;
    UART0_CONF1 = 0x6000_0024;
    FRC2_COUNT = 0x6000_0624;
    FRC2_CTRL = 0x6000_0628;
    FRC2_INT = 0x6000_062c;
    FRC2_ALARM = 0x6000_0630;
    /// The hardware's watchdog: on or off, and what feeds it.
    WDT_CTL = 0x6000_0900;
}
