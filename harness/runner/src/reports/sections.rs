//! What of an ELF file takes room on the chip.

use object::{Object as _, ObjectSection as _, SectionFlags, elf};
use report::model::Section;

/// The sections that are loaded or reserved, largest first. Of a file that is no ELF, none.
pub fn of(elf_file: &[u8]) -> Vec<Section> {
    let Ok(file) = object::File::parse(elf_file) else { return Vec::new() };
    let mut sections: Vec<Section> = file
        .sections()
        .filter(|section| is_allocated(section.flags()))
        .filter(|section| section.size() > 0)
        .map(|section| Section {
            name: String::from_utf8_lossy(section.name_bytes().unwrap_or_default()).into_owned(),
            bytes: section.size(),
            is_loaded: section.file_range().is_some_and(|(_, bytes)| bytes > 0),
        })
        .collect();
    sections.sort_by(|one, other| other.bytes.cmp(&one.bytes).then_with(|| one.name.cmp(&other.name)));
    sections
}

fn is_allocated(flags: SectionFlags) -> bool {
    matches!(flags, SectionFlags::Elf { sh_flags, .. } if sh_flags.0 & elf::SHF_ALLOC.0 != 0)
}
