//! What can be wrong with a disc on purpose: every finding of the catalogue can be injected by the reference master.
//!
//! A defect is one of two things. Some are a disc that other words describe too, an entry too deep in the catalog or a
//! count that wrapped: `words.rs` puts them into these words, and such a disc is laid out as any other. The rest are
//! changes to a disc that was mastered whole, one file for each structure that they change.

mod boot_image;
mod catalog;
mod descriptors;
mod partition_table;
mod words;

pub(crate) use words::{Facts, Lack};

use crate::{
    eltorito::EntryBytes,
    finding::FindingId,
    sparse::SparseBytes,
    units::{BlockCount, ByteCount, Lba, VirtualSectorCount},
};

/// A defect that is put on a disc: the finding under which a reader reports it. What exactly each is stands in the function that
/// injects it, or in the words that express it.
pub type Defect = FindingId;

impl Defect {
    /// How many blocks the descriptor set has with this defect.
    pub(crate) const fn descriptors(defect: Option<Self>) -> BlockCount {
        match defect {
            Some(Self::BootRecordMisplaced | Self::BootRecordDuplicate) => BlockCount::new(4),
            _ => BlockCount::new(3),
        }
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
            Self::HardDiskPartitionSlot => {
                boot_image::move_partition_to_slot_1(disc.bytes, disc.first.lba)
            }
            Self::MbrSignature => boot_image::remove_signature(disc.bytes, disc.first.lba),
            Self::BootInfoTable => boot_image::spoil_boot_info_checksum(disc),
            Self::EfiNoLoader => boot_image::remove_file_system(disc.bytes, disc.last.lba),
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

impl Defect {
    /// Whether it lies within a boot image: whoever masters a disc from such an image masters a disc with the defect.
    #[must_use]
    pub const fn is_in_image(self) -> bool {
        matches!(
            self,
            Self::FloppySize
                | Self::HardDiskPartitionSlot
                | Self::HardDiskCylinders
                | Self::MbrSignature
                | Self::EfiNoLoader
        )
    }

    /// Spoils an image by itself. [`Self::FloppySize`] and [`Self::HardDiskCylinders`] are its length.
    pub(crate) fn inject_into_image(self, image: &mut SparseBytes, has_loader: bool) {
        let start = Lba::new(0);
        match self {
            Self::HardDiskPartitionSlot if !has_loader => {
                boot_image::move_partition_to_slot_1(image, start);
            }
            Self::MbrSignature if !has_loader => boot_image::remove_signature(image, start),
            Self::EfiNoLoader if has_loader => boot_image::remove_file_system(image, start),
            _ => {}
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
