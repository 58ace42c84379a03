use super::{
    BootEntry, EntryBytes, Extension, HeaderIndicator, MediaType, Platform, SectionHeader,
    SelectionCriteria, ValidationEntry,
};
use crate::{
    eltorito::ENTRY_BYTES,
    units::{BlockCount, ByteCount},
};

/// A boot catalog that keeps to the specification, of any length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalog {
    /// Slot 0.
    pub validation: ValidationEntry,
    /// Slot 1.
    pub initial: BootEntry,
    /// What follows.
    pub sections: Vec<Section>,
}

/// A section header's platform and name, and its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The platform of the entries.
    pub platform: Platform,
    /// The section's name.
    pub id: String,
    /// The entries, in order.
    pub entries: Vec<SectionEntry>,
}

/// A section entry, what selects it, and the extensions of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionEntry {
    /// The part that it shares with the initial entry.
    pub boot: BootEntry,
    /// What selects it.
    pub criteria: SelectionCriteria,
    /// More of what selects it.
    pub extensions: Vec<Extension>,
}

impl SectionEntry {
    /// An entry that nothing selects.
    #[must_use]
    pub fn plain(boot: BootEntry) -> Self {
        Self {
            boot,
            criteria: SelectionCriteria::default(),
            extensions: Vec::new(),
        }
    }
}

impl Catalog {
    /// The catalog's slots, in order.
    ///
    /// A section header counts its entries without their extensions (El Torito §2.3: "number of section
    /// entries following this header").
    #[must_use]
    pub fn slots(&self) -> Vec<EntryBytes> {
        let mut slots = vec![self.validation.encode(), self.initial.encode()];
        for (index, section) in self.sections.iter().enumerate() {
            let header = SectionHeader {
                indicator: if index + 1 == self.sections.len() {
                    HeaderIndicator::Last
                } else {
                    HeaderIndicator::MoreFollow
                },
                platform: section.platform,
                entries: u16::try_from(section.entries.len()).unwrap_or(u16::MAX),
                id: section.id.clone(),
            };
            slots.push(header.encode());
            for entry in &section.entries {
                let mut boot = entry.boot;
                if !entry.extensions.is_empty() {
                    boot.media = MediaType(boot.media.0 | MediaType::CONTINUATION);
                }
                let mut bytes = boot.encode();
                entry.criteria.encode_into(&mut bytes);
                slots.push(bytes);
                for (index, extension) in entry.extensions.iter().enumerate() {
                    slots.push(extension.encode(index + 1 < entry.extensions.len()));
                }
            }
        }
        slots
    }

    /// The blocks that a catalog of so many slots takes, each 2048-byte block holding 64 of them.
    #[must_use]
    pub fn blocks(slots: usize) -> BlockCount {
        ByteCount::new((slots * ENTRY_BYTES) as u64).blocks_rounded_up()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eltorito::{BOOTABLE, entry::word_sum};

    fn entry(load_rba: u32) -> BootEntry {
        BootEntry {
            indicator: BOOTABLE,
            media: MediaType::NO_EMULATION,
            load_segment: 0,
            system_type: 0,
            sector_count: 4,
            load_rba,
        }
    }

    #[test]
    fn bytes_are_those_of_the_specification() {
        let mut with_extensions = SectionEntry::plain(entry(40));
        // Said twice is said.
        with_extensions.boot.media = MediaType(MediaType::CONTINUATION);
        with_extensions.criteria = SelectionCriteria {
            kind: 1,
            data: [0xEE; 19],
        };
        with_extensions.extensions = vec![Extension { data: [1; 30] }, Extension { data: [2; 30] }];
        let catalog = Catalog {
            validation: ValidationEntry {
                platform: Platform::X86,
                id: "boot-matrix".to_owned(),
            },
            initial: entry(0x0102_0304),
            sections: vec![
                Section {
                    platform: Platform::X86,
                    id: "x86".to_owned(),
                    entries: vec![with_extensions],
                },
                Section {
                    platform: Platform::EFI,
                    id: String::new(),
                    entries: vec![SectionEntry::plain(entry(50))],
                },
            ],
        };
        let slots = catalog.slots();
        assert_eq!(slots.len(), 8);
        assert_eq!(word_sum(&slots[0]), 0);
        assert_eq!(
            (slots[0][0], slots[0][0x1E], slots[0][0x1F]),
            (1, 0x55, 0xAA)
        );
        assert_eq!(slots[1][..12], [0x88, 0, 0, 0, 0, 0, 4, 0, 4, 3, 2, 1]);
        assert_eq!(slots[2][..7], [0x90, 0, 1, 0, b'x', b'8', b'6']);
        assert_eq!(
            (slots[3][1], slots[3][0x0C], slots[3][0x1F]),
            (0x20, 1, 0xEE)
        );
        assert_eq!((slots[4][0], slots[4][1], slots[4][2]), (0x44, 0x20, 1));
        assert_eq!((slots[5][0], slots[5][1], slots[5][31]), (0x44, 0, 2));
        assert_eq!(slots[6][..4], [0x91, 0xEF, 1, 0]);
        assert_eq!(Catalog::blocks(64).get(), 1);
        assert_eq!(Catalog::blocks(65).get(), 2);
    }
}
