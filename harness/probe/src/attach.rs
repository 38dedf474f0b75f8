//! Finding a probe and the chip behind it, and telling apart the ways in which that fails.

use bitvec::field::BitField as _;
use board::flasher::{FaultKind, ProbeEntry, ProbeFault};
use chip::UsbDevice;
use probe_rs::config::Registry;
use probe_rs::probe::list::{Accessibility, Lister};
use probe_rs::probe::{DebugProbeSelector, JtagAccess, Probe, WireProtocol};
use probe_rs::{Permissions, Session};

use crate::blame::{self, During};
#[cfg(unix)]
use crate::emulated;

/// JTAG instructions of the transport module (RISC-V External Debug Support 0.13.2, section 6.1.2).
const IDCODE: u32 = 0x01;
const DTMCS: u32 = 0x10;
const DMI: u32 = 0x11;

/// The probes that are plugged in.
pub fn list() -> Vec<ProbeEntry> {
    let found = Lister::new().list_all_with_access();
    found
        .into_iter()
        .map(|item| ProbeEntry {
            selector: DebugProbeSelector::from(&item.info).to_string(),
            name: item.info.identifier,
            serial_number: item.info.serial_number,
            accessible: item.accessibility == Accessibility::Accessible,
        })
        .collect()
}

/// Attaches to the chip that probe-rs calls `target`, by the probe that `selector` names.
pub fn attach(selector: &str, target: &str) -> Result<Session, ProbeFault> {
    let selector = parse(selector)?;
    let mut probe = open(&selector)?;
    look(&mut probe, &selector, target)?;
    probe.attach(target, Permissions::new().allow_erase_all()).map_err(|error| blame::fault(&error, During::Attach))
}

fn parse(selector: &str) -> Result<DebugProbeSelector, ProbeFault> {
    #[cfg(unix)]
    if let Some(path) = selector.strip_prefix("socket:") {
        return Ok(emulated::selector(path));
    }
    selector.parse().map_err(|error| {
        let words = format!("`{selector}` selects no probe: {error}; write VID:PID[:SERIAL] or socket:PATH");
        ProbeFault::new(FaultKind::ProbeAbsent, words)
    })
}

fn open(selector: &DebugProbeSelector) -> Result<Probe, ProbeFault> {
    let lister = Lister::new();
    let barred = |item: &probe_rs::probe::list::ProbeListItem| item.accessibility == Accessibility::PermissionDenied;
    if lister.list_with_access(Some(selector)).iter().any(barred) {
        return Err(ProbeFault::new(FaultKind::PermissionDenied, selector.to_string()));
    }
    let mut probe = lister.open(selector.clone()).map_err(|error| {
        let ProbeFault { kind, words } = blame::fault(&error, During::Open);
        ProbeFault::new(kind, format!("{selector}: {words}"))
    })?;
    probe.select_protocol(WireProtocol::Jtag).map_err(|error| blame::fault(&error, During::Open))?;
    Ok(probe)
}

/// Looks whether the chip answers, is the one that is meant, and lets debuggers in. What probe-rs says of a chip that
/// does not is one of many timeouts.
fn look(probe: &mut Probe, selector: &DebugProbeSelector, target: &str) -> Result<(), ProbeFault> {
    probe.attach_to_unspecified().map_err(|error| blame::fault(&error, During::Attach))?;
    let Some(jtag) = probe.try_as_jtag_probe() else {
        return Err(ProbeFault::new(FaultKind::ProbeAbsent, "the probe has no JTAG"));
    };
    let is_inside_the_chip = chip::of_probe_target(target).is_some_and(|chip| {
        let is_selected = |usb: &UsbDevice| (usb.vendor, usb.product) == (selector.vendor_id, selector.product_id);
        chip.usb.iter().any(|usb| usb.is_probe && is_selected(usb))
    });
    if let Err(error) = jtag.scan_chain() {
        let fault = blame::fault(&error, During::Attach);
        return Err(match fault.kind {
            FaultKind::ChipAbsent if is_inside_the_chip => ProbeFault::new(
                FaultKind::ChipLocked,
                "its USB controller answers and its JTAG port does not (DIS_USB_JTAG or DIS_PAD_JTAG is burnt)",
            ),
            FaultKind::ChipAbsent => {
                ProbeFault::new(fault.kind, "no JTAG port answers (or DIS_PAD_JTAG is burnt in the chip's eFuses)")
            }
            _ => fault,
        });
    }
    let of_probe = |error| blame::fault(&error, During::Attach);
    jtag.select_target(0).map_err(of_probe)?;
    let idcode = jtag.read_register(IDCODE, 32).map_err(of_probe)?.load_le::<u32>();
    match idcode_of(target) {
        Some(expected) if expected != idcode => {
            let words = format!("the port calls itself {idcode:#010x}, and an {target}'s {expected:#010x}");
            return Err(ProbeFault::new(FaultKind::ChipAbsent, words));
        }
        _ => {}
    }
    match authenticated(jtag).map_err(of_probe)? {
        Some(false) => Err(ProbeFault::new(FaultKind::ChipLocked, "its debug module asks for authentication")),
        Some(true) | None => Ok(()),
    }
}

/// What the JTAG port of the chip that probe-rs calls `target` calls itself, as far as probe-rs knows that.
fn idcode_of(target: &str) -> Option<u32> {
    let registry = Registry::from_builtin_families();
    let families = registry.families();
    let family =
        families.iter().find(|family| family.variants.iter().any(|one| one.name.eq_ignore_ascii_case(target)))?;
    family.chip_detection.iter().find_map(|method| method.as_espressif()).map(|espressif| espressif.idcode)
}

/// Whether the debug module lets anybody in: `dmstatus.authenticated`. `None` if there is no transport module of
/// version 0.13 to ask.
fn authenticated(jtag: &mut dyn JtagAccess) -> Result<Option<bool>, probe_rs::probe::DebugProbeError> {
    const DMSTATUS: u64 = 0x11;
    const READ: u64 = 1;
    const AUTHENTICATED: u32 = 1 << 7;
    let dtmcs = jtag.read_register(DTMCS, 32)?.load_le::<u32>();
    let (version, address_bits, idle_cycles) = (dtmcs & 0xf, dtmcs >> 4 & 0x3f, dtmcs >> 12 & 7);
    if version != 1 || address_bits > 30 {
        return Ok(None);
    }
    jtag.set_idle_cycles(idle_cycles as u8)?;
    let bits = address_bits + 34;
    jtag.write_register(DMI, &(DMSTATUS << 34 | READ).to_le_bytes(), bits)?;
    let answer = jtag.write_register(DMI, &0u64.to_le_bytes(), bits)?.load_le::<u64>();
    let is_valid = answer & 3 == 0;
    Ok(is_valid.then_some((answer >> 2) as u32 & AUTHENTICATED != 0))
}
