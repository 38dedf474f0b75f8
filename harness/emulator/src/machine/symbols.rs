//! Names and source lines for addresses of an image.

use serde::{Deserialize, Serialize};

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use gimli::{EndianArcSlice, LittleEndian};
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};

/// A place in source code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceLine {
    /// The file, as the compiler was told.
    pub file: String,
    /// The line, from 1; 0 if unknown.
    pub line: u32,
}

impl fmt::Display for SourceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A function that an address belongs to, with the place in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub function: Option<String>,
    pub line: Option<SourceLine>,
    /// The compiler has put this function's code into its caller.
    pub inlined: bool,
}

type Reader = EndianArcSlice<LittleEndian>;

struct Symbol {
    address: u32,
    size: u32,
    name: String,
}

/// The symbols and debug information of one image. Reading them costs time, so that is put off until they are asked
/// for; and chips of the same image share what one of them has read.
pub(crate) struct Symbols {
    image: Arc<Image>,
    lines: OnceCell<Option<addr2line::Context<Reader>>>,
}

/// What firmware calls RTT's control block (the crates `rtt-target` and `defmt-rtt`, SEGGER's own sources).
const RTT_CONTROL: &str = "_SEGGER_RTT";

/// What chips share.
struct Image {
    elf: Box<[u8]>,
    table: OnceLock<Vec<Symbol>>,
    rtt_control: OnceLock<Option<u32>>,
}

/// So many images are kept in mind, the latest; a run of the bench has few.
const IMAGES_MAX: usize = 4;

static IMAGES: Mutex<Vec<Arc<Image>>> = Mutex::new(Vec::new());

impl Image {
    /// The image whose ELF file has these bytes.
    fn of(elf: &[u8]) -> Arc<Self> {
        let mut images = IMAGES.lock().unwrap_or_else(PoisonError::into_inner);
        let image = match images.iter().position(|image| *image.elf == *elf) {
            Some(at) => images.remove(at),
            None => Arc::new(Self { elf: elf.into(), table: OnceLock::new(), rtt_control: OnceLock::new() }),
        };
        images.push(Arc::clone(&image));
        // What a chip runs stays.
        while images.len() > IMAGES_MAX
            && let Some(idle) = images.iter().position(|image| Arc::strong_count(image) == 1)
        {
            images.remove(idle);
        }
        image
    }
}

impl Symbols {
    /// The symbols of an ELF file.
    pub fn new(elf: &[u8]) -> Self {
        Self { image: Image::of(elf), lines: OnceCell::new() }
    }

    /// The bytes of a section; none if there is no such section.
    pub fn section(&self, name: &str) -> Option<Arc<[u8]>> {
        let file = object::File::parse(&*self.image.elf).ok()?;
        let bytes = file.section_by_name(name)?.uncompressed_data().ok()?;
        Some(Arc::from(&*bytes))
    }

    /// The address of the function whose demangled name is `name`.
    pub fn address_of(&self, name: &str) -> Option<u32> {
        self.table().iter().find(|symbol| symbol.name == name).map(|symbol| symbol.address)
    }

    /// The address of RTT's control block, which is data and no function: looked for once, and not by every chip anew.
    pub fn rtt_control(&self) -> Option<u32> {
        *self.image.rtt_control.get_or_init(|| {
            let file = object::File::parse(&*self.image.elf).ok()?;
            let found = file.symbols().find(|symbol| symbol.is_definition() && symbol.name() == Ok(RTT_CONTROL));
            found.and_then(|symbol| u32::try_from(symbol.address()).ok())
        })
    }

    /// The function that `address` lies in, and how far from its beginning.
    pub fn function_at(&self, address: u32) -> Option<(&str, u32)> {
        let table = self.table();
        let after = table.partition_point(|symbol| symbol.address <= address);
        let symbol = &table[after.checked_sub(1)?];
        let offset = address - symbol.address;
        // Symbols written in assembly have no size: they reach to the next.
        (symbol.size == 0 && offset < 0x1000 || offset < symbol.size).then_some((symbol.name.as_str(), offset))
    }

    /// What `address` belongs to, innermost function first.
    pub fn places(&self, address: u32) -> Vec<Place> {
        let mut places = self.lines().map(|context| places_from_lines(context, address)).unwrap_or_default();
        let outermost = self.function_at(address).map(|(name, _)| name.to_string());
        match places.last_mut() {
            Some(last) if last.function.is_none() => last.function = outermost,
            Some(_) => {}
            None => places.push(Place { function: outermost, line: None, inlined: false }),
        }
        places
    }

    fn table(&self) -> &[Symbol] {
        self.image.table.get_or_init(|| {
            let Ok(file) = object::File::parse(&*self.image.elf) else { return Vec::new() };
            let mut table: Vec<Symbol> = file
                .symbols()
                .filter(|symbol| {
                    symbol.is_definition()
                        && matches!(symbol.kind(), SymbolKind::Text | SymbolKind::Label | SymbolKind::Unknown)
                })
                .filter_map(|symbol| {
                    let name = symbol.name().ok().filter(|name| !name.is_empty() && !name.starts_with(['.', '$']))?;
                    let name = format!("{:#}", rustc_demangle::demangle(name));
                    Some(Symbol { address: symbol.address() as u32, size: symbol.size() as u32, name })
                })
                .collect();
            // Of several names for an address, the one with a size says more.
            table.sort_by(|a, b| (a.address, a.size != 0, &b.name).cmp(&(b.address, b.size != 0, &a.name)));
            table
        })
    }

    fn lines(&self) -> Option<&addr2line::Context<Reader>> {
        let context = self.lines.get_or_init(|| {
            let file = object::File::parse(&*self.image.elf).ok()?;
            let load = |id: gimli::SectionId| -> Result<Reader, gimli::Error> {
                let bytes = file.section_by_name(id.name()).and_then(|section| section.uncompressed_data().ok());
                let bytes = bytes.unwrap_or(Cow::Borrowed(&[]));
                Ok(EndianArcSlice::new(Arc::from(&*bytes), LittleEndian))
            };
            let dwarf = gimli::Dwarf::load(load).ok()?;
            addr2line::Context::from_dwarf(dwarf).ok()
        });
        context.as_ref()
    }
}

fn places_from_lines(context: &addr2line::Context<Reader>, address: u32) -> Vec<Place> {
    let mut places = Vec::new();
    let Ok(mut frames) = context.find_frames(u64::from(address)).skip_all_loads() else { return places };
    while let Ok(Some(frame)) = frames.next() {
        let function = frame.function.as_ref().and_then(|name| {
            let raw = name.raw_name().ok()?;
            Some(format!("{:#}", rustc_demangle::demangle(&raw)))
        });
        let line = frame.location.and_then(|location| {
            Some(SourceLine { file: location.file?.to_string(), line: location.line.unwrap_or(0) })
        });
        if function.is_some() || line.is_some() {
            places.push(Place { function, line, inlined: true });
        }
    }
    if let Some(outermost) = places.last_mut() {
        outermost.inlined = false;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chips_of_one_image_share_its_table() {
        let image: &[u8] = include_bytes!("../../../../firmware-under-test/images/esp32c3_mbedtls.elf");
        let copy = image.to_vec();
        let (first, second) = (Symbols::new(image), Symbols::new(&copy));
        let address = first.address_of("main").or_else(|| first.address_of("_start")).expect("it starts somewhere");
        assert!(first.function_at(address).is_some());
        assert!(std::ptr::eq(first.table(), second.table()), "the same bytes are the same image");
        // Another's is another, and what is no ELF file has none.
        let other = Symbols::new(b"no ELF file");
        assert!(other.table().is_empty() && other.address_of("main").is_none());
        assert!(!Arc::ptr_eq(&first.image, &other.image));
    }

    #[test]
    fn few_images_are_kept_in_mind() {
        for n in 0..=IMAGES_MAX as u8 {
            let _ = Symbols::new(&[b'x', n]);
        }
        let images = IMAGES.lock().expect("nobody panics over it");
        let idle = images.iter().filter(|image| Arc::strong_count(image) == 1).count();
        assert!(idle <= IMAGES_MAX, "{idle}");
    }
}
