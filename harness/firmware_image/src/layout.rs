//! Parts laid out as one flash, and what ROM and bootloader would find in it.

use core::fmt;

use crate::error::{PrintableName, Refused};
use crate::espressif::{
    Application, Damage, Description, Header, OtaData, PARTITION_TABLE, PartitionTable, Revision, TableDamage, Target,
};
use crate::kind::{Kind, recognise};

/// The largest flash that these chips take.
pub const FLASH_BYTES_MAX: u32 = 16 << 20;

/// Bytes for an offset in the flash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where they go.
    pub at: u32,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What the part is called: its file's name.
    pub name: PrintableName,
}

/// A flash with everything that a chip boots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlashImage {
    /// What it holds from 0 on, as far as something is there; the rest is erased.
    pub content: Vec<u8>,
    /// How large the flash is: what the bootloader's header says, or the next size that holds everything.
    pub flash_bytes: u32,
    /// The application that the bootloader will choose.
    pub boots: Boots,
}

/// What will run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Boots {
    /// The application of a partition.
    Partition {
        /// The partition's name.
        label: PrintableName,
        /// What the application says of itself.
        description: Option<Description>,
        /// What was passed over, and why: partitions that come first and hold nothing that can be booted.
        passed_over: Vec<(PrintableName, Damage)>,
    },
    /// An image that the ROM loads by itself, without a partition table.
    Directly,
}

/// The application that the bootloader chooses in a flash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Its partition's name.
    pub label: PrintableName,
    /// Where it begins in the flash.
    pub at: u32,
    /// It.
    pub application: Application,
    /// Partitions that come first and hold nothing that can be booted, with the reason.
    pub passed_over: Vec<(PrintableName, Damage)>,
}

impl Chosen {
    /// Goes through a flash as ROM and bootloader do: bootloader, partition table, otadata, applications. `None` if the
    /// ROM finds an image that needs neither bootloader nor partition table.
    ///
    /// # Errors
    /// If there is nothing that would boot on this chip.
    pub fn find(content: &[u8], target: &Target) -> Result<Option<Self>, Refused> {
        let header = first_image(content, target)?;
        chosen(content, header.flash_bytes.unwrap_or(0), target)
    }
}

impl FlashImage {
    /// Lays out parts, and checks them as ROM and bootloader will.
    ///
    /// # Errors
    /// If they would not boot, or are not for this chip.
    pub fn new(mut parts: Vec<Part>, target: &Target) -> Result<Self, Refused> {
        parts.sort_by_key(|part| part.at);
        let content = lay_out(&parts)?;
        let header = first_image(&content, target)?;
        let declared = header.flash_bytes.unwrap_or(0);
        let needed = (content.len() as u32).next_power_of_two().max(1 << 20);
        let flash_bytes = declared.clamp(needed, FLASH_BYTES_MAX);
        let boots = match chosen(&content, declared, target)? {
            None => Boots::Directly,
            Some(Chosen { label, application, passed_over, .. }) => {
                Boots::Partition { label, description: application.description, passed_over }
            }
        };
        Ok(Self { content, flash_bytes, boots })
    }

    /// Takes one file: a merged flash image.
    ///
    /// # Errors
    /// If it is something else, would not boot, or is not for this chip.
    pub fn merged(name: &str, bytes: Vec<u8>, target: &Target) -> Result<Self, Refused> {
        match recognise(&bytes) {
            Kind::MergedFlash { chip } | Kind::RomLoadable { chip } if chip != target.chip => {
                Err(Refused::OtherChip { part: PrintableName::new("it"), made_for: chip, here: target.chip })
            }
            // Without a partition table it is an application that needs no bootloader, or a bootloader alone.
            Kind::MergedFlash { .. } => Self::new(vec![Part { at: 0, bytes, name: PrintableName::new(name) }], target),
            kind @ Kind::RomLoadable { .. } if is_bootloader(&bytes) => Err(Refused::Incomplete(kind)),
            Kind::RomLoadable { .. } => Self::new(vec![Part { at: 0, bytes, name: PrintableName::new(name) }], target),
            Kind::Application { chip } if chip != target.chip => {
                Err(Refused::OtherChip { part: PrintableName::new("it"), made_for: chip, here: target.chip })
            }
            kind @ (Kind::Application { .. } | Kind::PartitionTable | Kind::OtaData) => Err(Refused::Incomplete(kind)),
            kind => Err(Refused::NotAnImage(kind)),
        }
    }
}

/// The image that the ROM loads, which is whole and for this chip: its header.
fn first_image(content: &[u8], target: &Target) -> Result<Header, Refused> {
    let bootloader = content.get(target.bootloader_at as usize..).unwrap_or_default();
    let header = Header::parse(bootloader).ok_or_else(|| no_bootloader(content, target))?;
    let room = &bootloader[..bootloader.len().min((PARTITION_TABLE - target.bootloader_at) as usize)];
    let has_table = content.len() > PARTITION_TABLE as usize;
    let first = if has_table { room } else { bootloader };
    let image =
        Application::parse_as_rom_does(first, target).map_err(|damage| damaged("the bootloader", damage, target))?;
    image.check_revision("the bootloader", target)?;
    Ok(header)
}

/// Other chips have their bootloader at 0x1000 or 0x2000: that says more than that there is none at 0.
fn no_bootloader(content: &[u8], target: &Target) -> Refused {
    let elsewhere = [0x1000, 0x2000].into_iter().find_map(|at| Header::parse(content.get(at..)?));
    match elsewhere.filter(|header| header.chip != target.chip) {
        Some(header) => damaged("the bootloader", Damage::OtherChip(header.chip), target),
        None => Refused::NoBootloader { at: target.bootloader_at },
    }
}

/// Whether an image that the ROM loads by itself is ESP-IDF's bootloader: it speaks of the table that it looks for.
fn is_bootloader(bytes: &[u8]) -> bool {
    const SAID: &[u8] = b"partition table";
    bytes.len() <= PARTITION_TABLE as usize && bytes.windows(SAID.len()).any(|window| window == SAID)
}

fn damaged(part: &str, damage: Damage, target: &Target) -> Refused {
    match damage {
        Damage::OtherChip(chip) => {
            Refused::OtherChip { part: PrintableName::new(part), made_for: chip, here: target.chip }
        }
        damage => Refused::Damaged { part: PrintableName::new(part), damage },
    }
}

/// The parts, in the order of their offsets, as one stretch from 0 on.
pub(crate) fn lay_out(parts: &[Part]) -> Result<Vec<u8>, Refused> {
    for part in parts {
        let end = u64::from(part.at) + part.bytes.len() as u64;
        if end > u64::from(FLASH_BYTES_MAX) {
            return Err(Refused::TooLarge { part: part.name.clone(), end, flash_bytes_max: FLASH_BYTES_MAX });
        }
    }
    let mut content: Vec<u8> = Vec::new();
    for (n, part) in parts.iter().enumerate() {
        if let Some(first) = n.checked_sub(1).map(|before| &parts[before]).filter(|_| content.len() > part.at as usize)
        {
            let (first, second) = (first.name.clone(), part.name.clone());
            return Err(Refused::Overlap { first, second, at: part.at });
        }
        content.resize(part.at as usize, 0xff);
        content.extend_from_slice(&part.bytes);
    }
    Ok(content)
}

fn chosen(content: &[u8], declared_bytes: u32, target: &Target) -> Result<Option<Chosen>, Refused> {
    let Some(table) = content.get(PARTITION_TABLE as usize..) else { return Ok(None) };
    let table = match PartitionTable::parse(table) {
        // A large image without a partition table: what the ROM has loaded looks after itself.
        Err(TableDamage::Missing) if !is_bootloader(&content[..PARTITION_TABLE as usize]) => {
            return Ok(None);
        }
        other => other.map_err(Refused::BadTable)?,
    };
    let flash_bytes = u64::from(declared_bytes.max((content.len() as u32).next_power_of_two()));
    if let Some(partition) = table.partitions.iter().find(|partition| partition.end() > flash_bytes) {
        let label = partition.label.clone();
        return Err(Refused::PartitionBehindFlash { label, end: partition.end(), flash_bytes: flash_bytes as u32 });
    }
    let within = |at: u32, length: u32| {
        let end = (u64::from(at) + u64::from(length)).min(content.len() as u64) as usize;
        content.get(at as usize..end).unwrap_or_default()
    };
    let ota_data = table.partitions.iter().find(|partition| partition.is_ota_data());
    let active = ota_data.and_then(|p| OtaData::parse(within(p.at, p.length_bytes)).active(table.ota_slots()));
    let mut passed_over = Vec::new();
    for partition in table.boot_order(active) {
        let bytes = within(partition.at, partition.length_bytes);
        match Application::parse(bytes, target).and_then(|a| a.check_pages(partition.at, target).map(|()| a)) {
            Ok(application) => {
                application.check_revision("the application", target)?;
                let label = partition.label.clone();
                return Ok(Some(Chosen { label, at: partition.at, application, passed_over }));
            }
            Err(Damage::OtherChip(chip)) => return Err(damaged("the application", Damage::OtherChip(chip), target)),
            Err(damage) => passed_over.push((partition.label.clone(), damage)),
        }
    }
    Err(Refused::NoApplication { tried: passed_over })
}

/// *MicroPython 1.27.0 (ESP-IDF v5.5.1), from the partition factory, 4 MiB of flash*.
impl fmt::Display for FlashImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.boots {
            Boots::Directly => f.write_str("an image that the ROM loads by itself")?,
            Boots::Partition { label, description, passed_over } => {
                match description {
                    Some(Description { project, version, idf }) if !project.is_empty() => {
                        write!(f, "{project} {version} ({idf})")?;
                    }
                    // MicroPython leaves its name out.
                    Some(Description { idf, .. }) => write!(f, "an application ({idf})")?,
                    None => f.write_str("an application")?,
                }
                write!(f, ", from the partition {label}")?;
                for (label, damage) in passed_over {
                    write!(f, " ({label} is passed over: {damage})")?;
                }
            }
        }
        write!(f, ", {} MiB of flash", self.flash_bytes >> 20)
    }
}

impl Target {
    /// The same chip in another version.
    pub fn with_revision(self, revision: Revision) -> Self {
        Self { revision, ..self }
    }
}
