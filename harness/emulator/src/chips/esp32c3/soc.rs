//! Everything round the hart: dispatches loads and stores by the map, and keeps the devices' time.

use serde::{Deserialize, Serialize};

use std::collections::BTreeSet;

use crate::cores::riscv::{Bus, BusFault, Width};
use crate::machine::memory::{Access, Memory, Window};

use super::map::{DeviceName, MAP, REGISTERS, Row, row_of, row_of_device};
use super::registers::peripheral;
use super::rom::Inflaters;
use super::source;
use crate::devices::espressif::aes::Aes;
use crate::devices::espressif::analog_i2c::{AnalogBus, AnalogI2c};
use crate::devices::espressif::assist_debug::AssistDebug;
use crate::devices::espressif::cache::{self, Cache};
use crate::devices::espressif::efuse::{Efuse, Revision};
use crate::devices::espressif::flash_controller::FlashController;
use crate::devices::espressif::gdma::{Gdma, Peripheral};
use crate::devices::espressif::gpio::Gpio;
use crate::devices::espressif::hmac::Hmac;
use crate::devices::espressif::interrupt_matrix::InterruptMatrix;
use crate::devices::espressif::reset::ResetCause;
use crate::devices::espressif::rsa::Rsa;
use crate::devices::espressif::rtc::Rtc;
use crate::devices::espressif::sar_adc::SarAdc;
use crate::devices::espressif::sha::Sha;
use crate::devices::espressif::system::System;
use crate::devices::espressif::system_timer::SystemTimer;
use crate::devices::espressif::time::TICKS_HZ;
use crate::devices::espressif::timer_group::TimerGroup;
use crate::devices::espressif::uart::Uart;
use crate::devices::espressif::usb_serial_jtag::UsbSerialJtag;
use crate::devices::espressif::wifi::front_end::FrontEnd;
use crate::devices::espressif::wifi::mac::WifiMac;
use crate::devices::espressif::wifi::power::WifiPower;
use crate::devices::espressif::xts_aes::XtsAes;
use crate::machine::device::{Device, Read, Write};
use crate::machine::flash::{Flash, PAGE_BYTES};
use crate::machine::map::Modelled;
use crate::machine::polls::{Poll, Polls};
use crate::machine::random::Random;
use crate::machine::registers::RegisterFile;
use crate::machine::snapshot::SnapshotError;
use crate::machine::time::{CpuClock, NEVER, Ticks};

/// Offset of the random number register in APB_CTRL.
const RANDOM: u32 = 0xb0;

/// User mode's status, of the extension for user-mode interrupts. The ROM's start-up code writes zeros and ones.
const CSR_USTATUS: u16 = 0x000;
/// The performance counter that counts cycles: event mask, mode and count (technical reference manual, chapter
/// "ESP-RISC-V CPU", section "Performance Counter").
const CSR_MPCER: u16 = 0x7e0;
const CSR_MPCMR: u16 = 0x7e1;
const CSR_MPCCR: u16 = 0x7e2;
/// The same for user mode.
const CSR_UPCER: u16 = 0x800;
const CSR_UPCMR: u16 = 0x801;
const CSR_UPCCR: u16 = 0x802;
/// GPIO driven by the CPU.
const CSR_CPU_GPIO_OEN: u16 = 0x803;
const CSR_CPU_GPIO_OUT: u16 = 0x805;

/// The devices that have registers, interrupts and a time of their own.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Devices {
    pub uart0: Uart,
    pub uart1: Uart,
    pub usb: UsbSerialJtag,
    pub gpio: Gpio,
    pub rtc: Rtc,
    pub efuse: Efuse,
    pub analog_bus: AnalogBus,
    pub analog_i2c: AnalogI2c,
    pub timer_groups: [TimerGroup; 2],
    pub system_timer: SystemTimer,
    pub system: System,
    pub cache: Cache,
    pub aes: Aes,
    pub sha: Sha,
    pub rsa: Rsa,
    pub sar_adc: SarAdc,
    pub gdma: Gdma,
    pub hmac: Hmac,
    pub assist_debug: AssistDebug,
    pub xts_aes: XtsAes,
    pub front_end: FrontEnd,
    pub wifi_mac: WifiMac,
    pub wifi_power: WifiPower,
}

impl Devices {
    fn new(seed: u64, revision: Revision, mac: [u8; 6]) -> Self {
        Self {
            uart0: Uart::new(),
            uart1: Uart::new(),
            usb: UsbSerialJtag::new(),
            gpio: Gpio::new(),
            rtc: Rtc::new(ResetCause::PowerOn),
            efuse: Efuse::new(revision, mac),
            analog_bus: AnalogBus::default(),
            analog_i2c: AnalogI2c,
            timer_groups: [TimerGroup::new(0), TimerGroup::new(1)],
            system_timer: SystemTimer::new(0),
            system: System,
            cache: Cache,
            aes: Aes::default(),
            sha: Sha::default(),
            rsa: Rsa::new(),
            sar_adc: SarAdc::new(),
            gdma: Gdma::default(),
            hmac: Hmac::default(),
            assist_debug: AssistDebug::default(),
            xts_aes: XtsAes::default(),
            front_end: FrontEnd,
            wifi_mac: WifiMac::default(),
            wifi_power: WifiPower::new(seed),
        }
    }

    fn get(&mut self, name: DeviceName) -> Option<&mut dyn Device> {
        Some(match name {
            DeviceName::Uart0 => &mut self.uart0,
            DeviceName::Uart1 => &mut self.uart1,
            DeviceName::UsbSerialJtag => &mut self.usb,
            DeviceName::Gpio => &mut self.gpio,
            DeviceName::Rtc => &mut self.rtc,
            DeviceName::Efuse => &mut self.efuse,
            DeviceName::AnalogBus => &mut self.analog_bus,
            DeviceName::AnalogI2c => &mut self.analog_i2c,
            DeviceName::TimerGroup0 => &mut self.timer_groups[0],
            DeviceName::TimerGroup1 => &mut self.timer_groups[1],
            DeviceName::SystemTimer => &mut self.system_timer,
            DeviceName::System => &mut self.system,
            DeviceName::Cache => &mut self.cache,
            DeviceName::Aes => &mut self.aes,
            DeviceName::Sha => &mut self.sha,
            DeviceName::Rsa => &mut self.rsa,
            DeviceName::AssistDebug => &mut self.assist_debug,
            DeviceName::XtsAes => &mut self.xts_aes,
            DeviceName::FrontEnd => &mut self.front_end,
            DeviceName::WifiMac => &mut self.wifi_mac,
            DeviceName::WifiPower => &mut self.wifi_power,
            _ => return None,
        })
    }
}

/// What the model keeps of each row of the map.
#[derive(Clone, Serialize, Deserialize)]
struct Slot {
    registers: RegisterFile,
    /// The interrupt source of the row's device's first interrupt.
    first_source: u32,
    /// The interrupt sources that the row's device asserts.
    sources: u64,
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

/// Everything round the hart.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Soc {
    pub devices: Devices,
    pub flash: Flash,
    pub clock: CpuClock,
    pub matrix: InterruptMatrix,
    /// What the ROM is decompressing.
    pub inflaters: Inflaters,
    /// Accesses that the model does not know, first of their kind, not yet reported.
    pub touches: Vec<Touch>,
    /// Registers that are polled without end, not yet reported.
    pub polled: Vec<(Poll, Modelled)>,
    /// When the present run of the hart is to end: whatever its owner must see before that ends it earlier.
    pub run_limit: Ticks,
    slots: Vec<Slot>,
    due: Ticks,
    due_cycle: u64,
    /// A device asserts other sources, or is due at another time, than when the totals were last worked out.
    totals_are_stale: bool,
    flash_controller: FlashController,
    random: Random,
    performance_counter_base: [u32; 2],
    performance_counter_csrs: [u32; 4],
    known_touches: BTreeSet<(u32, bool)>,
    polls: Polls,
    stop: bool,
}

impl Soc {
    /// A chip at power-on.
    pub fn new(seed: u64, revision: Revision, mac: [u8; 6], flash_size_bytes: u32) -> Self {
        let slots = MAP
            .iter()
            .map(|row| Slot {
                registers: fresh_registers(row),
                first_source: source::first_of(row.device),
                sources: 0,
                due: NEVER,
            })
            .collect();
        let mut soc = Self {
            devices: Devices::new(seed, revision, mac),
            flash: Flash::new(flash_size_bytes),
            clock: CpuClock::new(8),
            matrix: InterruptMatrix::default(),
            inflaters: Inflaters::new(),
            touches: Vec::new(),
            polled: Vec::new(),
            polls: Polls::new(TICKS_HZ),
            run_limit: NEVER,
            slots,
            due: NEVER,
            due_cycle: u64::MAX,
            totals_are_stale: true,
            flash_controller: FlashController::new(mac),
            random: Random::new(seed),
            performance_counter_base: [0; 2],
            performance_counter_csrs: [0; 4],
            known_touches: BTreeSet::new(),
            stop: false,
        };
        soc.show_fuses();
        soc.registers(DeviceName::MmuTable).fill(cache::INVALID);
        soc
    }

    fn show_fuses(&mut self) {
        self.devices.efuse.show(&mut self.slots[row_of_device(DeviceName::Efuse)].registers);
    }

    /// Resets what `cause` resets and leaves the rest. The CPU stood at `pc`, with its stack pointer at `sp`.
    pub fn reset(&mut self, cause: ResetCause, cycle: u64, pc: u32, sp: u32) {
        let now = self.clock.ticks(cycle);
        self.settle(now);
        self.polls.note_activity(now);
        self.performance_counter_base = [cycle as u32; 2];
        self.performance_counter_csrs = [0; 4];
        let assist = &self.slots[row_of_device(DeviceName::AssistDebug)].registers;
        self.devices.assist_debug.note_reset(pc, sp, assist);
        if cause.is_cpu_only() {
            self.devices.rtc.note_cpu_reset(cause);
            self.devices.timer_groups.iter_mut().for_each(|group| group.warned_at = None);
            return;
        }
        for (index, row) in MAP.iter().enumerate() {
            let kept = match row.device {
                // What is stored in the RTC survives a reset of the digital core.
                DeviceName::Rtc => !cause.clears_rtc(),
                _ => false,
            };
            if !kept {
                self.slots[index].registers.reset();
            }
        }
        self.devices.uart0.reset();
        self.devices.uart1.reset();
        self.devices.usb.reset(now);
        self.devices.rtc = Rtc::new(cause);
        self.devices.timer_groups = [TimerGroup::new(0), TimerGroup::new(1)];
        self.devices.system_timer = SystemTimer::new(now);
        self.devices.analog_bus = AnalogBus::default();
        self.devices.gpio.reset();
        self.devices.rsa = Rsa::new();
        self.devices.sar_adc.reset();
        self.devices.aes = Aes::default();
        self.devices.sha = Sha::default();
        self.devices.gdma = Gdma::default();
        self.devices.hmac = Hmac::default();
        self.devices.xts_aes = XtsAes::default();
        self.show_fuses();
        self.devices.wifi_mac = WifiMac::default();
        self.devices.wifi_power.reset();
        self.matrix = InterruptMatrix::default();
        self.inflaters.clear();
        self.flash_controller.reset();
        self.registers(DeviceName::MmuTable).fill(cache::INVALID);
        self.clock_may_have_changed(cycle);
        self.refresh_all(now);
    }

    /// The state in which the second-stage bootloader hands over: PLL, RTC watchdog armed, flash boot watchdog off.
    pub fn become_booted(&mut self, cycle: u64) {
        let now = self.clock.ticks(cycle);
        System::run_from_pll(self.registers(DeviceName::System));
        self.clock_may_have_changed(cycle);
        for group in [DeviceName::TimerGroup0, DeviceName::TimerGroup1] {
            TimerGroup::disable_flash_boot_watchdog(self.registers(group));
        }
        let index = row_of_device(DeviceName::Rtc);
        self.devices.rtc.arm_as_bootloader_leaves_it(&mut self.slots[index].registers, now);
        // What the ROM's start-up code does: cycles are counted in user mode's counter, the threshold is 1.
        self.performance_counter_csrs = [0, 0, 1, 1];
        let matrix = row_of_device(DeviceName::InterruptMatrix);
        self.matrix.set_threshold(1, &mut self.slots[matrix].registers);
        Uart::open_console_of_rom(self.registers(DeviceName::Uart0));
        self.refresh_all(now);
    }

    /// Gives a state that comes from elsewhere what belongs to this program and not to it.
    ///
    /// # Errors
    ///
    /// What of it this chip does not have.
    pub fn adopt(&mut self, memory_stores: usize) -> Result<(), SnapshotError> {
        let damaged = |why: String| SnapshotError::Damaged(why);
        if self.slots.len() != MAP.len() {
            return Err(damaged(format!("{} rows of a map, and the chip's has {}", self.slots.len(), MAP.len())));
        }
        for (slot, row) in self.slots.iter_mut().zip(MAP) {
            let attached = slot.registers.attach(&fresh_registers(row));
            attached.map_err(|why| damaged(format!("{}: {why}", row.name)))?;
            slot.first_source = source::first_of(row.device);
        }
        if !self.flash.lies_in(memory_stores) || self.clock.ticks_per_cycle() == 0 {
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
        self.matrix_follows();
        result
    }

    /// Lets everything happen that happens of itself until `now`.
    pub fn settle(&mut self, now: Ticks) {
        if now < self.due {
            return;
        }
        for (index, row) in MAP.iter().enumerate() {
            if self.slots[index].due <= now {
                if row.device == DeviceName::SarAdc {
                    let Devices { sar_adc, analog_bus, .. } = &mut self.devices;
                    sar_adc.settle(analog_bus, now);
                } else if let Some(device) = self.devices.get(row.device) {
                    device.advance(&mut self.slots[index].registers, now);
                }
                self.refresh(index, now);
            }
        }
        self.matrix_follows();
    }

    /// When something will happen that the chip's owner must see: a byte leaves, a watchdog may bite.
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
            self.matrix_follows();
        }
    }

    /// The reset that somebody has asked for.
    pub fn take_requested_reset(&mut self) -> Option<ResetCause> {
        let [group0, group1] = &mut self.devices.timer_groups;
        let rtc = &mut self.devices.rtc;
        let requests = [&mut rtc.requested_reset, &mut group0.requested_reset, &mut group1.requested_reset];
        requests.into_iter().find_map(Option::take)
    }

    /// Whether the interrupt watchdog of ESP-IDF, that of timer group 1, has asked for its interrupt of late: the panic
    /// handler that it enters prints, and resets the chip by software. It notes why if `esp_reset_reason` is linked alone.
    pub fn interrupt_watchdog_panicked(&self, now: Ticks) -> bool {
        /// For longer than that no panic handler prints.
        const PRINTS_AT_MOST: Ticks = 2 * TICKS_HZ;
        let [_, group1] = &self.devices.timer_groups;
        group1.warned_at.is_some_and(|at| now.saturating_sub(at) <= PRINTS_AT_MOST)
    }

    /// Shows the flash page of MMU entry `entry` on both buses, or none.
    pub fn show_flash_page(&mut self, memory: &mut Memory, entry: u32) {
        let value = self.registers(DeviceName::MmuTable).get(4 * entry);
        let page = if value & cache::INVALID == 0 { self.flash.page(memory, value & 0xff) } else { None };
        for (base, access) in [(cache::DATA_BASE, Access::READ), (cache::INSTRUCTION_BASE, Access::READ_EXECUTE)] {
            let address = base + entry * PAGE_BYTES;
            let shown = match page {
                Some((store, offset)) => memory.map(Window { address, length: PAGE_BYTES, store, offset, access }),
                None => memory.unmap(address, PAGE_BYTES),
            };
            debug_assert!(shown.is_ok(), "pages are aligned");
        }
    }

    /// Shows flash pages at entries of the MMU table, and nothing at the others.
    pub fn show_flash_pages(&mut self, memory: &mut Memory, pages: &[(u32, u32)]) {
        self.registers(DeviceName::MmuTable).fill(cache::INVALID);
        for base in [cache::DATA_BASE, cache::INSTRUCTION_BASE] {
            let unmapped = memory.unmap(base, cache::ENTRIES * PAGE_BYTES);
            debug_assert!(unmapped.is_ok(), "pages are aligned");
        }
        for (entry, page) in pages {
            self.registers(DeviceName::MmuTable).set(4 * entry, *page);
            self.show_flash_page(memory, *entry);
        }
    }

    /// Shows flash pages 1 to `pages` at MMU entries from 0 on, as one stretch, as they were written.
    pub fn show_flash_run(&mut self, memory: &mut Memory, pages: u32) {
        let entries = pages.saturating_sub(1).min(cache::ENTRIES);
        for entry in 0..entries {
            self.registers(DeviceName::MmuTable).set(4 * entry, entry + 1);
        }
        let first = self.flash.page(memory, 1);
        let length = cache::ENTRIES * PAGE_BYTES;
        for (base, access) in [(cache::DATA_BASE, Access::READ), (cache::INSTRUCTION_BASE, Access::READ_EXECUTE)] {
            let _ = memory.unmap(base, length);
            if let Some((store, offset)) = first.filter(|_| entries > 0) {
                let window = Window { address: base, length: entries * PAGE_BYTES, store, offset, access };
                if memory.map(window).is_err() {
                    // The pages do not lie together: one by one.
                    for entry in 0..entries {
                        self.show_flash_page(memory, entry);
                    }
                }
            }
        }
    }

    /// When something happens next of itself.
    pub fn next_event(&self) -> Ticks {
        self.due
    }

    /// Whether something has happened that the chip's owner must see before the hart runs on.
    pub fn wants_to_stop(&self) -> bool {
        self.stop
    }

    fn refresh_all(&mut self, now: Ticks) {
        for index in 0..MAP.len() {
            self.refresh(index, now);
        }
        self.matrix_follows();
    }

    /// Looks again at what a device asserts and when it changes next.
    fn refresh(&mut self, index: usize, now: Ticks) {
        let slot = &mut self.slots[index];
        let (interrupts, due) = match MAP[index].device {
            DeviceName::SarAdc => (self.devices.sar_adc.interrupts(&slot.registers), self.devices.sar_adc.next_event()),
            DeviceName::Gdma => (self.devices.gdma.interrupts(&slot.registers), NEVER),
            name => match self.devices.get(name) {
                Some(device) => (device.interrupts(&slot.registers, now), device.next_event(&slot.registers)),
                None => return,
            },
        };
        let sources = interrupts << slot.first_source;
        if (sources, due) != (slot.sources, slot.due) {
            (slot.sources, slot.due) = (sources, due);
            self.totals_are_stale = true;
            if due < self.run_limit && OWNER_DEVICES.contains(&MAP[index].device) {
                self.stop = true;
            }
        }
    }

    /// Tells the interrupt matrix what all devices assert, and works out when the next of them changes.
    fn matrix_follows(&mut self) {
        if !std::mem::take(&mut self.totals_are_stale) {
            return;
        }
        let (mut sources, mut due) = (0, NEVER);
        for slot in &self.slots {
            sources |= slot.sources;
            due = due.min(slot.due);
        }
        self.due = due;
        self.due_cycle = self.clock.cycle(due);
        self.matrix.assert_sources(sources);
    }

    fn clock_may_have_changed(&mut self, cycle: u64) {
        let ticks_per_cycle = System::ticks_per_cpu_cycle(self.registers(DeviceName::System));
        if ticks_per_cycle != self.clock.ticks_per_cycle() {
            self.clock.change(cycle, ticks_per_cycle);
            self.due_cycle = self.clock.cycle(self.due);
            self.stop = true;
        }
    }

    fn note(&mut self, address: u32, written: Option<u32>) {
        if self.known_touches.insert((address, written.is_some())) {
            self.touches.push(Touch { address, written });
            self.stop = true;
        }
    }

    fn load_word(&mut self, address: u32, now: Ticks) -> u32 {
        let Some(index) = row_of(address) else {
            self.note(address, None);
            self.watch_polls(address, 0, Modelled::Unmodelled, now);
            return 0;
        };
        let row = &MAP[index];
        let offset = address - row.base;
        let slot = &mut self.slots[index];
        let answer = match row.device {
            DeviceName::InterruptMatrix => self.matrix.read(offset),
            DeviceName::FlashController => self.flash_controller.read(offset),
            DeviceName::ApbControl if offset == RANDOM => Read::Value(self.random.next_word()),
            DeviceName::ApbControl | DeviceName::MmuTable | DeviceName::IoMux => Read::Stored,
            DeviceName::Gdma => self.devices.gdma.read(offset, &slot.registers),
            DeviceName::Hmac => self.devices.hmac.read(offset),
            DeviceName::SarAdc => {
                let Devices { sar_adc, analog_bus, .. } = &mut self.devices;
                let answer = sar_adc.read(offset, &slot.registers, analog_bus, now);
                self.refresh(index, now);
                self.matrix_follows();
                answer
            }
            name => match self.devices.get(name) {
                Some(device) => {
                    let answer = device.read(offset, &slot.registers, now);
                    self.refresh(index, now);
                    self.matrix_follows();
                    answer
                }
                None if row.modelled == Modelled::Storage => Read::Stored,
                None => Read::Unmodelled,
            },
        };
        let value = match answer {
            Read::Value(value) => value,
            Read::Time(value) => return value,
            Read::Stored => self.slots[index].registers.get(offset),
            Read::Unmodelled => {
                self.note(address, None);
                self.slots[index].registers.get(offset)
            }
        };
        let modelled = match answer {
            Read::Value(_) | Read::Time(_) => Modelled::Behaviour,
            Read::Stored => Modelled::Storage,
            Read::Unmodelled => Modelled::Unmodelled,
        };
        self.watch_polls(address, value, modelled, now);
        value
    }

    /// AES is started on what DMA brings it; the result goes the way that DMA has for it.
    fn transform_by_dma(&mut self, index: usize, bytes: usize, memory: &mut Memory, now: Ticks) -> Write {
        let dma = row_of_device(DeviceName::Gdma);
        let text = self.devices.gdma.take(Peripheral::Aes, bytes, &mut self.slots[dma].registers, memory);
        let result = text.and_then(|text| self.devices.aes.transform(text, &mut self.slots[index].registers));
        let Some(result) = result else { return Write::Unmodelled };
        self.devices.gdma.put(Peripheral::Aes, &result, &mut self.slots[dma].registers, memory);
        self.devices.aes.note_done();
        self.refresh(dma, now);
        Write::Done
    }

    /// SHA is started on what DMA brings it.
    fn hash_by_dma(&mut self, index: usize, offset: u32, bytes: usize, memory: &mut Memory, now: Ticks) -> Write {
        let dma = row_of_device(DeviceName::Gdma);
        let Some(text) = self.devices.gdma.take(Peripheral::Sha, bytes, &mut self.slots[dma].registers, memory) else {
            return Write::Unmodelled;
        };
        let answer = self.devices.sha.hash(&text, offset, &mut self.slots[index].registers);
        self.refresh(dma, now);
        answer
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
        let answer = match row.device {
            DeviceName::InterruptMatrix => self.matrix.read(offset),
            DeviceName::FlashController => self.flash_controller.read(offset),
            DeviceName::Gdma => self.devices.gdma.read(offset, registers),
            DeviceName::Hmac => self.devices.hmac.read(offset),
            // Whatever reading does to a device is done to a copy.
            DeviceName::SarAdc => self.devices.sar_adc.clone().read(offset, registers, &self.devices.analog_bus, now),
            name => self.devices.clone().get(name).map_or(Read::Stored, |device| device.read(offset, registers, now)),
        };
        Some(if let Read::Value(value) | Read::Time(value) = answer { value } else { registers.get(offset) })
    }

    /// What the flash's status registers keep without power.
    pub fn kept_flash_status(&self) -> u32 {
        self.flash_controller.kept_status()
    }

    /// Sets what the flash's status registers have kept.
    pub fn set_kept_flash_status(&mut self, status: u32) {
        self.flash_controller.set_kept_status(status);
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
            DeviceName::InterruptMatrix => self.matrix.write(offset, value, registers),
            DeviceName::FlashController => {
                self.flash_controller.write(offset, value, registers, &mut self.flash, memory)
            }
            DeviceName::WifiMac => self.devices.wifi_mac.write_with_memory(offset, value, registers, memory, now),
            DeviceName::ApbControl => Write::Stored,
            DeviceName::IoMux => {
                registers.set(offset, value);
                self.with_device(DeviceName::Gpio, now, |devices, gpio| devices.gpio.pad_written(offset, value, gpio));
                Write::Done
            }
            DeviceName::Gdma => self.devices.gdma.write(offset, value, registers, memory),
            DeviceName::Hmac => {
                let Devices { hmac, efuse, .. } = &mut self.devices;
                hmac.write(offset, registers, efuse)
            }
            DeviceName::Aes => match self.devices.aes.wants(offset, value, registers) {
                Some(bytes) => self.transform_by_dma(index, bytes, memory, now),
                None => self.devices.aes.write(offset, value, registers, now),
            },
            DeviceName::Sha => match self.devices.sha.wants(offset, value, registers) {
                Some(bytes) => self.hash_by_dma(index, offset, bytes, memory, now),
                None => self.devices.sha.write(offset, value, registers, now),
            },
            DeviceName::SarAdc => {
                let Devices { sar_adc, analog_bus, .. } = &mut self.devices;
                sar_adc.write(offset, value, registers, analog_bus, now)
            }
            DeviceName::MmuTable => {
                registers.set(offset, value);
                if offset / 4 < cache::ENTRIES {
                    self.show_flash_page(memory, offset / 4);
                }
                Write::Done
            }
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
        self.matrix_follows();
        if row.device == DeviceName::System {
            self.clock_may_have_changed(cycle);
        }
        if row.device == DeviceName::AnalogI2c {
            self.devices.wifi_mac.antenna.channel = AnalogI2c::channel(&self.slots[index].registers);
        }
        let radio = &self.devices.wifi_mac;
        let radio_stops =
            row.device == DeviceName::WifiMac && (radio.due() < self.run_limit || !radio.antenna.output.is_empty());
        if self.devices.rtc.requested_reset.is_some() || radio_stops {
            self.stop = true;
        }
    }
}

/// Devices whose next event the chip's owner has to see.
const OWNER_DEVICES: [DeviceName; 6] = [
    DeviceName::Uart0,
    DeviceName::Uart1,
    DeviceName::UsbSerialJtag,
    DeviceName::Rtc,
    DeviceName::TimerGroup0,
    DeviceName::TimerGroup1,
];

/// Devices of the radio whose rows are longer than what the data sheet names.
const RADIO_DEVICES: [DeviceName; 2] = [DeviceName::FrontEnd, DeviceName::AnalogI2c];

/// The registers of a row at their reset values.
fn fresh_registers(row: &Row) -> RegisterFile {
    let size = if row.modelled == Modelled::Memory { 0 } else { row.size };
    // What the data sheet leaves out of a radio is written to and read back all the same.
    let is_whole = row.modelled == Modelled::Storage || RADIO_DEVICES.contains(&row.device);
    let registers = if is_whole { RegisterFile::whole } else { RegisterFile::new };
    registers(peripheral(row.name), size)
}

impl Bus for Soc {
    fn load(&mut self, _memory: &mut Memory, address: u32, width: Width, cycle: u64) -> Result<u32, BusFault> {
        if !REGISTERS.contains(&address) {
            return Err(BusFault);
        }
        let now = self.clock.ticks(cycle);
        let word = self.load_word(address & !3, now);
        let shifted = word >> (8 * (address & 3));
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
        if !REGISTERS.contains(&address) {
            return Err(BusFault);
        }
        let shift = 8 * (address & 3);
        let mask = match width {
            Width::Byte => 0xff,
            Width::Half => 0xffff,
            Width::Word => u32::MAX,
        };
        let word = if width == Width::Word {
            value
        } else {
            let kept = row_of(address).map_or(0, |n| self.slots[n].registers.get((address & !3) - MAP[n].base));
            kept & !(mask << shift) | (value & mask) << shift
        };
        self.store_word(memory, address & !3, word, cycle);
        Ok(())
    }

    fn csr_read(&mut self, csr: u16, cycle: u64) -> Option<u32> {
        Some(match csr {
            CSR_MPCCR => (cycle as u32).wrapping_sub(self.performance_counter_base[0]),
            CSR_UPCCR => (cycle as u32).wrapping_sub(self.performance_counter_base[1]),
            CSR_MPCER | CSR_MPCMR => self.performance_counter_csrs[usize::from(csr - CSR_MPCER)],
            CSR_UPCER | CSR_UPCMR => self.performance_counter_csrs[2 + usize::from(csr - CSR_UPCER)],
            CSR_USTATUS | CSR_CPU_GPIO_OEN..=CSR_CPU_GPIO_OUT => 0,
            _ => return None,
        })
    }

    fn csr_write(&mut self, csr: u16, value: u32, cycle: u64) -> bool {
        match csr {
            CSR_MPCCR => self.performance_counter_base[0] = (cycle as u32).wrapping_sub(value),
            CSR_UPCCR => self.performance_counter_base[1] = (cycle as u32).wrapping_sub(value),
            CSR_MPCER | CSR_MPCMR => self.performance_counter_csrs[usize::from(csr - CSR_MPCER)] = value,
            CSR_UPCER | CSR_UPCMR => self.performance_counter_csrs[2 + usize::from(csr - CSR_UPCER)] = value,
            CSR_USTATUS | CSR_CPU_GPIO_OEN..=CSR_CPU_GPIO_OUT => {}
            _ => return false,
        }
        true
    }

    fn interrupt(&mut self, cycle: u64) -> Option<u8> {
        let now = self.clock.ticks(cycle);
        self.settle(now);
        self.matrix.line()
    }

    fn next_event_cycle(&mut self, _cycle: u64) -> u64 {
        self.due_cycle
    }

    fn stop_requested(&mut self) -> bool {
        std::mem::take(&mut self.stop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever firmware writes wherever, the model goes on: no panic, and the interrupt controller can be asked.
    #[test]
    fn no_sequence_of_accesses_breaks_the_devices() {
        for seed in 0..40 {
            let mut random = Random::new(seed);
            let mut memory = Memory::new();
            let mut soc = Soc::new(seed, Revision { major: 0, minor: 4 }, [0; 6], 4 << 20);
            let mut cycle = 0;
            soc.become_booted(cycle);
            let rows: Vec<_> = MAP.iter().filter(|row| row.device != DeviceName::None).collect();
            for _ in 0..4_000 {
                let row = rows[random.next_word() as usize % rows.len()];
                // The first registers of a device do the most.
                let reach = if random.next_word().is_multiple_of(2) { 0x100 } else { row.size };
                let address = row.base + random.next_word() % reach.min(row.size);
                let width = [Width::Byte, Width::Half, Width::Word, Width::Word][random.next_word() as usize % 4];
                let address = address & !(width.bytes() - 1);
                let word = random.next_word();
                let value = match word % 4 {
                    0 => 0x50d8_3aa1,
                    1 => 1 << (word >> 27),
                    2 => u32::MAX,
                    _ => word,
                };
                if word & 0x100 == 0 {
                    assert!(soc.store(&mut memory, address, width, value, cycle).is_ok());
                } else {
                    assert!(soc.load(&mut memory, address, width, cycle).is_ok());
                }
                soc.take_requested_reset().into_iter().for_each(|cause| soc.reset(cause, cycle, 0, 0));
                cycle += u64::from(random.next_word() >> (12 + random.next_word() % 20));
                soc.interrupt(cycle);
                assert!(soc.next_event_cycle(cycle) > cycle, "an event that is due has happened");
            }
        }
    }
}
