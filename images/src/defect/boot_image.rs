//! Defects in boot images.

use super::Patient;
use crate::partition_table::MbrEntry;

/// Where a boot-info table has its checksum (mkisofs(8), `-boot-info-table`).
const BOOT_INFO_CHECKSUM: u64 = 20;

pub(super) fn move_partition_to_slot_1(disc: &mut Patient<'_>) {
    let slot_0 = disc.first.lba.byte_offset() + MbrEntry::TABLE;
    let entry: [u8; MbrEntry::BYTES] = disc.bytes.array_at(slot_0);
    disc.bytes.write_at(slot_0, &[0; MbrEntry::BYTES]);
    disc.bytes.write_at(slot_0 + MbrEntry::BYTES as u64, &entry);
}

pub(super) fn remove_signature(disc: &mut Patient<'_>) {
    let signature = disc.first.lba.byte_offset() + MbrEntry::SIGNATURE;
    disc.bytes.write_at(signature, &[0, 0]);
}

pub(super) fn spoil_boot_info_checksum(disc: &mut Patient<'_>) {
    let at = disc.first.lba.byte_offset() + BOOT_INFO_CHECKSUM;
    let right = u32::from_le_bytes(disc.bytes.array_at(at));
    disc.bytes
        .write_at(at, &right.wrapping_add(1).to_le_bytes());
}

pub(super) fn remove_file_system(disc: &mut Patient<'_>) {
    disc.bytes.write_at(disc.last.lba.byte_offset(), &[0; 512]);
}
