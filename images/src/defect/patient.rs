//! A disc that was mastered, and what the rooms change on it.

use crate::{
    eltorito::{BOOT_RECORD_LBA, ENTRY_BYTES, EntryBytes, word_sum},
    iso9660::SYSTEM_AREA_BLOCKS,
    sparse::SparseBytes,
    units::{BlockCount, ByteCount, Lba, VirtualSectorCount},
};

/// Where the primary volume descriptor stands.
pub(crate) const PRIMARY: Lba = Lba::new(SYSTEM_AREA_BLOCKS.get());
/// Where the descriptor behind the boot record stands.
pub(crate) const BEHIND_BOOT_RECORD: Lba = BOOT_RECORD_LBA.plus(BlockCount::new(1));
/// Where a primary volume descriptor says the volume's size (ECMA-119 §8.4.8).
pub(crate) const SPACE_SIZE: u64 = 80;
/// The slot of the validation entry.
pub(crate) const VALIDATION: u16 = 0;
/// The slot of the initial entry.
pub(crate) const INITIAL: u16 = 1;
/// The slot of the first section header.
pub(crate) const FIRST_HEADER: usize = 2;
/// The indicator of a section header that others follow.
pub(crate) const MORE_FOLLOW: u8 = 0x90;
/// That of the last one.
pub(crate) const LAST_HEADER: u8 = 0x91;

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

impl Patient<'_> {
    /// The disc's length; it is whole blocks.
    pub(crate) const fn length(&self) -> BlockCount {
        ByteCount::new(self.bytes.len()).blocks_rounded_up()
    }

    /// A block well past the end.
    pub(crate) fn past_end(&self) -> u32 {
        let past_end = self.length().plus(BlockCount::new(1000));
        past_end.to_u32().unwrap_or(u32::MAX)
    }

    /// Changes the validation entry and makes its checksum right again, so that the change is all that is wrong.
    pub(crate) fn rewrite_validation(&mut self, change: impl FnOnce(&mut EntryBytes)) {
        let mut entry = self.slots[usize::from(VALIDATION)];
        change(&mut entry);
        entry[0x1C..0x1E].fill(0);
        let sum = word_sum(&entry);
        entry[0x1C..0x1E].copy_from_slice(&0_u16.wrapping_sub(sum).to_le_bytes());
        self.patch(VALIDATION, 0, &entry);
    }

    /// The slot of the last section header.
    pub(crate) fn last_header(&self) -> Option<usize> {
        self.slots.iter().rposition(|slot| slot[0] == LAST_HEADER)
    }

    /// Writes all slots as they stand in [`Self::slots`].
    pub(crate) fn rewrite_slots(&mut self) {
        let slots = self.slots.concat();
        self.bytes.write_at(self.catalog.byte_offset(), &slots);
    }

    /// Writes into a slot.
    pub(crate) fn patch(&mut self, slot: u16, at: u64, bytes: &[u8]) {
        let slot = self.catalog.byte_offset() + u64::from(slot) * ENTRY_BYTES as u64;
        self.bytes.write_at(slot + at, bytes);
    }

    /// Writes the load address of a slot; an address that the field cannot hold is not on a disc that was mastered.
    pub(crate) fn set_load_rba(&mut self, slot: u16, lba: Lba) {
        let lba = lba.to_u32().unwrap_or(u32::MAX);
        self.patch(slot, 8, &lba.to_le_bytes());
    }

    /// Writes the sector count of a slot.
    pub(crate) fn set_count(&mut self, slot: u16, count: u16) {
        self.patch(slot, 6, &count.to_le_bytes());
    }
}
