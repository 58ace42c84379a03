//! What can be wrong with a disc on purpose: the defects that the reference master injects, by the ids that
//! `inspect` reports them under.

use std::{fmt, str::FromStr};

use crate::{
    eltorito::{BOOT_RECORD_LBA, ENTRY_BYTES, EntryBytes, NOT_BOOTABLE, boot_record},
    sparse::SparseBytes,
    units::{BlockCount, Lba},
};

macro_rules! defects {
    ($($(#[$doc:meta])* $variant:ident => $id:literal),* $(,)?) => {
        /// A defect of a disc.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Defect { $($(#[$doc])* $variant),* }

        impl Defect {
            /// Every defect.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its stable id.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id),* }
            }
        }
    };
}

defects! {
    /// Nothing El Torito in the descriptor set.
    NoBootRecord => "no-boot-record",
    /// The boot record stands at LBA 18, behind a copy of the primary descriptor.
    BootRecordMisplaced => "boot-record-misplaced",
    /// Two boot records.
    BootRecordDuplicate => "boot-record-duplicate",
    /// The boot system identifier is padded with spaces.
    BootRecordIdPadding => "boot-record-id-padding",
    /// The boot record points past the end of the disc.
    CatalogOutOfRange => "catalog-out-of-range",
    /// The validation entry's header id is not 01.
    CatalogHeaderId => "catalog-header-id",
    /// The validation entry's key bytes are swapped.
    CatalogKey => "catalog-key",
    /// The validation entry's words do not sum to 0.
    CatalogChecksum => "catalog-checksum",
    /// The validation entry's platform is FEh.
    CatalogPlatform => "catalog-platform",
    /// The entries after the first have no section header.
    CatalogSectionHeaderMissing => "catalog-section-header-missing",
    /// The last section header says that more follow.
    CatalogSectionChain => "catalog-section-chain",
    /// The initial entry's boot indicator is 00.
    EntryNotBootable => "entry-not-bootable",
    /// The initial entry's media type is 5.
    EntryMediaType => "entry-media-type",
    /// The initial entry's load segment is 7C00 instead of 07C0.
    EntryLoadSegment => "entry-load-segment",
    /// The initial entry's sector count is 0.
    CountZero => "count-zero",
    /// The initial entry's sector count is 4096.
    CountTooLarge => "count-too-large",
    /// The last entry's sector count is a quarter of what it should be: counted in blocks.
    CountUnit => "count-unit",
    /// The last entry's sector count is 4.
    CountEfiShort => "count-efi-short",
    /// The initial entry's load RBA is past the end of the disc.
    ImageOutOfRange => "image-out-of-range",
    /// The hard disk's partition stands in slot 1 of the table.
    HardDiskPartitionSlot => "hard-disk-partition-slot",
    /// The entry's system type is not the partition's.
    HardDiskSystemType => "hard-disk-system-type",
    /// The hard disk's first sector has no 55AA.
    MbrSignature => "mbr-signature",
    /// The EFI image holds no file system.
    EfiNoLoader => "efi-no-loader",
}

impl Defect {
    /// Every id.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|defect| defect.id())
    }

    /// How many blocks the descriptor set has with this defect.
    pub(crate) const fn descriptors(defect: Option<Self>) -> BlockCount {
        match defect {
            Some(Self::BootRecordMisplaced | Self::BootRecordDuplicate) => BlockCount::new(4),
            _ => BlockCount::new(3),
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

/// A word that names no defect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no defect is called {0:?}; use one of {known}", known = Defect::names().collect::<Vec<_>>().join(", "))]
pub struct UnknownDefect(String);

impl FromStr for Defect {
    type Err = UnknownDefect;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().copied().find(|defect| defect.id() == text);
        found.ok_or_else(|| UnknownDefect(text.to_owned()))
    }
}

/// A mastered disc, to be spoilt.
pub(crate) struct Patient<'a> {
    pub(crate) bytes: &'a mut SparseBytes,
    pub(crate) catalog: Lba,
    /// The slots of the catalog, as they stand.
    pub(crate) slots: Vec<EntryBytes>,
    /// The first image: where it stands, its slot.
    pub(crate) first: (Lba, u16),
    /// The last image, likewise.
    pub(crate) last: (Lba, u16),
}

impl Defect {
    /// Whether the defect can stand on this disc, and what it needs otherwise.
    pub(crate) fn needs(self, hard_disk: bool, efi: bool, entries: usize) -> Option<&'static str> {
        match self {
            Self::HardDiskPartitionSlot | Self::HardDiskSystemType | Self::MbrSignature
                if !hard_disk =>
            {
                Some("hard-disk emulation")
            }
            Self::EfiNoLoader | Self::CountEfiShort | Self::CountUnit if !efi => {
                Some("an EFI entry")
            }
            Self::CatalogSectionHeaderMissing | Self::CatalogSectionChain if entries < 2 => {
                Some("a second boot entry (bios+efi)")
            }
            _ => None,
        }
    }

    /// Spoils the disc.
    pub(crate) fn inject(self, disc: &mut Patient<'_>) {
        let end = disc.bytes.len() / 2048;
        let past_end = u32::try_from(end).unwrap_or(u32::MAX).saturating_add(1000);
        let record = BOOT_RECORD_LBA.byte_offset();
        let first_image = disc.first.0.byte_offset();
        let initial = 1;
        let last = disc.last.1;
        match self {
            Self::NoBootRecord => {
                let terminator: [u8; 2048] = disc.bytes.array_at(record + 2048);
                disc.bytes.write_at(record, &terminator);
            }
            Self::BootRecordMisplaced => {
                let primary: [u8; 2048] = disc.bytes.array_at(record - 2048);
                let moved: [u8; 2048] = disc.bytes.array_at(record);
                disc.bytes.write_at(record, &primary);
                disc.bytes.write_at(record + 2048, &moved);
            }
            Self::BootRecordDuplicate => {
                let copy: [u8; 2048] = disc.bytes.array_at(record);
                disc.bytes.write_at(record + 2048, &copy);
            }
            Self::BootRecordIdPadding => disc.bytes.write_at(record + 7 + 23, &[b' '; 9]),
            Self::CatalogOutOfRange => disc.bytes.write_at(record, &boot_record(past_end)),
            Self::CatalogHeaderId => disc.rewrite_validation(|entry| entry[0] = 0x02),
            Self::CatalogKey => disc.rewrite_validation(|entry| entry.swap(0x1E, 0x1F)),
            Self::CatalogChecksum => {
                disc.patch(0, 0x1C, &disc.slots[0][0x1C].wrapping_add(1).to_le_bytes())
            }
            Self::CatalogPlatform => disc.rewrite_validation(|entry| entry[1] = 0xFE),
            Self::CatalogSectionHeaderMissing => {
                disc.slots.remove(2);
                disc.slots.push([0; ENTRY_BYTES]);
                let slots = disc.slots.concat();
                disc.bytes.write_at(disc.catalog.byte_offset(), &slots);
            }
            Self::CatalogSectionChain => {
                let header = disc
                    .slots
                    .iter()
                    .rposition(|slot| slot[0] == 0x91)
                    .unwrap_or(2);
                disc.patch(u16::try_from(header).unwrap_or(2), 0, &[0x90]);
            }
            Self::EntryNotBootable => disc.patch(initial, 0, &[NOT_BOOTABLE]),
            Self::EntryMediaType => disc.patch(initial, 1, &[5]),
            Self::EntryLoadSegment => disc.patch(initial, 2, &0x7C00_u16.to_le_bytes()),
            Self::CountZero => disc.patch(initial, 6, &[0, 0]),
            Self::CountTooLarge => disc.patch(initial, 6, &4096_u16.to_le_bytes()),
            Self::CountUnit => {
                let slot = &disc.slots[usize::from(last)];
                let quarter = u16::from_le_bytes([slot[6], slot[7]]) / 4;
                disc.patch(last, 6, &quarter.to_le_bytes());
            }
            Self::CountEfiShort => disc.patch(last, 6, &4_u16.to_le_bytes()),
            Self::ImageOutOfRange => disc.patch(initial, 8, &past_end.to_le_bytes()),
            Self::HardDiskPartitionSlot => {
                let entry: [u8; 16] = disc.bytes.array_at(first_image + 446);
                disc.bytes.write_at(first_image + 446, &[0; 16]);
                disc.bytes.write_at(first_image + 462, &entry);
            }
            Self::HardDiskSystemType => {
                let other = disc.slots[usize::from(initial)][4] ^ 0x80;
                disc.patch(initial, 4, &[other]);
            }
            Self::MbrSignature => disc.bytes.write_at(first_image + 510, &[0, 0]),
            Self::EfiNoLoader => disc.bytes.write_at(disc.last.0.byte_offset(), &[0; 512]),
        }
    }
}

impl Patient<'_> {
    fn patch(&mut self, slot: u16, at: u64, bytes: &[u8]) {
        let slot = self.catalog.byte_offset() + u64::from(slot) * ENTRY_BYTES as u64;
        self.bytes.write_at(slot + at, bytes);
    }

    /// Changes the validation entry and mends its checksum, so that the change is all that is wrong.
    fn rewrite_validation(&mut self, change: impl FnOnce(&mut EntryBytes)) {
        let mut entry = self.slots[0];
        change(&mut entry);
        entry[0x1C..0x1E].fill(0);
        let sum = crate::eltorito::word_sum(&entry);
        entry[0x1C..0x1E].copy_from_slice(&0_u16.wrapping_sub(sum).to_le_bytes());
        self.patch(0, 0, &entry);
    }
}
