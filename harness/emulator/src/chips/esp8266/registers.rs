//! The names and reset values of the chip's registers.

use std::sync::OnceLock;

use crate::machine::registers::{Peripheral, Table};

const TEXT: &str = include_str!("registers.txt");

/// The peripheral that the map calls `name`; one without registers if none is known of that name.
pub(crate) fn peripheral(name: &str) -> &'static Peripheral {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| Table::parse(TEXT)).peripheral(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_understood() {
        assert_eq!(Table::nonsense(TEXT), Vec::<&str>::new());
        assert_eq!(peripheral("GPIO").name_of(0x64), Some("PIN15"));
        assert_eq!(peripheral("UART1").name_of(0x14), Some("CLKDIV"));
    }
}
