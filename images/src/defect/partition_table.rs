//! Defects of the partition tables in the system area.

use super::Patient;
use crate::{
    partition_table::{MbrEntry, PartitionType},
    reference::shared_table,
};

/// What isohybrid wrote before there was UEFI, beside an entry for UEFI.
pub(super) fn overlap(disc: &mut Patient<'_>) {
    let kind = 4;
    disc.bytes
        .write_at(MbrEntry::TABLE + kind, &[PartitionType::WHOLE_DISC.0]);
}

/// The master boot record of a disc without the GUID partition table: two tables, each saying that it counts.
pub(super) fn unprotect(disc: &mut Patient<'_>) {
    let disk = disc.length().virtual_sectors();
    let table = shared_table(disk, Some((disc.last.lba, disc.last.length)));
    disc.bytes.write_at(MbrEntry::TABLE, &table);
}
