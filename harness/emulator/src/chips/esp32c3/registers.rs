//! The names and reset values of the chip's registers.
//!
//! `registers.txt` is rendered from Espressif's SVD; nothing here is copied by hand.

use std::sync::OnceLock;

use crate::machine::registers::{Peripheral, Table};

const TEXT: &str = include_str!("registers.txt");

/// The peripheral that the data sheet calls `name`; one without registers if it has none of that name.
pub(crate) fn peripheral(name: &str) -> &'static Peripheral {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| Table::parse(TEXT)).peripheral(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::registers::RegisterFile;

    #[test]
    fn every_line_of_the_table_is_understood() {
        assert_eq!(Table::nonsense(TEXT), Vec::<&str>::new());
    }

    #[test]
    fn names_and_reset_values_come_from_the_data_sheet() {
        let timer_group = peripheral("TIMG1");
        assert_eq!(timer_group.name_of(0x48), Some("WDTCONFIG0"));
        assert_eq!(timer_group.name_of(0x54), Some("WDTCONFIG3"));
        assert_eq!(peripheral("GPIO").name_of(0x154 + 4 * 127), Some("FUNC127_IN_SEL_CFG"));
        assert_eq!(RegisterFile::new(peripheral("UART0"), 0x1000).get(0x14), 0x2b6);
        assert_eq!(peripheral("no such peripheral").name_of(0), None);
    }
}
