//! What can be wrong with a disc on purpose: the defects that the reference master injects, by the ids that
//! `inspect` reports them under.
//!
//! A defect is one of two things. Some are a disc that other words describe too, an entry too deep in the catalog or a
//! count that wrapped: `words.rs` puts them into these words, and such a disc is laid out as any other. The rest are
//! changes to a disc that was mastered whole, one file for each structure that they change.

mod boot_image;
mod catalog;
mod descriptors;
mod partition_table;
mod words;

use std::{fmt, str::FromStr};

pub(crate) use words::{Facts, Lack};

use crate::{
    eltorito::EntryBytes,
    sparse::SparseBytes,
    units::{BlockCount, ByteCount, Lba, VirtualSectorCount},
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
    /// By design: the validation entry's platform is EFh, and there is no x86 entry.
    CatalogEfiOnly => "catalog-efi-only",
    /// The EFI section is missing, though the tree holds a loader.
    CatalogNoEfi => "catalog-no-efi",
    /// The entries after the first have no section header.
    CatalogSectionHeaderMissing => "catalog-section-header-missing",
    /// The last section header says that more follow.
    CatalogSectionChain => "catalog-section-chain",
    /// The EFI entry stands in slot 17: past what a block of 512 bytes holds.
    CatalogEfiTooDeep => "catalog-efi-too-deep",
    /// The initial entry's boot indicator is 00.
    EntryNotBootable => "entry-not-bootable",
    /// The initial entry's media type is 5.
    EntryMediaType => "entry-media-type",
    /// The initial entry's load segment is 7C00 instead of 07C0.
    EntryLoadSegment => "entry-load-segment",
    /// The initial entry's sector count is 0.
    CountZero => "count-zero",
    /// The initial entry's sector count is 2048: a megabyte, from 7C00 on.
    CountTooLarge => "count-too-large",
    /// An image of 40 MiB whose sector count is its length modulo 65,536.
    CountWrapped => "count-wrapped",
    /// The last entry's sector count is a quarter of what it should be: counted in blocks.
    CountUnit => "count-unit",
    /// The last entry's sector count is 4.
    CountEfiShort => "count-efi-short",
    /// The initial entry's load RBA is past the end of the disc.
    ImageOutOfRange => "image-out-of-range",
    /// KB912666: the extent and the directory record are four times the image, zeros behind it.
    ImageOversized4x => "image-oversized-4x",
    /// By design: the image is a block longer than a quarter of the medium.
    ImageExceedsQuarter => "image-exceeds-quarter",
    /// By design: the EFI entry's count, taken in blocks, ends past the disc.
    PartitionPastEnd => "partition-past-end",
    /// The floppy image is two blocks too short for its media type.
    FloppySize => "floppy-size",
    /// The EFI entry's media type is that of a floppy.
    EfiAsFloppy => "efi-as-floppy",
    /// The hard disk's partition stands in slot 1 of the table.
    HardDiskPartitionSlot => "hard-disk-partition-slot",
    /// The entry's system type is not the partition's.
    HardDiskSystemType => "hard-disk-system-type",
    /// The hard disk has 256 cylinders, one more than eight bits say.
    HardDiskCylinders => "hard-disk-cylinders",
    /// The hard disk's first sector has no 55AA.
    MbrSignature => "mbr-signature",
    /// The checksum in isolinux's boot-info table is wrong.
    BootInfoTable => "boot-info-table",
    /// The EFI image holds no file system.
    EfiNoLoader => "efi-no-loader",
    /// The EFI entry has count 0, and its image of 40 MiB begins where the volume ends.
    EfiOpenEndOutsideVolume => "efi-open-end-outside-volume",
    /// The primary volume descriptor claims 1,000 blocks more than there are.
    VolumeSize => "volume-size",
    /// A second session follows, and only the first has a boot record.
    MultisessionStale => "multisession-stale",
    /// The partition of the whole disc is of type 17h, and overlaps that of the EFI system partition.
    HybridMbr => "hybrid-mbr",
    /// The master boot record before a GUID partition table is not protective.
    HybridGpt => "hybrid-gpt",
    /// A disk image: a master boot record, and no volume descriptors.
    NotIso => "not-iso",
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
    pub(crate) first: PlacedImage,
    pub(crate) last: PlacedImage,
    /// Where a second session is to begin; only with a defect that has one.
    pub(crate) second_session: Option<Lba>,
}

/// An image on the disc.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlacedImage {
    pub(crate) lba: Lba,
    pub(crate) slot: u16,
    pub(crate) length: VirtualSectorCount,
}

impl Defect {
    /// Spoils the disc. What is no change of bytes was done when the disc was laid out, by [`Self::express`] and by the
    /// layout itself.
    pub(crate) fn inject(self, disc: &mut Patient<'_>) {
        match self {
            Self::NoBootRecord => descriptors::remove_boot_record(disc),
            Self::BootRecordMisplaced => descriptors::misplace_boot_record(disc),
            Self::BootRecordDuplicate => descriptors::duplicate_boot_record(disc),
            Self::BootRecordIdPadding => descriptors::pad_id_with_spaces(disc),
            Self::CatalogOutOfRange => descriptors::point_past_the_end(disc),
            Self::VolumeSize => descriptors::claim_more_than_there_is(disc),
            Self::MultisessionStale => descriptors::add_session_without_boot_record(disc),
            Self::NotIso => descriptors::remove_all(disc),
            Self::CatalogHeaderId => catalog::rewrite_validation(disc, |entry| entry[0] = 0x02),
            Self::CatalogKey => catalog::rewrite_validation(disc, |entry| entry.swap(0x1E, 0x1F)),
            Self::CatalogPlatform => catalog::rewrite_validation(disc, |entry| entry[1] = 0xFE),
            Self::CatalogChecksum => catalog::spoil_checksum(disc),
            Self::CatalogNoEfi => catalog::remove_last_section(disc),
            Self::CatalogSectionHeaderMissing => catalog::remove_section_header(disc),
            Self::CatalogSectionChain => catalog::announce_another_header(disc),
            Self::EntryNotBootable => catalog::clear_indicator(disc),
            Self::EntryMediaType => catalog::set_media_type(disc),
            Self::EntryLoadSegment => catalog::set_load_segment(disc),
            Self::CountZero => catalog::set_first_count(disc, 0),
            Self::CountTooLarge => catalog::set_first_count(disc, words::TOO_MANY),
            Self::CountUnit => catalog::count_in_blocks(disc),
            Self::CountEfiShort => catalog::set_last_count(disc, 4),
            Self::ImageOutOfRange => catalog::move_image_past_the_end(disc),
            Self::HardDiskSystemType => catalog::change_system_type(disc),
            Self::EfiAsFloppy => catalog::call_last_a_floppy(disc),
            Self::HardDiskPartitionSlot => boot_image::move_partition_to_slot_1(disc),
            Self::MbrSignature => boot_image::remove_signature(disc),
            Self::BootInfoTable => boot_image::spoil_boot_info_checksum(disc),
            Self::EfiNoLoader => boot_image::remove_file_system(disc),
            Self::HybridMbr => partition_table::overlap(disc),
            Self::HybridGpt => partition_table::unprotect(disc),
            Self::CatalogEfiOnly
            | Self::CatalogEfiTooDeep
            | Self::CountWrapped
            | Self::ImageOversized4x
            | Self::ImageExceedsQuarter
            | Self::PartitionPastEnd
            | Self::FloppySize
            | Self::HardDiskCylinders
            | Self::EfiOpenEndOutsideVolume => {}
        }
    }
}

impl Patient<'_> {
    /// The disc's length; it is whole blocks.
    const fn length(&self) -> BlockCount {
        ByteCount::new(self.bytes.len()).blocks_rounded_up()
    }

    /// A block well past the end.
    fn past_end(&self) -> u32 {
        let past_end = self.length().plus(BlockCount::new(1000));
        past_end.to_u32().unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests;
