//! Defects of the volume descriptors.

use super::Patient;
use crate::{
    bytes::both32,
    eltorito::{BOOT_RECORD_LBA, boot_record},
    iso9660::{SYSTEM_AREA_BLOCKS, terminator},
    units::{BlockCount, Lba},
};

type Descriptor = [u8; 2048];

const PRIMARY: Lba = Lba::new(SYSTEM_AREA_BLOCKS.get());
const BEHIND_BOOT_RECORD: Lba = BOOT_RECORD_LBA.plus(BlockCount::new(1));
/// Where a primary volume descriptor says the volume's size (ECMA-119 §8.4.8).
const SPACE_SIZE: u64 = 80;

pub(super) fn remove_boot_record(disc: &mut Patient<'_>) {
    let terminator: Descriptor = disc.bytes.array_at(BEHIND_BOOT_RECORD.byte_offset());
    disc.bytes
        .write_at(BOOT_RECORD_LBA.byte_offset(), &terminator);
}

/// A copy of the primary descriptor takes its place, as on discs that have one.
pub(super) fn misplace_boot_record(disc: &mut Patient<'_>) {
    let primary: Descriptor = disc.bytes.array_at(PRIMARY.byte_offset());
    let moved: Descriptor = disc.bytes.array_at(BOOT_RECORD_LBA.byte_offset());
    disc.bytes.write_at(BOOT_RECORD_LBA.byte_offset(), &primary);
    disc.bytes
        .write_at(BEHIND_BOOT_RECORD.byte_offset(), &moved);
}

pub(super) fn duplicate_boot_record(disc: &mut Patient<'_>) {
    let copy: Descriptor = disc.bytes.array_at(BOOT_RECORD_LBA.byte_offset());
    disc.bytes.write_at(BEHIND_BOOT_RECORD.byte_offset(), &copy);
}

pub(super) fn pad_id_with_spaces(disc: &mut Patient<'_>) {
    let behind_id = BOOT_RECORD_LBA.byte_offset() + 7 + 23;
    disc.bytes.write_at(behind_id, &[b' '; 9]);
}

pub(super) fn point_past_the_end(disc: &mut Patient<'_>) {
    let record = boot_record(disc.past_end());
    disc.bytes.write_at(BOOT_RECORD_LBA.byte_offset(), &record);
}

pub(super) fn claim_more_than_there_is(disc: &mut Patient<'_>) {
    let claimed = both32(disc.past_end());
    disc.bytes
        .write_at(PRIMARY.byte_offset() + SPACE_SIZE, &claimed);
}

/// The second session's volume is the whole disc, and its tree the first's: it adds nothing but itself. The first
/// keeps its own size, as on a medium that is written once.
pub(super) fn add_session_without_boot_record(disc: &mut Patient<'_>) {
    let Some(start) = disc.second_session else {
        return;
    };
    let primary = start.plus(SYSTEM_AREA_BLOCKS);
    let mut descriptor: Descriptor = disc.bytes.array_at(PRIMARY.byte_offset());
    let size = both32(disc.length().to_u32().unwrap_or(u32::MAX));
    let at = SPACE_SIZE as usize;
    descriptor[at..at + size.len()].copy_from_slice(&size);
    disc.bytes.write_at(primary.byte_offset(), &descriptor);
    let behind = primary.plus(BlockCount::new(1));
    disc.bytes.write_at(behind.byte_offset(), &terminator());
}

pub(super) fn remove_all(disc: &mut Patient<'_>) {
    for lba in [PRIMARY, BOOT_RECORD_LBA, BEHIND_BOOT_RECORD] {
        disc.bytes.write_at(lba.byte_offset(), &[0; 2048]);
    }
}
