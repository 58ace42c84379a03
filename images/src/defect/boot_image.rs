//! Defects in boot images.

use super::Patient;
use crate::{partition_table::MbrEntry, sparse::SparseBytes, units::Lba};

/// Where a boot-info table has its checksum (mkisofs(8), `-boot-info-table`).
const BOOT_INFO_CHECKSUM: u64 = 20;

pub(super) fn move_partition_to_slot_1(bytes: &mut SparseBytes, image: Lba) {
    let slot_0 = image.byte_offset() + MbrEntry::TABLE;
    let entry: [u8; MbrEntry::BYTES] = bytes.array_at(slot_0);
    bytes.write_at(slot_0, &[0; MbrEntry::BYTES]);
    bytes.write_at(slot_0 + MbrEntry::BYTES as u64, &entry);
}

pub(super) fn remove_signature(bytes: &mut SparseBytes, image: Lba) {
    bytes.write_at(image.byte_offset() + MbrEntry::SIGNATURE, &[0, 0]);
}

pub(super) fn spoil_boot_info_checksum(disc: &mut Patient<'_>) {
    let at = disc.first.lba.byte_offset() + BOOT_INFO_CHECKSUM;
    let right = u32::from_le_bytes(disc.bytes.array_at(at));
    disc.bytes
        .write_at(at, &right.wrapping_add(1).to_le_bytes());
}

pub(super) fn remove_file_system(bytes: &mut SparseBytes, image: Lba) {
    bytes.write_at(image.byte_offset(), &[0; 512]);
}
