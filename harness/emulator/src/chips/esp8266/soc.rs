//! Everything round the core: dispatches loads and stores by the map, and keeps the devices' time.

use serde::{Deserialize, Serialize};

use std::collections::{BTreeMap, BTreeSet};

use crate::cores::lx106::{Bus, BusFault, InterruptLines};
use crate::devices::esp8266::efuse;
use crate::devices::esp8266::flash_controller::{Access as FlashAccess, FlashPart};
use crate::devices::esp8266::gpio::Gpio;
use crate::devices::esp8266::reset::ResetCause;
use crate::devices::esp8266::rtc::Rtc;
use crate::devices::esp8266::sar::Sar;
use crate::devices::esp8266::timers::{FRC1_EDGE, FRC2_EDGE, Timers};
use crate::devices::esp8266::uart::Uart;
use crate::devices::esp8266::watchdog::Watchdog;
use crate::devices::esp8266::wifi_mac::WifiMac;
use crate::devices::espressif::time::TICKS_HZ;
use crate::machine::access::Width;
use crate::machine::device::{Device, Read, Write};
use crate::machine::flash::{Flash, PAGE_BYTES};
use crate::machine::map::Modelled;
use crate::machine::memory::{Access, Memory, Window};
use crate::machine::polls::{Poll, Polls};
use crate::machine::random::Random;
use crate::machine::registers::RegisterFile;
use crate::machine::snapshot::SnapshotError;
use crate::machine::time::{CpuClock, NEVER, Ticks};

use super::map::{DeviceName, MAP, Row, is_register, row_of, row_of_device};
use super::registers::peripheral;

/// DPORT: whether a source raises the NMI, and which.
const NMI_SOURCE: u32 = 0x00;
const EDGE_ENABLE: u32 = 0x04;
pub(super) const CACHE_CONTROL: u32 = 0x0c;
const CPU_CLOCK: u32 = 0x14;
const EFUSE: u32 = 0x50;

/// CACHE_FLASH_CTRL: the window is shown; it shows the upper half of two megabytes; which two megabytes.
pub(super) const CACHE_ON: u32 = 1 << 8;
pub(super) const CACHE_ODD: u32 = 1 << 25;
pub(super) const CACHE_MEGABYTES_SHIFT: u32 = 16;
/// The cache is idle, and SPI is not busy.
const CACHE_READY: u32 = 1 << 0;
const CACHE_BUSY: u32 = 1 << 9;

/// The window that shows the flash.
const WINDOW: u32 = 0x4020_0000;
const WINDOW_BYTES: u32 = 0x10_0000;

/// WDEV: random numbers.
const RANDOM: u32 = 0xe44;

/// Interrupt inputs of the core.
const WMAC_INPUT: u32 = 0;
const GPIO_INPUT: u32 = 4;
const UART_INPUT: u32 = 5;
const WDT_INPUT: u32 = 8;
const FRC1_INPUT: u32 = 9;
const FRC2_INPUT: u32 = 10;
const NMI_INPUT: u32 = 14;

/// NMI_SOURCE: on, and FRC1, by the number that the SDK's own handler writes. No other source is known of.
const NMI_ON: u32 = 1 << 0;
const NMI_FROM: u32 = 0b111 << 1;
const NMI_FROM_FRC1: u32 = 7 << 1;

/// Ticks of a cycle at 80 MHz.
const TICKS_PER_CYCLE: u64 = 2;

/// The devices that have registers, interrupts and a time of their own.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Devices {
    pub uart0: Uart,
    pub uart1: Uart,
    pub gpio: Gpio,
    pub timers: Timers,
    pub rtc: Rtc,
    pub sar: Sar,
    pub watchdog: Watchdog,
    pub wifi_mac: WifiMac,
}

impl Devices {
    fn new() -> Self {
        Self {
            uart0: Uart::new(),
            uart1: Uart::new(),
            gpio: Gpio::new(),
            timers: Timers::new(),
            rtc: Rtc::new(ResetCause::PowerOn),
            sar: Sar::default(),
            watchdog: Watchdog::new(),
            wifi_mac: WifiMac::default(),
        }
    }

    fn get(&mut self, name: DeviceName) -> Option<&mut dyn Device> {
        Some(match name {
            DeviceName::Uart0 => &mut self.uart0,
            DeviceName::Uart1 => &mut self.uart1,
            DeviceName::Gpio => &mut self.gpio,
            DeviceName::Timers => &mut self.timers,
            DeviceName::Rtc => &mut self.rtc,
            DeviceName::Sar => &mut self.sar,
            DeviceName::Watchdog => &mut self.watchdog,
            DeviceName::WifiMac => &mut self.wifi_mac,
            _ => return None,
        })
    }
}

/// What the model keeps of each row of the map.
#[derive(Clone, Serialize, Deserialize)]
struct Slot {
    registers: RegisterFile,
    /// Whether the row's device asserts its interrupt.
    asserted: bool,
    /// When the device may change of itself.
    due: Ticks,
}

/// The first access of its kind to a register that the model does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Touch {
    pub address: u32,
    /// What was written; `None` for a read.
    pub written: Option<u32>,
}

/// Everything round the core.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Soc {
    pub devices: Devices,
    pub flash: Flash,
    pub flash_part: FlashPart,
    pub clock: CpuClock,
    /// What ROM functions have written to the analogue part, by block and register.
    pub analog: BTreeMap<(u8, u8), u8>,
    /// Accesses that the model does not know, first of their kind, not yet reported.
    pub touches: Vec<Touch>,
    /// Registers that are polled without end, not yet reported.
    pub polled: Vec<(Poll, Modelled)>,
    /// When the present run of the core is to end: whatever its owner must see before that ends it earlier.
    pub run_limit: Ticks,
    slots: Vec<Slot>,
    due: Ticks,
    random: Random,
    fuses: [u32; 4],
    known_touches: BTreeSet<(u32, bool)>,
    polls: Polls,
    /// FRC1 has asked for the NMI while it was off.
    nmi_waits: bool,
    stop: bool,
}

/// Devices whose next event the chip's owner has to see.
const OWNER_DEVICES: [DeviceName; 3] = [DeviceName::Uart0, DeviceName::Uart1, DeviceName::Watchdog];

impl Soc {
    /// A chip at power-on, with an erased flash of whole pages. Its address ends with `address_end`.
    pub fn new(seed: u64, address_end: [u8; 3], flash_bytes: u32, memory: &mut Memory) -> Self {
        let mut flash = Flash::new(flash_bytes);
        flash.reserve(memory, 0, flash_bytes.div_ceil(PAGE_BYTES));
        let slots = MAP.iter().map(|row| Slot { registers: fresh_registers(row), asserted: false, due: NEVER });
        Self {
            devices: Devices::new(),
            flash,
            flash_part: FlashPart::default(),
            clock: CpuClock::new(TICKS_PER_CYCLE),
            analog: BTreeMap::new(),
            touches: Vec::new(),
            polled: Vec::new(),
            run_limit: NEVER,
            slots: slots.collect(),
            due: NEVER,
            random: Random::new(seed),
            fuses: efuse::words(address_end),
            known_touches: BTreeSet::new(),
            polls: Polls::new(TICKS_HZ),
            nmi_waits: false,
            stop: false,
        }
    }

    /// Resets what `cause` resets and leaves the rest.
    pub fn reset(&mut self, cause: ResetCause, cycle: u64, memory: &mut Memory) {
        let now = self.clock.ticks(cycle);
        self.settle(now);
        self.polls.note_activity(now);
        for (slot, row) in self.slots.iter_mut().zip(MAP) {
            let is_kept = matches!(row.device, DeviceName::Rtc | DeviceName::RtcMemory) && !cause.clears_rtc();
            if !is_kept {
                slot.registers.reset();
            }
        }
        self.devices.uart0.line.reset();
        self.devices.uart1.line.reset();
        self.devices.timers = Timers::new();
        self.devices.rtc = Rtc::new(cause);
        self.devices.watchdog = Watchdog::new();
        self.devices.wifi_mac.reset();
        self.nmi_waits = false;
        self.analog.clear();
        self.clock_may_have_changed(cycle);
        self.show_flash(memory);
        (0..MAP.len()).for_each(|index| self.refresh(index, now));
    }

    /// Gives a state that comes from elsewhere what belongs to this program and not to it.
    ///
    /// # Errors
    ///
    /// What of it this chip does not have.
    pub fn adopt(&mut self, memory_stores: usize) -> Result<(), SnapshotError> {
        let damaged = SnapshotError::Damaged;
        if self.slots.len() != MAP.len() {
            return Err(damaged(format!("{} rows of a map, and the chip's has {}", self.slots.len(), MAP.len())));
        }
        for (slot, row) in self.slots.iter_mut().zip(MAP) {
            let attached = slot.registers.attach(&fresh_registers(row));
            attached.map_err(|why| damaged(format!("{}: {why}", row.name)))?;
        }
        if !self.flash.lies_in(memory_stores) || self.flash.size_bytes() == 0 || self.clock.ticks_per_cycle() == 0 {
            return Err(damaged("a flash that lies nowhere, or a clock that stands".to_owned()));
        }
        Ok(())
    }

    /// The registers of a device.
    pub fn registers(&mut self, name: DeviceName) -> &mut RegisterFile {
        &mut self.slots[row_of_device(name)].registers
    }

    /// Bytes that the registers take on the host.
    pub fn footprint_bytes(&self) -> usize {
        self.slots.iter().map(|slot| slot.registers.footprint_bytes()).sum()
    }

    /// The flash and the memory that it lies in.
    pub fn flash_access<'a>(&'a mut self, memory: &'a mut Memory) -> FlashAccess<'a> {
        FlashAccess { flash: &mut self.flash, memory }
    }

    /// A device together with its registers; its interrupts and times are looked at again afterwards.
    pub fn with_device<T>(
        &mut self,
        name: DeviceName,
        now: Ticks,
        act: impl FnOnce(&mut Devices, &mut RegisterFile) -> T,
    ) -> T {
        let index = row_of_device(name);
        let result = act(&mut self.devices, &mut self.slots[index].registers);
        self.refresh(index, now);
        result
    }

    /// Lets everything happen that happens of itself until `now`.
    pub fn settle(&mut self, now: Ticks) {
        if now < self.due {
            return;
        }
        for (index, row) in MAP.iter().enumerate() {
            if self.slots[index].due <= now {
                if let Some(device) = self.devices.get(row.device) {
                    device.advance(&mut self.slots[index].registers, now);
                }
                self.refresh(index, now);
            }
        }
    }

    /// When something will happen that the chip's owner must see.
    pub fn owner_due(&self) -> Ticks {
        let due = OWNER_DEVICES.iter().map(|name| self.slots[row_of_device(*name)].due).min().unwrap_or(NEVER);
        due.min(self.devices.wifi_mac.due())
    }

    /// Lets the radio do what it does of itself until `now`: it writes to memory, which only the chip's owner can lend.
    pub fn settle_radio(&mut self, memory: &mut Memory, now: Ticks) {
        if self.devices.wifi_mac.due() <= now {
            let index = row_of_device(DeviceName::WifiMac);
            self.devices.wifi_mac.advance_with_memory(&mut self.slots[index].registers, memory, now);
            self.refresh(index, now);
        }
    }

    /// The end of light sleep: clocks that stood still since it began go on.
    pub fn wake(&mut self, since: Ticks, now: Ticks) {
        let slept = now.saturating_sub(since);
        self.devices.rtc.wake();
        self.devices.timers.have_stood_still(slept);
        self.devices.watchdog.has_stood_still(slept);
        self.devices.wifi_mac.has_stood_still(slept, now);
        self.polls.note_activity(now);
        for name in [DeviceName::Timers, DeviceName::Watchdog, DeviceName::WifiMac] {
            self.refresh(row_of_device(name), now);
        }
    }

    /// Whether a pin ends light sleep.
    pub fn pin_wakes(&mut self) -> bool {
        self.devices.gpio.wakes(&self.slots[row_of_device(DeviceName::Gpio)].registers)
    }

    /// The reset that somebody has asked for.
    pub fn take_requested_reset(&mut self) -> Option<ResetCause> {
        let Devices { rtc, watchdog, .. } = &mut self.devices;
        watchdog.requested_reset.take().or(rtc.requested_reset.take())
    }

    /// When something happens next of itself.
    pub fn next_event(&self) -> Ticks {
        self.due
    }

    /// Whether something has happened that the chip's owner must see before the core runs on.
    pub fn wants_to_stop(&self) -> bool {
        self.stop
    }

    /// A number that nobody can foretell who does not know the seed.
    pub fn random_word(&mut self) -> u32 {
        self.random.next_word()
    }

    /// Shows the megabyte of the flash that DPORT chooses, if it shows any; a flash of half a megabyte is shown twice.
    pub fn show_flash(&mut self, memory: &mut Memory) {
        let unmapped = memory.unmap(WINDOW, WINDOW_BYTES);
        debug_assert!(unmapped.is_ok(), "the window has whole pages");
        let control = self.registers(DeviceName::Dport).get(CACHE_CONTROL);
        if control & CACHE_ON == 0 {
            return;
        }
        let odd = u32::from(control & CACHE_ODD != 0);
        let megabyte = 2 * (control >> CACHE_MEGABYTES_SHIFT & 7) + odd;
        let size = self.flash.size_bytes();
        let mut shown = 0;
        while shown < WINDOW_BYTES {
            let at = (megabyte * WINDOW_BYTES + shown) % size;
            let length = (WINDOW_BYTES - shown).min(size - at);
            let Some((store, offset)) = self.flash.page(memory, at / PAGE_BYTES) else { return };
            let (address, access) = (WINDOW + shown, Access::READ_EXECUTE);
            let mapped = memory.map(Window { address, length, store, offset, access });
            debug_assert!(mapped.is_ok(), "the flash lies in one stretch");
            shown += length;
        }
    }

    /// Looks again at what a device asserts and when it changes next.
    fn refresh(&mut self, index: usize, now: Ticks) {
        let slot = &mut self.slots[index];
        let Some(device) = self.devices.get(MAP[index].device) else { return };
        slot.asserted = device.interrupts(&slot.registers, now) != 0;
        let due = device.next_event(&slot.registers);
        if due != slot.due {
            slot.due = due;
            if due < self.run_limit && OWNER_DEVICES.contains(&MAP[index].device) {
                self.stop = true;
            }
            self.due = self.slots.iter().map(|slot| slot.due).min().unwrap_or(NEVER);
        }
    }

    fn clock_may_have_changed(&mut self, cycle: u64) {
        let is_fast = self.registers(DeviceName::Dport).get(CPU_CLOCK) & 1 != 0;
        let ticks_per_cycle = if is_fast { TICKS_PER_CYCLE / 2 } else { TICKS_PER_CYCLE };
        if ticks_per_cycle != self.clock.ticks_per_cycle() {
            self.clock.change(cycle, ticks_per_cycle);
            self.stop = true;
        }
    }

    fn note(&mut self, address: u32, written: Option<u32>) {
        if self.known_touches.insert((address, written.is_some())) {
            self.touches.push(Touch { address, written });
            self.stop = true;
        }
    }

    fn answer(&mut self, index: usize, offset: u32, now: Ticks) -> Read {
        let row = &MAP[index];
        let slot = &mut self.slots[index];
        match row.device {
            DeviceName::FlashController => self.flash_part.read(offset),
            // CMD.
            DeviceName::UserSpi if offset == 0 => Read::Value(0),
            DeviceName::Dport => match offset {
                CACHE_CONTROL => Read::Value(slot.registers.get(offset) & !CACHE_BUSY | CACHE_READY),
                EFUSE..=0x5c => Read::Value(self.fuses[((offset - EFUSE) / 4) as usize]),
                _ => Read::Stored,
            },
            DeviceName::WifiMac if offset == RANDOM => Read::Value(self.random.next_word()),
            name => match self.devices.get(name) {
                Some(device) => device.read(offset, &slot.registers, now),
                None if row.modelled == Modelled::Storage => Read::Stored,
                None => Read::Unmodelled,
            },
        }
    }

    fn load_word(&mut self, address: u32, now: Ticks) -> u32 {
        let Some(index) = row_of(address) else {
            self.note(address, None);
            self.watch_polls(address, 0, Modelled::Unmodelled, now);
            return 0;
        };
        let offset = address - MAP[index].base;
        let answer = self.answer(index, offset, now);
        self.refresh(index, now);
        let (value, modelled) = match answer {
            Read::Value(value) => (value, Modelled::Behaviour),
            Read::Time(value) => return value,
            Read::Stored => (self.slots[index].registers.get(offset), Modelled::Storage),
            Read::Unmodelled => {
                self.note(address, None);
                (self.slots[index].registers.get(offset), Modelled::Unmodelled)
            }
        };
        self.watch_polls(address, value, modelled, now);
        value
    }

    fn watch_polls(&mut self, address: u32, value: u32, modelled: Modelled, now: Ticks) {
        if let Some(poll) = self.polls.note_read(address, value, modelled == Modelled::Behaviour, now) {
            self.polled.push((poll, modelled));
            self.stop = true;
        }
    }

    /// What the register at `address` would read, without the effects of reading it; `None` where there is none.
    pub fn peek(&self, address: u32, now: Ticks) -> Option<u32> {
        let index = row_of(address).filter(|index| MAP[*index].modelled != Modelled::Memory)?;
        let (row, registers) = (&MAP[index], &self.slots[index].registers);
        let offset = (address - row.base) & !3;
        // Whatever reading does to a device is done to a copy.
        let answer = match row.device {
            DeviceName::FlashController => self.flash_part.read(offset),
            DeviceName::Dport if (EFUSE..=0x5c).contains(&offset) => {
                Read::Value(self.fuses[((offset - EFUSE) / 4) as usize])
            }
            name => self.devices.clone().get(name).map_or(Read::Stored, |device| device.read(offset, registers, now)),
        };
        Some(if let Read::Value(value) | Read::Time(value) = answer { value } else { registers.get(offset) })
    }

    fn store_word(&mut self, memory: &mut Memory, address: u32, value: u32, cycle: u64) {
        let now = self.clock.ticks(cycle);
        self.polls.note_write(address, now);
        let Some(index) = row_of(address) else {
            self.note(address, Some(value));
            return;
        };
        let row = &MAP[index];
        let offset = address - row.base;
        let registers = &mut self.slots[index].registers;
        let answer = match row.device {
            DeviceName::FlashController => {
                let mut access = FlashAccess { flash: &mut self.flash, memory };
                self.flash_part.write(offset, value, registers, &mut access, now)
            }
            DeviceName::Dport => {
                registers.set(offset, value);
                match offset {
                    CACHE_CONTROL => self.show_flash(memory),
                    CPU_CLOCK => self.clock_may_have_changed(cycle),
                    _ => {}
                }
                Write::Done
            }
            DeviceName::WifiMac => self.devices.wifi_mac.write_with_memory(offset, value, registers, memory, now),
            name => match self.devices.get(name) {
                Some(device) => device.write(offset, value, registers, now),
                None if row.modelled == Modelled::Storage => Write::Stored,
                None => Write::Unmodelled,
            },
        };
        match answer {
            Write::Done => {}
            Write::Stored => self.slots[index].registers.set(offset, value),
            Write::Unmodelled => {
                self.slots[index].registers.set(offset, value);
                self.note(address, Some(value));
            }
        }
        self.refresh(index, now);
        let radio = &self.devices.wifi_mac;
        let radio_stops =
            row.device == DeviceName::WifiMac && (radio.due() < self.run_limit || !radio.antenna.output.is_empty());
        let Devices { rtc, watchdog, .. } = &self.devices;
        let resets = rtc.requested_reset.or(watchdog.requested_reset).is_some() || rtc.sleep.is_some();
        if resets || radio_stops {
            self.stop = true;
        }
    }

    /// The edges that have risen since they were last asked for, as far as DPORT lets them through.
    fn take_edges(&mut self) -> u32 {
        let dport = self.registers(DeviceName::Dport);
        let (enabled, nmi) = (dport.get(EDGE_ENABLE), dport.get(NMI_SOURCE));
        let timers = std::mem::take(&mut self.devices.timers.edges);
        let watchdog = std::mem::take(&mut self.devices.watchdog.edge);
        let mut edges = 0;
        for (bit, has_risen, input) in [
            (0, watchdog, WDT_INPUT),
            (1, timers & FRC1_EDGE != 0, FRC1_INPUT),
            (2, timers & FRC2_EDGE != 0, FRC2_INPUT),
        ] {
            if has_risen && enabled >> bit & 1 != 0 {
                edges |= 1 << input;
            }
        }
        self.nmi_waits = nmi & NMI_FROM == NMI_FROM_FRC1 && (self.nmi_waits || timers & FRC1_EDGE != 0);
        if nmi & NMI_ON != 0 && std::mem::take(&mut self.nmi_waits) {
            edges |= 1 << NMI_INPUT;
        }
        edges
    }
}

/// The registers of a row at their reset values: what is not described is written to and read back all the same.
fn fresh_registers(row: &Row) -> RegisterFile {
    let size = if row.modelled == Modelled::Memory { 0 } else { row.size };
    RegisterFile::whole(peripheral(row.name), size)
}

impl Bus for Soc {
    fn load(&mut self, _memory: &mut Memory, address: u32, width: Width, cycle: u64) -> Result<u32, BusFault> {
        if !is_register(address) {
            return Err(BusFault);
        }
        let now = self.clock.ticks(cycle);
        let shifted = self.load_word(address & !3, now) >> (8 * (address & 3));
        Ok(match width {
            Width::Byte => shifted & 0xff,
            Width::Half => shifted & 0xffff,
            Width::Word => shifted,
        })
    }

    fn store(
        &mut self,
        memory: &mut Memory,
        address: u32,
        width: Width,
        value: u32,
        cycle: u64,
    ) -> Result<(), BusFault> {
        if !is_register(address) {
            return Err(BusFault);
        }
        let shift = 8 * (address & 3);
        let mask = match width {
            Width::Byte => 0xff,
            Width::Half => 0xffff,
            Width::Word => u32::MAX,
        };
        let kept = row_of(address).map_or(0, |n| self.slots[n].registers.get((address & !3) - MAP[n].base));
        let word = if width == Width::Word { value } else { kept & !(mask << shift) | (value & mask) << shift };
        self.store_word(memory, address & !3, word, cycle);
        Ok(())
    }

    fn interrupts(&mut self, cycle: u64) -> InterruptLines {
        let now = self.clock.ticks(cycle);
        self.settle(now);
        let asserted = |name: DeviceName| self.slots[row_of_device(name)].asserted;
        let uarts = asserted(DeviceName::Uart0) || asserted(DeviceName::Uart1);
        let levels = u32::from(asserted(DeviceName::WifiMac)) << WMAC_INPUT
            | u32::from(asserted(DeviceName::Gpio)) << GPIO_INPUT
            | u32::from(uarts) << UART_INPUT;
        InterruptLines { levels, edges: self.take_edges() }
    }

    fn next_event_cycle(&mut self, _cycle: u64) -> u64 {
        self.clock.cycle(self.due)
    }

    fn stop_requested(&mut self) -> bool {
        std::mem::take(&mut self.stop)
    }
}
